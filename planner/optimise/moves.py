"""Moves of the annealing: each changes a draft through its journal and says whether the draft may stand so.

A move keeps blocks available and within the rules for blocks; that they stay one piece is noted to be checked later,
when the move has been found worth it. Moves whose worth alone rules them out end before they change anything: penalties
are never negative, so a draft is never worth more than its worth without them.
"""

from __future__ import annotations

import numpy as np

from planner.optimise.compiled import inner
from planner.optimise.grow import chance, check_later, grow, may_join, neighbour, pick, span, wander
from planner.optimise.pieces import collect
from planner.optimise.state import (
    ABOVE,
    HELD,
    MARK,
    NEED,
    QUEUE,
    ROSTER,
    SIZE,
    STAMP,
    TAKEN,
    TREE,
    WORTH,
    ZONE,
    Draft,
    free_slot,
    put,
    set_option,
    sound,
)
from planner.optimise.terrain import AREA, BLOCK_ZONE, LOCKED, SLACK, Terrain


@inner
def _taken(draft: Draft) -> int:
    """A random selected parcel."""
    return int(draft.scratch[ROSTER, pick(draft, draft.counters[TAKEN])])


@inner
def share(terrain: Terrain, draft: Draft, i: int, k: int) -> float:
    """Worth of parcel i to slot k."""
    worth = terrain.worth[i, draft.option[k]]
    for p in range(terrain.link[i], terrain.link[i + 1]):
        worth += terrain.saving[p] if draft.block[terrain.link[p]] == k else 0.0  # no branch
    return float(worth)


@inner
def _hopeless(draft: Draft, change: float) -> bool:
    """Whether a change of worth cannot be accepted, whatever it does to the penalties."""
    return bool(draft.total[WORTH] + change < draft.total[NEED])


@inner
def shift(terrain: Terrain, draft: Draft) -> bool:
    """A parcel at the edge of a block joins it, changes to the block beside it, or leaves."""
    i = _taken(draft)
    j = neighbour(terrain, draft, i)
    if j < 0:
        return False
    old, new = draft.block[i], draft.block[j]
    if old == new:
        new = -1
    elif chance(draft) < 0.5:
        i, old, new = j, new, old
    if new < 0 and terrain.tag[i, LOCKED]:
        return False
    change = 0.0
    if new >= 0:
        if not may_join(terrain, draft, i, new) or draft.sum[new, AREA] + terrain.real[i, AREA] > terrain.most + SLACK:
            return False
        change += share(terrain, draft, i, new)
    if old >= 0:
        if draft.tally[old, SIZE] > 1 and draft.sum[old, AREA] - terrain.real[i, AREA] < terrain.least - SLACK:
            return False
        change -= share(terrain, draft, i, old)
    if _hopeless(draft, change):
        return False
    put(terrain, draft, i, new)
    if old >= 0:
        check_later(draft, i, old)
    return (old < 0 or sound(terrain, draft, old)) and (new < 0 or sound(terrain, draft, new))


@inner
def exchange(terrain: Terrain, draft: Draft) -> bool:
    """A parcel beside a block joins it, and another of the block takes its place (outside, or in the block beside)."""
    j = _taken(draft)
    i = neighbour(terrain, draft, j)
    if i < 0 or draft.block[i] == draft.block[j]:
        return False
    b, a = draft.block[j], draft.block[i]
    if not may_join(terrain, draft, i, b):
        return False
    other = wander(terrain, draft, j, 1 + pick(draft, 8))
    if a < 0 and terrain.tag[other, LOCKED]:
        return False
    if a >= 0:
        touches = False
        for p in range(terrain.link[other], terrain.link[other + 1]):
            m = terrain.link[p]
            if m != i and draft.block[m] == a:
                touches = True
        if not touches or not may_join(terrain, draft, other, a):
            return False
    elif _hopeless(draft, share(terrain, draft, i, b) - share(terrain, draft, other, b)):
        return False  # never too strict: a boundary between the two is counted once with, once without
    put(terrain, draft, i, b)
    put(terrain, draft, other, a)
    check_later(draft, other, b)
    if a >= 0:
        check_later(draft, i, a)
    return sound(terrain, draft, b) and (a < 0 or sound(terrain, draft, a))


@inner
def trade(terrain: Terrain, draft: Draft) -> bool:
    """A parcel at the edge of one block leaves, and a free parcel somewhere else joins a block there."""
    x = _taken(draft)
    y = neighbour(terrain, draft, x)
    a = draft.block[x]
    if y < 0 or draft.block[y] == a or terrain.tag[x, LOCKED]:
        return False
    j = _taken(draft)
    i = neighbour(terrain, draft, j)
    b = draft.block[j]
    if i < 0 or draft.block[i] >= 0 or a == b or not may_join(terrain, draft, i, b):
        return False
    if draft.sum[b, AREA] + terrain.real[i, AREA] > terrain.most + SLACK:
        return False
    if draft.tally[a, SIZE] > 1 and draft.sum[a, AREA] - terrain.real[x, AREA] < terrain.least - SLACK:
        return False
    if _hopeless(draft, share(terrain, draft, i, b) - share(terrain, draft, x, a)):
        return False
    put(terrain, draft, x, -1)
    put(terrain, draft, i, b)
    check_later(draft, x, a)
    return sound(terrain, draft, a) and sound(terrain, draft, b)


@inner
def _option_change(terrain: Terrain, draft: Draft, size: int, option: int) -> float:
    """Change of worth when the held members of a block take another option; -inf if one of them may not."""
    old = draft.option[draft.block[draft.scratch[HELD, 0]]]
    change = 0.0
    for q in range(size):
        i = draft.scratch[HELD, q]
        if not terrain.open[i, option]:
            return -np.inf
        change += terrain.worth[i, option] - terrain.worth[i, old]
    return float(change)


@inner
def _give_option(terrain: Terrain, draft: Draft, size: int, k: int, option: int) -> None:
    """The held members, all of slot k, take another option."""
    for q in range(size):
        put(terrain, draft, draft.scratch[HELD, q], -1)
    set_option(draft, k, option)
    for q in range(size):
        put(terrain, draft, draft.scratch[HELD, q], k)


@inner
def change_option(terrain: Terrain, draft: Draft) -> bool:
    """A block moves to another phase or mode."""
    i = _taken(draft)
    k, option = draft.block[i], pick(draft, len(terrain.option))
    if option == draft.option[k] or not terrain.open[i, option]:
        return False
    size = collect(terrain, draft, i)
    if _hopeless(draft, _option_change(terrain, draft, size, option)):
        return False
    _give_option(terrain, draft, size, k, option)
    return sound(terrain, draft, k)


@inner
def swap_options(terrain: Terrain, draft: Draft) -> bool:
    """Two blocks, anywhere, swap their phases and modes."""
    i, j = _taken(draft), _taken(draft)
    a, b = draft.block[i], draft.block[j]
    p, q = draft.option[a], draft.option[b]
    if p == q or not terrain.open[i, q] or not terrain.open[j, p]:
        return False
    change = _option_change(terrain, draft, collect(terrain, draft, j), p)
    size = collect(terrain, draft, i)
    if _hopeless(draft, change + _option_change(terrain, draft, size, q)):
        return False
    _give_option(terrain, draft, size, a, q)
    _give_option(terrain, draft, collect(terrain, draft, j), b, p)
    return sound(terrain, draft, a) and sound(terrain, draft, b)


@inner
def dissolve(terrain: Terrain, draft: Draft) -> bool:
    """A block is given up."""
    size = collect(terrain, draft, _taken(draft))
    for q in range(size):
        put(terrain, draft, draft.scratch[HELD, q], -1)
    return True


@inner
def _site(terrain: Terrain, draft: Draft, option: int) -> int:
    """A free parcel to grow from: beside a block, or the best per mu of a few from anywhere; -1 if none was met."""
    if draft.counters[TAKEN] > 0 and chance(draft) < (0.8 if terrain.rolling > 0 else 0.3):
        i = _taken(draft)
        for _ in range(3):
            m = neighbour(terrain, draft, i)
            if m >= 0:
                i = m
            if draft.block[i] < 0 and terrain.open[i, option]:
                return int(i)
        return -1
    best, found = -np.inf, -1
    for _ in range(1 + pick(draft, 6)):
        i = pick(draft, len(draft.block))
        if draft.block[i] < 0 and terrain.open[i, option]:
            per_mu = terrain.worth[i, option] / terrain.real[i, AREA]
            if per_mu > best:
                best, found = per_mu, i
    return int(found)


@inner
def _raise_block(terrain: Terrain, draft: Draft, seed: int, option: int, goal: float, noise: float) -> bool:
    k = free_slot(draft)
    if k < 0 or seed < 0 or draft.block[seed] >= 0 or not terrain.open[seed, option]:
        return False
    set_option(draft, k, option)
    grow(terrain, draft, seed, k, goal, noise * chance(draft), 3.0 * chance(draft))
    return sound(terrain, draft, k)


@inner
def _any_goal(terrain: Terrain, draft: Draft) -> float:
    """An area between the limits, mostly small."""
    return float(terrain.least + chance(draft) ** 2 * (min(terrain.most, 5.0 * terrain.least + 1e-9) - terrain.least))


@inner
def found_block(terrain: Terrain, draft: Draft, noise: float) -> bool:
    """A new block grows somewhere."""
    option = pick(draft, len(terrain.option))
    return _raise_block(terrain, draft, _site(terrain, draft, option), option, _any_goal(terrain, draft), noise)


@inner
def regrow(terrain: Terrain, draft: Draft, noise: float) -> bool:
    """A block is given up and one of about the same land grows there anew, perhaps in another option."""
    i = _taken(draft)
    option, area = draft.option[draft.block[i]], draft.sum[draft.block[i], AREA]
    if chance(draft) < 0.3:
        option = pick(draft, len(terrain.option))
    size = collect(terrain, draft, i)
    for q in range(size):
        put(terrain, draft, draft.scratch[HELD, q], -1)
    seed = i
    for _ in range(pick(draft, 4)):
        m = neighbour(terrain, draft, seed)
        if m >= 0 and draft.block[m] < 0:
            seed = m
    goal = area * (0.8 + 0.4 * chance(draft)) if chance(draft) < 0.5 else _any_goal(terrain, draft)
    return _raise_block(terrain, draft, seed, option, goal, noise)


@inner
def relocate(terrain: Terrain, draft: Draft, noise: float) -> bool:
    """A block is given up and one of the same option and about the same area grows elsewhere."""
    i = _taken(draft)
    option, area = draft.option[draft.block[i]], draft.sum[draft.block[i], AREA]
    seed = _site(terrain, draft, option)
    if seed < 0:
        return False
    size = collect(terrain, draft, i)
    for q in range(size):
        put(terrain, draft, draft.scratch[HELD, q], -1)
    return _raise_block(terrain, draft, seed, option, area * (0.9 + 0.2 * chance(draft)), noise)


@inner
def _choose_cut(terrain: Terrain, draft: Draft, size: int) -> int:
    """Random place in the tree whose subtree and rest both keep the block sizes; -1 if none."""
    below, tree, above = draft.heap, draft.scratch[TREE], draft.scratch[ABOVE]
    total = 0.0
    for q in range(size):
        below[q] = terrain.real[tree[q], AREA]
        total += below[q]
    for q in range(size - 1, 0, -1):
        below[above[q]] += below[q]
    good, chosen = 0, -1
    for q in range(1, size):
        rest = total - below[q]
        if min(below[q], rest) >= terrain.least and max(below[q], rest) <= terrain.most:
            good += 1
            if pick(draft, good) == 0:
                chosen = q
    return chosen


@inner
def _cut(terrain: Terrain, draft: Draft, size: int, a: int, b: int, option_a: int, option_b: int) -> bool:
    """The held parcels (of slots a and b, or free) are cut anew along a random spanning tree.

    Slot a has or takes `option_a`, slot b `option_b`.
    """
    held, tree, above, side = draft.scratch[HELD], draft.scratch[TREE], draft.scratch[ABOVE], draft.scratch[QUEUE]
    draft.counters[STAMP] += 1
    for q in range(size):
        draft.scratch[MARK, held[q]] = draft.counters[STAMP]
    if not span(terrain, draft, size, held[pick(draft, size)]):
        return False
    chosen = _choose_cut(terrain, draft, size)
    if chosen < 0:
        return False
    to_b = 1 if chance(draft) < 0.5 else 0
    for q in range(size):
        down = q == chosen or (q > chosen and side[above[q]] == to_b)
        side[q] = to_b if down else 1 - to_b
        if not terrain.open[tree[q], option_b if side[q] == 1 else option_a]:
            return False
    for q in range(size):  # first those whose slot changes its option
        k = draft.block[tree[q]]
        if (k == a and draft.option[a] != option_a) or (k == b and draft.option[b] != option_b):
            put(terrain, draft, tree[q], -1)
    if draft.option[a] != option_a:
        set_option(draft, a, option_a)
    if draft.option[b] != option_b:
        set_option(draft, b, option_b)
    for q in range(size):
        k = b if side[q] == 1 else a
        if draft.block[tree[q]] != k:
            put(terrain, draft, tree[q], k)
    return sound(terrain, draft, a) and sound(terrain, draft, b)


@inner
def _add_free(terrain: Terrain, draft: Draft, size: int, option: int, zone: int) -> int:
    """Free parcels beside the held ones, open in an option, are held too; return the new number."""
    held, mark = draft.scratch[HELD], draft.scratch[MARK]
    draft.counters[STAMP] += 1
    stamp = draft.counters[STAMP]
    tail = size
    for q in range(size):
        for p in range(terrain.link[held[q]], terrain.link[held[q] + 1]):
            m = terrain.link[p]
            if draft.block[m] < 0 and mark[m] != stamp and terrain.open[m, option]:
                mark[m] = stamp
                if terrain.tag[m, BLOCK_ZONE] == zone:
                    held[tail] = m
                    tail += 1
    return int(tail)


@inner
def recombine(terrain: Terrain, draft: Draft) -> bool:
    """Two neighbouring blocks are cut anew, perhaps with free land around and a new option, or become one."""
    i = _taken(draft)
    j = neighbour(terrain, draft, i)
    if j < 0 or draft.block[j] < 0 or draft.block[j] == draft.block[i]:
        return False
    a, b = draft.block[i], draft.block[j]
    if draft.tally[a, ZONE] != draft.tally[b, ZONE]:
        return False
    size_b = collect(terrain, draft, j)
    if chance(draft) < 0.15:
        if draft.sum[a, AREA] + draft.sum[b, AREA] > terrain.most + SLACK:
            return False
        for q in range(size_b):
            if not terrain.open[draft.scratch[HELD, q], draft.option[a]]:
                return False
        for q in range(size_b):
            put(terrain, draft, draft.scratch[HELD, q], a)
        return sound(terrain, draft, a)
    for q in range(size_b):  # out of the way of the other collect
        draft.scratch[TREE, q] = draft.scratch[HELD, q]
    size = collect(terrain, draft, i)
    for q in range(size_b):
        draft.scratch[HELD, size + q] = draft.scratch[TREE, q]
    size += size_b
    option_a, option_b = draft.option[a], draft.option[b]
    if chance(draft) < 0.2:
        option_a = pick(draft, len(terrain.option))
    if chance(draft) < 0.3:
        size = _add_free(terrain, draft, size, option_a, draft.tally[a, ZONE])
    return _cut(terrain, draft, size, a, b, option_a, option_b)


@inner
def split(terrain: Terrain, draft: Draft) -> bool:
    """One block becomes two, the second in a random option."""
    i = _taken(draft)
    k, other = draft.block[i], free_slot(draft)
    if other < 0 or draft.sum[k, AREA] < 2 * terrain.least:
        return False
    size = collect(terrain, draft, i)
    option = draft.option[k] if chance(draft) < 0.5 else pick(draft, len(terrain.option))
    return _cut(terrain, draft, size, k, other, draft.option[k], option)


@inner
def propose(terrain: Terrain, draft: Draft, noise: float) -> bool:
    """One random move; False when it is impossible or hopeless (the journal may hold a part of it)."""
    if draft.counters[TAKEN] == 0:
        return found_block(terrain, draft, noise)
    if chance(draft) >= terrain.bold:
        r = chance(draft)
        if r < 0.66:
            return shift(terrain, draft)
        return exchange(terrain, draft) if r < 0.90 else trade(terrain, draft)
    r = chance(draft)
    if r < 0.18:
        return found_block(terrain, draft, noise)
    if r < 0.30:
        return regrow(terrain, draft, noise)
    if r < 0.42:
        return relocate(terrain, draft, noise)
    if r < 0.67:
        return recombine(terrain, draft)
    if r < 0.75:
        return split(terrain, draft)
    if r < 0.78:
        return dissolve(terrain, draft)
    return change_option(terrain, draft) if r < 0.90 else swap_options(terrain, draft)
