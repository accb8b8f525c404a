"""``summary.md``: what a planner reads first, made from the dictionary of ``summary.json``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from planner.report import markdown as md
from planner.report.summary_demand import demand
from planner.report.summary_equity import equity
from planner.report.summary_modes import consent, firms, limits, milestones, parties, space, villages

Summary = Mapping[str, Any]

_STATUS = {
    "optimal": "a plan was found, and it is proven to be the best possible (within the configured gap)",
    "feasible": "a plan was found; it keeps every rule, and the gap says how far it may be from the best possible",
    "infeasible": "no plan exists: it is proven that the targets and rules cannot all be kept",
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
        milestones,
        limits,
        parties,
        consent,
        space,
        firms,
        villages,
        demand,
        equity,
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
    lines = [f"# {md.text(project.get('name', 'Plan'))}"]
    if project.get("synthetic"):
        lines += ["", "**SYNTHETIC: generated land, not a real place.**"]
    if project.get("note"):
        lines += ["", f"Assumptions: {md.text(project['note'])}"]
    return lines


def _result(summary: Summary) -> list[str]:
    status = summary.get("status")
    if status is None:
        return []
    lines = ["## Result", "", f"**{md.text(status)}**: {_STATUS.get(status, 'see the figures below')}."]
    if summary.get("interrupted"):
        lines += ["", "The run was interrupted; this is the best plan found until then."]
    if summary.get("message"):
        lines += ["", md.text(summary["message"])]
    currency = _currency(summary)
    rows: list[Sequence[str]] = []
    for key, label in (("objective", "Worth of the plan"), ("bound", "Most any plan can be worth")):
        if key in summary:
            rows.append((label, md.money(summary[key], currency)))
    if "gap" in summary and "objective" in summary:
        rows.append(("Gap", md.percent(summary["gap"])))
    if summary.get("gap_abs") is not None:
        rows.append(("Gap, absolute", md.money(summary["gap_abs"], currency)))
    for key, label in (("bound_proof", "How the bound was proven"), ("stopped_by", "Stopped by")):
        if summary.get(key) is not None:
            rows.append((label, md.text(summary[key])))
    return [*lines, "", *md.table(("", ""), rows)] if rows else lines


def _shortfalls(summary: Summary) -> list[str]:
    rows = [
        (
            md.text(s["target"]),
            md.text(s.get("unit", "mu")),
            md.mu(s.get("target_mu")),
            md.mu(s.get("proven_max_mu"), "not computed"),
            md.mu(s.get("found_mu"), "no plan"),
        )
        for s in summary.get("shortfalls", ())
    ]
    header = ("Target", "unit", "asked for", "proven maximum", "found")
    return ["## Targets out of reach", "", *md.table(header, rows, "llrrr")] if rows else []


def _phases(summary: Summary) -> list[str]:
    phases = summary.get("phases") or ()
    if not phases:
        return []
    steps = sorted({p["milestone"] for p in phases if p.get("milestone")})
    names = ", ".join(md.text(s) for s in steps)
    note = (
        f"What targets count: blocks that have reached the milestone *{names}* by the end of the phase. "
        "Blocks and cost stand in the phase in which the blocks are launched."
    )
    return ["## Phases", "", *([note, ""] if steps else []), *_phase_table(phases, _currency(summary))]


def _zones(summary: Summary) -> list[str]:
    lines: list[str] = []
    for name, zone in (summary.get("zones") or {}).items():
        if zone.get("phases"):
            lines += ["", f"### {md.text(name)}", "", *_phase_table(zone["phases"], _currency(summary))]
    return ["## Zones", *lines] if lines else []


def _phase_table(phases: Sequence[Mapping[str, Any]], currency: str) -> list[str]:
    """Areas and targets; years, stretch targets, blocks and cost only where some phase has them."""

    def any_has(key: str) -> bool:
        return any(p.get(key) is not None for p in phases)

    columns: list[tuple[str, str, Callable[[Mapping[str, Any]], str]]] = [
        ("Phase", "l", lambda p: md.text(p["phase"])),
        ("in phase, mu", "r", lambda p: md.mu(p.get("area_mu"))),
        ("cumulative, mu", "r", lambda p: md.mu(p.get("cumulative_mu"))),
        ("target, mu", "r", lambda p: md.mu(p.get("target_mu"), "–")),
        ("over target, mu", "r", _margin),
    ]
    if any_has("year"):
        columns.insert(1, ("year", "r", lambda p: md.text(p["year"]) if p.get("year") is not None else ""))
    if any_has("stretch_mu"):
        columns.append(("stretch, mu", "r", lambda p: md.mu(p.get("stretch_mu"), "–")))
    if any_has("blocks"):
        columns.append(("blocks", "r", lambda p: md.count(p.get("blocks"))))
    if any_has("cost"):
        columns.append((f"cost, {currency}", "r", lambda p: md.grouped(p.get("cost"))))
    rows = [[cell(p) for _, _, cell in columns] for p in phases]
    return md.table([c[0] for c in columns], rows, "".join(c[1] for c in columns))


def _margin(phase: Mapping[str, Any]) -> str:
    target, reached = phase.get("target_mu"), phase.get("cumulative_mu")
    return "–" if target is None or reached is None else f"{reached - target:+,.2f}"


def _blocks(summary: Summary) -> list[str]:
    blocks = summary.get("blocks")
    if not isinstance(blocks, Sequence) or not blocks:
        return []
    currency = _currency(summary)
    keys: dict[str, tuple[str, Callable[[Any], str]]] = {
        "block_id": ("Block", md.text),
        "phase": ("phase", md.text),
        "mode": ("mode", md.text),
        "zone": ("zone", lambda v: "–" if v is None else md.text(v)),
        "area_mu": ("area, mu", md.mu),
        "n_parcels": ("parcels", md.count),
        "score_mean": ("mean score", lambda v: md.number(v, 3)),
        "cost": (f"cost, {currency}", md.grouped),
        "perimeter_m": ("perimeter, m", lambda v: md.number(v, 0)),
        "compactness": ("compactness", lambda v: md.number(v, 3)),
        "bridged_links": ("bridged links", md.count),
    }
    shown = [key for key in keys if any(b.get(key) is not None for b in blocks)]
    rows = [[keys[key][1](b.get(key)) for key in shown] for b in blocks]
    align = "".join("l" if key in {"block_id", "mode", "zone"} else "r" for key in shown)
    return ["## Blocks", "", *md.table([keys[key][0] for key in shown], rows, align)]


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
            "all" if r["phase"] is None else md.text(r["phase"]),
            md.text(r["block_id"]) if r["block_id"] is not None else "**sum**",
            *(md.mu(r.get(key), "unknown") for key in shown),
            md.count(r.get("unknown")),
        )
        for r in rows
    ]
    header = ("Phase", "block", *(titles[key] for key in shown), "parcels with an unknown")
    note = "All in mu. Which one a target counts stands in the configuration (`counts`); sizes of blocks are net."
    return ["## Areas", "", note, "", *md.table(header, table, "ll" + "r" * (len(shown) + 1))]


def _repair(summary: Summary) -> list[str]:
    repair = summary.get("repair")
    if not repair or not repair["changes"]:
        return []
    head = (
        f"{md.mu(repair['before_mu'])} mu before, {md.mu(repair['after_mu'])} mu after; the log (layer `repair_log`) "
        f"accounts for all but {abs(repair['unexplained_m2']):.2f} m²."
    )
    rows = [
        (
            md.text(r["issue"]),
            md.text(r["action"]),
            md.count(r["parcels"]),
            md.number(r["area_change_m2"], 2),
            md.number(r["largest_change_m2"], 2),
            md.text(r["first_ids"]),
        )
        for r in repair["changes"]
    ]
    header = ("Issue", "what was done", "parcels", "area, m²", "largest, m²", "which")
    return ["## Repair of the geometry", "", head, "", *md.table(header, rows, "llrrrl")]


def _check(summary: Summary) -> list[str]:
    check = summary.get("check")
    if not check:
        return []
    verdict = "passed" if check.get("passed") else "**failed**"
    lines = ["## Independent check", "", f"The check {verdict}."]
    rows = [
        (
            md.text(f.get("rule", "")),
            md.text(f.get("severity", "")),
            md.text(f.get("message", "")),
            md.ids(f.get("parcel_ids", ())),
        )
        for f in check.get("findings", ())
    ]
    return [*lines, "", *md.table(("Rule", "severity", "finding", "parcels"), rows)] if rows else lines


def _data_quality(summary: Summary) -> list[str]:
    if "data_quality" not in summary:
        return []
    rows = [
        (md.text(q["what"]), md.count(q.get("count")), md.mu(q.get("area_mu"), "–"), md.ids(q.get("parcel_ids", ())))
        for q in summary["data_quality"]
    ]
    if not rows:
        return ["## Data quality", "", "Nothing was found that needs a look."]
    return ["## Data quality", "", *md.table(("What", "count", "area, mu", "first parcels"), rows, "lrrl")]


def _counts(summary: Summary) -> list[str]:
    rows = [(md.text(str(k).replace("_", " ")), md.plain(v)) for k, v in (summary.get("counts") or {}).items()]
    return ["## Counts", "", *md.table(("", ""), rows, "lr")] if rows else []


def _provenance(summary: Summary) -> list[str]:
    rows = [
        (label, f"`{md.code(summary[key])}`")
        for key, label in (
            ("version", "Program version"),
            ("config_hash", "Configuration"),
            ("input_hash", "Input data"),
            ("seed", "Seed"),
        )
        if summary.get(key) is not None
    ]
    rows += [(f"Seconds, {md.text(stage)}", md.number(s, 1)) for stage, s in (summary.get("seconds") or {}).items()]
    return ["## What reproduces this", "", *md.table(("", ""), rows)] if rows else []


def _currency(summary: Summary) -> str:
    return str(summary.get("project", {}).get("currency", ""))
