"""Heuristic pricing: blocks that are worth most at given prices, grown from many seeds and then improved (compiled)."""

from __future__ import annotations

from typing import Final

import numpy as np

from planner.optimise.compiled import by_reference, compiled, inner
from planner.optimise.grow import best_border, may_join, shuffle, start_border, widen
from planner.optimise.moves import share
from planner.optimise.pieces import whole_around
from planner.optimise.state import (
    FRONT,
    JOURNAL,
    SIZE,
    TREE,
    WORTH,
    Draft,
    empty_draft,
    put,
    set_option,
    sound,
)
from planner.optimise.terrain import AREA, LOCKED, ROW, ROW_END, Terrain
from planner.problem import Floats, Ints

_URGE: Final = 1.0
"""Weight of parcels that help a block rule while it is broken."""
_PASSES: Final = 4
"""Most passes of improvement over a block."""
_CHUNK: Final = 1 << 18


def price_blocks(
    terrain: Terrain,
    weight: Floats,
    seeds: Ints,
    options: Ints,
    fixed: Floats,
    noise: float,
    seed: int,
    least_gain: float,
) -> tuple[Ints, Ints, Ints, Floats]:
    """Grow one block per (seed, option), improve it, and keep those whose priced worth exceeds `least_gain`.

    Parameters
    ----------
    terrain : Terrain
        Graph, areas, savings, rules for blocks.
    weight : float64[n, O]
        Worth of a parcel after prices, without shared boundary.
    seeds, options : int64[k]
        Where and when to grow.
    fixed : float64[O]
        Price of having a block.
    noise : float
        Standard deviation of the random part of a gain per mu.
    seed : int
        Seed of the random numbers.
    least_gain : float
        Least priced worth of a block that is kept.

    Returns
    -------
    tuple of arrays
        ``pointer, member, option, gain``; block b holds ``member[pointer[b]:pointer[b + 1]]``.
    """
    bare = _without_accounts(terrain, weight)
    draft = empty_draft(bare, 2)
    k, n = len(seeds), len(bare.tag)
    seeds, options = np.ascontiguousarray(seeds, dtype=np.int64), np.ascontiguousarray(options, dtype=np.int64)
    fixed = np.ascontiguousarray(fixed, dtype=np.float64)
    size, option, gain = np.zeros(k, dtype=np.int64), np.zeros(k, dtype=np.int64), np.zeros(k)
    buffer = np.empty(max(_CHUNK, 2 * n), dtype=np.int64)
    members: list[Ints] = []
    at = np.zeros(3, dtype=np.int64)  # next seed, blocks found, entries of the buffer in use
    while at[0] < k:
        at[2] = 0
        grow_blocks(bare, draft, seeds, options, fixed, noise, seed, least_gain, size, option, gain, buffer, at)
        members.append(buffer[: at[2]].copy())
    found = int(at[1])
    pointer = np.concatenate([[0], np.cumsum(size[:found])]).astype(np.int64)
    member = np.concatenate(members) if members else np.empty(0, dtype=np.int64)
    return pointer, member, option[:found], gain[:found]


def _without_accounts(terrain: Terrain, weight: Floats) -> Terrain:
    """The terrain at given worths, with nothing that concerns more than one block."""
    tag = terrain.tag.copy()
    tag[:, [LOCKED, ROW, ROW_END]] = 0
    account = terrain.account.copy()
    account[:] = (-np.inf, np.inf, -np.inf, -np.inf, 0.0, 0.0, 0.0)
    worth = np.array(weight, dtype=np.float64, order="C")
    return terrain._replace(
        worth=worth, tag=tag, account=account, at_money=-1, resources=0, periods=0, projects=0, rolling=0
    )


@inner
def _grow_best(terrain: Terrain, draft: Draft, seed: int, noise: float) -> int:
    """Grow slot 0 from a seed as far as it may, keep the best sound prefix; its parcels in `TREE`, their number."""
    order, border = draft.scratch[TREE], draft.scratch[FRONT]
    start_border(terrain, draft, seed, 0)
    order[0] = seed
    size, n_border, last = 1, 0, seed
    best, best_size = -np.inf, 0
    while True:
        if draft.total[WORTH] > best and sound(terrain, draft, 0):
            best, best_size = draft.total[WORTH], size
        if best_size > 0 and size > 2 * best_size + 20:
            break
        n_border = widen(terrain, draft, last, 0, n_border, noise)
        b = best_border(terrain, draft, 0, n_border, terrain.least, _URGE)
        if b < 0:
            break
        last = border[b]
        n_border -= 1
        border[b] = border[n_border]
        put(terrain, draft, last, 0)
        order[size] = last
        size += 1
    while size > best_size:
        size -= 1
        put(terrain, draft, order[size], -1)
    return best_size


@inner
def _drop(terrain: Terrain, draft: Draft, size: int) -> int:
    """Members that cost more than they bring leave, where the block stays a block."""
    order = draft.scratch[TREE]
    q = 0
    while q < size:
        i = order[q]
        q += 1
        if size > 1 and share(terrain, draft, i, 0) < 0.0:
            put(terrain, draft, i, -1)
            if sound(terrain, draft, 0) and whole_around(terrain, draft, i, 0):
                size -= 1
                order[q - 1] = order[size]
                q = 0
            else:
                put(terrain, draft, i, 0)
    return size


@inner
def _swap_for(terrain: Terrain, draft: Draft, size: int, m: int, gain: float) -> bool:
    """Parcel m, worth `gain` to the block, takes the place of the member that is worth least to it, if that pays."""
    order = draft.scratch[TREE]
    put(terrain, draft, m, 0)
    least, where = gain * (1.0 - 1e-9), -1
    for q in range(size):
        worth = share(terrain, draft, order[q], 0)
        if worth < least:
            least, where = worth, q
    if where >= 0:
        put(terrain, draft, order[where], -1)
        if sound(terrain, draft, 0) and whole_around(terrain, draft, order[where], 0):
            order[where] = m
            return True
        put(terrain, draft, order[where], 0)
    put(terrain, draft, m, -1)
    return False


@inner
def _improve(terrain: Terrain, draft: Draft, size: int) -> int:
    """Drop, add and swap while the priced worth rises; return the number of members."""
    order = draft.scratch[TREE]
    for _ in range(_PASSES):
        before = draft.total[WORTH]
        draft.counters[JOURNAL] = 0
        size = _drop(terrain, draft, size)
        for q in range(size):
            for p in range(terrain.link[order[q]], terrain.link[order[q] + 1]):
                m = terrain.link[p]
                if draft.block[m] >= 0 or not may_join(terrain, draft, m, 0):
                    continue
                gain = share(terrain, draft, m, 0)
                draft.counters[JOURNAL] = 0
                if gain > 0.0 and draft.sum[0, AREA] + terrain.real[m, AREA] <= terrain.most:
                    put(terrain, draft, m, 0)
                    if sound(terrain, draft, 0):
                        order[size] = m
                        size += 1
                        continue
                    put(terrain, draft, m, -1)
                if _swap_for(terrain, draft, size, m, gain):
                    break  # q may stand for another parcel now
        if draft.total[WORTH] <= before + 1e-9 * abs(before):
            break
    return size


@inner
def _grow_blocks(
    terrain: Terrain,
    draft: Draft,
    seeds: Ints,
    options: Ints,
    fixed: Floats,
    noise: float,
    seed: int,
    least_gain: float,
    size: Ints,
    option: Ints,
    gain: Floats,
    buffer: Ints,
    at: Ints,
) -> None:
    """See `grow_blocks`."""
    order = draft.scratch[TREE]
    n = len(draft.block)
    while at[0] < len(seeds) and at[2] + n <= len(buffer):
        s = at[0]
        at[0] += 1
        if not terrain.open[seeds[s], options[s]]:
            continue
        shuffle(draft, seed * 1000003 + s)
        draft.counters[JOURNAL] = 0
        set_option(draft, 0, options[s])
        found = _grow_best(terrain, draft, seeds[s], noise)
        if found > 0:
            found = _improve(terrain, draft, found)
        worth = draft.total[WORTH] - fixed[options[s]]
        if found > 0 and worth > least_gain:
            for q in range(found):
                buffer[at[2]] = order[q]
                at[2] += 1
            size[at[1]], option[at[1]], gain[at[1]] = found, options[s], worth
            at[1] += 1
        draft.counters[JOURNAL] = 0
        for q in range(draft.tally[0, SIZE]):
            put(terrain, draft, order[q], -1)
        draft.total[WORTH] = 0.0


@compiled
def grow_blocks(
    terrain: Terrain,
    draft: Draft,
    seeds: Ints,
    options: Ints,
    fixed: Floats,
    noise: float,
    seed: int,
    least_gain: float,
    size: Ints,
    option: Ints,
    gain: Floats,
    buffer: Ints,
    at: Ints,
) -> None:
    """Blocks from the seeds on from ``at[0]`` until the buffer is full; see `price_blocks`."""
    _grow_blocks(
        by_reference(terrain), by_reference(draft), seeds, options, fixed, noise, seed, least_gain, size, option, gain,
        buffer, at,
    )  # fmt: skip
