"""What a planner should know about the data before trusting a plan, ordered by the land it concerns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.errors import SHOWN_IDS
from geodata.notes import SourceNote
from geodata.units import M2_PER_MU
from planner.land import Land


@dataclass(frozen=True)
class QualityRow:
    """One finding about the data.

    Attributes
    ----------
    what : str
        In words.
    count : int
        Parcels (or rows, where `what` says so) concerned.
    area_mu : float or None
        Their measured area; None where they are not parcels of the plan.
    parcel_ids : tuple of str
        All of them (or codes, rows, as `what` says).
    to_fix : bool
        True: the plan is worse or less certain for it, so look at it before planning. False: worth knowing.
    """

    what: str
    count: int
    area_mu: float | None
    parcel_ids: tuple[str, ...]
    to_fix: bool = True


def data_quality(land: Land, undecided: Mapping[str, list[str]]) -> list[QualityRow]:
    """All findings: those to fix before those worth knowing, and of each those on the most land first."""
    area = land.fields["area_mu"]
    rows = [
        *_repairs(land, area),
        *_joins(land, area),
        *_zones(land, area),
        *_unknown_fields(land, area),
        *_negatives(land, area),
    ]
    rows += [_note_row(note, area) for note in land.notes]
    rows += [_row(f"{what}: cannot be decided for lack of a value", ids, area) for what, ids in undecided.items()]
    cut = land.adjacency.cut
    for reason, text in (
        ("barrier", "pairs cut by a barrier"),
        ("short", "pairs that touch too little to be adjacent"),
    ):
        mine = cut[cut["reason"] == reason]
        if len(mine):
            rows.append(QualityRow(text, len(mine), None, tuple(mine["parcel_a"]), to_fix=False))
    return in_order(rows)


def as_dicts(rows: Iterable[QualityRow]) -> list[dict[str, Any]]:
    """For ``summary.json``: of the parcels only the first few."""
    return [asdict(r) | {"parcel_ids": list(r.parcel_ids[:SHOWN_IDS])} for r in rows]


def in_order(rows: Iterable[QualityRow]) -> list[QualityRow]:
    """To fix first, then by land, number and name."""
    return sorted(rows, key=lambda r: (not r.to_fix, -(r.area_mu or 0.0), -r.count, r.what))


def quality_layer(rows: Iterable[QualityRow], parcels: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """A row per finding and parcel that is on the map, with a point in the parcel; see `planner.tables`.

    Parameters
    ----------
    rows : iterable of QualityRow
    parcels : geopandas.GeoDataFrame
        Indexed by ``parcel_id``, in the metric CRS.
    """
    pairs = [(row, i) for row in rows if row.area_mu is not None for i in row.parcel_ids if i in parcels.index]
    place = parcels.index.get_indexer([i for _, i in pairs])
    shapes = np.asarray(parcels.geometry.to_numpy(), dtype=object)[place]
    values = {
        "finding": [row.what for row, _ in pairs],
        "to_fix": np.array([row.to_fix for row, _ in pairs], dtype=bool),
        "parcel_id": [i for _, i in pairs],
        "area_mu": shapely.area(shapes) / M2_PER_MU,
    }
    points = shapely.point_on_surface(shapes)
    return gpd.GeoDataFrame(values, geometry=gpd.GeoSeries(points, crs=parcels.crs), crs=parcels.crs)


def _row(what: str, ids: Iterable[str], area: pd.Series[Any], *, to_fix: bool = True) -> QualityRow:
    names = [str(i) for i in ids]
    known = [i for i in names if i in area.index]
    return QualityRow(what, len(names), float(area.loc[known].sum()) if known else None, tuple(names), to_fix)


def _note_row(note: SourceNote, area: pd.Series[Any]) -> QualityRow:
    """What was noticed while a source was read or joined."""
    what = f"{note.source}: {note.what}"
    if note.are_parcels:
        return _row(what, note.items, area, to_fix=note.warning)
    return QualityRow(what, note.count, None, note.items, note.warning)


def _repairs(land: Land, area: pd.Series[Any]) -> Iterator[QualityRow]:
    log = land.repaired.log
    for (issue, action), part in log.groupby(["issue", "action"], sort=True):
        ids = part["parcel_id"].drop_duplicates()
        yield _row(f"geometry: {issue}, {str(action).replace('_', ' ')}", ids, area, to_fix=action != "kept")
    if land.repaired.heights_left_out:
        yield QualityRow(
            "parcels with heights; heights are not used", land.repaired.heights_left_out, None, (), to_fix=False
        )


def _joins(land: Land, area: pd.Series[Any]) -> Iterator[QualityRow]:
    for report in land.raw.join_reports:
        listed = {
            "without the key of the table": report.parcels_without_key,
            "without a row in the table": report.parcels_without_row,
            "sharing one key, so that each gets the same row": report.parcels_sharing_key,
        }
        for name, ids in report.partly_unknown_sums.items():
            listed[f"sum of {name} over partly unknown rows"] = ids
        for name, ids in report.ties.items():
            listed[f"{name}: several rows with the largest value disagree, the first was taken"] = ids
        for text, ids in listed.items():
            if ids:
                yield _row(f"{report.source}: {text}", ids, area)
        if report.lookalike_keys:
            keys = report.lookalike_keys
            what = f"{report.source}: keys that would be a parcel's but for spaces or full-width characters"
            yield QualityRow(what, len(keys), None, tuple(str(k) for k in keys))
        if report.keys_without_parcel:
            keys = report.keys_without_parcel
            yield QualityRow(f"{report.source}: keys (rows) without a parcel", len(keys), None, keys)


def _zones(land: Land, area: pd.Series[Any]) -> Iterator[QualityRow]:
    if land.zones is None:
        return
    if land.zones.none:
        yield _row("in no zone", land.zones.none, area)
    for text, table in (("equal shares in several zones", land.zones.ties), ("across zones", land.zones.straddling)):
        if len(table):
            yield _row(text, table["parcel_id"].drop_duplicates(), area)


def _negatives(land: Land, area: pd.Series[Any]) -> Iterator[QualityRow]:
    """Negative values are kept: a loss is one, a negative area is not."""
    for note in land.raw.notes:
        if note.n_negative:
            below = land.fields[note.field] < 0
            ids = below.index[below.fillna(False).to_numpy(dtype=bool)]
            yield _row(f"field {note.field}: values below zero", ids, area)


def _unknown_fields(land: Land, area: pd.Series[Any]) -> Iterator[QualityRow]:
    for name in land.fields.columns:
        unknown = land.fields[name].isna()
        if unknown.any() and name != "zone":
            yield _row(f"field {name} unknown", land.fields.index[unknown], area, to_fix=False)
