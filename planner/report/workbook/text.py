"""Text of cells: what comes from data is shown as it is, and can do nothing."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

LONGEST: Final = 32_767
"""Most characters in a cell (UTF-16 units); longer text is cut, and says so."""
LONGEST_SHEET_NAME: Final = 31
_CONTROL: Final = {code: 0x2400 + code for code in range(0x20) if chr(code) not in "\n\t"} | {0x7F: 0x2421}
"""Control characters → their visible pictures ␀ ␁ …"""
_NOT_XML: Final = re.compile("[\ud800-\udfff\ufffe\uffff]")


def plain(value: object) -> str:
    """Text as it may stand in a cell: no control characters, no halves of characters, not too long."""
    text = _NOT_XML.sub("\ufffd", str(value).replace("\r\n", "\n").replace("\r", "\n").translate(_CONTROL))
    return text if _units(text) <= LONGEST else f"{text[: LONGEST // 2]} … ({len(text)})"


def width(text: str) -> int:
    """Columns that the widest line of a text takes: Chinese characters take two."""
    return max(
        (sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in s) for s in text.split("\n")), default=0
    )


def lines(text: str, columns: float) -> int:
    """Lines that a text takes where a line has so many columns."""
    return sum(max(1, -(-width(part) // max(int(columns), 1))) for part in text.split("\n"))


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
