"""Layers beside the parcels: barriers and roads of a sketch, warped to their place."""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd

from geodata.synthetic.land import CRS
from geodata.synthetic.layout import Sketch, Warp, to_lines, to_millimetres, to_polygons
from geodata.synthetic.polygons import Ring


def barrier_layer(barriers: Sequence[tuple[str, Ring]], warp: Warp) -> gpd.GeoDataFrame:
    """``name`` and polygon of each barrier."""
    shapes = to_millimetres(to_polygons([ring for _, ring in barriers], warp))
    return gpd.GeoDataFrame({"name": [name for name, _ in barriers]}, geometry=list(shapes), crs=CRS)


def road_layer(sketch: Sketch, warp: Warp) -> gpd.GeoDataFrame:
    """``kind``, ``width_m`` and centre line of each street."""
    lines = to_lines([road.line for road in sketch.roads], warp)
    columns = {"kind": [r.kind for r in sketch.roads], "width_m": [round(r.width_m, 1) for r in sketch.roads]}
    return gpd.GeoDataFrame(columns, geometry=list(lines), crs=CRS)
