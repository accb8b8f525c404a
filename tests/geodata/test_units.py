from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.units import M2_PER_MU, UnitError, canonical_unit, conversion_factor, dimension, known_units, parse_unit

AREAS = ["m2", "mu", "ha", "ft2", "km2"]
MONEY = ["yuan", "wan_yuan", "unit", "thousand", "million"]
UNITS = st.one_of(
    *(st.tuples(st.sampled_from(group), st.sampled_from(group)) for group in (AREAS, MONEY, ["m", "ft", "km"])),
    st.tuples(*(st.builds("{}/{}".format, st.sampled_from(MONEY), st.sampled_from(AREAS)) for _ in range(2))),
)


@pytest.mark.parametrize(
    ("source", "target", "factor"),
    [
        ("ha", "mu", 15.0),
        ("mu", "m2", 2000 / 3),
        ("km2", "mu", 1500.0),
        ("ft2", "m2", 0.09290304),
        ("km", "m", 1000.0),
        ("ft", "m", 0.3048),
        ("wan_yuan", "yuan", 10_000.0),
        ("million", "wan_yuan", 100.0),
        ("thousand", "unit", 1000.0),
        ("wan_yuan/mu", "yuan/m2", 15.0),  # 10 000 yuan over 666.67 m2
        ("yuan/m2", "wan_yuan/mu", 1 / 15),
        ("万元/亩", "wan_yuan/mu", 1.0),
        ("㎡", "m2", 1.0),
    ],
)
def test_known_factors(source: str, target: str, factor: float) -> None:
    assert conversion_factor(source, target) == factor


def test_a_mu_is_a_fifteenth_of_a_hectare() -> None:
    assert pytest.approx(10_000, rel=1e-15) == M2_PER_MU * 15
    assert conversion_factor("mu", "m2") == M2_PER_MU


@settings(deadline=None)
@given(pair=UNITS, value=st.floats(-1e12, 1e12))
def test_there_and_back_is_the_same(pair: tuple[str, str], value: float) -> None:
    there, back = conversion_factor(*pair), conversion_factor(pair[1], pair[0])
    assert math.isclose(value * there * back, value, rel_tol=1e-14, abs_tol=1e-300)


@settings(deadline=None)
@given(pair=UNITS, via=st.sampled_from(known_units()))
def test_a_detour_changes_nothing(pair: tuple[str, str], via: str) -> None:
    if dimension(via) == dimension(pair[0]):
        direct = conversion_factor(*pair)
        assert math.isclose(conversion_factor(pair[0], via) * conversion_factor(via, pair[1]), direct, rel_tol=1e-14)


@pytest.mark.parametrize(("source", "target"), [("mu", "m"), ("yuan", "mu"), ("yuan/m2", "yuan"), ("m2/mu", "mu/m")])
def test_different_things_have_no_factor(source: str, target: str) -> None:
    with pytest.raises(UnitError, match="measures"):
        conversion_factor(source, target)


@pytest.mark.parametrize("text", ["acre", "", "yuan/", "yuan/mu/m2", "M2"])
def test_unknown_units_are_refused_and_the_known_named(text: str) -> None:
    with pytest.raises(UnitError, match=r"known are m2, mu, ha, ft2, km2, m, ft, km, yuan"):
        parse_unit(text)


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("tax_wan_yuan_per_mu", "wan_yuan/mu"),
        ("land_price_yuan_per_m2", "yuan/m2"),
        ("land_area_m2", "m2"),
        ("cost_yuan", "yuan"),
        ("cost_wan_yuan", "wan_yuan"),
        ("gross_floor_area_ft2", "ft2"),
        ("shared_m", "m"),
        ("面积_mu", "mu"),
        ("budget_million", "million"),
        ("tax_per_mu", "unit/mu"),
        ("value_unit_per_mu", "unit/mu"),
        ("floor_m2_per_mu", "m2/mu"),
        ("area_per_worker_m2", "m2"),
        ("lease_end_year", None),
        ("rent_yuan_per_m2_month", None),
        ("planning_unit", None),
        ("firms_per_parcel", None),
        ("far", None),
        ("mu", None),
        ("album", None),
        ("_per_mu", "unit/mu"),
    ],
)
def test_unit_of_a_name(name: str, unit: str | None) -> None:
    assert canonical_unit(name) == unit
