"""How blocks are drawn so that they can be told apart: an outline across lanes, and a hatch beside a like neighbour."""

from __future__ import annotations

from typing import Any, Final

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from planner.tables import PlanTables

HATCHES: Final = 4
"""Kinds of hatch, the first of which is none."""
NEAR_M: Final = 40.0
"""Blocks of one phase closer than this, m, are hatched differently: a road between them does not tell them apart."""
_LEAST_M2: Final = 1.0
_BARRIER_WIDTH_M: Final = 1.0

Shapes = npt.NDArray[np.object_]


def block_outlines(tables: PlanTables) -> Shapes:
    """Each block with the lanes that its bridged links cross: one figure where there would be many.

    Closed by the widest gap that the block bridges; land of parcels that are not in the block, and barriers, stay out.

    Parameters
    ----------
    tables : PlanTables
        The plan, in a metric CRS.

    Returns
    -------
    array of shapely geometry
        One per block, in the order of ``blocks``; the block's own geometry where it bridges nothing.
    """
    outlines = np.array(tables.blocks.geometry.to_numpy(), dtype=object)
    reach = _reach(tables)
    bridging = np.flatnonzero(reach > 0)
    if not len(bridging):
        return outlines
    own = outlines[bridging]
    grown = shapely.buffer(own, reach[bridging], join_style="mitre", mitre_limit=2.0)
    closed = shapely.buffer(grown, -reach[bridging], join_style="mitre", mitre_limit=2.0)
    lanes = _without(shapely.difference(closed, own), _obstacles(tables))
    outlines[bridging] = shapely.union(own, np.array([_large(lane) for lane in lanes], dtype=object))
    return outlines


def block_hatches(blocks: gpd.GeoDataFrame, outlines: Shapes) -> npt.NDArray[np.int64]:
    """A hatch, 0 to `HATCHES` − 1, for each block: another one than those of near blocks of its phase.

    Blocks are taken in turn, those with most neighbours first, and get the hatch that fewest of their neighbours have:
    0 (none) wherever possible.
    """
    phase = blocks["phase"].to_numpy(dtype=float, na_value=np.nan)
    left, right = shapely.STRtree(outlines).query(outlines, predicate="dwithin", distance=NEAR_M)
    alike = (left != right) & (phase[left] == phase[right])
    neighbours: list[list[int]] = [[] for _ in outlines]
    for a, b in zip(left[alike].tolist(), right[alike].tolist(), strict=True):
        neighbours[a].append(b)
    hatch = np.full(len(outlines), -1, dtype=np.int64)
    for k in sorted(range(len(outlines)), key=lambda k: (-len(neighbours[k]), k)):
        taken = hatch[neighbours[k]]
        hatch[k] = np.bincount(taken[taken >= 0], minlength=HATCHES).argmin()
    return hatch


def _reach(tables: PlanTables) -> npt.NDArray[np.float64]:
    """Half of the widest gap that each block bridges, m, with a little to spare; 0 where it bridges none."""
    used = tables.links[tables.links["used"].astype(bool)]
    block_of = tables.parcels.set_index("parcel_id")["block_id"]
    widest = pd.Series(used["gap_m"].to_numpy(dtype=float)).groupby(block_of.reindex(used["parcel_a"]).to_numpy()).max()
    found = widest.reindex(tables.blocks["block_id"]).to_numpy(dtype=float)
    return np.where(np.isfinite(found), found / 2 * 1.02 + 0.05, 0.0)


def _obstacles(tables: PlanTables) -> Shapes:
    """What no lane is made of: all parcels, and barriers."""
    barriers = np.array(tables.barriers.geometry.to_numpy(), dtype=object)
    wide = shapely.buffer(barriers, np.where(shapely.get_dimensions(barriers) == 2, 0.0, _BARRIER_WIDTH_M))
    return np.concatenate([np.array(tables.parcels.geometry.to_numpy(), dtype=object), wide])


def _without(shapes: Shapes, obstacles: Shapes) -> Shapes:
    at, obstacle = shapely.STRtree(obstacles).query(shapes, predicate="intersects")
    result = shapes.copy()
    for k in np.unique(at):
        result[k] = shapely.difference(shapes[k], shapely.union_all(obstacles[obstacle[at == k]]))
    return result


def _large(shape: Any) -> Any:
    """The areal parts that can be seen."""
    parts = shapely.get_parts(shape)
    return shapely.union_all(parts[(shapely.get_dimensions(parts) == 2) & (shapely.area(parts) >= _LEAST_M2)])
