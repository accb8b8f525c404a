"""How long work tells what it is doing: one small protocol, a silent and a console form."""

from __future__ import annotations

from types import TracebackType
from typing import Final, Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Column

_LINE_EVERY_S: Final = 10.0


class ProgressReport(Protocol):
    """What a run tells while it works."""

    def stage(self, name: str) -> None:
        """A stage begins."""

    def done(self, text: str) -> None:
        """The stage ended; `text` gives its counts."""

    def solve(self, objective: float | None, bound: float, seconds: float) -> None:
        """Best plan, bound and seconds of the solve."""


class Silent:
    """Says nothing."""

    def stage(self, name: str) -> None:
        """Nothing."""

    def done(self, text: str) -> None:
        """Nothing."""

    def solve(self, objective: float | None, bound: float, seconds: float) -> None:
        """Nothing."""


class OnConsole:
    """Rich progress on a terminal: stages with their counts; in the solve the best plan, the bound and the gap.

    Where there is no terminal (a log file), the solve writes a line with its first plan and then every ten seconds at
    most.

    Parameters
    ----------
    console : rich.console.Console
        Where to write.
    time_limit_s : float
        Length of the bar in the solve.
    gap : float
        Relative gap at which the solve stops.
    currency : str
        Shown with the figures.
    """

    def __init__(self, console: Console, time_limit_s: float, gap: float, currency: str) -> None:
        self._console = console
        self._limit = time_limit_s
        self._gap = gap
        self._currency = currency
        self._name = ""
        self._task: TaskID | None = None
        self._last_line_s: float | None = None
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("[bold]{task.description}", table_column=Column(min_width=10, no_wrap=True)),
            BarColumn(bar_width=10, table_column=Column(min_width=10)),
            TimeElapsedColumn(table_column=Column(min_width=7)),
            TextColumn(
                "{task.fields[text]}", markup=False, table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis")
            ),
            console=console,
            transient=True,
            expand=True,
        )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._clear()
        self._progress.stop()

    def _clear(self) -> None:
        if self._task is not None:
            self._progress.remove_task(self._task)
            self._task = None

    def stage(self, name: str) -> None:
        """Start a bar."""
        self._clear()
        self._name = name
        self._task = self._progress.add_task(name, total=None, text="")

    def done(self, text: str) -> None:
        """Leave a line behind."""
        if self._task is not None:
            seconds = self._progress.tasks[-1].elapsed or 0.0
            self._clear()
            self._line(f"✓ {self._name:<10} {seconds:6.1f} s  {text}")

    def solve(self, objective: float | None, bound: float, seconds: float) -> None:
        """Show plan, bound and gap."""
        if self._task is None:
            return
        if objective is None:
            text = f"no plan yet, bound {bound:,.0f} {self._currency}"
        else:
            gap = f"{(bound - objective) / abs(objective):.2%}" if objective else "undefined"
            # the gap first: it is what is left where a narrow terminal cuts the line
            text = f"gap {gap} (stops at {self._gap:.2%}), best {objective:,.0f}, bound {bound:,.0f} {self._currency}"
        self._progress.update(self._task, total=self._limit, completed=min(seconds, self._limit), text=text)
        due = self._last_line_s is None or seconds - self._last_line_s >= _LINE_EVERY_S
        if due and objective is not None and not self._console.is_terminal:
            self._line(f"… {self._name:<10} {seconds:6.1f} s  {text}")
            self._last_line_s = seconds

    def _line(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)
