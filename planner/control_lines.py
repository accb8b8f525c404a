"""Ground of parcels on control lines: what lies on layers that keep land out of every plan."""

from __future__ import annotations

from typing import Final

import geopandas as gpd
import numpy as np
import shapely

from planner.tables import PlanTables

CONTROL_EFFECT: Final = "exclude"
"""Effect of an overlay that is a control line: to lie in a required boundary or on a tagged area is no conflict."""
_BETWEEN: Final = "、"


def control_ground(tables: PlanTables) -> gpd.GeoDataFrame:
    """What ground of which parcel lies on control lines; where several lie on each other it counts once.

    Parameters
    ----------
    tables : PlanTables
        In a metric CRS; `overlaps` and `overlays` are used, and the area of `parcels`.

    Returns
    -------
    geopandas.GeoDataFrame
        A row per parcel with such ground, by ``parcel_id``: ``parcel_id``; ``overlay``, the names of its control lines
        joined by ``、``; ``overlap_m2``, area of the union of its overlaps with them, at most its own; ``share`` of its
        area; geometry, the union.
    """
    overlaps = tables.overlaps
    columns = ["parcel_id", "overlay", "overlap_m2", "share"]
    if not len(overlaps):
        return gpd.GeoDataFrame(columns=columns, geometry=[], crs=tables.parcels.crs)
    lines = tables.overlays.loc[tables.overlays["effect"] == CONTROL_EFFECT, "overlay"].unique()
    mine = overlaps[overlaps["overlay"].isin(lines)].sort_values(["parcel_id", "overlay"], kind="stable")
    groups = mine.groupby("parcel_id", sort=True)
    names = groups["overlay"].agg(lambda found: _BETWEEN.join(sorted({str(name) for name in found})))
    shapes = np.array([shapely.union_all(part.to_numpy()) for _, part in groups[overlaps.geometry.name]], dtype=object)
    whole = tables.parcels.set_index("parcel_id").geometry.reindex(names.index).area.to_numpy()
    area = np.minimum(shapely.area(shapes), whole)
    ground = {"parcel_id": names.index, "overlay": names.to_numpy(), "overlap_m2": area, "share": area / whole}
    return gpd.GeoDataFrame(ground, geometry=shapes, crs=overlaps.crs)[[*columns, "geometry"]]
