"""Compiled inner loops of the greedy baseline: growing a patch, and moving parcels in and out of patches."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

TOLERANCE = 1e-7
WIDEST = 2_000
"""Most places in the rim that one exchange looks at."""


class Facts(NamedTuple):
    """What does not change: n parcels, T phases, K targets; ``start``/``neighbour``/``shared`` is the contact graph."""

    start: Any
    neighbour: Any
    shared: Any
    area: Any
    gain: Any  # float64[n, T], discounted benefit - cost
    cost: Any
    perimeter: Any
    price: float
    open_: Any  # bool[n, T]
    filler: Any
    filler_share: float
    zone: Any
    within_zone: bool
    least: float
    most: float
    member: Any  # bool[K, n]
    due: Any  # int64[K]
    floor: Any
    ceiling: Any
    budget: Any


class Books(NamedTuple):
    """The plan in the making: by parcel ``owner`` (block, -1 = free); by block the next four; by target; by phase."""

    owner: Any
    phase: Any
    size: Any
    filler_mu: Any
    number: Any
    reached: Any
    spent: Any


@njit(cache=True)
def grow(
    f: Facts, owner: Any, seed: int, t: int, cap: float, liking: Any, members: Any, sums: Any, contact: Any
) -> int:
    """Grow a patch from a seed by the neighbour of best worth per mu plus liking, as long as it fits `cap`.

    `members` and `sums` (area, worth, cost) receive the order of growth; `contact` is all zero before and after.
    Returns the number of parcels.
    """
    frontier = np.empty(len(owner), dtype=np.int64)
    n_frontier, count = 0, 0
    total, worth, filler_mu, cost = 0.0, 0.0, 0.0, 0.0
    new = seed
    while new >= 0:
        total += f.area[new]
        worth += f.gain[new, t] - f.price * (f.perimeter[new] - 2 * contact[new])
        filler_mu += f.area[new] if f.filler[new] else 0.0
        cost += f.cost[new]
        contact[new] = -1.0
        members[count] = new
        sums[count, 0], sums[count, 1], sums[count, 2] = total, worth, cost
        count += 1
        for p in range(f.start[new], f.start[new + 1]):
            j = f.neighbour[p]
            if owner[j] >= 0 or not f.open_[j, t] or contact[j] < 0:
                continue
            if f.within_zone and f.zone[j] != f.zone[seed]:
                continue
            if contact[j] == 0:
                frontier[n_frontier] = j
                n_frontier += 1
                contact[j] = 1e-12
            contact[j] += f.shared[p]
        new = -1
        best = -np.inf
        for k in range(n_frontier):
            j = frontier[k]
            if contact[j] < 0 or total + f.area[j] > cap + TOLERANCE:
                continue
            if f.filler[j] and filler_mu + f.area[j] > f.filler_share * (total + f.area[j]):
                continue
            value = (f.gain[j, t] - f.price * (f.perimeter[j] - 2 * contact[j])) / f.area[j] + liking[j]
            if value > best:
                best = value
                new = j
    for k in range(n_frontier):
        contact[frontier[k]] = 0.0
    contact[seed] = 0.0
    return count


@njit(cache=True)
def book(f: Facts, b: Books, i: int, block: int, sign: float) -> None:
    """Enter parcel i into a block (sign 1) or take it out (-1)."""
    t = b.phase[block]
    b.owner[i] = block if sign > 0 else -1
    b.size[block] += sign * f.area[i]
    b.number[block] += 1 if sign > 0 else -1
    b.filler_mu[block] += sign * f.area[i] if f.filler[i] else 0.0
    b.spent[t] += sign * f.cost[i]
    for k in range(len(f.due)):
        if f.member[k, i] and f.due[k] >= t:
            b.reached[k] += sign * f.area[i]


@njit(cache=True)
def may_enter(f: Facts, b: Books, i: int, block: int) -> bool:
    """Whether sizes, filler share, ceilings and budget allow parcel i to enter a block."""
    t, size = b.phase[block], b.size[block] + f.area[i]
    if not f.open_[i, t] or size > f.most + TOLERANCE:
        return False
    if f.filler[i] and b.filler_mu[block] + f.area[i] > f.filler_share * size:
        return False
    for k in range(len(f.due)):
        if f.member[k, i] and f.due[k] >= t and b.reached[k] + f.area[i] > f.ceiling[k] + TOLERANCE:
            return False
    return bool(b.spent[t] + f.cost[i] <= f.budget[t] + TOLERANCE)


@njit(cache=True)
def worth_of(f: Facts, b: Books, i: int, block: int) -> tuple[float, int]:
    """What parcel i adds to a block it is not in, and the number of its contacts there."""
    touch, number = 0.0, 0
    for p in range(f.start[i], f.start[i + 1]):
        if b.owner[f.neighbour[p]] == block and f.neighbour[p] != i:
            touch += f.shared[p]
            number += 1
    return f.gain[i, b.phase[block]] - f.price * (f.perimeter[i] - 2 * touch), number


@njit(cache=True)
def splits(f: Facts, b: Books, i: int, stack: Any, seen: Any) -> bool:
    """Whether a block falls apart, or ends, without parcel i; `seen` is all False before and after."""
    block, found, todo = b.owner[i], 0, 0
    for p in range(f.start[i], f.start[i + 1]):
        if b.owner[f.neighbour[p]] == block:
            stack[0] = f.neighbour[p]
            found = 1
            break
    if found == 0:
        return True
    seen[stack[0]] = True
    while todo < found:
        u = stack[todo]
        todo += 1
        for p in range(f.start[u], f.start[u + 1]):
            v = f.neighbour[p]
            if b.owner[v] == block and v != i and not seen[v]:
                seen[v] = True
                stack[found] = v
                found += 1
    for k in range(found):
        seen[stack[k]] = False
    return bool(found != b.number[block] - 1)


@njit(cache=True)
def find_rim(f: Facts, b: Books, rim: Any) -> int:
    """List (free parcel, block beside it) in random order; returns how many."""
    count = 0
    for j in np.random.permutation(len(b.owner)):  # noqa: NPY002
        if b.owner[j] >= 0:
            continue
        last = -1
        for p in range(f.start[j], f.start[j + 1]):
            i = f.neighbour[p]
            block = b.owner[i]
            if block < 0 or block == last or count == len(rim) or not f.open_[j, b.phase[block]]:
                continue
            if f.within_zone and f.zone[i] != f.zone[j]:
                continue
            last = block
            rim[count, 0], rim[count, 1] = j, block
            count += 1
    return count


@njit(cache=True)
def add_rim(f: Facts, b: Books, rim: Any) -> float:
    """Add every parcel of the rim that pays and fits; returns the gain."""
    total = 0.0
    for r in range(len(rim)):
        j, block = rim[r, 0], rim[r, 1]
        if b.owner[j] >= 0:
            continue
        delta, contacts = worth_of(f, b, j, block)
        if contacts > 0 and delta > TOLERANCE and may_enter(f, b, j, block):
            book(f, b, j, block, 1.0)
            total += delta
    return total


@njit(cache=True)
def best_exchange(f: Facts, b: Books, i: int, block: int, loss: float, rim: Any) -> tuple[float, int]:
    """Best parcel of the rim to come in for parcel i, which has just left `block`: gain, place in the rim or -1."""
    t, best, place = b.phase[block], TOLERANCE, -1
    short = b.size[block] < f.least - TOLERANCE
    first = np.random.randint(len(rim)) if len(rim) > WIDEST else 0  # noqa: NPY002
    for k in range(min(len(rim), WIDEST)):
        r = (first + k) % len(rim)
        j, other = rim[r, 0], rim[r, 1]
        if b.owner[j] >= 0 or j == i or b.phase[other] != t:
            continue
        if f.gain[j, t] + f.price * f.perimeter[j] - loss <= best:
            continue  # even with all its boundary saved twice over it would not do
        if short and (other != block or b.size[block] + f.area[j] < f.least - TOLERANCE):
            continue
        delta, contacts = worth_of(f, b, j, other)
        if contacts == 0 or delta - loss <= best or not may_enter(f, b, j, other):
            continue
        met = True
        for q in range(len(f.due)):
            if f.due[q] >= t and f.member[q, i]:
                met &= b.reached[q] + (f.area[j] if f.member[q, j] else 0.0) >= f.floor[q] - TOLERANCE
        if met:
            best, place = delta - loss, r
    return best, place


@njit(cache=True)
def drop_or_exchange(f: Facts, b: Books, rim: Any, stack: Any, seen: Any) -> float:
    """Drop parcels that cost more than they bring, exchange others for better ones; returns the gain."""
    total = 0.0
    for i in np.random.permutation(len(b.owner)):  # noqa: NPY002
        block = b.owner[i]
        if block < 0 or b.number[block] < 2 or splits(f, b, i, stack, seen):
            continue
        left = b.size[block] - f.area[i]
        left_filler = b.filler_mu[block] - (f.area[i] if f.filler[i] else 0.0)
        if left_filler > f.filler_share * left + TOLERANCE:
            continue
        loss, _ = worth_of(f, b, i, block)
        book(f, b, i, block, -1.0)
        floors = True
        for k in range(len(f.due)):
            if f.due[k] >= b.phase[block] and f.member[k, i]:
                floors &= b.reached[k] >= f.floor[k] - TOLERANCE
        if loss < -TOLERANCE and left >= f.least - TOLERANCE and floors:
            total -= loss
            continue
        gained, place = best_exchange(f, b, i, block, loss, rim)
        if place >= 0:
            book(f, b, rim[place, 0], rim[place, 1], 1.0)
            total += gained
        else:
            book(f, b, i, block, 1.0)
    return total


@njit(cache=True)
def improve(f: Facts, b: Books, seed: int, passes: int) -> float:
    """Add, drop and exchange parcels at the rims of the blocks while it pays; `b` changes, the gain is returned.

    An exchange drops one parcel and adds another to the same block, or to another block of the same phase.
    """
    np.random.seed(seed)  # noqa: NPY002 (compiled code knows no other generator)
    stack = np.empty(len(b.owner), dtype=np.int64)
    seen = np.zeros(len(b.owner), dtype=np.bool_)
    rim = np.empty((4 * len(b.owner), 2), dtype=np.int64)
    total = 0.0
    for _ in range(passes):
        gained = add_rim(f, b, rim[: find_rim(f, b, rim)])
        gained += drop_or_exchange(f, b, rim[: find_rim(f, b, rim)], stack, seen)
        total += gained
        if gained <= TOLERANCE:
            break
    return total
