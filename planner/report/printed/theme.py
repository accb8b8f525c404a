"""What a sheet shows: layers in the order of the legend."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from planner.expressions import evaluate_condition, parse
from planner.report.printed import symbols
from planner.report.printed.drawing import Geometries
from planner.report.printed.job import PrintJob, adding_up
from planner.report.printed.symbols import Symbol

GROUND, LINES, BLOCKS, CONTROL, ON_TOP = 1.0, 3.0, 4.0, 5.0, 6.0
"""What lies over what on the map."""

_CLOSING_MARGIN_M: Final = 0.5
_VILLAGE_GAP_M: Final = 6.0
"""Lanes narrower than twice this run inside a village, not between villages."""


@dataclass(frozen=True)
class Layer:
    """Something on the map and in its legend.

    Attributes
    ----------
    symbol : Symbol
    geometries : numpy.ndarray of object
        In the metric CRS; empty for a line of the legend that has nothing on the map.
    name : str
        In the legend.
    level : float
        What lies over what.
    parcels : int or None
        Shown in the legend where it is known.
    area_mu : float or None
        The same.
    """

    symbol: Symbol | None
    geometries: Geometries
    name: str
    level: float = GROUND
    parcels: int | None = None
    area_mu: float | None = None


@dataclass(frozen=True)
class Theme:
    """A sheet's subject.

    Attributes
    ----------
    key : str
        Name among the sheets.
    layers : tuple of Layer
        In the order of the legend.
    block_names : bool
        Blocks carry their code and area.
    notes : tuple of str
        Said beside the map.
    """

    key: str
    layers: tuple[Layer, ...]
    block_names: bool = False
    notes: tuple[str, ...] = ()


NOTHING: Final[Geometries] = np.array([], dtype=object)


def shapes(frame: gpd.GeoDataFrame) -> Geometries:
    """Geometries of a layer."""
    return np.asarray(frame.geometry.to_numpy(), dtype=object)


def area_layer(
    symbol: Symbol, parcels: gpd.GeoDataFrame, name: str, level: float = GROUND, area_mu: float | None = None
) -> Layer:
    """Parcels with their number and area."""
    total = float(parcels["area_mu"].sum()) if area_mu is None else area_mu
    return Layer(symbol, shapes(parcels), name, level, len(parcels), total)


def sum_layer(job: PrintJob, parts: Sequence[Layer]) -> Layer:
    """Line of the legend with the sum over some layers."""
    return Layer(
        None,
        NOTHING,
        job.word("total"),
        parcels=sum(part.parcels or 0 for part in parts),
        area_mu=round(sum(part.area_mu or 0.0 for part in parts), 1),
    )


def summed(job: PrintJob, parts: Sequence[Layer]) -> list[Layer]:
    """Layers and their sum, rounded so that what is displayed adds up."""
    areas = [part.area_mu or 0.0 for part in parts]
    rounded = adding_up(areas, sum(areas))
    shown = [Layer(p.symbol, p.geometries, p.name, p.level, p.parcels, a) for p, a in zip(parts, rounded, strict=True)]
    return [*shown, sum_layer(job, shown)]


def boundary_layers(job: PrintJob) -> list[Layer]:
    """Administrative lines and circles, those that are known."""
    found = []
    village = job.contents.shown.get("village")
    if village is not None and village.nunique() > 1:
        lines = _village_outlines(job.contents.tables.parcels, village)
        found.append(Layer(symbols.ADMINISTRATIVE, lines, job.word("villages"), LINES))
    zones = job.contents.tables.zones
    if len(zones):
        found.append(Layer(symbols.ZONE, shapes(zones), job.word("zones"), BLOCKS + 0.5))
    return found


def _village_outlines(parcels: gpd.GeoDataFrame, village: pd.Series[Any]) -> Geometries:
    """Where parcels of one village end; lanes between its parcels are closed."""
    names = village.reindex(parcels["parcel_id"]).to_numpy(dtype=object)
    geometries = shapes(parcels)
    known = sorted({str(n) for n in names if n is not None})
    unions = [shapely.union_all(geometries[names == name]) for name in known]
    return _closed(np.array(unions, dtype=object), _VILLAGE_GAP_M)


def rest_layers(job: PrintJob) -> list[Layer]:
    """Land outside the plan: done, reserve, other, excluded; and what the planner has locked."""
    parcels = _without_selected(job)
    done = existing_land(job)
    found = []
    if done is not None:
        rows = parcels[parcels["parcel_id"].isin(done)]
        found.append(area_layer(symbols.EXISTING, rows, job.word("done")))
        parcels = parcels[~parcels["parcel_id"].isin(done)]
    for status, symbol in (
        ("eligible", symbols.RESERVE),
        ("ineligible", symbols.OTHER),
        ("excluded", symbols.EXCLUDED),
    ):
        rows = parcels[parcels["status"] == status]
        if len(rows):
            found.append(area_layer(symbol, rows, job.word(status)))
    return [*found, *_lock_layers(job)]


def _without_selected(job: PrintJob) -> gpd.GeoDataFrame:
    parcels = job.contents.tables.parcels
    return parcels[parcels["status"] != "selected"]


def existing_land(job: PrintJob) -> set[str] | None:
    """Parcels of land that is cleared already; None where nothing is said of it, or fields for it are hidden."""
    expression = job.contents.config.optimise.existing
    if expression is None:
        return None
    fields = pd.DataFrame(job.contents.tables.parcels.drop(columns="geometry"))
    if parse(expression).names - set(fields.columns):
        job.warn(job.word("done_hidden"))
        return None
    return set(fields["parcel_id"][evaluate_condition(expression, fields).fillna(False).to_numpy(dtype=bool)])


def _lock_layers(job: PrintJob) -> list[Layer]:
    parcels = job.contents.tables.parcels
    locked = parcels["locked"].astype(object).where(parcels["locked"].notna(), "")
    found = []
    for name, symbol, rows in (
        ("locked_in", symbols.LOCKED_IN, parcels[(locked != "") & (locked != "out")]),
        ("locked_out", symbols.LOCKED_OUT, parcels[locked == "out"]),
    ):
        if len(rows):
            found.append(area_layer(symbol, rows, job.word(name), ON_TOP))
    return found


_MOST_HOLDOUTS: Final = 0.5
"""Largest share of the plan's parcels that is outlined as hold-outs."""


def holdout_layer(job: PrintJob) -> list[Layer]:
    """Outlines of hold-outs; none, with a word about it, where nearly every parcel of the plan is one.

    Where the targets take all there is, each refusal breaks one: outlines round every parcel would hide the plan.
    """
    holdouts = job.contents.tables.holdouts
    taken = int(job.contents.tables.parcels["block_id"].notna().sum())
    if not len(holdouts):
        return []
    if len(holdouts) > _MOST_HOLDOUTS * taken:
        job.warn(job.word("holdouts_many", f"{len(holdouts):,}", f"{taken:,}"))
        return []
    return [area_layer(symbols.HOLDOUTS, holdouts, job.word("holdouts"), ON_TOP + 1)]


def control_layers(job: PrintJob) -> list[Layer]:
    """Control lines, only outlines; a name each."""
    overlays = job.contents.tables.overlays
    if not len(overlays):
        return []
    names = sorted(overlays["overlay"].astype(str).unique())
    return [
        Layer(symbols.control_symbol(i), shapes(overlays[overlays["overlay"].astype(str) == name]), name, CONTROL)
        for i, name in enumerate(names)
    ]


def barrier_layers(job: PrintJob) -> list[Layer]:
    """Roads, water and other barriers, only outlines."""
    barriers = job.contents.tables.barriers
    if not len(barriers):
        return []
    names = sorted(barriers["name"].astype(str).unique())
    return [
        Layer(
            symbols.barrier_symbol(i),
            shapes(barriers[barriers["name"].astype(str) == name]),
            job.word("barrier", name),
            LINES + 0.5,
        )
        for i, name in enumerate(names)
    ]


def block_outlines(job: PrintJob) -> Layer:
    """Outlines of all blocks, the lanes inside a block closed: else every parcel would look like a block."""
    return Layer(symbols.BLOCK, closed_blocks(job), job.word("block_outline"), BLOCKS)


def closed_blocks(job: PrintJob) -> Geometries:
    """Blocks with the gaps closed that bridged links may cross, in the order of the layer of blocks."""
    gap = job.contents.config.adjacency.bridge_max_m / 2 + _CLOSING_MARGIN_M
    return _closed(shapes(job.contents.tables.blocks), gap)


def _closed(geometries: Geometries, gap_m: float) -> Geometries:
    grown = shapely.buffer(geometries, gap_m, quad_segs=1, join_style="mitre", mitre_limit=2.0)
    shrunk = shapely.buffer(grown, -gap_m, quad_segs=1, join_style="mitre", mitre_limit=2.0)
    return np.asarray(shrunk, dtype=object)


def fabric(job: PrintJob) -> Layer:
    """All parcels without a meaning, as background."""
    return area_layer(symbols.FABRIC, job.contents.tables.parcels, job.word("parcels"), GROUND - 0.5)


def in_legend_order(job: PrintJob, subject: Iterable[Layer]) -> tuple[Layer, ...]:
    """Administrative line, circle, the subject, control lines, roads and water."""
    return (*boundary_layers(job), *subject, *control_layers(job), *barrier_layers(job))
