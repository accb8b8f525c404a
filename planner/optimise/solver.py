"""solve(problem, stop, seed) → plan, with the best bound that was proven on the way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import numpy as np

from planner.errors import InterruptedBeforePlanError, NoPlanInTimeError
from planner.optimise.bound import CuttingPlanes
from planner.optimise.exact import PROOF as ENUMERATED
from planner.optimise.exact import enumerate_pool, solve_exactly
from planner.optimise.formulation import Relaxation
from planner.optimise.lp import ROUNDING
from planner.optimise.presolve import reachable, require_locks, usable_graph
from planner.optimise.reach import PROOF as RELAXED
from planner.optimise.reach import infeasible, proven_reach, require_reachable, shortfalls
from planner.optimise.search import Search
from planner.optimise.stop import Clock, Stop
from planner.problem import AREA_TOLERANCE_MU, Block, Plan, Problem, TracePoint, check_problem

OPTIMAL_SHARE: Final = 1e-7
"""A plan within this share of the bound is called optimal."""
NO_LAND: Final = "no parcel can lie in any block"
_LARGE: Final = 2_500
_EXACT_SHARE: Final = 0.3
"""Part of the time limit that the attempt to list all blocks may take."""
_FIRST_BOUND_ROUNDS: Final = 12
_LATER_BOUND_ROUNDS: Final = 8
_REACH_ROUNDS: Final = 12

Report = Callable[[float | None, float, float], None]
"""Called with best objective (None before the first plan), bound and seconds."""


def _silent(_objective: float | None, _bound: float, _seconds: float) -> None:
    return


class _Solve:
    """State of one solve: the incumbent, the bound and the trace."""

    def __init__(self, problem: Problem, stop: Stop, seed: int, report: Report) -> None:
        self.stop = stop
        self.report = report
        self.clock = Clock(stop.time_limit_s)
        open_ = reachable(problem, usable_graph(problem))
        require_locks(problem, open_)
        # parcels that no block can hold are left out: in a city most parcels are none of the plan's business
        self.problem, self.kept = problem.subset(np.asarray(open_.any(axis=1)))
        problem = self.problem
        self.graph = usable_graph(problem)
        self.open = reachable(problem, self.graph)
        if not problem.n:
            return
        self.relaxation = Relaxation(problem, self.graph, self.open)
        self.planes = CuttingPlanes(self.relaxation)
        self.bound, self.proof = self.planes.best, self.planes.proof
        self.trace: list[TracePoint] = []
        self.seed = seed
        self.clocked = False  # whether the clock cut the exact attempt short
        self.search = Search(problem, self.graph, self.open, seed, self.halted, lambda _value: self.note())
        self.note()

    def halted(self) -> bool:
        """Whether to leave the step at hand: time, interrupt, or nothing left to gain."""
        return self.stop.interrupted() or self.clock.over() or self.closed()

    @property
    def objective(self) -> float | None:
        return None if self.search.best_blocks is None else self.search.best_objective

    def note(self) -> None:
        """Record a change of plan or bound."""
        self.trace.append(TracePoint(round(self.clock.elapsed(), 3), self.objective, self.bound))
        self.report(self.objective, self.bound, self.clock.elapsed())

    def tighten(self, rounds: int) -> None:
        """Some rounds of cutting planes."""
        for _ in range(rounds):
            if self.halted():
                return
            more = self.planes.step(self.clock)
            if self.planes.best < self.bound:
                self.bound, self.proof = self.planes.best, self.planes.proof
                self.note()
            if not more:
                return

    def closed(self) -> bool:
        """Whether the gap asked for is reached."""
        value = self.objective
        return value is not None and self.bound - value <= max(self.stop.gap, OPTIMAL_SHARE) * abs(value)

    def stopped_by(self) -> str | None:
        if self.is_optimal():
            return "optimal"
        if self.closed():
            return "gap"
        if self.stop.interrupted():
            return "interrupt"
        if self.clock.over():
            return "time"
        if self.stop.work_limit is not None and self.search.rounds >= self.stop.work_limit:
            return "work"
        return None

    def is_optimal(self) -> bool:
        value = self.objective
        if value is None:
            return False
        # near 0 a share means nothing: there the rounding of what the plan adds up decides
        return self.bound - value <= max(OPTIMAL_SHARE * max(abs(value), abs(self.bound)), ROUNDING * self.search.gross)

    def exact(self) -> bool:
        """Try to settle the problem by listing all blocks; False where there are too many or time ran out."""
        pool = enumerate_pool(self.problem, self.graph, self.open)
        if pool is None:
            return False
        share = Clock(_EXACT_SHARE * self.stop.time_limit_s)
        result = solve_exactly(pool, self.seed, share)
        self.clocked = share.over()
        if result.blocks is None or not self.search.offer(result.blocks):
            return False
        if result.optimal:  # up to the rounding of the integer program, which is far below OPTIMAL_SHARE
            self.bound, self.proof = min(self.bound, self.search.best_objective), ENUMERATED
        elif result.bound is not None and result.bound < self.bound:
            self.bound, self.proof = result.bound, ENUMERATED
        self.note()
        return result.optimal

    def heuristic(self) -> None:
        """Cuts and search rounds in turn until something stops them."""
        self.search.offer(())
        if self.problem.n >= _LARGE:  # one program takes long here: first a plan, then the bound
            self.search.glance()
        self.tighten(_FIRST_BOUND_ROUNDS)
        if self.planes.solution is None:  # the program had no optimal point: perhaps nothing meets all floors
            require_reachable(self.relaxation, _REACH_ROUNDS, self.clock)
        while self.stopped_by() is None:
            self.search.round(self.clock)
            self.tighten(_LATER_BOUND_ROUNDS)
            if self.objective is None and self.search.rounds == 2:
                require_reachable(self.relaxation, _REACH_ROUNDS, self.clock)

    def plan(self) -> Plan:
        """The answer, or the reason why there is none."""
        reason = self.stopped_by() or "work"
        blocks = self.search.best_blocks
        if blocks is None:
            raise self._no_plan(reason)
        bound = max(self.bound, self.search.best_objective)
        if bound - self.bound > OPTIMAL_SHARE * max(abs(bound), abs(self.bound)):
            raise RuntimeError(
                f"a plan worth {bound!r} exceeds the bound {self.bound!r} ({self.proof}): one of the two is wrong"
            )
        return Plan(
            blocks=blocks,
            objective=self.search.best_objective,
            bound=bound,
            bound_proof=self.proof,
            status="optimal" if reason == "optimal" else "feasible",
            stopped_by=reason,
            rounds=self.search.rounds,
            # also false where a last step that the clock cut short happened to close the gap
            repeatable=not (self.clock.over() or self.clocked or self.stop.interrupted()),
            trace=tuple(self.trace),
        )

    def _no_plan(self, reason: str) -> Exception:
        if reason == "interrupt":
            return InterruptedBeforePlanError("Stopped before a plan was found.")
        reach = proven_reach(self.relaxation, _REACH_ROUNDS, Clock(min(10.0, 0.3 * self.stop.time_limit_s)))
        floors = [t.floor_mu for t in self.problem.targets]
        if any(most < floor - 10 * AREA_TOLERANCE_MU for most, floor in zip(reach, floors, strict=True)):
            return infeasible(self.problem, reach, 0.0, RELAXED)
        rows = shortfalls(self.problem, reach, self.search.nearest_mu)
        text = "; ".join(
            f"target {r.target}: asked {r.target_mu:.2f} mu, best found {r.found_mu:.2f} mu, proven maximum "
            f"{r.proven_max_mu:.2f} mu"
            for r in rows
        )
        return NoPlanInTimeError(
            f"No plan found within {self.clock.elapsed():.0f} s ({self.search.rounds} rounds): {text or 'no targets'}. "
            "Give more time, lower a target, or widen the block sizes.",
            rows,
        )


def _without_land(problem: Problem) -> Plan:
    """The answer where no parcel can lie in any block: the empty plan, or the proof that floors cannot be met."""
    if any(t.floor_mu > AREA_TOLERANCE_MU for t in problem.targets):
        raise infeasible(problem, [0.0] * len(problem.targets), 0.0, NO_LAND)
    value = 0.0 - problem.stretch_per_mu * sum(t.stretch_mu or 0.0 for t in problem.targets)
    return Plan((), value, value, NO_LAND, "optimal", "optimal", 0, True, (TracePoint(0.0, value, value),))


def solve(
    problem: Problem,
    stop: Stop | None = None,
    seed: int = 0,
    report: Report = _silent,
    *,
    enumerate_small: bool = True,
) -> Plan:
    """Find a plan and prove how far from the best it can be at most.

    Parameters
    ----------
    problem : Problem
        Any parcel order; the answer does not depend on it.
    stop : Stop, optional
        When to stop; default gap 1 % or 60 s.
    seed : int
        Seeds everything random.
    report : callable
        Progress: best objective or None, bound, seconds.
    enumerate_small : bool
        List all blocks of small problems, which makes them exact.

    Returns
    -------
    Plan
        Blocks in the parcel order of `problem`.

    Raises
    ------
    InfeasibleError
        Proven: no plan exists.
    NoPlanInTimeError
        Neither a plan nor a proof within the limits.
    InterruptedBeforePlanError
        Interrupted before the first plan.
    DataError
        The problem contradicts itself.
    """
    check_problem(problem)
    canonical, order = problem.canonical()
    run = _Solve(canonical, stop or Stop(), seed, report)
    if run.problem.n == 0:
        return _without_land(run.problem)
    order = order[run.kept]
    if not (enumerate_small and run.exact()):
        run.heuristic()
    plan = run.plan()
    # the order of the blocks stays that of the parcel ids, so that their names do not depend on the order of the input
    blocks = [Block(tuple(sorted(order[list(b.parcels)].tolist())), b.phase) for b in plan.blocks]
    return replace(plan, blocks=tuple(blocks))
