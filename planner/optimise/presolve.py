"""What can be decided before any search: closed parcels, hopeless components, locks that cannot be kept."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from geodata.errors import list_ids
from planner.errors import InfeasibleError
from planner.optimise.evaluate import availability
from planner.optimise.graph import Graph, build_graph
from planner.problem import AREA_TOLERANCE_MU, Bools, Problem


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
    """``bool[n, T]``: parcel i can lie in some block of phase t.

    Its connected piece of available land must be able to hold a block: candidates A and filler F give at most
    A + min(F, A·s/(1 − s)) mu at a filler share of s.
    """
    open_ = availability(problem)
    share = problem.filler_max_share
    for t in range(len(problem.phases)):
        piece = graph.components(open_[:, t])
        inside = piece >= 0
        if not inside.any():
            continue
        candidate = np.bincount(
            piece[inside], weights=np.where(problem.filler[inside], 0.0, problem.area_mu[inside]), minlength=problem.n
        )
        remnant = np.bincount(
            piece[inside], weights=np.where(problem.filler[inside], problem.area_mu[inside], 0.0), minlength=problem.n
        )
        allowed = remnant if share >= 1 else np.minimum(remnant, candidate * share / (1 - share))
        enough = candidate + allowed >= problem.block_min_mu - 2 * AREA_TOLERANCE_MU
        open_[:, t] &= np.where(inside, enough[np.maximum(piece, 0)], False)
        open_[:, t] &= problem.area_mu <= problem.block_max_mu + AREA_TOLERANCE_MU
    return open_


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
        else:
            why = f"without {problem.block_min_mu:g} mu of connected available land around, and locked in"
        reasons.setdefault(why, []).append(problem.parcel_ids[i])
    text = "; ".join(f"parcel {list_ids(ids)}: {why}" for why, ids in reasons.items())
    raise InfeasibleError(f"No plan can contain every locked parcel: {text}.", details={"locked": reasons})
