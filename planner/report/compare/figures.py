"""Indicators of one plan: what a committee asks of it, each figure with what is not known about it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import numpy as np
import pandas as pd

from planner.contents import PlanContents
from planner.shown import shown_expressions

Unit = Literal["mu", "money", "floor", "m", "count", "share", "ratio", "yuan_per_mu", "seconds", "text"]
Better = Literal["high", "low"]

SECTIONS: Final = ("result", "land", "cost", "blocks", "people", "modes", "run")
"""Parts of the table, in order."""
BLOCK_SIZES_MU: Final = (100, 500, 1000)
"""Blocks of at least so much net land are counted."""
_NOT_WORTH: Final = frozenset({"limits", "consent"})
"""Sections of the modes that say what is allowed, not what it is worth."""


@dataclass(frozen=True)
class Indicator:
    """One figure of a plan.

    Attributes
    ----------
    section : str
        One of `SECTIONS`.
    key : str
        What it is: the word ``compare_<key>`` of the labels.
    unit : str
        Money is in the currency of the plan, floor in m², shares are 0 to 1.
    value : float, str or None
        None = unknown.
    of : tuple of str
        What the word is filled with, such as the id and year of a phase; with `key` it says which figure this is.
    better : {'high', 'low'}, optional
        Which end is the better one; None where neither is.
    unknown : int
        Parcels that `value` leaves out because what it needs is not known of them.
    basis : str
        What the figure is measured by; figures of different bases are no better or worse than each other.
    """

    section: str
    key: str
    unit: Unit
    value: float | str | None
    of: tuple[str, ...] = ()
    better: Better | None = None
    unknown: int = 0
    basis: str = ""


def indicators(contents: PlanContents) -> tuple[Indicator, ...]:
    """Figures of a plan in the order of the table; those of the modes only where the plan has modes.

    Parameters
    ----------
    contents : PlanContents

    Returns
    -------
    tuple of Indicator
        No key with the same `of` stands there twice. What the summary says is taken from it; the rest is summed over
        the layers.
    """
    chosen = contents.tables.parcels[(contents.tables.parcels["status"] == "selected").to_numpy()]
    return (
        *_result(contents),
        *_land(contents),
        *_cost(contents, chosen),
        *_blocks(contents),
        *_people(contents, chosen),
        *_modes(contents.summary),
        *_run(contents.summary),
    )


def _result(contents: PlanContents) -> list[Indicator]:
    summary, basis = contents.summary, worth_basis(contents)
    return [
        Indicator("result", "status", "text", str(summary["status"])),
        Indicator("result", "objective", "money", number(summary.get("objective")), better="high", basis=basis),
        Indicator("result", "bound", "money", number(summary.get("bound")), basis=basis),
        Indicator("result", "gap", "share", number(summary.get("gap")), better="low"),
        Indicator("result", "stopped_by", "text", _text(summary.get("stopped_by"))),
        Indicator("result", "solve_seconds", "seconds", number((summary.get("seconds") or {}).get("solve"))),
    ]


def _land(contents: PlanContents) -> list[Indicator]:
    """Cumulative land by phase, and how far it is above the targets."""
    found: list[Indicator] = []
    for phase in contents.summary["phases"]:
        basis = f"{phase.get('counts')} {phase.get('milestone')}"
        reached = Indicator(
            "land", "cumulative", "mu", number(phase["cumulative_mu"]), _phase(phase), better="high", basis=basis
        )
        found.append(reached)
        for goal in ("target", "stretch"):
            least = number(phase.get(f"{goal}_mu"))
            if least is not None:
                over = float(phase["cumulative_mu"]) - least
                found.append(replace(reached, key=f"over_{goal}", value=over, better=None))
    return found


def _cost(contents: PlanContents, chosen: pd.DataFrame) -> list[Indicator]:
    """Cost by phase and in all; nothing where cost is no part of the plan."""
    if "cost" not in chosen:
        return []
    basis = cost_basis(contents)
    unknown = chosen["cost"].isna()
    rows: list[Indicator] = []
    for phase in contents.summary["phases"]:
        missing = int(unknown[(chosen["phase"] == phase["phase"]).to_numpy(dtype=bool)].sum())
        value = number(phase.get("cost"))
        rows.append(Indicator("cost", "cost", "money", value, _phase(phase), "low", missing, basis))
    known = [float(row.value) for row in rows if row.value is not None]
    total = sum(known) if len(known) == len(rows) else None
    rows.append(Indicator("cost", "cost_all", "money", total, (), "low", int(unknown.sum()), basis))
    return rows


def _blocks(contents: PlanContents) -> list[Indicator]:
    blocks, counts = contents.tables.blocks, contents.summary["counts"]
    area = blocks["area_mu"].to_numpy(dtype=float)
    compact = blocks["compactness"].to_numpy(dtype=float)
    known = np.isfinite(compact)
    mean = float(np.average(compact[known], weights=area[known])) if known.any() else None
    left_out = int(blocks["n_parcels"].to_numpy(dtype="int64")[~known].sum())
    rows = [
        Indicator("blocks", "parcels", "count", float(counts["parcels_selected"])),
        Indicator("blocks", "net_mu", "mu", float(area.sum())),
        Indicator("blocks", "blocks", "count", float(counts["blocks"])),
        *(
            Indicator("blocks", "blocks_of", "count", float((area >= size).sum()), (f"{size:,}",), "high")
            for size in BLOCK_SIZES_MU
        ),
        Indicator("blocks", "largest", "mu", float(area.max()) if len(area) else None, better="high"),
        Indicator("blocks", "compactness", "ratio", mean, better="high", unknown=left_out),
        Indicator("blocks", "perimeter", "m", float(blocks["perimeter_m"].sum()), better="low"),
        Indicator("blocks", "bridged", "count", float(blocks["bridged_links"].sum()), better="low"),
    ]
    holdouts = contents.tables.holdouts
    if "parcel_id" in holdouts.columns:
        rows.append(Indicator("blocks", "holdouts", "count", float(len(holdouts)), better="low"))
    return rows


def _people(contents: PlanContents, chosen: pd.DataFrame) -> list[Indicator]:
    """Villages, floor area and signatures on the land of the plan; unknown where the facts are not given."""
    facts = contents.shown.reindex(chosen["parcel_id"])
    bases = shown_expressions(contents.config)
    area = chosen["area_mu"].to_numpy(dtype=float)
    holders = _values(facts, "right_holders")
    signed, floor = _values(facts, "signed_share"), _values(facts, "floor_m2")
    known_floor = np.isfinite(floor)
    villages: float | None = None
    nameless = len(facts)
    if "village" in facts:
        named = facts["village"].dropna()
        nameless = len(facts) - len(named)
        villages = float(named.nunique()) if len(named) or not len(facts) else None
    by_holders, by_area = _mean(signed, holders), _mean(signed, area)
    share_basis, holder_basis = bases.get("signed_share", ""), bases.get("right_holders", "")
    return [
        _partly(Indicator("people", "villages", "count", villages, basis=bases.get("village", "")), nameless),
        _partly(
            Indicator(
                "people",
                "floor",
                "floor",
                float(floor[known_floor].sum()) if known_floor.any() or not len(floor) else None,
                better="low",
                basis=bases.get("floor_m2", ""),
            ),
            int((~known_floor).sum()),
        ),
        _partly(
            Indicator(
                "people", "signed_holders", "share", by_holders[0], (), "high", 0, f"{share_basis} · {holder_basis}"
            ),
            by_holders[1],
        ),
        _partly(Indicator("people", "signed_area", "share", by_area[0], (), "high", 0, share_basis), by_area[1]),
    ]


def _modes(summary: Mapping[str, Any]) -> list[Indicator]:
    if not summary.get("modes"):
        return []
    blocks = (summary.get("space") or {}).get("blocks") or []
    floor, floor_unknown = _total(blocks, "after_floor_m2")
    rows = [Indicator("modes", "new_floor", "floor", floor, better="high", unknown=floor_unknown)]
    peaks = {p["party"]: p for p in (summary.get("money") or {}).get("peak_gaps") or []}
    for party in ("town", "collective"):
        peak = number(peaks.get(party, {}).get("peak_gap_yuan"))
        rows.append(Indicator("modes", f"peak_{party}", "money", peak, better="low"))
    for when, better in (("before", None), ("after", "high")):
        mean, unknown = _tax_per_mu(blocks, when)
        rows.append(
            Indicator("modes", f"tax_{when}", "yuan_per_mu", mean, (), "high" if better else None, unknown=unknown)
        )
    return [*rows, *_firms(summary.get("decanting"))]


def _firms(decanting: Mapping[str, Any] | None) -> list[Indicator]:
    """Firms by what happens to them; a fate that no firm has is nought, an unknown number is unknown."""
    if decanting is None:
        return []
    fates = {f["status"]: f for f in decanting["fates"]}
    rows = []
    for fate in ("moved", "lost"):
        entry = fates.get(fate, {"firms": 0, "firms_unknown_entries": 0})
        missing = int(entry["firms_unknown_entries"])
        rows.append(Indicator("modes", f"firms_{fate}", "count", number(entry["firms"]), (), "low", missing))
    return rows


def _run(summary: Mapping[str, Any]) -> list[Indicator]:
    """What reproduces the plan."""
    keys = ("version", "config_hash", "input_hash", "seed")
    return [Indicator("run", key, "text", _text(summary.get(key))) for key in keys]


def worth_basis(contents: PlanContents) -> str:
    """What the worth of a plan is measured by: scores, weights, cost, discount, stretch targets."""
    optimise = contents.config.optimise
    stretch = [[p["id"], p.get("stretch_mu")] for p in contents.summary["phases"]]
    return json.dumps(
        [
            contents.config.scoring.model_dump(mode="json"),
            optimise.weights.model_dump(mode="json"),
            [optimise.discount_rate, optimise.base_year],
            stretch if optimise.weights.stretch_per_mu > 0 else None,
            cost_basis(contents),
        ],
        ensure_ascii=False,
    )


def cost_basis(contents: PlanContents) -> str:
    """What cost is: an expression, or the net payments of some parties with the modes."""
    cost, modes = contents.config.optimise.cost, contents.config.modes
    return json.dumps(
        [
            None if cost is None else cost.model_dump(mode="json"),
            None if modes is None else modes.model_dump(mode="json", exclude=set(_NOT_WORTH)),
        ],
        ensure_ascii=False,
    )


def number(value: Any) -> float | None:
    """A number, None where there is none or it is not finite."""
    if value is None or pd.isna(value) or not np.isfinite(value):
        return None
    return float(value)


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _phase(phase: Mapping[str, Any]) -> tuple[str, str]:
    """Id and year: phases of one id and another year are not the same."""
    year = phase.get("year")
    return str(phase.get("id", phase["phase"])), "" if year is None else str(year)


def _values(facts: pd.DataFrame, name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    if name not in facts:
        return np.full(len(facts), np.nan)
    return np.asarray(facts[name].astype("Float64").to_numpy(dtype=float, na_value=np.nan))


def _mean(
    values: np.ndarray[Any, np.dtype[np.float64]], weights: np.ndarray[Any, np.dtype[np.float64]]
) -> tuple[float | None, int]:
    """Weighted mean over what is known, and how many are not."""
    known = np.isfinite(values) & np.isfinite(weights)
    total = float(weights[known].sum())
    mean = float((values[known] * weights[known]).sum()) / total if total > 0 else None
    return mean, int((~known).sum())


def _partly(row: Indicator, unknown: int) -> Indicator:
    """With the number of parcels left out, where there is a value at all."""
    return row if row.value is None else replace(row, unknown=unknown)


def _total(blocks: Sequence[Mapping[str, Any]], key: str) -> tuple[float | None, int]:
    """Sum over blocks, None where it is known of none; and parcels of which it is not known."""
    known = [float(b[key]) for b in blocks if number(b.get(key)) is not None]
    unknown = sum(int(b.get(f"{key}_unknown_parcels") or 0) for b in blocks)
    return (sum(known) if known else None), unknown


def _tax_per_mu(blocks: Sequence[Mapping[str, Any]], when: str) -> tuple[float | None, int]:
    """Tax a year over the land whose tax is known."""
    total, unknown = _total(blocks, f"{when}_tax_yuan")
    area = sum(float(b["area_mu"]) - float(b.get(f"{when}_tax_yuan_unknown_mu") or 0) for b in blocks)
    return (total / area if total is not None and area > 0 else None), unknown
