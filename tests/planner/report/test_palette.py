from itertools import combinations

import numpy as np
import pytest

from planner.report import palette
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


VISIONS = {
    "usual": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
"""Linear RGB as it is seen (Machado, Oliveira and Fernandes 2009, severity 1)."""
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)


def lab(colour: str, vision: str = "usual") -> np.ndarray:
    """CIELAB (D65) of a colour as somebody sees it."""
    parts = np.array(list(bytes.fromhex(colour[1:]))) / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.array(VISIONS[vision]) @ linear, 0, 1)
    x, y, z = (TO_XYZ @ seen) / (0.95047, 1, 1.08883)
    x, y, z = (np.cbrt(v) if v > 0.008856 else 7.787 * v + 16 / 116 for v in (x, y, z))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def test_lightness_is_that_of_the_standard() -> None:
    np.testing.assert_allclose(lab("#FFFFFF"), [100, 0, 0], atol=0.05)
    np.testing.assert_allclose(lab("#FF0000"), [53.24, 80.09, 67.20], atol=0.05)


@pytest.mark.parametrize("ramp", [palette.SCORE, palette.RATIO, palette.SHARE, palette.YEAR])
@pytest.mark.parametrize("count", [2, 3, 4, 5, 6])
def test_measured_values_go_from_light_to_dark_for_every_reader(ramp, count):
    colours = palette.ramp_colours(ramp, count)
    for vision in VISIONS:
        steps = np.diff([lab(c, vision)[0] for c in colours])
        assert (steps < -5).all(), (vision, steps)


@pytest.mark.parametrize("vision", VISIONS)
def test_names_can_be_told_apart_by_every_reader(vision):
    for a, b in combinations(palette.CATEGORIES, 2):
        assert np.linalg.norm(lab(a, vision) - lab(b, vision)) > 20, (a, b)


def test_names_can_be_told_apart_in_black_and_white():
    lightness = sorted(lab(c)[0] for c in palette.CATEGORIES)
    assert np.diff(lightness).min() > 10


def test_more_names_than_colours_take_them_again_with_a_hatch():
    count = len(palette.CATEGORIES)
    styles = palette.category_styles(count + 3)
    assert len(set(styles)) == count + 3
    assert [hatch for _, hatch in styles[:count]] == [0] * count
    assert all(hatch > 0 for _, hatch in styles[count:])
    assert len(palette.category_styles(1000)) == count * len(palette.CATEGORY_HATCHES)


@pytest.mark.parametrize("vision", VISIONS)
def test_changes_differ_in_colour_or_hatch_for_every_reader(vision):
    assert set(palette.CHANGE) == set(palette.CHANGE_HATCHES)
    for a, b in combinations(palette.CHANGE, 2):
        first, second = palette.CHANGE[a], palette.CHANGE[b]
        apart = np.linalg.norm(lab(first, vision) - lab(second, vision))
        grey = abs(lab(first)[0] - lab(second)[0])
        hatched = palette.CHANGE_HATCHES[a] != palette.CHANGE_HATCHES[b]
        assert apart > 20, (a, b)
        assert hatched or grey > 8, (a, b)
