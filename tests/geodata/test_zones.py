from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry.base import BaseGeometry

from geodata.errors import CrsError, DataError
from geodata.repair import repair
from geodata.spec import RepairSpec
from geodata.zones import SHARE_COLUMNS, ZoneAssignment, assign_zones, zones_from_field
from tests.geodata.shapes import CRS, box, frame, walls, with_ids


def layer(shapes: list[tuple[object, BaseGeometry | None]]) -> gpd.GeoDataFrame:
    names, geometry = zip(*shapes, strict=True)
    return gpd.GeoDataFrame({"village": list(names)}, geometry=list(geometry), crs=CRS)


def listed(table: pd.DataFrame) -> list[tuple[object, ...]]:
    return [(p, z, round(s, 9)) for p, z, s in table.itertuples(index=False)]


PARCELS = frame({"p": box(0, 0, 10, 10), "q": box(12, 0, 10, 10), "r": box(95, 0, 10, 10), "s": box(300, 0, 9, 9)})
EAST_WEST = layer([("East", box(15, -50, 85, 100)), ("West", box(-50, -50, 65, 100))])


def assign(parcels: gpd.GeoDataFrame, zones: gpd.GeoDataFrame) -> ZoneAssignment:
    return assign_zones(parcels, zones, "village")


def test_most_of_the_area_decides() -> None:
    found = assign(PARCELS, EAST_WEST)
    # q lies 3 m in West and 7 m in East; r half outside; s in no zone.
    assert found.zone.to_dict() == {"p": "West", "q": "East", "r": "East", "s": None}
    assert found.zone.name == "zone" and found.zone.index.equals(PARCELS.index)
    assert found.none == ["s"] and found.ties.empty
    assert listed(found.straddling) == [("q", "East", 0.7), ("q", "West", 0.3), ("r", "East", 0.5), ("r", None, 0.5)]
    assert list(found.straddling.columns) == list(found.ties.columns) == list(SHARE_COLUMNS)
    assert found.polygons["zone"].tolist() == ["East", "West"] and found.polygons.crs == PARCELS.crs


def test_ties_go_to_the_first_name_and_are_listed() -> None:
    zones = layer([("South", box(0, -50, 10, 55)), ("North", box(0, 5, 10, 50))])
    found = assign(PARCELS.loc[["p"]], zones)
    assert found.zone["p"] == "North"
    assert listed(found.ties) == listed(found.straddling) == [("p", "North", 0.5), ("p", "South", 0.5)]


def test_overlapping_zones_are_a_tie_or_a_straddle() -> None:
    zones = layer([("wide", box(-5, -5, 20, 20)), ("core", box(0, 0, 10, 10)), ("half", box(0, 0, 10, 5))])
    found = assign(PARCELS.loc[["p"]], zones)
    assert found.zone["p"] == "core"
    assert listed(found.ties) == [("p", "core", 1.0), ("p", "wide", 1.0)]
    assert listed(found.straddling) == [("p", "core", 1.0), ("p", "wide", 1.0), ("p", "half", 0.5)]


def test_outside_is_measured_under_overlapping_zones() -> None:
    zones = layer([("a", box(0, 0, 6, 10)), ("b", box(2, 0, 5, 10))])
    found = assign(PARCELS.loc[["p"]], zones)
    assert listed(found.straddling) == [("p", "a", 0.6), ("p", "b", 0.5), ("p", None, 0.3)]


def test_a_common_edge_is_not_a_share() -> None:
    found = assign(PARCELS.loc[["p"]], layer([("beside", box(10, 0, 50, 10)), ("off", box(10 - 1e-7, 0, 50, 10))]))
    assert found.none == ["p"] and found.straddling.empty


def test_a_broken_zone_polygon_is_measured_as_made_valid() -> None:
    bow = shapely.Polygon([(-40, -40), (40, 40), (40, -40), (-40, 40)])
    found = assign(frame({"left": box(-39, -3, 3, 6), "gap": box(-3, 20, 6, 6)}), layer([("bow", bow)]))
    assert found.zone.to_dict() == {"left": "bow", "gap": None} and found.polygons.is_valid.all()


def test_all_that_is_wrong_with_zones_is_said_at_once() -> None:
    zones = layer([("A", box(0, 0, 9, 9)), ("A", box(9, 0, 9, 9)), (None, box(0, 9, 9, 9)), (" ", None)])
    with pytest.raises(DataError) as caught:
        assign(PARCELS, zones)
    assert [i.found for i in caught.value.issues] == ["no name", "A more than once", "no polygon"]
    with pytest.raises(DataError, match="one of village"):
        assign_zones(PARCELS, zones, "name")
    with pytest.raises(DataError, match="no rows"):
        assign(PARCELS, zones.iloc[:0])
    with pytest.raises(CrsError, match="zones, CRS"):
        assign(PARCELS, EAST_WEST.to_crs(4326))


def test_numbers_are_names_too() -> None:
    found = assign(PARCELS, EAST_WEST.assign(village=[2.0, 1.0]))
    assert found.zone["p"] == "1" and found.polygons["zone"].tolist() == ["1", "2"]


def test_field_gives_zone_and_union() -> None:
    parcels = PARCELS.assign(circle=["罗马", "罗马", None, "  "])
    found = zones_from_field(parcels, "circle")
    assert found.zone.to_dict() == {"p": "罗马", "q": "罗马", "r": None, "s": None}
    assert found.none == ["r", "s"] and found.ties.empty and found.straddling.empty
    assert found.polygons["zone"].tolist() == ["罗马"]
    assert found.polygons.geometry[0].equals(shapely.union_all([box(0, 0, 10, 10), box(12, 0, 10, 10)]))


def test_field_of_numbers() -> None:
    found = zones_from_field(PARCELS.assign(circle=[10.0, 2.0, np.nan, 2.0]), "circle")
    assert found.zone.to_dict() == {"p": "10", "q": "2", "r": None, "s": "2"}
    assert found.polygons["zone"].tolist() == ["10", "2"]


def test_field_that_is_missing_or_empty() -> None:
    with pytest.raises(DataError, match="one of owner"):
        zones_from_field(PARCELS, "circle")
    with pytest.raises(DataError, match="no value"):
        zones_from_field(PARCELS.assign(circle=None), "circle")


def test_no_parcels() -> None:
    found = assign(PARCELS.iloc[:0], EAST_WEST)
    assert len(found.zone) == 0 and found.none == [] and found.straddling.empty


@settings(max_examples=60, deadline=None)
@given(walls(), st.lists(st.tuples(*[st.integers(-20, 200)] * 2, *[st.integers(5, 150)] * 2), min_size=1, max_size=4))
def test_agrees_with_plain_overlay(wall: list[BaseGeometry], rectangles: list[tuple[int, int, int, int]]) -> None:
    parcels = frame({f"{k}": shape for k, shape in enumerate(wall)})
    zones = layer([(f"z{k}", box(500_000 + x, 2_500_000 + y, w, h)) for k, (x, y, w, h) in enumerate(rectangles)])
    found = assign(parcels, zones)
    for name, parcel in parcels.geometry.items():
        share = {
            z: parcel.intersection(g).area / parcel.area for z, g in zip(zones["village"], zones.geometry, strict=True)
        }
        best = max(share.values())
        leaders = sorted(z for z, s in share.items() if s > 1e-6 and s >= best - 1e-6)
        assert found.zone[name] == (leaders[0] if leaders else None)
        assert (name in found.none) is (not leaders)
        tied = found.ties.loc[found.ties["parcel_id"] == name, "zone"].tolist()
        assert sorted(tied) == (leaders if len(leaders) > 1 else [])
        outside = 1 - parcel.intersection(zones.union_all()).area / parcel.area
        row = found.straddling[(found.straddling["parcel_id"] == name) & found.straddling["zone"].isna()]
        assert row["share"].tolist() == (pytest.approx([outside]) if leaders and outside > 1e-3 else [])


def test_real_lots_in_quarters(shared_data: Callable[[str], Path]) -> None:
    parcels = repair(with_ids(pyogrio.read_dataframe(shared_data("seoul_gangnam/Parcels.shp"))), RepairSpec()).parcels
    x0, y0, x1, y1 = parcels.total_bounds
    xm, ym = (x0 + x1) / 2, (y0 + y1) / 2
    corners = {"SW": (x0, y0, xm, ym), "SE": (xm, y0, x1, ym), "NW": (x0, ym, xm, y1), "NE": (xm, ym, x1, y1)}
    zones = gpd.GeoDataFrame(
        {"village": list(corners)}, geometry=[shapely.box(*c) for c in corners.values()], crs=parcels.crs
    )
    found = assign(parcels, zones)
    assert found.none == [] and found.zone.notna().all()
    crossing = parcels.index[~parcels.within(zones.geometry[0]) & parcels.intersects(zones.geometry[0].boundary)]
    assert set(found.straddling["parcel_id"]) & set(crossing)
    assert found.straddling.groupby("parcel_id")["share"].sum().to_numpy() == pytest.approx(1.0, abs=1e-3)
