"""Scripts and style of the page: those it shares with the review map, and its own."""

from __future__ import annotations

from importlib import resources
from typing import Final

_SHARED: Final = resources.files("planner.report") / "static"
_OWN: Final = resources.files(__package__) / "static"

SHARED_SCRIPTS: Final = ("labels.js", "base.js", "hatch.js")
"""Words, numbers and outlines, hatches: as on the review map."""
OWN_SCRIPTS: Final = ("text.js", "tables.js", "maps.js", "parcel.js", "main.js")
"""In the order in which they build on each other."""


def scripts() -> tuple[str, ...]:
    """All scripts but Leaflet, in loading order."""
    shared = ((_SHARED / name).read_text(encoding="utf-8") for name in SHARED_SCRIPTS)
    return (*shared, *((_OWN / name).read_text(encoding="utf-8") for name in OWN_SCRIPTS))


def style() -> str:
    """Style sheet of the page."""
    return (_OWN / "compare.css").read_text(encoding="utf-8")
