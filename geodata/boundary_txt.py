"""Coordinate TXT of boundary surveys (勘测定界 TXT), both ways.

A section ``[属性描述]`` with ``key=value`` lines says the coordinate system; a section ``[地块坐标]`` holds, for each
parcel, a header that ends in ``@`` and one line per boundary point::

    5,1.0000,A1,一号地块,面,,工业用地,,@
    J1,1,2500000.000,38500000.000

that is: count of points, area in hectares, id, name, kind (面), map sheet, use, land class, ``@``; then point, ring,
north, east. A ring ends with its first point. Rings beyond the first are holes or further parts, which is told by what
lies in what: a ring in an odd number of others is a hole.
"""

from __future__ import annotations

import datetime
import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyproj
import shapely
from shapely.geometry.base import BaseGeometry

from geodata.boundary_crs import Plane, crs_of_description, description_of_crs
from geodata.crs import crs_name
from geodata.errors import CrsError, DataError, Issue
from geodata.notes import SourceNote
from geodata.sources import check_input_path
from geodata.tables import read_text

COLUMNS: Final = ("points", "area_ha", "id", "name", "kind", "map_sheet", "use", "land_class")
"""Columns of a parcel's header, in its order; further ones are called ``field_9`` and so on."""

_DESCRIPTION: Final = "属性描述"
_COORDINATES: Final = "地块坐标"
_SECTION: Final = re.compile(r"[\[【]\s*(.+?)\s*[\]】]")
_NUMBER: Final = re.compile(r"[+-]?[0-9]+(?:\.[0-9]*)?")
_AREA: Final = re.compile(r"([0-9]+(?:\.[0-9]*)?)\s*(?:公顷|ha)?")
_AREA_TOLERANCE: Final = 0.01
_HA: Final = 10_000.0
_DECIMALS: Final = 3


@dataclass
class _Parcel:
    """A parcel as it stands in the file: `rings` holds line, ring number, north, east."""

    line: int
    header: list[str]
    points: list[tuple[int, int, float, float]] = field(default_factory=list)


@dataclass
class _Content:
    """The file in pieces, and what is wrong with its lines."""

    description: dict[str, str] = field(default_factory=dict)
    parcels: list[_Parcel] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)
    other_sections: list[str] = field(default_factory=list)


def read_boundary_txt(path: str | Path, encoding: str | None = None) -> tuple[gpd.GeoDataFrame, list[SourceNote]]:
    """Read a coordinate TXT.

    Parameters
    ----------
    path : str or pathlib.Path
        The file.
    encoding : str, optional
        Found out when absent: UTF-8, else GB18030.

    Returns
    -------
    (geopandas.GeoDataFrame, list of SourceNote)
        One row per parcel: text columns of `COLUMNS` after ``points`` (missing where blank; ``kind`` is left out),
        ``area_ha`` as a number, ``geometry`` last with x east and y north, neither repaired nor moved; default index.
        The CRS is the one that the file names (also Xi'an 80 and Beijing 54), None where it names none. The notes tell
        rings that were not closed, counts and areas that differ from the header's, columns that were swapped.

    Raises
    ------
    DataError
        For lines that are neither header nor point, rings of fewer than three points, files without parcels; each
        with its line.
    CrsError
        If the description and the coordinates contradict each other.
    """
    path = check_input_path(path, "coordinate TXT")
    text, encoding_note = read_text(path, encoding)
    content = _parse(text, path.name)
    rings = [_rings(parcel, path.name, content.issues) for parcel in content.parcels]
    if not content.parcels and not content.issues:
        content.issues.append(
            Issue(path.name, "no parcels", f"a section [{_COORDINATES}] with parcels", "Check the file.")
        )
    if content.issues:
        raise DataError(content.issues)
    plane, notes = crs_of_description(
        content.description, [p for parcel in content.parcels for p in parcel.points], path.name
    )
    shapes = np.array([_polygon([_flat(ring, plane) for ring in one]) for one in rings], dtype=object)
    gdf = _frame(content.parcels, shapes, plane)
    notes = [*([encoding_note] if encoding_note else []), *notes]
    if content.other_sections:
        notes.append(SourceNote.of(path.name, "sections that were not read", content.other_sections, warning=False))
    return gdf, [*notes, *_remarks(content.parcels, rings, gdf, path.name)]


def write_boundary_txt(
    gdf: gpd.GeoDataFrame,
    path: str | Path,
    *,
    id_column: str,
    name_column: str | None = None,
    map_sheet_column: str | None = None,
    use_column: str | None = None,
    land_class_column: str | None = None,
    unit: str = "",
    date: datetime.date | None = None,
    encoding: Literal["gb18030", "utf-8"] = "gb18030",
    any_crs: bool = False,
) -> None:
    """Write polygons as a coordinate TXT, coordinates in millimetres.

    Parameters
    ----------
    gdf : geopandas.GeoDataFrame
        Polygons in a Gauss-Krüger CRS of CGCS2000, Xi'an 80 or Beijing 54: zones of 3 or 6 degrees, with or without
        their number in the easting.
    path : str or pathlib.Path
        Replaced if it exists.
    id_column, name_column, map_sheet_column, use_column, land_class_column : str
        Columns of the header; blank where absent or missing. Commas in names become full-width ones.
    unit : str
        Who made the data (数据产生单位).
    date : datetime.date, optional
        When (数据产生日期); blank when absent.
    encoding : {'gb18030', 'utf-8'}
        The software of the land administration expects GB18030.
    any_crs : bool
        Other projected CRS in metres are written too: as 坐标系=其他, with their name in a further line (坐标系名称),
        which only people read.

    Raises
    ------
    DataError
        For geometry that is no polygon, ids that are blank or hold a comma, polygons smaller than a millimetre.
    CrsError
        If the CRS is another one, and not `any_crs`.
    """
    path = Path(path)
    description = _description(gdf.crs, path.name, any_crs)
    issues: list[Issue] = []
    ids = [str(value).strip() if pd.notna(value) else "" for value in gdf[id_column]]
    columns = [ids, *(_texts(gdf, c) for c in (name_column, map_sheet_column, use_column, land_class_column))]
    lines = [
        f"[{_DESCRIPTION}]",
        "格式版本号=1.01版本",
        f"数据产生单位={_one_line(unit)}",
        f"数据产生日期={date.isoformat() if date is not None else ''}",
        *(f"{key}={value}" for key, value in description.items()),
        "精度=0.001",
        "转换参数=,,,,,,",
        f"[{_COORDINATES}]",
    ]
    for row, (shape, texts) in enumerate(zip(gdf.geometry, zip(*columns, strict=True), strict=True), start=1):
        issue = _why_not(shape, texts[0])
        if issue is not None:
            issues.append(Issue(f"{path.name}, row {row} {texts[0]}".rstrip(), *issue))
            continue
        lines.extend(_parcel_lines(shape, *texts))
    if issues:
        raise DataError(issues)
    _replace(path, ("\r\n".join(lines) + "\r\n").encode(encoding))


def _description(crs: pyproj.CRS | None, source: str, any_crs: bool) -> dict[str, str]:
    try:
        return description_of_crs(crs, source)
    except CrsError:
        if not any_crs or crs is None or not crs.is_projected:
            raise
        return {
            "坐标系": "其他",
            "几度分带": "",
            "投影类型": "",
            "计量单位": "米",
            "带号": "",
            "坐标系名称": crs_name(crs),
        }


def _parse(text: str, source: str) -> _Content:
    """Lines of the file by what they are; the faults of lines are gathered."""
    content = _Content()
    section = ""
    for number, raw in enumerate(re.split(r"\r\n|\r|\n", text), start=1):
        line = raw.strip()
        if not line:
            continue
        named = _SECTION.fullmatch(line)
        if named is not None:
            section = named[1]
            if section not in {_DESCRIPTION, _COORDINATES}:
                content.other_sections.append(section)
        elif section == _DESCRIPTION:
            _parse_description(content, line, f"{source}, line {number}")
        elif section == _COORDINATES:
            _parse_coordinates(content, line, number, source)
        elif not section:
            content.issues.append(
                Issue(f"{source}, line {number}", repr(line[:40]), f"[{_DESCRIPTION}] first", "Is it a coordinate TXT?")
            )
            break
    return content


def _parse_description(content: _Content, line: str, where: str) -> None:
    key, equals, value = (part.strip() for part in line.partition("="))
    if not equals:
        content.issues.append(Issue(where, repr(line[:40]), "key=value", "Correct this line."))
    elif content.description.setdefault(key, value) != value:
        content.issues.append(
            Issue(where, f"{key}={value} after {key}={content.description[key]}", "one description", "Split the file.")
        )


def _parse_coordinates(content: _Content, line: str, number: int, source: str) -> None:
    where = f"{source}, line {number}"
    if line.endswith("@"):
        header = [part.strip() for part in line[:-1].rstrip().removesuffix(",").split(",")]
        content.parcels.append(_Parcel(number, header + [""] * (len(COLUMNS) - len(header))))
        kind = content.parcels[-1].header[4]
        if kind not in {"面", ""}:
            content.issues.append(Issue(where, f"a parcel of kind {kind!r}", "面 (an area)", "Leave this one out."))
        return
    parts = [part.strip() for part in line.rstrip(",").split(",")]
    ring = parts[1] if len(parts) == 4 else ""
    good = len(parts) == 4 and ring.isdecimal() and all(_NUMBER.fullmatch(part) for part in parts[2:])
    if not good:
        content.issues.append(
            Issue(where, repr(line[:60]), "a header that ends in @, or point,ring,north,east", "Correct this line.")
        )
    elif not content.parcels:
        content.issues.append(Issue(where, "a point before any header", "a parcel's header", "Add the header."))
    else:
        content.parcels[-1].points.append((number, int(ring), float(parts[2]), float(parts[3])))


def _rings(parcel: _Parcel, source: str, issues: list[Issue]) -> list[npt.NDArray[np.float64]]:
    """Rings of a parcel, north and east, as they stand: a new one begins with another number or after a closed one."""
    runs: list[list[tuple[int, int, float, float]]] = []
    for point in parcel.points:
        run = runs[-1] if runs else []
        closed = len(run) > 3 and run[0][2:] == run[-1][2:] != point[2:]
        if not run or closed or run[-1][1] != point[1]:
            runs.append([point])
        else:
            run.append(point)
    if not runs:
        issues.append(Issue(f"{source}, line {parcel.line}", "a parcel without points", "its points", "Add them."))
    issues.extend(
        Issue(
            where=f"{source}, line {run[0][0]}",
            found=f"ring {run[0][1]} with fewer than three points",
            expected="an area",
            fix="Complete the ring, or remove it.",
        )
        for run in runs
        if len({point[2:] for point in run}) < 3
    )
    return [np.array([point[2:] for point in run]) for run in runs]


def _flat(ring: npt.NDArray[np.float64], plane: Plane) -> npt.NDArray[np.float64]:
    """East and north of a ring, closed."""
    east_north = ring if plane.swapped else ring[:, ::-1]
    closed = bool((east_north[0] == east_north[-1]).all())
    return east_north if closed else np.vstack([east_north, east_north[:1]])


def _polygon(rings: list[npt.NDArray[np.float64]]) -> shapely.Polygon | shapely.MultiPolygon:
    """Polygon of rings by what lies in what: an even number of rings around makes an outline, an odd one a hole."""
    if len(rings) == 1:
        return shapely.Polygon(rings[0])
    areas = np.array([shapely.Polygon(ring) for ring in rings], dtype=object)
    size: npt.NDArray[np.float64] = shapely.area(areas)
    inner: npt.NDArray[np.object_] = shapely.point_on_surface(areas)
    order = np.lexsort((np.arange(len(rings)), -size))
    around = [[j for j in order[:k] if shapely.intersects(areas[j], inner[i])] for k, i in enumerate(order)]
    outlines = [int(i) for i, within in zip(order, around, strict=True) if len(within) % 2 == 0]
    holes: dict[int, list[npt.NDArray[np.float64]]] = {i: [] for i in outlines}
    for i, within in zip(order, around, strict=True):
        if len(within) % 2:
            holes[next(j for j in reversed(within) if j in holes)].append(rings[i])
    parts = [shapely.Polygon(rings[i], holes[i]) for i in sorted(outlines)]
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)


def _frame(parcels: list[_Parcel], shapes: npt.NDArray[np.object_], plane: Plane) -> gpd.GeoDataFrame:
    width = max(len(parcel.header) for parcel in parcels)
    names = [*COLUMNS, *(f"field_{i}" for i in range(len(COLUMNS) + 1, width + 1))]
    table = [parcel.header + [""] * (width - len(parcel.header)) for parcel in parcels]
    columns: dict[str, pd.Series] = {}
    for name, cells in zip(names, zip(*table, strict=True), strict=True):
        if name == "area_ha":
            columns[name] = pd.Series([_hectares(cell) for cell in cells], dtype="Float64")
        elif name not in {"points", "kind"}:
            columns[name] = pd.Series([cell or None for cell in cells], dtype="string")
    order = ["id", "name", "area_ha", *(name for name in columns if name not in {"id", "name", "area_ha"})]
    return gpd.GeoDataFrame(
        pd.DataFrame(columns)[order], geometry=gpd.GeoSeries(shapes, name="geometry"), crs=plane.crs
    )


def _hectares(text: str) -> float | None:
    """Area of a header; a zero stands for one that was not filled in."""
    match = _AREA.fullmatch(text)
    return (float(match[1]) or None) if match is not None else None


def _remarks(
    parcels: list[_Parcel], rings: list[list[npt.NDArray[np.float64]]], gdf: gpd.GeoDataFrame, source: str
) -> Iterator[SourceNote]:
    labels = [f"line {p.line} {p.header[2] or p.header[3]}".rstrip() for p in parcels]
    is_open = [any((ring[0] != ring[-1]).any() for ring in one) for one in rings]
    counts = [_miscounted(parcel, one) for parcel, one in zip(parcels, rings, strict=True)]
    unread = [
        label for label, p in zip(labels, parcels, strict=True) if p.header[1] and _AREA.fullmatch(p.header[1]) is None
    ]
    found = {
        "rings that do not end with their first point; it was added": _pick(labels, is_open),
        "another number of points than the header says: is the file whole?": [
            f"{label}: {count}" for label, count in zip(labels, counts, strict=True) if count
        ],
        "an area in the header that is no number": unread,
    }
    if gdf.crs is not None and gdf.crs.is_projected:
        measured = gdf.geometry.area.to_numpy() / _HA
        said = gdf["area_ha"].to_numpy(dtype=np.float64, na_value=np.nan)
        off = np.abs(measured - said) > _AREA_TOLERANCE * np.maximum(measured, said)
        found[f"an area in the header that differs by more than {_AREA_TOLERANCE:.0%} from the measured one"] = [
            f"{labels[i]}: {said[i]:.4f} ha said, {measured[i]:.4f} ha measured" for i in np.flatnonzero(off)
        ]
    yield from (SourceNote.of(source, what, items) for what, items in found.items() if items)


def _pick(labels: list[str], marked: list[bool]) -> list[str]:
    return [label for label, mark in zip(labels, marked, strict=True) if mark]


def _miscounted(parcel: _Parcel, rings: list[npt.NDArray[np.float64]]) -> str:
    """What differs, if the header's count is neither that of the lines nor that without the closing points."""
    said, lines = parcel.header[0], len(parcel.points)
    closing = sum(bool((ring[0] == ring[-1]).all()) for ring in rings)
    if not said or said in {str(lines), str(lines - closing)}:
        return ""
    return f"{said} said, {lines} lines"


def _texts(gdf: gpd.GeoDataFrame, column: str | None) -> list[str]:
    if column is None:
        return [""] * len(gdf)
    return [_one_line(str(value)).replace(",", "，") if pd.notna(value) else "" for value in gdf[column]]


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _why_not(shape: BaseGeometry | None, name: str) -> tuple[str, str, str] | None:
    """What keeps a parcel from being written: found, expected, fix."""
    if not name or re.search(r"[,@\r\n]", name):
        return f"the id {name!r}", "an id without comma, @ and line break", "Give it another id."
    if shape is None or shape.is_empty or shape.geom_type not in {"Polygon", "MultiPolygon"}:
        return "no polygon" if shape is None else f"an empty or other {shape.geom_type}", "a polygon", "Leave it out."
    small = [ring for ring in _shape_rings(shape) if len(np.unique(ring, axis=0)) < 3]
    if small:
        return f"{len(small)} rings that vanish in whole millimetres", "rings with an area", "Repair it first."
    return None


def _shape_rings(shape: BaseGeometry) -> list[npt.NDArray[np.float64]]:
    """Rings in millimetres of metres, each part's outline before its holes."""
    rings = [ring for part in shapely.get_parts(shape) for ring in shapely.get_rings(part)]
    return [np.round(shapely.get_coordinates(ring), _DECIMALS) for ring in rings]


def _parcel_lines(shape: BaseGeometry, name: str, *texts: str) -> Iterator[str]:
    rings = _shape_rings(shape)
    title, map_sheet, use, land_class = texts
    count = sum(len(ring) for ring in rings)
    yield f"{count},{shape.area / _HA:.4f},{name},{title},面,{map_sheet},{use},{land_class},@"
    point = 0
    for number, ring in enumerate(rings, start=1):
        first = point + 1
        for i, (east, north) in enumerate(ring):
            point += i < len(ring) - 1
            label = point if i < len(ring) - 1 else first
            yield f"J{label},{number},{north:.{_DECIMALS}f},{east:.{_DECIMALS}f}"


def _replace(path: Path, raw: bytes) -> None:
    """Write under another name first, so that no half file is ever seen."""
    with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as folder:
        temporary = Path(folder) / path.name
        temporary.write_bytes(raw)
        os.replace(temporary, path)  # noqa: PTH105  (atomic also over an existing file on Windows)
