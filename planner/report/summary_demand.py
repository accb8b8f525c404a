"""Sections of ``summary.md`` about the demand for land: projects, who gets which block, output and tax by year."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from planner.report import markdown as md

Summary = Mapping[str, Any]


def demand(summary: Summary) -> list[str]:
    """Projects: what became of them, the proof of the match, tests, and a row for each."""
    part = summary.get("demand")
    if not part:
        return []
    lines = ["## Demand for land", ""]
    if part["synthetic"]:
        lines += ["**SYNTHETIC: the projects are invented.**", ""]
    lines += [_proof(part), ""]
    lines += [*_outcomes(part), ""]
    if part["tests"]:
        lines += ["### Tests of projects", "", *_tests(part["tests"]), ""]
    if part["grades"] is not None:
        grades = ", ".join(f"{name} {count}" for name, count in part["grades"].items())
        lines += [f"Grades 亩均效益评价: {grades}.", ""]
    lines += ["### Projects", "", *_rows(part["rows"]), ""]
    lines += ["### Land to let", "", _offered(part), "", *_blocks(part["blocks"]), ""]
    return [*lines, "### Output and tax by year", "", *_years(part)]


def _proof(part: Mapping[str, Any]) -> str:
    proven = "it is proven that no match is worth more" if part["status"] == "optimal" else _open(part)
    text = (
        f"Of {md.count(part['projects'])} projects {md.count(part['counts']['matched'])} are matched to blocks of the "
        f"plan. The match is worth {md.number(part['worth'], 0)} by `{md.code(part['worth_by'])}`; {proven}."
    )
    if not part["ties_settled"]:
        text += " Among matches worth as much, the order of preference could not be settled in time."
    return text


def _open(part: Mapping[str, Any]) -> str:
    gap = "" if part["gap"] is None else f", {md.percent(part['gap'])} more"
    return f"none is worth more than {md.number(part['bound'], 0)}{gap}"


def _outcomes(part: Mapping[str, Any]) -> list[str]:
    rows = []
    for name, count in part["counts"].items():
        figures = part["figures"].get(name, {})
        cells = [_known(figures, key, scale) for key, scale in _SUMS]
        rows.append((md.text(name), md.count(count), *(cells if figures else ["–"] * len(cells))))
    header = ("", "projects", "investment, 万元", "site, mu", "output, 万元 a year", "tax, 万元 a year", "jobs")
    ratios = [
        f"{title} {md.number(part[key]['value'], 0)} yuan per tonne of coal equivalent"
        + (f" ({md.count(part[key]['unknown_projects'])} unknown)" if part[key]["unknown_projects"] else "")
        for key, title in (("tax_yuan_per_tce", "tax"), ("value_added_yuan_per_tce", "value added"))
        if part[key]["value"] is not None
    ]
    table = md.table(header, rows, "lrrrrrr")
    note = "Figures when full; +n: of n projects unknown."
    return [*table, "", " ".join([note, *([f"Matched projects bring {' and '.join(ratios)}."] if ratios else [])])]


_SUMS = (
    ("investment_yuan", 10_000),
    ("site_mu", 1),
    ("output_yuan", 10_000),
    ("tax_yuan", 10_000),
    ("staff", 1),
)


def _known(figures: Mapping[str, Any], key: str, scale: float) -> str:
    """A sum, and of how many projects the figure is unknown."""
    value, unknown = figures.get(key), figures.get(f"{key}_unknown_projects", 0)
    text = md.number(None if value is None else value / scale, 0)
    return f"{text} +{unknown}" if unknown and value is not None else text


def _tests(tests: Sequence[Mapping[str, Any]]) -> list[str]:
    body = [
        (
            md.text(t["name"]),
            md.text(t["kind"]),
            f"`{md.code(t['when'])}`",
            md.text(t["source"]),
            md.count(t["failed"]),
            f"{md.count(t['undecided'])}" + ("" if not t["undecided"] else f" ({_UNKNOWN[t['unknown']]})"),
        )
        for t in tests
    ]
    header = ("Test", "kind", "bars where, or asks for", "source", "fail", "cannot be decided")
    return md.table(header, body, "llllrr")


_UNKNOWN = {"bar": "barred", "admit": "admitted"}


def _rows(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    graded = any(r["grade"] is not None for r in rows)
    body = [
        (
            md.text(r["project_id"]),
            "unknown" if r["industry"] is None else md.text(r["industry"]),
            md.number(None if r["investment_yuan"] is None else r["investment_yuan"] / 10_000, 0),
            md.number(r["site_mu"], 0),
            *((md.text(r["grade"] or "–"),) if graded else ()),
            md.text(r["status"]),
            "–" if r["block_id"] is None else md.text(r["project_code"] or r["block_id"]),
            "–" if r["supplied"] is None else md.text(r["supplied"]),
            "–" if r["full"] is None else md.text(r["full"]),
            md.text(r["reason"]),
        )
        for r in rows
    ]
    header = [
        "Project",
        "industry",
        "investment, 万元",
        "site, mu",
        *(("grade",) if graded else ()),
        "",
        "block",
        "land by",
        "full by",
        "why not",
    ]
    return md.table(header, body, "llrr" + "l" * (len(header) - 4))


def _offered(part: Mapping[str, Any]) -> str:
    text = f"{md.mu(part['let_mu'])} mu are let of {md.mu(part['offered_mu'])} mu that the plan supplies."
    if part["offered_unknown_parcels"]:
        text += f" Net land of {md.count(part['offered_unknown_parcels'])} parcels is unknown and not counted."
    idle = [b["site_mu"] for b in part["blocks"] if not b["projects"] and b["supplied"] is not None]
    if idle:
        text += (
            f" Nothing is let in {md.count(len(idle))} blocks of {md.mu(sum(idle))} mu, the largest of "
            f"{md.mu(max(idle))}; all blocks: `tables/demand_blocks.csv`."
        )
    return text


def _blocks(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Blocks in which something is let."""
    rows = [r for r in rows if r["projects"]]
    front = any(r["frontage_m"] is not None for r in rows)
    body = [
        (
            md.text(r["block_id"]),
            "never" if r["supplied"] is None else md.text(r["supplied"]),
            md.mu(r["site_mu"]),
            md.mu(r["let_mu"]),
            md.mu(r["left_mu"]),
            *((md.number(r["frontage_m"], 0), md.number(r["let_frontage_m"], 0)) if front else ()),
            md.count(r["projects"]),
        )
        for r in rows
    ]
    header = (
        "Block",
        "supplied by",
        "to let, mu",
        "let, mu",
        "left, mu",
        *(("frontage, m", "let, m") if front else ()),
        "projects",
    )
    return md.table(header, body, "ll" + "r" * (len(header) - 2)) if body else []


def _years(part: Mapping[str, Any]) -> list[str]:
    lead = part["lead_months"]
    note = (
        "万元 that the year brings. *Stock*: the land as it is, until its block is cleared. *Increment*: matched "
        f"projects and those in place; {lead['start']:.4g} months to start and {lead['build']:.4g} to build after they "
        f"take up their land, then full within {lead['ramp']:.4g}. +n: of n parcels or projects unknown."
    )
    if part["undated"]:
        note += f" {md.count(part['undated'])} projects have no date and bring nothing here."
    body = [
        (
            str(r["year"]),
            *(_yearly(r, kind, name) for name in ("output", "tax") for kind in ("stock", "increment")),
            md.mu(r["let_mu"]),
            md.count(r["projects_supplied"]),
            md.count(r["projects_full"]),
        )
        for r in part["years"]
    ]
    header = (
        "Year",
        "output, stock",
        "output, increment",
        "tax, stock",
        "tax, increment",
        "let, mu",
        "projects with land",
        "full",
    )
    return [note, "", *md.table(header, body, "rrrrrrrr")]


def _yearly(row: Mapping[str, Any], kind: str, name: str) -> str:
    value = row[f"{kind}_{name}_yuan"]
    unknown = row[f"{kind}_{name}_unknown_{'parcels' if kind == 'stock' else 'projects'}"]
    text = md.number(None if value is None else value / 10_000, 0)
    return f"{text} +{unknown}" if unknown and value is not None else text
