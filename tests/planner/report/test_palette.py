import pytest

from planner.report.palette import MUTED, PHASE_RAMP, SCORE, STATUS, phase_colours


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2)."""
    parts = [c / 255 for c in bytes.fromhex(colour[1:])]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_five_phases_take_the_ramp_itself():
    assert phase_colours(5) == PHASE_RAMP


def test_fewer_phases_are_spread_over_the_ramp():
    assert phase_colours(0) == ()
    assert phase_colours(1) == ("#BD0026",)
    assert phase_colours(3) == ("#BD0026", "#FD8D3C", "#FFFFB2")


@pytest.mark.parametrize("count", [2, 3, 4, 5, 6, 9])
def test_phases_go_from_dark_to_light(count):
    values = [luminance(c) for c in phase_colours(count)]
    assert len(set(values)) == count
    assert values == sorted(values)


def test_scores_go_from_light_to_dark():
    values = [luminance(c) for c in SCORE]
    assert values == sorted(values, reverse=True)


def test_every_status_has_a_colour():
    assert set(STATUS) == {"selected", "eligible", "ineligible", "excluded"}
    assert set(MUTED) == set(STATUS) - {"selected"}
