import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.report.printed.scale import ROUND_SCALES, fits, fitting_scale, round_length_m, scale_text

ROOM = (380.0, 200.0)


@pytest.mark.parametrize(
    ("width_m", "height_m", "expected"),
    [
        (380.0, 10.0, 1000),
        (380.1, 10.0, 2000),
        (10.0, 2000.0, 10_000),
        (10.0, 2000.1, 20_000),
        (1.0, 1.0, 500),
        (9000.0, 1.0, 25_000),
        (300_000.0, 1.0, 1_000_000),
        (600_000.0, 1.0, 2_000_000),
    ],
)
def test_the_largest_round_scale_that_fits(width_m: float, height_m: float, expected: int) -> None:
    assert fitting_scale(width_m, height_m, ROOM) == expected


@given(st.floats(1, 1e6), st.floats(1, 1e6))
def test_it_fits_and_no_larger_one_does(width_m: float, height_m: float) -> None:
    scale = fitting_scale(width_m, height_m, ROOM)
    assert fits(width_m, height_m, ROOM, scale)
    assert not any(fits(width_m, height_m, ROOM, larger) for larger in ROUND_SCALES if larger < scale)


@given(st.sampled_from(ROUND_SCALES), st.floats(5, 100))
def test_lengths_of_bars_are_round_and_fit(scale: int, room_mm: float) -> None:
    length = round_length_m(scale, room_mm)
    assert length / 10 ** int(math.log10(length)) in {1, 2, 5}
    assert length * 1000 / scale <= room_mm
    assert length * 1000 / scale > room_mm / 2.5 - 1e-9


def test_a_scale_is_written_with_gaps() -> None:
    assert scale_text(10_000) == "1:10 000"
    assert scale_text(500) == "1:500"
