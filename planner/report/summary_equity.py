"""``summary.md``: equity between villages, an indicator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from planner.report import markdown as md

Row = Mapping[str, Any]
_PER = {"mu": "yuan per mu", "head": "yuan a head"}
_WEIGHTS = {"compared_mu": "by their land", "people": "by their members"}


def equity(summary: Row) -> list[str]:
    """Villages by class and part of the town: land, money, income of the collectives before and after.

    Parameters
    ----------
    summary : mapping
        With `planner.equity.EquityReport.summary` under ``equity``; absent = no section.
    """
    found: Row = summary.get("equity") or {}
    if not found:
        return []
    lines = [
        "## Equity between villages",
        "",
        f"An indicator, no rule of the plan. Source of the classes: {md.text(found['source'])}. By village: "
        "`tables/equity.csv`.",
        "",
        *_land(found["sets"]),
    ]
    if found["modes"]:
        lines += ["", *_money(found["sets"]), "", *_incomes(found), "", *_pairs(found.get("pairs") or ())]
    return [*lines, *_left_out(found)]


def _land(sets: Sequence[Row]) -> list[str]:
    header = ("Villages", "number", "industrial, mu", "in the plan, mu", "share", "share, sooner counts more")
    body = [
        (
            md.text(s["name"]),
            md.count(s["villages"]),
            md.mu(s["industrial_mu"]),
            md.mu(s["taken_mu"]),
            _share(s["taken_share"]),
            _share(s["early_share"]),
        )
        for s in sets
    ]
    note = "Shares of the industrial land; in the last, land of later phases counts less."
    return [*md.table(header, body, "lrrrrr"), "", note]


def _money(sets: Sequence[Row]) -> list[str]:
    header = (
        "Villages",
        "new floor, m²",
        "floor that firms leave, m²",
        "firms that leave",
        "without a place",
        "collectives net, 万元",
        "public net, 万元",
    )
    body = [
        (
            md.text(s["name"]),
            _sum(s, "new_floor_m2", "new_floor_unknown_parcels"),
            _sum(s, "displaced_floor_m2", "displaced_floor_unknown_parcels"),
            md.number(s.get("firms_moved"), 0, "–"),
            md.number(s.get("firms_lost"), 0, "–"),
            _wan(s["collective_net_yuan"]),
            _wan(s["public_net_yuan"]),
        )
        for s in sets
    ]
    note = "Net: received less paid, over all years; town and city together are public."
    return [*md.table(header, body, "lrrrrrr"), "", note]


def _incomes(found: Row) -> list[str]:
    """Income per mu and a head of sets, ratios, Gini coefficients."""
    body: list[tuple[str, ...]] = []
    for per, unit in _PER.items():
        for s in found["sets"]:
            values = [s[f"{when}_income_yuan_per_{per}"] for when in ("before", "after")]
            if any(v is not None for v in values):
                body.append((md.text(s["name"]), unit, *(_plain(v, 0) for v in values)))
    for row in found["ratios"]:
        name = f"{md.text(row['of'])} : {md.text(row['to'])}"
        body.append((name, f"ratio, per {row['per']}", _plain(row["before"], 3), _plain(row["after"], 3)))
    for row in found["gini"]:
        name = f"Gini coefficient, {row['villages']} villages {_WEIGHTS[row['weights']]}"
        body.append((name, f"per {row['per']}", _plain(row["before"], 4), _plain(row["after"], 4)))
    note = "Income of the collectives from their land, yuan a year: before the plan, and when all is built."
    return [note, "", *md.table(("Villages", "what", "before", "after"), body, "llrr")]


def _pairs(pairs: Sequence[Row]) -> list[str]:
    body = [
        (
            md.text(p["weak"]),
            ", ".join(_helpers(p)),
            _plain(p["weak_before"], 0),
            _plain(p["weak_after"], 0),
            _plain(p["helpers_before"], 0),
            _plain(p["helpers_after"], 0),
            _plain(p["gap_before"], 0),
            _plain(p["gap_after"], 0),
        )
        for p in pairs
    ]
    header = (
        "Weak village",
        "helped by",
        "its income before",
        "after",
        "theirs before",
        "after",
        "gap before",
        "after",
    )
    return ["Pairs, yuan per mu a year:", "", *md.table(header, body, "llrrrrrr"), ""] if body else []


def _helpers(pair: Row) -> list[str]:
    """All who help, also those that are not compared."""
    unknown = [f"{md.text(h)} (not known)" for h in pair["helpers_unknown"]]
    return [*(md.text(h) for h in pair["helpers"]), *unknown, *(md.text(h) for h in pair["helpers_elsewhere"])]


def _left_out(found: Row) -> list[str]:
    """What is not compared, by name."""
    elsewhere = sorted({h for p in found.get("pairs") or () for h in p["helpers_elsewhere"]})
    told = [
        ("In no class", found["in_no_class"]),
        ("Income not known, left out of incomes, ratios and coefficients", found.get("income_unknown") or ()),
        ("Helpers that have no land here", elsewhere),
    ]
    lines = [f"- {what}: {', '.join(md.text(n) for n in names)}" for what, names in told if names]
    if found["no_village_mu"] > 0:
        lines.append(f"- Land of no village: {md.mu(found['no_village_mu'])} mu")
    return ["", *lines] if lines else []


def _sum(row: Row, name: str, unknown: str) -> str:
    """A sum of what is known, with how many parcels are not."""
    more = int(row.get(unknown) or 0)
    return md.grouped(row[name]) + (f" + {more:,} parcels unknown" if more else "")


def _share(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f} %"


def _wan(value: float | None) -> str:
    return "–" if value is None else md.number(value / 10_000, 2)


def _plain(value: float | None, decimals: int) -> str:
    return md.number(value, decimals, "–")
