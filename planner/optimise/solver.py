"""solve(problem, stop, seed) → plan, with the best bound that was proven on the way."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from planner.errors import InfeasibleError, InterruptedBeforePlanError, NoPlanInTimeError, Shortfall
from planner.optimise.evaluate import objective, ordered, plan_faults
from planner.optimise.events import BoundFound, PlanFound
from planner.optimise.exact import PROOF as ENUMERATED
from planner.optimise.exact import enumerate_pool, solve_exactly
from planner.optimise.formulation import Relaxation
from planner.optimise.graph import Graph
from planner.optimise.ledger import OPTIMAL_SHARE, Ledger, Report
from planner.optimise.lp import ROUNDING
from planner.optimise.options import make_options
from planner.optimise.presolve import reachable, require_locks, usable_graph, without_fixed
from planner.optimise.reach import PROOF as RELAXED
from planner.optimise.reach import infeasible, proven_reach, shortfalls
from planner.optimise.rolling import seed_phase
from planner.optimise.running import TEAM, Crew, ask_reach, run_in_turn
from planner.optimise.stop import Clock, Stop
from planner.optimise.warm import compile_search
from planner.problem import AREA_TOLERANCE_MU, Block, Bools, Ints, Plan, Problem, TracePoint
from planner.problem_checks import check_problem

NO_LAND: Final = "no parcel can lie in any block"
TRIVIAL: Final = "sum of positive worths"
_WORTH_PROCESSES: Final = 150
"""Open (parcel, option) pairs from which search and bound get a process each."""
_EXACT_SHARE: Final = 0.3
"""Part of the time limit that the attempt to list all blocks may take."""
_REACH_ROUNDS: Final = 12
_REACH_S: Final = 10.0
_LEAST_REACH_S: Final = 3.0
"""Even the shortest solve says how far the targets can be reached."""


def _silent(_objective: float | None, _bound: float, _seconds: float) -> None:
    return


class _Solve:
    """One solve: presolve, then all blocks listed, or search and bound side by side."""

    def __init__(self, problem: Problem, stop: Stop, seed: int, report: Report, processes: bool | None) -> None:
        self.stop, self.seed = stop, seed
        reduced = without_fixed(problem)
        whole = reduced.problem
        open_ = reachable(whole, usable_graph(whole))
        require_locks(whole, open_)
        # parcels that no block can hold are left out: in a city most parcels are none of the plan's business
        keep = np.asarray(open_.any(axis=1))
        if whole.rolling:
            keep |= seed_phase(whole) < len(whole.phases)
        self.problem, self.kept = whole.subset(keep)
        self.graph = usable_graph(self.problem)
        self.open = reachable(self.problem, self.graph)
        size = self.open.sum()
        self.processes = size >= _WORTH_PROCESSES if processes is None else processes
        if self.processes:  # whatever has to be loaded or compiled first is not the solve's time
            TEAM.ready(2)
            TEAM.wait()
        else:
            compile_search()
        self.clock = Clock(stop.time_limit_s)
        self.ledger = Ledger(stop, self.clock, reduced.constant, report)
        self.ledger.take(BoundFound(0.0, trivial_bound(self.problem, self.graph, self.open), TRIVIAL))
        self.clocked = False  # whether the clock cut the exact attempt short
        self.proof_by_list = False

    def exact(self) -> bool:
        """Try to settle the problem by listing all blocks; False where there are too many or time ran out."""
        pool = enumerate_pool(self.problem, self.graph, self.open)
        if pool is None:
            return False
        share = Clock(_EXACT_SHARE * self.stop.time_limit_s)
        result = solve_exactly(pool, self.seed, share)
        self.clocked = share.over()
        if result.blocks is None or plan_faults(self.problem, self.graph, result.blocks, self.open):
            return False
        value = objective(self.problem, self.graph, result.blocks)
        self.start = ordered(result.blocks)
        if result.optimal:  # up to the rounding of the integer program, which is far below OPTIMAL_SHARE
            self.ledger.take(PlanFound(0.0, self.start, value, abs(value)))
            self.ledger.take(BoundFound(0.0, value, ENUMERATED))
            self.ledger.decided = "optimal"
        elif result.bound is not None:
            self.ledger.take(BoundFound(0.0, result.bound, ENUMERATED))
        return result.optimal

    start: tuple[Block, ...] = ()

    def begin(self, start: tuple[Block, ...]) -> None:
        """Book a plan to begin with, if it is one."""
        if start and not plan_faults(self.problem, self.graph, start, self.open):
            self.start = start
            value = objective(self.problem, self.graph, start)
            self.ledger.take(PlanFound(0.0, start, value, abs(value)))

    def run(self) -> str:
        """Search and bound until something ends them; why they ended."""
        land = (self.problem, self.graph, self.open, self.seed, self.start)
        return Crew(self.ledger, *land).run() if self.processes else run_in_turn(self.ledger, *land)

    def plan(self, reason: str) -> Plan:
        """The answer, or the reason why there is none."""
        ledger = self.ledger
        if not ledger.plans:
            raise self._no_plan(reason)
        best = ledger.best
        assert best is not None
        faults = plan_faults(self.problem, self.graph, best.blocks, self.open)
        value = objective(self.problem, self.graph, best.blocks) + ledger.constant
        if faults or abs(value - ledger.constant - best.objective) > OPTIMAL_SHARE * max(1.0, best.gross):
            raise RuntimeError(f"the search answered with something that is no plan: {'; '.join(faults) or value}")
        bound, proof = ledger.bound, ledger.bounds[-1].proof
        if value - bound > OPTIMAL_SHARE * max(abs(bound), abs(value), best.gross):
            raise RuntimeError(f"a plan worth {value!r} exceeds the bound {bound!r} ({proof}): one of the two is wrong")
        return Plan(
            blocks=best.blocks,
            objective=value,
            bound=max(bound, value),
            bound_proof=proof,
            status="optimal" if reason == "optimal" else "feasible",
            stopped_by=reason,
            rounds=ledger.steps[-1].rounds if ledger.steps else 0,
            repeatable=not (reason in {"time", "interrupt"} or self.clocked or ledger.by_chance),
            trace=tuple(ledger.trace),
        )

    def _no_plan(self, reason: str) -> Exception:
        if reason == "interrupt":
            return InterruptedBeforePlanError("Stopped before a plan was found.")
        limit = max(_LEAST_REACH_S, min(_REACH_S, 0.3 * self.stop.time_limit_s))
        reach = self._reach(limit)
        floors = [t.floor for t in self.problem.targets]
        if reach and any(most < floor - 10 * AREA_TOLERANCE_MU for most, floor in zip(reach, floors, strict=True)):
            return infeasible(self.problem, reach, 0.0, RELAXED)
        searched = [step for step in self.ledger.steps if step.work > 0]
        rows = shortfalls(self.problem, reach, list(searched[-1].nearest) if searched else None)
        text = "; ".join(_missed(r) for r in rows)
        rounds = self.ledger.steps[-1].rounds if self.ledger.steps else 0
        return NoPlanInTimeError(
            f"No plan found within {self.clock.elapsed():.0f} s ({rounds} rounds): {text or 'no targets'}. "
            "Give more time, lower a target, or widen the block sizes.",
            rows,
        )

    def _reach(self, limit_s: float) -> list[float] | None:
        """Proven reach of each target, None where there was no time for it."""
        if not self.processes:
            return proven_reach(Relaxation(self.problem, self.graph, self.open), _REACH_ROUNDS, Clock(limit_s))
        return ask_reach(self.problem, self.graph, self.open, limit_s)


def trivial_bound(problem: Problem, graph: Graph, open_: Bools) -> float:
    """Σ of what each parcel can bring at best, half of every shared boundary saved: no plan is worth more."""
    saved = np.zeros(problem.n)
    np.add.at(saved, np.repeat(np.arange(problem.n), np.diff(graph.start)), graph.shared_m)
    worth = make_options(problem).net - (problem.perimeter_per_m * (problem.perimeter_m - saved))[:, None]
    best = np.where(open_, worth, -np.inf).max(axis=1, initial=-np.inf)
    locked = problem.lock_by >= 0
    terms = np.where(locked & np.isfinite(best), best, np.maximum(best, 0.0))
    return float(terms.sum() + ROUNDING * np.abs(terms).sum())


def _missed(row: Shortfall) -> str:
    proven = "no proven maximum" if row.proven_max_mu is None else f"proven maximum {row.proven_max_mu:.2f} {row.unit}"
    found = "" if row.found_mu is None else f"best found {row.found_mu:.2f} {row.unit}, "
    return f"target {row.target}: asked {row.target_mu:.2f} {row.unit}, {found}{proven}"


def _without_land(problem: Problem, graph: Graph, open_: Bools, constant: float) -> Plan:
    """The answer where no parcel can lie in any block: the empty plan, or the proof that there is none."""
    if any(t.floor > AREA_TOLERANCE_MU for t in problem.targets) or plan_faults(problem, graph, (), open_):
        raise infeasible(problem, [0.0] * len(problem.targets), 0.0, NO_LAND)
    value = constant - sum(t.stretch_price * (t.stretch or 0.0) for t in problem.targets)
    return Plan((), value, value, NO_LAND, "optimal", "optimal", 0, True, (TracePoint(0.0, value, value),))


def solve(
    problem: Problem,
    stop: Stop | None = None,
    seed: int = 0,
    report: Report = _silent,
    *,
    start: Sequence[Block] = (),
    enumerate_small: bool = True,
    processes: bool | None = None,
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
    start : sequence of Block
        A plan to begin with; passed over if it is none.
    enumerate_small : bool
        List all blocks of small problems, which makes them exact.
    processes : bool or None
        Whether search and bound get a process each, where either can be ended at any moment; None = where it pays.
        Only then branch and cut has its turn.

    Returns
    -------
    Plan
        Blocks in the parcel order of `problem`, fixed blocks among them.

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
    try:
        plan = _solved(canonical, order, stop or Stop(), seed, report, start, enumerate_small, processes)
    except InfeasibleError as error:
        raise _told_in_full(error, canonical) from error
    return replace(plan, blocks=tuple(_renumbered(plan.blocks, order)))


def _solved(
    canonical: Problem,
    order: Ints,
    stop: Stop,
    seed: int,
    report: Report,
    start: Sequence[Block],
    enumerate_small: bool,
    processes: bool | None,
) -> Plan:
    """The plan in the numbers of the canonical problem."""
    run = _Solve(canonical, stop, seed, report, processes)
    if run.problem.n == 0 or not run.open.any():
        plan = _without_land(run.problem, run.graph, run.open, run.ledger.constant)
    else:
        run.begin(_within(start, order, run.kept, canonical.fixed))
        reason = "optimal" if enumerate_small and run.exact() else run.run()
        plan = run.plan(reason)
    blocks = [replace(b, parcels=tuple(run.kept[list(b.parcels)].tolist())) for b in plan.blocks]
    # the order of the blocks stays that of the parcel ids, so that their names do not depend on the order of the input
    return replace(plan, blocks=ordered([*blocks, *canonical.fixed]))


def _told_in_full(error: InfeasibleError, problem: Problem) -> InfeasibleError:
    """What cannot be reached counts the fixed blocks, as the targets do."""
    if not problem.fixed or "proof" not in error.details:
        return error
    brought = without_fixed(problem).brought
    proven = {r.target: r.proven_max_mu for r in error.shortfalls}
    reach = [
        (proven.get(t.name) or 0.0) + b if t.name in proven else max(t.floor, b)
        for t, b in zip(problem.targets, brought, strict=True)
    ]
    known = error.details
    return infeasible(problem, reach, known.get("joint_shortage_mu", 0.0), known["proof"], known.get("limits", ()))


def _renumbered(blocks: Iterable[Block], order: Ints) -> list[Block]:
    return [replace(b, parcels=tuple(sorted(order[list(b.parcels)].tolist()))) for b in blocks]


def _within(start: Sequence[Block], order: Ints, kept: Ints, fixed: Sequence[Block]) -> tuple[Block, ...]:
    """A plan in the numbers of the reduced problem, without its fixed blocks; empty where a parcel is not in it."""
    rank = np.full(len(order), -1, dtype=np.int64)
    rank[order[kept]] = np.arange(len(kept))
    known = {replace(b, parcels=tuple(sorted(order[list(b.parcels)].tolist()))) for b in fixed}
    left = [b for b in start if replace(b, parcels=tuple(sorted(b.parcels))) not in known]
    found = [replace(b, parcels=tuple(sorted(rank[list(b.parcels)].tolist()))) for b in left]
    return () if any(b.parcels[0] < 0 for b in found) else ordered(found)
