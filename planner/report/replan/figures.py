"""Tables of a replan: blocks, targets, worth, other prices, and why there is no plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from planner.labels import Labels
from planner.report import markdown as md
from planner.report.replan.words import Told, money, words_of

_FATES = ("kept", "grown", "shrunk", "reshaped", "new", "dropped")


def blocks(told: Told) -> list[str]:
    """Block by block: those that changed in a table, those kept in one line."""
    if told["replan"] is None:
        return []
    words, diff = words_of(told), told["replan"]["diff"]
    counts = [diff["blocks_by_fate"][fate] for fate in _FATES]
    lines = [f"## {words('replan_diff')}", "", words("replan_fates", *counts, diff["blocks_moved"])]
    rows = [_row(words, b, told["mode_names"]) for b in diff["blocks"] if b["fate"] != "kept" or b["moved"]]
    if rows:
        names = ("project", "what", "block", "phase", "mu_was", "mu_now", "came", "went")
        lines += ["", *md.table(tuple(words(f"replan_col_{n}") for n in names), rows, "llllrrrr")]
    kept = [b for b in diff["blocks"] if b["fate"] == "kept" and not b["moved"]]
    if kept:
        lines += ["", words("replan_kept_list", ", ".join(md.text(b["name"]) for b in kept))]
    return lines


def _row(words: Labels, b: Mapping[str, Any], modes: Mapping[str, str]) -> tuple[str, ...]:
    fate = words(f"replan_fate_{b['fate']}")
    here, gone = b["fate"] != "new", b["fate"] == "dropped"
    return (
        md.text(b["name"]),
        words("replan_fate_moved", fate) if b["moved"] else fate,
        _arrow(b["block_id"] if here else None, b["new_block_id"]),
        _arrow(_way(b["phase"], b["mode"], modes) if here else None, _way(b["new_phase"], b["new_mode"], modes)),
        md.mu(b["area_mu"]) if here else "–",
        "–" if gone else md.mu(b["new_area_mu"]),
        md.mu(b["came_mu"]),
        md.mu(b["went_mu"]),
    )


def _way(phase: str | None, mode: str | None, modes: Mapping[str, str]) -> str | None:
    return phase if mode is None or phase is None else f"{phase} {modes[mode]}"


def _arrow(was: str | None, now: str | None) -> str:
    if was == now:
        return md.text(was)
    return " → ".join("–" if x is None else md.text(x) for x in (was, now))


def targets(told: Told) -> list[str]:
    """Land by the end of each phase in all plans."""
    words = words_of(told)
    plans = [("before", told["before"]), ("replan", told["replan"]), ("fresh", told["fresh"])]
    there = [(name, {p["id"]: p for p in plan["phases"]}) for name, plan in plans if plan is not None]
    if told["replan"] is None:
        return []
    rows = [
        (
            md.text(p["id"]),
            md.mu(p["target_mu"]),
            *(md.mu(by_id.get(p["id"], {}).get("cumulative_mu")) for _, by_id in there),
        )
        for p in told["replan"]["phases"]
    ]
    header = (
        words("replan_col_phase_year"),
        words("replan_col_target_mu"),
        *(words(f"replan_plan_{name}") for name, _ in there),
    )
    return [f"## {words('replan_targets')}", "", *md.table(header, rows, "l" + "r" * (len(header) - 1))]


def worth(told: Told) -> list[str]:
    """What the plans are worth, and what is proven."""
    if told["replan"] is None:
        return []
    words, was, judged = words_of(told), told["before"], told["judged"]
    still = money(told, judged["worth"]) if judged["worth"] is not None else words("replan_no_longer")
    rows: list[tuple[str, ...]] = [
        (words("replan_row_before"), money(told, was["worth"]), money(told, was["bound"]), _gap(was["gap"]), "", ""),
        (words("replan_row_judged"), still, "", "", "", ""),
    ]
    for name in ("replan", "fresh"):
        plan = told[name]
        if plan is not None:
            bound = money(told, plan["bound"]) if name == "fresh" else ""
            diff = plan["diff"]
            changed = (str(diff["parcels_changed"]), md.mu(diff["changed_mu"]))
            rows.append((words(f"replan_plan_{name}"), money(told, plan["worth"]), bound, _gap(plan["gap"]), *changed))
    names = ("plan", "worth", "bound", "gap", "changed", "changed_mu")
    header = tuple(words(f"replan_col_{n}") for n in names)
    intro = words("replan_worth_intro") if told["fresh"] is not None else words("replan_bound_priced")
    lines = [f"## {words('replan_worth')}", "", intro, "", *md.table(header, rows, "lrrrrr")]
    return [*lines, "", words("replan_bound_priced")] if told["fresh"] is not None else lines


def _gap(value: float | None) -> str:
    return md.percent(value)


def frontier(told: Told) -> list[str]:
    """Changed mu against worth at other prices."""
    if not told["frontier"]:
        return []
    words = words_of(told)
    rows = [
        (
            f"{p['factor']:g}",
            money(told, p["price_per_mu"]),
            str(p["parcels"]),
            md.mu(p["area_mu"]),
            money(told, p["worth"]),
            _gap(p["gap"]),
        )
        for p in told["frontier"]
    ]
    names = ("factor", "price", "changed", "changed_mu", "worth", "gap")
    header = tuple(words(f"replan_col_{n}") for n in names)
    title = [f"## {words('replan_frontier')}", "", words("replan_frontier_intro"), ""]
    return [*title, *md.table(header, rows, "rrrrrr")]


def failed(told: Told) -> list[str]:
    """Why there is no plan, and which event is to blame."""
    found = told["failed"]
    if found is None:
        return []
    words = words_of(told)
    lines = [
        f"## {words('replan_failed')}",
        "",
        words(f"replan_failed_{found['status']}"),
        "",
        md.text(found["message"]),
    ]
    rows = [
        (
            md.text(s["target"]),
            md.text(s["unit"]),
            md.mu(s["target_mu"]),
            md.mu(s["proven_max_mu"], words("replan_not_computed")),
            "–" if s["proven_max_mu"] is None else md.mu(max(0.0, s["target_mu"] - s["proven_max_mu"])),
        )
        for s in found["shortfalls"]
    ]
    if rows:
        header = tuple(words(f"replan_col_{n}") for n in ("target", "unit", "asked", "most", "missing"))
        lines += ["", *md.table(header, rows, "llrrr")]
    return [*lines, *_blame(told, words)]


def _blame(told: Told, words: Labels) -> list[str]:
    if not told["blame"]:
        return []
    lines = ["", f"## {words('replan_blame')}", "", words("replan_blame_intro"), ""]
    for b in told["blame"]:
        name = f"{b['number']}. `{b['kind']}`" + (f" ({md.text(b['reason'])})" if b["reason"] else "")
        lines.append(f"- {name}: {words('replan_blame_' + b['verdict'])}")
    if all(b["verdict"] != "possible" for b in told["blame"]):
        lines += ["", words("replan_blame_none")]
    return lines
