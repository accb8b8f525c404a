"""Whether a vector file is whole and holds its data itself.

GDAL forgives much in silence: a cut-off shapefile loses geometries, a damaged GeoPackage loses rows, a small file can
point to a server.
"""

from __future__ import annotations

import json
import re
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pyogrio

from geodata.dataset import Dataset
from geodata.errors import DataError, Issue

JSON: Final = frozenset({".json", ".geojson", ".topojson"})
_REDIRECTS: Final = (
    b"<OGRVRTDataSource",
    b"<VRTDataset",
    b"<OGRWFSDataSource",
    b"<OGRCSWDataSource",
    b"gdal_streamed_alg",
)
_DXF_END: Final = b"EOF"
_MIF_DATA: Final = re.compile(rb"(?im)^[ \t]*data[ \t]*\r?$")
_MIF_OBJECT: Final = re.compile(
    rb"(?im)^[ \t]*(?:none|point|line|pline|region|arc|text|rect|roundrect|ellipse|multipoint)\b"
)
_MIF_COLLECTION: Final = re.compile(rb"(?im)^[ \t]*collection\b")


def refuse_part_of_shapefile(path: Path) -> None:
    """A ``.dbf`` that is named instead of its ``.shp`` opens too, as a table or with its geometry, as GDAL pleases."""
    if path.suffix.lower() in {".dbf", ".shx", ".prj", ".cpg"}:
        raise DataError(
            Issue(path.name, "one part of a shapefile", f"{path.stem}.shp", "Name the .shp; the parts lie beside it.")
        )


def refuse_redirects(path: Path, name: str) -> None:
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


def refuse_cut_off(dataset: Dataset, name: str) -> None:
    """GDAL reads what is left of a truncated .shp or .gpkg; the header says how long the file should be."""
    if dataset.suffix == ".dxf" and _DXF_END not in dataset.read()[-64:]:
        raise DataError(Issue(name, "no end of file mark", "EOF in the last line", "It is cut off: copy it again."))
    expected = {".shp": _shapefile_size, ".gpkg": _sqlite_size}.get(dataset.suffix)
    if expected is None:
        return
    header, size = dataset.read(100), dataset.size()
    whole = expected(header) if len(header) == 100 else 100
    if size < whole:
        raise DataError(Issue(name, f"{size} bytes", f"{whole} bytes, by its header", "It is cut off: copy it again."))


def _shapefile_size(header: bytes) -> int:
    return int(2 * struct.unpack(">i", header[24:28])[0])


def _sqlite_size(header: bytes) -> int:
    """Page size × pages; 0 where the count is not kept up to date."""
    (page,), (pages,) = struct.unpack(">H", header[16:18]), struct.unpack(">I", header[28:32])
    return int(page if page > 1 else 65536) * int(pages) if header[24:28] == header[92:96] else 0


def refuse_lost_rows(dataset: Dataset, layer: str | None, n: int, deleted: int, name: str) -> None:
    """GDAL leaves out what it does not understand.

    Parameters
    ----------
    dataset, layer
        What was read.
    n : int
        Features that came out of it.
    deleted : int
        Records that the file itself marks as deleted.
    name : str
        For the message.
    """
    if dataset.suffix in JSON:
        expected = _count_json(dataset, layer)
    else:
        expected = int(pyogrio.read_info(dataset.address, layer=layer, encoding="ISO-8859-1")["features"]) - deleted
    if dataset.suffix == ".shp":  # GDAL believes the header of the .shx
        expected = max(expected, _count_shapefile(dataset) - deleted)
    if dataset.suffix == ".mif":  # GDAL stops at the first feature that it does not understand, also when it counts
        expected = max(expected, _count_mif(dataset))
    if 0 <= n < expected:
        raise DataError(
            Issue(
                where=name,
                found=f"{n} features could be read",
                expected=f"{expected}, by the file's own count",
                fix="The file is damaged: copy or export it again.",
            )
        )


def _count_shapefile(dataset: Dataset) -> int:
    """Records by the header of the .dbf; without one, by the length of the .shx."""
    dbf, shx = dataset.part(".dbf"), dataset.part(".shx")
    if dbf is not None and len(dbf) >= 8:
        return int(struct.unpack("<I", dbf[4:8])[0])
    return 0 if shx is None else (len(shx) - 100) // 8


def _count_mif(dataset: Dataset) -> int:
    """Features of a MapInfo exchange file: lines of its .mid, or objects of the .mif where those are more."""
    lines = sum(bool(line.strip()) for line in (dataset.part(".mid") or b"").split(b"\n"))
    objects = _MIF_DATA.split(dataset.read(), maxsplit=1)[-1]
    collected = _MIF_COLLECTION.search(objects) is not None  # its parts look like objects
    return max(lines, 0 if collected else len(_MIF_OBJECT.findall(objects)))


def _count_json(dataset: Dataset, layer: str | None) -> int:
    """Features of a GeoJSON or TopoJSON file; -1 for another kind of JSON."""
    try:
        document = json.loads(dataset.read().decode("utf-8-sig", errors="replace"), strict=False)
    except ValueError:  # GDAL is laxer than the standard still
        return -1
    match document:
        case {"type": "FeatureCollection", "features": list(features)}:
            return len(features)
        case {"type": "Topology", "objects": dict(objects)}:
            return len(objects.get(layer, {}).get("geometries", []))
        case _:
            return -1
