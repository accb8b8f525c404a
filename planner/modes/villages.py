"""What a plan means to each village: land, new floor, money of its collective, jobs and firms."""

from __future__ import annotations

import math
from collections.abc import Sequence, Set
from fractions import Fraction
from typing import Any, Final

import numpy as np
import pandas as pd

from planner.expressions import evaluate_number
from planner.modes.balance import PUBLIC
from planner.modes.figures import floats
from planner.modes.space import by_mode, known_sums, new_space, parcel_space
from planner.problem import Block, Floats, Ints
from planner.spec_modes import ModesSpec

FATES: Final = {"kept": "kept", "moved": "moved", "unplaced": "lost", "unknown": "unknown"}
"""What happens to firms, as in `planner.modes.moves.Moves` → its name here: those without a place are lost."""
_SPACE: Final = ("jobs", "collective_income_yuan")
_INCOMES: Final = ("before_collective_income_yuan", "after_collective_income_yuan")
_SIDES: Final = {"collective": frozenset({"collective"}), "public": frozenset(PUBLIC)}
"""Name of the columns → parties whose money it is; what they pay each other is none."""


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

    Money of the collectives is what `payments` pay to them and what they pay, over all years; that of the public, town
    and city together, what blocks bring and cost them. A block in several villages is shared by the area of its land in
    each, to the cent: what is left over by rounding down goes cent by cent to the largest remainders, the first by name
    where they are equal. Land of no village has a row of its own.

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
        ``new_floor_m2`` with ``new_floor_unknown_parcels``; ``displaced_floor_m2``, present floor whose firms must
        leave, with ``displaced_floor_unknown_parcels``; ``collective_`` and ``public_`` + ``received_yuan``,
        ``paid_yuan``, ``net_yuan``; ``before_`` and ``after_`` + ``jobs`` and ``collective_income_yuan`` of all land of
        the village, sums of what is known, with ``…_unknown_parcels`` and ``…_unknown_mu`` beside;
        ``compared_mu``, land on which the income of the collective is known before and after, and that income of this
        land alone, ``compared_before_`` and ``compared_after_collective_income_yuan``. With `moves`:
        ``firms_`` and ``large_firms_`` + ``kept``, ``moved``, ``lost``, ``unknown``, numbers that are known, and
        ``firms_unnumbered``, ``large_firms_unnumbered``: entries whose number of firms, or of large ones, is unknown.
    """
    names = sorted({str(v) for v in village.dropna()})
    number = {name: k for k, name in enumerate(names)}
    of = np.array([len(names) if pd.isna(v) else number[str(v)] for v in village], dtype=np.int64)
    area = fields["area_mu"].to_numpy(dtype=np.float64)
    space = parcel_space(modes, fields, blocks)[[f"{when}_{f}" for f in _SPACE for when in ("before", "after")]]
    phase, floor, leaves = np.full(len(fields), -1), np.zeros(len(fields)), np.zeros(len(fields))
    new_floor, left = new_space(modes, fields).new_floor_m2, _displaced(modes, fields)
    for block in blocks:
        at = list(block.parcels)
        phase[at], floor[at], leaves[at] = block.phase, new_floor[at, block.mode], left[at, block.mode]
    money = {
        name: _money(payments, parties, blocks, block_ids, of, area, len(names) + 1) for name, parties in _SIDES.items()
    }
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
                "displaced_floor_m2": float(np.nansum(leaves[mine])),
                "displaced_floor_unknown_parcels": int(np.isnan(leaves[mine]).sum()),
                **{f"{side}_{what}": yuan for side, all_ in money.items() for what, yuan in _in_yuan(all_[k]).items()},
                **known_sums(space[mine], area[mine]),
                **_compared(space[mine], area[mine]),
                **({} if firms is None else firms[k]),
            }
        )
    table = pd.DataFrame(rows)
    return table.assign(village=pd.Series([row["village"] for row in rows], dtype=object))


def _displaced(modes: ModesSpec, fields: pd.DataFrame) -> Floats:
    """Present floor area whose firms must leave, ``float64[n, M]``, NaN where unknown: that of `decant`, or `space`."""
    text = modes.space.floor_m2 if modes.decant is None else modes.decant.floor_m2
    floor = np.full(len(fields), np.nan) if text is None else floats(evaluate_number(text, fields))
    displaces = by_mode(modes, "displaces", fields)
    return np.where((displaces == 0) | (floor[:, None] == 0), 0.0, displaces * floor[:, None])


def _compared(space: pd.DataFrame, area: Floats) -> dict[str, float]:
    """Land on which the income of the collective is known before and after, and both incomes; NaN where it is none."""
    known = space[list(_INCOMES)].notna().all(axis=1).to_numpy(dtype=bool)
    sums = {f"compared_{name}": float(space.loc[known, name].sum()) if known.any() else np.nan for name in _INCOMES}
    return {"compared_mu": float(area[known].sum()), **sums}


def _in_yuan(cents: Ints) -> dict[str, float]:
    """What is received and paid, and the difference."""
    received, paid = (int(c) for c in cents)
    return {"received_yuan": received / 100, "paid_yuan": paid / 100, "net_yuan": (received - paid) / 100}


def _money(
    payments: pd.DataFrame,
    parties: Set[str],
    blocks: Sequence[Block],
    block_ids: Sequence[str],
    of: Ints,
    area: Floats,
    villages: int,
) -> Ints:
    """Cents that these parties receive and pay for the land of each village, ``int64[villages, 2]``."""
    money = np.zeros((villages, 2), dtype=np.int64)
    for side, (column, other) in enumerate((("payee", "payer"), ("payer", "payee"))):
        mine = payments[payments[column].isin(parties) & ~payments[other].isin(parties)]
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
