"""What a planner should know about the data before trusting a plan, ordered by the land it concerns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from geodata.errors import SHOWN_IDS
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
        The first few of them.
    """

    what: str
    count: int
    area_mu: float | None
    parcel_ids: tuple[str, ...]


def data_quality(land: Land, undecided: Mapping[str, list[str]]) -> list[QualityRow]:
    """All findings, those on the most land first."""
    area = land.fields["area_mu"]
    rows = [*_repairs(land, area), *_joins(land, area), *_zones(land, area), *_unknown_fields(land, area)]
    rows += [_row(f"{what}: cannot be decided for lack of a value", ids, area) for what, ids in undecided.items()]
    if land.raw.closed_rings:
        rows.append(_row("ring not closed in the file, closed", land.raw.closed_rings, area))
    cut = land.adjacency.cut
    for reason, text in (
        ("barrier", "pairs cut by a barrier"),
        ("short", "pairs that touch too little to be adjacent"),
    ):
        mine = cut[cut["reason"] == reason]
        if len(mine):
            rows.append(QualityRow(text, len(mine), None, tuple(mine["parcel_a"].head(SHOWN_IDS))))
    return sorted(rows, key=lambda r: (-(r.area_mu or 0.0), r.what))


def as_dicts(rows: Iterable[QualityRow]) -> list[dict[str, Any]]:
    """For ``summary.json``."""
    return [asdict(r) | {"parcel_ids": list(r.parcel_ids)} for r in rows]


def _row(what: str, ids: Iterable[str], area: pd.Series[Any]) -> QualityRow:
    names = [str(i) for i in ids]
    known = [i for i in names if i in area.index]
    return QualityRow(what, len(names), float(area.loc[known].sum()) if known else None, tuple(names[:SHOWN_IDS]))


def _repairs(land: Land, area: pd.Series[Any]) -> Iterator[QualityRow]:
    log = land.repaired.log
    for (issue, action), part in log.groupby(["issue", "action"], sort=True):
        yield _row(f"geometry: {issue}, {str(action).replace('_', ' ')}", part["parcel_id"].drop_duplicates(), area)
    if land.repaired.heights_left_out:
        yield QualityRow("parcels with heights; heights are not used", land.repaired.heights_left_out, None, ())


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
        if report.keys_without_parcel:
            keys = report.keys_without_parcel
            yield QualityRow(f"{report.source}: keys (rows) without a parcel", len(keys), None, keys[:SHOWN_IDS])


def _zones(land: Land, area: pd.Series[Any]) -> Iterator[QualityRow]:
    if land.zones is None:
        return
    if land.zones.none:
        yield _row("in no zone", land.zones.none, area)
    for text, table in (("equal shares in several zones", land.zones.ties), ("across zones", land.zones.straddling)):
        if len(table):
            yield _row(text, table["parcel_id"].drop_duplicates(), area)


def _unknown_fields(land: Land, area: pd.Series[Any]) -> Iterator[QualityRow]:
    for name in land.fields.columns:
        unknown = land.fields[name].isna()
        if unknown.any() and name != "zone":
            yield _row(f"field {name} unknown", land.fields.index[unknown], area)
