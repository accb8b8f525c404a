"""Greedy patch growing, phase after phase, from many starts, with local moves: what is written first for such problems.

For each phase: while its targets are not met, grow patches from several promising seeds, keep the one of best worth
per mu, cut it where its worth per mu is best, and go on. Then parcels at the rims are added, dropped and exchanged
while it pays. All of it is repeated with other random numbers; the best plan that breaks no rule counts. Zones with
targets of their own get their share in step with the study area. Locks and block rules are not aimed at.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

import numpy as np

from benchmarks.answers import Answer, judged, require_modelled
from benchmarks.greedy_kernels import Books, Facts, book, grow, improve
from planner.optimise.evaluate import objective, plan_faults
from planner.optimise.graph import Graph
from planner.optimise.options import availability, make_options, target_members
from planner.optimise.presolve import reachable, usable_graph
from planner.problem import Block, Bools, Floats, Ints, Problem

NAME: Final = "greedy"
STARTS: Final = 20
SEEDS: Final = 40
HANDFULS: Final = 10
"""Times that other seeds are tried when none gave a patch."""

PASSES: Final = 30
NOISE: Final = 0.3
"""Random part of a seed's and a parcel's liking, in standard deviations of worth per mu; the first start has none."""


def solve_greedy(problem: Problem, seconds: float = 60.0, seed: int = 0, starts: int = STARTS) -> Answer:
    """Best of several starts, at most `seconds`; compiled code is loaded before the clock starts.

    Raises
    ------
    NotModelledError
        A rule that the baseline does not know.
    """
    require_modelled(problem)
    graph, open_ = usable_graph(problem), availability(problem)
    facts = make_facts(problem, graph, reachable(problem, graph))
    _Start(problem, facts, np.random.default_rng(seed), 0.0).warm()
    began = time.monotonic()
    best: tuple[float, list[Block]] | None = None
    least_wrong: tuple[int, list[Block]] | None = None
    done = 0
    for number in range(starts):
        rng = np.random.default_rng([seed, number])
        blocks = _Start(problem, facts, rng, NOISE if number else 0.0).run()
        faults = len(plan_faults(problem, graph, blocks, open_))
        done += 1
        if faults and (least_wrong is None or faults < least_wrong[0]):
            least_wrong = (faults, blocks)
        if not faults:
            value = objective(problem, graph, blocks)
            if best is None or value > best[0]:
                best = (value, blocks)
        if time.monotonic() - began > seconds:
            break
    took = time.monotonic() - began
    found = best[1] if best is not None else (least_wrong[1] if least_wrong is not None else None)
    return judged(problem, NAME, found, took, note=f"{done} starts")


def make_facts(problem: Problem, graph: Graph, open_: Bools) -> Facts:
    """Arrays for the compiled loops, of one type each: other types would be compiled anew."""
    targets = problem.targets
    return Facts(
        start=_ints(graph.start),
        neighbour=_ints(graph.neighbour),
        shared=_floats(graph.shared_m),
        area=_floats(problem.area_mu),
        gain=_floats(make_options(problem).net),
        cost=_floats(problem.cost),
        perimeter=_floats(problem.perimeter_m),
        price=float(problem.perimeter_per_m),
        open_=np.array(open_, dtype=np.bool_),
        filler=np.array(problem.filler, dtype=np.bool_),
        filler_share=float(problem.filler_max_share),
        zone=_ints(problem.zone),
        within_zone=bool(problem.within_zone),
        least=float(problem.block_min_mu),
        most=float(problem.block_max_mu),
        member=np.array([target_members(problem, t) for t in targets], dtype=np.bool_).reshape(-1, problem.n),
        due=_ints([t.phase for t in targets]),
        floor=_floats([t.floor for t in targets]),
        ceiling=_floats([np.inf if t.ceiling is None else t.ceiling for t in targets]),
        budget=_floats([np.inf if p.budget is None else p.budget for p in problem.phases]),
    )


def _ints(values: Ints | list[int]) -> Ints:
    return np.array(values, dtype=np.int64, order="C")


def _floats(values: Floats | list[float]) -> Floats:
    return np.array(values, dtype=np.float64, order="C")


@dataclass(frozen=True)
class _Want:
    """What the next block is for: land of these parcels, so many mu of it."""

    inside: Bools
    need_mu: float
    room_mu: float
    required: bool


class _Start:
    """One construction with local moves."""

    def __init__(self, problem: Problem, facts: Facts, rng: np.random.Generator, noise: float) -> None:
        self._problem, self._facts, self._rng, self._noise = problem, facts, rng, noise
        n, most_blocks = problem.n, problem.n + 1
        self._books = Books(
            owner=np.full(n, -1, dtype=np.int64),
            phase=np.zeros(most_blocks, dtype=np.int64),
            size=np.zeros(most_blocks),
            filler_mu=np.zeros(most_blocks),
            number=np.zeros(most_blocks, dtype=np.int64),
            reached=np.zeros(len(problem.targets)),
            spent=np.zeros(len(problem.phases)),
        )
        self._count = 0
        self._dead = np.zeros(n, dtype=np.bool_)  # parcels around which no block of this phase fits any more
        self._members, self._sums, self._contact = np.empty(n, dtype=np.int64), np.empty((n, 3)), np.zeros(n)

    def warm(self) -> None:
        """Load the compiled code."""
        self._grown(0, 0, 0.0, np.zeros(self._problem.n))
        improve(self._facts, self._books, 0, 0)
        book(self._facts, self._books, 0, 0, 1.0)

    def run(self) -> list[Block]:
        """Construct, improve, and tell the blocks."""
        for t, phase in enumerate(self._problem.phases):
            self._dead[:] = False
            liking, score = self._likings(t)
            blocks = 0
            while blocks < (phase.max_blocks if phase.max_blocks is not None else self._problem.n):
                if not self._add_block(t, liking, score):
                    break
                blocks += 1
        improve(self._facts, self._books, int(self._rng.integers(2**31)), PASSES)
        owner, phase_of = self._books.owner, self._books.phase
        return [
            Block(tuple(np.flatnonzero(owner == b).tolist()), int(phase_of[b]))
            for b in np.unique(owner[owner >= 0]).tolist()
        ]

    def _likings(self, t: int) -> tuple[Floats, Floats]:
        """Random bonus by parcel for growth, and the attraction of parcels as seeds (mean over the neighbourhood)."""
        f = self._facts
        density = f.gain[:, t] / f.area
        spread = float(density[f.open_[:, t]].std()) if f.open_[:, t].any() else 0.0
        liking = self._noise * spread * self._rng.standard_normal(len(density))
        degree = np.diff(f.start)
        around = np.add.reduceat(np.append(density[f.neighbour], 0.0), f.start[:-1]) * (degree > 0)
        return liking, (density + around) / (1 + degree) + liking

    def _add_block(self, t: int, liking: Floats, score: Floats) -> bool:
        """Book the best block for what is wanted most; False when nothing more is wanted or possible."""
        for want in self._wants(t):
            best = self._best_patch(t, want, liking, score)
            if best is not None and (want.required or best[0] > 0):
                block = self._count
                self._count += 1
                self._books.phase[block] = t
                for i in best[1].tolist():
                    book(self._facts, self._books, i, block, 1.0)
                return True
        return False

    def _best_patch(self, t: int, want: _Want, liking: Floats, score: Floats) -> tuple[float, Ints] | None:
        """The best of the patches grown from a handful of seeds; other seeds where none of them gave one."""
        cap = min(self._problem.block_max_mu, want.room_mu)
        tried = self._dead.copy()
        for _ in range(HANDFULS):
            best: tuple[float, Ints] | None = None
            for seed in self._seeds(t, want, score, tried):
                count = self._grown(seed, t, cap, liking)
                tried[seed] = True
                if cap >= self._facts.most and self._sums[count - 1, 0] < self._facts.least:
                    tried[self._members[:count]] = self._dead[self._members[:count]] = True
                candidate = self._cut(count, t, want)
                if candidate is not None and (best is None or candidate[0] > best[0]):
                    best = candidate
            if best is not None:
                return best
        return None

    def _wants(self, t: int) -> list[_Want]:
        """Zone targets that lag behind, then the study area's; without a target, whatever pays."""
        problem, f, reached = self._problem, self._facts, self._books.reached
        overall = [k for k, x in enumerate(problem.targets) if x.zone < 0 and x.group < 0]
        due_now = max((f.floor[k] for k in overall if f.due[k] <= t), default=0.0)
        room = float(min((f.ceiling[k] - reached[k] for k in overall if f.due[k] >= t), default=np.inf))
        wants = []
        for k, target in enumerate(problem.targets):
            if k in overall or f.due[k] < t:
                continue
            final = max((f.floor[j] for j in overall if f.due[j] <= f.due[k]), default=0.0)
            share = 1.0 if f.due[k] == t or final == 0 else due_now / final
            need = target.floor * share - reached[k]
            if need > (0.0 if f.due[k] == t else f.least):
                own_room = min(room, float(f.ceiling[k] - reached[k]))
                wants.append(_Want(f.member[k], need, own_room, required=True))
        everywhere = np.ones(problem.n, dtype=np.bool_)
        need = max((f.floor[k] - reached[k] for k in overall if f.due[k] == t), default=0.0)
        if need > 0:
            wants.append(_Want(everywhere, float(need), room, required=True))
        elif room >= f.least:
            wants.append(_Want(everywhere, 0.0, room, required=False))
        return wants

    def _seeds(self, t: int, want: _Want, score: Floats, tried: Bools) -> list[int]:
        f = self._facts
        free = np.flatnonzero(f.open_[:, t] & ~f.filler & (self._books.owner < 0) & want.inside & ~tried)
        if not len(free):
            return []
        top = free[np.argsort(-score[free], kind="stable")[: 4 * SEEDS]]
        chosen = top[:SEEDS] if self._noise == 0 else self._rng.permutation(top)[:SEEDS]
        return [int(i) for i in chosen]

    def _grown(self, seed: int, t: int, cap: float, liking: Floats) -> int:
        args = (self._books.owner, seed, t, cap, liking, self._members, self._sums, self._contact)
        return int(grow(self._facts, *args))

    def _cut(self, count: int, t: int, want: _Want) -> tuple[float, Ints] | None:
        """The part of the patch just grown that has the best worth per mu, of those that leave a plan possible."""
        f, area, worth = self._facts, self._sums[:count, 0], self._sums[:count, 1]
        fits = (area >= f.least) & (area <= min(f.most, want.room_mu))
        fits &= self._sums[:count, 2] <= f.budget[t] - self._books.spent[t]
        if want.required:
            fits &= (area >= want.need_mu) | (want.room_mu - area >= f.least)
        if not fits.any():
            return None
        judged_by = worth / area if np.isfinite(want.room_mu) else worth
        value = np.where(fits, judged_by, -np.inf)
        end = int(value.argmax())
        return float(value[end]), self._members[: end + 1].copy()
