"""Simulated annealing over whole plans: small moves and whole-block moves, compiled.

Each move changes a `Draft` through its journal, is judged by the change of worth − penalties, and is undone when
rejected. Blocks are kept connected and within their limits throughout; targets, budgets and locks are priced, and the
best draft without any such price is kept.
"""

from __future__ import annotations

import numpy as np

from planner.optimise.compiled import compiled
from planner.optimise.state import (
    Draft,
    Terrain,
    collect,
    free_slot,
    hard_penalty,
    hold,
    place,
    rephase,
    sound,
    stays_whole,
    stretch_penalty,
    undo,
)
from planner.problem import Floats, Ints


@compiled
def _random_neighbour(terrain: Terrain, i: int) -> int:
    degree = terrain.start[i + 1] - terrain.start[i]
    if degree == 0:
        return -1
    return int(terrain.neighbour[terrain.start[i] + np.random.randint(degree)])


@compiled
def _may_join(terrain: Terrain, draft: Draft, i: int, k: int) -> bool:
    return bool(terrain.open[i, draft.phase[k]] and terrain.block_zone[i] == draft.zone[k])


@compiled
def _shift(terrain: Terrain, draft: Draft, i: int) -> bool:
    """Parcel i joins the block of a random neighbour, or leaves its block."""
    j = _random_neighbour(terrain, i)
    a = draft.block[i]
    b = draft.block[j] if j >= 0 else -1
    if a == b:
        if a < 0:
            return False
        b = -1
    if b < 0 and terrain.locked[i]:
        return False
    if b >= 0 and not (_may_join(terrain, draft, i, b) and draft.area[b] + terrain.area[i] <= terrain.most + 5e-7):
        return False
    if a >= 0 and draft.size[a] > 1 and draft.area[a] - terrain.area[i] < terrain.least - 5e-7:
        return False
    if a >= 0 and draft.size[a] > 1 and not stays_whole(terrain, draft, i):
        return False
    place(terrain, draft, i, b)
    return (a < 0 or sound(terrain, draft, a)) and (b < 0 or sound(terrain, draft, b))


@compiled
def _exchange(terrain: Terrain, draft: Draft, i: int) -> bool:
    """An outside parcel i joins a neighbouring block and a member of that block leaves for i's old place."""
    j = _random_neighbour(terrain, i)
    if j < 0:
        return False
    b, a = draft.block[j], draft.block[i]
    if b < 0 or a == b or not _may_join(terrain, draft, i, b):
        return False
    if a >= 0 and (draft.size[a] < 2 or not stays_whole(terrain, draft, i)):
        return False
    size = collect(terrain, draft, j)
    other = draft.queue[np.random.randint(size)]
    if a < 0 and terrain.locked[other]:
        return False
    if a >= 0:
        touches = False
        for p in range(terrain.start[other], terrain.start[other + 1]):
            m = terrain.neighbour[p]
            if m != i and draft.block[m] == a:
                touches = True
        if not touches or not _may_join(terrain, draft, other, a):
            return False
    place(terrain, draft, i, b)
    if not stays_whole(terrain, draft, other):
        return False
    place(terrain, draft, other, a)
    return sound(terrain, draft, b) and (a < 0 or sound(terrain, draft, a))


@compiled
def _move_phase(terrain: Terrain, draft: Draft, i: int, t: int) -> bool:
    """The block of i moves to phase t."""
    k = draft.block[i]
    size = hold(terrain, draft, i)
    for q in range(size):
        if not terrain.open[draft.held[q], t]:
            return False
    for q in range(size):
        place(terrain, draft, draft.held[q], -1)
    rephase(draft, k, t)
    for q in range(size):
        place(terrain, draft, draft.held[q], k)
    return True


@compiled
def _swap_phases(terrain: Terrain, draft: Draft, i: int, j: int) -> bool:
    a, b = draft.block[i], draft.block[j]
    if a == b or draft.phase[a] == draft.phase[b]:
        return False
    s, t = draft.phase[a], draft.phase[b]
    return _move_phase(terrain, draft, i, t) and _move_phase(terrain, draft, j, s)


@compiled
def _dissolve(terrain: Terrain, draft: Draft, i: int) -> bool:
    size = hold(terrain, draft, i)
    for q in range(size):
        place(terrain, draft, draft.held[q], -1)
    return True


@compiled
def _grow(terrain: Terrain, draft: Draft, seed: int, t: int, goal: float, noise: float) -> bool:
    """A new block grows from a free seed over free parcels, dearest gain per mu first, up to `goal` mu."""
    k = free_slot(draft)
    if k < 0 or draft.block[seed] >= 0 or not terrain.open[seed, t]:
        return False
    rephase(draft, k, t)
    place(terrain, draft, seed, k)
    draft.counters[1] += 1
    stamp = draft.counters[1]
    draft.mark[seed] = stamp
    border = draft.queue
    n_border = 0
    last = seed
    while draft.area[k] < goal:
        for p in range(terrain.start[last], terrain.start[last + 1]):
            m = terrain.neighbour[p]
            if draft.mark[m] != stamp and draft.block[m] < 0 and _may_join(terrain, draft, m, k):
                draft.mark[m] = stamp
                border[n_border] = m
                n_border += 1
        pick, best = -1, -np.inf
        for b in range(n_border):
            m = border[b]
            if draft.area[k] + terrain.area[m] > terrain.most + 5e-7:
                continue
            if terrain.filler[m] and draft.filler[k] + terrain.area[m] > terrain.filler_share * goal:
                continue
            gain = terrain.worth[m, t]
            for p in range(terrain.start[m], terrain.start[m + 1]):
                if draft.block[terrain.neighbour[p]] == k:
                    gain += terrain.saving[p]
            key = gain / terrain.area[m] + noise * np.random.normal()
            if key > best:
                best, pick = key, b
        if pick < 0:
            break
        last = border[pick]
        n_border -= 1
        border[pick] = border[n_border]
        place(terrain, draft, last, k)
    return sound(terrain, draft, k)


@compiled
def _span(terrain: Terrain, draft: Draft, size: int, k: int) -> bool:
    """Random spanning tree of the `size` held members of slot k, parents before children; False if not one piece."""
    draft.counters[1] += 1
    stamp = draft.counters[1]
    frontier = draft.frontier
    n_order = 0
    n_frontier = 1
    frontier[0, 0] = draft.held[np.random.randint(size)]
    frontier[0, 1] = -1
    while n_frontier > 0:
        pick = np.random.randint(n_frontier)
        i, above = frontier[pick, 0], frontier[pick, 1]
        n_frontier -= 1
        frontier[pick, 0], frontier[pick, 1] = frontier[n_frontier, 0], frontier[n_frontier, 1]
        if draft.mark[i] == stamp:
            continue
        draft.mark[i] = stamp
        draft.tree[n_order, 0] = i
        draft.tree[n_order, 1] = above
        n_order += 1
        for p in range(terrain.start[i], terrain.start[i + 1]):
            m = terrain.neighbour[p]
            if draft.block[m] == k and draft.mark[m] != stamp:
                frontier[n_frontier, 0] = m
                frontier[n_frontier, 1] = n_order - 1
                n_frontier += 1
    return n_order == size


@compiled
def _choose_cut(terrain: Terrain, draft: Draft, size: int) -> int:
    """Random tree position whose subtree and rest both keep the block sizes; -1 if none."""
    below = draft.below
    total = 0.0
    for q in range(size):
        below[q] = terrain.area[draft.tree[q, 0]]
        total += below[q]
    for q in range(size - 1, 0, -1):
        below[draft.tree[q, 1]] += below[q]
    n_good = 0
    chosen = -1
    for q in range(1, size):
        rest = total - below[q]
        if min(below[q], rest) >= terrain.least and max(below[q], rest) <= terrain.most:
            n_good += 1
            if np.random.randint(n_good) == 0:
                chosen = q
    return chosen


@compiled
def _cut_tree(terrain: Terrain, draft: Draft, size: int, k: int, other: int, t_k: int, t_other: int) -> bool:
    """Split the held members (all in slot k) along a random spanning tree into slots k and `other`."""
    if not _span(terrain, draft, size, k):
        return False
    chosen = _choose_cut(terrain, draft, size)
    if chosen < 0:
        return False
    side = draft.queue  # by tree position: 1 = goes to `other`
    for q in range(size):
        side[q] = 1 if q == chosen or (q > chosen and side[draft.tree[q, 1]] == 1) else 0
        if not terrain.open[draft.tree[q, 0], t_other if side[q] == 1 else t_k]:
            return False
    for q in range(size):
        place(terrain, draft, draft.tree[q, 0], -1)
    rephase(draft, k, t_k)
    rephase(draft, other, t_other)
    for q in range(size):
        place(terrain, draft, draft.tree[q, 0], other if side[q] == 1 else k)
    return sound(terrain, draft, k) and sound(terrain, draft, other)


@compiled
def _gather(terrain: Terrain, draft: Draft, i: int, j: int, with_free: bool) -> int:
    """Bring the blocks of i and j (and, if asked, free parcels beside them) into i's slot, ignoring limits."""
    a, b = draft.block[i], draft.block[j]
    t = draft.phase[a]
    size = hold(terrain, draft, j)
    for q in range(size):
        place(terrain, draft, draft.held[q], -1)
    for q in range(size):
        place(terrain, draft, draft.held[q], a)
    if with_free:
        size = hold(terrain, draft, i)
        for q in range(size):
            m = draft.held[q]
            for p in range(terrain.start[m], terrain.start[m + 1]):
                f = terrain.neighbour[p]
                if draft.block[f] < 0 and terrain.open[f, t] and terrain.block_zone[f] == draft.zone[a]:
                    place(terrain, draft, f, a)
    return int(b)


@compiled
def _recombine(terrain: Terrain, draft: Draft, i: int) -> bool:
    """Two neighbouring blocks are joined and cut anew, or simply joined."""
    a = draft.block[i]
    j = _random_neighbour(terrain, i)
    if j < 0 or draft.block[j] < 0 or draft.block[j] == a:
        return False
    if draft.zone[draft.block[j]] != draft.zone[a]:
        return False
    t_a, t_b = draft.phase[a], draft.phase[draft.block[j]]
    if np.random.random() < 0.15:
        t = t_a if np.random.random() < 0.5 else t_b
        if draft.area[a] + draft.area[draft.block[j]] > terrain.most + 5e-7:
            return False
        if t_b != t and not _move_phase(terrain, draft, j, t):
            return False
        if t_a != t and not _move_phase(terrain, draft, i, t):
            return False
        _gather(terrain, draft, i, j, False)
        return sound(terrain, draft, a)
    if np.random.random() < 0.2:
        t_a = np.random.randint(len(terrain.budget))
    b = _gather(terrain, draft, i, j, np.random.random() < 0.3)
    size = hold(terrain, draft, i)
    if np.random.random() < 0.5:
        t_a, t_b = t_b, t_a
    return _cut_tree(terrain, draft, size, a, b, t_a, t_b)


@compiled
def _split(terrain: Terrain, draft: Draft, i: int) -> bool:
    """One block becomes two, the second in a random phase."""
    k = draft.block[i]
    other = free_slot(draft)
    if other < 0 or draft.area[k] < 2 * terrain.least:
        return False
    size = hold(terrain, draft, i)
    t = np.random.randint(len(terrain.budget))
    return _cut_tree(terrain, draft, size, k, other, draft.phase[k], t)


@compiled
def _regrow(terrain: Terrain, draft: Draft, i: int, noise: float) -> bool:
    """The block of i (if any) dissolves, and a new one grows from i or from near it."""
    t = np.random.randint(len(terrain.budget))
    seed = i
    if draft.block[i] >= 0:
        if np.random.random() < 0.5:
            t = draft.phase[draft.block[i]]
        _dissolve(terrain, draft, i)
        for _ in range(np.random.randint(4)):
            step = _random_neighbour(terrain, seed)
            if step >= 0 and draft.block[step] < 0:
                seed = step
    goal = terrain.least + np.random.random() ** 2 * (terrain.most - terrain.least)
    return _grow(terrain, draft, seed, t, goal, noise)


@compiled
def _propose(terrain: Terrain, draft: Draft, noise: float) -> bool:
    """One random move; False when it is impossible (the journal may hold a part of it)."""
    n_phases = len(terrain.budget)
    i = np.random.randint(len(terrain.area))
    r = np.random.random()
    if r < 0.62:
        return _shift(terrain, draft, i)
    if r < 0.82:
        return _exchange(terrain, draft, i)
    if r < 0.85:
        return _regrow(terrain, draft, i, noise)
    if draft.block[i] < 0:
        return _regrow(terrain, draft, i, noise) if r < 0.88 else False
    if r < 0.90:
        return _recombine(terrain, draft, i)
    if r < 0.93:
        return n_phases > 1 and _move_phase(terrain, draft, i, np.random.randint(n_phases))
    if r < 0.96:
        j = np.random.randint(len(terrain.area))
        return n_phases > 1 and draft.block[j] >= 0 and _swap_phases(terrain, draft, i, j)
    if r < 0.98:
        return _split(terrain, draft, i)
    return _dissolve(terrain, draft, i)


@compiled
def _remember(draft: Draft, best_block: Ints, best_phase: Ints) -> None:
    for i in range(len(best_block)):
        best_block[i] = draft.block[i]
    for k in range(len(best_phase)):
        best_phase[k] = draft.phase[k]


@compiled
def anneal(
    terrain: Terrain,
    draft: Draft,
    seed: int,
    moves: int,
    hot: float,
    cold: float,
    best_block: Ints,
    best_phase: Ints,
    result: Floats,
) -> None:
    """Run `moves` moves from temperature `hot` down to `cold` (currency, geometric), changing `draft` in place.

    `best_block` and `best_phase` receive the best draft that breaks no rule; `result[0]` its objective (-inf without
    one), `result[1]` the final objective, `result[2]` the final price of broken rules.
    """
    np.random.seed(seed)
    price = hard_penalty(terrain, draft)
    soft = stretch_penalty(terrain, draft)
    value = draft.total[0] - soft - price
    best = value if price == 0.0 else -np.inf
    if price == 0.0:
        _remember(draft, best_block, best_phase)
    ratio = (cold / hot) ** (1.0 / max(moves, 1))
    temperature = hot
    noise = hot * 2.0 / max(terrain.least, terrain.area.mean())
    for _ in range(moves):
        temperature *= ratio
        draft.counters[0] = 0
        if not _propose(terrain, draft, noise):
            undo(terrain, draft)
            continue
        price = hard_penalty(terrain, draft)
        soft = stretch_penalty(terrain, draft)
        new = draft.total[0] - soft - price
        if new >= value or np.random.random() < np.exp((new - value) / temperature):
            value = new
            if price == 0.0 and (best == -np.inf or new > best + 1e-9 * abs(best)):
                best = new
                _remember(draft, best_block, best_phase)
        else:
            undo(terrain, draft)
    result[0] = best
    result[1] = draft.total[0] - stretch_penalty(terrain, draft)
    result[2] = hard_penalty(terrain, draft)
