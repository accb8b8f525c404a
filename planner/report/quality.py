"""The data-quality findings as plain text, for a terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from planner.quality import QualityRow, in_order

_TEXT_WIDTH = 76


def quality_text(rows: Sequence[QualityRow]) -> str:
    """Table of the findings: those to fix before those worth knowing, and of each those on the most land first.

    Parameters
    ----------
    rows : sequence of QualityRow
        In any order.

    Returns
    -------
    str
        One finding a line: area in mu (– where no parcel of the plan is concerned), count, what it is, and the first
        parcel ids on a line of their own. Ends without a newline.
    """
    if not rows:
        return "Data quality: nothing was found that needs a look."
    ordered = in_order(rows)
    areas = ["–" if r.area_mu is None else f"{r.area_mu:,.2f}" for r in ordered]
    counts = [f"{r.count:,}" for r in ordered]
    wide_area, wide_count = max(map(len, [*areas, "area, mu"])), max(map(len, [*counts, "count"]))
    lines = ["Data quality, by the land concerned:"]
    heads = {True: "to fix before planning", False: "worth knowing"}
    indent = " " * (wide_area + wide_count + 6)
    part: bool | None = None
    for row, area, count in zip(ordered, areas, counts, strict=True):
        if row.to_fix is not part:
            part = row.to_fix
            lines += ["", f"  {'area, mu':>{wide_area}}  {'count':>{wide_count}}  {heads[part]}"]
        lines.append(f"  {area:>{wide_area}}  {count:>{wide_count}}  {row.what}")
        if row.parcel_ids:
            lines.append(f"{indent}{_fitting(row)}")
    return "\n".join(lines)


def _fitting(row: QualityRow) -> str:
    """As many ids as fit on a line, and how many there are besides."""
    shown: list[str] = []
    for name in row.parcel_ids:
        if shown and _width(", ".join([*shown, name])) > _TEXT_WIDTH:
            break
        shown.append(name)
    rest = row.count - len(shown)
    return ", ".join(shown) + (f" and {rest:,} more" if rest > 0 else "")


def _width(text: str) -> int:
    """Columns on a terminal: Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
