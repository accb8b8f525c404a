"""主要指标: the figures that are asked for first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import numpy as np
import pandas as pd

from planner.report.workbook.book import A4, Book
from planner.report.workbook.cells import Cell, Column, Row
from planner.report.workbook.figures import WAN
from planner.report.workbook.projects import Projects
from planner.report.workbook.sums import BlockSums
from planner.report.workbook.table import Table

COLUMNS: Final = (
    Column("indicator", width=44),
    Column("indicator_value", "mu", 16),
    Column("unit", width=18),
    Column("indicator_note", width=70),
)
_LARGE_MU: Final = (100, 500, 1000)
_M2_PER_WAN_M2: Final = 10_000.0


def write_headline(book: Book, projects: Projects) -> None:
    """Add the headline indicators."""
    sheet = book.sheet("headline", paper=A4)
    at = book.heading(sheet, "headline")
    note = book.contents.config.project.note
    table = Table(book, sheet, COLUMNS, at)
    rows = [*_cleared(book), *_blocks(book, projects), *_yields(book, projects), *_money(book), *_standing(book)]
    end = table.write(rows, filtered=False)
    table.notes(end, [*([book.words("assumptions", note)] if note else []), book.words("note_unknown")])


def _row(book: Book, key: str, value: Any, unit: str, note: str = "", of: str = "", name: str = "") -> Row:
    """A row; counts are whole, the rest has two decimals, shares are in %."""
    cell = value if isinstance(value, Cell) else Cell(value)
    label = book.words(f"ind_{key}", *([of] if of else []))
    return Row({"indicator": label, "indicator_value": cell, "unit": unit, "indicator_note": note or None}, name)


def _cleared(book: Book) -> Iterator[Row]:
    """What each phase's target counts by its end, against floor and stretch."""
    words = book.words
    for phase in book.contents.summary.get("phases") or ():
        reached, k = round(float(phase["cumulative_mu"]), 2), phase["phase"]
        counted = words("counts_what", words(f"kind_{phase['counts']}"))
        if phase.get("milestone"):
            counted += words("counts_when", words(f"col_{phase['milestone']}"))
        yield _row(book, "cleared", reached, words("mu"), counted, str(phase["id"]), f"cleared{k}")
        for goal in ("target_mu", "stretch_mu"):
            if phase.get(goal):
                share = Cell(100 * reached / phase[goal], formula=f"=100*[cleared{k}|]/{phase[goal]!r}")
                aim = words("of_goal", f"{phase[goal]:,.2f}")
                yield _row(book, f"of_{goal}", share, "%", aim, str(phase["id"]))


def _blocks(book: Book, projects: Projects) -> Iterator[Row]:
    area = book.contents.tables.blocks["area_mu"].astype(float)
    unit = book.words("blocks_unit")
    for least in _LARGE_MU:
        yield _row(book, "contiguous", Cell(int((area >= least).sum()), kind="count"), unit, of=f"{least:,}")
    if len(area):
        names = book.contents.tables.blocks["block_id"].astype(str).tolist()
        largest = names[int(np.argmax(area.to_numpy()))]
        note = f"{projects.rows[largest].code} ({largest})"
        yield _row(book, "largest", round(float(area.max()), 2), book.words("mu"), note)


def _yields(book: Book, projects: Projects) -> Iterator[Row]:
    words, contents = book.words, book.contents
    years = contents.modes.get("space_years")
    if years is not None:
        floor = years[(years["figure"] == "floor_m2") & (years["kind"] == "increment")]
        if len(floor) and floor["amount"].notna().any():
            last = floor[floor["year"] == floor["year"].max()]
            built = float(last["amount"].sum(min_count=1)) / _M2_PER_WAN_M2
            value = Cell(None if np.isnan(built) else built, int(last["unknown_parcels"].sum()))
            yield _row(book, "new_floor", value, words("wan_m2"), words("when_built"))
    for key in ("firms", "large_firms"):
        if key in projects.figures.values:
            total = replace(projects.figures.total(key), kind="count")
            yield _row(book, key, total, words("firms_unit"), words("on_the_land"))
    yield from _per_mu(book, projects)
    sums = BlockSums(contents.tables.parcels, list(projects.rows))
    if "signed_share" in contents.shown:
        by_area = _mean(sums, projects, "signed_share", None)
        yield _row(book, "signed_area", by_area, "%")
        if "right_holders" in contents.shown:
            yield _row(book, "signed_holders", _mean(sums, projects, "signed_share", "right_holders"), "%")


def _mean(sums: BlockSums, projects: Projects, fact: str, weight: str | None) -> Cell:
    """Mean of a share over all land of the plan, in %, by area or by another fact, over what is known."""
    shown = projects.contents.shown.set_axis(projects.contents.shown.index.astype(str))
    area = sums.area()
    share = shown[fact].reindex(area.index).astype("Float64").to_numpy(dtype=float, na_value=np.nan)
    weights = area if weight is None else shown[weight].reindex(area.index).astype("Float64")
    by = weights.to_numpy(dtype=float, na_value=np.nan)
    known = ~(np.isnan(share) | np.isnan(by))
    total = by[known].sum()
    return Cell(100 * float((share[known] * by[known]).sum() / total) if total > 0 else None, int((~known).sum()))


def _per_mu(book: Book, projects: Projects) -> Iterator[Row]:
    """Tax and output per mu before and after, income of the collectives."""
    words, contents = book.words, book.contents
    area = BlockSums(contents.tables.parcels, list(projects.rows)).area()
    shown = contents.shown.set_axis(contents.shown.index.astype(str)).reindex(area.index)
    per_mu = words("per_mu", book.words.money_unit)
    for name in ("tax", "output"):
        fact = f"{name}_yuan"
        if fact in shown:
            known = shown[fact].notna()
            mu = float(area[known].sum())
            value = float(shown.loc[known, fact].sum()) / WAN / mu if mu else None
            yield _row(book, f"{name}_before", Cell(value, int((~known).sum())), per_mu)
        after = contents.modes.get("space_blocks")
        if after is not None and after[f"after_{fact}"].notna().any():
            lost = int(after[f"after_{fact}_unknown_parcels"].sum())
            mu = float((after["area_mu"] - after[f"after_{fact}_unknown_mu"]).sum())
            value = float(after[f"after_{fact}"].sum()) / WAN / mu if mu else None
            yield _row(book, f"{name}_after", Cell(value, lost), per_mu, words("when_full"))
    for name in ("income_before", "income_after"):
        if name in projects.figures.values:
            yield _row(book, name, projects.figures.total(name), words("a_year", book.words.money_unit))


def _money(book: Book) -> Iterator[Row]:
    parties = book.contents.modes.get("parties")
    if parties is None:
        return
    public = parties[parties["party"] == "public"].iloc[0]
    year = public["year"]
    note = "" if pd.isna(year) else book.words("in_year", int(year))
    yield _row(book, "peak_gap", float(public["peak_gap_yuan"]) / WAN, book.words.money_unit, note)


def _standing(book: Book) -> Iterator[Row]:
    """How good the plan is known to be."""
    summary, words = book.contents.summary, book.words
    if summary.get("gap") is not None:
        yield _row(book, "gap", 100 * float(summary["gap"]), "%", words("gap_meaning"))
    check = summary.get("check")
    if check:
        said = words("check_passed" if check.get("passed") else "check_failed", check.get("warnings", 0))
        yield _row(book, "check", None, "", said)
