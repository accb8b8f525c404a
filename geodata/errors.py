"""What goes wrong with land data, said in one form: where, what was found, what was expected, what to do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

SHOWN_IDS = 5


@dataclass(frozen=True)
class Issue:
    """One thing that is wrong with the input.

    Attributes
    ----------
    where : str
        File, layer, row, column or key, as the reader of the message would look for it.
    found : str
        What stands there.
    expected : str
        What should stand there.
    fix : str
        What to do about it.
    """

    where: str
    found: str
    expected: str
    fix: str

    def __str__(self) -> str:
        return f"{self.where}: found {self.found}; expected {self.expected}. {self.fix}"


class GeodataError(Exception):
    """Base of everything `geodata` raises on purpose."""


class DataError(GeodataError):
    """The input cannot be used; every issue of the stage is listed, not only the first.

    Parameters
    ----------
    issues : Issue or iterable of Issue
        At least one.
    """

    def __init__(self, issues: Issue | Iterable[Issue]) -> None:
        self.issues: tuple[Issue, ...] = (issues,) if isinstance(issues, Issue) else tuple(issues)
        if not self.issues:
            raise ValueError("a DataError needs at least one issue")
        super().__init__("\n".join(str(issue) for issue in self.issues))


class CrsError(DataError):
    """The coordinate reference system is missing, unknown or not fit for measuring."""


def list_ids(ids: Sequence[object]) -> str:
    """First five ids and a count, for messages: ``'a, b, c, d, e and 12 more'``."""
    shown = ", ".join(str(i) for i in ids[:SHOWN_IDS])
    rest = len(ids) - SHOWN_IDS
    return f"{shown} and {rest} more" if rest > 0 else shown
