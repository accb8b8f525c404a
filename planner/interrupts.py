"""Ctrl-C: the end of the program before the solve, the end of the solve from then on."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Self


class Interrupts:
    """What Ctrl-C does: before the solve it ends the program; from then on the first one only ends the solve.

    The plan found until then is still checked and written; a second Ctrl-C gives up.
    """

    def __init__(self) -> None:
        self._solving = self._asked = False

    def __enter__(self) -> Self:
        self._before = signal.signal(signal.SIGINT, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._before)

    @contextmanager
    def stoppable(self) -> Iterator[Callable[[], bool]]:
        """Open the time in which Ctrl-C only asks; gives the question 'was it asked?'."""
        self._solving = True
        yield lambda: self._asked

    def _handle(self, _number: int, _frame: Any) -> None:
        if self._asked or not self._solving:
            raise KeyboardInterrupt
        self._asked = True
        if sys.__stderr__ is not None:  # straight to the descriptor: a handler must not enter a stream twice
            os.write(sys.__stderr__.fileno(), b"\nStopping with the best plan so far (Ctrl-C again gives up) ...\n")
