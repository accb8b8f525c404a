"""Scripts and style of the page: those it shares with the review map and the comparison, and its own."""

from __future__ import annotations

from importlib import resources
from typing import Final

from planner.report.compare.assets import style as shared_style

_SHARED: Final = resources.files("planner.report") / "static"
_OWN: Final = resources.files(__package__) / "static"

SHARED_SCRIPTS: Final = ("labels.js", "base.js", "hatch.js")
"""Words, numbers and outlines, hatches: as on the review map."""
OWN_SCRIPTS: Final = ("parts.js", "headline.js", "tables.js", "map.js", "main.js")
"""In the order in which they build on each other."""


def scripts() -> tuple[str, ...]:
    """All scripts but Leaflet, in loading order."""
    shared = ((_SHARED / name).read_text(encoding="utf-8") for name in SHARED_SCRIPTS)
    return (*shared, *((_OWN / name).read_text(encoding="utf-8") for name in OWN_SCRIPTS))


def style() -> str:
    """Style sheets of the page: that of the comparison, then its own."""
    return shared_style() + "\n" + (_OWN / "progress.css").read_text(encoding="utf-8")
