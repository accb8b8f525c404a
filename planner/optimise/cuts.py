"""Connectivity cuts: a parcel can only be taken with enough land around it to fill a block.

For a parcel i in phase t and a connected set C ∋ i with area below the least block size L, the block of i must leave C:
``x_it ≤ Σ_{j ∈ N(C)} x_jt``. With C ⊂ D and Δ = L − a(C) > 0, either the block leaves D or it takes Δ of D∖C:
``x_it ≤ Σ_{j ∈ D∖C} min(a_j/Δ, 1)·x_jt + Σ_{j ∈ N(D)} x_jt``. The first is the second with D = C. Neither holds for
a parcel that is a block by itself (a_i ≥ L), so these are never seeds. (Node separators with a capacity, after
Carvajal et al. 2013, doi:10.1287/opre.2013.1183.)
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from planner.problem import Floats, Ints


@njit(cache=True, nogil=True)
def separate(
    start: Ints,
    neighbour: Ints,
    area: Floats,
    x: Floats,
    seeds: Ints,
    min_area: float,
    tolerance: float,
    style: int,
    max_size: int,
) -> Any:
    """Grow a set around each seed and return the most violated cut found for it.

    Parameters
    ----------
    start, neighbour : int64 arrays
        Compressed graph of the parcels available in this phase.
    area, x : float64[n]
        Areas, mu, and the fractional point of one phase.
    seeds : int64[k]
        Parcels with x > 0 and area below `min_area`.
    min_area : float
        L, mu.
    tolerance : float
        Least violation.
    style : int
        Which neighbour joins next: 0 least growth of the boundary value, 1 largest x, 2 least growth per area.
    max_size : int
        Largest set tried.

    Returns
    -------
    tuple of arrays
        ``seed, pointer, member, coefficient``: cut k reads x[seed[k]] ≤ Σ coefficient·x[member] over
        ``pointer[k]:pointer[k + 1]``.
    """
    n = len(area)
    state = np.zeros(n, dtype=np.int8)  # 1 in the set, 2 on its boundary
    touched = np.empty(n, dtype=np.int64)
    order = np.empty(max_size + 1, dtype=np.int64)
    border = np.empty(n, dtype=np.int64)
    out_seed = [np.int64(0) for _ in range(0)]
    out_pointer = [np.int64(0)]
    out_member = [np.int64(0) for _ in range(0)]
    out_coefficient = [np.float64(0.0) for _ in range(0)]
    for seed in seeds:
        n_touched = 0
        n_border = 0
        size = 1
        order[0] = seed
        state[seed] = 1
        touched[n_touched] = seed
        n_touched += 1
        inside = area[seed]
        value = 0.0
        for p in range(start[seed], start[seed + 1]):
            j = neighbour[p]
            state[j] = 2
            touched[n_touched] = j
            n_touched += 1
            border[n_border] = j
            n_border += 1
            value += x[j]
        best = x[seed] - tolerance
        best_core = 0  # C = order[:best_core], D = order[:best_size]
        best_size = 0
        n_core = 1
        core_area = inside
        while True:
            if inside < min_area:
                n_core = size
                core_area = inside
                if value < best:
                    best = value
                    best_core = size
                    best_size = size
            # D = everything so far; C = any prefix below L: try the single seed and the largest prefix
            for core in (1, n_core):
                if core < size:
                    gap = min_area - (area[seed] if core == 1 else core_area)
                    total = value
                    for q in range(core, size):
                        total += min(area[order[q]] / gap, 1.0) * x[order[q]]
                        if total >= best:
                            break
                    if total < best:
                        best = total
                        best_core = core
                        best_size = size
            if size >= max_size or n_border == 0:
                break
            pick = -1
            pick_key = np.inf
            for b in range(n_border):
                j = border[b]
                growth = -x[j]
                for p in range(start[j], start[j + 1]):
                    if state[neighbour[p]] == 0:
                        growth += x[neighbour[p]]
                if style == 0:
                    key = growth
                elif style == 1:
                    key = -x[j] + 1e-6 * growth
                else:
                    key = (growth + 1e-9) / area[j] if growth < 0 else growth * area[j]
                if key < pick_key:
                    pick_key = key
                    pick = b
            j = border[pick]
            n_border -= 1
            border[pick] = border[n_border]
            state[j] = 1
            order[size] = j
            size += 1
            inside += area[j]
            value -= x[j]
            for p in range(start[j], start[j + 1]):
                k = neighbour[p]
                if state[k] == 0:
                    state[k] = 2
                    touched[n_touched] = k
                    n_touched += 1
                    border[n_border] = k
                    n_border += 1
                    value += x[k]
        if best_size > 0:
            gap = min_area
            for q in range(best_core):
                gap -= area[order[q]]
            out_seed.append(seed)
            for q in range(best_core, best_size):
                out_member.append(order[q])
                out_coefficient.append(np.float64(min(area[order[q]] / gap, 1.0)))
            for q in range(best_size):
                state[order[q]] = 3
            for q in range(best_size):
                i = order[q]
                for p in range(start[i], start[i + 1]):
                    k = neighbour[p]
                    if state[k] != 3 and state[k] != 4:
                        state[k] = 4
                        out_member.append(k)
                        out_coefficient.append(np.float64(1.0))
            out_pointer.append(np.int64(len(out_member)))
        for q in range(n_touched):
            state[touched[q]] = 0
    return (
        np.array(out_seed, dtype=np.int64),
        np.array(out_pointer, dtype=np.int64),
        np.array(out_member, dtype=np.int64),
        np.array(out_coefficient, dtype=np.float64),
    )
