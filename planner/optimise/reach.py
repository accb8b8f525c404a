"""How far targets can be reached at all: proofs of infeasibility, in mu."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from planner.errors import InfeasibleError, Shortfall
from planner.optimise.bound import CuttingPlanes
from planner.optimise.formulation import Relaxation, Rows
from planner.optimise.lp import LinearProgram
from planner.optimise.stop import Clock
from planner.problem import AREA_TOLERANCE_MU, Problem

PROOF: Final = "linear relaxation with cuts"


def _best(relaxation: Relaxation, make: Callable[[Rows | None], LinearProgram], rounds: int, clock: Clock) -> float:
    planes = CuttingPlanes(relaxation, make)
    for _ in range(rounds):
        if clock.over() or not planes.step(clock):
            break
    return planes.best


def proven_reach(relaxation: Relaxation, rounds: int, clock: Clock) -> list[float]:
    """Upper bound on the mu that any plan can count towards each target, with all other floors dropped."""
    problem = relaxation.problem
    return [
        max(0.0, min(_best(relaxation, partial(relaxation.elastic, reach=k), rounds, clock), _land(problem, k)))
        for k in range(len(problem.targets))
    ]


def _land(problem: Problem, k: int) -> float:
    zone = problem.targets[k].zone
    return float(problem.area_mu[(problem.zone == zone) | (zone < 0)].sum())


def joint_shortage(relaxation: Relaxation, rounds: int, clock: Clock) -> float:
    """Lower bound on the total mu by which the floors are missed together (0 = not proven)."""
    return max(0.0, -_best(relaxation, partial(relaxation.elastic, reach=None), rounds, clock))


def shortfalls(problem: Problem, reach: list[float] | None, found: list[float] | None) -> tuple[Shortfall, ...]:
    """One row per floor."""
    return tuple(
        Shortfall(
            target.name,
            target.floor_mu,
            None if reach is None else reach[k],
            None if found is None else found[k],
        )
        for k, target in enumerate(problem.targets)
        if target.floor_mu > 0
    )


def infeasible(problem: Problem, reach: list[float], shortage: float, proof: str) -> InfeasibleError:
    """The error that says which targets cannot be met and how far they can."""
    rows = shortfalls(problem, reach, None)
    missed = [r for r in rows if r.proven_max_mu is not None and r.proven_max_mu < r.target_mu - AREA_TOLERANCE_MU]
    if missed:
        text = "; ".join(
            f"target {r.target}: at most {r.proven_max_mu:.2f} mu can be reached, {r.target_mu:.2f} mu are asked for "
            f"(lower it by {r.target_mu - (r.proven_max_mu or 0.0):.2f} mu)"
            for r in missed
        )
    elif shortage > 0:
        each = "; ".join(
            f"{r.target}: {r.target_mu:.2f} mu asked, at most {r.proven_max_mu:.2f} mu alone" for r in rows
        )
        text = f"the targets cannot be met together: at least {shortage:.2f} mu are missing in all ({each})"
    else:
        text = "no set of blocks keeps all limits (block sizes, locks, budgets, number of blocks) at once"
    return InfeasibleError(
        f"Proven unreachable: {text}.", rows, details={"proof": proof, "joint_shortage_mu": shortage}
    )


def require_reachable(relaxation: Relaxation, rounds: int, clock: Clock) -> None:
    """Raise `InfeasibleError` where the relaxation proves that floors cannot be met, alone or together."""
    problem = relaxation.problem
    if not any(t.floor_mu > 0 for t in problem.targets):
        return
    shortage = joint_shortage(relaxation, rounds, clock)
    if shortage > 10 * AREA_TOLERANCE_MU * len(problem.targets):
        raise infeasible(problem, proven_reach(relaxation, rounds, clock), shortage, PROOF)
