"""How far targets can be reached at all: proofs of infeasibility, in the unit of each target."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from planner.errors import InfeasibleError, Shortfall
from planner.optimise.bound import CuttingPlanes
from planner.optimise.formulation import Goal, Relaxation
from planner.optimise.limits import in_words, spendings
from planner.optimise.rows import relaxed_amounts, spending_limit
from planner.optimise.stop import Clock
from planner.problem import AREA_TOLERANCE_MU, Problem

PROOF: Final = "linear relaxation with cuts"


def _best(relaxation: Relaxation, goal: Goal, rounds: int, clock: Clock) -> float:
    planes = CuttingPlanes(relaxation, goal)
    while planes.rounds < rounds and not clock.over() and planes.step(clock):
        pass
    return planes.best


def proven_reach(relaxation: Relaxation, rounds: int, clock: Clock) -> list[float]:
    """Upper bound on what any plan can count towards each target, in its unit, with all other floors dropped.

    Infinite where nothing limits it: a number of blocks without a least size.
    """
    return [_reach(relaxation, k, rounds, clock) for k in range(len(relaxation.problem.targets))]


def _reach(relaxation: Relaxation, k: int, rounds: int, clock: Clock) -> float:
    target = relaxation.problem.targets[k]
    amount = relaxed_amounts(relaxation.problem, target, relaxation.options, relaxation.open)
    if amount is None:
        return float("inf")
    most = float(amount.max(axis=1, initial=0.0).sum())
    if target.ceiling is not None:
        most = min(most, target.ceiling + AREA_TOLERANCE_MU)
    most = max(0.0, min(_best(relaxation, relaxation.reach_goal(k), rounds, clock), most))
    return float(np.floor(most + 1e-6)) if target.measure == "blocks" else most


def joint_shortage(relaxation: Relaxation, rounds: int, clock: Clock) -> float:
    """Lower bound on the total by which the floors are missed together (0 = not proven).

    In the unit of the targets where they have one unit, else as a sum of shares of the floors.
    """
    return max(0.0, -_best(relaxation, relaxation.shortage_goal(), rounds, clock))


def _require_enough(relaxation: Relaxation, rounds: int, clock: Clock) -> None:
    """Raise `InfeasibleError` where blocks can be proven not to bring what a limit below 0 asks for."""
    problem, found = relaxation.problem, []
    given = [s for s in spendings(problem, relaxation.options) if s.limit < 0]
    free = Relaxation(_without_asking(problem), relaxation.graph, relaxation.open) if given else relaxation
    for spending in given:
        most = max(0.0, _best(free, free.giving_goal(spending), rounds, clock))
        if most < -spending_limit(spending):
            name, unit = in_words(problem, spending.label)
            found.append(f"{name}: blocks must bring {-spending.limit:.2f} {unit}, they can bring {most:.2f} at most")
    if found:
        raise infeasible(problem, proven_reach(free, rounds, clock), 0.0, PROOF, tuple(found))


def _without_asking(problem: Problem) -> Problem:
    """The problem without limits below 0."""

    def kept(limit: float | None) -> float | None:
        return None if limit is not None and limit < 0 else limit

    return replace(
        problem,
        phases=tuple(replace(p, budget=kept(p.budget)) for p in problem.phases),
        resources=tuple(replace(r, limits=tuple(kept(x) for x in r.limits)) for r in problem.resources),
    )


def shortfalls(problem: Problem, reach: list[float] | None, found: list[float] | None) -> tuple[Shortfall, ...]:
    """One row per floor, in the unit of its target."""
    return tuple(
        Shortfall(
            target.name,
            target.floor,
            None if reach is None else reach[k],
            None if found is None else found[k],
            target.unit,
        )
        for k, target in enumerate(problem.targets)
        if target.floor > 0
    )


def infeasible(
    problem: Problem, reach: list[float], shortage: float, proof: str, limits: tuple[str, ...] = ()
) -> InfeasibleError:
    """The error that says which targets cannot be met and how far they can, or which `limits` ask for too much."""
    rows = shortfalls(problem, reach, None)
    units = {r.unit for r in rows}
    told = [(r, r.proven_max_mu or 0.0, r.unit) for r in rows]
    missed = [(r, most, unit) for r, most, unit in told if most < r.target_mu - AREA_TOLERANCE_MU]
    if missed:
        text = "; ".join(
            f"target {r.target}: at most {most:.2f} {unit} can be reached, {r.target_mu:.2f} {unit} are asked for "
            f"(lower it by {r.target_mu - most:.2f} {unit})"
            for r, most, unit in missed
        )
    elif shortage > 0:
        each = "; ".join(
            f"{r.target}: {r.target_mu:.2f} {unit} asked, at most {most:.2f} {unit} alone" for r, most, unit in told
        )
        total = f": at least {shortage:.2f} {units.pop()} are missing in all" if len(units) == 1 else ""
        text = f"the targets cannot be met together{total} ({each})"
    else:
        text = "no set of blocks keeps all limits (block sizes, locks, ceilings, budgets, number of blocks) at once"
    if limits:
        text = "; ".join(limits) + (f"; {text}" if missed else "")
    details = {"proof": proof, "joint_shortage_mu": shortage} | ({"limits": limits} if limits else {})
    return InfeasibleError(f"Proven unreachable: {text}.", rows, details=details)


def require_reachable(relaxation: Relaxation, rounds: int, clock: Clock) -> None:
    """Raise `InfeasibleError` where the relaxation proves that floors and limits cannot be met, alone or together."""
    problem = relaxation.problem
    _require_enough(relaxation, rounds, clock)
    if not any(t.floor > 0 for t in problem.targets):
        return
    shortage = joint_shortage(relaxation, rounds, clock)
    if shortage > 10 * AREA_TOLERANCE_MU * len(problem.targets):
        raise infeasible(problem, proven_reach(relaxation, rounds, clock), shortage, PROOF)
