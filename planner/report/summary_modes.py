"""Sections of ``summary.md`` about modes: milestones, limits, money, consent, new space. Empty without modes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from planner.report import markdown as md

Summary = Mapping[str, Any]


def milestones(summary: Summary) -> list[str]:
    """Month of each milestone, block by block."""
    rows = summary.get("milestones") or ()
    if not rows:
        return []
    steps = [k for k in rows[0] if k not in {"block_id", "phase", "mode"}]
    body = [
        (md.text(r["block_id"]), md.text(r["mode"]), *("never" if r[s] is None else md.text(r[s]) for s in steps))
        for r in rows
    ]
    return ["## Milestones", "", "Year-month.", "", *md.table(("Block", "mode", *steps), body)]


def limits(summary: Summary) -> list[str]:
    """Limits on money and decanting: what the plan takes of each."""
    rows = (summary.get("money") or {}).get("limits") or ()
    body = [
        (
            md.text(r["name"]),
            md.text(r["period"]),
            md.grouped(r["taken"]),
            md.number(r["most"], 0, "no limit"),
            md.text(r["unit"]),
            "" if not r["most"] or r["most"] < 0 else md.number(100 * max(r["taken"], 0.0) / r["most"], 1),
        )
        for r in rows
    ]
    header = ("Limit", "period", "taken", "most", "unit", "% used")
    return ["## Limits on money and decanting", "", *md.table(header, body, "llrrlr")] if body else []


def parties(summary: Summary) -> list[str]:
    """What each party ends with, and its peak gap."""
    money = summary.get("money") or {}
    body = [
        (
            md.text(r["party"]),
            _wan(r["balance_yuan"]),
            _wan(r["npv_yuan"]),
            _wan(r["peak_gap_yuan"]),
            "–" if r["year"] is None else md.text(r["year"]),
        )
        for r in money.get("parties") or ()
    ]
    if not body:
        return []
    note = (
        "Static balance: all that is received less all that is paid, in 万元, over all years; the net present value "
        f"({100 * money['discount_rate']:g} % a year) is a memo. Rows and years: `tables/funding_balance.csv`."
    )
    header = ("Party", "balance, 万元", "NPV, 万元", "peak gap, 万元", "in year")
    return ["## Money by party", "", note, "", *md.table(header, body, "lrrrr")]


def consent(summary: Summary) -> list[str]:
    """Shares of right-holders and area that have signed, and that are expected to."""
    rows = summary.get("consent") or ()
    body = [
        (
            md.text(r["block_id"]),
            _share(r["signed_holders_share"]),
            _share(r["signed_area_share"]),
            _share(r["expected_holders_share"]),
            _share(r["expected_area_share"]),
            _share(r["needed_holders_share"]),
            _share(r["needed_area_share"]),
            {True: "yes", False: "not yet", None: "not known"}[r["signed_passed"]],
        )
        for r in rows
    ]
    header = (
        "Block",
        "signed, holders",
        "area",
        "expected, holders",
        "area",
        "needed, holders",
        "area",
        "passed as signed",
    )
    return ["## Consent", "", "Shares in %.", "", *md.table(header, body, "lrrrrrrl")] if body else []


def space(summary: Summary) -> list[str]:
    """Floor area, jobs, output and tax before the plan, and when everything is built and full, of all blocks."""
    rows: Sequence[Mapping[str, Any]] = (summary.get("space") or {}).get("blocks") or ()
    titles = {
        "floor_m2": "floor area, m²",
        "jobs": "jobs",
        "output_yuan": "output, yuan a year",
        "tax_yuan": "tax, yuan a year",
        "collective_income_yuan": "income of collectives, yuan a year",
    }
    body = []
    for key, title in titles.items():
        before, after = (_known_sum(rows, f"{when}_{key}") for when in ("before", "after"))
        left_out = sum(int(r.get(f"before_{key}_unknown_parcels") or 0) for r in rows)
        if before is not None or after is not None:
            body.append((title, md.grouped(before), md.grouped(after), md.count(left_out)))
    header = ("All blocks", "before", "when built and full", "parcels whose present figure is unknown")
    return ["## New space", "", *md.table(header, body, "lrrr")] if body else []


def firms(summary: Summary) -> list[str]:
    """Firms that stay, move, and find no room."""
    decanting = summary.get("decanting") or {}
    body = [
        (
            md.text(r["status"]),
            md.number(r["firms"], 0, "not known"),
            md.number(r["large_firms"], 0, "not known"),
            md.number(r["floor_m2"], 0, "not known"),
        )
        for r in decanting.get("fates") or ()
    ]
    if not body:
        return []
    note = (
        "*kept*: they stay where they are, on all land of the study area; *unplaced*: they must leave, and no room was "
        f"found for whole firms ({md.grouped(decanting['missing_m2'])} m² missing, at least "
        f"{md.grouped(decanting['missing_at_least_m2'])}). Who goes where and when: `tables/firm_moves.csv`."
    )
    return ["## Firms", "", note, "", *md.table(("Firms", "number", "large ones", "floor area, m²"), body, "lrrr")]


def villages(summary: Summary) -> list[str]:
    """What the plan takes of each village, and what its collective receives and pays."""
    rows = summary.get("villages") or ()
    body = [
        (
            "none" if r["village"] is None else md.text(r["village"]),
            md.mu(r["area_mu"]),
            md.mu(r["taken_mu"]),
            md.grouped(r["new_floor_m2"]),
            _wan(r["collective_received_yuan"]),
            _wan(r["collective_paid_yuan"]),
        )
        for r in rows
    ]
    header = ("Village", "land, mu", "taken, mu", "new floor, m²", "collective receives, 万元", "pays, 万元")
    note = "Firms, jobs and incomes by village: `tables/villages.csv`."
    return ["## Villages", "", note, "", *md.table(header, body, "lrrrrr")] if body else []


def _known_sum(rows: Sequence[Mapping[str, Any]], key: str) -> float | None:
    known = [float(r[key]) for r in rows if r.get(key) is not None]
    return sum(known) if known else None


def _share(value: float | None) -> str:
    return "–" if value is None else md.number(100 * value, 1)


def _wan(value: float | None) -> str:
    return "–" if value is None else md.number(value / 10_000, 2)
