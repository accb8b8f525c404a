"""What becomes of every vector file of the real data: read to so many features, or refused with which words."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from geodata.spec_source import CadSpec, SourceSpec

SUFFIXES: Final = frozenset({".shp", ".json", ".geojson", ".topojson", ".gpkg", ".parquet", ".dxf"})
_PARTS: Final = CadSpec(polygons="1PARCELLE", ids="3PARCELLETEX")


@dataclass(frozen=True)
class RealFile:
    """One way to read one file.

    Attributes
    ----------
    path : str
        Below the folder of the real data.
    expected : int or str
        Features, or the start of what is found wrong with it.
    options : dict
        Keys of its declaration besides `path`.
    noted : tuple of str
        Words that its notes hold, one note each.
    """

    path: str
    expected: int | str
    options: dict[str, Any] = field(default_factory=dict)
    noted: tuple[str, ...] = ()

    def spec(self, folder: Path) -> SourceSpec:
        """Its declaration."""
        return SourceSpec(path=folder / self.path, **self.options)

    def __str__(self) -> str:
        options = ", ".join(f"{key} {_shown(value)}" for key, value in self.options.items())
        return f"{self.path} ({options})" if options else self.path


REAL_FILES: Final = (
    RealFile("cambridge_fy13/ASSESSING_ParcelsFY2013.topojson", "no coordinate reference system"),
    RealFile("cambridge_fy13/ASSESSING_ParcelsFY2013.topojson", 13_159, {"crs": "EPSG:4326"}),
    RealFile("messy/bd09/eddiehe99_441900.geojson", 32, noted=("ring not closed in the file, closed",)),
    RealFile("messy/dxf/1870000A02.DXF", "a drawing with the layers 1LIEUDIT (2 closed outlines, 0 texts), 1PARCELLE"),
    RealFile("messy/dxf/1870000A02.DXF", "no coordinate reference system", {"cad": _PARTS}),
    RealFile(
        "messy/dxf/1870000A02.DXF",
        47,
        {"crs": "EPSG:2154", "cad": _PARTS},
        ("attribute text is CP1252", "entity on another layer, not read"),
    ),
    RealFile("messy/dxf/1870000C05.DXF", "a drawing with the layers 1LIEUDIT (1 closed outline, 0 texts), 1PARCELLE"),
    RealFile(
        "messy/dxf/1870000C05.DXF",
        4,
        {"crs": "EPSG:2154", "cad": _PARTS},
        ("outline without a text inside, named after its handle", "outline with several texts (3 in all)"),
    ),
    RealFile(
        "messy/dxf/1870000C05.DXF",
        2,
        {"crs": "EPSG:2154", "cad": _PARTS.model_copy(update={"unnumbered": "drop"})},
        ("outline without a text inside, left out", "outline with several texts (3 in all)"),
    ),
    RealFile(
        "messy/dxf/1870000C05.DXF",
        "2 outlines without a text of layer 3PARCELLETEX inside: 49c5, 49fd",
        {"crs": "EPSG:2154", "cad": _PARTS.model_copy(update={"unnumbered": "refuse"})},
    ),
    RealFile("messy/gbk/chongqing_shp/区县界_area.shp", 38, noted=("attribute text is GB18030, as the header",)),
    RealFile("messy/gbk/shanghai_shp/区县界_area.shp", 17, noted=("attribute text is GB18030, as the header",)),
    RealFile("messy/gbk/shanghai_shp/区县界_area.shp", "text that is not utf-8", {"encoding": "utf-8"}),
    RealFile("messy/gbk/shenzhen_noprj/sz.shp", "no coordinate reference system"),
    RealFile("messy/gbk/shenzhen_noprj/sz.shp", 10, {"crs": "EPSG:4490"}),
    RealFile("messy/gbk/shenzhen_noprj/sz_districts.json", 10),
    RealFile("messy/gdal/buggymultipoly.shp", "no geometry in any feature"),
    RealFile("messy/gdal/emptyshapefilewithsbn.shp", "no features"),
    RealFile("messy/gdal/extentnan.shp", "no features"),
    RealFile("messy/gdal/mixed_shape_type_non_conformant.shp", "no coordinate reference system"),
    RealFile("messy/gdal/mixed_shape_type_non_conformant.shp", 6, {"crs": "EPSG:4326"}),
    RealFile("messy/gdal/multipatch.shp", "geometry of a kind that is not flat land", {"crs": "EPSG:32650"}),
    RealFile("messy/gdal/slightly_overlapping_polygons.shp", "no coordinate reference system"),
    RealFile("messy/gdal/slightly_overlapping_polygons.shp", 1, {"crs": "EPSG:32650"}),
    RealFile("messy/gdal/testpoly.shp", "no coordinate reference system"),
    RealFile("messy/gdal/testpoly.shp", 14, {"crs": "EPSG:32650"}),
    RealFile("seoul_gangnam/Parcels.shp", 235),
    RealFile("swellendam/farms_33S.shp", 2008),
    RealFile("swellendam/roads_33S.shp", 345),
    RealFile("swellendam/water_33S.shp", 6),
    RealFile("veneto/thiene_cluster.gpkg", "no layer 'parcels'; expected one of thiene_cluster", {"layer": "parcels"}),
    RealFile("veneto/thiene_cluster.gpkg", 7952),
    RealFile("veneto/veneto_PD_56559.parquet", 56_559),
)


def real_files_markdown() -> str:
    """The cases as a Markdown table."""
    rows = ["| file | declared | result | noted |", "|---|---|---|---|"]
    for case in REAL_FILES:
        declared = ", ".join(f"`{key}: {_shown(value)}`" for key, value in case.options.items())
        result = f"{case.expected} features" if isinstance(case.expected, int) else f"refused: {case.expected} …"
        rows.append(f"| `{case.path}` | {declared} | {result} | {'; '.join(case.noted)} |")
    return "\n".join(rows) + "\n"


def _shown(value: object) -> str:
    if not isinstance(value, CadSpec):
        return str(value)
    keys = {key: text for key, text in value.model_dump(exclude_defaults=True).items() if text is not None}
    return "{" + ", ".join(f"{key}: {text}" for key, text in keys.items()) + "}"
