import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.report.printed.fonts import LATIN_FAMILY, find_typeface
from planner.report.printed.page import fit

LATIN = find_typeface(())


def test_without_candidates_only_latin_letters_are_left() -> None:
    assert LATIN.families == (LATIN_FAMILY,)
    assert not LATIN.chinese
    assert LATIN.truetype
    assert LATIN.pdf_fonttype == 42
    assert LATIN.printable("罗马 P1") == "?? P1"


def test_families_that_are_not_there_are_passed_over() -> None:
    assert find_typeface(("No Such Family 1", "No Such Family 2")) == LATIN


def test_a_family_without_chinese_is_passed_over() -> None:
    assert not find_typeface(("DejaVu Sans Mono",)).chinese


def test_chinese_stays_chinese_where_a_font_has_it() -> None:
    face = find_typeface()
    if not face.chinese:
        pytest.skip("no Chinese font on this machine")
    assert face.printable("罗马 P1") == "罗马 P1"
    assert face.width_mm("罗马", 10) > face.width_mm("ab", 10)


@pytest.mark.parametrize(("given_text", "expected"), [("a\nb\tc", "a b c"), ("\x00a\u200b ", "a"), ("\ud800", "?")])
def test_what_cannot_be_drawn_is_replaced(given_text: str, expected: str) -> None:
    assert LATIN.printable(given_text) == expected


@given(st.text(max_size=40))
def test_printable_text_is_one_line_without_controls(value: str) -> None:
    shown = LATIN.printable(value)
    assert not any(unicodedata.category(c).startswith("C") for c in shown)
    assert "\n" not in shown
    assert LATIN.printable(shown) == shown


@given(
    st.text(alphabet="abc W.$\\_", max_size=80),
    st.floats(5, 80),
    st.integers(1, 4),
)
def test_fitted_rows_are_narrow_enough_and_keep_the_text(value: str, width_mm: float, lines: int) -> None:
    value = LATIN.printable(value)
    rows, size = fit(LATIN, value, width_mm, 12.0, 6.0, lines)
    assert len(rows) <= lines
    assert 6.0 <= size <= 12.0
    assert all(LATIN.width_mm(row, size) <= width_mm * (1 + 1e-6) for row in rows)
    if not rows[-1].endswith("…"):
        assert "".join("".join(rows).split()) == "".join(value.split())
