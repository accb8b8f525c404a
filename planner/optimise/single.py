"""Problems that ask for one block, solved exactly: the maximum-weight connected subgraph with linear rows.

Every block holds one of some parcels, the roots. Root by root the best block that holds it is found, then the root is
left out. With a root the program without integers is close to the answer; what it leaves open is small enough for an
integer program that is cut again where its answer is not connected.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.sparse import csr_matrix

from planner.optimise.connected import Best, Case, SingleBlock, induced
from planner.optimise.evaluate import objective, plan_faults
from planner.optimise.events import BoundFound, Event, PlanFound
from planner.optimise.graph import Graph
from planner.optimise.limits import spendings
from planner.optimise.options import make_options, target_amounts
from planner.optimise.rooted_lp import RootedProgram
from planner.optimise.rounding import sets_near
from planner.optimise.stop import Clock
from planner.problem import (
    AREA_TOLERANCE_MU,
    RULE_TOLERANCE,
    Block,
    Bools,
    Floats,
    Ints,
    Problem,
)

__all__ = ["PROOF", "SingleAnswer", "SingleBlock", "best_block", "prove_single", "single_task"]

PROOF: Final = "branch and cut on one connected block"
_SETTLED: Final = 2e-6
"""A bound this close to the best set, relative, is as good as the solver can tell."""
_SAFE: Final = 1e-9
"""Slack for sums of worth, relative to their absolute terms."""
_FEWER: Final = 0.03
"""Share of the parcels that has to be decided for another round of reduction."""

_Left = tuple[Case, RootedProgram]


@dataclass(frozen=True)
class SingleAnswer:
    """The best set found and what is proven.

    Attributes
    ----------
    members : tuple of int or None
        In the order of the question; None where none was found.
    value : float
        Of the set; the cutoff without one.
    bound : float
        No set is worth more, -inf where there is proven to be none; never below the cutoff.
    work : float
        Units of about a second, counted.
    is_settled : bool
        The set is best up to the solver's tolerance, or no set beats the cutoff.
    """

    members: tuple[int, ...] | None
    value: float
    bound: float
    work: float
    is_settled: bool


def best_block(task: SingleBlock, time_limit_s: float, cutoff: float = -math.inf) -> SingleAnswer:
    """The connected set of greatest worth among those worth more than `cutoff`."""
    answer = SingleAnswer(None, cutoff, math.inf, 0.0, False)
    for answer in improve(task, time_limit_s, cutoff):  # noqa: B007 - the last one counts
        pass
    return answer


def improve(task: SingleBlock, time_limit_s: float, cutoff: float = -math.inf) -> Iterator[SingleAnswer]:
    """Better and better answers; the last one is settled unless time ran out."""
    yield from _Roots(task, Clock(time_limit_s), cutoff).run()


class _Roots:
    def __init__(self, task: SingleBlock, clock: Clock, cutoff: float) -> None:
        self.clock, self.work = clock, 0.0
        self.best = Best(task, cutoff)
        self.cutoff = cutoff
        self.case = Case(task, np.arange(len(task.weight)))
        self.rest = math.inf
        """No set without the roots done and the one at hand is worth more."""
        self.done = -math.inf
        """No set that holds a root done is worth more, unless it is the best one."""
        self.bound = math.inf
        self._here = math.inf

    def run(self) -> Iterator[SingleAnswer]:
        task = self.case.task
        if not len(task.weight) or (task.lo > task.hi).any():
            self.bound = self.cutoff
        elif task.must.any():
            self.rest = -math.inf
            left = yield from self._narrow(self.case)
            yield from self._settle(left)
            self.done = self._here
        elif task.is_free and not (task.weight > 0).any():
            self.best.offer(np.arange(len(task.weight)) == int(np.argmax(task.weight)))
            self.bound = self.best.value
        else:
            self.case = self.case.reduced()
            yield from self._each_root()
        yield self._answer(-math.inf)

    def _answer(self, here: float) -> SingleAnswer:
        """What is known when the sets of the case at hand are worth no more than `here`."""
        value = self.best.value
        self.bound = min(self.bound, max(here, self.rest, self.done, value))
        chosen = self.best.chosen
        members = None if chosen is None else tuple(np.flatnonzero(chosen).tolist())
        known = abs(value) if math.isfinite(value) else 0.0
        settled = self.bound <= value + _SETTLED * max(known, float(np.abs(self.best.task.weight).max(initial=0.0)))
        return SingleAnswer(members, value, max(self.bound, self.cutoff), self.work, settled)

    def _candidates(self) -> Ints:
        """Parcels one of which every set of interest holds, best first."""
        task = self.case.task
        most = task.most()
        # a set worth more than nothing holds a parcel that could be
        held = [most > 0] if self.best.value >= 0 else [np.ones(len(most), dtype=np.bool_)]
        held += [task.rows[[r]].toarray().ravel() > 0 for r in np.flatnonzero(task.lo > _SAFE).tolist()]
        fewest = min(held, key=lambda mask: int(mask.sum()))
        return np.array(sorted(np.flatnonzero(fewest).tolist(), key=lambda i: (-most[i], i)), dtype=np.int64)

    def _each_root(self) -> Iterator[SingleAnswer]:
        task = self.case.task
        roots = self._candidates()
        alive = np.ones(len(task.weight), dtype=np.bool_)
        for q, root in enumerate(roots.tolist()):
            if self.clock.over() or min(self.rest, self._loose(alive)) <= self.best.value:
                break
            case = self.case.only(alive).holding(np.arange(int(alive.sum())) == int(alive[:root].sum()))
            alive[root] = False
            self.rest = min(self.rest, self._loose(alive))
            left = yield from self._narrow(case)
            if (q & (q + 1)) == 0 and self.rest > self.best.value:  # now and then: a bound on all that is left
                yield from self._outside(alive, roots[q + 1 :])
            yield from self._settle(left)
            if self._here > self.best.value:
                self.done = max(self.done, self._here)
        else:
            self.rest = -math.inf
        self.rest = min(self.rest, self._loose(alive))

    def _loose(self, alive: Bools) -> float:
        """What the best connected piece of parcels is worth if all of it that is worth something is taken."""
        task = self.case.task
        good = np.maximum(task.most(), 0.0)
        label = task.graph.components(alive)
        sums = np.bincount(label[alive], weights=good[alive]) if alive.any() else np.zeros(0)
        return float(sums.max(initial=-math.inf)) * (1 + _SAFE)

    def _outside(self, alive: Bools, roots: Ints) -> Iterator[SingleAnswer]:
        """Lower the bound on the sets of `alive` by a program without integers."""
        number = np.cumsum(alive) - 1
        case = self.case.only(alive)
        if not len(roots):
            self.rest = -math.inf
            return
        program = RootedProgram(case.task, number[roots])
        before = self.work
        for x in program.tighten(self.clock, self.best):
            self._round(case, x)
            self.rest = min(self.rest, program.bound)
            self.work = before + program.work
            yield self._answer(self._here)
        self.work = before + program.work
        self.rest = min(self.rest, program.bound)

    def _round(self, case: Case, x: Floats) -> None:
        for chosen in sets_near(case.task, x):
            self.best.offer(case.unfold(chosen))

    def _narrow(self, case: Case) -> Generator[SingleAnswer, None, _Left | None]:
        """Answers while a case that has a root is cut and reduced; what is left of it for whole numbers.

        `_here` bounds the worth of its sets.
        """
        self._here = math.inf
        while not self.clock.over():
            case = case.reduced()
            if self._trivial(case):
                yield self._answer(self._here)
                return None
            program = RootedProgram(case.task, np.zeros(0, dtype=np.int64))
            yield from self._watch(program, case, program.tighten(self.clock, self.best))
            if self._here <= self.best.value:
                return None
            never, always = program.decided(self.best.value)
            always &= ~case.task.must
            if not never.any() and not always.any():
                return case, program
            case = case.holding(always).only(~never)
            if never.sum() + always.sum() < _FEWER * len(never):
                return case, program.without(never, case.task)
        return None

    def _settle(self, left: _Left | None) -> Iterator[SingleAnswer]:
        """Answers in whole numbers."""
        if left is not None:
            case, program = left
            yield from self._watch(program, case, program.settle(self.clock, self.best))

    def _trivial(self, case: Case) -> bool:
        """Whether the case is answered without a program."""
        task = case.task
        everything = np.ones(len(task.weight), dtype=np.bool_)
        if float(np.maximum(task.most(), 0.0).sum() + np.minimum(task.most(), 0.0)[task.must].sum()) <= self.best.value:
            self._here = min(self._here, self.best.value)
        elif task.must.all():
            self.best.offer(case.unfold(everything))
            self._here = min(self._here, self.best.value if task.allows(everything) else -math.inf)
        return self._here <= self.best.value

    def _watch(self, program: RootedProgram, case: Case, points: Iterator[Floats]) -> Iterator[SingleAnswer]:
        before = self.work
        for x in points:
            self._round(case, x)
            self._here = min(self._here, program.bound)
            self.work = before + program.work
            yield self._answer(self._here)
        self.work = before + program.work
        self._here = min(self._here, program.bound)


def single_task(problem: Problem, graph: Graph, open_: Bools) -> SingleBlock | None:
    """The question a problem asks for if a plan of it is one block at most, None where it is of another kind.

    The worth of a set is the objective of the plan that takes it as its block. Limits are wider by the tolerances of
    `planner.optimise.evaluate`, and left out where no set can break them.

    Parameters
    ----------
    problem : Problem
    graph : Graph
        Contacts that a block may use.
    open_ : bool[n, O]
        Parcels a plan may take in each option.
    """
    if not _asks_for_one(problem, graph, open_):
        return None
    keep = open_[:, 0]
    options = make_options(problem)
    edges = keep[graph.pairs].all(axis=1)
    row = np.repeat(np.arange(problem.n), np.diff(graph.start))
    shared = graph.shared_m[(row < graph.neighbour) & keep[row] & keep[graph.neighbour]]
    weight = options.net[keep, 0] - problem.perimeter_per_m * problem.perimeter_m[keep]
    rows = [scaled for given in _rows(problem) if (scaled := _binding(given[0][keep], given[1], given[2])) is not None]
    inner = induced(graph, keep)
    order = np.lexsort((inner.pairs[:, 1], inner.pairs[:, 0]))  # `shared` is in order of pairs
    gain = np.zeros(int(edges.sum()))
    gain[order] = 2.0 * problem.perimeter_per_m * shared
    return SingleBlock(
        graph=inner,
        weight=weight,
        gain=gain,
        rows=csr_matrix(np.array([r[0] for r in rows]).reshape(len(rows), int(keep.sum()))),
        lo=np.array([r[1] for r in rows]),
        hi=np.array([r[2] for r in rows]),
        must=(problem.lock_by >= 0)[keep],
        parcels=np.flatnonzero(keep),
    )


def _asks_for_one(problem: Problem, graph: Graph, open_: Bools) -> bool:
    if open_.shape[1] != 1 or problem.phases[0].max_blocks != 1 or problem.rolling or problem.fixed:
        return False
    if any(t.stretch and t.stretch_price for t in problem.targets):
        return False
    if any(t.measure == "blocks" and (t.floor > 0 or t.ceiling is not None) for t in problem.targets):
        return False
    villages = 0 if problem.village is None else len(np.unique(problem.village[problem.village >= 0]))
    if problem.max_villages is not None and villages > problem.max_villages:
        return False
    if problem.within_zone and (problem.zone[graph.pairs[:, 0]] != problem.zone[graph.pairs[:, 1]]).any():
        return False
    return problem.perimeter_per_m >= 0 and not ((problem.lock_by >= 0) & ~open_[:, 0]).any()


def _rows(problem: Problem) -> Iterator[tuple[Floats, float, float]]:
    """Coefficients, least and most of every rule that is a sum over the block."""
    options = make_options(problem)
    area = problem.area_mu
    yield area, problem.block_min_mu - AREA_TOLERANCE_MU, problem.block_max_mu + AREA_TOLERANCE_MU
    yield area * problem.filler - problem.filler_max_share * area, -math.inf, AREA_TOLERANCE_MU
    for rule in problem.block_rules:
        if rule.modes is None or 0 in rule.modes:
            yield rule.weight, rule.limit - RULE_TOLERANCE, math.inf
    for target in problem.targets:
        most = math.inf if target.ceiling is None else target.ceiling + AREA_TOLERANCE_MU
        yield target_amounts(problem, target, options)[:, 0], target.floor - AREA_TOLERANCE_MU, most
    for spending in spendings(problem, options):
        yield spending.in_full(1)[:, 0], -math.inf, spending.limit + spending.tolerance


def _binding(values: Floats, lo: float, hi: float) -> tuple[Floats, float, float] | None:
    """A row with coefficients of at most 1, None where every set of one parcel or more keeps it."""
    if not len(values):
        return None
    least = float(values.min()) if (values >= 0).all() else float(np.minimum(values, 0.0).sum())
    lo = -math.inf if lo <= least else lo
    hi = math.inf if hi >= float(np.maximum(values, 0.0).sum()) else hi
    scale = float(np.abs(values).max()) or 1.0
    return None if math.isinf(lo) and math.isinf(hi) else (values / scale, lo / scale, hi / scale)


def prove_single(problem: Problem, graph: Graph, open_: Bools, time_limit_s: float) -> Iterator[Event]:
    """Better plans and bounds of a problem that asks for one block; nothing for problems of another kind.

    No block at all counts as a plan worth nothing where it keeps all rules.
    """
    task = single_task(problem, graph, open_)
    if task is None:
        return
    empty = not plan_faults(problem, graph, (), open_)
    value, bound = -math.inf, math.inf
    if empty:
        value = objective(problem, graph, ())
        yield PlanFound(0.0, (), value, 0.0)
    for answer in improve(task, time_limit_s, max(0.0, value) if empty else -math.inf):
        if answer.members is not None and answer.value > value:
            blocks = (Block(tuple(task.parcels[list(answer.members)].tolist()), 0, 0),)
            worth = objective(problem, graph, blocks)
            if worth > value and not plan_faults(problem, graph, blocks, open_):
                value = worth
                yield PlanFound(answer.work, blocks, value, _gross(problem, blocks[0]))
        if answer.bound < bound and math.isfinite(answer.bound):
            bound = answer.bound
            yield BoundFound(answer.work, max(bound, value), PROOF)


def _gross(problem: Problem, block: Block) -> float:
    """Absolute terms of the objective of one block."""
    index = list(block.parcels)
    net = np.abs(make_options(problem).net[index, 0]).sum()
    return float(net + 2.0 * problem.perimeter_per_m * problem.perimeter_m[index].sum())
