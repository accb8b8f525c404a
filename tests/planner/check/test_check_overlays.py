from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.overlay import overlay_fields
from geodata.spec_land import OverlaySpec
from planner.check import Claims, Finding
from planner.check.facts import Facts
from planner.check.outcome import Outcome
from planner.check.rules.overlays import COLUMNS, expected, overlays
from planner.config import Config
from tests.planner.check.check_builders import BLOCKS, CRS, EAST, HIGH, NORTH, WIDE, HandPlan, honest_plan

TAKEN = [parcel for parcels in BLOCKS.values() for parcel in parcels]
CELL_M2 = WIDE * HIGH


@dataclass(frozen=True)
class Layers:
    """The layers of a plan with that of the overlays."""

    parcels: gpd.GeoDataFrame
    blocks: gpd.GeoDataFrame
    zones: gpd.GeoDataFrame
    links: gpd.GeoDataFrame
    barriers: gpd.GeoDataFrame
    overlays: gpd.GeoDataFrame


def written(*rows: tuple[str, str, float, float, Any]) -> gpd.GeoDataFrame:
    data = [dict(zip((*COLUMNS, "geometry"), row, strict=True)) for row in rows]
    return gpd.GeoDataFrame(data, columns=[*COLUMNS, "geometry"], geometry="geometry", crs=CRS)


def judge(layer: gpd.GeoDataFrame, *specs: dict[str, Any], plan: HandPlan | None = None) -> tuple[Facts, Outcome]:
    plan = plan or honest_plan()
    config = Config.model_validate(plan.config | {"overlays": [{"path": "red.gpkg"} | spec for spec in specs]})
    tables = Layers(plan.parcels, plan.blocks, plan.zones, plan.links, plan.barriers, layer)
    facts = Facts(cast(Any, tables), config, Claims())
    return facts, overlays(facts)


def findings(layer: gpd.GeoDataFrame, *specs: dict[str, Any]) -> list[Finding]:
    return list(judge(layer, *specs)[1].findings)


RED = {"name": "red", "effect": "exclude", "tolerance_m2": 1.0, "tolerance_share": 0.0}
INSIDE = {"name": "town", "effect": "require", "tolerance_m2": 1.0, "tolerance_share": 0.0}


def red(*shapes: Any, m2: float = 1.0, share: float = 0.0) -> gpd.GeoDataFrame:
    return written(*[("red", "exclude", m2, share, shape) for shape in shapes])


def corner(area_m2: float) -> Any:
    """A rectangle of this area in the south-west corner of r0c0."""
    return shapely.box(EAST - 50, NORTH - 50, EAST + WIDE / 2, NORTH + area_m2 / (WIDE / 2))


class TestExclude:
    def test_nothing_to_judge(self) -> None:
        facts, outcome = judge(written())
        assert (outcome.checked, list(outcome.findings), expected(facts)) == (0, [], 0)
        _, tagged = judge(written(("park", "tag", 1.0, 0.0, corner(50))), {"name": "park", "effect": "tag"})
        assert (tagged.checked, list(tagged.findings)) == (0, [])

    def test_an_overlay_without_features_near_the_land(self) -> None:
        facts, outcome = judge(written(), RED)
        assert list(outcome.findings) == []
        assert outcome.checked == expected(facts) == len(TAKEN)
        assert outcome.measured == {"red_m2": 0.0}

    def test_a_breach_names_the_parcel_and_the_m2(self) -> None:
        facts, outcome = judge(red(corner(50)), RED)
        (found,) = outcome.findings
        assert found.parcel_ids == ("r0c0",)
        assert found.block_id == "B1"
        assert (found.rule, found.severity, found.unit, found.limit) == ("overlays", "error", "m2", 1.0)
        assert found.measured == pytest.approx(50)
        assert "overlaps red by 50.00 m²; 1.00 m² are allowed" in found.message
        assert outcome.measured["red_m2"] == pytest.approx(50)
        assert expected(facts) == outcome.checked

    @pytest.mark.parametrize(
        ("area_m2", "spec", "breaches"),
        [
            (1.0, {}, 0),
            (1.009, {}, 0),
            (1.02, {}, 1),
            (0.1 * CELL_M2, {"tolerance_share": 0.1}, 0),
            (0.1 * CELL_M2 + 0.02, {"tolerance_share": 0.1}, 1),
            (49.0, {"tolerance_m2": 49.0, "tolerance_share": 0.001}, 0),
            (0.005, {"tolerance_m2": 0.0}, 0),
            (0.02, {"tolerance_m2": 0.0}, 1),
        ],
    )
    def test_at_the_tolerance(self, area_m2: float, spec: dict[str, float], breaches: int) -> None:
        spec_ = RED | spec
        layer = red(corner(area_m2), m2=spec_["tolerance_m2"], share=spec_["tolerance_share"])
        assert len(findings(layer, spec_)) == breaches

    def test_parts_below_the_tolerance_add_up_and_overlaps_count_once(self) -> None:
        west = shapely.box(EAST, NORTH, EAST + 0.9, NORTH + 1)
        east = shapely.box(EAST + 50, NORTH, EAST + 50.9, NORTH + 1)
        assert len(findings(red(west, east), RED)) == 1
        assert findings(red(west, west, west), RED) == []

    def test_land_outside_the_plan_may_lie_under_it(self) -> None:
        plan = honest_plan()
        outside = plan.parcels[plan.parcels["block_id"].isna()]
        inner = outside.geometry.buffer(-1)
        assert findings(red(*inner), RED) == []

    def test_a_broken_feature_is_still_measured(self) -> None:
        bow = shapely.Polygon([(EAST, NORTH), (EAST + 10, NORTH + 10), (EAST + 10, NORTH), (EAST, NORTH + 10)])
        (found,) = findings(red(bow), RED)
        assert found.measured == pytest.approx(50)


class TestRequire:
    WHOLE = shapely.box(EAST - 5, NORTH - 5, EAST + 700, NORTH + 400)

    def town(self, shape: Any) -> gpd.GeoDataFrame:
        return written(("town", "require", 1.0, 0.0, shape))

    def test_all_inside(self) -> None:
        _, outcome = judge(self.town(self.WHOLE), INSIDE)
        assert list(outcome.findings) == []
        assert outcome.measured["town_m2"] == pytest.approx(0, abs=1e-6)

    def test_no_feature_means_all_lie_outside(self) -> None:
        found = findings(written(), INSIDE)
        assert sorted(p for f in found for p in f.parcel_ids) == sorted(TAKEN)
        assert [f.measured for f in found] == pytest.approx([CELL_M2] * len(TAKEN))
        assert "lies outside town by 6666.67 m²" in found[0].message

    @pytest.mark.parametrize(("depth_m2", "breaches"), [(0.9, 0), (1.0, 0), (1.02, 1), (60.0, 1)])
    def test_land_cut_off(self, depth_m2: float, breaches: int) -> None:
        found = findings(self.town(self.WHOLE.difference(corner(depth_m2))), INSIDE)
        assert [f.parcel_ids for f in found] == [("r0c0",)] * breaches


class TestWritten:
    @pytest.mark.parametrize(
        "row",
        [
            ("red", "tag", 1.0, 0.0),
            ("red", "exclude", 5.0, 0.0),
            ("red", "exclude", 1.0, 0.5),
            ("red", "exclude", float("nan"), 0.0),
        ],
    )
    def test_the_configuration_decides(self, row: tuple[str, str, float, float]) -> None:
        """A layer with a generous tolerance does not make a breach good."""
        found = findings(written((*row, corner(3))), RED)
        assert [f.parcel_ids for f in found] == [(), ("r0c0",)]
        assert "another effect or tolerance" in found[0].message

    def test_an_overlay_nobody_configured(self) -> None:
        (found,) = findings(red(corner(50)))
        assert "holds red, which the configuration does not name" in found.message


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(*[st.integers(-50, 650)] * 2, *[st.integers(1, 200)] * 2), max_size=5),
    st.sampled_from(["exclude", "require"]),
)
def test_as_one_parcel_at_a_time(boxes: list[tuple[int, int, int, int]], effect: str) -> None:
    shapes = [shapely.box(EAST + x, NORTH + y, EAST + x + w, NORTH + y + h) for x, y, w, h in boxes]
    layer = written(*[("red", effect, 1.0, 0.0, shape) for shape in shapes])
    _, outcome = judge(layer, RED | {"effect": effect})
    ground = shapely.union_all(shapes)
    plan = honest_plan()
    slow = {}
    for parcel in TAKEN:
        shape = plan.get(parcel, "geometry")
        wrong = shape.intersection(ground) if effect == "exclude" else shape.difference(ground)
        if wrong.area > 1.01:
            slow[parcel] = wrong.area
    assert {f.parcel_ids[0]: f.measured for f in outcome.findings} == pytest.approx(slow)
    assert pd.Series([f.limit for f in outcome.findings]).eq(1.0).all()


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.tuples(*[st.floats(-50, 650)] * 2, *[st.floats(0.1, 200)] * 2), min_size=1, max_size=5),
    st.sampled_from(["exclude", "require"]),
    st.sampled_from([0.0, 12.5]),
)
def test_who_is_not_kept_out_passes(
    boxes: list[tuple[float, float, float, float]], effect: str, strip_m: float
) -> None:
    """The stage that keeps parcels out and the judge measure apart from each other, and agree."""
    spec = {"name": "red", "effect": effect, "tolerance_m2": 4.0, "tolerance_share": 0.002, "buffer_m": strip_m}
    features = [shapely.box(EAST + x, NORTH + y, EAST + x + w, NORTH + y + h) for x, y, w, h in boxes]
    plan = honest_plan()
    result = overlay_fields(
        plan.parcels.set_index("parcel_id")[["geometry"]],
        gpd.GeoDataFrame(geometry=features, crs=CRS),
        OverlaySpec.model_validate(spec | {"path": "red.gpkg"}),
    )
    assert result.verdict is not None
    out = set(result.verdict.index[result.verdict])
    found = {f.parcel_ids[0]: f for f in judge(result.features, spec)[1].findings}
    assert set(found) <= out
    assert all(f.measured is not None for f in found.values())
    within = result.fields["red_m2"].astype(float)
    wrong = within if effect == "exclude" else CELL_M2 - within
    assert {p for p in TAKEN if wrong[p] > 0.002 * CELL_M2 + 0.02} <= set(found)
