"""Where firms go when their land is taken: moves between blocks, and to sites outside."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
import shapely

from planner.report.printed import symbols
from planner.report.printed.drawing import Geometries
from planner.report.printed.job import PrintJob, number, text
from planner.report.printed.theme import (
    NOTHING,
    ON_TOP,
    Layer,
    Theme,
    area_layer,
    block_outlines,
    fabric,
    in_legend_order,
    summed,
)

_FATES: Final = ("kept", "moved", "unplaced", "unknown")
"""From the best to the worst; a parcel shows the worst of what happens to its firms."""

_HEAD_M_PER_M: Final = 0.12
"""Length of an arrow's head as a share of the arrow."""
_MOST_HEAD_M: Final = 40.0


def decanting(job: PrintJob) -> Theme | str:
    """Parcels by what happens to their firms, and arrows to blocks with new space; the reason where there is none."""
    moves = job.contents.modes.get("firm_moves")
    if moves is None or not len(moves):
        return job.word("absent_decanting")
    parcels = job.contents.tables.parcels
    status = _worst(moves)
    parts = []
    for i, fate in enumerate(_FATES):
        rows = parcels[parcels["parcel_id"].isin(status.index[status == fate])]
        if len(rows):
            parts.append(area_layer(symbols.category_symbol(i), rows, job.word(f"fate_{fate}")))
    arrows = _arrows(job, moves)
    subject = [fabric(job), *summed(job, parts), block_outlines(job)]
    if len(arrows):
        subject.append(Layer(symbols.MOVE, arrows, job.word("moves"), ON_TOP))
    return Theme("decanting", in_legend_order(job, subject), block_names=True, notes=tuple(_sites(job)))


def _worst(moves: pd.DataFrame) -> pd.Series[Any]:
    """What happens to the firms of each parcel, by ``parcel_id``."""
    rank = moves["status"].map({fate: rank for rank, fate in enumerate(_FATES)})
    worst = rank.groupby(moves["parcel_id"].astype(str)).max()
    return worst.map(dict(enumerate(_FATES)))


def _arrows(job: PrintJob, moves: pd.DataFrame) -> Geometries:
    """One arrow from each block to each block that takes its firms in."""
    blocks = job.contents.tables.blocks
    middle = dict(zip(blocks["block_id"], shapely.centroid(blocks.geometry.to_numpy()), strict=True))
    own = moves[moves["site"].isin(set(blocks["block_id"])) & moves["block_id"].isin(set(blocks["block_id"]))]
    pairs = sorted({(str(a), str(b)) for a, b in zip(own["block_id"], own["site"], strict=True) if a != b})
    found = [_arrow(shapely.get_coordinates(middle[a])[0], shapely.get_coordinates(middle[b])[0]) for a, b in pairs]
    return np.array(found, dtype=object) if found else NOTHING


def _arrow(start: Any, end: Any) -> Any:
    way = end - start
    length = float(np.hypot(*way))
    if length == 0.0:
        return shapely.LineString([start, end])
    ahead = way / length
    across = np.array([-ahead[1], ahead[0]])
    head = min(_MOST_HEAD_M, _HEAD_M_PER_M * length)
    wings = [end - head * ahead + side * head * 0.5 * across for side in (1, -1)]
    return shapely.MultiLineString([[start, end], [wings[0], end], [wings[1], end]])


def _sites(job: PrintJob) -> list[str]:
    """What the sites take, as far as it is known."""
    sites = job.contents.modes.get("decant_sites")
    if sites is None:
        return []
    outside = sites[sites["site_kind"] == "outside"]
    return [
        job.word("site", text(row["site"]), number(row["used_m2"], 0), number(row["capacity_m2"], 0))
        for _, row in outside.iterrows()
    ]
