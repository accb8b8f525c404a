"""What a user declares about one vector source: where it is, and what its file does not say of itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from geodata.spec_base import Spec


class DatabaseSpec(Spec):
    """A PostGIS table or query. The password comes from the environment, never from a file."""

    host: str = Field(default="localhost", description="Server.")
    port: Annotated[int, Field(ge=1, le=65535)] = Field(default=5432, description="Its port.")
    database: str = Field(min_length=1, description="Database.")
    user: str | None = Field(default=None, description="User; that of the environment when absent (PGUSER).")
    password_env: str = Field(
        default="PGPASSWORD",
        pattern=r"^[A-Za-z_][A-Za-z0-9_]*$",
        description="Environment variable that holds the password (the password itself never stands in a file).",
    )
    table: str | None = Field(default=None, description="Table or view, with its schema where needed: public.parcels.")
    query: str | None = Field(default=None, description="A SELECT instead of a table.")
    geometry: str = Field(default="geom", description="Column of the geometry.")

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.table is None) == (self.query is None):
            raise ValueError("give either `table` or `query`, not both and not neither")
        return self


class CadSpec(Spec):
    """Which layers of a DXF drawing hold parcels and their numbers."""

    polygons: str = Field(description="Layer of the outlines: closed polylines; open ones are listed and left out.")
    ids: str | None = Field(
        default=None, description="Layer of the texts; the text inside an outline becomes its attribute `text`."
    )
    unnumbered: Literal["name", "drop", "refuse"] = Field(
        default="name",
        description="An outline without a text inside is named after its handle in the drawing, left out, or an error; "
        "listed either way.",
    )


class SimilaritySpec(Spec):
    """Four parameters from a local plane grid to a known plane CRS (四参数).

    E = dx_m + (1 + scale_ppm·10⁻⁶)·(x·cos r − y·sin r), N = dy_m + (1 + scale_ppm·10⁻⁶)·(x·sin r + y·cos r), with
    r = `rotation_s` in seconds of arc, counter-clockwise, x east and y north.
    """

    to: str = Field(description="The CRS it leads to, projected: EPSG:4547, say.")
    dx_m: float = Field(description="Shift to the east, m.")
    dy_m: float = Field(description="Shift to the north, m.")
    rotation_s: float = Field(default=0.0, description="Rotation, seconds of arc, counter-clockwise.")
    scale_ppm: float = Field(default=0.0, description="Scale, parts per million.")


class SourceSpec(Spec):
    """One vector layer: a file or a database, and what must be known to read it rightly."""

    path: Path | None = Field(
        default=None,
        description="Vector file, relative to the config file: Shapefile, GeoPackage, FileGDB, GeoJSON, FlatGeobuf, "
        "GeoParquet, DXF, coordinate TXT; a .zip of one is read in place.",
    )
    database: DatabaseSpec | None = Field(default=None, description="A PostGIS table instead of `path`.")
    layer: str | None = Field(default=None, description="Layer, for files that hold several.")
    encoding: str | None = Field(
        default=None,
        description="Encoding of the attribute text (gb18030, utf-8 …) where the file does not say it or says it "
        "wrongly; found out and reported when absent.",
    )
    cad: CadSpec | None = Field(default=None, description="For DXF: which layers hold what.")
    crs: str | None = Field(
        default=None,
        description="CRS of the coordinates, only where the file does not say it, e.g. EPSG:4490; `auto` = the one "
        "CGCS2000 system that the coordinates themselves point to, refused where several fit.",
    )
    axes: Literal["xy", "yx"] = Field(
        default="xy", description="yx = the file holds north before east (or latitude before longitude): swapped."
    )
    shifted: Literal["GCJ-02", "BD-09"] | None = Field(
        default=None, description="The coordinates are those of a Chinese web map; they are turned into true ones."
    )
    towgs84: tuple[float, ...] | None = Field(
        default=None,
        description="Datum shift of the CRS to CGCS2000/WGS 84 where none is published (Xi'an 80, Beijing 54): 3 or 7 "
        "parameters dx, dy, dz in m, rx, ry, rz in seconds of arc (position vector), scale in ppm.",
    )
    similarity: SimilaritySpec | None = Field(
        default=None, description="Four parameters of a local grid, instead of `crs`."
    )

    @model_validator(mode="after")
    def _source_keys_agree(self) -> Self:
        if self.path is not None and self.database is not None:
            raise ValueError("give either `path` or `database`, not both")
        if self.towgs84 is not None and len(self.towgs84) not in (3, 7):
            raise ValueError(f"`towgs84` has {len(self.towgs84)} parameters, not 3 or 7")
        if self.similarity is not None and (self.crs is not None or self.towgs84 is not None or self.shifted):
            raise ValueError("`similarity` says where the grid lies: leave out `crs`, `towgs84` and `shifted`")
        if self.shifted is not None and self.towgs84 is not None:
            raise ValueError("`shifted` and `towgs84` exclude each other")
        return self

    @property
    def has_source(self) -> bool:
        """Whether a file or a database is named."""
        return self.path is not None or self.database is not None
