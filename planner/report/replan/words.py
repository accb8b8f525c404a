"""Figures and words of a replan's report, in its language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from planner.labels import Labels
from planner.report import markdown as md

Told = Mapping[str, Any]
"""Content of ``replan.json``."""

AREA = "replan"


def words_of(told: Told) -> Labels:
    """Words in the language of the report."""
    return Labels.of(told["language"], AREA)


def money(told: Told, value: float | None) -> str:
    """An amount with its currency."""
    return md.money(value, told["currency"])


def note(words: Labels, given: Mapping[str, Any]) -> str:
    """A fact in words; what came from files is made harmless."""
    return words(given["key"], *(md.text(v) if isinstance(v, str) else v for v in given["values"]))


def share(part: float, whole: float) -> str:
    """A part of a whole."""
    return md.percent(part / whole if whole else None)
