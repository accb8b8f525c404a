"""The wording of a lock: what a hand may write, and what is refused."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.config import Config
from planner.lock_entries import KINDS, LockEntry, parse_lock, phase_named, repeated, tidy_note, unfit
from tests.planner.land_builders import BASE, merged

_WIDE = {chr(c): chr(c + 0xFEE0) for c in range(0x21, 0x7F)} | {" ": "\u3000"}


@pytest.mark.parametrize(
    ("text", "lock"),
    [
        ("", (None, None)),
        (" \u3000\t", (None, None)),
        ("in", ("in", None)),
        (" OUT ", ("out", None)),
        ("ｉｎ", ("in", None)),
        ("by P1", ("by", "P1")),
        ("At\u3000p2", ("at", "p2")),
        ("ａｔ Ｐ２", ("at", "P2")),
        ("byP1", ("by", "P1")),
        ("by 近期", ("by", "近期")),
        ("at phase 2 of 3", ("at", "phase 2 of 3")),
    ],
)
def test_what_a_hand_may_write(text: str, lock: tuple[str | None, str | None]) -> None:
    assert parse_lock(text) == lock


@pytest.mark.parametrize("text", ["by", "at ", "inn", "yes", "1", "out P1", "in P1", "P1", "b y P1", "纳入"])
def test_what_is_no_lock(text: str) -> None:
    with pytest.raises(ValueError, match="no lock"):
        parse_lock(text)


_PHASES = st.text(st.characters(categories=["L", "N"], max_codepoint=0x9FFF), min_size=1, max_size=8)


@settings(deadline=None)
@given(kind=st.sampled_from(KINDS), phase=_PHASES, data=st.data())
def test_a_written_lock_is_read_whatever_its_width_case_and_spaces(kind: str, phase: str, data: st.DataObject) -> None:
    timed = kind in {"by", "at"}
    wanted = (kind, phase) if timed else (kind, None)
    word = "".join(c.upper() if data.draw(st.booleans()) else c for c in kind)
    space = data.draw(st.text(st.sampled_from(" \t\u3000\u00a0"), max_size=3))
    text = f"{space}{word}{space} {phase}{space}" if timed else f"{space}{word}{space}"
    text = "".join(_WIDE.get(c, c) if data.draw(st.booleans()) else c for c in text)
    found, found_phase = parse_lock(text)
    assert found == wanted[0]
    if timed:
        assert found_phase is not None
        assert phase_named(found_phase, [phase, "another one"]) == phase


@settings(deadline=None)
@given(st.text())
def test_whatever_is_read_is_read_again(text: str) -> None:
    try:
        kind, phase = parse_lock(text)
    except ValueError:
        return
    assert (phase is not None) == (kind in {"by", "at"})
    assert parse_lock(LockEntry("A", kind, phase, None, "").text) == (kind, phase)


@pytest.mark.parametrize(
    ("text", "phases", "found"),
    [
        ("P1", ["P1", "p1"], "P1"),  # written just so
        ("p1", ["P1", "P2"], "P1"),
        ("P 1", ["P1", "P2"], "P1"),
        ("P1", ["Ｐ１"], "Ｐ１"),
        ("P 1", ["P1", "p1"], None),  # either may be meant
        ("P3", ["P1", "P2"], None),
    ],
)
def test_the_phase_that_is_meant(text: str, phases: list[str], found: str | None) -> None:
    assert phase_named(text, phases) == found


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (None, None),
        (" \r\n ", None),
        (" see file 12 ", "see file 12"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("a\x00b\x07", "ab"),
        ("村里\t不同意 😀", "村里\t不同意 😀"),
    ],
)
def test_remarks_keep_their_words(text: str | None, kept: str | None) -> None:
    assert tidy_note(text) == kept


@settings(deadline=None)
@given(st.text())
def test_a_tidy_remark_stays_as_it_is(text: str) -> None:
    kept = tidy_note(text)
    assert tidy_note(kept) == kept
    assert all(unicodedata.category(c) != "Cc" or c in "\t\n" for c in kept or "")


def _entry(parcel: str, kind: str | None = "in", phase: str | None = None, place: str = "here") -> LockEntry:
    return LockEntry(parcel, kind, phase, None, place)  # type: ignore[arg-type]


def test_a_parcel_has_one_entry() -> None:
    issues = list(repeated([_entry("A", place="row 1"), _entry("B"), _entry("A", place="row 3")]))
    assert [(i.where, i.found) for i in issues] == [("row 3", "the parcel A a second time; first: row 1")]


def test_phases_and_standing_blocks_of_the_configuration() -> None:
    blocks = [{"id": "done", "parcels": ["P09"], "phase": "P1"}]
    config = Config.model_validate(merged(BASE, {"optimise": {"locks": {"blocks": blocks}}}))
    fine = [_entry("P00", "at", "p1"), _entry("P01", "by", "P 2"), _entry("P02", "out"), _entry("P09", None)]
    assert list(unfit(fine, config)) == []
    second, first = unfit([_entry("P00", "at", "P9", "row 1"), _entry("P09", "out", None, "row 2")], config)
    assert (first.where, second.where) == ("row 1", "row 2")
    assert "'at P9'" in first.found
    assert "P1, P2" in first.expected
    assert "P09" in second.found
    assert "'done'" in second.expected
