"""The rolling rule during a search: how much land of a zone lies in pieces that it should not."""

from __future__ import annotations

from planner.optimise.compiled import inner
from planner.optimise.terrain import AREA, PATCH, PHASE, SEED, Narrow, Terrain
from planner.problem import Floats, Ints


@inner
def _root(above: Narrow, i: int) -> int:
    """Representative of i's piece; paths are halved on the way."""
    while above[i] != i:
        above[i] = above[above[i]]
        i = above[i]
    return i


@inner
def weigh_zone(
    terrain: Terrain,
    block: Ints,
    option: Ints,
    after: Narrow,
    above: Narrow,
    after_seed: Narrow,
    area: Floats,
    head: Ints,
    zone: int,
) -> float:
    """Mu in loose pieces of a zone, summed over the phases; exactly 0 when the rolling rule is kept.

    In each phase pieces count as loose that hold nothing that exists; where nothing exists, all but the largest. One
    pass over the phases joins the parcels as they come (union by root, pieces that exist have the area -1).

    Parameters
    ----------
    terrain, block, option
        Of the draft.
    after, above, after_seed, area, head
        Scratch by parcel, `head` two by phase: lists of the parcels that come or exist from each phase, forest of the
        pieces, area of each piece.
    zone : int
    """
    n_phases = terrain.phases
    for t in range(2 * n_phases):
        head[t] = -1
    for p in range(terrain.patch[zone], terrain.patch[zone + 1]):
        i = terrain.patch[p]
        above[i] = -1
        seed = terrain.tag[i, SEED]
        if seed < n_phases:
            after_seed[i] = head[n_phases + seed]
            head[n_phases + seed] = i
        if block[i] >= 0:
            phase = terrain.option[option[block[i]], PHASE]
            if phase < seed:
                after[i] = head[phase]
                head[phase] = i
    loose, free, largest = 0.0, 0.0, 0.0
    pieces, anchored = 0, False
    for t in range(n_phases):
        for kind in range(2):
            i = head[kind * n_phases + t]
            while i >= 0:
                if kind == 0:
                    above[i] = i
                    area[i] = terrain.real[i, AREA]
                    free += area[i]
                    pieces += 1
                else:
                    anchored = True
                    if above[i] < 0:
                        above[i] = i
                        area[i] = -1.0
                    elif area[_root(above, i)] >= 0.0:
                        free -= area[_root(above, i)]
                        area[_root(above, i)] = -1.0
                        pieces -= 1
                root = _root(above, i)
                for p in range(terrain.link[i], terrain.link[i + 1]):
                    m = terrain.link[p]
                    if terrain.tag[m, PATCH] != zone or above[m] < 0:
                        continue
                    other = _root(above, m)
                    if other == root:
                        continue
                    if area[root] >= 0.0 and area[other] >= 0.0:
                        area[other] += area[root]
                        pieces -= 1
                    elif area[root] >= 0.0 or area[other] >= 0.0:
                        free -= max(area[root], area[other])
                        area[other] = -1.0
                        pieces -= 1
                    above[root] = other
                    root = other
                largest = max(largest, area[root])
                i = after[i] if kind == 0 else after_seed[i]
        if anchored and pieces > 0:
            loose += free
        elif pieces > 1:
            loose += free - largest
    return loose
