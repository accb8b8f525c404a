"""What can be decided before any search: fixed blocks, closed parcels, hopeless components, locks nobody can keep."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from geodata.errors import list_ids
from planner.errors import InfeasibleError
from planner.optimise.evaluate import block_value, block_worth, reached_amounts
from planner.optimise.graph import Graph, build_graph
from planner.optimise.options import availability
from planner.optimise.rolling import seed_phase
from planner.problem import AREA_TOLERANCE_MU, Bools, Phase, Problem, Resource, Target, spending_tolerance


@dataclass(frozen=True)
class Reduced:
    """A problem without its fixed blocks and the price of leaving the plan before, and what these are worth.

    Attributes
    ----------
    problem : Problem
        ``fixed`` is empty; targets and limits hold what is left after the fixed blocks; changes are settled.
    constant : float
        Worth of the fixed blocks less the price of leaving all of the plan before, currency, to be added to every
        objective and bound.
    brought : tuple of float
        What they count towards each target.
    """

    problem: Problem
    constant: float
    brought: tuple[float, ...]


def without_fixed(problem: Problem) -> Reduced:
    """Take the fixed blocks out: their parcels are closed, targets and limits are lowered by what they bring and use.

    Raises
    ------
    InfeasibleError
        The fixed blocks alone break a ceiling, a budget, another limit, or a lock.
    """
    settled = problem.change_price is not None or problem.change_settled
    if not problem.fixed:
        left = replace(problem, change_settled=True) if settled else problem
        return Reduced(left, problem.left_before, (0.0,) * len(problem.targets))
    graph = usable_graph(problem)
    held = [i for b in problem.fixed for i in b.parcels]
    phase_of = {i: b.phase for b in problem.fixed for i in b.parcels}
    late = [problem.parcel_ids[i] for i in held if 0 <= problem.lock_by[i] < phase_of[i]]
    if late:
        raise InfeasibleError(f"Fixed blocks hold parcels that are locked into an earlier phase: {list_ids(late)}.")
    values = [block_value(problem, graph, b.parcels, b.mode) for b in problem.fixed]
    worth = sum(block_worth(problem, v, b.phase) for v, b in zip(values, problem.fixed, strict=True))
    reached = reached_amounts(problem, problem.fixed).tolist()
    spent, count = np.zeros(len(problem.phases)), np.zeros(len(problem.phases), dtype=int)
    for value, block in zip(values, problem.fixed, strict=True):
        spent[block.phase] += value.cost
        count[block.phase] += 1
    costs = bool(((problem.cost if problem.mode_cost is None else problem.mode_cost) >= 0).all())
    selectable, lock_by = problem.selectable.copy(), problem.lock_by.copy()
    selectable[held], lock_by[held] = False, -1
    left = replace(
        problem,
        selectable=selectable,
        lock_by=lock_by,
        fixed=(),
        existing_from=seed_phase(problem) if problem.rolling else None,
        targets=tuple(_rest_of(t, r) for t, r in zip(problem.targets, reached, strict=True)),
        phases=tuple(_less(p, spent[t], int(count[t]), growing=costs) for t, p in enumerate(problem.phases)),
        resources=tuple(_unused(problem, r) for r in problem.resources),
        change_settled=settled,
    )
    return Reduced(left, float(worth) + problem.left_before, tuple(reached))


def _rest_of(target: Target, reached: float) -> Target:
    ceiling = target.ceiling
    if ceiling is not None and reached > ceiling + AREA_TOLERANCE_MU:
        raise InfeasibleError(
            f"Target {target.name}: the fixed blocks alone bring {reached:.2f} {target.unit}, at most {ceiling:.2f} "
            "are allowed."
        )
    return replace(
        target,
        floor=max(0.0, target.floor - reached),
        stretch=None if target.stretch is None else max(0.0, target.stretch - reached),
        ceiling=None if ceiling is None else max(0.0, ceiling - reached),
    )


def _less(phase: Phase, spent: float, count: int, *, growing: bool) -> Phase:
    budget, most = phase.budget, phase.max_blocks
    if growing and budget is not None and spent > budget + spending_tolerance(budget):
        raise InfeasibleError(f"Phase {phase.id}: the fixed blocks alone cost {spent:.2f}, the budget is {budget:.2f}.")
    if most is not None and count > most:
        raise InfeasibleError(f"Phase {phase.id}: {count} fixed blocks, at most {most} blocks are allowed.")
    return replace(
        phase,
        budget=None if budget is None else _rest(budget, spent, growing=growing),
        max_blocks=None if most is None else most - count,
    )


def _rest(limit: float, used: float, *, growing: bool) -> float:
    """What is left of a limit; below 0 where other blocks may give back what is missing."""
    return max(0.0, limit - used) if growing else limit - used


def _unused(problem: Problem, resource: Resource) -> Resource:
    limits, growing = list(resource.limits), resource.growing
    used = sum((resource.of_block(b) for b in problem.fixed), np.zeros(len(limits))).tolist()
    for r, limit in enumerate(resource.limits):
        if limit is None:
            continue
        if growing and used[r] > limit + resource.tolerance(r):
            where = resource.period_in_words(r, problem.phases)
            raise InfeasibleError(
                f"{where[0].upper()}{where[1:]}: the fixed blocks alone take {used[r]:.2f} {resource.unit} of "
                f"{resource.name}, the limit is {limit:.2f}."
            )
        limits[r] = _rest(limit, used[r], growing=growing)
    slack = tuple(resource.tolerance(r) for r in range(len(limits)))
    return replace(resource, limits=tuple(limits), slack=slack)


def usable_graph(problem: Problem) -> Graph:
    """Contacts that a block may use: none across zones where blocks stay within one."""
    if not problem.within_zone:
        return build_graph(problem)
    same = problem.zone[problem.pairs[:, 0]] == problem.zone[problem.pairs[:, 1]]
    linked = problem.zone[problem.link_pairs[:, 0]] == problem.zone[problem.link_pairs[:, 1]]
    return build_graph(
        replace(
            problem,
            pairs=problem.pairs[same],
            shared_m=problem.shared_m[same],
            link_pairs=problem.link_pairs[linked],
            gap_m=problem.gap_m[linked],
        )
    )


def reachable(problem: Problem, graph: Graph) -> Bools:
    """``bool[n, O]``: parcel i can lie in some block of option o.

    Its connected piece of available land must be able to hold a block: candidates A and filler F give at most
    A + min(F, A·s/(1 − s)) mu at a filler share of s.
    """
    open_ = availability(problem)
    fits = problem.area_mu <= problem.block_max_mu + AREA_TOLERANCE_MU
    known: dict[bytes, Bools] = {}
    for o in range(open_.shape[1]):
        key = open_[:, o].tobytes()
        if key not in known:
            known[key] = _holdable(problem, graph, open_[:, o]) & fits
        open_[:, o] &= known[key]
    return open_


def _holdable(problem: Problem, graph: Graph, open_: Bools) -> Bools:
    """Open parcels in pieces large enough for a block."""
    share = problem.filler_max_share
    piece = graph.components(open_)
    inside = piece >= 0
    if not inside.any():
        return open_
    area, filler = problem.area_mu[inside], problem.filler[inside]
    candidate = np.bincount(piece[inside], weights=np.where(filler, 0.0, area), minlength=problem.n)
    remnant = np.bincount(piece[inside], weights=np.where(filler, area, 0.0), minlength=problem.n)
    allowed = remnant if share >= 1 else np.minimum(remnant, candidate * share / (1 - share))
    enough = candidate + allowed >= problem.block_min_mu - 2 * AREA_TOLERANCE_MU
    return np.asarray(inside & enough[np.maximum(piece, 0)])


def require_locks(problem: Problem, open_: Bools) -> None:
    """Raise `InfeasibleError` when a locked parcel can be in no plan, saying why."""
    lost = np.flatnonzero((problem.lock_by >= 0) & ~open_.any(axis=1))
    if not len(lost):
        return
    reasons: dict[str, list[str]] = {}
    for i in lost.tolist():
        if not problem.selectable[i]:
            why = "excluded or ineligible, and locked in"
        elif problem.earliest[i] > problem.lock_by[i]:
            why = "locked in by a phase before it becomes available"
        elif problem.mode_open is not None and not problem.mode_open[i].any():
            why = "without a mode that it allows, and locked in"
        else:
            why = f"without {problem.block_min_mu:g} mu of connected available land around, and locked in"
        reasons.setdefault(why, []).append(problem.parcel_ids[i])
    text = "; ".join(f"parcel {list_ids(ids)}: {why}" for why, ids in reasons.items())
    raise InfeasibleError(f"No plan can contain every locked parcel: {text}.", details={"locked": reasons})
