"""``summary.md``: what a planner reads first, made from the dictionary of ``summary.json``."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

Summary = Mapping[str, Any]

_STATUS = {
    "optimal": "a plan was found, and it is proven to be the best possible (within the configured gap)",
    "feasible": "a plan was found; it keeps every rule, and the gap says how far it may be from the best possible",
    "infeasible": "no plan exists: the targets are proven to be out of reach",
    "no_plan": "no plan was found in time; that does not prove that there is none",
    "rejected": "the plan failed its independent check and is not to be used",
}


def summary_markdown(summary: Summary) -> str:
    """Planner-readable summary of a run.

    Parameters
    ----------
    summary : mapping
        The dictionary of ``summary.json``. Keys that are absent (there are fewer where no plan was found) are passed
        over; values that are present but unknown are called unknown.

    Returns
    -------
    str
        Markdown, areas in mu with 2 decimals, money grouped and with its currency; ends with a newline.
    """
    sections: tuple[Callable[[Summary], list[str]], ...] = (
        _heading,
        _result,
        _shortfalls,
        _phases,
        _zones,
        _blocks,
        _areas,
        _check,
        _data_quality,
        _repair,
        _counts,
        _provenance,
    )
    parts = ["\n".join(lines) for section in sections if (lines := section(summary))]
    return "\n\n".join(parts) + "\n"


def _heading(summary: Summary) -> list[str]:
    project = summary.get("project", {})
    lines = [f"# {_text(project.get('name', 'Plan'))}"]
    if project.get("synthetic"):
        lines += ["", "**SYNTHETIC: generated land, not a real place.**"]
    if project.get("note"):
        lines += ["", f"Assumptions: {_text(project['note'])}"]
    return lines


def _result(summary: Summary) -> list[str]:
    status = summary.get("status")
    if status is None:
        return []
    lines = ["## Result", "", f"**{_text(status)}**: {_STATUS.get(status, 'see the figures below')}."]
    if summary.get("interrupted"):
        lines += ["", "The run was interrupted; this is the best plan found until then."]
    if summary.get("message"):
        lines += ["", _text(summary["message"])]
    currency = _currency(summary)
    rows: list[Sequence[str]] = []
    for key, label in (("objective", "Worth of the plan"), ("bound", "Most any plan can be worth")):
        if key in summary:
            rows.append((label, _money(summary[key], currency)))
    if "gap" in summary and "objective" in summary:
        rows.append(("Gap", _percent(summary["gap"])))
    if summary.get("gap_abs") is not None:
        rows.append(("Gap, absolute", _money(summary["gap_abs"], currency)))
    for key, label in (("bound_proof", "How the bound was proven"), ("stopped_by", "Stopped by")):
        if summary.get(key) is not None:
            rows.append((label, _text(summary[key])))
    return [*lines, "", *_table(("", ""), rows)] if rows else lines


def _shortfalls(summary: Summary) -> list[str]:
    rows = [
        (
            _text(s["target"]),
            _mu(s.get("target_mu")),
            _mu(s.get("proven_max_mu"), "not computed"),
            _mu(s.get("found_mu"), "no plan"),
        )
        for s in summary.get("shortfalls", ())
    ]
    header = ("Target", "asked for, mu", "proven maximum, mu", "found, mu")
    return ["## Targets out of reach", "", *_table(header, rows, "lrrr")] if rows else []


def _phases(summary: Summary) -> list[str]:
    phases = summary.get("phases") or ()
    return ["## Phases", "", *_phase_table(phases, _currency(summary))] if phases else []


def _zones(summary: Summary) -> list[str]:
    lines: list[str] = []
    for name, zone in (summary.get("zones") or {}).items():
        if zone.get("phases"):
            lines += ["", f"### {_text(name)}", "", *_phase_table(zone["phases"], _currency(summary))]
    return ["## Zones", *lines] if lines else []


def _phase_table(phases: Sequence[Mapping[str, Any]], currency: str) -> list[str]:
    """Areas and targets; years, stretch targets, blocks and cost only where some phase has them."""

    def any_has(key: str) -> bool:
        return any(p.get(key) is not None for p in phases)

    columns: list[tuple[str, str, Callable[[Mapping[str, Any]], str]]] = [
        ("Phase", "l", lambda p: _text(p["phase"])),
        ("in phase, mu", "r", lambda p: _mu(p.get("area_mu"))),
        ("cumulative, mu", "r", lambda p: _mu(p.get("cumulative_mu"))),
        ("target, mu", "r", lambda p: _mu(p.get("target_mu"), "–")),
        ("over target, mu", "r", _margin),
    ]
    if any_has("year"):
        columns.insert(1, ("year", "r", lambda p: _text(p["year"]) if p.get("year") is not None else ""))
    if any_has("stretch_mu"):
        columns.append(("stretch, mu", "r", lambda p: _mu(p.get("stretch_mu"), "–")))
    if any_has("blocks"):
        columns.append(("blocks", "r", lambda p: _count(p.get("blocks"))))
    if any_has("cost"):
        columns.append((f"cost, {currency}", "r", lambda p: _grouped(p.get("cost"))))
    rows = [[cell(p) for _, _, cell in columns] for p in phases]
    return _table([c[0] for c in columns], rows, "".join(c[1] for c in columns))


def _margin(phase: Mapping[str, Any]) -> str:
    target, reached = phase.get("target_mu"), phase.get("cumulative_mu")
    return "–" if target is None or reached is None else f"{reached - target:+,.2f}"


def _blocks(summary: Summary) -> list[str]:
    blocks = summary.get("blocks")
    if not isinstance(blocks, Sequence) or not blocks:
        return []
    currency = _currency(summary)
    keys: dict[str, tuple[str, Callable[[Any], str]]] = {
        "block_id": ("Block", _text),
        "phase": ("phase", _text),
        "zone": ("zone", lambda v: "–" if v is None else _text(v)),
        "area_mu": ("area, mu", _mu),
        "n_parcels": ("parcels", _count),
        "score_mean": ("mean score", lambda v: _number(v, 3)),
        "cost": (f"cost, {currency}", _grouped),
        "perimeter_m": ("perimeter, m", lambda v: _number(v, 0)),
        "compactness": ("compactness", lambda v: _number(v, 3)),
        "bridged_links": ("bridged links", _count),
    }
    shown = [key for key in keys if any(b.get(key) is not None for b in blocks)]
    rows = [[keys[key][1](b.get(key)) for key in shown] for b in blocks]
    align = "".join("l" if key in {"block_id", "zone"} else "r" for key in shown)
    return ["## Blocks", "", *_table([keys[key][0] for key in shown], rows, align)]


def _areas(summary: Summary) -> list[str]:
    """The ledger of areas: kinds of area side by side, only those that there are."""
    rows = summary.get("area_ledger") or ()
    titles = {
        "net_mu": "net",
        "between_mu": "lanes between",
        "boundary_mu": "boundary",
        "ellipsoidal_mu": "net, on the ellipsoid",
        "footprint_mu": "buildings",
        "cleared_mu": "cleared",
        "accepted_mu": "accepted",
        "certificate_mu": "certificates",
    }
    shown = [key for key in titles if any(r.get(key) is not None for r in rows)]
    if not rows or not shown:
        return []
    table = [
        (
            "all" if r["phase"] is None else _text(r["phase"]),
            _text(r["block_id"]) if r["block_id"] is not None else "**sum**",
            *(_mu(r.get(key), "unknown") for key in shown),
            _count(r.get("unknown")),
        )
        for r in rows
    ]
    header = ("Phase", "block", *(titles[key] for key in shown), "parcels with an unknown")
    note = "All in mu. Which one a target counts stands in the configuration (`counts`); sizes of blocks are net."
    return ["## Areas", "", note, "", *_table(header, table, "ll" + "r" * (len(shown) + 1))]


def _repair(summary: Summary) -> list[str]:
    repair = summary.get("repair")
    if not repair or not repair["changes"]:
        return []
    head = (
        f"{_mu(repair['before_mu'])} mu before, {_mu(repair['after_mu'])} mu after; the log (layer `repair_log`) "
        f"accounts for all but {abs(repair['unexplained_m2']):.2f} m²."
    )
    rows = [
        (
            _text(r["issue"]),
            _text(r["action"]),
            _count(r["parcels"]),
            _number(r["area_change_m2"], 2),
            _number(r["largest_change_m2"], 2),
            _text(r["first_ids"]),
        )
        for r in repair["changes"]
    ]
    header = ("Issue", "what was done", "parcels", "area, m²", "largest, m²", "which")
    return ["## Repair of the geometry", "", head, "", *_table(header, rows, "llrrrl")]


def _check(summary: Summary) -> list[str]:
    check = summary.get("check")
    if not check:
        return []
    verdict = "passed" if check.get("passed") else "**failed**"
    lines = ["## Independent check", "", f"The check {verdict}."]
    rows = [
        (
            _text(f.get("rule", "")),
            _text(f.get("severity", "")),
            _text(f.get("message", "")),
            _ids(f.get("parcel_ids", ())),
        )
        for f in check.get("findings", ())
    ]
    return [*lines, "", *_table(("Rule", "severity", "finding", "parcels"), rows)] if rows else lines


def _data_quality(summary: Summary) -> list[str]:
    if "data_quality" not in summary:
        return []
    rows = [
        (_text(q["what"]), _count(q.get("count")), _mu(q.get("area_mu"), "–"), _ids(q.get("parcel_ids", ())))
        for q in summary["data_quality"]
    ]
    if not rows:
        return ["## Data quality", "", "Nothing was found that needs a look."]
    return ["## Data quality", "", *_table(("What", "count", "area, mu", "first parcels"), rows, "lrrl")]


def _counts(summary: Summary) -> list[str]:
    rows = [(_text(str(k).replace("_", " ")), _plain(v)) for k, v in (summary.get("counts") or {}).items()]
    return ["## Counts", "", *_table(("", ""), rows, "lr")] if rows else []


def _provenance(summary: Summary) -> list[str]:
    rows = [
        (label, f"`{_code(summary[key])}`")
        for key, label in (
            ("version", "Program version"),
            ("config_hash", "Configuration"),
            ("input_hash", "Input data"),
            ("seed", "Seed"),
        )
        if summary.get(key) is not None
    ]
    rows += [(f"Seconds, {_text(stage)}", _number(s, 1)) for stage, s in (summary.get("seconds") or {}).items()]
    return ["## What reproduces this", "", *_table(("", ""), rows)] if rows else []


def _table(header: Sequence[str], rows: Iterable[Sequence[str]], align: str = "") -> list[str]:
    """Lines of a Markdown table; `align` has l or r per column, left where it is short."""
    marks = ["---:" if side == "r" else "---" for side in align.ljust(len(header), "l")]
    return [_row(header), _row(marks), *(_row(row) for row in rows)]


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _text(value: Any) -> str:
    """Text that cannot break a table, start markup or become HTML."""
    text = " ".join(str(value).split())
    for mark in "\\`*_[]|#":
        text = text.replace(mark, "\\" + mark)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _code(value: Any) -> str:
    return str(value).replace("`", "'").replace("|", "/")


def _currency(summary: Summary) -> str:
    return str(summary.get("project", {}).get("currency", ""))


def _number(value: float | None, decimals: int, absent: str = "unknown") -> str:
    return absent if value is None or math.isnan(value) else f"{value:,.{decimals}f}"


def _mu(value: float | None, absent: str = "unknown") -> str:
    return _number(value, 2, absent)


def _grouped(value: float | None) -> str:
    return _number(value, 0)


def _money(value: float | None, currency: str) -> str:
    amount = _grouped(value)
    return amount if amount == "unknown" else f"{currency} {amount}".strip()


def _percent(value: float | None) -> str:
    return "not defined (the worth is 0)" if value is None else f"{100 * value:.2f} %"


def _count(value: Any) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"{len(value):,}"
    return "unknown" if value is None else f"{value:,}"


def _plain(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int | float) and not isinstance(value, bool) else _text(value)


def _ids(ids: Sequence[Any]) -> str:
    return ", ".join(_text(i) for i in ids)
