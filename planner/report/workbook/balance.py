"""资金平衡表: outlays and incomes of the public by year and of every party, in 10 000 yuan, adding up as displayed."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

import pandas as pd

from planner.modes.balance import ACCOUNTS, HEAD
from planner.modes.displayed import in_wan_yuan
from planner.modes.flows import CENTS_PER_YUAN
from planner.modes.names import PARTY_NAMES
from planner.report.workbook.book import A3, Book
from planner.report.workbook.cells import Cell, Column, Kind, Row
from planner.report.workbook.months import year_text
from planner.report.workbook.projects import Projects
from planner.report.workbook.table import Table

_ON_A_PAGE: Final = 28
"""Columns that a page of A3 takes."""
_SIDES: Final = ("outlay", "income")
_NO_SUM: Final = {"peak_gap", "peak_gap_year", "retained_tax"}


def write_balance(book: Book, projects: Projects) -> None:
    """Add the funding balance, or say that there is none."""
    sheet = book.sheet("balance", paper=A3)
    at = book.heading(sheet, "balance")
    balance = book.contents.modes.get("funding_balance")
    if balance is None:
        _without(book, projects, Table(book, sheet, _PHASES, at + 2))
        return
    shown = _without_idle_years(in_wan_yuan(in_cents(balance)))
    table = Table(book, sheet, _columns(book, projects, shown), at)
    end = table.write(list(_rows(book, shown)), frozen=1, filtered=False, pages=-(-len(shown.columns) // _ON_A_PAGE))
    notes = [book.words("note_balance", book.words.money_unit), book.words("note_balance_parties")]
    if not projects.calendar:
        notes.append(book.words("note_years", book.contents.config.optimise.base_year))
    table.notes(end, notes)


def in_cents(balance: pd.DataFrame) -> pd.DataFrame:
    """A funding balance in yuan as one in cents; the row with a year stays as it is."""
    money = [c for c in balance.columns if c not in HEAD]
    values = balance[money].astype("Float64")
    in_yuan = (balance["unit"] == "yuan").to_numpy(dtype=bool)
    values[in_yuan] = (values[in_yuan] * CENTS_PER_YUAN).round()
    return pd.concat([balance[list(HEAD)], values], axis=1)


def _without_idle_years(shown: pd.DataFrame) -> pd.DataFrame:
    """Leave out the last years in which the public neither pays nor receives; their sums are 0."""
    columns = [str(c) for c in shown.columns if c not in HEAD]
    years = columns[: columns.index("total")]
    moving = shown[shown["section"].isin([*_SIDES, "memo"])]
    busy = [y for y in years if (moving[y].dropna() != 0).any()]
    idle = years[years.index(busy[-1]) + 1 :] if busy else []
    return shown.drop(columns=idle)


def _columns(book: Book, projects: Projects, shown: pd.DataFrame) -> list[Column]:
    keys = [str(c) for c in shown.columns if c not in HEAD]
    found = [Column("item", width=40)]
    for key in keys:
        if key in ACCOUNTS:
            name = PARTY_NAMES[key]
            head = name.zh if book.words.language == "zh" else f"{name.en}\n{name.zh}"
            found.append(Column(key, "money", 14, group="grp_parties", head=head))
        elif key == "total":
            found.append(Column(key, "money", 14, head=book.words.head("total_row")))
        else:
            head = year_text(book.words, int(key), calendar=projects.calendar)
            found.append(Column(key, "money", 12, group="grp_years", head=head))
    return found


def _rows(book: Book, shown: pd.DataFrame) -> Iterator[Row]:
    columns = [str(c) for c in shown.columns if c not in HEAD]
    years = columns[: columns.index("total")]
    for side in _SIDES:
        yield Row({"item": book.words.title(f"side_{side}")}, kind="heading")
        items = shown[(shown["section"] == side) & (shown["item"] != f"total_{side}")]
        for _, row in items.iterrows():
            yield Row(_cells(book, row, columns), f"{side}_{row['item']}")
        total = shown[shown["item"] == f"total_{side}"].iloc[0]
        terms = [f"{side}_{item}" for item in items["item"]]
        yield Row(_cells(book, total, columns, terms), f"total_{side}", "total")
    yield Row({"item": book.words.title("side_result")}, kind="heading")
    for _, row in shown[~shown["section"].isin(_SIDES)].iterrows():
        yield Row(_result(book, row, columns, years), str(row["item"]), "group" if row["item"] == "surplus" else "data")


def _cells(book: Book, row: pd.Series[Any], columns: list[str], terms: list[str] | None = None) -> dict[str, Any]:
    """Cells of a row; with `terms` each is the sum of those rows."""
    cells: dict[str, Any] = {"item": book.words.pick(str(row["name_zh"]), str(row["name_en"]))}
    for key in columns:
        value = _number(row[key])
        formula = f"=SUM({','.join(f'[{t}|{key}]' for t in terms)})" if terms else None
        year: Kind | None = "year" if row["item"] == "peak_gap_year" else None
        cells[key] = Cell(value, formula=formula if value is not None else None, kind=year)
    return cells


def _result(book: Book, row: pd.Series[Any], columns: list[str], years: list[str]) -> dict[str, Any]:
    """Surplus, running sum, peak gap, and the memo of retained tax, which is no part of the balance."""
    cells = _cells(book, row, columns)
    item = str(row["item"])
    if item in _NO_SUM:
        gap = cells["total"].value if item == "peak_gap" else None
        if gap:
            lowest = f"[cumulative|{years[0]}]:[cumulative|{years[-1]}]"
            cells["total"] = Cell(gap, formula=f"=MAX(0,-MIN({lowest}))")
        return cells
    for k, key in enumerate(columns):
        if item == "surplus":
            formula = f"=[total_income|{key}]-[total_outlay|{key}]"
        elif key in years and k:
            formula = f"=[cumulative|{columns[k - 1]}]+[surplus|{key}]"
        else:
            formula = f"=[surplus|{key}]"
        cells[key] = Cell(cells[key].value, formula=formula)
    return cells


def _number(value: Decimal | int | None) -> float | int | None:
    return float(value) if isinstance(value, Decimal) else value


_PHASES: Final = (
    Column("phase_id", width=18),
    Column("cleared_mu", "mu", 14, sums=True),
    Column("projects", "count", 12, sums=True),
    Column("cost_wan", "money", 20, sums=True),
)


def _without(book: Book, projects: Projects, table: Table) -> None:
    """No money table: the cost of each phase, if there is one."""
    style = book.style(bold=True)
    table.sheet.write_string(table.first_row - 1, 0, book.words("no_balance"), style)
    values, phases = projects.figures.values, book.contents.config.optimise.phases
    rows = []
    for k, phase in enumerate(phases, 1):
        mine = values.loc[[b for b, p in projects.rows.items() if p.phase == k]]
        cost = round(float(mine["investment_wan"].sum(min_count=1)), 2) if "investment_wan" in mine else None
        area = round(float(mine["area_mu"].sum()), 2)
        rows.append(Row({"phase_id": phase.id, "cleared_mu": area, "projects": len(mine), "cost_wan": cost}, f"p{k}"))
    names = [row.name for row in rows]
    end = table.write([*rows, Row({"phase_id": book.words.title("total_row")}, "all", "total", names)], filtered=False)
    cost_note = "note_cost" if "investment_wan" in values else "note_no_cost"
    table.notes(end, [book.words("note_no_modes"), book.words(cost_note)])
