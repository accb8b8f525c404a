from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyogrio
import pytest
import rasterio
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.enums import Resampling
from rasterio.transform import Affine
from rasterio.warp import reproject

from geodata.errors import DataError
from geodata.slope import horn_slope
from geodata.spec_land import RasterSpec
from geodata.zonal import RasterResult, raster_field
from tests.geodata.shapes import box

CRS = "EPSG:32650"
X0, Y0 = 500_000.0, 2_500_000.0
Floats = npt.NDArray[np.float64]


def land(crs: str = CRS, **shapes: Any) -> gpd.GeoDataFrame:
    index = pd.Index(list(shapes), name="parcel_id", dtype="str")
    return gpd.GeoDataFrame(geometry=list(shapes.values()), index=index, crs=crs)


def write(
    path: Path,
    cells: Any,
    *,
    crs: str | None = CRS,
    grid: Affine | None = None,
    nodata: float | None = None,
    scale: float = 1.0,
    offset: float = 0.0,
    units: str | None = None,
) -> Path:
    """A raster of cells 10 m wide whose south-west corner is (X0, Y0), unless `grid` says otherwise."""
    cells = np.asarray(cells)
    grid = grid or Affine(10, 0, X0, 0, -10, Y0 + 10 * cells.shape[0])
    profile = {"driver": "GTiff", "count": 1, "dtype": cells.dtype, "width": cells.shape[1], "height": cells.shape[0]}
    with rasterio.open(path, "w", **profile, crs=crs, transform=grid, nodata=nodata) as data:
        data.write(cells, 1)
        data.scales, data.offsets = (scale,), (offset,)
        if units:
            data.units = (units,)
    return path


def spec(path: Path, **more: Any) -> RasterSpec:
    return RasterSpec(**({"field": "v", "path": path} | more))


def numbers(result: RasterResult, field: str = "v") -> list[float | None]:
    return [None if pd.isna(v) else float(v) for v in result.fields[field]]


CELLS = np.array([[1.0, 2.0], [3.0, 4.0]])
WHOLE = box(X0, Y0, 20, 20)
CORNER = box(X0 + 5, Y0 + 5, 10, 10)  # a quarter of each cell
LEFT = box(X0, Y0, 12, 20)  # the left cells and a fifth of the right ones


class TestStatistics:
    @pytest.mark.parametrize(
        ("statistic", "expected"),
        [
            ("mean", [2.5, 2.5, (10 * (1 + 3) + 2 * (2 + 4)) / 24]),
            ("sum", [10.0, 2.5, 4 + 0.2 * 6]),
            ("min", [1.0, 1.0, 1.0]),
            ("max", [4.0, 4.0, 4.0]),
        ],
    )
    def test_each_cell_counts_by_the_part_covered(self, tmp_path: Path, statistic: str, expected: list[float]) -> None:
        path = write(tmp_path / "r.tif", CELLS)
        result = raster_field(land(a=WHOLE, b=CORNER, c=LEFT), spec(path, statistic=statistic))
        assert numbers(result) == pytest.approx(expected)
        assert numbers(result, "v_coverage") == pytest.approx([1, 1, 1])
        assert [str(result.fields[c].dtype) for c in result.fields] == ["Float64", "Float64"]

    def test_nodata_is_unknown_and_lowers_the_coverage(self, tmp_path: Path) -> None:
        path = write(tmp_path / "r.tif", np.array([[-1, 2], [-1, 4]], dtype=np.int16), nodata=-1)
        parcels = land(whole=WHOLE, left=LEFT)
        result = raster_field(parcels, spec(path, min_coverage=0.5))
        assert numbers(result) == [3.0, None]
        assert numbers(result, "v_coverage") == pytest.approx([0.5, 2 / 12])
        assert [n.items for n in result.notes if n.warning] == [("left",)]
        assert numbers(raster_field(parcels, spec(path, min_coverage=0.1))) == [3.0, 3.0]

    def test_a_parcel_beyond_the_raster_is_unknown_even_when_no_coverage_is_asked(self, tmp_path: Path) -> None:
        path = write(tmp_path / "r.tif", CELLS)
        result = raster_field(
            land(a=WHOLE, far=box(X0 + 500, Y0, 9, 9), edge=box(X0 - 30, Y0, 40, 20)),
            spec(path, statistic="sum", min_coverage=0),
        )
        assert numbers(result) == [10.0, None, 4.0]
        assert numbers(result, "v_coverage") == pytest.approx([1, 0, 0.25])

    def test_scale_and_offset_of_the_band(self, tmp_path: Path) -> None:
        cells = np.array([[10, 20], [255, 40]], dtype=np.uint8)
        path = write(tmp_path / "r.tif", cells, scale=0.1, offset=-1.0, nodata=255)
        result = raster_field(land(a=WHOLE), spec(path))
        assert numbers(result) == pytest.approx([(0 + 1 + 3) / 3])

    def test_south_up_rasters_are_read_the_right_way_round(self, tmp_path: Path) -> None:
        path = write(tmp_path / "r.tif", CELLS[::-1], grid=Affine(10, 0, X0, 0, 10, Y0))
        parcels = land(north=box(X0, Y0 + 10, 20, 10), south=box(X0, Y0, 10, 10))
        assert numbers(raster_field(parcels, spec(path))) == [1.5, 3.0]

    def test_majority_with_names(self, tmp_path: Path) -> None:
        cells = np.array([[1, 2, 2], [1, 7, 7]], dtype=np.uint8)
        path = write(tmp_path / "r.tif", cells)
        parcels = land(a=box(X0, Y0, 12, 20), b=box(X0 + 10, Y0 + 10, 20, 10), c=box(X0 + 12, Y0, 10, 10))
        result = raster_field(parcels, spec(path, statistic="majority", classes={1: "water", 2: "forest"}))
        assert list(result.fields["v"]) == ["water", "forest", "7"]
        assert [n.items for n in result.notes if n.warning] == [("7",), ("c",)]
        assert numbers(raster_field(parcels, spec(path, statistic="majority"))) == [1, 2, 7]

    def test_marks_of_nodata_that_are_not_declared_are_reported(self, tmp_path: Path) -> None:
        path = write(tmp_path / "r.tif", np.array([[5, -9999]], dtype=np.int32))
        result = raster_field(land(a=box(X0, Y0, 10, 10), b=box(X0 + 10, Y0, 10, 10)), spec(path))
        assert numbers(result) == [5, -9999]
        assert [n.items for n in result.notes if n.warning] == [("-9999",)]

    def test_parcels_are_brought_to_the_raster(self, tmp_path: Path) -> None:
        """The boundary between two cells of a raster in degrees cuts a parcel in metres in halves."""
        middle = gpd.GeoSeries(gpd.points_from_xy([117.0], [22.6]), crs=4326).to_crs(CRS).iloc[0]
        path = write(
            tmp_path / "r.tif", np.array([[1.0, 3.0]]), crs="EPSG:4326", grid=Affine(0.1, 0, 116.9, 0, -0.1, 22.65)
        )
        parcels = land(a=box(middle.x - 50, middle.y - 50, 100, 100), b=box(middle.x + 1, middle.y, 90, 90))
        assert numbers(raster_field(parcels, spec(path))) == pytest.approx([2.0, 3.0], abs=1e-6)

    @settings(max_examples=25, deadline=None)
    @given(st.integers(0, 10**6))
    def test_sums_over_a_partition_add_up_in_any_order(
        self, tmp_path_factory: pytest.TempPathFactory, seed: int
    ) -> None:
        rng = np.random.default_rng(seed)
        path = write(tmp_path_factory.mktemp("r") / "r.tif", rng.integers(0, 9, (4, 5)).astype(float))
        xs, ys = np.sort(rng.uniform(0, 50, 3)), np.sort(rng.uniform(0, 40, 2))
        edges_x, edges_y = [0, *xs, 50], [0, *ys, 40]
        shapes = {
            f"{i}{j}": shapely.box(X0 + edges_x[i], Y0 + edges_y[j], X0 + edges_x[i + 1], Y0 + edges_y[j + 1])
            for i in range(4)
            for j in range(3)
        }
        parcels = land(**shapes)
        one = raster_field(parcels, spec(path, statistic="sum", min_coverage=0)).fields
        with rasterio.open(path) as data:
            assert one["v"].sum() == pytest.approx(data.read(1).sum(), rel=1e-6)
        shuffled = parcels.iloc[rng.permutation(len(parcels))]
        other = raster_field(shuffled, spec(path, statistic="sum", min_coverage=0)).fields
        assert list(other.index) == list(shuffled.index)
        pd.testing.assert_frame_equal(one, other.loc[one.index], check_exact=False, rtol=1e-12)


def by_hand(z: Floats, i: int, j: int, east: float, south: float) -> float:
    """Rise over run at a cell, written out as in the paper."""
    a, b, c, d, _, f, g, h, k = z[i - 1 : i + 2, j - 1 : j + 2].ravel()
    p = ((c + 2 * f + k) - (a + 2 * d + g)) / (8 * east)
    q = ((g + 2 * h + k) - (a + 2 * b + c)) / (8 * south)
    return math.sqrt(p * p + q * q)


class TestSlope:
    def test_a_tilted_plane(self) -> None:
        rows, columns = np.mgrid[0:6, 0:7]
        z = 3.0 * columns * 10 + 4.0 * rows * 20
        slope = horn_slope(z, np.full(4, 10.0), np.full(4, 20.0))
        assert slope.shape == (4, 5)
        np.testing.assert_allclose(slope, 5.0)

    def test_an_unknown_neighbour_or_centre_makes_the_slope_unknown(self) -> None:
        z = np.zeros((5, 5))
        z[2, 2] = np.nan
        assert np.isnan(horn_slope(z, np.ones(3), np.ones(3))).all()
        z = np.zeros((5, 6))
        z[0, 0] = np.nan
        assert np.isnan(horn_slope(z, np.ones(3), np.ones(3))).sum() == 1

    @pytest.mark.parametrize(("unit", "factor"), [("m", 1.0), ("ft", 0.3048)])
    def test_percent_and_degrees_on_a_plane(self, tmp_path: Path, unit: str, factor: float) -> None:
        rows, columns = np.mgrid[0:20, 0:20]
        z = (0.06 * columns + 0.08 * rows) * 10.0
        path = write(tmp_path / "z.tif", z)
        parcels = land(a=box(X0 + 53, Y0 + 47, 61, 38))
        percent = raster_field(parcels, spec(path, derive="slope_percent", elevation_unit=unit))
        degrees = raster_field(parcels, spec(path, derive="slope_degrees", elevation_unit=unit))
        # UTM draws lengths on its central meridian at 0.9996: 10 m of the grid are 10.004 m on the ground
        assert numbers(percent) == pytest.approx([10 * factor * 0.9996], rel=1e-5)
        assert numbers(degrees) == pytest.approx([math.degrees(math.atan(0.1 * factor * 0.9996))], rel=1e-5)

    def test_edge_of_the_raster_is_unknown(self, tmp_path: Path) -> None:
        path = write(tmp_path / "z.tif", np.zeros((5, 5)), units="metre")
        result = raster_field(land(a=box(X0, Y0, 50, 50)), spec(path, derive="slope_percent", min_coverage=0.3))
        assert numbers(result) == [0.0]
        assert numbers(result, "v_coverage") == pytest.approx([9 / 25])

    @pytest.mark.parametrize("latitude", [0.5, 22.6, 60.0])
    def test_degrees_are_turned_into_metres(self, tmp_path: Path, latitude: float) -> None:
        """Metres per degree by the radii of curvature of WGS 84 (e.g. Snyder 1987, equations 4-18 to 4-20)."""
        step, n = 1 / 3600, 41
        north, west = latitude + n / 2 * step, 117 - n / 2 * step
        rows, columns = np.mgrid[0:n, 0:n]
        sin2 = math.sin(math.radians(latitude)) ** 2
        e2, major = 0.00669437999014, 6378137.0
        radius_east = major / math.sqrt(1 - e2 * sin2) * math.cos(math.radians(latitude))
        radius_north = major * (1 - e2) / (1 - e2 * sin2) ** 1.5
        east, south = (math.radians(step) * r for r in (radius_east, radius_north))
        path = write(
            tmp_path / "z.tif",
            0.03 * east * columns + 0.04 * south * rows,
            crs="EPSG:4326",
            grid=Affine(step, 0, west, 0, -step, north),
        )
        centre = gpd.GeoSeries([shapely.Point(117, latitude)], crs=4326).to_crs(CRS).iloc[0]
        parcels = land(a=centre.buffer(5 * south))
        result = raster_field(parcels, spec(path, derive="slope_percent", elevation_unit="m"))
        assert numbers(result) == pytest.approx([5.0], rel=1e-4)

    def test_web_mercator_does_not_flatten_the_hills(self, tmp_path: Path) -> None:
        """At 60° north one metre of web Mercator is half a metre on the ground."""
        x, y = gpd.GeoSeries([shapely.Point(15, 60)], crs=4326).to_crs(3857).get_coordinates().to_numpy()[0]
        _, columns = np.mgrid[0:21, 0:21]
        path = write(tmp_path / "z.tif", columns * 2.0, crs="EPSG:3857", grid=Affine(20, 0, x - 210, 0, -20, y + 210))
        centre = gpd.GeoSeries([shapely.Point(15, 60)], crs=4326).to_crs(32633).iloc[0]
        parcels = land("EPSG:32633", a=centre.buffer(30))
        result = raster_field(parcels, spec(path, derive="slope_percent", elevation_unit="m"))
        assert numbers(result) == pytest.approx([100 * 2 / 10], rel=0.005)  # the ellipsoid: within half a percent

    def test_heights_that_no_land_has_are_refused(self, tmp_path: Path) -> None:
        z = np.full((9, 9), 100, dtype=np.int16)
        z[3, 3] = -32768
        path = write(tmp_path / "z.tif", z)
        with pytest.raises(DataError, match=r"heights of -32768 m.*gdal_edit -a_nodata"):
            raster_field(land(a=box(X0 + 20, Y0 + 20, 40, 40)), spec(path, derive="slope_percent", elevation_unit="m"))

    def test_real_elevation_against_loops(self, shared_data: Callable[[str], Path]) -> None:
        folder = shared_data("swellendam")
        farms = pyogrio.read_dataframe(folder / "farms_33S.shp")
        good = farms.geometry.is_valid & farms.geom_type.isin(["Polygon", "MultiPolygon"])
        farms = farms[good].geometry.iloc[::90].reset_index(drop=True)
        parcels = land("EPSG:32733", **{f"p{k}": g for k, g in enumerate(farms)})
        path = folder / "srtm_41_19.tif"
        result = raster_field(parcels, spec(path, derive="slope_percent", elevation_unit="m", min_coverage=0.9))
        with rasterio.open(path) as data:
            z, grid = data.read(1).astype(float), data.transform
        k0 = 0.9996  # of UTM; the land lies 470 to 540 km east of the central meridian
        checked = 0
        for parcel, value in zip(parcels.geometry, result.fields["v"], strict=True):
            east = parcel.centroid.x - 500_000
            ground = grid.a / (k0 * (1 + east**2 / (2 * k0**2 * 6_370_000**2)))
            total = weight = 0.0
            west, south, right, top = parcel.bounds
            for i in range(int((grid.f - top) / grid.a), int((grid.f - south) / grid.a) + 1):
                for j in range(int((west - grid.c) / grid.a), int((right - grid.c) / grid.a) + 1):
                    if not (1 <= i < z.shape[0] - 1 and 1 <= j < z.shape[1] - 1):
                        continue
                    x, y = grid.c + j * grid.a, grid.f - i * grid.a
                    part = parcel.intersection(shapely.box(x, y - grid.a, x + grid.a, y)).area
                    total += part * by_hand(z, i, j, ground, ground) if part else 0.0
                    weight += part
            if pd.isna(value):
                assert weight < 0.91 * parcel.area
                continue
            assert value == pytest.approx(100 * total / weight, rel=1e-3)
            checked += 1
        assert checked > 10

    def test_real_elevation_in_degrees_gives_the_slopes_of_the_plane_one(
        self, shared_data: Callable[[str], Path], tmp_path: Path
    ) -> None:
        """The same ground sampled in degrees: the mean slope of a large part of it agrees within some percent."""
        with rasterio.open(shared_data("swellendam") / "srtm_41_19.tif") as data:
            west, south, east, north = gpd.GeoSeries([shapely.box(*data.bounds)], crs=32733).to_crs(4326).total_bounds
            step = 1 / 1200
            height, width = int((north - south) / step), int((east - west) / step)
            grid = Affine(step, 0, west, 0, -step, north)
            warped = np.full((height, width), np.nan)
            reproject(
                data.read(1).astype(float),
                warped,
                src_transform=data.transform,
                src_crs=data.crs,
                dst_transform=grid,
                dst_crs="EPSG:4326",
                dst_nodata=np.nan,
                resampling=Resampling.cubic,
            )
            x, y = (data.bounds.left + data.bounds.right) / 2, (data.bounds.top + data.bounds.bottom) / 2
            plane = Path(data.name)
        degrees = write(tmp_path / "degrees.tif", warped, crs="EPSG:4326", grid=grid, nodata=math.nan)
        parcels = land("EPSG:32733", a=box(x - 9000, y - 9000, 18000, 18000), b=box(x, y + 9000, 9000, 9000))
        one, other = (
            np.array(numbers(raster_field(parcels, spec(p, derive="slope_percent", elevation_unit="m"))), dtype=float)
            for p in (plane, degrees)
        )
        assert one.min() > 5
        np.testing.assert_allclose(other, one, rtol=0.06)


class TestRefusals:
    PARCELS = land(a=WHOLE)

    @pytest.mark.parametrize(
        ("written", "asked", "message"),
        [
            ({"crs": None}, {}, r"CRS: found none.*gdal_edit -a_srs"),
            ({"grid": Affine(9.8, 1.7, X0, 1.7, -9.8, Y0 + 20)}, {}, "turned or mirrored"),
            ({"grid": Affine(-10, 0, X0 + 20, 0, -10, Y0 + 20)}, {}, "turned or mirrored"),
            ({"grid": Affine(10, 0, X0 + 9000, 0, -10, Y0)}, {}, "none on the land"),
            ({}, {"band": 2}, "no band 2; expected one of 1 bands"),
            ({}, {"derive": "slope_percent"}, "elevation_unit: m"),
            ({"units": "ft"}, {"derive": "slope_percent", "elevation_unit": "m"}, "ft in the file, m in"),
            ({"units": "fathom"}, {"derive": "slope_degrees"}, "found 'fathom'"),
        ],
    )
    def test_unfit_rasters(self, tmp_path: Path, written: dict[str, Any], asked: dict[str, Any], message: str) -> None:
        path = write(tmp_path / "r.tif", CELLS, **written)
        with pytest.raises(DataError, match=message):
            raster_field(self.PARCELS, spec(path, **asked))

    def test_no_georeference(self, tmp_path: Path) -> None:
        with pytest.warns(rasterio.errors.NotGeoreferencedWarning):
            path = write(tmp_path / "r.tif", CELLS, crs=None, grid=Affine.identity())
        with pytest.raises(DataError, match="no georeference") as caught:
            raster_field(self.PARCELS, spec(path))
        assert len(caught.value.issues) == 2  # and no CRS: both are said at once

    def test_missing_remote_and_broken_files(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match="no file"):
            raster_field(self.PARCELS, spec(tmp_path / "none.tif"))
        with pytest.raises(DataError, match="nothing is read over a network"):
            raster_field(self.PARCELS, spec(Path("/vsicurl/http://example.org/r.tif")))
        (tmp_path / "text.tif").write_text("no raster", encoding="utf-8")
        with pytest.raises(DataError, match="cannot be read"):
            raster_field(self.PARCELS, spec(tmp_path / "text.tif"))
        whole = write(tmp_path / "whole.tif", np.random.default_rng(1).random((400, 400))).read_bytes()
        (tmp_path / "cut.tif").write_bytes(whole[: len(whole) // 2])
        with pytest.raises(DataError, match="cannot be read"):
            raster_field(self.PARCELS, spec(tmp_path / "cut.tif"))
