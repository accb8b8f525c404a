"""When a solve ends: gap, counted work, clock, or the user."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Stop:
    """Stopping rule of a solve.

    Attributes
    ----------
    gap : float
        Stop at this relative gap.
    time_limit_s : float
        Stop after this many seconds.
    work_limit : int or None
        Stop after this many search rounds. With it (or by gap) a solve can be repeated to the letter; by the clock not.
    interrupted : callable
        Asked between short steps; True ends the solve with the best plan so far.
    """

    gap: float = 0.01
    time_limit_s: float = 60.0
    work_limit: int | None = None
    interrupted: Callable[[], bool] = field(default=lambda: False)


class Clock:
    """Seconds since a start against a limit."""

    def __init__(self, limit_s: float) -> None:
        self._start = time.monotonic()
        self._limit = limit_s

    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._start

    def remaining(self) -> float:
        """Seconds left, negative when over."""
        return self._limit - self.elapsed()

    def over(self) -> bool:
        """Whether the limit has passed."""
        return self.remaining() <= 0
