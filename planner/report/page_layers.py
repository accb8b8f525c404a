"""Layers of the page besides the plan itself: red lines, hold-outs, left-over land, barriers, links."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely

from planner.control_lines import control_ground
from planner.report.encode import AREAL, LINEAR, encode_lines, encode_polygons, table
from planner.tables import LINK_COLUMNS, PlanTables

Place = Callable[[gpd.GeoDataFrame], gpd.GeoDataFrame]
"""Puts a layer into the degrees that the map is drawn in."""

_HOLDOUTS: Final = ("parcel_id", "block_id", "area_mu", "lost_mu", "worth_lost", "breaks", "kind")
_LEFTOVERS: Final = ("leftover_id", "area_mu", "n_parcels", "blocks", "enclosed_share")


def page_layers(tables: PlanTables, shown: npt.NDArray[np.bool_], place: Place) -> dict[str, Any]:
    """Tables of the further layers by name.

    Parameters
    ----------
    tables : PlanTables
        The plan, in a metric CRS.
    shown : array of bool
        Which parcels the page holds; links and overlaps of the others are left out.
    place : callable
        Puts a layer into the degrees that the map is drawn in.
    """
    ids = tables.parcels.loc[shown, "parcel_id"]
    links, ground = tables.links, control_ground(tables)
    if not shown.all():
        links = links[links["used"].astype(bool)]
        ground = ground[ground["parcel_id"].isin(ids)]
    links = place(links)
    return {
        "links": table(links, [*LINK_COLUMNS, "used"], encode_lines(links.geometry.values)),
        **_split("barrier", place(tables.barriers), ["name"]),
        **_split("overlay", place(tables.overlays), ["overlay", "effect"]),
        "overlaps": _areas(place(ground), ["parcel_id", "overlay", "overlap_m2", "share"]),
        "holdouts": _areas(place(tables.holdouts), _HOLDOUTS),
        "leftovers": _areas(place(tables.leftovers), _LEFTOVERS),
    }


def _areas(frame: gpd.GeoDataFrame, names: Sequence[str]) -> dict[str, Any]:
    return table(frame, names, encode_polygons(frame.geometry.values))


def _split(name: str, frame: gpd.GeoDataFrame, names: Sequence[str]) -> dict[str, Any]:
    """Features of areas and of lines, apart."""
    kinds = shapely.get_type_id(frame.geometry.values)
    areas, lines = frame[np.isin(kinds, AREAL)], frame[np.isin(kinds, LINEAR)]
    return {
        f"{name}_areas": table(areas, names, encode_polygons(areas.geometry.values)),
        f"{name}_lines": table(lines, names, encode_lines(lines.geometry.values)),
    }
