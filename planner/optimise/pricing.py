"""Heuristic pricing: connected blocks that are worth most at given prices, grown from many seeds (compiled)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from planner.optimise.state import Terrain
from planner.problem import Floats, Ints


@njit(cache=True, nogil=True)
def _whole_without(terrain: Terrain, inside: Ints, stamp: int, i: int, mark: Ints, fresh: int, queue: Ints) -> bool:
    """Whether the set marked `stamp` in `inside` stays one piece without i."""
    wanted = 0
    first = -1
    for p in range(terrain.start[i], terrain.start[i + 1]):
        j = terrain.neighbour[p]
        if inside[j] == stamp:
            wanted += 1
            first = j
    if wanted <= 1:
        return wanted == 1
    queue[0] = first
    mark[first] = fresh
    head, tail = 0, 1
    seen = 0
    while head < tail:
        j = queue[head]
        head += 1
        for p in range(terrain.start[j], terrain.start[j + 1]):
            if terrain.neighbour[p] == i:
                seen += 1
                break
        for p in range(terrain.start[j], terrain.start[j + 1]):
            m = terrain.neighbour[p]
            if m != i and inside[m] == stamp and mark[m] != fresh:
                mark[m] = fresh
                queue[tail] = m
                tail += 1
    return seen == wanted


@njit(cache=True, nogil=True)
def price_blocks(
    terrain: Terrain,
    weight: Floats,
    seeds: Ints,
    phases: Ints,
    fixed: Floats,
    noise: float,
    seed: int,
    least_gain: float,
) -> Any:
    """Grow one block per (seed, phase) and keep those whose priced worth exceeds `least_gain`.

    Parameters
    ----------
    terrain : Terrain
        Graph, areas, savings, limits.
    weight : float64[n, T]
        Worth of a parcel after prices, without shared boundary.
    seeds, phases : int64[k]
        Where and when to grow.
    fixed : float64[T]
        Price of having a block in the phase.
    noise : float
        Standard deviation of the random part of a gain per mu.
    seed : int
        Seed of the random numbers.
    least_gain : float
        Least priced worth of a block that is kept.

    Returns
    -------
    tuple of arrays
        ``pointer, member, phase, gain``; block b holds ``member[pointer[b]:pointer[b + 1]]``.
    """
    np.random.seed(seed)
    n = len(terrain.area)
    inside = np.zeros(n, dtype=np.int64)
    listed = np.zeros(n, dtype=np.int64)
    mark = np.zeros(n, dtype=np.int64)
    queue = np.empty(n, dtype=np.int64)
    border = np.empty(n, dtype=np.int64)
    jitter = np.empty(n)
    order = np.empty(n, dtype=np.int64)
    fresh = 0
    out_pointer = [np.int64(0)]
    out_member = [np.int64(0) for _ in range(0)]
    out_phase = [np.int64(0) for _ in range(0)]
    out_gain = [np.float64(0.0) for _ in range(0)]
    for s in range(len(seeds)):
        stamp = s + 1
        first, t = seeds[s], phases[s]
        if not terrain.open[first, t]:
            continue
        zone = terrain.block_zone[first]
        size, n_border = 0, 0
        area, filler, total = 0.0, 0.0, -fixed[t]
        best, best_size = -np.inf, 0
        border[0] = first
        n_border = 1
        listed[first] = stamp
        jitter[first] = 0.0
        while n_border > 0:
            pick, best_key, best_own = -1, -np.inf, 0.0
            for b in range(n_border):
                m = border[b]
                if area + terrain.area[m] > terrain.most + 5e-7:
                    continue
                if terrain.filler[m] and filler + terrain.area[m] > terrain.filler_share * max(area, terrain.least):
                    continue
                own = weight[m, t]
                for p in range(terrain.start[m], terrain.start[m + 1]):
                    if inside[terrain.neighbour[p]] == stamp:
                        own += terrain.saving[p]
                key = own / terrain.area[m] + jitter[m]
                if key > best_key:
                    best_key, pick, best_own = key, b, own
            if pick < 0:
                break
            i = border[pick]
            n_border -= 1
            border[pick] = border[n_border]
            inside[i] = stamp
            order[size] = i
            size += 1
            area += terrain.area[i]
            total += best_own
            if terrain.filler[i]:
                filler += terrain.area[i]
            for p in range(terrain.start[i], terrain.start[i + 1]):
                m = terrain.neighbour[p]
                if listed[m] != stamp and terrain.open[m, t] and terrain.block_zone[m] == zone:
                    listed[m] = stamp
                    jitter[m] = noise * np.random.normal()
                    border[n_border] = m
                    n_border += 1
            if area >= terrain.least - 5e-7 and total > best and filler <= terrain.filler_share * area + 5e-7:
                best, best_size = total, size
        if best_size == 0:
            continue
        for q in range(best_size, size):
            inside[order[q]] = 0
        size = best_size
        area, filler = 0.0, 0.0
        for q in range(size):
            area += terrain.area[order[q]]
            if terrain.filler[order[q]]:
                filler += terrain.area[order[q]]
        # drop members that cost more than they bring, while the block stays whole and large enough
        q = 0
        while q < size:
            i = order[q]
            own = weight[i, t]
            for p in range(terrain.start[i], terrain.start[i + 1]):
                if inside[terrain.neighbour[p]] == stamp:
                    own += terrain.saving[p]
            smaller = area - terrain.area[i]
            fill = filler - terrain.area[i] if terrain.filler[i] else filler
            if own < 0 and smaller >= terrain.least - 5e-7 and fill <= terrain.filler_share * smaller + 5e-7:
                fresh += 1
                if size > 1 and _whole_without(terrain, inside, stamp, i, mark, fresh, queue):
                    inside[i] = 0
                    size -= 1
                    order[q] = order[size]
                    area, filler = smaller, fill
                    best -= own
                    q = 0
                    continue
            q += 1
        if best > least_gain:
            for q in range(size):
                out_member.append(order[q])
            out_pointer.append(np.int64(len(out_member)))
            out_phase.append(t)
            out_gain.append(np.float64(best))
        for q in range(size):
            inside[order[q]] = 0
    return (
        np.array(out_pointer, dtype=np.int64),
        np.array(out_member, dtype=np.int64),
        np.array(out_phase, dtype=np.int64),
        np.array(out_gain, dtype=np.float64),
    )
