"""Fonts of the printed map: one with Chinese glyphs where the machine has one, and text that it can set."""

from __future__ import annotations

import struct
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from matplotlib import font_manager, ft2font

CHINESE_FAMILIES: Final = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "Source Han Sans",
    "Microsoft YaHei",
    "PingFang SC",
    "Hiragino Sans GB",
    "DengXian",
    "SimHei",
    "SimSun",
    "STHeiti",
    "Heiti SC",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "Noto Serif CJK SC",
    "Arial Unicode MS",
    "Droid Sans Fallback",
    "Noto Sans CJK TC",
    "Noto Sans CJK HK",
    "Noto Sans CJK JP",
    "Noto Sans CJK KR",
)
"""Families with simplified Chinese, the best for small print first; the last ones draw some characters otherwise."""

LATIN_FAMILY: Final = "DejaVu Sans"
"""Comes with matplotlib."""

REPLACEMENT: Final = "?"
_PROBE: Final = "地块亩"
_MM_PER_POINT: Final = 25.4 / 72.0
_MEASURE_SIZE: Final = 100.0
_GAPS: Final = frozenset({"Cc", "Cf", "Zl", "Zp"})
"""Kinds of characters that draw nothing; in a line of text they stand for a gap at most."""


@dataclass(frozen=True)
class Typeface:
    """What text on the printed map is set in.

    Attributes
    ----------
    families : tuple of str
        Families, the first that has a glyph sets it.
    chinese : bool
        There are Chinese glyphs.
    truetype : bool
        All outlines are TrueType.
    """

    families: tuple[str, ...]
    chinese: bool
    truetype: bool
    _faces: dict[bool, list[Any]] = field(default_factory=dict, compare=False, repr=False)
    _widths: dict[tuple[str, bool], float | None] = field(default_factory=dict, compare=False, repr=False)

    @property
    def pdf_fonttype(self) -> int:
        """How glyphs are put into a PDF: whole (42) from TrueType, as drawings (3) else.

        PDF has no Type 42 for the other kind of outlines (CFF, such as Noto Sans CJK); forced into it they make a file
        that breaks the standard, and subsetting takes seconds. Type 3 is embedded too, and its text can be searched.
        """
        return 42 if self.truetype else 3

    def printable(self, text: object) -> str:
        """One line of text with every character that no font has replaced by `REPLACEMENT`."""
        kept = (" " if unicodedata.category(c) in _GAPS else c for c in str(text))
        return " ".join("".join(c if self._advance(c, False) is not None else REPLACEMENT for c in kept).split())

    def width_mm(self, text: str, size: float, bold: bool = False) -> float:
        """Width of a line of printable text at `size` points, mm."""
        return sum(self._advance(c, bold) or 0.0 for c in text) * size * _MM_PER_POINT

    def _advance(self, character: str, bold: bool) -> float | None:
        """Advance of a glyph in ems; None where no font has it."""
        key = (character, bold)
        if key not in self._widths:
            self._widths[key] = next((a for a in map(_asker(character), self._fonts(bold)) if a is not None), None)
        return self._widths[key]

    def _fonts(self, bold: bool) -> list[Any]:
        if bold not in self._faces:
            self._faces[bold] = [_font(name, bold) for name in self.families]
        return self._faces[bold]


def find_typeface(candidates: Sequence[str] = CHINESE_FAMILIES) -> Typeface:
    """The first of the candidates that this machine has, with Latin letters behind it; else only these."""
    installed = {entry.name for entry in font_manager.fontManager.ttflist}
    for name in candidates:
        if name in installed and all(_font(name, False).get_char_index(ord(c)) for c in _PROBE):
            return Typeface((name, LATIN_FAMILY), chinese=True, truetype=_is_truetype(name))
    return Typeface((LATIN_FAMILY,), chinese=False, truetype=True)


def _path(family: str, bold: bool) -> Any:
    wanted = font_manager.FontProperties(family=family, weight="bold" if bold else "normal")
    return font_manager.findfont(wanted, fallback_to_default=False)


def _font(family: str, bold: bool) -> Any:
    return font_manager.get_font(_path(family, bold))


def _asker(character: str) -> Any:
    def ask(font: Any) -> float | None:
        code = ord(character)
        if not font.get_char_index(code):
            return None
        font.set_size(_MEASURE_SIZE, 72)
        glyph = font.load_char(code, flags=ft2font.LoadFlags.NO_HINTING)
        return float(glyph.linearHoriAdvance) / 65536.0 / _MEASURE_SIZE

    return ask


def _is_truetype(family: str) -> bool:
    """Whether the outlines are TrueType, from the first bytes of the font (or of its face in a collection)."""
    found = _path(family, False)
    with Path(str(found)).open("rb") as file:
        head = file.read(4)
        if head == b"ttcf":
            file.seek(12 + 4 * getattr(found, "face_index", 0))
            file.seek(struct.unpack(">I", file.read(4))[0])
            head = file.read(4)
    return head != b"OTTO"
