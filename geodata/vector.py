"""One layer of one vector file, whole: GeoParquet by pyarrow, everything else by GDAL.

GDAL forgives much in silence: a cut-off shapefile loses geometries, a damaged GeoPackage loses rows, text of an unknown
encoding is garbled, a small file can point to a server. Each of these is refused here.
"""

from __future__ import annotations

import json
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyogrio
import shapely

from geodata.errors import DataError, Issue, list_ids

_PARQUET: Final = frozenset({".parquet", ".geoparquet"})
_JSON: Final = frozenset({".json", ".geojson", ".topojson"})
_IN_ZIP: Final = (".shp", ".gpkg", ".geojson", ".json", ".topojson", ".fgb", ".gml", ".kml", ".tab", ".mif", ".dxf")
_REDIRECTS: Final = (
    b"<OGRVRTDataSource",
    b"<VRTDataset",
    b"<OGRWFSDataSource",
    b"<OGRCSWDataSource",
    b"gdal_streamed_alg",
)
_ENCODINGS: Final = ("gb18030", "big5", "euc-kr", "latin-1")
_ROW_IDS: Final = "OGC_FID"

_FAILURES: Final = (
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
    LookupError,
    ArithmeticError,
    AttributeError,
    EOFError,
    NameError,
    ValueError,
    OSError,
    TypeError,
    pa.ArrowException,
    shapely.errors.ShapelyError,
)
"""What pyogrio, pyarrow, geopandas and shapely raise over a broken file.

pyogrio's errors are RuntimeErrors; over a broken ``.prj`` it stumbles with a NameError.
"""

_NULLABLE: Final = {
    **{
        pa.int8(): pd.Int8Dtype(),
        pa.int16(): pd.Int16Dtype(),
        pa.int32(): pd.Int32Dtype(),
        pa.int64(): pd.Int64Dtype(),
    },
    **{pa.uint8(): pd.UInt8Dtype(), pa.uint16(): pd.UInt16Dtype(), pa.uint32(): pd.UInt32Dtype()},
    **{pa.uint64(): pd.UInt64Dtype(), pa.bool_(): pd.BooleanDtype()},
}
"""Arrow → pandas: a column of whole numbers with a gap must not turn into floats, or long codes lose digits."""


@dataclass(frozen=True)
class VectorSource:
    """A layer as read.

    Attributes
    ----------
    gdf : geopandas.GeoDataFrame
        Attributes as stored (whole numbers and truth values in nullable dtypes), column ``geometry`` last, plane
        geometry; default index.
    name : str
        File, and layer where it holds several; for messages.
    closed_rings : tuple of int
        Positions of features with a ring that was not closed in the file; its first point was added at the end.
    """

    gdf: gpd.GeoDataFrame
    name: str
    closed_rings: tuple[int, ...] = ()


def open_layer(path: Path, layer: str | None, name: str) -> VectorSource:
    """Read a layer as it is stored, without a look at its CRS or its values.

    Parameters
    ----------
    path : pathlib.Path
        Existing file or folder.
    layer : str or None
        Needed where there are several.
    name : str
        File and layer for messages.

    Raises
    ------
    DataError
        If it cannot be read, or not in full; if `layer` is needed or wrong.
    """
    _refuse_part_of_shapefile(path)
    if "!" in str(path):  # pyogrio takes what stands before it for an archive
        raise DataError(Issue(name, "a path with '!'", "a path without it", "Rename the file or its folder."))
    try:
        if path.suffix.lower() in _PARQUET:
            return _read_parquet(path, layer, name)
        return _read_gdal(path, layer, name)
    except _FAILURES as error:
        raise DataError(
            Issue(
                where=name,
                found=f"a file that cannot be read ({_first_line(error)})",
                expected="a whole vector file",
                fix="Check that it opens in a GIS, and export it again.",
            )
        ) from error


def _read_parquet(path: Path, layer: str | None, name: str) -> VectorSource:
    if layer is not None:
        raise DataError(Issue(name, "a layer is named", "none", "A Parquet file has no layers: leave `layer` out."))
    gdf = gpd.read_parquet(path, to_pandas_kwargs={"types_mapper": _NULLABLE.get})
    named = [level is not None for level in gdf.index.names]
    gdf = gdf.reset_index(drop=not any(named))
    geometry = shapely.force_2d(gdf.geometry.to_numpy())
    frame = pd.DataFrame(gdf.drop(columns=gdf.select_dtypes("geometry").columns))
    return VectorSource(_geo_frame(frame, geometry, gdf.crs, name), name)


def _read_gdal(path: Path, layer: str | None, name: str) -> VectorSource:
    _refuse_redirects(path, name)
    _refuse_cut_off(path, name)
    pyogrio.set_gdal_config_options({"GML_DOWNLOAD_SCHEMA": False})  # a GML file can name its schema by URL
    address, layer = _inside_zip(path, layer) if path.suffix.lower() == ".zip" else (str(path), layer)
    layer = _choose_layer(address, layer, name)
    try:
        meta, table = pyogrio.read_arrow(address, layer=layer, return_fids=True)
        table.validate(full=True)  # text is not looked at otherwise
        column = meta["geometry_name"] or "wkb_geometry"
        attributes = _attributes(table.drop_columns([column]).to_pandas(types_mapper=_NULLABLE.get), meta, address)
    except (UnicodeDecodeError, pa.ArrowInvalid) as error:
        if "utf" not in str(error).lower():
            raise
        raise DataError(_unknown_encoding(address, layer, name)) from error
    stored = np.asarray(table.column(column).to_numpy(), dtype=object)
    _refuse_lost_rows(address, layer, len(attributes), name)
    geometry, closed, unread = _parse(stored)
    if unread.size:  # curves cannot come by Arrow; GDAL turns them into chords on its other way
        geometry, closed, unread = _parse(_stored_without_curves(address, layer))
        _refuse_unread(unread, name)
    return VectorSource(_geo_frame(attributes, shapely.force_2d(geometry), meta["crs"], name), name, closed)


def _stored_without_curves(address: str, layer: str | None) -> npt.NDArray[Any]:
    _, _, wkb, _ = pyogrio.raw.read(address, layer=layer, columns=[])
    return np.asarray(wkb, dtype=object)


def _parse(stored: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], tuple[int, ...], npt.NDArray[np.intp]]:
    """WKB → geometry; positions with a ring that was closed here; positions that cannot be read."""
    has_one = np.array([wkb is not None for wkb in stored], dtype=bool)
    try:
        with np.errstate(invalid="ignore"):  # coordinates that are no numbers are refused by name later
            geometry = np.asarray(shapely.from_wkb(stored, on_invalid="ignore"), dtype=object)
            broken = np.flatnonzero(has_one & shapely.is_missing(geometry))
            if broken.size:
                geometry[broken] = shapely.from_wkb(stored[broken], on_invalid="fix")
    except NotImplementedError:  # curves inside a collection
        return np.full(len(stored), None), (), np.flatnonzero(has_one)
    unread = shapely.is_missing(geometry[broken])
    return geometry, tuple(int(i) for i in broken[~unread]), broken[unread]


def _refuse_unread(unread: npt.NDArray[np.intp], name: str) -> None:
    if unread.size:
        raise DataError(
            Issue(
                where=name,
                found="geometry of a kind that is not flat land (surfaces in space, nested curves) in row "
                f"{list_ids([str(i + 1) for i in unread])}",
                expected="polygons or lines",
                fix="Convert these features to polygons in a GIS.",
            )
        )


def _attributes(frame: pd.DataFrame, meta: dict[str, Any], address: str) -> pd.DataFrame:
    """Attributes without GDAL's row number, which is the ``id`` member of a GeoJSON feature where that is a number."""
    row_ids = meta["fid_column"] or _ROW_IDS
    if (
        list(frame.columns).count(row_ids) > 1
    ):  # GDAL numbered the rows by a property of that name, and kept the property
        return frame.loc[:, ~frame.columns.duplicated()]
    numbers = frame.pop(row_ids) if row_ids in frame else None
    is_member = numbers is not None and not np.array_equal(numbers.to_numpy(), np.arange(len(frame)))
    if is_member and Path(address).suffix.lower() in _JSON and "id" not in frame:
        frame.insert(0, "id", numbers)
    return frame


def _geo_frame(frame: pd.DataFrame, geometry: npt.NDArray[Any], crs: Any, name: str) -> gpd.GeoDataFrame:
    if "geometry" in frame.columns:
        raise DataError(Issue(name, "an attribute called 'geometry'", "another name", "Rename it in the source."))
    return gpd.GeoDataFrame(frame.reset_index(drop=True), geometry=gpd.array.from_shapely(geometry), crs=crs)


def _choose_layer(address: str, layer: str | None, name: str) -> str | None:
    layers = {str(title): kind for title, kind in pyogrio.list_layers(address)}
    with_geometry = [title for title, kind in layers.items() if kind is not None]
    listed = ", ".join(with_geometry) or "none"
    if layer is not None:
        if layer not in layers:
            raise DataError(Issue(name, f"no layer {layer!r}", f"one of {listed}", "Correct `layer`."))
        if layers[layer] is None:
            raise DataError(Issue(name, "a table without geometry", f"one of {listed}", "Correct `layer`."))
        return layer
    if not with_geometry:
        raise DataError(Issue(name, "no layer with geometry", "parcels, zones or barriers", "Name another file."))
    if len(with_geometry) > 1:
        raise DataError(Issue(name, f"{len(with_geometry)} layers", f"one of {listed}", "Say which: `layer: ...`."))
    return with_geometry[0]


def _inside_zip(path: Path, layer: str | None) -> tuple[str, str | None]:
    """Address of the one dataset in an archive; `layer` chooses among several by the name of the file."""
    if not zipfile.is_zipfile(path):
        raise DataError(Issue(path.name, "no ZIP archive", "a whole .zip file", "Download or pack it again."))
    top = f"/vsizip/{path.resolve().as_posix()}"
    members = [m for m in _members(path, top) if "__MACOSX" not in m]
    folders = [m.rstrip("/") for m in members if m.rstrip("/").lower().endswith(".gdb")]
    files = [m for m in members if m.lower().endswith(_IN_ZIP) and not any(m.startswith(f + "/") for f in folders)]
    found = sorted(folders + files)
    if len(found) > 1 and layer is not None:
        found = [m for m in found if Path(m).stem == layer] or found
    if len(found) != 1:
        names = ", ".join(m.removeprefix(top + "/") for m in found)
        raise DataError(
            Issue(
                where=path.name,
                found=f"{len(found)} datasets: {names}" if found else "no vector file",
                expected="one",
                fix="Say which by its name without ending: `layer: ...`." if found else "Check the archive.",
            )
        )
    return found[0], layer


def _refuse_part_of_shapefile(path: Path) -> None:
    if path.suffix.lower() in {".dbf", ".shx", ".prj", ".cpg"}:
        raise DataError(
            Issue(path.name, "one part of a shapefile", f"{path.stem}.shp", "Name the .shp; the parts lie beside it.")
        )


def _members(path: Path, top: str) -> list[str]:
    try:
        return list(pyogrio.vsi_listtree(top))
    except NotADirectoryError:  # GDAL's view of an archive that holds a single file
        with zipfile.ZipFile(path) as archive:
            return [f"{top}/{member}" for member in archive.namelist()]


def _refuse_redirects(path: Path, name: str) -> None:
    """Small files that only point to other data could reach the network, whatever their ending."""
    if any(mark in head for head in _heads(path) for mark in _REDIRECTS):
        raise DataError(
            Issue(name, "a file that points to other data", "the data itself", "Export the layer to GeoPackage.")
        )


def _heads(path: Path) -> Iterator[bytes]:
    if path.is_dir():
        return
    with path.open("rb") as file:
        yield file.read(4096)
    if path.suffix.lower() == ".zip" and zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                with archive.open(member) as file:
                    yield file.read(4096)


def _refuse_cut_off(path: Path, name: str) -> None:
    """GDAL reads what is left of a truncated .shp or .gpkg; the header says how long the file should be."""
    expected = {".shp": _shapefile_size, ".gpkg": _sqlite_size}.get(path.suffix.lower())
    if expected is None:
        return
    with path.open("rb") as file:
        header = file.read(100)
    size, whole = path.stat().st_size, expected(header) if len(header) == 100 else 100
    if size < whole:
        raise DataError(Issue(name, f"{size} bytes", f"{whole} bytes, by its header", "It is cut off: copy it again."))


def _shapefile_size(header: bytes) -> int:
    return int(2 * struct.unpack(">i", header[24:28])[0])


def _sqlite_size(header: bytes) -> int:
    """Page size × pages; 0 where the count is not kept up to date."""
    (page,), (pages,) = struct.unpack(">H", header[16:18]), struct.unpack(">I", header[28:32])
    return int(page if page > 1 else 65536) * int(pages) if header[24:28] == header[92:96] else 0


def _refuse_lost_rows(address: str, layer: str | None, n: int, name: str) -> None:
    """GDAL leaves out what it does not understand."""
    path = Path(address)
    is_json = path.suffix.lower() in _JSON
    expected = _count_json(path, layer) if is_json else int(pyogrio.read_info(address, layer=layer)["features"])
    if 0 <= n < expected:
        raise DataError(
            Issue(
                where=name,
                found=f"{n} features could be read",
                expected=f"{expected}, by the file's own count",
                fix="The file is damaged: copy or export it again.",
            )
        )


def _count_json(path: Path, layer: str | None) -> int:
    """Features of a GeoJSON or TopoJSON file; -1 where the file is inside an archive, or of another kind of JSON."""
    if not path.is_file():
        return -1
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig", errors="replace"), strict=False)
    except ValueError:  # GDAL is laxer than the standard still
        return -1
    match document:
        case {"type": "FeatureCollection", "features": list(features)}:
            return len(features)
        case {"type": "Topology", "objects": dict(objects)}:
            return len(objects.get(layer, {}).get("geometries", []))
        case _:
            return -1


def _unknown_encoding(address: str, layer: str | None, name: str) -> Issue:
    """Text that is not UTF-8 in a file that says no other encoding (old DBFs, most often); shown in the likely ones."""
    readings = ""
    if address.lower().endswith(".shp"):
        _, table = pyogrio.read_arrow(address, layer=layer, encoding="ISO-8859-1", read_geometry=False)
        texts = (text for column in table.columns if pa.types.is_string(column.type) for text in column.to_pylist())
        first = next((text for text in [*table.column_names, *texts] if text and not text.isascii()), "")
        raw = first.encode("latin-1", errors="replace")
        readings = "; ".join(f"in {code} it reads {raw.decode(code, errors='replace')}" for code in _ENCODINGS)
    return Issue(
        where=name,
        found=f"text that is not UTF-8, and no other encoding named{': ' + readings if readings else ''}",
        expected=f"a file {PurePosixPath(address).stem}.cpg beside it that names the encoding",
        fix="Write the name of the encoding that reads right (GB18030, say) into that file, alone on one line.",
    )


def _first_line(error: BaseException) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:200]
