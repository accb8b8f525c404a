"""责任清单: every project's tasks with their deadlines, and who answers for them, filled in by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from planner.ledger_form import DEADLINE, DONE_BY, TASKS, TASKS_HAND
from planner.report.workbook.book import A3, Book
from planner.report.workbook.cells import Cell, Column, Row
from planner.report.workbook.months import Month
from planner.report.workbook.projects import GROUPS, Projects
from planner.report.workbook.table import Table

_FREQUENCIES: Final = ("daily", "weekly", "monthly", "quarterly")
_STATES: Final = ("not_started", "moving", "late", "closed")
_FROZEN: Final = 4


def write_tasks(book: Book, projects: Projects) -> None:
    """Add the responsibility list."""
    sheet = book.sheet("tasks", paper=A3)
    table = Table(book, sheet, _columns(book), book.heading(sheet, "tasks"))
    end = table.write(list(_rows(book, projects)), frozen=_FROZEN)
    notes = ["note_deadlines", "note_task_area", "note_hand", *([] if projects.months else ["note_no_months"])]
    texts = [book.words(key) for key in notes]
    if projects.months and not projects.calendar:
        texts.append(book.words("note_years", book.contents.config.optimise.base_year))
    table.notes(end, texts)


def _columns(book: Book) -> list[Column]:
    words = book.words
    frequencies = tuple(words(f"frequency_{key}") for key in _FREQUENCIES)
    states = tuple(words(f"state_{key}") for key in _STATES)
    return [
        Column("no", "count", 6),
        Column("code", "code", 17),
        Column("name", width=20),
        Column("task", width=30),
        Column("task_mu", "mu", 11),
        Column(DEADLINE, "code", 12),
        Column("leader", width=12, hand=True),
        Column("lead_unit", width=16, hand=True),
        Column("support_units", width=18, hand=True),
        Column("village_contact", width=14, hand=True),
        Column("team_leader", width=12, hand=True),
        Column("frequency", width=12, hand=True, choices=frequencies),
        Column("task_progress", width=20, hand=True),
        Column("task_done", "text", 9, hand=True),
        Column("to_coordinate", width=20, hand=True),
        Column("state", width=14, hand=True, choices=states),
    ]


def _rows(book: Book, projects: Projects) -> Iterator[Row]:
    words, decanted, number = book.words, decanted_months(projects), 0
    area = projects.figures.values["area_mu"]
    for group in GROUPS:
        mine = projects.of(group)
        yield Row({"no": words("group_row", words.title(f"group_{group}"), len(mine))}, kind="group")
        for project in mine:
            months = {**projects.months.get(project.block, {}), **decanted.get(project.block, {})}
            for task, typed in task_rows(projects, project.code):
                number += 1
                due = _deadline(book, projects, task, months, typed)
                cells: dict[str, Any] = {"state": words("state_not_started"), **typed, DEADLINE: due, "no": number}
                cells |= {"code": project.code, "name": project.name, "task": task_name(book, task)}
                yield Row(cells | {"task_mu": float(area[project.block])}, begins=task == TASKS[0])
    yield from _kept(book, projects)


def task_rows(projects: Projects, code: str) -> Iterator[tuple[str, Mapping[str, str]]]:
    """The tasks of a project, those that people added last, with what is typed."""
    mine = {task: cells for (owner, task), cells in sorted(projects.ledger.tasks.items()) if owner == code}
    for task in TASKS:
        yield task, _typed(mine.get(task, {}), task not in DONE_BY)
    yield from ((task, cells) for task, cells in mine.items() if task not in TASKS)


def task_name(book: Book, task: str) -> str:
    """Name of a task; one that people added has the name they gave it."""
    return book.words.title(f"task_{task}") if task in TASKS else task


def _typed(cells: Mapping[str, str], by_hand: bool) -> Mapping[str, str]:
    return {key: text for key, text in cells.items() if key in TASKS_HAND or by_hand}


def _deadline(book: Book, projects: Projects, task: str, months: Mapping[str, Month], typed: Mapping[str, str]) -> Cell:
    step = DONE_BY.get(task)
    if step is None:
        return Cell(typed.get(DEADLINE), hand=True)
    return Cell(months[step].text(book.words, calendar=projects.calendar) if step in months else None)


def _kept(book: Book, projects: Projects) -> Iterator[Row]:
    """What is typed for projects that are gone, and in rows without a code."""
    words, ledger = book.words, projects.ledger
    gone = [(code, task) for code, task in sorted(ledger.tasks) if code in projects.gone and ledger.tasks[code, task]]
    if gone:
        yield Row({"no": words("group_row", words.title("group_gone"), len(gone))}, kind="heading")
    for code, task in gone:
        name = ledger.cells.get(code, {}).get("name")
        cells: dict[str, Any] = {"code": code, "name": name, "task": task_name(book, task)}
        yield Row({**ledger.tasks[code, task], **cells}, kind="loose")
    if ledger.loose_tasks:
        yield Row({"no": words("group_row", words.title("group_loose"), len(ledger.loose_tasks))}, kind="heading")
        yield from (Row(dict(cells), kind="loose") for cells in ledger.loose_tasks)


def decanted_months(projects: Projects) -> dict[str, dict[str, Month]]:
    """Block → month in which the last of its firms has moved."""
    moves = projects.contents.modes.get("firm_moves")
    if moves is None:
        return {}
    moved = moves[(moves["status"] != "kept") & moves["leaves"].notna()]
    last = moved.groupby(moved["block_id"].astype(str))["leaves"].max()
    return {str(block): {"decanted": Month.ending(float(time))} for block, time in last.items()}
