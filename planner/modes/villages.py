"""What a plan means to each village: land, new floor, money of its collective, jobs and firms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Final

import numpy as np
import pandas as pd

from planner.modes.space import known_sums, new_space, parcel_space
from planner.problem import Block, Floats, Ints
from planner.spec_modes import ModesSpec

FATES: Final = {"kept": "kept", "moved": "moved", "unplaced": "lost", "unknown": "unknown"}
"""What happens to firms, as in `planner.modes.moves.Moves` → its name here: those without a place are lost."""
_SPACE: Final = ("jobs", "collective_income_yuan")


def village_table(
    modes: ModesSpec,
    fields: pd.DataFrame,
    village: pd.Series[Any],
    blocks: Sequence[Block],
    block_ids: Sequence[str],
    phase_ids: Sequence[str],
    payments: pd.DataFrame,
    moves: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """The plan by village.

    Money of the collectives is what `payments` pay to them and what they pay, over all years. A block in several
    villages is shared by the area of its land in each, to the cent: what is left over by rounding down goes cent by
    cent to the largest remainders, the first by name where they are equal. Land of no village has a row of its own.

    Parameters
    ----------
    modes : ModesSpec
    fields : pandas.DataFrame
        By parcel id in the order of the problem, with `area_mu` and the figures.
    village : pandas.Series
        Name by parcel, in the same order; missing = none.
    blocks, block_ids
        The plan and the names of its blocks.
    phase_ids : sequence of str
        Names of the phases.
    payments : pandas.DataFrame
        ``block_id``, ``payer``, ``payee``, ``amount_cents`` (whole cents) and more.
    moves : pandas.DataFrame, optional
        `planner.modes.moves.Moves.table`.

    Returns
    -------
    pandas.DataFrame
        By name, land of none last: ``village`` (None = none), ``area_mu`` in all, ``taken_mu``, ``taken_mu_<phase>``,
        ``new_floor_m2`` with ``new_floor_unknown_parcels``, ``collective_received_yuan``, ``collective_paid_yuan``,
        ``collective_net_yuan``; ``before_`` and ``after_`` + ``jobs`` and ``collective_income_yuan`` of all land of the
        village, sums of what is known, with ``…_unknown_parcels`` and ``…_unknown_mu`` beside. With `moves`:
        ``firms_`` and ``large_firms_`` + ``kept``, ``moved``, ``lost``, ``unknown``, numbers that are known, and
        ``firms_unnumbered``, ``large_firms_unnumbered``: entries whose number of firms, or of large ones, is unknown.
    """
    names = sorted({str(v) for v in village.dropna()})
    number = {name: k for k, name in enumerate(names)}
    of = np.array([len(names) if pd.isna(v) else number[str(v)] for v in village], dtype=np.int64)
    area = fields["area_mu"].to_numpy(dtype=np.float64)
    space = parcel_space(modes, fields, blocks)[[f"{when}_{f}" for f in _SPACE for when in ("before", "after")]]
    phase, floor = np.full(len(fields), -1), np.zeros(len(fields))
    new_floor = new_space(modes, fields).new_floor_m2
    for block in blocks:
        at = list(block.parcels)
        phase[at], floor[at] = block.phase, new_floor[at, block.mode]
    money = _money(payments, blocks, block_ids, of, area, len(names) + 1)
    firms = None if moves is None else _firms(moves, dict(zip(fields.index.astype(str), of.tolist(), strict=True)))
    rows: list[dict[str, Any]] = []
    for k, name in enumerate([*names, None]):
        mine = of == k
        if name is None and not mine.any():
            continue
        taken = {p: float(area[mine & (phase == t)].sum()) for t, p in enumerate(phase_ids)}
        rows.append(
            {
                "village": name,
                "area_mu": float(area[mine].sum()),
                "taken_mu": float(area[mine & (phase >= 0)].sum()),
                **{f"taken_mu_{p}": mu for p, mu in taken.items()},
                "new_floor_m2": float(np.nansum(floor[mine])),
                "new_floor_unknown_parcels": int(np.isnan(floor[mine]).sum()),
                "collective_received_yuan": money[k, 0] / 100,
                "collective_paid_yuan": money[k, 1] / 100,
                "collective_net_yuan": (money[k, 0] - money[k, 1]) / 100,
                **known_sums(space[mine], area[mine]),
                **({} if firms is None else firms[k]),
            }
        )
    table = pd.DataFrame(rows)
    return table.assign(village=pd.Series([row["village"] for row in rows], dtype=object))


def _money(
    payments: pd.DataFrame, blocks: Sequence[Block], block_ids: Sequence[str], of: Ints, area: Floats, villages: int
) -> Ints:
    """Cents that the collective of each village receives and pays, ``int64[villages, 2]``."""
    money = np.zeros((villages, 2), dtype=np.int64)
    for side, column in enumerate(("payee", "payer")):
        mine = payments[payments[column] == "collective"]
        total = mine.groupby("block_id")["amount_cents"].sum()
        for name, block in zip(block_ids, blocks, strict=True):
            if name in total.index:
                at = list(block.parcels)
                weights = np.bincount(of[at], weights=area[at], minlength=villages).astype(np.float64)
                money[:, side] += shared(int(total[name]), weights)
    return money


def shared(cents: int, weights: Floats) -> Ints:
    """Whole cents shared by weights: rounded down, and the rest, cent by cent, to the largest remainders.

    Parameters
    ----------
    cents : int
        May be negative: then its amount is shared so, and each share negative.
    weights : float64[k]
        0 or more, not all 0.

    Returns
    -------
    int64[k]
        Adds up to `cents`.
    """
    fractions = [Fraction(w) for w in weights.tolist()]
    exact = [abs(cents) * w / sum(fractions) for w in fractions]
    parts = [math.floor(e) for e in exact]
    largest = sorted(range(len(parts)), key=lambda k: (parts[k] - exact[k], k))
    for k in largest[: abs(cents) - sum(parts)]:
        parts[k] += 1
    return np.array(parts if cents >= 0 else [-p for p in parts], dtype=np.int64)


def _firms(moves: pd.DataFrame, village_of: dict[str, int]) -> dict[int, dict[str, int]]:
    """Numbers of firms by village and fate."""
    lost = sorted(set(moves["parcel_id"]) - set(village_of))
    if lost:
        raise ValueError(f"moves of parcels that do not exist: {', '.join(lost[:5])}")
    table = pd.DataFrame(
        {
            "village": moves["parcel_id"].map(village_of),
            "status": moves["status"],
            "firms": moves["firms"].astype("Int64"),
            "large": moves["large"].astype("boolean"),
        }
    )
    found: dict[int, dict[str, int]] = {}
    for k in sorted(set(village_of.values())):
        mine = table[table["village"] == k]
        big = mine[mine["large"].fillna(False).to_numpy(dtype=bool)]
        counts = {}
        for prefix, some in (("firms", mine), ("large_firms", big)):
            for status, fate in FATES.items():
                counts[f"{prefix}_{fate}"] = int(some["firms"][some["status"] == status].sum())
        unsized = mine["firms"].isna() | mine["large"].isna()
        counts |= {"firms_unnumbered": int(mine["firms"].isna().sum()), "large_firms_unnumbered": int(unsized.sum())}
        found[k] = counts
    return found
