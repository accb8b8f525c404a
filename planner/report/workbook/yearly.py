"""年度实施计划: what is cleared in each year, by circle and village, against the targets."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from planner.config import PhaseSpec, ZoneTargetSpec
from planner.report.workbook.book import A3, Book
from planner.report.workbook.cells import Cell, Column, Row
from planner.report.workbook.figures import investment_by_year
from planner.report.workbook.ledger import mode_name
from planner.report.workbook.months import year_text
from planner.report.workbook.projects import BETWEEN, Project, Projects
from planner.report.workbook.table import Table

QUARTERS: Final = ("q1", "q2", "q3", "q4")
_FROZEN: Final = 3

COLUMNS: Final = (
    Column("no", "count", 6),
    Column("code", "code", 17),
    Column("name", width=20),
    Column("village", width=17),
    Column("mode", width=22),
    Column("area_mu", "mu", sums=True),
    Column("carried_mu", "mu", sums=True),
    *(Column(q, "mu", group="grp_quarters", sums=True) for q in QUARTERS),
    Column("year_mu", "mu", sums=True),
    Column("cumulative_mu", "mu", sums=True),
    Column("of_target", "share", 10),
    Column("floor_mu", "mu", group="grp_targets"),
    Column("stretch_mu", "mu", group="grp_targets"),
    Column("year_wan", "money", 15, sums=True),
    Column("started", "code", 11),
    Column("accepted", "code", 11),
)


@dataclass(frozen=True)
class Period:
    """A year of the plan, or without months a phase.

    Attributes
    ----------
    key : str
        Its own.
    title : str
    phase : int or None
        Phase whose target it works for, from 1; None after the last.
    year : int or None
        None: the period is the whole phase.
    last : bool
        The target falls due at its end.
    """

    key: str
    title: str
    phase: int | None
    year: int | None
    last: bool


def write_yearly(book: Book, projects: Projects) -> None:
    """Add the yearly plan."""
    sheet = book.sheet("yearly", paper=A3)
    table = Table(book, sheet, COLUMNS, book.heading(sheet, "yearly"))
    sections = [_Section(book, projects, period) for period in periods(book, projects)]
    rows = [row for section in sections for row in section.rows()]
    rows += _all_years(book, sections)
    end = table.write(rows, frozen=_FROZEN)
    words = book.words
    notes = [words("note_yearly" if projects.months else "note_yearly_phases"), words("note_targets")]
    if projects.months and not projects.calendar:
        notes.append(words("note_years", book.contents.config.optimise.base_year))
    paid = "payments" in book.contents.modes
    notes += [words("note_investment"), words("note_all_years")] if paid else [words("note_year_cost")]
    table.notes(end, [*notes, words("note_rounding")])


def periods(book: Book, projects: Projects) -> list[Period]:
    """The years from the first launch or investment to the last land that counts or investment, or the phases.

    Building goes on, and is paid for, when the land has long been counted. Without months the phases.
    """
    words, phases = book.words, book.contents.config.optimise.phases
    if not projects.months:
        before = [book.contents.config.optimise.base_year, *(p.year for p in phases)]
        return [
            Period(p.id, words("phase_title", p.id, _span(book, projects, a, p.year)), k, None, last=True)
            for k, (p, a) in enumerate(zip(phases, before, strict=False), 1)
        ]
    steps = {"launched", *_steps(book)}
    reached = [m.year for months in projects.months.values() for s, m in months.items() if s in steps]
    if "payments" in book.contents.modes:
        reached += [int(year) for year in investment_by_year(book.contents, projects.figures).columns]
    years = range(min(reached), max(reached) + 1)
    found = []
    for year in years:
        phase = next((k for k, p in enumerate(phases, 1) if p.year >= year), None)
        title = year_text(words, year, calendar=projects.calendar)
        due = phase is not None and phases[phase - 1].year == year
        found.append(Period(str(year), title, phase, year, due))
    return found


def _steps(book: Book) -> set[str]:
    optimise = book.contents.config.optimise
    return {p.milestone or optimise.milestone for p in optimise.phases}


def _span(book: Book, projects: Projects, before: int, year: int) -> str:
    first, last = (year_text(book.words, y, calendar=projects.calendar) for y in (min(before + 1, year), year))
    return last if first == last or projects.calendar and before < 1 else f"{first}–{last}"  # noqa: RUF021


def _all_years(book: Book, sections: Sequence[_Section]) -> Iterator[Row]:
    """The investment of all years, which is that of the ledger."""
    if len(sections) < 2 or not any(section.spent for section in sections):
        return
    terms = ",".join(f"[{_id(f'{section.period.key} total')}|year_wan]" for section in sections)
    total = round(math.fsum(value for section in sections for value in section.spent.values()), 2)
    yield Row(
        {"no": book.words.title("all_years_row"), "year_wan": Cell(total, formula=f"=SUM({terms})")}, kind="total"
    )


class _Section:
    """Rows of one period."""

    def __init__(self, book: Book, projects: Projects, period: Period) -> None:
        self.book, self.projects, self.period = book, projects, period
        optimise = book.contents.config.optimise
        phase = optimise.phases[(period.phase or len(optimise.phases)) - 1]
        self.goal = phase if period.phase is not None else None
        self.step = phase.milestone or optimise.milestone
        self.area = projects.area(phase.counts or optimise.counts)
        self.spent = self._investment()

    def rows(self) -> Iterator[Row]:
        """Title, circles with their villages and projects, total, target, difference."""
        key, words = self.period.key, self.book.words
        tree: dict[str, dict[str, list[Project]]] = {}
        for project in self._listed():
            zone = project.zone or words("no_zone")
            tree.setdefault(zone, {}).setdefault(self._village(project), []).append(project)
        yield Row({"no": self.period.title}, kind="section")
        names, number = [], 0
        for zone in sorted(tree):
            name = f"{key} {zone}"
            names.append(_id(name))
            parts = [_id(f"{name} {village}") for village in sorted(tree[zone])]
            yield Row({"no": words("zone_row", zone), **self._zone_goal(zone)}, _id(name), "group", parts)
            for village, part in zip(sorted(tree[zone]), parts, strict=True):
                mine = tree[zone][village]
                yield Row({"no": village}, part, "subgroup", [_id(f"{key} {p.block}") for p in mine])
                for project in mine:
                    number += 1
                    yield Row(self._cells(project) | {"no": number}, _id(f"{key} {project.block}"))
        yield from self._ends(names)

    def _listed(self) -> list[Project]:
        """Projects worked on: launched by the end of the year, and not counted before it."""
        rows, year = self.projects.rows.values(), self.period.year
        if year is None:
            return [p for p in rows if p.phase == self.period.phase]
        found = []
        for project in rows:
            months = self.projects.months[project.block]
            launched, counted = months.get("launched"), months.get(self.step)
            if launched is not None and launched.year <= year and (counted is None or counted.year >= year):
                found.append(project)
        return found

    def _village(self, project: Project) -> str:
        """The village with most land of the project."""
        named = project.texts["village"].value if "village" in project.texts else None
        return str(named).split(BETWEEN)[0] if named else self.book.words("unknown_village")

    def _cells(self, project: Project) -> dict[str, Any]:
        year, area = self.period.year, float(self.area[project.block])
        months = self.projects.months.get(project.block, {})
        cells: dict[str, Any] = {
            "code": project.code,
            "name": project.name,
            "village": project.texts.get("village"),
            "mode": mode_name(self.book, project.mode),
            "area_mu": area,
            "year_wan": self.spent.get(project.block),
        }
        if year is None:
            return cells | self._reached(area)
        counted = months.get(self.step)
        quarter = counted.quarter if counted is not None and counted.year == year else None
        cells |= {q: area if quarter == k else 0.0 for k, q in enumerate(QUARTERS, 1)}
        cells |= {"carried_mu": area if months["launched"].year < year else 0.0}
        cells |= {
            step: months[step].text(self.book.words, calendar=self.projects.calendar)
            for step in ("started", "accepted")
            if step in months
        }
        return cells | self._reached(0.0 if quarter is None else area)

    def _reached(self, area: float) -> dict[str, Any]:
        """What comes to count in the period; NaN = an area of the counted kind is unknown."""
        return {"year_mu": area, "cumulative_mu": area, "of_target": _share(area, _floor(self.goal))}

    def _ends(self, names: list[str]) -> Iterator[Row]:
        """Earlier years, 合计, 目标, 差额."""
        words, key = self.book.words, self.period.key
        earlier, total, target = (_id(f"{key} {name}") for name in ("earlier", "total", "goal"))
        before = round(float(self.area[self._before()].sum()), 2)
        inside = math.fsum(self._cells(project)["cumulative_mu"] for project in self._listed())
        both, floor = round(before + inside, 2), _floor(self.goal)
        cells = {"no": words("earlier_row"), "cumulative_mu": before, "year_wan": self._spent_elsewhere()}
        yield Row(cells, earlier, "subgroup")
        share = Cell(_share(both, floor), formula=f"=[|cumulative_mu]/[{target}|floor_mu]")
        yield Row({"no": words.title("total_row"), "of_target": share}, total, "total", [*names, earlier])
        if self.goal is None:
            return
        due = words("target_by", self.goal.id, year_text(words, self.goal.year, calendar=self.projects.calendar))
        yield Row({"no": due, "floor_mu": floor, "stretch_mu": self.goal.stretch_mu}, target, "total")
        over = {
            name: Cell(round(both - goal, 6), formula=f"=[{total}|cumulative_mu]-[{target}|{name}]")
            for name, goal in (("floor_mu", floor), ("stretch_mu", self.goal.stretch_mu))
            if goal is not None
        }
        yield Row({"no": words.title("difference_row"), **over}, kind="total")

    def _before(self) -> list[str]:
        """Blocks that counted before this period."""
        year, rows = self.period.year, self.projects.rows
        if year is None:
            return [b for b, p in rows.items() if p.phase < (self.period.phase or 0)]
        steps = ((b, self.projects.months[b].get(self.step)) for b in rows)
        return [block for block, month in steps if month is not None and month.year < year]

    def _zone_goal(self, zone: str) -> dict[str, Any]:
        goal = None if self.goal is None else self.goal.zones.get(zone)
        return {} if goal is None else {"floor_mu": _floor(goal), "stretch_mu": goal.stretch_mu}

    def _investment(self) -> dict[str, float]:
        """Investment of each project in the year, 10 000 of the currency; without months cost of those of the phase."""
        contents, year = self.projects.contents, self.period.year
        if year is not None and "payments" in contents.modes:
            years = investment_by_year(contents, self.projects.figures)
            shown = years[year] if year in years else pd.Series(0.0, years.index)
        elif year is None and "investment_wan" in self.projects.figures.values:
            costs = self.projects.figures.values["investment_wan"]
            shown = costs.loc[[project.block for project in self._listed()]].dropna()
        else:
            return {}
        return {str(block): float(value) for block, value in shown.to_dict().items()}

    def _spent_elsewhere(self) -> float | None:
        """Investment of the year in projects that are not listed: they counted before, and are being built."""
        if self.period.year is None or not self.spent:
            return None
        listed = {project.block for project in self._listed()}
        return round(math.fsum(value for block, value in self.spent.items() if block not in listed), 2)


def _floor(goal: PhaseSpec | ZoneTargetSpec | None) -> float | None:
    return goal.target_mu if goal is not None and goal.target_mu else None


def _share(area: float, floor: float | None) -> float | None:
    return None if floor is None else area / floor


def _id(name: str) -> str:
    """Name of a row for formulas: letters of any script and digits; the rest by number, so that none coincide."""
    return "".join(c if c.isalnum() else f"_{ord(c)}_" for c in name)
