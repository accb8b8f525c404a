"""Small whole datasets cut from the real ones, in every format, each with the mutations that suit it."""

from __future__ import annotations

import io
import json
import re
import sqlite3
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio

from geodata.boundary_txt import write_boundary_txt
from geodata.read import read_vector
from geodata.repair import repair
from geodata.spec import RepairSpec
from geodata.spec_source import CadSpec
from tests.geodata import fuzz_mutations as fm
from tests.geodata.fuzz_mutations import Files, Named, Rule

ROWS: Final = 50
"""Parcels of a dataset that was cut from a larger one."""
_TRIGGERS: Final = "SELECT name FROM sqlite_master WHERE type = 'trigger'"


@dataclass(frozen=True)
class Sample:
    """A dataset to be spoilt.

    Attributes
    ----------
    name : str
        For messages.
    files : dict of str to bytes
        Name (with folders) → content.
    main : str
        The file, or folder, that a user names.
    mutations : tuple of Named
        What is done to it.
    options : dict
        Keys of its declaration besides `path`.
    count : callable, optional
        Rows that spoilt files hold by their lines, where a cut line end is as good as none.
    """

    name: str
    files: Files
    main: str
    mutations: tuple[Named, ...]
    options: dict[str, Any] = field(default_factory=dict)
    count: Callable[[Files], int] | None = None

    @property
    def is_table(self) -> bool:
        """A table without geometry."""
        return self.main.endswith((".csv", ".xlsx"))

    def write(self, folder: Path, files: Files | None = None) -> Path:
        """Write it, or what has become of its files; the path that a user names."""
        for name, raw in (self.files if files is None else files).items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(raw)
        return folder / self.main


def corpus(shared: Callable[[str], Path]) -> list[Sample]:
    """All samples, in a fixed order."""
    with tempfile.TemporaryDirectory() as folder:
        return list(_samples(shared, Path(folder)))


def _samples(shared: Callable[[str], Path], folder: Path) -> Iterator[Sample]:
    shapes = [("shanghai", shared("messy/gbk/shanghai_shp/区县界_area.shp"), {})]
    shapes += [("shenzhen", shared("messy/gbk/shenzhen_noprj/sz.shp"), {"crs": "EPSG:4490"})]
    shapes += [("testpoly", shared("messy/gdal/testpoly.shp"), {"crs": "EPSG:32650"})]
    seoul = gpd.read_file(shared("seoul_gangnam/Parcels.shp"), rows=20)
    seoul.to_file(folder / "seoul.shp", engine="pyogrio", encoding="cp949")
    shapes += [("seoul", folder / "seoul.shp", {})]
    yield from (Sample(n, _parts(p), p.name, _SHAPEFILE, options) for n, p, options in shapes)
    yield _zipped(shapes[0][1])
    towns = _first_features(shared("messy/bd09/eddiehe99_441900.geojson"), 2)
    yield Sample("towns", {"towns.geojson": towns}, "towns.geojson", _GEOJSON)
    districts = _first_features(shared("messy/gbk/shenzhen_noprj/sz_districts.json"), 5)
    yield Sample("districts", {"districts.json": districts}, "districts.json", _GEOJSON)
    topology = _cut_topology(shared("cambridge_fy13/ASSESSING_ParcelsFY2013.topojson"))
    yield Sample("cambridge", {"c.topojson": topology}, "c.topojson", _TOPOJSON, {"crs": "EPSG:4326"})
    patches = gpd.read_file(shared("veneto/thiene_cluster.gpkg"), rows=ROWS)
    yield _written(patches, folder / "t.gpkg", "GPKG", _GPKG, SPATIAL_INDEX="NO")
    yield _written(patches, folder / "t.fgb", "FlatGeobuf", _PLAIN)
    yield _written(patches, folder / "t.mif", "MapInfo File", _PLAIN)
    yield _written(patches, folder / "t.gdb", "OpenFileGDB", _PLAIN)
    patches.to_parquet(folder / "t.parquet")
    yield Sample("t.parquet", {"t.parquet": (folder / "t.parquet").read_bytes()}, "t.parquet", _PARQUET)
    drawing = shared("messy/dxf/1870000C05.DXF")
    parts = CadSpec(polygons="1PARCELLE", ids="3PARCELLETEX")
    yield Sample("drawing", {"d.dxf": drawing.read_bytes()}, "d.dxf", _DXF, {"crs": "EPSG:2154", "cad": parts})
    yield _boundary_text(shared("messy/gbk/shenzhen_noprj/sz.shp"), folder)
    yield from _tables(shared("cambridge_fy13/TaxFY13.csv"), folder)


def _parts(path: Path) -> Files:
    return {p.name: p.read_bytes() for p in sorted(path.parent.glob(f"{path.stem}.*")) if p.suffix != ".xml"}


def _zipped(path: Path) -> Sample:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, raw in _parts(path).items():
            archive.writestr(name, raw)
    return Sample("zip", {"z.zip": packed.getvalue()}, "z.zip", _ZIP)


def _first_features(path: Path, count: int) -> bytes:
    document = json.loads(path.read_text(encoding="utf-8"))
    return json.dumps(document | {"features": document["features"][:count]}, ensure_ascii=False).encode()


def _cut_topology(path: Path) -> bytes:
    """The first parcels and the arcs that they use."""
    document = json.loads(path.read_text(encoding="utf-8"))
    (name,) = document["objects"]
    geometries = document["objects"][name]["geometries"][:ROWS]
    used: dict[int, int] = {}

    def renumbered(arcs: Any) -> Any:
        if isinstance(arcs, list):
            return [renumbered(a) for a in arcs]
        at = used.setdefault(arcs if arcs >= 0 else ~arcs, len(used))
        return at if arcs >= 0 else ~at

    for geometry in geometries:
        geometry["arcs"] = renumbered(geometry["arcs"])
    arcs = [document["arcs"][k] for k in used]
    cut = document | {"objects": {name: {"type": "GeometryCollection", "geometries": geometries}}, "arcs": arcs}
    return json.dumps(cut).encode()


def _written(gdf: gpd.GeoDataFrame, path: Path, driver: str, mutations: tuple[Named, ...], **options: str) -> Sample:
    pyogrio.write_dataframe(gdf, path, driver=driver, **options)
    inside = sorted(path.rglob("*")) if path.is_dir() else [path]
    if driver == "MapInfo File":
        inside.append(path.with_suffix(".mid"))
    files = {p.relative_to(path.parent).as_posix(): p.read_bytes() for p in inside}
    return Sample(path.name, files, path.name, mutations)


def _boundary_text(path: Path, folder: Path) -> Sample:
    """Valid parcels in a zone of CGCS2000 as a coordinate TXT."""
    land = read_vector(path, crs="EPSG:4490").to_crs("EPSG:4547")
    land = land.set_axis(pd.Index([f"SZ{k:02d}" for k in range(len(land))], name="parcel_id"))
    land = repair(land, RepairSpec()).parcels
    land.geometry = land.simplify(1_000)
    write_boundary_txt(land.reset_index(), folder / "p.txt", id_column="parcel_id")
    return Sample("txt", {"p.txt": (folder / "p.txt").read_bytes()}, "p.txt", _TEXT, count=_headers)


def _headers(files: Files) -> int:
    """Parcels of a coordinate TXT: lines that end in @."""
    (raw,) = files.values()
    return sum(line.strip().endswith(b"@") for line in re.split(rb"[\r\n]", raw))


def _lines(files: Files) -> int:
    """Rows of a CSV: lines that hold more than delimiters, but for the first."""
    (raw,) = files.values()
    return sum(bool(line.strip(b'," \t')) for line in re.split(rb"[\r\n]", raw)) - 1


def _tables(path: Path, folder: Path) -> Iterator[Sample]:
    raw = b"".join(path.read_bytes().splitlines(keepends=True)[: ROWS + 1])
    yield Sample("csv", {"t.csv": raw}, "t.csv", _CSV, count=_lines)
    frame = pd.read_csv(io.BytesIO(raw), dtype=str)
    chinese = frame.set_axis([f"栏{k}" for k in range(len(frame.columns))], axis="columns")
    text = chinese.assign(栏2="宗地").to_csv(index=False, lineterminator="\r\n")
    yield Sample("gbk.csv", {"gbk.csv": text.encode("gb18030")}, "gbk.csv", _CSV, count=_lines)
    pd.read_csv(io.BytesIO(raw)).head(20).to_excel(folder / "t.xlsx", index=False)
    yield Sample("xlsx", {"t.xlsx": (folder / "t.xlsx").read_bytes()}, "t.xlsx", _XLSX)


def _in_blobs(files: Files, rng: np.random.Generator) -> tuple[Files, Rule]:
    """Coordinates in the geometry column of a GeoPackage."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.gpkg"
        path.write_bytes(files["t.gpkg"])
        with sqlite3.connect(path) as database:
            for (trigger,) in database.execute(_TRIGGERS).fetchall():
                database.execute(f'DROP TRIGGER "{trigger}"')
            row = int(rng.integers(1, ROWS + 1))
            (blob,) = database.execute("SELECT geom FROM t WHERE rowid = ?", (row,)).fetchone()
            begin = 8 + (0, 32, 48, 48, 64)[(blob[3] >> 1) & 7]
            spoilt = blob[:begin] + fm.in_well_known_binary(blob[begin:], rng)
            database.execute("UPDATE t SET geom = ? WHERE rowid = ?", (spoilt, row))
        database.close()
        return files | {"t.gpkg": path.read_bytes()}, "same"


def _in_column(files: Files, rng: np.random.Generator) -> tuple[Files, Rule]:
    """Coordinates in the geometry column of a GeoParquet."""
    table = pq.read_table(pa.BufferReader(files["t.parquet"]))
    column = table.column_names.index("geometry")
    blobs = table.column(column).to_pylist()
    row = int(rng.integers(0, len(blobs)))
    blobs[row] = fm.in_well_known_binary(blobs[row], rng)
    return _parquet(table.set_column(column, "geometry", pa.array(blobs, pa.binary()))), "same"


def _in_footer(files: Files, rng: np.random.Generator) -> tuple[Files, Rule]:
    """The description of the geometry in the footer of a GeoParquet."""
    table = pq.read_table(pa.BufferReader(files["t.parquet"]))
    spoilt, _ = fm.InJson()({"geo": table.schema.metadata[b"geo"]}, rng)
    return _parquet(table.replace_schema_metadata(table.schema.metadata | {b"geo": spoilt["geo"]})), "same"


def _parquet(table: pa.Table) -> Files:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    return {"t.parquet": sink.getvalue().to_pybytes()}


def _tail(files: Files, rng: np.random.Generator) -> tuple[Files, Rule]:
    """Bytes at the end of a file, where Parquet has its footer."""
    (name,) = files
    raw = bytearray(files[name])
    for _ in range(3):
        raw[-int(rng.integers(1, 600))] = int(rng.integers(0, 256))
    return files | {name: bytes(raw)}, "loss"


_BYTES = Named("bytes", fm.InBytes())
_HEADER = Named("header", fm.InBytes(first=128))
_PLAIN = (_BYTES, _HEADER)
_SHAPEFILE = (
    Named(".shp header", fm.InBytes((".shp",), first=100)),
    Named(".shx header", fm.InBytes((".shx",), first=100)),
    Named(".dbf header", fm.InBytes((".dbf",), first=200)),
    Named(".shp and .shx bytes", fm.InBytes((".shp", ".shx"))),
    Named("other bytes", fm.InBytes((".dbf", ".prj", ".cpg"))),
    Named("coordinates", fm.in_shapes),
    Named("attribute bytes", fm.in_attributes),
    Named("deleted records", fm.deleted_records),
    Named("a part is missing", fm.without_part),
)
_ZIP = (_BYTES, Named("members", fm.in_members))
_GEOJSON = (_BYTES, Named("tokens", fm.InJson()), Named("tokens of features", fm.InJson("features")))
_TOPOJSON = (_BYTES, Named("tokens", fm.InJson()), Named("arcs", fm.InJson("arcs")))
_GPKG = (_BYTES, _HEADER, Named("pages", fm.in_pages), Named("coordinates", _in_blobs))
_PARQUET = (_BYTES, Named("footer bytes", _tail), Named("coordinates", _in_column), Named("footer", _in_footer))
_DXF = (_BYTES, Named("group codes", fm.in_group_codes))
_TEXT = (_BYTES, Named("lines", fm.in_lines))
_CSV = (_BYTES, Named("cells", fm.in_cells), Named("quoting", fm.in_quoting), Named("lines", fm.in_lines))
_XLSX = (_BYTES, Named("parts", fm.in_members))
