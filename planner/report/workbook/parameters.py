"""参数及来源: figures with unit, source and date, targets, weights, settings, and what identifies the run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from planner.report.workbook.book import A4, Book
from planner.report.workbook.cells import Column, Row
from planner.report.workbook.table import Table

COLUMNS: Final = (
    Column("parameter", width=44),
    Column("parameter_of", width=20),
    Column("parameter_value", "number", 16),
    Column("unit", width=15),
    Column("source", width=26),
    Column("source_date", "code", 12),
    Column("parameter_note", width=56),
)
_SECTIONS: Final = ("block", "filler", "weights", "cost", "earliest")
"""Of ``optimise``, below the targets."""


def write_parameters(book: Book) -> None:
    """Add the parameters."""
    sheet = book.sheet("parameters", paper=A4)
    table = Table(book, sheet, COLUMNS, book.heading(sheet, "parameters"))
    parts = (("figures", _figures), ("targets", _targets), ("criteria", _criteria), ("rules", _rules), ("run", _run))
    rows: list[Row] = []
    for name, part in parts:
        mine = list(part(book))
        if mine:
            rows += [Row({"parameter": book.words.title(f"part_{name}")}, kind="heading"), *mine]
    end = table.write(rows, frozen=1)
    notes = ["note_parameters", *([] if book.contents.config.modes is not None else ["note_no_figures"])]
    table.notes(end, [book.words(key) for key in notes])


def _row(name: str, value: Any, unit: str = "", **more: Any) -> Row:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    plain = value if number or value is None else str(value)
    return Row({"parameter": name, "parameter_value": plain, "unit": unit or None, **more})


def _figures(book: Book) -> Iterator[Row]:
    """Every figure of the modes; one that differs by a field has a row for each of its texts."""
    modes = book.contents.config.modes
    for name, figure in modes.figures.items() if modes is not None else ():
        said = {"source": figure.source, "source_date": figure.date, "parameter_note": figure.note}
        if figure.values is None:
            yield _row(name, figure.value, figure.unit, **said)
        else:
            for key, value in figure.values.items():
                yield _row(name, value, figure.unit, parameter_of=f"{figure.by} = {key}", **said)


def _targets(book: Book) -> Iterator[Row]:
    """Targets, most area, budget of every phase; those of zones and groups."""
    optimise, words = book.contents.config.optimise, book.words
    currency = book.contents.config.project.currency
    for phase in optimise.phases:
        yield _row(words("phase_year"), phase.year, parameter_of=phase.id)
        yield from _goal(book, phase.id, phase)
        if phase.budget is not None:
            yield _row(words("budget"), phase.budget, currency, parameter_of=phase.id)
        for zone, goal in phase.zones.items():
            yield from _goal(book, f"{phase.id} · {zone}", goal)
        for group in optimise.groups:
            if phase.id in group.phases:
                yield from _goal(book, f"{phase.id} · {group.name}", group.phases[phase.id])


def _goal(book: Book, of: str, goal: Any) -> Iterator[Row]:
    optimise = book.contents.config.optimise
    said = {
        "parameter_of": of,
        "parameter_note": book.words("counts_what", book.words(f"kind_{goal.counts or optimise.counts}")),
    }
    if book.contents.config.modes is not None:
        step = book.words(f"col_{goal.milestone or optimise.milestone}")
        said["parameter_note"] += book.words("counts_when", step)
    yield _row(book.words("target"), goal.target_mu, book.words("mu"), **said)
    for key, unit in (("stretch_mu", "mu"), ("target_max_mu", "mu"), ("target_floor_m2", "m2")):
        value = getattr(goal, key)
        if value:
            yield _row(book.words(key), value, book.words(unit), **said)


def _criteria(book: Book) -> Iterator[Row]:
    """Criteria of low efficiency: weight, and how a value becomes a mark."""
    for criterion in book.contents.config.scoring.criteria:
        how = criterion.normalise.model_dump()
        method = how.pop("method")
        numbers = ", ".join(f"{key} {value:g}" for key, value in how.items())
        note = f"{criterion.value}; {criterion.direction}; {method} {numbers}".strip()
        yield _row(criterion.name, criterion.weight, book.words("weight"), parameter_note=note)


def _rules(book: Book) -> Iterator[Row]:
    """Further settings by their keys in the configuration."""
    config = book.contents.config
    optimise = config.optimise.model_dump(mode="json", by_alias=True)
    chosen = {f"optimise.{name}": optimise[name] for name in _SECTIONS if optimise.get(name)}
    chosen |= {f"optimise.{name}": optimise[name] for name in ("counts", "discount_rate", "base_year", "contiguity")}
    chosen |= {name: getattr(config, name).model_dump(mode="json") for name in ("adjacency", "areas", "solve")}
    for name, value in _flat(chosen):
        yield _row(name, None, parameter_note=value) if isinstance(value, str) else _row(name, value)


def _flat(tree: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            yield from _flat(value, f"{prefix}.{key}" if prefix else str(key))
    elif isinstance(tree, (list, tuple)):
        for k, value in enumerate(tree, 1):
            yield from _flat(value, f"{prefix}[{k}]")
    elif tree is not None:
        yield prefix, tree


def _run(book: Book) -> Iterator[Row]:
    """What identifies the run, and how good the plan is known to be."""
    summary, words = book.contents.summary, book.words
    currency = book.contents.config.project.currency
    for key in ("version", "config_hash", "input_hash", "crs", "area_measured", "seed", "status", "stopped_by"):
        if summary.get(key) is not None:
            yield _row(words(f"run_{key}"), None, parameter_note=str(summary[key]))
    for key in ("objective", "bound", "gap_abs"):
        if summary.get(key) is not None:
            yield _row(words(f"run_{key}"), float(summary[key]), currency)
    if summary.get("gap") is not None:
        yield _row(words("run_gap"), 100 * float(summary["gap"]), "%")
    if summary.get("bound_proof") is not None:
        yield _row(words("run_bound_proof"), None, parameter_note=str(summary["bound_proof"]))
    check = summary.get("check")
    if check:
        said = words("check_passed" if check.get("passed") else "check_failed", check.get("warnings", 0))
        yield _row(words("run_check"), None, parameter_note=said)
