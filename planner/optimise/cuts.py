"""Connectivity cuts: a parcel can only be taken with enough land around it to fill a block.

For a parcel i in an option and a connected set C ∋ i with area below the least block size L, the block of i must leave
C: ``x_i ≤ Σ_{j ∈ N(C)} x_j``. With C ⊂ D and Δ = L − a(C) > 0, either the block leaves D or it takes Δ of D∖C:
``x_i ≤ Σ_{j ∈ D∖C} min(a_j/Δ, 1)·x_j + Σ_{j ∈ N(D)} x_j``. The first is the second with D = C. Neither holds for
a parcel that is a block by itself (a_i ≥ L), so these are never seeds. (Node separators with a capacity, after
Carvajal et al. 2013, doi:10.1287/opre.2013.1183.)

Area is one of several things that a block of i needs around it: amounts a_j ≥ 0 with Σ over the block at least n_i. A
rule Σ weight ≥ limit gives a_j = max(weight_j, 0) and n_i = limit; where the limit is 0 and weight_i < 0, the rest of
the block must make up for it: n_i = −weight_i. Filler is of that kind.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit

from planner.problem import Floats, Ints

_CORES: Final = 16
"""Largest number of sets C that are tried inside one D."""


@njit(cache=True, nogil=True)
def separate_needs(
    start: Ints,
    neighbour: Ints,
    area: Floats,
    x: Floats,
    seeds: Ints,
    need: Floats,
    tolerance: float,
    style: int,
    max_size: int,
    max_members: int,
) -> Any:
    """Grow a set around each seed and return the most violated cut found for it.

    Parameters
    ----------
    start, neighbour : int64 arrays
        Compressed graph of the parcels available in this option.
    area, x : float64[n]
        Amounts (areas, mu, or those of a rule), 0 or more, and the fractional point of one option.
    seeds : int64[k]
        Parcels with x > 0 and amount below their need.
    need : float64[n]
        What the amounts of a block with this parcel add up to at least; used of seeds only.
    tolerance : float
        Least violation.
    style : int
        Which neighbour j joins next: the one with the least w·(Σ x of what it adds to the boundary) − x_j, with w =
        0.1, 0.3 or 0.6 by style mod 3; from 3 on with noise that differs by style, so that there is always a new one.
    max_size : int
        Largest set tried.
    max_members : int
        Most parcels on the right side of a cut.

    Returns
    -------
    tuple of arrays
        ``seed, pointer, member, coefficient``: cut k reads x[seed[k]] ≤ Σ coefficient·x[member] over
        ``pointer[k]:pointer[k + 1]``.
    """
    n = len(area)
    greed = 0.1 if style % 3 == 0 else (0.3 if style % 3 == 1 else 0.6)
    state = np.zeros(n, dtype=np.int8)  # 1 in the set, 2 on its boundary
    fresh = np.zeros(n)  # of a parcel on the boundary: Σ x of its neighbours outside set and boundary
    touched = np.empty(n, dtype=np.int64)
    order = np.empty(max_size + 1, dtype=np.int64)
    border = np.empty(n, dtype=np.int64)
    gap = np.empty(_CORES)  # L − a(C) of C = order[:c + 1]
    within = np.empty(_CORES)  # Σ of the first sum of the cut for it
    out_seed = [np.int64(0) for _ in range(0)]
    out_pointer = [np.int64(0)]
    out_member = [np.int64(0) for _ in range(0)]
    out_coefficient = [np.float64(0.0) for _ in range(0)]
    for seed in seeds:
        min_area = need[seed]
        n_touched = 0
        n_border = 0
        n_cores = 0
        size = 0
        inside = 0.0
        value = 0.0
        best = x[seed] - tolerance
        best_core = 0  # C = order[:best_core], D = order[:best_size]
        best_size = 0
        joining = seed
        touched[n_touched] = seed
        n_touched += 1
        while True:
            # `joining` enters the set, its new neighbours the boundary
            state[joining] = 1
            order[size] = joining
            size += 1
            inside += area[joining]
            for p in range(start[joining], start[joining + 1]):
                k = neighbour[p]
                if state[k] == 0:
                    state[k] = 2
                    touched[n_touched] = k
                    n_touched += 1
                    border[n_border] = k
                    n_border += 1
                    value += x[k]
                    fresh[k] = 0.0
                    for q in range(start[k], start[k + 1]):
                        other = neighbour[q]
                        if state[other] == 0:
                            fresh[k] += x[other]
                        elif state[other] == 2:
                            fresh[other] -= x[k]
            least_within = np.inf
            for c in range(n_cores):
                within[c] += min(area[joining] / gap[c], 1.0) * x[joining]
                least_within = min(least_within, within[c])
            if inside < min_area and n_cores < _CORES and n_cores == size - 1:
                gap[n_cores] = min_area - inside
                within[n_cores] = 0.0
                n_cores += 1
                least_within = 0.0
            if least_within >= best:
                break
            for c in range(n_cores):
                if value + within[c] < best and size - c - 1 + n_border <= max_members:
                    best = value + within[c]
                    best_core = c + 1
                    best_size = size
            if size >= max_size or n_border == 0:
                break
            pick = -1
            pick_key = np.inf
            for b in range(n_border):
                j = border[b]
                key = greed * fresh[j] - x[j]
                if style >= 3:  # a number between 0 and 1 that depends on style, seed and parcel
                    key += 0.4 * x[j] * (((seed + style * 613) * 7919 + j * 104729) % 1009) / 1009.0
                if key < pick_key:
                    pick_key = key
                    pick = b
            joining = border[pick]
            n_border -= 1
            border[pick] = border[n_border]
            value -= x[joining]
        if best_size > 0:
            room = min_area
            for q in range(best_core):
                room -= area[order[q]]
            out_seed.append(seed)
            for q in range(best_core, best_size):
                out_member.append(order[q])
                out_coefficient.append(np.float64(min(area[order[q]] / room, 1.0)))
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
    max_members: int,
) -> Any:
    """`separate_needs` where every parcel needs `min_area`, the least size of a block."""
    need = np.full(len(area), min_area)
    return separate_needs(start, neighbour, area, x, seeds, need, tolerance, style, max_size, max_members)
