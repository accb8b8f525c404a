"""All blocks of a small problem, one by one: with them the integer master is exact."""

from __future__ import annotations

from planner.optimise.graph import Graph
from planner.problem import AREA_TOLERANCE_MU, Bools, Problem

_Branch = tuple[tuple[int, ...], float, int, list[int], frozenset[int]]
"""Members, area, common phases as bits, parcels that may still join, parcels already considered."""


def all_blocks(problem: Problem, graph: Graph, open_: Bools, limit: int) -> list[tuple[int, ...]] | None:
    """Every connected set within the block sizes whose parcels share an open phase; None above `limit` sets visited.

    Sets are grown from their smallest parcel; a neighbour that has been passed over is barred for the rest of the
    branch, so that each set is met once.
    """
    most = problem.block_max_mu + AREA_TOLERANCE_MU
    least = problem.block_min_mu - AREA_TOLERANCE_MU
    area = problem.area_mu.tolist()
    phases = [sum(1 << t for t in range(open_.shape[1]) if row[t]) for row in open_]
    near = [[j for j in graph.of(i).tolist() if phases[j]] for i in range(problem.n)]
    found: list[tuple[int, ...]] = []
    visited = 0
    for root in range(problem.n):
        if not phases[root] or area[root] > most:
            continue
        stack: list[_Branch] = [
            ((root,), area[root], phases[root], [j for j in near[root] if j > root], frozenset({root, *near[root]}))
        ]
        while stack:
            members, total, common, extension, seen = stack.pop()
            visited += 1
            if visited > limit:
                return None
            if total >= least and _filler_fits(problem, members, total):
                found.append(members)
            for place, j in enumerate(extension):
                shared = common & phases[j]
                if not shared or total + area[j] > most:
                    continue
                fresh = [m for m in near[j] if m > root and m not in seen]
                stack.append(
                    ((*members, j), total + area[j], shared, extension[place + 1 :] + fresh, seen | frozenset(near[j]))
                )
    return found


def _filler_fits(problem: Problem, members: tuple[int, ...], total: float) -> bool:
    filler = sum(float(problem.area_mu[i]) for i in members if problem.filler[i])
    return filler <= problem.filler_max_share * total + AREA_TOLERANCE_MU
