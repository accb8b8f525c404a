"""How the inner loops are compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from numba import njit

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """Compile to machine code, cached on disk, without the interpreter lock and without reference counting.

    The functions marked so allocate nothing. Counting references to the many arrays of a draft would take
    most of the time (measured on 300 parcels: 1.7 s against 0.2 s for 100 000 moves).
    """
    options: Any = {"cache": True, "nogil": True, "_nrt": False}
    marked: F = njit(**options)(function)
    return marked
