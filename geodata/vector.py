"""One layer of one vector file, whole: GeoParquet by pyarrow, everything else by GDAL.

GDAL forgives much in silence; what it would lose or garble is refused or put right here (`geodata.integrity`,
`geodata.stored_text`), and what was put right is noted.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyogrio
import shapely

from geodata import cad, mapinfo
from geodata.dataset import Dataset, find_dataset
from geodata.drawing_count import account_for_entities
from geodata.errors import DataError, Issue, list_ids
from geodata.integrity import JSON, refuse_cut_off, refuse_lost_rows, refuse_part_of_shapefile, refuse_redirects
from geodata.notes import SourceNote
from geodata.spec_source import CadSpec
from geodata.stored_text import StoredLayer, drawing_encoding, read_mapinfo, read_plain, read_shapefile

_PARQUET: Final = frozenset({".parquet", ".geoparquet"})
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
class FeatureNote:
    """Something done or noticed about single features.

    Attributes
    ----------
    what : str
        In words.
    positions : tuple of int
        Of the features, from 0.
    warning : bool
        As in `geodata.notes.SourceNote`.
    """

    what: str
    positions: tuple[int, ...]
    warning: bool = True


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
    source_notes : tuple of SourceNote
        Other things done or noticed, but for those about features of `gdf`.
    feature_notes : tuple of FeatureNote
        Those about features of `gdf`.
    """

    gdf: gpd.GeoDataFrame
    name: str
    closed_rings: tuple[int, ...] = ()
    source_notes: tuple[SourceNote, ...] = ()
    feature_notes: tuple[FeatureNote, ...] = ()

    @property
    def notes(self) -> tuple[SourceNote, ...]:
        """All that was done or noticed; features are named by their row, from 1."""
        return self._notes(lambda i: f"row {i + 1}", are_parcels=False)

    def notes_by_parcel(self, ids: Sequence[object] | npt.NDArray[Any]) -> tuple[SourceNote, ...]:
        """As `notes`, features named by these ids, one per row."""
        return self._notes(lambda i: str(ids[i]), are_parcels=True)

    def _notes(self, label: Callable[[int], str], *, are_parcels: bool) -> tuple[SourceNote, ...]:
        closed = FeatureNote("ring not closed in the file, closed", self.closed_rings)
        about = [note for note in (closed, *self.feature_notes) if note.positions]
        return (
            *self.source_notes,
            *(
                SourceNote.of(
                    self.name, n.what, [label(i) for i in n.positions], are_parcels=are_parcels, warning=n.warning
                )
                for n in about
            ),
        )


def open_layer(
    path: Path, layer: str | None, name: str, *, encoding: str | None = None, cad_layers: CadSpec | None = None
) -> VectorSource:
    """Read a layer as it is stored, without a look at its CRS or its values.

    Parameters
    ----------
    path : pathlib.Path
        Existing file or folder.
    layer : str or None
        Needed where there are several.
    name : str
        File and layer for messages.
    encoding : str, optional
        Of the attribute text; found out when absent.
    cad_layers : CadSpec, optional
        Needed for a DXF, and only there.

    Raises
    ------
    DataError
        If it cannot be read, or not in full; if `layer` or `cad_layers` is needed or wrong; if its text fits no
        encoding.
    """
    refuse_part_of_shapefile(path)
    if "!" in str(path):  # pyogrio takes what stands before it for an archive
        raise DataError(Issue(name, "a path with '!'", "a path without it", "Rename the file or its folder."))
    try:
        read = _open(path, layer, name, encoding)
    except _FAILURES as error:
        raise DataError(
            Issue(
                where=name,
                found=f"a file that cannot be read ({_first_line(error)})",
                expected="a whole vector file",
                fix="Check that it opens in a GIS, and export it again.",
            )
        ) from error

    if isinstance(read, VectorSource):
        if cad_layers is not None:
            raise DataError(Issue(name, "`cad` is given", "a DXF drawing", "Leave `cad` out."))
        return read
    entities, notes = read
    if layer is not None:
        raise DataError(Issue(name, "`layer` is given", "`cad`", "Say by `cad` which layers of the drawing hold what."))
    if cad_layers is None:
        raise DataError(cad.undeclared(entities))
    found = cad.outlines(entities, cad_layers)
    return VectorSource(_geo_frame(found.frame, found.geometry, None, name), name, source_notes=(*notes, *found.notes))


def _open(
    path: Path, layer: str | None, name: str, encoding: str | None
) -> VectorSource | tuple[cad.Drawing, tuple[SourceNote, ...]]:
    if path.suffix.lower() in _PARQUET:
        return _read_parquet(path, layer, name)
    refuse_redirects(path, name)
    dataset, layer = find_dataset(path, layer)
    refuse_cut_off(dataset, name)
    return (
        _read_drawing(dataset, name, encoding)
        if dataset.suffix == ".dxf"
        else _read_gdal(dataset, layer, name, encoding)
    )


def _read_parquet(path: Path, layer: str | None, name: str) -> VectorSource:
    if layer is not None:
        raise DataError(Issue(name, "a layer is named", "none", "A Parquet file has no layers: leave `layer` out."))
    gdf = gpd.read_parquet(path, to_pandas_kwargs={"types_mapper": _NULLABLE.get})
    named = [level is not None for level in gdf.index.names]
    gdf = gdf.reset_index(drop=not any(named))
    geometry = gdf.geometry.to_numpy()
    frame = pd.DataFrame(gdf.drop(columns=gdf.select_dtypes("geometry").columns))
    return VectorSource(_geo_frame(frame, geometry, gdf.crs, name), name, feature_notes=tuple(_heights(geometry)))


def _read_drawing(dataset: Dataset, name: str, encoding: str | None) -> tuple[cad.Drawing, tuple[SourceNote, ...]]:
    """Its entities, and notes about their text; a DXF has no CRS."""
    with drawing_encoding(dataset, name, encoding) as notes:
        meta, table = pyogrio.read_arrow(dataset.address, layer="entities")
        table.validate(full=True)
    column = meta["geometry_name"] or "wkb_geometry"
    geometry, _, unread = _parse(np.asarray(table.column(column).to_numpy(), dtype=object))
    if unread.size:
        geometry, _, unread = _parse(_stored_without_curves(dataset.address, "entities"))
        _refuse_unread(unread, name)
    frame = table.drop_columns([column]).to_pandas()
    lost = account_for_entities(dataset.read(), frame["EntityHandle"].tolist(), name)
    return cad.drawing(frame, shapely.force_2d(geometry), name), (*notes, *lost)


def _read_gdal(dataset: Dataset, layer: str | None, name: str, encoding: str | None) -> VectorSource:
    pyogrio.set_gdal_config_options({"GML_DOWNLOAD_SCHEMA": False})  # a GML file can name its schema by URL
    with _readable(dataset) as (source, table):
        layer = _choose_layer(source.address, layer, name)
        if table is not None:
            stored = read_mapinfo(source, layer, name, encoding, table.named, table.widths)
        elif source.suffix == ".shp":
            stored = read_shapefile(source, layer, name, encoding)
        else:
            stored = read_plain(source, layer, name, encoding)
        column = stored.meta["geometry_name"] or "wkb_geometry"
        frame = stored.table.drop_columns([column]).to_pandas(types_mapper=_NULLABLE.get)
        attributes = _attributes(frame, stored.meta, source)
        refuse_lost_rows(source, layer, len(attributes), len(stored.deleted), name)
        geometry, closed, curved = _parse(np.asarray(stored.table.column(column).to_numpy(), dtype=object))
        if curved.size:  # curves cannot come by Arrow; GDAL turns them into chords on its other way
            geometry, closed, unread = _parse(_stored_without_curves(source.address, layer))
            _refuse_unread(unread, name)
    gdf = _geo_frame(attributes, geometry, stored.meta["crs"], name)
    notes = [*_text_notes(stored), *_heights(geometry)]
    if curved.size:
        notes.append(FeatureNote("curve, turned into chords", tuple(int(i) for i in curved), warning=False))
    return VectorSource(gdf, name, closed, (*stored.notes, *_deleted_notes(stored, name)), tuple(notes))


@contextmanager
def _readable(dataset: Dataset) -> Iterator[tuple[Dataset, mapinfo.MapInfo | None]]:
    """The dataset; of a MapInfo table a copy whose text GDAL leaves alone."""
    if dataset.suffix not in mapinfo.SUFFIXES:
        yield dataset, None
        return
    with mapinfo.as_bytes(dataset) as table:
        yield table.dataset, table


def _text_notes(stored: StoredLayer) -> Iterator[FeatureNote]:
    for column, positions in (stored.cut or {}).items():
        what = f"text of {column} ends in the middle of a character, which is left out"
        yield FeatureNote(what, tuple(int(i) for i in positions))


def _deleted_notes(stored: StoredLayer, name: str) -> Iterator[SourceNote]:
    if stored.deleted:
        records = [f"record {i + 1}" for i in stored.deleted]
        yield SourceNote.of(name, "record marked as deleted in the .dbf, left out", records, warning=False)


def _heights(geometry: npt.NDArray[Any]) -> Iterator[FeatureNote]:
    high = np.flatnonzero(shapely.has_z(geometry))
    if high.size:
        yield FeatureNote("heights are not used", tuple(int(i) for i in high), warning=False)


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


def _attributes(frame: pd.DataFrame, meta: dict[str, Any], dataset: Dataset) -> pd.DataFrame:
    """Attributes without GDAL's row number, which is the ``id`` member of a GeoJSON feature where that is a number."""
    row_ids = meta["fid_column"] or _ROW_IDS
    if (
        list(frame.columns).count(row_ids) > 1
    ):  # GDAL numbered the rows by a property of that name, and kept the property
        return frame.loc[:, ~frame.columns.duplicated()]
    numbers = frame.pop(row_ids) if row_ids in frame else None
    is_member = numbers is not None and not np.array_equal(numbers.to_numpy(), np.arange(len(frame)))
    if is_member and dataset.suffix in JSON and "id" not in frame:
        frame.insert(0, "id", numbers)
    return frame


def _geo_frame(frame: pd.DataFrame, geometry: npt.NDArray[Any], crs: Any, name: str) -> gpd.GeoDataFrame:
    if "geometry" in frame.columns:
        raise DataError(Issue(name, "an attribute called 'geometry'", "another name", "Rename it in the source."))
    flat = shapely.force_2d(geometry)
    return gpd.GeoDataFrame(frame.reset_index(drop=True), geometry=gpd.array.from_shapely(flat), crs=crs)


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


def _first_line(error: BaseException) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:200]
