"""Diving: blocks that the linear master takes most of are settled one after another, and the rest is priced anew.

Where a limit on money or space is worth much, the best blocks by themselves do not add up to a good plan, and annealing
has no way from one use of the limit to another. The linear master knows what the limit is worth: as long as its value
stays, settling a block costs next to nothing. About half of a plan can be settled so; annealing then finds the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from planner.optimise.columns import Columns, Pool
from planner.optimise.prices import Prices, column_names, solve_prices
from planner.problem import Bools, Floats, Ints

_COLUMNS: Final = 1_500
"""Most columns that a dive begins with."""
_SURE: Final = 0.8
"""Blocks taken to this share are settled together; else the first one alone."""
_LIKELY: Final = 0.2
_ENOUGH: Final = 0.45
"""Share of the blocks that are settled; the more, the less the rest can still make up for it."""
_DROP: Final = 5e-4
"""Loss of value, as a share of it, for which a block is not settled."""
_MISSES: Final = 3
_STEPS: Final = 60
_GROW_EVERY: Final = 2
_JITTER: Final = 0.2
_WORK_PER_COLUMN: Final = 1.5e-4
_LITTLE: Final = 1e-6

Grow = Callable[[Prices, Bools, int], set[int]]
"""Numbers of sets that pay at prices and keep clear of the parcels marked, in some step."""
Chosen = tuple[tuple[Ints, int], ...]
"""Parcels and option of some blocks."""


@dataclass(frozen=True)
class Dive:
    """Where a dive ended.

    Attributes
    ----------
    settled : tuple of (parcels, option)
        Blocks that cost the linear master nothing; they share no parcel. Limits may be broken by them.
    likely : tuple of (parcels, option)
        The same, and further ones of which it takes much.
    work : float
    """

    settled: Chosen
    likely: Chosen
    work: float


@dataclass(frozen=True, eq=False)
class _Point:
    """Columns at hand, how much of each the linear master takes, what is settled, and what that rules out."""

    columns: Columns
    names: Ints
    prices: Prices
    amount: Floats
    settled: Ints
    taken: Bools
    barred: Bools


def dive(
    pool: Pool,
    columns: Columns,
    prices: Prices,
    shortage_price: float,
    grow: Grow,
    seed: int,
    time_limit_s: float,
    stopped: Callable[[], bool],
) -> Dive:
    """Settle blocks as long as the linear master loses nothing.

    Parameters
    ----------
    pool, columns, prices : Pool, Columns, Prices
        A linear master and its answer.
    shortage_price : float
        As in `solve_prices`.
    grow : callable
        Makes more blocks.
    seed : int
        0 = settle what is taken most; else random numbers change that order a little.
    time_limit_s : float
        For each program.
    stopped : callable
        Asked between programs; True ends the dive where it is.
    """
    rng = np.random.default_rng([seed, 7])
    order = np.lexsort((np.arange(len(columns)), -prices.reduced))[:_COLUMNS]
    start = columns.take(np.sort(order))
    nothing, nowhere = np.empty(0, dtype=np.int64), np.zeros(pool.problem.n, dtype=np.bool_)
    tried = start, nothing, nowhere, np.zeros(len(start), dtype=np.bool_)
    point: _Point | None = None
    spurned: set[int] = set()
    work, misses = 0.0, 0
    for step in range(_STEPS):
        if stopped():
            break
        here, settled, taken, barred = tried
        warmth = None if point is None else point.prices.end
        answer = solve_prices(pool, here, time_limit_s, shortage_price, None, warmth, warm=True, barred=barred)
        work += _WORK_PER_COLUMN * len(here)
        if answer is not None and (point is None or answer.value >= _floor(point.prices.value)):
            misses = 0
            fresh = grow(answer, taken, step) if step % _GROW_EVERY == 0 else set()
            point = _grown(pool, here, answer, settled, taken, barred, fresh)
        elif point is None:
            break
        else:
            misses += 1
            spurned |= set(np.setdiff1d(settled, point.settled).tolist())
        if misses > _MISSES or len(point.settled) >= _ENOUGH * point.amount.sum():
            break
        chosen = _next(pool, point, spurned, (_JITTER if seed else 0.0) * rng.random(len(point.amount)))
        if not len(chosen):
            break
        settled = np.concatenate([point.settled, point.names[chosen]])
        taken = _covered(pool, point.columns.take(chosen), point.taken)
        barred = _meets(pool, point.columns, taken) & ~np.isin(point.names, settled)
        tried = point.columns, settled, taken, barred
    return Dive((), (), work) if point is None else _ended(pool, point, work)


def _floor(value: float) -> float:
    """What the linear master must still be worth after blocks were settled."""
    return value - _DROP * abs(value)


def _grown(
    pool: Pool, columns: Columns, prices: Prices, settled: Ints, taken: Bools, barred: Bools, fresh: set[int]
) -> _Point:
    """The point of the linear master, with further columns."""
    names = column_names(pool, columns)
    more = pool.columns(sorted(fresh))
    more = more.take(~np.isin(column_names(pool, more), names))
    joined = Columns(
        np.concatenate([columns.of, more.of]),
        np.concatenate([columns.option, more.option]),
        np.concatenate([columns.worth, more.worth]),
    )
    amount = np.concatenate([prices.amount, np.zeros(len(more))])
    barred = np.concatenate([barred, np.zeros(len(more), dtype=np.bool_)])
    return _Point(joined, column_names(pool, joined), prices, amount, settled, taken, barred)


def _next(pool: Pool, point: _Point, spurned: set[int], jitter: Floats) -> Ints:
    """Columns to settle next: all that are nearly whole and share no parcel, at least one."""
    open_ = (point.amount > _LITTLE) & ~np.isin(point.names, point.settled) & ~np.isin(point.names, list(spurned))
    free = np.flatnonzero(open_)
    order = free[np.lexsort((point.names[free], -(point.amount + jitter)[free]))]
    chosen: list[int] = []
    taken = point.taken.copy()
    for c in order.tolist():
        members = pool.members[point.columns.of[c]]
        if taken[members].any() or (chosen and point.amount[c] < _SURE):
            continue
        chosen.append(c)
        taken[members] = True
        if point.amount[c] < _SURE:
            break
    return np.array(chosen, dtype=np.int64)


def _covered(pool: Pool, columns: Columns, taken: Bools) -> Bools:
    """Parcels of some columns, and those that are taken already."""
    taken = taken.copy()
    for s in columns.of.tolist():
        taken[pool.members[s]] = True
    return taken


def _meets(pool: Pool, columns: Columns, taken: Bools) -> Bools:
    """Columns that hold a parcel that is taken."""
    sets, inverse = np.unique(columns.of, return_inverse=True)
    meets = np.array([taken[pool.members[s]].any() for s in sets.tolist()], dtype=np.bool_)
    return np.asarray(meets[inverse], dtype=np.bool_)


def _ended(pool: Pool, point: _Point, work: float) -> Dive:
    settled = np.flatnonzero(np.isin(point.names, point.settled)).tolist()
    likely, taken = list(settled), point.taken.copy()
    for c in np.lexsort((point.names, -point.amount)).tolist():
        members = pool.members[point.columns.of[c]]
        if point.amount[c] >= _LIKELY and not taken[members].any():
            likely.append(c)
            taken[members] = True
    blocks = [
        tuple((pool.members[point.columns.of[c]], int(point.columns.option[c])) for c in chosen)
        for chosen in (settled, likely)
    ]
    return Dive(blocks[0], blocks[1], work)
