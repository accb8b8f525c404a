"""面积台账: every kind of area of each block and phase, never mixed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import pandas as pd

from planner.report.workbook.book import A4, Book
from planner.report.workbook.cells import Cell, Column, Row
from planner.report.workbook.projects import Projects
from planner.report.workbook.rounding import displayed
from planner.report.workbook.table import Table

KINDS: Final = (
    "net_mu",
    "between_mu",
    "boundary_mu",
    "ellipsoidal_mu",
    "footprint_mu",
    "cleared_mu",
    "accepted_mu",
    "certificate_mu",
)
COLUMNS: Final = (
    Column("no", "count", 6),
    Column("code", "code", 17),
    Column("name", width=20),
    Column("block", "code", 9),
    *(Column(f"area_{kind}", "mu", 12, sums=True) for kind in KINDS),
    Column("lacking", "count", 16, sums=True),
)


def write_areas(book: Book, projects: Projects) -> None:
    """Add the ledger of areas."""
    sheet = book.sheet("areas", paper=A4)
    table = Table(book, sheet, COLUMNS, book.heading(sheet, "areas"))
    ledger: Sequence[Mapping[str, Any]] = book.contents.summary.get("area_ledger") or ()
    end = table.write(list(_rows(book, projects, ledger)), frozen=3)
    counts = book.contents.config.optimise.counts
    notes = [book.words("note_areas", book.words(f"col_area_{_COUNTED[counts]}")), book.words("note_area_sums")]
    table.notes(end, [*notes, book.words("note_rounding")])


_COUNTED: Final = {"net": "net_mu", "boundary": "boundary_mu", "cleared": "cleared_mu", "accepted": "accepted_mu"}


def _rows(book: Book, projects: Projects, ledger: Sequence[Mapping[str, Any]]) -> Iterator[Row]:
    words, number = book.words, 0
    by_block = {str(r["block_id"]): r for r in ledger if r["block_id"] is not None}
    sums = {r["phase"]: r for r in ledger if r["block_id"] is None}
    shown = _shown(projects, by_block)
    phases = book.contents.config.optimise.phases
    present = sorted({p.phase for p in projects.rows.values()})
    for phase in present:
        mine = [p for p in projects.rows.values() if p.phase == phase]
        label = words("group_row", words("phase_row", phases[phase - 1].id), len(mine))
        yield Row({"no": label, **_unknown_sums(sums.get(phase))}, f"phase_{phase}", "group", [p.block for p in mine])
        for project in mine:
            number += 1
            cells: dict[str, Any] = {"no": number, "code": project.code, "name": project.name, "block": project.block}
            cells |= {f"area_{kind}": area for kind, area in shown[project.block].items()}
            yield Row(cells | {"lacking": int(by_block[project.block]["unknown"])}, project.block)
    label = words.title("total_row")
    yield Row({"no": label, **_unknown_sums(sums.get(None))}, "total", "total", [f"phase_{p}" for p in present])


def _unknown_sums(row: Mapping[str, Any] | None) -> dict[str, Any]:
    """Empty cells where a sum is unknown because one of its parcels is."""
    return {} if row is None else {f"area_{kind}": Cell() for kind in KINDS if row.get(kind) is None}


def _shown(projects: Projects, by_block: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """Areas as displayed, block → kind → mu, NaN where unknown; net areas are those of every other sheet."""
    phases = [p.phase for p in projects.rows.values()]
    found = {}
    for kind in KINDS:
        values = pd.Series({b: by_block[b].get(kind) for b in projects.rows}, dtype=float)
        found[kind] = projects.area("net") if kind == "net_mu" else displayed(values, phases)
    return {b: {kind: float(found[kind][b]) for kind in KINDS} for b in projects.rows}
