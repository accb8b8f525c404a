"""Which firms stay, and where those that must leave go and when."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
import pandas as pd

from planner.modes.decant import own_decant_floor, own_standing, site_standing
from planner.modes.firm_units import UNIT_COLUMNS, check_units, firm_units, split_parcel, typed_units
from planner.modes.space import by_mode
from planner.modes.terms import Timetable
from planner.modes.timetable import TIME_TOLERANCE
from planner.problem import Block, Bools, Floats, Ints
from planner.spec_modes import DecantSpec, ModesSpec

MOVE_COLUMNS: Final = (
    "unit",
    "parcel_id",
    "block_id",
    "status",
    "firms",
    "large",
    "floor_m2",
    "leaves",
    "year",
    "site",
    "site_kind",
    "for_good",
    "distance_m",
)
"""Columns of `Moves.table`."""
SITE_COLUMNS: Final = ("site", "site_kind", "stands", "permanent", "capacity_m2", "used_m2", "free_m2")
"""Columns of `Moves.sites`."""


class Assigned(Protocol):
    """Answer of `Assign`: firms of each unit by site and without a place, and how sure that is."""

    @property
    def moved(self) -> Ints: ...  # noqa: D102
    @property
    def unplaced(self) -> Ints: ...  # noqa: D102
    @property
    def missing_m2(self) -> float: ...  # noqa: D102
    @property
    def missing_bound_m2(self) -> float: ...  # noqa: D102
    @property
    def status(self) -> str: ...  # noqa: D102


class Assign(Protocol):
    """What finds the places: `planner.optimise.assign.assign`, with its time limit set."""

    def __call__(  # noqa: D102
        self,
        *,
        floor_m2: Floats,
        count: Ints,
        leaves: Floats,
        stay: Bools,
        large: Bools,
        capacity_m2: Floats,
        stands: Floats,
        permanent: Bools,
        distance_m: Floats,
    ) -> Assigned: ...


@dataclass(frozen=True, eq=False)
class Moves:
    """Firms and their places.

    Attributes
    ----------
    table : pandas.DataFrame
        `MOVE_COLUMNS`, a row for firms of one unit that share a fate: ``status`` is 'kept' (they stay where they are),
        'moved' (once, to `site`), 'unplaced' (they must leave and find no room) or 'unknown' (they must leave, but
        their floor area or the share of it is unknown). ``firms`` is NA where their number is unknown; ``leaves`` is
        the time, ``year`` the year it lies in; ``distance_m`` NaN where unknown.
    sites : pandas.DataFrame
        `SITE_COLUMNS`; ``site_kind`` is 'outside' or 'own' (decant floor of a block of the plan, named by it).
    missing_m2, missing_bound_m2 : float
        Floor area without a place, and what it is at least.
    status : str
        'optimal' or 'feasible', as the assignment says.
    """

    table: pd.DataFrame
    sites: pd.DataFrame
    missing_m2: float
    missing_bound_m2: float
    status: str


def firm_moves(
    modes: ModesSpec,
    fields: pd.DataFrame,
    timetable: Timetable,
    blocks: Sequence[Block],
    block_ids: Sequence[str],
    new_floor_m2: Floats,
    assign: Assign,
    *,
    units: pd.DataFrame | None = None,
    points: pd.DataFrame | None = None,
) -> Moves | None:
    """Where the firms of a plan go.

    Of a parcel in a block the share ``displaces`` of its floor area must leave: small firms before large ones, and
    before those that move once only; the last one may leave with a part of its floor area, so that the sum is that
    of the rule on decanting. Sites are those outside and the decant floor area of the plan's own blocks; each firm goes
    to one that stands when it leaves, those that move once only to one where they can stay.

    Parameters
    ----------
    modes : ModesSpec
    fields : pandas.DataFrame
        By parcel id in the order of the problem, with `area_mu` and the figures.
    timetable : Timetable
    blocks, block_ids
        The plan and the names of its blocks.
    new_floor_m2 : float64[n, M]
        NaN where unknown; offers no space then.
    assign : Assign
    units : pandas.DataFrame, optional
        `UNIT_COLUMNS`, such as single firms of a table; else `firm_units`.
    points : pandas.DataFrame, optional
        ``x_m`` and ``y_m`` of a point in each parcel, by parcel id: distances to own blocks are those to the centre of
        their parcels' points, weighted by area. Distances to sites outside are unknown.

    Returns
    -------
    Moves or None
        None without a section `decant`.

    Raises
    ------
    DataError
        Units of parcels that do not exist, with names that are not their own, or with negative numbers.
    """
    if modes.decant is None:
        return None
    units = firm_units(modes, fields, {}) if units is None else typed_units(units)
    check_units(units, fields)
    parts = _parts(modes, modes.decant, fields, timetable, blocks, block_ids, units)
    sites = _sites(modes, modes.decant, fields, timetable, blocks, block_ids, new_floor_m2)
    going = parts[parts["status"] == "moved"].reset_index(drop=True)
    count = going["firms"].fillna(1).clip(lower=1).to_numpy(dtype=np.int64)
    distance = _distances(fields, blocks, block_ids, points, going, sites)
    answer = assign(
        floor_m2=going["floor_m2"].to_numpy(dtype=np.float64) / count,
        count=count,
        leaves=going["leaves"].to_numpy(dtype=np.float64),
        stay=going["once"].to_numpy(dtype=np.bool_),
        large=going["large"].fillna(False).to_numpy(dtype=np.bool_),
        capacity_m2=sites["capacity_m2"].to_numpy(dtype=np.float64),
        stands=sites["stands"].to_numpy(dtype=np.float64),
        permanent=sites["permanent"].to_numpy(dtype=np.bool_),
        distance_m=distance,
    )
    floor = going["floor_m2"].to_numpy(dtype=np.float64) / count
    used = answer.moved.T @ floor
    table = _table([parts[parts["status"] != "moved"], _placed(going, floor, sites, distance, answer)])
    sites = sites.assign(used_m2=used, free_m2=sites["capacity_m2"] - used)
    return Moves(table, sites[list(SITE_COLUMNS)], answer.missing_m2, answer.missing_bound_m2, answer.status)


def _parts(
    modes: ModesSpec,
    spec: DecantSpec,
    fields: pd.DataFrame,
    timetable: Timetable,
    blocks: Sequence[Block],
    block_ids: Sequence[str],
    units: pd.DataFrame,
) -> pd.DataFrame:
    """Firms with what happens to them, but for the place: 'moved' stands for all that must leave."""
    displaces = by_mode(modes, "displaces", fields)
    ids = fields.index.astype(str)
    block_of = {ids[i]: (name, block, i) for name, block in zip(block_ids, blocks, strict=True) for i in block.parcels}
    rows: list[dict[str, Any]] = []
    for parcel, mine in units.groupby("parcel_id", sort=True):
        if parcel not in block_of:
            rows += [row | {"leaves": np.nan} for row in split_parcel(mine, 0.0)]
            continue
        name, block, i = block_of[str(parcel)]
        time = timetable.time(block.phase, block.mode, spec.at)
        for row in split_parcel(mine, float(displaces[i, block.mode])):
            rows.append(row | {"block_id": name, "leaves": np.nan if row["status"] == "kept" else time})
    return pd.DataFrame(rows, columns=[*UNIT_COLUMNS, "block_id", "status", "leaves"])


def _sites(
    modes: ModesSpec,
    spec: DecantSpec,
    fields: pd.DataFrame,
    timetable: Timetable,
    blocks: Sequence[Block],
    block_ids: Sequence[str],
    new_floor_m2: Floats,
) -> pd.DataFrame:
    """Space for displaced firms: outside, and in blocks of the plan that ever stand."""
    own, standing = own_decant_floor(modes, fields, new_floor_m2), own_standing(spec, timetable)
    rows: list[tuple[Any, ...]] = [
        (s.name, "outside", time, s.permanent, s.floor_m2)
        for s, time in zip(spec.sites, site_standing(spec).tolist(), strict=True)
    ]
    for name, block in zip(block_ids, blocks, strict=True):
        floor, time = float(np.nansum(own[list(block.parcels), block.mode])), float(standing[block.phase, block.mode])
        if floor > 0 and not np.isnan(time):
            rows.append((name, "own", time, True, floor))
    table = pd.DataFrame(rows, columns=list(SITE_COLUMNS[:5]))
    table = table.astype({"stands": "float64", "permanent": "bool", "capacity_m2": "float64"})
    return table.sort_values(["site_kind", "site"], ignore_index=True)


def _distances(
    fields: pd.DataFrame,
    blocks: Sequence[Block],
    block_ids: Sequence[str],
    points: pd.DataFrame | None,
    going: pd.DataFrame,
    sites: pd.DataFrame,
) -> Floats:
    """From each unit to each site, m; NaN where unknown."""
    distance = np.full((len(going), len(sites)), np.nan)
    if points is None:
        return distance
    at = points.set_axis(points.index.astype(str))[["x_m", "y_m"]].reindex(fields.index.astype(str)).to_numpy(float)
    area = fields["area_mu"].to_numpy(dtype=np.float64)
    row = {parcel: i for i, parcel in enumerate(fields.index.astype(str))}
    start = at[[row[p] for p in going["parcel_id"]]]
    centre = {
        name: np.average(at[list(b.parcels)], axis=0, weights=area[list(b.parcels)])
        for name, b in zip(block_ids, blocks, strict=True)
    }
    for s, (name, kind) in enumerate(zip(sites["site"], sites["site_kind"], strict=True)):
        if kind == "own":
            distance[:, s] = np.hypot(*(start - centre[name]).T)
    return distance


def _placed(
    going: pd.DataFrame, floor: Floats, sites: pd.DataFrame, distance: Floats, answer: Assigned
) -> pd.DataFrame:
    """A row for each unit and site that takes some of it, and for what finds no place."""
    columns = [*MOVE_COLUMNS]
    units, places = np.nonzero(answer.moved)
    left = np.flatnonzero(answer.unplaced)
    number = np.concatenate([answer.moved[units, places], answer.unplaced[left]])
    table = going.iloc[np.concatenate([units, left])].reset_index(drop=True)
    as_one = (table["firms"].isna() | (table["firms"] == 0)).to_numpy(dtype=bool)
    table = table.assign(
        status=["moved"] * len(units) + ["unplaced"] * len(left),
        firms=table["firms"].where(as_one, pd.array(number, dtype="Int64")),
        floor_m2=number * floor[np.concatenate([units, left])],
        site=_or_none(sites["site"].iloc[places], len(left)),
        site_kind=_or_none(sites["site_kind"].iloc[places], len(left)),
        for_good=_or_none(sites["permanent"].iloc[places], len(left)),
        distance_m=np.concatenate([distance[units, places], np.full(len(left), np.nan)]),
    )
    return table.reindex(columns=columns)


def _or_none(values: pd.Series[Any], none: int) -> np.ndarray[Any, Any]:
    """Values, and after them `none` times nothing."""
    found: list[Any] = values.tolist()
    return np.array([*found, *[None] * none], dtype=object)


def _table(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """All rows in a fixed order, with the types of their columns."""
    texts = ("unit", "parcel_id", "block_id", "status", "site", "site_kind")
    rows = [row for part in parts for row in part.reindex(columns=list(MOVE_COLUMNS)).to_dict("records")]
    table = pd.DataFrame(rows, columns=list(MOVE_COLUMNS), dtype=object)
    for name in texts:
        table[name] = table[name].where(table[name].notna(), None)
    year = [pd.NA if pd.isna(t) else math.ceil(t - TIME_TOLERANCE) for t in table["leaves"]]
    table = table.assign(year=pd.array(year, dtype="Int64"))
    kinds = {"firms": "Int64", "large": "boolean", "for_good": "boolean"}
    table = table.astype(kinds | dict.fromkeys(("floor_m2", "leaves", "distance_m"), "float64"))
    return table.sort_values(
        ["parcel_id", "unit", "status", "site_kind", "site"], ignore_index=True, na_position="last"
    )
