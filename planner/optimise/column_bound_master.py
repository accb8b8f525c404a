"""The linear master over blocks, and the bound that its multipliers give with what single blocks are worth at most."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.sparse import csr_matrix, hstack, vstack

from planner.optimise.bound import CuttingPlanes
from planner.optimise.column_bound_windows import Family, Split
from planner.optimise.limits import spendings
from planner.optimise.lp import ROUNDING, LinearProgram, solve_lp
from planner.optimise.options import Options, target_amounts, target_members
from planner.optimise.rows import SUM_NOISE, Label, relaxed_floor, spending_limit
from planner.problem import AREA_TOLERANCE_MU, Bools, Floats, Ints, Problem

_INF: Final = math.inf


@dataclass(frozen=True, eq=False)
class Row:
    """lo ≤ Σ amounts of the blocks taken ≤ hi, where missing lo may be allowed at a price.

    Attributes
    ----------
    amount : float64[n, O] or None
        What a parcel adds.
    each : float64[F]
        What a block of a family adds besides.
    lo, hi : float
    price : float
        Currency for a unit by which `lo` is missed; inf = it may not be.
    label : tuple of str and int
        What it is about, as in `planner.optimise.rows`.
    """

    amount: Floats | None
    each: Floats
    lo: float
    hi: float
    price: float
    label: Label


@dataclass(frozen=True, eq=False)
class Multipliers:
    """Prices of parcels and rows; any will do.

    Attributes
    ----------
    parcel : float64[n]
        0 or more where the parcel is not locked.
    row : float64[rows]
        Positive at an upper side, negative at a lower one.
    """

    parcel: Floats
    row: Floats

    def towards(self, other: Multipliers, share: float) -> Multipliers:
        """A point between these and others."""
        return Multipliers(
            self.parcel + share * (other.parcel - self.parcel), self.row + share * (other.row - self.row)
        )


def plan_rows(problem: Problem, options: Options, found: list[Family]) -> list[Row]:
    """Rows that every plan keeps: targets, budgets and other resources."""
    rows: list[Row] = []
    nothing = np.zeros(len(found))
    for k, target in enumerate(problem.targets):
        if target.measure == "blocks":
            members = target_members(problem, target)
            done = options.counts(target)
            counts = [done[f.option] and members[f.parcels].any() for f in found]
            amount, each = None, np.array(counts, dtype=float)
        else:
            amount, each = target_amounts(problem, target, options), nothing
        if relaxed_floor(target) > 0:
            rows.append(Row(amount, each, relaxed_floor(target), _INF, _INF, ("floor", k)))
        if target.stretch and target.stretch_price > 0:
            rows.append(Row(amount, each, target.stretch * (1 - SUM_NOISE), _INF, target.stretch_price, ("stretch", k)))
        if target.ceiling is not None and amount is not None:
            most = target.ceiling * (1 + SUM_NOISE) + AREA_TOLERANCE_MU
            rows.append(Row(amount, each, -_INF, most, _INF, ("ceiling", k)))
    for spending in spendings(problem, options):
        used = spending.in_full(len(options))
        rows.append(Row(used, nothing, -_INF, spending_limit(spending), _INF, spending.label))
    return rows


class Master:
    """Rows of one part of all plans, the program over known blocks, and the bound from multipliers.

    Parameters
    ----------
    problem : Problem
    worth : float64[n, O]
        Of parcels, without what shared boundary saves.
    found : list of Family
    rows : list of Row
        `plan_rows`.
    split : Split
    """

    def __init__(self, problem: Problem, worth: Floats, found: list[Family], rows: list[Row], split: Split) -> None:
        self.problem, self.worth, self.found, self.split = problem, worth, found, split
        self.option = np.array([f.option for f in found], dtype=np.int64)
        self.limits = len(rows)
        stages = enumerate(split.stages)
        self.rows = rows + [Row(None, x.inside.astype(float), x.least, x.most, _INF, ("stage", s)) for s, x in stages]
        self.lo = np.array([r.lo for r in self.rows])
        self.hi = np.array([r.hi for r in self.rows])
        self.each = np.array([r.each for r in self.rows]).reshape(len(self.rows), len(found))
        self.locked = problem.lock_by >= 0
        self.missing_price = np.array([r.price for r in self.rows])
        self.open = split.smallest <= split.largest
        self._parts = _partitions(split, self.open)

    def clipped(self, y: Multipliers) -> Multipliers:
        """The nearest multipliers of which the bound is one."""
        row = np.where(np.isfinite(self.hi), y.row, np.minimum(y.row, 0.0))
        row = np.where(np.isfinite(self.lo), row, np.maximum(row, 0.0))
        return Multipliers(
            np.where(self.locked, y.parcel, np.maximum(y.parcel, 0.0)), np.maximum(row, -self.missing_price)
        )

    def from_parcels(self, planes: CuttingPlanes) -> Multipliers | None:
        """What the relaxation without blocks says: every block is worth at most 0 at its best multipliers.

        Its cuts hold for every single block, so that what they move between parcels takes from none of its prices.
        """
        result = planes.result()
        if planes.best_y is None or result.loss is None or result.loss_out is None:
            return None
        relaxation = planes.relaxation
        most = np.where(self.locked, 0.0, result.loss_out)
        if planes.reduced is not None:
            reduced = np.where(relaxation.x >= 0, relaxation.by_parcel(planes.reduced), -_INF)
            most = np.where(self.locked, reduced.max(axis=1), most)
        given = zip(relaxation.labels, relaxation.scale, planes.best_y, strict=False)
        price: dict[Label, list[float]] = {}
        for label, scale, y in given:
            price.setdefault(label, []).append(float(y / scale))
        row = np.zeros(len(self.rows))
        for r, mine in enumerate(self.rows):
            if mine.amount is not None and price.get(mine.label):
                row[r] = price[mine.label].pop(0)
        return self.clipped(Multipliers(np.asarray(most), row))

    def weight(self, y: Multipliers, o: int) -> Floats:
        """Worth of parcels in an option after prices, ``float64[n]``."""
        weight = self.worth[:, o] - y.parcel
        for row, price in zip(self.rows, y.row.tolist(), strict=True):
            if price and row.amount is not None:
                weight = weight - price * row.amount[:, o]
        return np.asarray(weight)

    def entry(self, y: Multipliers) -> Floats:
        """Price of a block of each family, besides that of its parcels, ``float64[F]``."""
        return np.asarray(y.row @ self.each)

    def bound(self, y: Multipliers, most: Floats) -> float:
        """No plan of this part is worth more.

        Parameters
        ----------
        y : Multipliers
            As `clipped` gives them.
        most : float64[F]
            No block of a family has parcels worth more than this after prices; the price of entry not counted.
        """
        side = np.where(y.row > 0, self.hi, np.where(y.row < 0, self.lo, 0.0))
        priced = y.row * side
        limits = priced[: self.limits]
        terms = np.concatenate([y.parcel, limits])
        base = float(terms.sum() + ROUNDING * np.abs(terms).sum())
        # prices of limits count for a family whatever its stage, those of numbers of blocks are chosen anew
        left = most - y.row[: self.limits] @ self.each[: self.limits]
        as_given = float(priced[self.limits :].sum()) + self._alone(
            left - y.row[self.limits :] @ self.each[self.limits :]
        )
        return base + min([as_given, *(self._staged(left, part) for part in self._parts)])

    def _alone(self, left: Floats) -> float:
        """What all families can bring if nothing but their land limits the number of their blocks."""
        gain = np.where(self.open, np.maximum(left, 0.0), 0.0)
        return float(sum(self._count(f) * gain[f] for f in np.flatnonzero(gain > 0).tolist()))

    def _count(self, f: int) -> int:
        return min((s.most for s in self.split.stages if s.inside[f]), default=self.problem.n)

    def _staged(self, left: Floats, part: list[int]) -> float:
        """What stages that share no family can bring, each with its number of blocks."""
        total, alone = 0.0, left.copy()
        for s in part:
            stage = self.split.stages[s]
            alone[stage.inside] = -_INF
            best = float(left[stage.inside & self.open].max(initial=-_INF))
            if stage.most and best > -_INF:
                total += best * (stage.most if best > 0 else stage.least)
        return total + self._alone(alone)

    def solve(
        self, incidence: csr_matrix, family: Ints, worth: Floats, shortage: float, limit_s: float
    ) -> tuple[Multipliers, float, bool] | None:
        """Multipliers of the program over some blocks, its value, and whether it needs what is not there.

        Parameters
        ----------
        incidence : csr_matrix[n, blocks]
        family : int64[blocks]
        worth : float64[blocks]
        shortage : float
            Price of a unit of a row, after scaling, that may not be missed.
        limit_s : float
        """
        dense = self._matrix(incidence, family)
        scale = np.maximum(np.abs(dense).max(axis=1, initial=0.0), 1e-9)
        left = csr_matrix(dense / scale[:, None])
        lower = np.flatnonzero((np.isfinite(self.lo) & (self.lo > 0)) | (self.hi < 0))  # rows that nothing taken breaks
        sign = np.where(self.hi[lower] < 0, -1.0, 1.0)
        miss = np.where(sign < 0, -self.hi[lower], self.lo[lower])
        must = np.flatnonzero(self.locked)
        n, k = self.problem.n, len(worth)
        price = np.where(np.isfinite(self.missing_price), self.missing_price * scale, shortage)[lower]
        slack = csr_matrix((sign, (lower, np.arange(len(lower)))), shape=(len(self.rows), len(lower)))
        free = csr_matrix((np.ones(len(must)), (must, np.arange(len(must)))), shape=(n, len(must)))
        matrix = vstack(
            [
                hstack([incidence, csr_matrix((n, len(lower))), free]),
                hstack([left, slack, csr_matrix((len(self.rows), len(must)))]),
            ],
            format="csr",
        )
        program = LinearProgram(
            np.concatenate([worth, -price, np.full(len(must), -shortage)]),
            np.concatenate([np.ones(k), miss / scale[lower], np.ones(len(must))]),
            matrix,
            np.concatenate([np.where(self.locked, 1.0, -_INF), self.lo / scale]),
            np.concatenate([np.ones(n), self.hi / scale]),
        )
        answer = solve_lp(program, limit_s)
        if answer is None:
            return None
        hard = np.concatenate([~np.isfinite(self.missing_price[lower]), np.ones(len(must), dtype=np.bool_)])
        short = bool((answer.x[k:][hard] > 1e-7 * program.upper[k:][hard] + 1e-9).any())
        y = Multipliers(answer.row_dual[:n], answer.row_dual[n:] / scale)
        return self.clipped(y), answer.objective, short

    def _matrix(self, incidence: csr_matrix, family: Ints) -> Floats:
        """What each block adds to each row."""
        out = np.zeros((len(self.rows), len(family)))
        option = self.option[family] if len(family) else np.zeros(0, dtype=np.int64)
        for r, row in enumerate(self.rows):
            out[r] = self.each[r][family]
            if row.amount is not None:
                sums = incidence.T @ row.amount
                out[r] += sums[np.arange(len(family)), option]
        return out


def _partitions(split: Split, open_: Bools) -> list[list[int]]:
    """Ways to cover families by stages that share none: small stages first, and large ones first."""
    ways = []
    for sign in (1, -1):
        taken = np.zeros(len(open_), dtype=np.bool_)
        way: list[int] = []
        for s in sorted(
            range(len(split.stages)), key=lambda s: (sign * int(split.stages[s].inside.sum()), split.stages[s].most)
        ):
            if not (split.stages[s].inside & taken).any():
                way.append(s)
                taken |= split.stages[s].inside
        ways.append(way)
    return ways
