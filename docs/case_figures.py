"""Markdown tables of a finished run for the pages of the cases: nothing is told but what the run's folder holds."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any, Final

from planner.config import Config
from planner.config_file import load_config
from planner.report import markdown as md
from planner.report.summary_demand import demand
from planner.report.summary_equity import equity

Summary = Mapping[str, Any]
_LARGE_MU: Final = (100.0, 500.0, 1000.0)
"""Sizes that superiors ask for: contiguous blocks of so many mu."""
_M_YUAN: Final = 1e6
_TINY: Final = 1e-6


def fingerprint(config: Config) -> str:
    """SHA-256 of everything that a configuration says: its defaults left out, of files only their names.

    A page of a case quotes that of its run, so that it shows when the scenario has changed since. Unlike the hash of
    a run it stays the same where only new keys with defaults have come.
    """
    data = config.model_dump(mode="python", by_alias=True, exclude_defaults=True)
    text = json.dumps(data, sort_keys=True, ensure_ascii=False, default=_plain)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _plain(value: Any) -> Any:
    return value.name if isinstance(value, PurePath) else str(value)


def figures(folder: Path) -> str:
    """The figures of a run as Markdown.

    Parameters
    ----------
    folder : pathlib.Path
        Output folder of ``planner run``, with or without a plan.

    Returns
    -------
    str
        Areas in mu with 2 decimals, money in million of the currency; without the newline at the end.

    Raises
    ------
    ConfigError
        The folder's configuration cannot be read.
    OSError
        No run there.
    """
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    config = load_config(folder / "config.resolved.yaml").config
    sections: tuple[Callable[[Summary, Config], list[str]], ...] = (
        _verdict,
        _shortfalls,
        _phases,
        _zones,
        _blocks,
        _modes,
        _limits,
        _villages,
    )
    parts = ["\n".join(lines) for section in sections if (lines := section(summary, config))]
    parts += ["\n".join(_as_part(lines)) for section in (demand, equity) if (lines := section(summary))]
    return "\n\n".join(parts).rstrip()


def _as_part(lines: Sequence[str]) -> Iterator[str]:
    """Lines of ``summary.md`` with their headings in bold: the page has headings of its own."""
    for line in lines:
        yield f"**{line.lstrip('# ')}**" if line.startswith("#") else line


def _verdict(summary: Summary, config: Config) -> list[str]:
    """What came out, how good it is known to be, and from which configuration."""
    seconds = summary.get("seconds", {}).get("solve")
    counts, land = summary.get("counts", {}), summary.get("land", {})
    rows = [
        ("result", str(summary["status"])),
        ("parcels on the land", md.count(counts["parcels"]) if "parcels" in counts else None),
        ("land that can be in a plan, mu", _mu(land.get("available_mu"))),
        ("the last target is of that", _share(land.get("last_target_share_of_available"))),
    ]
    if summary.get("objective") is not None:
        currency = config.project.currency
        rows += [
            (f"worth, million {currency}", _millions(summary["objective"])),
            (f"no plan is worth more than, million {currency}", _millions(summary["bound"])),
            ("gap", md.percent(summary["gap"])),
        ]
    rows += [
        ("seconds of the solve", md.number(seconds, 1)),
        ("independent check", _checked(summary)),
        ("seed", md.text(summary.get("seed"))),
        ("configuration", f"`{fingerprint(config)}`"),
    ]
    return md.table(("figure", "value"), [(k, v) for k, v in rows if v is not None], "lr")


def _checked(summary: Summary) -> str | None:
    check = summary.get("check")
    if not check:
        return None
    verdict = "passed" if check["passed"] else "FAILED"
    return f"{verdict}, {check['errors']} errors, {check['warnings']} warnings"


def _shortfalls(summary: Summary, _config: Config) -> list[str]:
    """Of a run without a plan: each target, taken for itself, against what is proven to be the most."""
    rows = [
        (
            md.text(s.get("target", "")),
            md.text(s.get("unit", "mu")),
            md.mu(s.get("target_mu")),
            md.mu(s.get("proven_max_mu"), "not computed"),
            _verdict_of(s),
        )
        for s in summary.get("shortfalls") or ()
    ]
    return md.table(("target", "unit", "asked for", "no plan reaches more than", ""), rows, "llrrl") if rows else []


def _verdict_of(shortfall: Mapping[str, Any]) -> str:
    most, asked = shortfall.get("proven_max_mu"), shortfall.get("target_mu")
    if most is None or asked is None:
        return "–"
    return "**out of reach**" if most < asked - _TINY else "not excluded for itself"


def _phases(summary: Summary, config: Config) -> list[str]:
    """Targets against what is reached; money where the run has any."""
    specs = {p.id: p for p in config.optimise.phases}
    town = _outlays(summary)
    columns: list[tuple[str, Callable[[Mapping[str, Any]], str | None]]] = [
        ("phase", lambda p: md.text(p["id"])),
        ("year", lambda p: md.text(p["year"])),
        ("target, mu", lambda p: _mu(p.get("target_mu") or None)),
        ("stretch, mu", lambda p: _mu(p.get("stretch_mu"))),
        ("reached, mu", lambda p: md.mu(p.get("cumulative_mu"))),
        ("in the phase, mu", lambda p: md.mu(p.get("area_mu"))),
        ("blocks", lambda p: md.count(p["blocks"])),
        ("cost, million", lambda p: _millions(p.get("cost"))),
        ("budget, million", lambda p: _millions(specs[p["id"]].budget)),
        ("town pays, million", lambda p: _millions(town.get(p["id"]))),
    ]
    table = _table(columns, summary.get("phases") or ())
    if not table or config.modes is None:
        return table
    parties = ", ".join(config.modes.net_cost_of)
    return [*table, "", f"Cost: what these pay less what they receive: {parties}."]


def _outlays(summary: Summary) -> Mapping[str, float]:
    outlays: Mapping[str, Mapping[str, float]] = (summary.get("money") or {}).get("outlays", {})
    return outlays.get("town", {})


def _zones(summary: Summary, _config: Config) -> list[str]:
    """Cumulative mu by zone and phase, with the zone's own target in brackets."""
    zones = {name: z["phases"] for name, z in (summary.get("zones") or {}).items() if z.get("phases")}
    phases = [p["id"] for p in summary.get("phases") or ()]
    if not zones:
        return []
    rows = [(md.text(name), *(_reached(p) for p in rows)) for name, rows in zones.items()]
    return md.table(("zone: reached, mu (own target)", *map(md.text, phases)), rows, "l" + "r" * len(phases))


def _reached(phase: Mapping[str, Any]) -> str:
    target = phase.get("target_mu")
    return md.mu(phase["cumulative_mu"]) + (f" ({md.mu(target)})" if target else "")


def _blocks(summary: Summary, _config: Config) -> list[str]:
    """How contiguous the plan is, and how fragile."""
    blocks = summary.get("blocks") or ()
    if not blocks:
        return []
    areas = sorted((float(b["area_mu"]) for b in blocks), reverse=True)
    counts, holdouts, left = summary["counts"], summary.get("holdouts") or {}, summary.get("leftovers") or {}
    rows = [
        ("blocks", md.count(len(areas))),
        *((f"of at least {size:g} mu", md.count(sum(a >= size for a in areas))) for size in _LARGE_MU),
        ("largest block, mu", md.mu(areas[0])),
        ("parcels taken", md.count(counts["parcels_selected"])),
        ("villages with land in the plan", _village_count(summary)),
        ("parcels whose refusal alone breaks the plan", _optional_count(holdouts.get("breaking"))),
        ("left-over pieces inside reach", _optional_count(left.get("count"))),
    ]
    return md.table(("the plan", ""), [(k, v) for k, v in rows if v is not None], "lr")


def _village_count(summary: Summary) -> str | None:
    villages = summary.get("villages")
    return md.count(sum(v["taken_mu"] > 0 for v in villages)) if villages else None


def _optional_count(value: Any) -> str | None:
    return None if value is None else md.count(value)


def _modes(summary: Summary, _config: Config) -> list[str]:
    """Blocks, land and new floor by mode."""
    space = (summary.get("space") or {}).get("blocks") or ()
    if not space:
        return []
    rows = [
        _mode_row(f"{m['name_zh']} {m['name_en']}", [b for b in space if b["mode"] == m["id"]])
        for m in summary.get("modes") or ()
    ]
    header = ("mode", "blocks", "mu", "built on, mu", "new floor, m²", "plot ratio on all land")
    return md.table(header, [*rows, _mode_row("all", list(space))], "lrrrrr")


def _mode_row(name: str, blocks: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    area, net = (sum(float(b[key]) for b in blocks) for key in ("area_mu", "net_area_mu"))
    unknown = sum(int(b["after_floor_m2_unknown_parcels"]) for b in blocks)
    floor = sum(float(b["after_floor_m2"] or 0) for b in blocks)
    ratio = md.number(floor / (area * 10_000 / 15), 3) if area and not unknown else "–"
    shown = md.grouped(floor) + (f" and {unknown} parcels unknown" if unknown else "")
    return md.text(name), md.count(len(blocks)), md.mu(area), md.mu(net), shown, ratio


def _limits(summary: Summary, config: Config) -> list[str]:
    """What limits allow and what the plan takes of them."""
    rows = [
        (md.text(x["name"]), md.text(x["period"]), md.text(x["unit"]), md.grouped(x["taken"]), md.grouped(x["most"]))
        for x in (summary.get("money") or {}).get("limits") or ()
    ]
    if not rows or config.modes is None:
        return []
    return md.table(("limit", "period", "unit", "taken at most", "allowed"), _busiest(rows), "lllrr")


def _busiest(rows: Sequence[tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    """Of a limit with many periods only the one in which most is taken."""
    best: dict[tuple[str, str], tuple[str, ...]] = {}
    for row in rows:
        key = (row[0], row[4])
        if key not in best or _number(row[3]) > _number(best[key][3]):
            best[key] = row
    yield from best.values()


def _number(text: str) -> float:
    return float(text.replace(",", ""))


def _villages(summary: Summary, _config: Config) -> list[str]:
    """One row per village with land in the plan: its mu by phase, and its collective's money with modes."""
    villages = [v for v in summary.get("villages") or () if v["taken_mu"] > 0]
    phases = [p["id"] for p in summary.get("phases") or ()]
    columns: list[tuple[str, Callable[[Mapping[str, Any]], str | None]]] = [
        ("village", lambda v: md.text(v["village"])),
        ("land, mu", lambda v: md.mu(v["area_mu"])),
        ("taken, mu", lambda v: md.mu(v["taken_mu"])),
        *((f"{p}, mu", _of(f"taken_mu_{p}")) for p in phases),
        ("new floor, m²", lambda v: md.grouped(v.get("new_floor_m2"))),
        ("collective receives, million", lambda v: _millions(v.get("collective_received_yuan"))),
        ("and pays, million", lambda v: _millions(v.get("collective_paid_yuan"))),
    ]
    return _table(columns, villages)


def _of(key: str) -> Callable[[Mapping[str, Any]], str | None]:
    return lambda row: md.mu(row.get(key))


def _table(
    columns: Sequence[tuple[str, Callable[[Mapping[str, Any]], str | None]]], rows: Sequence[Mapping[str, Any]]
) -> list[str]:
    """Columns that have something to say in some row; the first is text."""
    cells = [[cell(row) for _, cell in columns] for row in rows]
    kept = [k for k in range(len(columns)) if any(c[k] is not None for c in cells)]
    if not cells:
        return []
    shown = [[c[k] if c[k] is not None else "–" for k in kept] for c in cells]
    return md.table([columns[k][0] for k in kept], [[str(x) for x in row] for row in shown], "l" + "r" * len(kept))


def _mu(value: Any) -> str | None:
    return None if value is None else md.mu(float(value))


def _share(value: Any) -> str | None:
    return None if value is None else md.percent(float(value))


def _millions(value: Any) -> str | None:
    return None if value is None else md.number(float(value) / _M_YUAN, 1)
