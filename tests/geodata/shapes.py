"""Small shapes and real layers for the tests of the geometry stages."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely
from hypothesis import strategies as st
from shapely.geometry.base import BaseGeometry

CRS = "EPSG:32650"


def frame(shapes: Mapping[str, BaseGeometry | None]) -> gpd.GeoDataFrame:
    index = pd.Index(list(shapes), name="parcel_id", dtype=object)
    return gpd.GeoDataFrame(
        {"owner": [f"of {i}" for i in shapes]}, geometry=list(shapes.values()), index=index, crs=CRS
    )


def box(x: float, y: float, width: float, height: float) -> BaseGeometry:
    return shapely.box(x, y, x + width, y + height)


@st.composite
def walls(draw: st.DrawFn) -> list[BaseGeometry]:
    """Rows of rectangles side by side, as bricks in a wall: a coverage with T-junctions."""
    shapes = []
    y = 0.0
    for _ in range(draw(st.integers(1, 4))):
        height = draw(st.integers(8, 40))
        x = 0.0
        for _ in range(draw(st.integers(1, 5))):
            width = draw(st.integers(8, 60))
            shapes.append(box(500_000 + x, 2_500_000 + y, width, height))
            x += width
        y += height
    return shapes


def jittered(shape: BaseGeometry, seed: int) -> BaseGeometry:
    rng = np.random.default_rng(seed)
    ring = shapely.get_coordinates(shape)[:-1]
    return shapely.Polygon(ring + rng.uniform(-0.015, 0.015, ring.shape))


def with_ids(parcels: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    return parcels.set_axis(pd.Index([f"{k:05d}" for k in range(len(parcels))], name="parcel_id", dtype=object), axis=0)


def cambridge(folder: Path) -> gpd.GeoDataFrame:
    parcels = pyogrio.read_dataframe(folder / "ASSESSING_ParcelsFY2013.topojson")
    return parcels.set_crs(4326, allow_override=True).to_crs(26986)
