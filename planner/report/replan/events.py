"""What happened, and what it does to the plan before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from planner.labels import Labels
from planner.report import markdown as md
from planner.report.replan.words import Told, note, words_of

_SHOWN: Final = 12
"""Findings listed; the rest is counted, and stands in ``replan.json``."""


def happened(told: Told) -> list[str]:
    """The events, numbered, with what each does."""
    words = words_of(told)
    lines = [f"## {words('replan_happened')}", ""]
    for k, event in enumerate(told["events"], start=1):
        lines.append(words("replan_number_event", k, _head(words, event)))
        lines += [f"   - {text}" for text in _facts(words, event)]
    return lines


def _head(words: Labels, event: Mapping[str, Any]) -> str:
    head = words(f"replan_event_{event['kind']}", len(event["parcels"]), md.mu(event["area_mu"]))
    return words("replan_reason", head, md.text(event["reason"])) if event["reason"] else head


def _facts(words: Labels, event: Mapping[str, Any]) -> list[str]:
    facts = [note(words, n) for n in event["notes"]]
    if event["in_blocks"] and event["kind"] not in {"done", "running", "dropped"}:
        blocks = [words("replan_block_mu", md.text(name), md.mu(mu)) for name, mu in event["in_blocks"].items()]
        facts.insert(0, words("replan_in_blocks", ", ".join(blocks)))
    return facts


def judged(told: Told) -> list[str]:
    """The plan before under the new conditions."""
    words, found = words_of(told), told["judged"]
    lines = [f"## {words('replan_judged')}", ""]
    if found["passed"]:
        return [*lines, words("replan_holds")]
    parts = [_rests(words, found), _lacks(words, found), _rules(words, found)]
    if found["parcels_gone"]:
        parts.insert(0, [words("replan_gone_parcels", len(found["parcels_gone"]))])
    body: list[str] = []
    for part in parts:
        body += [*([""] if body and part else []), *part]
    return [*lines, *body]


def _rests(words: Labels, found: Mapping[str, Any]) -> list[str]:
    if not found["blocks"]:
        return []
    rows = [
        (
            md.text(b["name"]),
            md.text(b["block_id"]),
            md.text(b["phase"]),
            md.mu(b["lost_mu"]),
            md.mu(b["left_mu"]),
            str(b["pieces"]),
            words("replan_rest_stands" if b["stands"] else "replan_rest_broken" if b["pieces"] else "replan_rest_gone"),
        )
        for b in found["blocks"]
    ]
    names = ("project", "block", "phase", "lost", "left", "pieces", "rest")
    header = tuple(words(f"replan_col_{n}") for n in names)
    return [words("replan_judged_intro"), "", *md.table(header, rows, "lllrrrl")]


def _lacks(words: Labels, found: Mapping[str, Any]) -> list[str]:
    if not found["targets"]:
        return []
    rows = [
        (md.text(t["target"]), md.text(t["unit"]), md.mu(t["asked"]), md.mu(t["left"]), md.mu(t["missing"]))
        for t in found["targets"]
    ]
    header = tuple(words(f"replan_col_{n}") for n in ("target", "unit", "asked", "reached", "missing"))
    return [words("replan_lacks_intro"), "", *md.table(header, rows, "llrrr")]


def _rules(words: Labels, found: Mapping[str, Any]) -> list[str]:
    broken = found["broken"]
    if not broken:
        return []
    lines = [words("replan_rules_intro", len(broken)), "", *(f"- {md.text(f['message'])}" for f in broken[:_SHOWN])]
    if len(broken) > _SHOWN:
        lines.append(f"- {words('replan_rules_more', len(broken) - _SHOWN)}")
    return lines
