"""Every village of the land: its class, its part in the plan, and the income of its collective before and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from planner.expressions import evaluate_condition
from planner.spec_equity import EquitySpec

BROUGHT: Final = (
    "new_floor_m2",
    "new_floor_unknown_parcels",
    "displaced_floor_m2",
    "displaced_floor_unknown_parcels",
    "firms_moved",
    "firms_lost",
    "firms_unnumbered",
    "collective_received_yuan",
    "collective_paid_yuan",
    "collective_net_yuan",
    "public_received_yuan",
    "public_paid_yuan",
    "public_net_yuan",
)
"""Columns taken from the table by village of the modes, where it has them; sums."""
INCOMES: Final = {
    "before": "compared_before_collective_income_yuan",
    "after": "compared_after_collective_income_yuan",
}


def equity_table(
    spec: EquitySpec,
    parcels: pd.DataFrame,
    village: str,
    phase_ids: Sequence[str],
    villages: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """The plan by village, with what equity is judged by.

    Parameters
    ----------
    spec : EquitySpec
    parcels : pandas.DataFrame
        Every parcel of the plan: ``area_mu``, ``phase`` (1-based, missing = not in the plan), the field `village`, and
        the fields that ``spec.industrial`` uses.
    village : str
        Field that names a parcel's village; missing = none.
    phase_ids : sequence of str
    villages : pandas.DataFrame, optional
        `planner.modes.villages.village_table`; absent without modes: then money and incomes are absent.

    Returns
    -------
    pandas.DataFrame
        A row per village by name, land of none last: ``village``, ``class`` (both None for none); ``area_mu``,
        ``industrial_mu`` (all of it without ``spec.industrial``; land in the plan is industrial),
        ``industrial_undecided_mu`` (counted as not industrial), ``taken_mu``, ``taken_share`` of the industrial land,
        ``early_share``, ``taken_mu_<phase>``. ``early_share`` is `taken_share` with land of the first phase counted in
        full and of each later one by 1/T less, T the number of phases: 1 = all in the first phase.

        With `villages`: those of `BROUGHT` that it has; ``compared_mu``, the land on which the income of the
        collective is known before and after; ``income_known``, false where that leaves out more than
        ``spec.unknown_max_share`` of the village; ``before_`` and ``after_income_yuan`` a year on that land, and
        ``…_yuan_per_mu``. With ``spec.people``: ``people`` and, where the income is known, ``…_yuan_per_head``; the
        income is that of the land compared.
    """
    frame = _land(spec, parcels, village, len(phase_ids))
    names: list[str | None] = sorted({v for v in frame["village"] if v is not None})
    if frame["village"].isna().any():
        names.append(None)
    class_of = {v: c.name for c in spec.classes for v in c.villages}
    rows = pd.DataFrame([_row(frame, name, class_of, phase_ids) for name in names])
    texts = {name: rows[name].astype(object).where(rows[name].notna(), None) for name in ("village", "class")}
    table = rows.assign(**texts)
    return table if villages is None else _with_modes(table, spec, villages)


def _row(
    frame: pd.DataFrame, name: str | None, class_of: Mapping[str, str], phase_ids: Sequence[str]
) -> dict[str, Any]:
    """Land of one village, and its part in the plan."""
    mine = frame[frame["village"].isna() if name is None else frame["village"] == name]
    taken = mine["area_mu"].where(mine["phase"] > 0, 0.0)
    industrial = _sum(mine["area_mu"][mine["industrial"]])
    return {
        "village": name,
        "class": None if name is None else class_of.get(name),
        "area_mu": _sum(mine["area_mu"]),
        "industrial_mu": industrial,
        "industrial_undecided_mu": _sum(mine["area_mu"][mine["undecided"]]),
        "taken_mu": _sum(taken),
        "taken_share": _sum(taken) / industrial if industrial > 0 else np.nan,
        "early_share": _sum(taken * mine["early"]) / industrial if industrial > 0 else np.nan,
        **{f"taken_mu_{p}": _sum(taken[mine["phase"] == t + 1]) for t, p in enumerate(phase_ids)},
    }


def _ratio(above: pd.Series[Any], below: pd.Series[Any]) -> pd.Series[Any]:
    """Quotient by row, NaN where there is nothing to divide by."""
    return above / below.where(below > 0)


def _sum(values: pd.Series[Any]) -> float:
    """Sum that does not depend on the order of rows."""
    return float(np.sort(values.to_numpy(dtype=np.float64)).sum())


def _land(spec: EquitySpec, parcels: pd.DataFrame, village: str, phases: int) -> pd.DataFrame:
    """Of every parcel: village, area, phase (0 = none), how early it is, and whether it is industrial."""
    phase = parcels["phase"].astype("Int64").fillna(0).to_numpy(dtype=np.int64)
    industrial = np.ones(len(parcels), dtype=np.bool_)
    undecided = np.zeros(len(parcels), dtype=np.bool_)
    if spec.industrial is not None:
        answer = evaluate_condition(spec.industrial, pd.DataFrame(parcels.drop(columns="geometry", errors="ignore")))
        undecided = answer.isna().to_numpy(dtype=bool) & (phase == 0)
        industrial = answer.fillna(False).to_numpy(dtype=bool) | (phase > 0)
    names = [None if pd.isna(v) else str(v) for v in parcels[village]]
    return pd.DataFrame(
        {
            "village": pd.Series(names, dtype=object),
            "area_mu": parcels["area_mu"].to_numpy(dtype=np.float64),
            "phase": phase,
            "early": np.where(phase > 0, (phases - phase + 1) / phases, 0.0),
            "industrial": industrial,
            "undecided": undecided,
        }
    )


def _with_modes(table: pd.DataFrame, spec: EquitySpec, villages: pd.DataFrame) -> pd.DataFrame:
    """With what the modes bring to each village, and the income of its collective."""
    key = {None if pd.isna(v) else str(v): k for k, v in enumerate(villages["village"])}
    brought = villages.iloc[[key[v] for v in table["village"]]].reset_index(drop=True)
    columns: dict[str, Any] = {name: brought[name] for name in BROUGHT if name in brought}
    compared = brought["compared_mu"].astype("float64")
    known = (compared > 0) & (compared >= (1 - spec.unknown_max_share) * table["area_mu"] * (1 - 1e-12))
    columns |= {"compared_mu": compared, "income_known": known}
    income = {when: brought[name].astype("float64") for when, name in INCOMES.items()}
    columns |= {f"{when}_income_yuan": yuan for when, yuan in income.items()}
    columns |= {f"{when}_income_yuan_per_mu": _ratio(yuan, compared) for when, yuan in income.items()}
    if spec.people:
        people = table["village"].map(lambda v: spec.people.get(v, np.nan)).astype("float64")
        columns["people"] = people
        columns |= {f"{when}_income_yuan_per_head": _ratio(yuan.where(known), people) for when, yuan in income.items()}
    return table.assign(**columns)
