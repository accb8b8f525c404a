"""Which project goes into which block: the match that is worth most, with a proof, by CP-SAT."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from ortools.sat.python import cp_model

from planner.optimise.cpsat import careful_solver
from planner.problem import Bools, Floats, Ints

STEPS: Final = 10**6
"""Land, frontage and time are counted in millionths, needs and room rounded up: room that falls short by less than one
suffices, since land measured on outlines hardly ever hits a round figure."""
_MOST_STEPS: Final = 2**50
"""Room above it is as good as this much; what needs more fits nowhere. Sums stay far within 64 bits."""
_WORTH_STEPS: Final = 2**50
"""Worth is counted in whole units; where it is not whole, or too large, in this many parts of the sum of all."""
_NOISE: Final = 1e-6
"""Steps that floating-point noise may add before rounding."""


@dataclass(frozen=True, eq=False)
class Match:
    """Projects and their blocks.

    Attributes
    ----------
    block : int64[P]
        Index of a project's block, -1 = none.
    worth, bound : float
        Sum of the worth of all that are matched; no match is worth more than the bound, land and frontage counted as
        `STEPS` says, worth that is not whole to a share of 1e-15 of all worth.
    status : str
        'optimal' (worth the most) or 'feasible' (time or work ran out).
    settled : bool
        Of the matches that are worth as much, this one is proven to be the first by the further aims.
    """

    block: Ints
    worth: float
    bound: float
    status: str
    settled: bool


def match(
    *,
    worth: Floats,
    site: Floats,
    frontage: Floats,
    allowed: Bools,
    land: Floats,
    front: Floats,
    waiting: Floats,
    time_limit_s: float = 30.0,
    work: float | None = None,
    seed: int = 0,
) -> Match:
    """Put projects into blocks, each into one at most, and no more into a block than it holds.

    The aims, one after the other: most worth; most projects; least waiting in sum; least sum of the land of the blocks
    chosen, which puts a project where the least land suffices.

    Parameters
    ----------
    worth : float64[P]
        0 or more.
    site, frontage : float64[P]
        Land and frontage that a project needs.
    allowed : bool[P, B]
        Blocks a project may go into, for other reasons than room.
    land, front : float64[B]
        Land and frontage that a block has.
    waiting : float64[P, B]
        Time for which a project would wait for a block, or the block for it; read where it is allowed.
    time_limit_s : float
        Clock limit for all aims.
    work : float, optional
        Limit in the solver's deterministic units, for each aim: the same answer on every machine if the clock has no
        part in it.
    seed : int
        Of the solver.

    Raises
    ------
    ValueError
        Worth, needs, room or waiting that are negative or not finite.
    """
    for values in (worth, site, frontage, land, front, waiting[allowed]):
        if not (np.isfinite(values) & (np.asarray(values) >= 0)).all():
            raise ValueError("worth, needs and room must be finite and 0 or more")
    model = _Model(worth, site, frontage, allowed, land, front, waiting)
    until = time.monotonic() + time_limit_s
    block = model.filled(np.full(len(worth), -1, dtype=np.int64))
    most = model.most_worth()
    settled = True
    bound = most
    for k, each in enumerate(model.aims()):
        answer = model.best(each, block, until, work, seed)
        block, settled = answer.block, settled and answer.settled
        if k == 0:
            bound = min(most, answer.bound)
            block = block if answer.settled else model.filled(block)
            worth_settled = answer.settled
        model.keep(each, model.value(each, block))
    got = math.fsum(worth[block >= 0].tolist())
    return Match(
        block=block,
        worth=got,
        bound=got if worth_settled else max(got, bound * model.worth_step + model.worth_error),
        status="optimal" if worth_settled else "feasible",
        settled=settled,
    )


@dataclass(frozen=True, eq=False)
class _Answer:
    block: Ints
    bound: int
    settled: bool


class _Model:
    """A yes or no for every project and block it may go into."""

    def __init__(
        self,
        worth: Floats,
        site: Floats,
        frontage: Floats,
        allowed: Bools,
        land: Floats,
        front: Floats,
        waiting: Floats,
    ) -> None:
        whole = bool((worth == np.floor(worth)).all()) and float(worth.sum()) <= _WORTH_STEPS
        self.worth_step = 1.0 if whole else max(float(worth.sum()) / _WORTH_STEPS, np.finfo(np.float64).tiny)
        self.worth_error = 0.0 if whole else 0.5 * self.worth_step * len(worth)
        self.worth = np.rint(worth / self.worth_step).astype(np.int64)
        self.site, self.frontage = _up(site, _MOST_STEPS + 1), _up(frontage, _MOST_STEPS + 1)
        self.land, self.front = _up(land, _MOST_STEPS), _up(front, _MOST_STEPS)
        waits = np.rint(np.where(allowed, waiting, 0.0) * STEPS)
        self.waiting = np.minimum(waits, float(_MOST_STEPS)).astype(np.int64)
        fits = (self.site[:, None] <= self.land) & (self.frontage[:, None] <= self.front)
        self.fits = np.asarray(allowed & fits, dtype=np.bool_)
        self.project, self.place = np.nonzero(self.fits)
        self.model = cp_model.CpModel()
        pairs = zip(self.project.tolist(), self.place.tolist(), strict=True)
        self.x = [self.model.new_bool_var(f"x{p}_{b}") for p, b in pairs]
        for p in np.unique(self.project):
            self.model.add_at_most_one(self.x[k] for k in np.flatnonzero(self.project == p))
        for b in np.unique(self.place):
            mine = np.flatnonzero(self.place == b)
            for needs, room in ((self.site, self.land), (self.frontage, self.front)):
                weights = needs[self.project[mine]]
                if weights.sum() > room[b]:
                    self.model.add(self._sum(mine, weights) <= int(room[b]))

    def _sum(self, which: Ints, weights: Ints) -> Any:
        return cp_model.LinearExpr.weighted_sum([self.x[k] for k in which], weights.tolist())

    def aims(self) -> tuple[Ints, ...]:
        """What each yes brings, aim by aim; each is to be large."""
        return (
            self.worth[self.project],
            np.ones(len(self.x), dtype=np.int64),
            -self.waiting[self.project, self.place],
            -self.land[self.place],
        )

    def most_worth(self) -> int:
        """Worth of all projects that fit anywhere."""
        return int(self.worth[self.fits.any(axis=1)].sum()) if self.fits.size else 0

    def chosen(self, block: Ints) -> Bools:
        """Which yes or no is a yes."""
        return np.asarray(block[self.project] == self.place)

    def value(self, each: Ints, block: Ints) -> int:
        """An aim at a match."""
        return int(each[self.chosen(block)].sum())

    def filled(self, block: Ints) -> Ints:
        """A match with what has no place yet put where there is room, what is worth most first."""
        block = block.copy()
        placed = block >= 0
        left = self.land - np.bincount(block[placed], self.site[placed], len(self.land)).astype(np.int64)
        front = self.front - np.bincount(block[placed], self.frontage[placed], len(self.land)).astype(np.int64)
        for p in np.lexsort((self.site, -self.worth)):
            if block[p] >= 0:
                continue
            room = self.fits[p] & (self.site[p] <= left) & (self.frontage[p] <= front)
            if room.any():
                open_blocks = np.flatnonzero(room)
                b = open_blocks[np.lexsort((self.land[open_blocks], self.waiting[p, open_blocks]))[0]]
                block[p] = b
                left[b] -= self.site[p]
                front[b] -= self.frontage[p]
        return block

    def best(self, each: Ints, start: Ints, until: float, work: float | None, seed: int) -> _Answer:
        """Make an aim as large as can be, from a match that keeps all that was added."""
        now, most = self.value(each, start), int(np.maximum(each, 0).sum())
        left = until - time.monotonic()
        if not self.x or now >= most:
            return _Answer(start, now, True)
        if left <= 0:
            return _Answer(start, most, False)
        self.model.maximize(cp_model.LinearExpr.weighted_sum(self.x, each.tolist()))
        self.model.clear_hints()  # type: ignore[no-untyped-call]
        for k, yes in enumerate(self.chosen(start).tolist()):
            self.model.add_hint(self.x[k], yes)
        solver = careful_solver(left, work, seed)
        status = solver.solve(self.model)
        if status not in {cp_model.OPTIMAL, cp_model.FEASIBLE}:
            return _Answer(start, most, False)
        found = np.full(len(start), -1, dtype=np.int64)
        yes = np.array([solver.boolean_value(x) for x in self.x], dtype=np.bool_)
        found[self.project[yes]] = self.place[yes]
        found = found if self.value(each, found) >= now else start
        bound = min(most, math.floor(solver.best_objective_bound + _NOISE))
        return _Answer(found, bound, status == cp_model.OPTIMAL or self.value(each, found) >= bound)

    def keep(self, each: Ints, value: int) -> None:
        """Let an aim be no worse from now on."""
        if self.x:
            self.model.add(cp_model.LinearExpr.weighted_sum(self.x, each.tolist()) >= value)


def _up(values: Floats, most: int) -> Ints:
    """Steps, rounded up, at most so many."""
    return np.minimum(np.ceil(values * STEPS - _NOISE), float(most)).astype(np.int64)
