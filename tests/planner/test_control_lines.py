"""Ground of parcels on control lines, worked out by hand on squares of 10 m."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import pytest
import shapely

from planner.control_lines import control_ground
from planner.tables import PlanTables
from tests.planner.land_builders import CRS

EFFECTS = {"farmland": "exclude", "ecology": "exclude", "growth": "require", "flood": "tag"}
CASES: list[tuple[str, str, tuple[float, float]]] = [
    ("A", "farmland", (0, 5)),  # A lies in 0 to 10: 50 m2 of it
    ("A", "ecology", (3, 8)),  # 50 m2, 20 of them on farmland too: 80 in all
    ("A", "growth", (0, 10)),
    ("A", "flood", (0, 10)),
    ("B", "growth", (20, 30)),
    ("B", "flood", (20, 25)),
    ("C", "ecology", (40, 42.5)),
]


def tables_of(cases: list[tuple[str, str, tuple[float, float]]]) -> PlanTables:
    """Squares A, B, C from east 0, 20 and 40, and strips of them on overlays."""
    strips = [shapely.box(west, 0, east, 10) for _, _, (west, east) in cases]
    overlaps: dict[str, Any] = {"parcel_id": [c[0] for c in cases], "overlay": [c[1] for c in cases]}
    overlaps |= {"overlap_m2": [s.area for s in strips], "share": [s.area / 100 for s in strips], "attribute": None}
    nothing = gpd.GeoDataFrame(geometry=[], crs=CRS)
    return PlanTables(
        gpd.GeoDataFrame(
            {"parcel_id": ["A", "B", "C"]}, geometry=[shapely.box(x, 0, x + 10, 10) for x in (0, 20, 40)], crs=CRS
        ),
        *(nothing,) * 5,
        overlays=gpd.GeoDataFrame(
            {"overlay": list(EFFECTS), "effect": list(EFFECTS.values())},
            geometry=[shapely.box(0, 0, 50, 10)] * 4,
            crs=CRS,
        ),
        overlaps=gpd.GeoDataFrame(overlaps, geometry=strips, crs=CRS),
    )


@pytest.mark.parametrize("cases", [CASES, CASES[::-1]], ids=["in order", "turned"])
def test_only_what_excludes_counts_and_ground_on_two_lines_once(cases: list[Any]) -> None:
    ground = control_ground(tables_of(cases))
    assert ground["parcel_id"].tolist() == ["A", "C"]
    assert ground["overlay"].tolist() == ["ecology、farmland", "ecology"]
    assert ground["overlap_m2"].tolist() == pytest.approx([80.0, 25.0])
    assert ground["share"].tolist() == pytest.approx([0.8, 0.25])
    assert ground.geometry.iloc[0].equals(shapely.box(0, 0, 8, 10))
    assert ground.crs == CRS


@pytest.mark.parametrize("cases", [[], CASES[4:6]], ids=["no overlaps", "no control line"])
def test_no_ground_on_control_lines(cases: list[Any]) -> None:
    tables = tables_of(cases)
    ground = control_ground(tables)
    assert len(ground) == 0
    assert {"parcel_id", "overlay", "overlap_m2", "share", "geometry"} == set(ground.columns)
    assert ground["overlap_m2"].sum() == 0
