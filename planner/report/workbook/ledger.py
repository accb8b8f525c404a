"""项目库台账: a row per block, by group, with what is filled in by hand; and the hidden sheet that a new run needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from planner.ledger_form import FORM, FORM_COLUMNS, LEDGER_HAND, VERSION
from planner.report.workbook.book import A3, Book
from planner.report.workbook.cells import Column, Row
from planner.report.workbook.figures import HALVES, has_control_lines
from planner.report.workbook.projects import GROUPS, TEXTS, Project, Projects
from planner.report.workbook.table import Table
from planner.report.workbook.text import plain

MONTHS: Final = ("signed", "demolished", "levelled", "accepted", "supplied", "started")
_FROZEN: Final = 3
_PAGES_WIDE: Final = 3

COLUMNS: Final = (
    Column("no", "count", 6),
    Column("code", "code", 17),
    Column("name", width=20, hand=True),
    Column("category", width=11),
    Column("township", width=10),
    Column("village", width=15),
    Column("collective", width=14),
    Column("zone", width=10),
    Column("bounds", width=20, hand=True),
    Column("direction", width=15, hand=True),
    Column("mode", width=22),
    Column("developer", width=16, hand=True),
    Column("area_mu", "mu", sums=True),
    Column("state_mu", "mu", group="grp_owned", sums=True),
    Column("collective_mu", "mu", group="grp_owned", sums=True),
    Column("stock_mu", "mu", group="grp_stock", sums=True),
    Column("new_mu", "mu", group="grp_stock", sums=True),
    Column("titled_mu", "mu", group="grp_papers", sums=True),
    Column("untitled_mu", "mu", group="grp_papers", sums=True),
    Column("net_mu", "mu", sums=True),
    Column("control_m2", "m2", sums=True),
    Column("floor_m2", "m2", 15, sums=True),
    Column("far_before", "far", group="grp_far"),
    Column("far_after", "far", group="grp_far"),
    Column("new_floor_wan_m2", "mu", 14, sums=True),
    Column("parcels", "count", 9, sums=True),
    Column("right_holders", "count", 11, sums=True),
    Column("firms", "count", 9, group="grp_firms", sums=True),
    Column("large_firms", "count", 11, group="grp_firms", sums=True),
    Column("tax_before", "far", 9, group="grp_tax"),
    Column("tax_after", "far", 9, group="grp_tax"),
    Column("output_before", "money", 9, group="grp_output"),
    Column("output_after", "money", 9, group="grp_output"),
    Column("income_before", "money", 12, group="grp_income", sums=True),
    Column("income_after", "money", 12, group="grp_income", sums=True),
    Column("renewal_code", width=14),
    Column("zoning", width=10),
    Column("signed_holders", "share", group="grp_signed"),
    Column("signed_area", "share", group="grp_signed"),
    *(Column(step, "code", 10, group="grp_planned") for step in MONTHS),
    Column("progress", width=16, hand=True),
    Column("investment_wan", "money", 14, sums=True),
    Column("gap_wan", "money", 13),
    Column("problems", width=20, hand=True),
    Column("remarks", width=20, hand=True),
    Column("block", "code", 9),
)
"""The form, and last the block's id in the plan, by which it is found on the map."""

_FACTS: Final[Mapping[str, str]] = {
    **{name: name for name in TEXTS},
    "state_mu": "state_mu",
    "stock_mu": "stock_mu",
    "titled_mu": "titled_mu",
    "floor_m2": "floor_m2",
    "far_before": "far",
    "right_holders": "right_holders",
    "firms": "firms",
    "large_firms": "large_firms",
    "tax_before": "tax_yuan",
    "output_before": "output_yuan",
    "income_before": "collective_income_yuan",
    "signed_area": "signed_share",
}
"""Column → fact of ``report.show`` that fills it."""


def write_ledger(book: Book, projects: Projects) -> None:
    """Add the ledger."""
    sheet = book.sheet("ledger", paper=A3)
    table = Table(book, sheet, COLUMNS, book.heading(sheet, "ledger"))
    end = table.write(list(_rows(book, projects)), frozen=_FROZEN, pages=_PAGES_WIDE)
    table.notes(end, list(_notes(book, projects)))


def _rows(book: Book, projects: Projects) -> Iterator[Row]:
    words, number = book.words, 0
    for group in GROUPS:
        mine = projects.of(group)
        label = words("group_row", words.title(f"group_{group}"), len(mine))
        yield Row({"no": label}, f"group_{group}", "group", tuple(p.block for p in mine))
        for project in mine:
            number += 1
            yield Row(project_cells(book, projects, project) | {"no": number}, project.block)
    everything = tuple(f"group_{g}" for g in GROUPS)
    yield Row({"no": words.title("total_row")}, "total", "total", everything)
    yield from _kept(book, projects)


def _kept(book: Book, projects: Projects) -> Iterator[Row]:
    """Projects that are gone, and rows without a code: nothing typed is lost."""
    words, ledger = book.words, projects.ledger
    if projects.gone:
        yield Row({"no": words("group_row", words.title("group_gone"), len(projects.gone))}, kind="heading")
        for code in projects.gone:
            yield Row({"code": code, "category": words("group_gone"), **ledger.cells.get(code, {})}, kind="loose")
    if ledger.loose:
        yield Row({"no": words("group_row", words.title("group_loose"), len(ledger.loose))}, kind="heading")
        yield from (Row(dict(cells), kind="loose") for cells in ledger.loose)


def project_cells(book: Book, projects: Projects, project: Project) -> dict[str, Any]:
    """Cells of the row of a project."""
    months = projects.months.get(project.block, {})
    return {
        "code": project.code,
        "category": book.words(f"group_{project.group}"),
        "zone": project.zone,
        "mode": mode_name(book, project.mode),
        "block": project.block,
        **project.texts,
        **{s: months[s].text(book.words, calendar=projects.calendar) for s in MONTHS if s in months},
        **projects.figures.cells(project.block),
        **projects.ledger.cells.get(project.code, {}),
    }


def mode_name(book: Book, mode: str | None) -> str | None:
    """Name of a mode, in Chinese, or in English."""
    modes = book.contents.config.modes
    if mode is None or modes is None:
        return mode
    names = {
        m.id: (m.name_zh if book.words.language == "zh" else m.name_en) or m.name_zh or m.id for m in modes.choices
    }
    return names.get(mode, mode)


def _notes(book: Book, projects: Projects) -> Iterator[str]:
    words, known = book.words, {*TEXTS} & {*projects.contents.shown} | {*projects.figures.values}
    yield words("note_groups")
    yield words("note_hand")
    lacking = [c for c in COLUMNS if c.key in _FACTS and c.key not in known]
    if lacking:
        names = "; ".join(f"{words(f'col_{c.key}')} ← report.show.{_FACTS[c.key]}" for c in lacking)
        yield words("note_facts", names)
    if book.contents.config.modes is None:
        yield words("note_no_modes")
    elif "space_blocks" in book.contents.modes and "income_after" not in known:
        yield words("note_space")
    if not has_control_lines(book.contents):
        yield words("note_no_overlays")
    yield from _cut_notes(book, projects)
    if "payments" in book.contents.modes:
        yield words("note_investment")
    elif "investment_wan" in known:
        yield words("note_cost")
    if projects.months and not projects.calendar:
        yield words("note_years", book.contents.config.optimise.base_year)
    yield words("note_unknown")
    yield words("note_rounding")
    yield words("note_codes")


def _cut_notes(book: Book, projects: Projects) -> Iterator[str]:
    """Parcels that are said to have more land of a kind than there is."""
    counts = {fact: int(n) for fact, n in projects.figures.cut.sum().items() if n and fact in dict(HALVES)}
    if counts:
        told = "; ".join(f"{book.words(f'col_{fact}')} {n}" for fact, n in counts.items())
        yield book.words("note_cut", told)


def write_memory(book: Book, projects: Projects) -> None:
    """Add the hidden sheet: which land each project has, those that are gone too."""
    sheet = book.file.add_worksheet(FORM)
    sheet.hide()
    label = book.words("synthetic_label") if book.contents.synthetic else ""
    for k, text in enumerate((FORM, VERSION, label)):
        sheet.write_string(0, k, text)
    for k, name in enumerate(FORM_COLUMNS):
        sheet.write_string(1, k, name)
    for at, (code, parcel, area, gone) in enumerate(_memory(projects), start=2):
        sheet.write_string(at, 0, plain(code))
        if parcel is not None:
            sheet.write_string(at, 1, parcel)
            sheet.write_number(at, 2, area)
        sheet.write_number(at, 3, int(gone))


def _memory(projects: Projects) -> Iterator[tuple[str, str | None, float, bool]]:
    parcels = projects.contents.tables.parcels
    mine = parcels[parcels["block_id"].notna()].sort_values("parcel_id")
    land = {
        str(block): list(zip(part["parcel_id"].astype(str), part["area_mu"].astype(float), strict=True))
        for block, part in mine.groupby(mine["block_id"].astype(str))
    }
    for project in projects.rows.values():
        yield from ((project.code, plain(i), area, False) for i, area in land[project.block])
    for code in projects.gone:
        before = projects.ledger.projects.get(code)
        rows = sorted(before.parcels.items()) if before is not None else []
        yield from ((code, i, area, True) for i, area in rows)
        if not rows:
            yield code, None, 0.0, True


assert tuple(c.key for c in COLUMNS if c.hand) == LEDGER_HAND
