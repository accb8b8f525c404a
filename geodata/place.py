"""Where the coordinates of a source lie: its CRS settled, checked, and what the user declared about it applied.

A source says its CRS itself, or the user declares it; the two may not contradict each other, nor the coordinates.
Swapped axes, shifted coordinates of web maps, datum parameters and local grids are put right as declared, never by
a guess; each is noted with how far it moved the land.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final, cast

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pyproj
import shapely
from pyproj.crs import BoundCRS
from pyproj.crs.coordinate_operation import ToWGS84Transformation

from geodata.crs import check_coordinates, crs_name, parse_crs, same_crs
from geodata.errors import CrsError, Issue, list_ids
from geodata.notes import SourceNote
from geodata.recognise import Extent, recognise
from geodata.spec_source import SimilaritySpec, SourceSpec
from geodata.transformation import (
    WGS84,
    Step,
    datum_name,
    datum_step,
    horizontal,
    lonlat_bounds,
    rows_not_finite,
    transform,
    with_geometry,
)
from geodata.web_maps import ShiftedSystem, in_china_box, unshift

_AUTO: Final = "auto"
_CGCS2000: Final = pyproj.CRS.from_epsg(4490)
_LARGE_SHIFT_M: Final = 500.0  # old datums of China lie within some 200 m of CGCS2000

_Floats = npt.NDArray[np.float64]


def place(gdf: gpd.GeoDataFrame, spec: SourceSpec, name: str) -> tuple[gpd.GeoDataFrame, list[SourceNote]]:
    """Copy of `gdf` in a known CRS, x before y, at its true place.

    Parameters
    ----------
    gdf : geopandas.GeoDataFrame
        As read, with the CRS of the file or none.
    spec : SourceSpec
        What the user declared: `crs`, `axes`, `shifted`, `towgs84`, `similarity`.
    name : str
        File and layer, for messages.

    Returns
    -------
    gdf : geopandas.GeoDataFrame
        In a CRS that can be brought to WGS 84: the settled one; `to` after a similarity; degrees of CGCS2000 (outside
        China of WGS 84) after a datum shift.
    notes : list of SourceNote
        What was done, and what looks wrong.

    Raises
    ------
    CrsError
        If there is no CRS, it contradicts the declared one or the coordinates, or its datum is not published and no
        parameters are given.
    """
    _require_finite(gdf, name)
    if spec.axes == "xy":
        return _placed(gdf, spec, name)
    try:
        placed, notes = _placed(_moved(gdf, lambda x, y: (y, x), gdf.crs), spec, name)
    except CrsError as error:
        if not _fits(gdf, spec, name):
            raise
        raise CrsError(
            Issue(
                where=f"{name}, axes",
                found="`axes: yx`, but the coordinates are east before north already",
                expected="north before east (latitude before longitude)",
                fix="Leave `axes` out.",
            )
        ) from error
    swapped = SourceNote(name, "`axes: yx`: x and y swapped, as declared", len(gdf), warning=False)
    return placed, [swapped, *notes]


def _fits(gdf: gpd.GeoDataFrame, spec: SourceSpec, name: str) -> bool:
    """Whether coordinates can be placed as they stand."""
    try:
        _placed(gdf, spec, name)
    except CrsError:
        return False
    return True


def _placed(gdf: gpd.GeoDataFrame, spec: SourceSpec, name: str) -> tuple[gpd.GeoDataFrame, list[SourceNote]]:
    """`place` after its axes are in order; every refusal names the source."""
    try:
        return _placed_as_declared(gdf, spec, name)
    except CrsError as error:
        issues = [
            issue if issue.where.startswith(name) else replace(issue, where=f"{name}, {issue.where}")
            for issue in error.issues
        ]
        raise CrsError(issues) from error


def _placed_as_declared(
    gdf: gpd.GeoDataFrame, spec: SourceSpec, name: str
) -> tuple[gpd.GeoDataFrame, list[SourceNote]]:
    notes: list[SourceNote] = []
    if spec.similarity is not None:
        return _by_similarity(gdf, spec.similarity, name)
    declared = _said_by(gdf.crs) is None
    crs = _settle_crs(gdf, spec, name, notes)
    gdf = gdf.set_crs(crs, allow_override=True)
    notes += check_coordinates(gdf, crs, name, declared=declared)
    if not shapely.get_num_coordinates(gdf.geometry.to_numpy()).any():
        return gdf, notes
    if spec.towgs84 is not None:
        gdf, note = _by_parameters(gdf, spec.towgs84, name)
        return gdf, [*notes, note]
    _require_known_datum(gdf, crs, name)
    if spec.shifted is not None:
        gdf, more = _unshifted(gdf, spec.shifted, name)
        notes += more
    return gdf, notes


def _settle_crs(gdf: gpd.GeoDataFrame, spec: SourceSpec, name: str, notes: list[SourceNote]) -> pyproj.CRS:
    """The CRS of the file, or the declared one where the file says none."""
    own = _said_by(gdf.crs)
    if spec.crs is None or spec.crs.strip().lower() == _AUTO:
        if own is not None:
            return own
        if spec.crs is None and spec.shifted is None:
            raise CrsError(_no_crs(gdf, name))
        return _recognised(gdf, spec, name, notes)
    wanted = parse_crs(spec.crs, f"{name}, crs")
    if own is None:
        return wanted
    if not same_crs(own, wanted):
        raise CrsError(
            Issue(
                where=name,
                found=f"{crs_name(own)} in the file, {crs_name(wanted)} in the configuration",
                expected="one CRS",
                fix="Leave `crs` out if the file is right; else correct the CRS in the file (GeoJSON without a `crs` "
                "member is WGS 84 by RFC 7946).",
            )
        )
    return own


def _said_by(crs: pyproj.CRS | None) -> pyproj.CRS | None:
    """A file's CRS; None also for the placeholders that GDAL and ESRI write for none."""
    if crs is None or crs.name.lower().startswith("undefined"):
        return None
    return None if crs.is_engineering and crs.name.lower().startswith("unknown") else crs


def _extent(gdf: gpd.GeoDataFrame) -> Extent | None:
    """None where there is no coordinate."""
    geometry = gdf.geometry.to_numpy()
    if not shapely.get_num_coordinates(geometry).any():
        return None
    return cast(Extent, tuple(float(v) for v in shapely.total_bounds(geometry)))


def _no_crs(gdf: gpd.GeoDataFrame, name: str) -> Issue:
    extent = _extent(gdf)
    fix = "Find out which it is and declare it beside `path`: `crs: EPSG:4490`, say."
    if extent is None:
        return Issue(name, "no coordinate reference system", "one", fix)
    looks = recognise(extent)
    return Issue(
        where=name,
        found=f"no coordinate reference system; coordinates {_numbers(extent)}, which look like {looks.describe()}",
        expected="one",
        fix=f"Find out which it is and declare it beside `path`. {looks.what_to_declare()}",
    )


def _numbers(extent: Extent) -> str:
    return f"x {extent[0]:.10g} to {extent[2]:.10g}, y {extent[1]:.10g} to {extent[3]:.10g}"


def _recognised(gdf: gpd.GeoDataFrame, spec: SourceSpec, name: str, notes: list[SourceNote]) -> pyproj.CRS:
    """The one CGCS2000 system that the coordinates fit."""
    why = "`crs: auto`" if spec.crs is not None else f"`shifted: {spec.shifted}` without a CRS"
    extent = _extent(gdf)
    if extent is None:
        raise CrsError(Issue(name, "no CRS, and no coordinates to find it out from", "coordinates", "Check the layer."))
    looks = recognise(extent)
    only = looks.only
    crs = pyproj.CRS.from_user_input(only.code) if only is not None and only.code is not None else None
    if only is None or crs is None or only.axes != "xy" or datum_name(crs) != "CGCS2000":
        raise CrsError(
            Issue(
                where=name,
                found=f"{why}, and coordinates {_numbers(extent)}, which look like {looks.describe()}",
                expected="coordinates that fit one CGCS2000 system only, east before north",
                fix=f"Find out which it is and declare it beside `path`. {looks.what_to_declare()}",
            )
        )
    if spec.shifted is not None:
        what = f"{why}: {only.reason}; taken as {crs_name(crs)}, shifted as declared"
        notes.append(SourceNote(name, what, warning=False))
        return crs
    what = (
        f"{why}: {only.reason}; taken as {crs_name(crs)}. The datum CGCS2000 is ASSUMED: numbers cannot tell it from "
    )
    what += "Xi'an 80 or Beijing 54, some ten to two hundred metres away"
    if only.kind == "degrees":
        what += ", nor from the GCJ-02 or BD-09 of a web map, 0.3 to 1.5 km away"
    notes.append(SourceNote(name, what, warning=True))
    return crs


def _require_finite(gdf: gpd.GeoDataFrame, name: str) -> None:
    bad = rows_not_finite(gdf.geometry.to_numpy())
    if bad.size:
        raise CrsError(
            Issue(
                where=f"{name}, row {list_ids([str(i + 1) for i in bad])}",
                found="a coordinate that is not a finite number",
                expected="finite coordinates",
                fix="Repair or remove these features.",
            )
        )


def _require_known_datum(gdf: gpd.GeoDataFrame, crs: pyproj.CRS, name: str) -> None:
    """Refuse what cannot be brought to WGS 84 without parameters, and say which are missing."""
    if not (crs.is_geographic or crs.is_projected or crs.is_bound):
        raise CrsError(
            Issue(
                where=name,
                found=f"{crs_name(crs)}, a local grid without a known place on the globe",
                expected="a CRS with a known datum, or the parameters of the grid",
                fix="Give its four parameters to a CGCS2000 zone as `similarity` (dx_m, dy_m, rotation_s, scale_ppm). "
                "They are not public: the local surveying office has them, and can also convert the data.",
            )
        )
    datum_step(crs, WGS84, lonlat_bounds(gdf))


def _by_parameters(
    gdf: gpd.GeoDataFrame, parameters: tuple[float, ...], name: str
) -> tuple[gpd.GeoDataFrame, SourceNote]:
    """To degrees of CGCS2000 by the declared datum shift: no later step meets the old datum."""
    crs = horizontal(gdf.crs)
    why = _why_no_parameters(crs)
    if why is not None:
        raise CrsError(
            Issue(
                where=f"{name}, towgs84",
                found=f"parameters for {crs_name(crs)}, which {why}",
                expected="a CRS of another datum: Xi'an 80 or Beijing 54, say",
                fix="Leave `towgs84` out, or declare the `crs` that the parameters are for.",
            )
        )
    shift = ToWGS84Transformation(crs.geodetic_crs, *parameters)
    bound = BoundCRS(source_crs=crs, target_crs=WGS84, transformation=shift)
    west, south, east, north = lonlat_bounds(gdf)
    target = _CGCS2000 if in_china_box((west + east) / 2, (south + north) / 2) else WGS84
    moved = transform(gdf.set_crs(bound, allow_override=True), target)
    away_m = _mean_distance_m(_degrees_as_they_stand(gdf, crs), _degrees_as_they_stand(moved, target))
    what = (
        f"{crs_name(crs)} brought to {crs_name(target)} by `towgs84` (position vector convention): degrees changed by "
        f"{away_m:.2f} m on average"
    )
    if away_m > _LARGE_SHIFT_M:
        what += ", which is far for an old datum: check the parameters, their units and their signs"
    return moved, SourceNote(name, what, len(gdf), warning=away_m > _LARGE_SHIFT_M)


def _why_no_parameters(crs: pyproj.CRS) -> str | None:
    if crs.is_bound:
        return "brings its own datum shift"
    if crs.geodetic_crs is None or not (crs.is_geographic or crs.is_projected):
        return "has no datum"
    return f"is on {datum_name(crs)} already" if datum_name(crs) is not None else None


def _by_similarity(gdf: gpd.GeoDataFrame, spec: SimilaritySpec, name: str) -> tuple[gpd.GeoDataFrame, list[SourceNote]]:
    """From a local plane grid to a known plane CRS by four parameters."""
    target = parse_crs(spec.to, f"{name}, similarity.to")
    if not target.is_projected or any(axis.unit_conversion_factor != 1 for axis in horizontal(target).axis_info):
        raise CrsError(
            Issue(
                where=f"{name}, similarity.to",
                found=crs_name(target),
                expected="a projected CRS in metres",
                fix="Name the zone that the four parameters lead to: EPSG:4547, say.",
            )
        )
    own = _said_by(gdf.crs)
    if own is not None and (own.is_geographic or datum_name(own) is not None):
        raise CrsError(
            Issue(
                where=name,
                found=f"{crs_name(own)} in the file, and `similarity` in the configuration",
                expected="a local plane grid, or a plane one of another datum",
                fix="Leave `similarity` out if the file is right; else correct the CRS in the file.",
            )
        )
    turn = math.radians(spec.rotation_s / 3600)
    along, across = (
        (1 + spec.scale_ppm * 1e-6) * math.cos(turn),
        (1 + spec.scale_ppm * 1e-6) * math.sin(turn),
    )

    def similar(x: _Floats, y: _Floats) -> tuple[_Floats, _Floats]:
        return spec.dx_m + along * x - across * y, spec.dy_m + across * x + along * y

    moved = _moved(gdf, similar, target)
    notes = check_coordinates(moved, target, f"{name}, after `similarity`", declared=True)
    if shapely.get_num_coordinates(moved.geometry.to_numpy()).any():
        _require_known_datum(moved, target, name)
    what = (
        f"local grid brought to {crs_name(target)} by `similarity`: dx {spec.dx_m:g} m, dy {spec.dy_m:g} m, rotation "
        f"{spec.rotation_s:g} seconds of arc, scale {spec.scale_ppm:g} ppm"
    )
    return moved, [SourceNote(name, what, len(gdf), warning=False), *notes]


def _unshifted(gdf: gpd.GeoDataFrame, system: ShiftedSystem, name: str) -> tuple[gpd.GeoDataFrame, list[SourceNote]]:
    """Coordinates of a web map turned into true ones, in the CRS that they are in."""
    crs = horizontal(gdf.crs)
    if datum_name(crs) is None:
        raise CrsError(
            Issue(
                where=f"{name}, shifted",
                found=f"`shifted: {system}` and {crs_name(crs)}",
                expected="a CRS on WGS 84 or CGCS2000, as the coordinates of web maps are read",
                fix="Leave `shifted` out, or correct the CRS.",
            )
        )
    lonlat = _degrees_as_they_stand(gdf, crs)
    inside = in_china_box(lonlat[:, 0], lonlat[:, 1])
    if not inside.any():
        raise CrsError(
            Issue(
                where=f"{name}, shifted",
                found=f"`shifted: {system}`, but no coordinate in China",
                expected="coordinates in China: web maps shift nothing elsewhere",
                fix="Leave `shifted` out.",
            )
        )
    true = np.column_stack(unshift(lonlat[:, 0], lonlat[:, 1], system))
    back = pyproj.Transformer.from_crs(crs.geodetic_crs, crs, always_xy=True)
    xy = true if crs.is_geographic else np.column_stack(back.transform(true[:, 0], true[:, 1]))
    flat = shapely.force_2d(gdf.geometry.to_numpy())
    moved = with_geometry(gdf, shapely.set_coordinates(flat, xy), crs)
    what = (
        f"coordinates of {system} turned into true ones, moved by {_mean_distance_m(lonlat, true):.0f} m on average; a "
        "web map and its published formulas are good to some metres, not to a survey"
    )
    notes = [SourceNote(name, what, len(gdf), warning=True)]
    if not inside.all():
        rows = np.unique(shapely.get_coordinates(flat, return_index=True)[1][~inside])
        what = f"outside China, where {system} shifts nothing: left as they are (rows)"
        notes.append(SourceNote.of(name, what, [int(i) + 1 for i in rows]))
    return moved, notes


def _moved(gdf: gpd.GeoDataFrame, step: Step, crs: pyproj.CRS | None) -> gpd.GeoDataFrame:
    """Copy with every vertex moved, plane, in a CRS."""
    flat = shapely.force_2d(gdf.geometry.to_numpy())
    xy = shapely.get_coordinates(flat)
    return with_geometry(gdf, shapely.set_coordinates(flat, np.column_stack(step(xy[:, 0], xy[:, 1]))), crs)


def _degrees_as_they_stand(gdf: gpd.GeoDataFrame, crs: pyproj.CRS) -> _Floats:
    """Longitude, latitude of every vertex on the CRS's own datum, (n, 2)."""
    xy = shapely.get_coordinates(gdf.geometry.to_numpy())
    if crs.is_geographic:
        return xy * math.degrees(crs.axis_info[0].unit_conversion_factor)
    down = pyproj.Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True)
    return np.column_stack(down.transform(xy[:, 0], xy[:, 1]))


def _mean_distance_m(a: _Floats, b: _Floats) -> float:
    """Mean distance on the ground between longitudes, latitudes, m."""
    _, _, away = pyproj.Geod(ellps="WGS84").inv(a[:, 0], a[:, 1], b[:, 0], b[:, 1])
    return float(np.mean(away))
