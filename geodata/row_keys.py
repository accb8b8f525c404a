"""One number per row of numbers, so that rows can be sought and compared as fast as numbers."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from geodata.contract import BoolArray, FloatArray, IntArray

KeyArray: TypeAlias = npt.NDArray[np.uint64]


def row_keys(rows: FloatArray) -> KeyArray:
    """Hash of each row.

    Parameters
    ----------
    rows : float64[n, k]
        Finite numbers.

    Returns
    -------
    uint64[n]
        Rows that are alike give the same one; of two that differ, by chance about one pair in 2**64.
    """
    # + 0.0 makes one zero of the two.
    bits = np.ascontiguousarray(rows + 0.0).view(np.uint64)
    key = np.zeros(len(bits), dtype=np.uint64)
    for column in bits.T:
        key = (key ^ column) * np.uint64(0x9E3779B97F4A7C15)
        key ^= key >> np.uint64(29)
    # So that sums of keys are as different as the keys are (the last step of splitmix64).
    key *= np.uint64(0x94D049BB133111EB)
    key ^= key >> np.uint64(31)
    return key


def distinct(keys: IntArray) -> IntArray:
    """Whole numbers, each once and sorted, as `numpy.unique`, but by sorting: faster where most come many times."""
    along = np.sort(keys)
    return along[np.flatnonzero(np.append(True, along[1:] != along[:-1])[: len(along)])]


def how_often(keys: KeyArray, along: KeyArray) -> IntArray:
    """How often each key is among others.

    Parameters
    ----------
    keys : uint64[n]
        In any order.
    along : uint64[m]
        Sorted.

    Returns
    -------
    int64[n]
    """
    # Sought in order, they are found where the last one was: several times as fast.
    order = np.argsort(keys)
    sought = keys[order]
    times = np.empty(len(keys), dtype=np.int64)
    times[order] = np.searchsorted(along, sought, "right") - np.searchsorted(along, sought, "left")
    return times


def rows_of(keys: KeyArray, along: KeyArray) -> IntArray:
    """Rows of sorted keys that are one of some.

    Parameters
    ----------
    keys : uint64[n]
        In any order, each once.
    along : uint64[m]
        Sorted.

    Returns
    -------
    int64[k]
    """
    first, after = (np.searchsorted(along, keys, side) for side in ("left", "right"))
    times = after - first
    return np.asarray(np.repeat(first - np.cumsum(times) + times, times) + np.arange(times.sum()))


def is_among(keys: KeyArray, others: KeyArray) -> BoolArray:
    """Which keys are among others, as `numpy.isin`, but by sorting: several times as fast for a million keys."""
    if not len(others):
        return np.zeros(len(keys), dtype=bool)
    return how_often(keys, np.sort(others)) > 0
