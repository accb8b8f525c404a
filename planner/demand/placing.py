"""Projects put into blocks, and why each other one is not: in figures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
import pandas as pd

from planner.demand.judge import Judged
from planner.demand.words import shown
from planner.modes.timetable import TIME_TOLERANCE
from planner.problem import Bools, Floats, Ints

STATUSES: Final = ("matched", "in place", "barred", "below threshold", "not ranked", "no site")
"""What can become of a project."""
_ROUNDING: Final = 1e-6
"""Land and frontage that two figures may differ by and still be the same."""


class Found(Protocol):
    """What a match is, see `planner.optimise.match.Match`."""

    @property
    def block(self) -> Ints:
        """Index of each project's block, -1 = none."""

    @property
    def worth(self) -> float:
        """Sum of the worth of all that are matched."""

    @property
    def bound(self) -> float:
        """No match is worth more."""

    @property
    def status(self) -> str:
        """``optimal`` or ``feasible``."""

    @property
    def settled(self) -> bool:
        """The further aims are proven too."""


class Matching(Protocol):
    """What finds the match: `planner.optimise.match.match` with its limits given."""

    def __call__(
        self,
        *,
        worth: Floats,
        site: Floats,
        frontage: Floats,
        allowed: Bools,
        land: Floats,
        front: Floats,
        waiting: Floats,
    ) -> Found:
        """The match of projects to blocks that is worth most."""


@dataclass(frozen=True)
class Placed:
    """What becomes of every project.

    Attributes
    ----------
    table : pandas.DataFrame
        By ``project_id``: ``status`` (one of `STATUSES`), ``block_id`` (None without), ``reason`` (empty where
        matched).
    worth, bound : float
        Worth of all that are matched, and the most that any match is worth.
    status : str
        ``optimal`` or ``feasible``.
    settled : bool
        The further aims are proven too.
    """

    table: pd.DataFrame
    worth: float
    bound: float
    status: str
    settled: bool


def place(judged: Judged, supply: pd.DataFrame, find: Matching) -> Placed:
    """Match the projects that may have land to the blocks.

    Parameters
    ----------
    judged : Judged
    supply : pandas.DataFrame
        As `planner.demand.supply.block_supply` gives it.
    find : Matching
    """
    settled, reasons = _before(judged)
    seeking = np.flatnonzero((settled == "").to_numpy())
    projects = judged.projects.iloc[seeking]
    blocks = supply[supply["supplied_at"].notna()].reset_index(drop=True)
    since = blocks["supplied_at"].to_numpy(dtype=np.float64)
    by = projects["by_year"].to_numpy(dtype=np.float64, na_value=np.inf)
    begins = projects["from_year"].to_numpy(dtype=np.float64, na_value=np.nan) - 1.0
    begins = np.where(np.isnan(begins), since.min(initial=np.inf), begins)  # at once: the earliest supply suits best
    in_time = since[None, :] <= by[:, None] + TIME_TOLERANCE
    room = _Room(
        site=projects["site_mu"].to_numpy(dtype=np.float64),
        frontage=projects["frontage_m"].to_numpy(dtype=np.float64, na_value=0.0),
        in_time=in_time,
        land=blocks["site_mu"].to_numpy(dtype=np.float64),
        front=blocks["frontage_m"].fillna(0.0).to_numpy(dtype=np.float64),
        names=tuple(blocks["block_id"]),
        years=tuple(blocks["supplied_year"]),
        unknown_front=tuple(blocks["frontage_unknown_parcels"]),
    )
    worth = judged.verdicts["worth"].iloc[seeking].to_numpy(dtype=np.float64)
    found = find(
        worth=worth,
        site=room.site,
        frontage=room.frontage,
        allowed=in_time,
        land=room.land,
        front=room.front,
        waiting=np.abs(since[None, :] - begins[:, None]),
    )
    table = pd.DataFrame({"status": settled, "block_id": None, "reason": reasons}, dtype=object)
    ids = list(projects.index)
    for k, at in enumerate(seeking.tolist()):
        b = int(found.block[k])
        if b >= 0:
            table.iloc[at] = ["matched", room.names[b], ""]
        else:
            why = _why_not(k, room, found.block, ids, projects["by_year"].iloc[k], found.status == "optimal")
            table.iloc[at] = ["no site", None, why]
    return Placed(table, found.worth, found.bound, found.status, found.settled)


def _before(judged: Judged) -> tuple[pd.Series[Any], pd.Series[Any]]:
    """Status and reason of the projects that look for no block; an empty status where one does."""
    verdicts, projects = judged.verdicts, judged.projects
    status = pd.Series("", index=projects.index, dtype=object)
    reason = pd.Series("", index=projects.index, dtype=object)
    site, worth = projects["site_mu"], verdicts["worth"]
    below = worth.fillna(0) < 0
    for name, mask, why in (
        ("in place", (site == 0).fillna(False), "needs no site"),
        ("not ranked", site.isna(), "its site is unknown: it cannot be placed"),
        ("not ranked", worth.isna() & (site != 0).fillna(True), "its worth is unknown: it cannot be ranked"),
        ("not ranked", below & (site != 0).fillna(True), "its worth is below 0"),
        ("below threshold", verdicts["below"], "below threshold: " + verdicts["below_by"]),
        ("barred", verdicts["barred"], "barred: " + verdicts["barred_by"]),
    ):
        hit = mask.astype(bool)
        status, reason = status.mask(hit, name), reason.mask(hit, why)
    return status, reason


@dataclass(frozen=True, eq=False)
class _Room:
    """Needs of the projects that look for a block, and what the blocks have."""

    site: Floats
    frontage: Floats
    in_time: Bools
    land: Floats
    front: Floats
    names: tuple[str, ...]
    years: tuple[int, ...]
    unknown_front: tuple[int, ...]


def _why_not(k: int, room: _Room, block: Ints, ids: Sequence[str], by_year: Any, proven: bool) -> str:
    """Why a project has no block."""
    by = "" if pd.isna(by_year) else f" by {shown(by_year).replace(',', '')}"
    need, front = room.site[k], room.frontage[k]
    if not len(room.names):
        return "no block of the plan is supplied"
    in_time = room.in_time[k]
    if not in_time.any():
        return f"no block is supplied{by}: the first is in {min(room.years)}"
    large = in_time & (room.land >= need - _ROUNDING)
    if not large.any():
        most = int(np.argmax(np.where(in_time, room.land, -math.inf)))
        return (
            f"no block supplied{by} has {shown(need)} mu to let: the largest, {room.names[most]}, has "
            f"{shown(_cut(room.land[most]))}"
        )
    fits = large & (room.front >= front - _ROUNDING)
    if not fits.any():
        most = int(np.argmax(np.where(large, room.front, -math.inf)))
        unknown = room.unknown_front[most]
        beside = f" and {unknown} parcels of unknown frontage" if unknown else ""
        return (
            f"no block supplied{by} with {shown(need)} mu to let has {shown(front)} m of frontage: the longest, "
            f"{room.names[most]}, has {shown(_cut(room.front[most]))}{beside}"
        )
    return _taken(room, block, ids, fits, need, front, proven)


def _taken(room: _Room, block: Ints, ids: Sequence[str], fits: Bools, need: float, front: float, proven: bool) -> str:
    """What is left in the blocks that would do, and who has the rest."""
    left, left_front = room.land.copy(), room.front.copy()
    for j in np.flatnonzero(block >= 0):
        left[block[j]] -= room.site[j]
        left_front[block[j]] -= room.frontage[j]
    enough = fits & (left >= need - _ROUNDING)
    if enough.any():
        best = int(np.argmax(np.where(enough, left_front, -math.inf)))
        what = f"{shown(_cut(left_front[best]))} m of frontage left of the {shown(front)} m needed"
    else:
        best = int(np.argmax(np.where(fits, left, -math.inf)))
        what = f"{shown(_cut(left[best]))} mu left of the {shown(need)} mu needed"
    mine = [ids[j] for j in np.flatnonzero(block == best).tolist()]
    others = "projects together worth as much or more" if proven else "other projects, as far as was searched"
    count = int(fits.sum())
    which = "the one block that would do is" if count == 1 else f"the {count} blocks that would do are"
    return f"{which} let to {others}: {room.names[best]} has most left, {what} (let to {', '.join(mine)})"


def _cut(value: float) -> float:
    """Rounded down to two decimals, so that no figure looks as large as what it falls short of."""
    return math.floor(value * 100 + _ROUNDING) / 100
