"""Linear rows, and the rows that every plan keeps: targets, budgets, block counts, shares, rules for blocks.

All of them are sums over parcels and options. Rules for single blocks are summed over the blocks of an option in one
connected piece of land, which only weakens them. Every limit is relaxed by the tolerance with which plans are judged.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.sparse import csr_matrix

from planner.optimise.graph import Graph
from planner.optimise.limits import Spending, spendings
from planner.optimise.options import Options, target_amounts, target_members
from planner.problem import (
    AREA_TOLERANCE_MU,
    RULE_TOLERANCE,
    BlockRule,
    Bools,
    Floats,
    Ints,
    Problem,
    Target,
)

INF: Final = np.inf
SUM_NOISE: Final = 1e-12
"""What the order of adding up may change of a limit, as a share of it."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Linear rows lo ≤ A·x ≤ hi."""

    matrix: csr_matrix
    lo: Floats
    hi: Floats


Label = tuple[str, int]
"""What a row is about: ('floor' | 'stretch' | 'ceiling', target), ('budget' | 'blocks', phase), ('resource', number as
in `limits`) or ('filler' | 'rule', option)."""


class RowBuilder:
    """Collects rows one by one."""

    def __init__(self, n_columns: int) -> None:
        self.n_columns = n_columns
        self.columns: list[Ints] = []
        self.values: list[Floats] = []
        self.lo: list[float] = []
        self.hi: list[float] = []
        self.labels: list[Label] = []
        self.scale: list[float] = []

    def add(self, label: Label, columns: Ints, values: Floats, lo: float, hi: float) -> None:
        """One row, divided by its largest coefficient; coefficients that are 0 are left out."""
        keep = values != 0
        scale = float(np.abs(values).max(initial=0.0)) or 1.0
        self.columns.append(columns[keep])
        self.values.append(values[keep] / scale)
        self.lo.append(lo / scale)
        self.hi.append(hi / scale)
        self.labels.append(label)
        self.scale.append(scale)

    def rows(self) -> Rows:
        """All rows so far."""
        pointer = np.concatenate([[0], np.cumsum([len(c) for c in self.columns])]).astype(np.int64)
        columns = np.concatenate(self.columns) if self.columns else np.empty(0, dtype=np.int64)
        values = np.concatenate(self.values) if self.values else np.empty(0)
        matrix = csr_matrix((values, columns, pointer), shape=(len(self.lo), self.n_columns))
        return Rows(matrix, np.array(self.lo, dtype=float), np.array(self.hi, dtype=float))


def relaxed_amounts(problem: Problem, target: Target, options: Options, open_: Bools) -> Floats | None:
    """What a parcel adds at most to a target in each option, in its unit, ``float64[n, O]``; None = no limit is known.

    A block that counts for a target of blocks lies wholly in its members and has at least max(L, project_min_mu), so
    the members' area over that size is at least the number of such blocks.
    """
    if target.measure != "blocks":
        return np.where(open_, target_amounts(problem, target, options), 0.0)
    counted = open_ & target_members(problem, target)[:, None] & options.counts(target)[None, :]
    least = float(problem.area_mu[counted.any(axis=1)].min(initial=INF))
    size = max(problem.block_min_mu, target.project_min_mu, least) - AREA_TOLERANCE_MU
    if not 0 < size < INF:
        return None if size <= 0 else np.zeros(open_.shape)
    return np.where(counted, problem.area_mu[:, None] / size, 0.0)


def relaxed_floor(target: Target) -> float:
    """Floor of a target that every plan keeps, whatever rounding does."""
    slack = AREA_TOLERANCE_MU + SUM_NOISE * target.floor
    if target.measure != "blocks":
        return target.floor - slack
    return math.ceil(target.floor - slack) * (1 - 1e-9)


@dataclass(frozen=True, eq=False)
class LimitRows:
    """Builder of the rows over x other than "each parcel once" and saved boundary.

    A floor or stretch row misses its side by a shortage that is no column here; the caller prices it.

    Attributes
    ----------
    problem, graph, options, open_
        What the rows are about.
    x : int64[n, O]
        Column of a parcel in an option, -1 where not open.
    """

    problem: Problem
    graph: Graph
    options: Options
    open_: Bools
    x: Ints

    def build(self, n_columns: int) -> RowBuilder:
        """All rows."""
        rows = RowBuilder(n_columns)
        self._targets(rows)
        self._phases(rows)
        self._pieces(rows)
        return rows

    def _targets(self, rows: RowBuilder) -> None:
        """Σ amount·x ≥ floor, ≥ stretch, ≤ ceiling."""
        for k, target in enumerate(self.problem.targets):
            amount = relaxed_amounts(self.problem, target, self.options, self.open_)
            if amount is None:
                continue
            columns, values = self.x[self.open_], amount[self.open_]
            stretch = (target.stretch or 0.0) * (1 - SUM_NOISE)
            for name, limit in (("floor", relaxed_floor(target)), ("stretch", stretch)):
                if limit > 0:
                    rows.add((name, k), columns, values, limit, INF)
            if target.ceiling is not None and target.measure != "blocks":
                most = target.ceiling * (1 + SUM_NOISE) + AREA_TOLERANCE_MU
                rows.add(("ceiling", k), columns, values, -INF, most)

    def _phases(self, rows: RowBuilder) -> None:
        """Budgets, resources, and numbers of blocks (each holds at most U)."""
        problem = self.problem
        for spending in spendings(problem, self.options):
            mask = self.open_[:, spending.options]
            columns = self.x[:, spending.options][mask]
            rows.add(spending.label, columns, spending.amount[mask], -INF, spending_limit(spending))
        area = np.broadcast_to(problem.area_mu[:, None], self.open_.shape)
        for t, phase in enumerate(problem.phases):
            if phase.max_blocks is not None:
                mask = self.open_ & (self.options.phase == t)
                most = phase.max_blocks * (problem.block_max_mu + AREA_TOLERANCE_MU)
                rows.add(("blocks", t), self.x[mask], area[mask], -INF, most)

    def _pieces(self, rows: RowBuilder) -> None:
        """Filler share and rules for blocks, summed over the blocks of each option in each connected piece of land."""
        problem = self.problem
        for o in range(len(self.options)):
            rules = [r for r in problem.block_rules if r.modes is None or int(self.options.mode[o]) in r.modes]
            here = self.open_[:, o]
            if not here.any() or not (rules or (problem.filler & here).any()):
                continue
            piece = self.graph.components(here)
            if (problem.filler & here).any():
                share = problem.area_mu * (problem.filler_max_share - problem.filler)
                self._by_piece(rows, ("filler", o), piece, share, AREA_TOLERANCE_MU)
            for rule in rules:
                weight = summed_weight(problem, rule)
                if weight is not None:
                    self._by_piece(rows, ("rule", o), piece, weight, RULE_TOLERANCE)

    def _by_piece(self, rows: RowBuilder, label: Label, piece: Ints, weight: Floats, tolerance: float) -> None:
        """Σ weight·x ≥ −tolerance · blocks, for each piece that holds a negative weight."""
        area = self.problem.area_mu
        inside = np.flatnonzero(piece >= 0)
        inside = inside[np.argsort(piece[inside], kind="stable")]
        for members in np.split(inside, np.flatnonzero(np.diff(piece[inside])) + 1):
            if (weight[members] < 0).any():
                most_blocks = area[members].sum() / max(self.problem.block_min_mu, area[members].min())
                rows.add(label, self.x[members, label[1]], weight[members], -2 * tolerance * (most_blocks + 1), INF)


def summed_weight(problem: Problem, rule: BlockRule) -> Floats | None:
    """Weights whose sum over any number of blocks is at least 0 (up to tolerance), ``float64[n]``; None = none known.

    Blocks have Σ weight ≥ limit each. There are at least Σ area / U of them, and at most Σ area / L.
    """
    if rule.limit == 0:
        return rule.weight
    size = problem.block_max_mu + AREA_TOLERANCE_MU if rule.limit > 0 else problem.block_min_mu - AREA_TOLERANCE_MU
    if size <= 0:
        return None
    weight: Floats = rule.weight - rule.limit * problem.area_mu / size
    return weight


def spending_limit(spending: Spending) -> float:
    """A limit that every plan keeps, whatever rounding does."""
    return spending.limit + spending.tolerance * (1 + 1e-6)
