"""Land between parcels on cases with known answers; areas on the ellipsoid; certificates."""

from __future__ import annotations

import math

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry.base import BaseGeometry

from geodata.areas import AREA_COLUMNS, DIFFERENCE_COLUMNS, AreaResult, area_differences, measure_areas
from geodata.barrier_index import empty_barriers
from geodata.ellipsoid import ellipsoidal_area_m2
from geodata.errors import DataError
from geodata.spec_land import AreasSpec

CRS = 4547
X, Y = 500_000.0, 2_500_000.0
MU = 10_000 / 15


def box(x: float, y: float, wide: float, high: float) -> shapely.Polygon:
    return shapely.box(X + x, Y + y, X + x + wide, Y + y + high)


def frame(shapes: dict[str, BaseGeometry]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(index=pd.Index(list(shapes), dtype="str"), geometry=list(shapes.values()), crs=CRS)


def line(*points: tuple[float, float]) -> shapely.LineString:
    return shapely.LineString([(X + x, Y + y) for x, y in points])


def measure(shapes: dict[str, BaseGeometry], width: float, *barriers: BaseGeometry) -> AreaResult:
    cuts = empty_barriers(CRS)
    if barriers:
        cuts = gpd.GeoDataFrame({"name": ["b"] * len(barriers)}, geometry=list(barriers), crs=CRS)
    return measure_areas(frame(shapes), AreasSpec(between_max_m=width), cuts)


def allotted(result: AreaResult, window: BaseGeometry | None = None) -> dict[str, float]:
    """Allotted area by parcel, inside a window where the answer is known."""
    layer = result.between
    shapes = layer.geometry if window is None else layer.geometry.intersection(window)
    return {p: a for p, a in zip(layer["parcel_id"], shapes.area, strict=True) if a > 0}


LANE = {"a": box(0, 0, 100, 50), "b": box(0, 56, 100, 50)}
INSIDE = box(10, 0, 80, 200)


def test_a_straight_lane_is_split_along_its_middle() -> None:
    result = measure(LANE, 6.0)
    assert allotted(result, INSIDE) == {"a": pytest.approx(240.0, rel=1e-3), "b": pytest.approx(240.0, rel=1e-3)}
    middle = box(10, 0, 80, 53 - 0.2)
    assert set(allotted(result, middle)) == {"a"}  # the line strays by at most 6 / 32 m


def test_a_lane_wider_than_the_limit_is_nobodys() -> None:
    assert allotted(measure(LANE, 5.98)) == {}
    assert allotted(measure(LANE, 0.0)) == {}


def test_figures_follow_from_the_layer() -> None:
    fields = measure(LANE, 6.0).fields
    assert tuple(fields.columns) == AREA_COLUMNS and list(fields.index) == ["a", "b"]
    assert fields["area_m2"].tolist() == [5000.0, 5000.0] and fields["area_mu"].tolist() == [7.5, 7.5]
    between = measure(LANE, 6.0).between
    assert (fields["between_mu"] * MU).tolist() == pytest.approx(between["area_m2"].tolist())
    assert (fields["boundary_mu"] - fields["area_mu"] - fields["between_mu"]).abs().max() < 1e-12


def test_lanes_of_unequal_length_and_a_dead_end() -> None:
    # The lane ends at c: there a point is nearest to a, b or c; by symmetry c gets a right triangle of 3 m height.
    shapes = {**LANE, "c": box(100, 0, 30, 106)}
    found = allotted(measure(shapes, 6.0), box(50, 0, 100, 200))
    assert found == {
        "a": pytest.approx(150 - 4.5, abs=0.5),
        "b": pytest.approx(150 - 4.5, abs=0.5),
        "c": pytest.approx(9.0, abs=0.5),
    }


def test_a_crossroads_goes_to_its_four_corners() -> None:
    four = {"nw": box(0, 56, 50, 50), "ne": box(56, 56, 50, 50), "sw": box(0, 0, 50, 50), "se": box(56, 0, 50, 50)}
    found = allotted(measure(four, 9.0), box(20, 20, 66, 66))
    assert found == {k: pytest.approx(6 * 66 / 2 - 9, rel=2e-3) for k in four}
    # Its middle is 6 √2 = 8.49 m wide: below that it stays free.
    free = allotted(measure(four, 8.4), box(50, 50, 6, 6))
    assert 0 < sum(free.values()) < 36 - 0.01


def test_a_t_junction_by_numbers() -> None:
    shapes = {"a": box(0, 6, 106, 50), "b": box(0, -50, 50, 50), "c": box(56, -50, 50, 50)}
    window = box(20, -20, 66, 26)
    found = allotted(measure(shapes, 8.0), window)
    # Reference: every point of a grid of 5 cm to the nearest parcel; all the land here is within 8 m.
    step = 0.05
    grid = np.stack(np.meshgrid(np.arange(20 + step / 2, 86, step), np.arange(-20 + step / 2, 6, step)), -1).reshape(
        -1, 2
    )
    free = (grid[:, 1] > 0) | ((grid[:, 0] > 50) & (grid[:, 0] < 56))
    points = shapely.points(grid[free] + [X, Y])
    nearest = np.argmin([shapely.distance(s, points) for s in shapes.values()], axis=0)
    for k, name in enumerate(shapes):
        assert found[name] == pytest.approx((nearest == k).sum() * step**2, abs=1.0)


def test_nothing_crosses_a_barrier() -> None:
    canal = line((-9, 51), (109, 51))
    assert allotted(measure(LANE, 6.0, canal), INSIDE) == {"a": pytest.approx(80.0), "b": pytest.approx(400.0)}
    wide = box(-9, 50, 118, 2)
    assert allotted(measure(LANE, 6.0, wide), INSIDE) == {"b": pytest.approx(320.0)}


def test_a_barrier_that_ends_in_the_lane_parts_it_as_far_as_it_goes() -> None:
    found = allotted(measure(LANE, 6.0, line((-9, 51), (50, 51))), box(10, 0, 32, 200))
    assert found == {"a": pytest.approx(32.0, abs=0.1), "b": pytest.approx(160.0, abs=0.1)}


def test_a_square_and_a_field_stay_free() -> None:
    ring = shapely.box(X, Y, X + 100, Y + 100).difference(shapely.box(X + 30, Y + 30, X + 70, Y + 70))
    found = measure({"ring": ring}, 6.0)
    corners = 4 * (1 - math.pi / 4) * 3.005**2  # the fillets that no disc reaches
    assert allotted(found)["ring"] == pytest.approx(corners, rel=0.02)


@st.composite
def towns(draw: st.DrawFn) -> tuple[dict[str, BaseGeometry], float, list[BaseGeometry]]:
    """Blocks moved and turned a little, with lanes of 2 to 12 m, and perhaps a canal."""
    shapes: dict[str, BaseGeometry] = {}
    for k in range(9):
        gap = draw(st.floats(1.0, 6.0))
        size = 30 - gap
        block = box(30 * (k % 3) + gap / 2, 30 * (k // 3) + gap / 2, size, size)
        shapes[f"p{k}"] = shapely.affinity.rotate(block, draw(st.floats(-1.5, 1.5)))
    canal = [line((-9, draw(st.floats(0, 90))), (99, draw(st.floats(0, 90))))] if draw(st.booleans()) else []
    return shapes, draw(st.floats(2.0, 12.0)), canal


@settings(max_examples=12, deadline=None)
@given(towns())
def test_pieces_part_the_closing_of_the_parcels(
    town: tuple[dict[str, BaseGeometry], float, list[BaseGeometry]],
) -> None:
    shapes, width, canal = town
    polygons = frame(shapes).geometry
    land = polygons.union_all()
    if abs(polygons.area.sum() - land.area) > 1e-6:
        return
    result = measure(shapes, width, *canal)
    layer = result.between
    radius = (width + 0.01) / 2
    closing = land.buffer(radius, quad_segs=16).buffer(-radius, quad_segs=16)
    rest = [float(n.what.split()[0]) for n in result.notes if "goes to none" in n.what]
    assert layer.area.sum() + sum(rest) == pytest.approx(closing.area - land.area, abs=0.5)
    assert layer.geometry.is_valid.all()
    assert layer.area.sum() == pytest.approx(layer.union_all().area, abs=1e-4)
    assert layer.intersection(land).area.sum() < 1e-4
    for name, piece in zip(layer["parcel_id"], layer.geometry, strict=True):
        corners = shapely.points(shapely.get_coordinates(piece))
        assert shapely.distance(corners, shapes[name]).max() <= width + 0.02
    back = measure(dict(reversed(shapes.items())), width, *canal)
    pd.testing.assert_frame_equal(back.fields.loc[result.fields.index], result.fields)


def test_area_on_the_ellipsoid_is_that_of_the_geodesics() -> None:
    for crs, x, y in ((4547, 560_000.0, 2_550_000.0), (32632, 700_000.0, 5_030_000.0), (26986, 229_000.0, 905_000.0)):
        shapes = [shapely.box(x, y, x + 900, y + 700), shapely.Point(x, y).buffer(80), shapely.box(x, y, x + 20, y + 9)]
        parcels = gpd.GeoDataFrame(geometry=shapes, crs=crs)
        geodetic = pyproj.CRS(crs).geodetic_crs
        geod = pyproj.CRS(crs).get_geod()
        assert geod is not None and geodetic is not None
        degrees = parcels.geometry.segmentize(5.0).to_crs(geodetic)
        expected = [abs(geod.geometry_area_perimeter(shape)[0]) for shape in degrees]
        assert ellipsoidal_area_m2(parcels).tolist() == pytest.approx(expected, rel=1e-7)


def test_certificates_that_differ_are_listed_largest_first() -> None:
    fields = pd.DataFrame(
        {"area_mu": [10.0, 10.0, 10.0, 10.0, 1.0], "ellipsoidal_mu": 10.0, "paper": [10.0, 9.5, 12.0, np.nan, 0.0]},
        index=["same", "near", "far", "unknown", "nothing"],
    )
    found = area_differences(fields, AreasSpec(certificate="paper", tolerance_share=0.1))
    assert tuple(found.columns) == DIFFERENCE_COLUMNS
    assert found["parcel_id"].tolist() == ["far", "nothing"]
    assert found["difference_mu"].tolist() == [-2.0, 1.0]
    assert found["difference_share"].tolist() == [pytest.approx(-1 / 6), math.inf]
    assert area_differences(fields, AreasSpec()).empty
    exact = area_differences(fields, AreasSpec(certificate="paper", tolerance_share=1 / 6))
    assert exact["parcel_id"].tolist() == ["nothing"]


def test_bad_certificates_are_refused() -> None:
    fields = pd.DataFrame({"area_mu": [1.0, 1.0], "ellipsoidal_mu": 1.0, "paper": ["1", "x"]}, index=["a", "b"])
    with pytest.raises(DataError, match="no area for b"):
        area_differences(fields, AreasSpec(certificate="paper"))
    with pytest.raises(DataError, match="no such field"):
        area_differences(fields, AreasSpec(certificate="card"))


def test_a_sliver_of_kilometres_is_shared_out_evenly() -> None:
    shapes = {"a": box(0, 0, 3000, 50), "b": box(0, 50.04, 3000, 50)}
    found = allotted(measure(shapes, 6.0), box(10, 0, 2980, 200))
    assert sum(found.values()) == pytest.approx(2980 * 0.04, rel=1e-6)
    assert found["a"] == pytest.approx(found["b"], rel=0.02)
