"""Facts of parcels and blocks as the page shows them, and the classes by which the map colours parcels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from planner.report import palette
from planner.report.context import MapContext
from planner.report.encode import column
from planner.spec_report import TEXT_FACTS

PREFIX: Final = "fact_"
"""Of the parcel columns that hold facts."""

CLASSES: Final = 6
"""At most so many classes of numbers can be told apart."""

SHARE_BREAKS: Final = (0.2, 0.4, 0.6, 0.8)

BLOCK_FACTS: Final = {
    "far_before": ("far", 2),
    "far_after": ("far", 2),
    "before_output_yuan_per_mu": ("yuan", 0),
    "after_output_yuan_per_mu": ("yuan", 0),
    "before_tax_yuan_per_mu": ("yuan", 0),
    "after_tax_yuan_per_mu": ("yuan", 0),
    "before_output_yuan_unknown_parcels": ("count", 0),
    "before_tax_yuan_unknown_parcels": ("count", 0),
    "signed_holders_share": ("share", 4),
    "signed_area_share": ("share", 4),
}
"""Unit and decimals of what the tables of the modes say of a block, by column."""

_BLOCK_TABLES: Final = ("space_blocks", "consent")
_DECIMALS: Final = {"signed_share": 4, "far": 4, "lease_year": 0, "right_holders": 1, "firms": 1, "large_firms": 1}


def facts(context: MapContext) -> list[dict[str, Any]]:
    """Every fact that is shown: ``name``, ``kind`` ('text', 'number'), ``decimals`` to show, ``unit``."""
    shown = {"signed_share": 2, "far": 2, "state_mu": 2, "titled_mu": 2, "stock_mu": 2}
    return [
        {
            "name": str(name),
            "kind": "text" if name in TEXT_FACTS else "number",
            "decimals": shown.get(str(name), 0),
            "unit": _unit(str(name)),
        }
        for name in context.facts.columns
    ]


def _unit(name: str) -> str | None:
    known = {"signed_share": "share", "lease_year": "year"}
    endings = ("m2", "mu", "yuan")
    return known.get(name, next((e for e in endings if name.endswith("_" + e)), None))


def fact_columns(context: MapContext, parcels: pd.DataFrame) -> dict[str, Any]:
    """Columns ``fact_<name>`` in the order of `parcels`."""
    values = context.facts.reindex(parcels["parcel_id"])
    return {PREFIX + str(name): column(values[name], _DECIMALS.get(str(name))) for name in values.columns}


def block_facts(context: MapContext, blocks: pd.DataFrame) -> pd.DataFrame:
    """What the tables of the modes say of each block, in the order of `blocks`: see `BLOCK_FACTS`.

    Milestones are columns ``milestone_<name>``, texts year-month. A column of which nothing is known is not there.
    """
    found: dict[str, Any] = {}
    for name in _BLOCK_TABLES:
        if name in context.modes:
            rows = context.modes[name].set_index("block_id").reindex(blocks["block_id"])
            found |= {c: rows[c].to_numpy(dtype=float, na_value=np.nan) for c in BLOCK_FACTS if c in rows}
    if "milestones" in context.modes:
        rows = context.modes["milestones"].set_index("block_id").reindex(blocks["block_id"])
        further = [c for c in rows.columns if c not in {"phase", "mode"}]
        found |= {f"milestone_{c}": rows[c].astype(object).to_numpy() for c in further}
    frame = pd.DataFrame(found, index=blocks.index)
    known: pd.DataFrame = frame.dropna(axis="columns", how="all")
    return known


def new_far(parcels: pd.DataFrame, blocks: pd.DataFrame, of_blocks: pd.DataFrame) -> npt.NDArray[np.float64] | None:
    """Plot ratio of each parcel after the plan, which is that of its block; None where no block's is known."""
    if "far_after" not in of_blocks:
        return None
    after = pd.Series(of_blocks["far_after"].to_numpy(dtype=float), index=blocks["block_id"])
    return np.asarray(after.reindex(parcels["block_id"]).to_numpy(dtype=float))


def scales(context: MapContext, after: npt.NDArray[np.float64] | None) -> dict[str, dict[str, Any]]:
    """Classes of numbers by colouring: ``column``, ``breaks`` between the classes, ``colours``, ``decimals``, ``kind``.

    Class 0 lies below the first break, the last at or above the last one; a colouring of which nothing is known is not
    there. Present and new plot ratio share their classes, so that the two maps can be compared.
    """
    known = {str(n): _known(context.facts[n]) for n in context.facts.columns if n not in TEXT_FACTS}
    known = {name: values for name, values in known.items() if len(values)}
    result = {}
    if "lease_year" in known:
        breaks = nice_breaks(known["lease_year"], whole=True)
        result["lease_year"] = _scale(PREFIX + "lease_year", breaks, palette.YEAR, 0, "year")
    if "signed_share" in known:
        result["signed_share"] = _scale(PREFIX + "signed_share", list(SHARE_BREAKS), palette.SHARE, 2, "share")
    new = np.array([]) if after is None else after[np.isfinite(after)]
    ratios = nice_breaks(np.concatenate([known.get("far", np.array([])), new]))
    if "far" in known:
        result["far"] = _scale(PREFIX + "far", ratios, palette.RATIO, 2, "number")
    if len(new):
        result["new_far"] = _scale("new_far", ratios, palette.RATIO, 2, "number") | {"of_plan": True}
    return result


def _known(values: pd.Series[Any]) -> npt.NDArray[np.float64]:
    numbers: npt.NDArray[np.float64] = np.asarray(values.to_numpy(dtype=float, na_value=np.nan))
    return numbers[np.isfinite(numbers)]


def _scale(name: str, breaks: Sequence[float], ramp: Sequence[str], decimals: int, kind: str) -> dict[str, Any]:
    colours = palette.ramp_colours(ramp, len(breaks) + 1)
    return {"column": name, "breaks": list(breaks), "colours": colours, "decimals": decimals, "kind": kind}


def nice_breaks(values: npt.NDArray[np.float64], whole: bool = False) -> list[float]:
    """Round numbers that part values into at most `CLASSES` classes of one width; outermost classes are open.

    The width is the least of 1, 2, 2.5 and 5 times a power of ten (with `whole`: whole numbers) with which the middle
    nine tenths of the values need no more classes: single extremes stretch no class.

    Returns
    -------
    list of float
        Ascending; empty without two different values in the middle nine tenths.
    """
    if not len(values):
        return []
    low, high = np.quantile(values, [0.05, 0.95]).tolist()
    if not low < high:
        return []
    least = max((high - low) / (CLASSES - 1), 1.0 if whole else 0.0)
    power = 10.0 ** np.floor(np.log10(least))
    steps = (factor * p for p in (power, 10 * power) for factor in (1, 2, 2.5, 5))
    step = next(s for s in steps if s >= least and (not whole or s == int(s)))
    first, last = int(np.floor(low / step)) + 1, int(np.ceil(high / step)) - 1
    return [round(k * step, 10) for k in range(first, last + 1)]


def villages(context: MapContext, parcels: pd.DataFrame) -> dict[str, Any] | None:
    """Colours of the villages, those with most land first: ``classes`` of ``value``, ``colour``, ``hatch``.

    Those for which no colour is left share that of the others. None where no village is known.
    """
    if "village" not in context.facts:
        return None
    names = context.facts["village"].reindex(parcels["parcel_id"]).to_numpy()
    area = pd.Series(parcels["area_mu"].to_numpy(dtype=float)).groupby(pd.Series(names, dtype=object)).sum()
    if area.empty:
        return None
    order = sorted(area.index, key=lambda name: (-area[name], str(name)))
    return {"column": PREFIX + "village", **_groups([str(name) for name in order])}


def modes(names: Mapping[str, Mapping[str, str]], parcels: pd.DataFrame) -> dict[str, Any] | None:
    """Colours of the modes in their order, as `villages`; None where no parcel has one."""
    if "mode" not in parcels or not parcels["mode"].notna().any():
        return None
    taken = {str(mode) for mode in parcels["mode"].dropna()}
    order = [*(mode for mode in names if mode in taken), *sorted(taken - set(names))]
    return {"column": "mode", **_groups(order)}


def _groups(names: Sequence[str]) -> dict[str, Any]:
    styles = palette.category_styles(len(names))
    classes = [
        {"value": name, "colour": colour, "hatch": hatch} for name, (colour, hatch) in zip(names, styles, strict=False)
    ]
    return {"classes": classes, "others": len(names) - len(classes)}
