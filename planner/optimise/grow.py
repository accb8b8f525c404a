"""Random numbers for the compiled search, and blocks that grow from a seed."""

from __future__ import annotations

import numpy as np

from planner.optimise.compiled import inner
from planner.optimise.state import (
    ABOVE,
    CHECK,
    CHECKS,
    FRONT,
    MARK,
    RANDOM,
    SIDE,
    STAMP,
    TREE,
    VILLAGES,
    ZONE,
    Draft,
    put,
)
from planner.optimise.terrain import AREA, BLOCK_ZONE, FILLER, MODE, RULE, SLACK, VILLAGE, Terrain


@inner
def shuffle(draft: Draft, seed: int) -> None:
    """Start the random numbers of a draft."""
    draft.counters[RANDOM] = (seed + 1) * 7046029254386353131
    for _ in range(4):
        chance(draft)


@inner
def chance(draft: Draft) -> float:
    """Random number in (0, 1]: the upper bits of a 64-bit linear congruential generator (constants of Knuth's MMIX)."""
    draft.counters[RANDOM] = draft.counters[RANDOM] * 6364136223846793005 + 1442695040888963407
    return float(1.0 - ((draft.counters[RANDOM] >> 11) & 0x1FFFFFFFFFFFFF) * (1.0 / 9007199254740992.0))


@inner
def pick(draft: Draft, n: int) -> int:
    """Random whole number in 0..n-1."""
    draft.counters[RANDOM] = draft.counters[RANDOM] * 6364136223846793005 + 1442695040888963407
    return int((((draft.counters[RANDOM] >> 33) & 0x7FFFFFFF) * n) >> 31)


@inner
def neighbour(terrain: Terrain, draft: Draft, i: int) -> int:
    """A random neighbour of i, -1 if it has none."""
    degree = terrain.link[i + 1] - terrain.link[i]
    if degree == 0:
        return -1
    return int(terrain.link[terrain.link[i] + pick(draft, degree)])


@inner
def may_join(terrain: Terrain, draft: Draft, i: int, k: int) -> bool:
    """Whether parcel i is open to slot k, in its zone, and in one of its villages or a further one that it may have."""
    if not terrain.open[i, draft.option[k]] or terrain.tag[i, BLOCK_ZONE] != draft.tally[k, ZONE]:
        return False
    if terrain.villages > 0 and draft.tally[k, VILLAGES] >= terrain.villages:
        village = terrain.tag[i, VILLAGE]
        return bool(village < 0 or draft.village[k, village] > 0)
    return True


@inner
def check_later(draft: Draft, i: int, k: int) -> None:
    """Note that slot k, which lost i, has to be one piece."""
    at = CHECK + 2 * draft.counters[CHECKS]
    draft.counters[at] = i
    draft.counters[at + 1] = k
    draft.counters[CHECKS] += 1


@inner
def lacks(terrain: Terrain, draft: Draft, k: int) -> bool:
    """Whether a slot falls short of a block rule."""
    mode = terrain.option[draft.option[k], MODE]
    for r in range(terrain.rules):  # noqa: SIM110 - any() of a generator is not compiled
        if draft.sum[k, RULE + r] < terrain.bound[r, mode]:
            return True
    return False


@inner
def _urge(terrain: Terrain, draft: Draft, i: int, k: int) -> float:
    """Currency that parcel i is worth to slot k beyond its own, for the block rules that the slot falls short of."""
    mode = terrain.option[draft.option[k], MODE]
    urge = 0.0
    for r in range(terrain.rules):
        if draft.sum[k, RULE + r] < terrain.bound[r, mode]:
            urge += terrain.bound[r, terrain.modes] * terrain.real[i, RULE + r]
    return urge


@inner
def start_border(terrain: Terrain, draft: Draft, seed: int, k: int) -> None:
    """Put the seed into the empty slot k and get ready to `widen`."""
    draft.counters[STAMP] += 1
    draft.scratch[MARK, seed] = draft.counters[STAMP]
    put(terrain, draft, seed, k)


@inner
def widen(terrain: Terrain, draft: Draft, last: int, k: int, size: int, noise: float) -> int:
    """Add the free neighbours of `last`, just placed, to the border of slot k; return its new size.

    `FRONT` lists the border, `heap` holds the worth of each of its parcels to the block per mu, with noise.
    """
    mark, border, gain = draft.scratch[MARK], draft.scratch[FRONT], draft.heap
    stamp = draft.counters[STAMP]
    for p in range(terrain.link[last], terrain.link[last + 1]):
        m = terrain.link[p]
        if draft.block[m] >= 0:
            continue
        if mark[m] != stamp:
            if not terrain.open[m, draft.option[k]] or terrain.tag[m, BLOCK_ZONE] != draft.tally[k, ZONE]:
                continue
            mark[m] = stamp
            border[size] = m
            size += 1
            gain[m] = terrain.worth[m, draft.option[k]] / terrain.real[m, AREA]
            if noise > 0.0:
                gain[m] += noise * (chance(draft) + chance(draft) + chance(draft) - 1.5)
        gain[m] += terrain.saving[p] / terrain.real[m, AREA]
    return size


@inner
def best_border(terrain: Terrain, draft: Draft, k: int, size: int, goal: float, urge: float) -> int:
    """Place in the border of the parcel that slot k should take next, -1 if none fits."""
    border, gain = draft.scratch[FRONT], draft.heap
    best, chosen = -np.inf, -1
    room = terrain.most + SLACK - draft.sum[k, AREA]
    filler = terrain.filler_share * max(goal, draft.sum[k, AREA]) - draft.sum[k, FILLER]
    short = urge > 0.0 and lacks(terrain, draft, k)
    full = terrain.villages > 0 and draft.tally[k, VILLAGES] >= terrain.villages
    for b in range(size):
        m = border[b]
        key = gain[m]
        if terrain.real[m, AREA] > room or terrain.real[m, FILLER] > max(filler, 0.0):
            continue
        if full and not may_join(terrain, draft, m, k):
            continue
        if short:
            key += urge * _urge(terrain, draft, m, k) / terrain.real[m, AREA]
        if key > best:
            best, chosen = key, b
    return chosen


@inner
def grow(terrain: Terrain, draft: Draft, seed: int, k: int, goal: float, noise: float, urge: float) -> None:
    """The empty slot k takes the free parcel `seed` and then, dearest gain per mu first, others up to `goal` mu.

    While it falls short of a block rule it grows on, and `urge` is the weight of parcels that help.
    """
    start_border(terrain, draft, seed, k)
    border = draft.scratch[FRONT]
    last, size = seed, 0
    while draft.sum[k, AREA] < goal or (terrain.rules > 0 and lacks(terrain, draft, k)):
        size = widen(terrain, draft, last, k, size, noise)
        b = best_border(terrain, draft, k, size, goal, urge)
        if b < 0:
            return
        last = border[b]
        size -= 1
        border[b] = border[size]
        put(terrain, draft, last, k)


@inner
def wander(terrain: Terrain, draft: Draft, i: int, steps: int) -> int:
    """A parcel of i's block, some random steps away."""
    k = draft.block[i]
    for _ in range(steps):
        m = neighbour(terrain, draft, i)
        if m >= 0 and draft.block[m] == k:
            i = m
    return i


@inner
def span(terrain: Terrain, draft: Draft, size: int, root: int) -> bool:
    """Random spanning tree of `size` parcels from `root`, parents before children, into `TREE` and `ABOVE`.

    The parcels carry the stamp at hand in `MARK`; those reached carry the next. False if they are not one piece.
    """
    mark, tree, above = draft.scratch[MARK], draft.scratch[TREE], draft.scratch[ABOVE]
    front, parent = draft.scratch[FRONT], draft.scratch[SIDE]
    here = draft.counters[STAMP]
    draft.counters[STAMP] += 1
    n_order, n_front = 0, 1
    front[0], parent[0] = root, -1
    while n_front > 0:
        at = pick(draft, n_front)
        i, up = front[at], parent[at]
        n_front -= 1
        front[at], parent[at] = front[n_front], parent[n_front]
        if mark[i] != here:
            continue
        mark[i] = here + 1
        tree[n_order], above[n_order] = i, up
        n_order += 1
        for p in range(terrain.link[i], terrain.link[i + 1]):
            m = terrain.link[p]
            if mark[m] == here:
                front[n_front], parent[n_front] = m, n_order - 1
                n_front += 1
    return n_order == size
