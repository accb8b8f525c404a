"""Work on two cores: a function asked of several portions of its data at a time, in threads.

The routines of shapely, and numpy on large arrays, let other threads run while they work. What comes back does not
depend on the threads: every portion is worked on by itself, and the results are put together in the order of the
portions.

A prepared geometry is finished while it is first asked something and must not be asked from two threads at once: where
one is asked in several rows, these must be in one portion (``together``). Arrays of geometries go to shapely as slices
or copies, never the same array from two threads.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar, copy_context
from itertools import pairwise
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt
import shapely

from geodata.contract import IntArray

MOST_THREADS: Final = 2
"""The heavy calls share one memory bus and one object table: more threads than these mostly wait."""
PORTIONS: Final = 8
"""Portions at most, however many threads there are: one that takes long is made up for by others."""
LEAST: Final = 500
"""Rows of a portion: fewer cost less than a thread."""

Item = TypeVar("Item")
Result = TypeVar("Result")

_inside: ContextVar[bool] = ContextVar("inside", default=False)


def threads() -> int:
    """How many threads work at a time."""
    return min(MOST_THREADS, os.cpu_count() or 1)


def mapped(function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """What a function makes of each item, several at a time.

    Parameters
    ----------
    function : callable
        Without side effects on what the items have in common. Called from one of its own threads this works in that
        thread alone.
    items : iterable

    Returns
    -------
    list
        In the order of the items.

    Raises
    ------
    Exception
        The one of the first item that has any. Items that were not begun by then are left.
    """
    items = list(items)
    most = min(threads(), len(items))
    if most < 2 or _inside.get():
        return [function(item) for item in items]
    pool = ThreadPoolExecutor(most)
    try:
        # Each in the context of the caller, as to how numpy treats what cannot be computed.
        waiting = [pool.submit(copy_context().run, _within, function, item) for item in items]
        return [one.result() for one in waiting]
    finally:
        pool.shutdown(cancel_futures=True)


def _within(function: Callable[[Item], Result], item: Item) -> Result:
    _inside.set(True)
    return function(item)


def portions(rows: int, together: IntArray | None = None, least: int = LEAST) -> list[slice]:
    """Rows in portions of about the same size.

    Parameters
    ----------
    rows : int
        How many there are.
    together : int64[rows], optional
        Rows next to each other with the same number stay in one portion.
    least : int
        Rows of a portion, at least.

    Returns
    -------
    list of slice
        Consecutive; none without rows.
    """
    many = max(1, min(PORTIONS, rows // least))
    limits = np.arange(1, many) * rows // many
    if together is not None and rows:
        begins = np.append(np.flatnonzero(np.diff(together)) + 1, rows)
        limits = begins[np.searchsorted(begins, limits)]
    limits = np.unique(np.concatenate([[0], limits, [rows]])).tolist()
    return [slice(a, b) for a, b in pairwise(limits)]


def with_settings(function: Callable[..., object], **how: object) -> Callable[..., npt.NDArray[Any]]:
    """A routine of shapely with its settings, for `in_portions`: of arrays it makes an array."""
    return lambda *arrays: np.asarray(function(*arrays, **how))


def in_portions(
    function: Callable[..., object],
    *arrays: npt.NDArray[Any],
    together: IntArray | None = None,
    least: int = LEAST,
) -> npt.NDArray[Any]:
    """A function of aligned arrays that works row by row, asked of several portions of the rows at a time.

    Parameters
    ----------
    function : callable
        Of as many arrays as are given, to an array with one row for each of theirs.
    *arrays : array[n, ...]
        At least one.
    together, least
        See `portions`.

    Returns
    -------
    array[n, ...]
        What ``function(*arrays)`` gives.

    Raises
    ------
    Exception
        What the function raises, of the first portion where it does.
    """
    parts = portions(len(arrays[0]), together, least)
    if len(parts) < 2:
        return np.asarray(function(*arrays))
    for array in arrays:
        if array.dtype == object:
            # A collection reckons its box when that is first asked for: now, not in two threads at once.
            shapely.bounds(array)
    return np.concatenate(mapped(lambda rows: np.asarray(function(*(array[rows] for array in arrays))), parts))


def query_tree(tree: shapely.STRtree, geometry: npt.NDArray[np.object_], **how: Any) -> IntArray:
    """What a tree finds for many geometries.

    Parameters
    ----------
    tree : shapely.STRtree
    geometry : geometry[n]
    **how
        Predicate and distance.

    Returns
    -------
    int64[2, k]
        Geometries, sorted, and what was found for each: as `shapely.STRtree.query`.
    """
    shapely.bounds(geometry)  # see `in_portions`
    parts = portions(len(geometry))
    answers = mapped(lambda rows: tree.query(geometry[rows], **how) + np.array([[rows.start], [0]]), parts)
    return np.concatenate([np.zeros((2, 0), dtype=np.int64), *answers], axis=1)
