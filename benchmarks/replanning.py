"""Measures replanning and modes: ``python -m benchmarks.replanning [--case NAME ...] [--seconds S]``.

Three owners of the plan before refuse. What follows is planned from the plan before, where a changed parcel has a
price; planned afresh without that price; and by hand: the plan before is repaired and nothing else. All three are worth
what the problem with the price says. Cases with modes are also searched by annealing alone, for the same work as ours.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from benchmarks.cases import load
from benchmarks.places import REPOSITORY
from benchmarks.real import problem_of
from planner.optimise import Stop, solve
from planner.optimise.before import repaired
from planner.optimise.evaluate import objective, plan_faults
from planner.optimise.events import PlanFound
from planner.optimise.options import availability, make_options
from planner.optimise.presolve import reachable, usable_graph, without_fixed
from planner.optimise.running import never
from planner.optimise.search import Search
from planner.problem import Block, Plan, Problem

MODES: Final = "qingxi-modes"
CASES: Final = (MODES, "generated-300", "generated-1000", "generated-3000")
REFUSE: Final = 3
PRICE_SHARE: Final = 0.2
"""Price of changing a parcel, as a share of the mean worth of those in the plan before."""
TIMES: Final = (15.0, 30.0, 60.0, 90.0)


@dataclass(frozen=True)
class Answer:
    """A way to replan: worth with the price of changes, parcels changed, proven gap, seconds, faults."""

    way: str
    objective: float | None
    changed: int
    gap: float | None
    seconds: float | None


def problem(name: str) -> Problem:
    """The problem of a case."""
    if name == MODES:
        return problem_of(REPOSITORY / "config.yaml", scenario=str(REPOSITORY / "scenarios" / "money.yaml"))
    return load(name)


def refused(problem: Problem, plan: Plan, seed: int) -> Problem:
    """The problem after `REFUSE` owners in the plan refused, with the plan before and a price for every change."""
    graph = usable_graph(problem)
    taken = np.array(sorted(i for b in plan.blocks for i in b.parcels))
    free = taken[problem.lock_by[taken] < 0]
    lost = np.random.default_rng(seed).choice(free, size=REFUSE, replace=False)
    selectable = problem.selectable.copy()
    selectable[lost] = False
    price = PRICE_SHARE * abs(objective(problem, graph, plan.blocks)) / len(taken)
    return replace(problem, selectable=selectable, before=plan.blocks, change_price=np.full(problem.n, price))


def changes(before: Sequence[Block], after: Sequence[Block]) -> int:
    """Parcels that are not taken as before."""
    then, now = ({i: (b.phase, b.mode) for b in plan for i in b.parcels} for plan in (before, after))
    return sum(then.get(i) != now.get(i) for i in then.keys() | now.keys())


def ways(changed: Problem, stop: Stop, seed: int) -> Iterator[Answer]:
    """The three ways."""
    graph = usable_graph(changed)
    kept = solve(changed, stop, seed)
    yield Answer("from the plan before", kept.objective, changes(changed.before, kept.blocks), kept.gap, _first(kept))
    fresh = solve(replace(changed, before=(), change_price=None), stop, seed)
    worth = objective(changed, graph, fresh.blocks)
    yield Answer("afresh", worth, changes(changed.before, fresh.blocks), _gap(kept, worth), fresh.trace[-1].seconds)
    open_ = availability(changed)
    by_hand = repaired(changed, graph, open_, make_options(changed)).blocks
    faults = plan_faults(changed, graph, by_hand, open_)
    value = None if faults else objective(changed, graph, by_hand)
    yield Answer("by hand", value, changes(changed.before, by_hand), _gap(kept, value), None)


def _gap(proven: Plan, value: float | None) -> float | None:
    return None if value is None else (proven.bound - value) / abs(value)


def _first(plan: Plan) -> float | None:
    """Seconds until the last improvement of plan or bound."""
    return plan.trace[-1].seconds if plan.trace else None


def gaps_over_time(plan: Plan) -> list[float | None]:
    """Proven gap at each of `TIMES`."""
    found: list[float | None] = []
    for at in TIMES:
        known = [p for p in plan.trace if p.seconds <= at and p.objective is not None]
        last = known[-1] if known else None
        found.append(
            None if last is None or not last.objective else (last.bound - last.objective) / abs(last.objective)
        )
    return found


def annealing_alone(problem: Problem, work: float, seed: int) -> float | None:
    """The best that annealing finds with so much work, without columns, dives or integer programs."""
    reduced = without_fixed(problem.canonical()[0])
    whole = reduced.problem
    keep = reachable(whole, usable_graph(whole)).any(axis=1)
    left, _ = whole.subset(np.asarray(keep))
    graph = usable_graph(left)
    search = Search(left, graph, reachable(left, graph), seed, never)
    best: float | None = None
    while search.work < work:
        for event in search.anneal_once():
            if isinstance(event, PlanFound):
                best = event.objective + reduced.constant
            if search.work >= work:
                break
        search.rounds += 1
    return best


def measure(name: str, seconds: float, gap: float, seed: int) -> None:
    """One case, told in rows of a table."""
    land = problem(name)
    stop = Stop(gap=gap, time_limit_s=seconds)
    plan = solve(land, stop, seed)
    say(f"\n{name}: {land.n} parcels, load {_load()}; {plan.gap:.2%} by {plan.stopped_by}")
    over = " | ".join("–" if g is None else f"{g:.2%}" for g in gaps_over_time(plan))
    say(f"gap after {', '.join(f'{t:.0f}' for t in TIMES)} s: {over}")
    if len(land.modes) > 1:
        alone = annealing_alone(land, seconds, seed)
        told = "no plan" if alone is None else f"{_gap(plan, alone):.2%}"
        say(f"annealing alone, {seconds:.0f} units of work: {told}")
    for way in ways(refused(land, plan, seed), stop, seed):
        worth = "no plan" if way.objective is None else f"{way.objective:,.0f}"
        told = "–" if way.gap is None else f"{way.gap:.2%}"
        last = "–" if way.seconds is None else f"{way.seconds:.1f}"
        say(f"| {way.way} | {worth} | {way.changed} | {told} | {last} |")


def _load() -> Mapping[str, float] | float | None:
    return round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None


def say(text: str) -> None:
    """Tell at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure the cases asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.replanning", description="Measure replanning.")
    parser.add_argument("--case", action="append", default=[], choices=CASES)
    parser.add_argument("--seconds", type=float, default=90.0)
    parser.add_argument("--gap", type=float, default=0.005)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    for name in options.case or CASES:
        measure(name, options.seconds, options.gap, options.seed)


if __name__ == "__main__":
    main()
