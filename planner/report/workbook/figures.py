"""Figures of projects for the ledger: sums over parcels, and what the modes make of them."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from geodata.units import M2_PER_MU
from planner.contents import PlanContents
from planner.modes.balance import peak_gaps
from planner.modes.flows import CENTS_PER_YUAN
from planner.modes.names import STANDARD
from planner.report.workbook.cells import Cell
from planner.report.workbook.rounding import displayed, split
from planner.report.workbook.sums import BlockSums

INVESTMENT: Final = (*STANDARD["outlay"], "construction")
"""Rows of the funding balance that are investment; land prices, levies, shares of sales, rents only change hands."""
COUNTS: Final = ("parcels", "right_holders", "firms", "large_firms")
"""Figures that are whole numbers."""
WAN: Final = 10_000.0
_M2_PER_WAN_M2: Final = 10_000.0


@dataclass(frozen=True)
class Figures:
    """Numbers of projects.

    Attributes
    ----------
    values : pandas.DataFrame
        A column per figure by ``block_id``, as displayed; NaN where nothing is known. Columns that cannot be known
        from what is configured are absent.
    unknown : pandas.DataFrame
        Same shape: how many parcels the figure leaves out.
    """

    values: pd.DataFrame
    unknown: pd.DataFrame

    def cells(self, block: str) -> dict[str, Cell]:
        """The figures of a block, those that are known."""
        values, unknown = self.values.loc[block].to_dict(), self.unknown.loc[block].to_dict()
        return {str(k): Cell(_plain(k, v), int(unknown[k])) for k, v in values.items() if not np.isnan(v)}

    def total(self, name: str) -> Cell:
        """Sum of a figure over all projects."""
        return Cell(_plain(name, round(float(self.values[name].sum()), 4)), int(self.unknown[name].sum()))


def _plain(name: Hashable, value: float) -> int | float:
    return int(value) if name in COUNTS and float(value).is_integer() else float(value)


def project_figures(contents: PlanContents, sums: BlockSums, area: pd.Series[Any]) -> Figures:
    """All figures of the ledger.

    Parameters
    ----------
    contents : PlanContents
    sums : BlockSums
    area : pandas.Series
        Displayed net area by block, mu.
    """
    found: dict[str, tuple[pd.Series[Any], pd.Series[Any]]] = {}
    nothing = pd.Series(0, index=area.index)
    found["area_mu"] = (area, nothing)
    found["parcels"] = (sums.count(), nothing)
    found |= _halves(contents, sums, area)
    found |= _counts(contents, sums)
    found |= _overlaps(contents, sums)
    found |= _present(contents, sums)
    found |= _after(contents, area.index)
    found |= _consent(contents, sums)
    found |= _money(contents, area.index)
    values = pd.DataFrame({name: v for name, (v, _) in found.items()}, index=area.index)
    return Figures(values, pd.DataFrame({name: u for name, (_, u) in found.items()}, index=area.index))


def _halves(
    contents: PlanContents, sums: BlockSums, area: pd.Series[Any]
) -> dict[str, tuple[pd.Series[Any], pd.Series[Any]]]:
    """Land of a kind and the rest; where every parcel is known, both add up to the displayed area."""
    found = {}
    for fact, other in (("state_mu", "collective_mu"), ("stock_mu", "new_mu"), ("titled_mu", "untitled_mu")):
        if fact not in contents.shown:
            continue
        part, unknown = sums.sum(contents.shown[fact])
        rest, _ = sums.sum(sums.area() - contents.shown[fact].set_axis(contents.shown.index.astype(str)))
        pairs = [
            (p, r) if u or np.isnan(p) else split(a, p)
            for p, r, u, a in zip(part.round(2), rest.round(2), unknown, area, strict=True)
        ]
        both = pd.DataFrame(pairs, index=area.index, columns=[fact, other], dtype=float)
        found[fact] = (both[fact], unknown)
        found[other] = (both[other], unknown)
    return found


def _counts(contents: PlanContents, sums: BlockSums) -> dict[str, tuple[pd.Series[Any], pd.Series[Any]]]:
    names = [f for f in ("right_holders", "firms", "large_firms") if f in contents.shown]
    return {name: sums.sum(contents.shown[name]) for name in names}


def _overlaps(contents: PlanContents, sums: BlockSums) -> dict[str, tuple[pd.Series[Any], pd.Series[Any]]]:
    """Land on control lines: known, and perhaps 0, wherever overlays are configured."""
    if not contents.config.overlays:
        return {}
    on = contents.tables.overlaps
    by_parcel = pd.Series(on["overlap_m2"].to_numpy(dtype=float), index=on["parcel_id"].astype(str).to_numpy())
    ids = sums.area().index
    total, unknown = sums.sum(by_parcel.groupby(level=0).sum().reindex(ids).fillna(0.0))
    return {"control_m2": (displayed(total), unknown)}


def _present(contents: PlanContents, sums: BlockSums) -> dict[str, tuple[pd.Series[Any], pd.Series[Any]]]:
    """Floor area, plot ratio, yields per mu and income as they are."""
    shown, found = contents.shown, {}
    area = sums.area()
    if "floor_m2" in shown:
        total, unknown = sums.sum(shown["floor_m2"])
        found["floor_m2"] = (displayed(total), unknown)
    if "floor_m2" in shown:  # so that it agrees with the floor area in the next column
        far = shown["floor_m2"].set_axis(shown.index.astype(str)).reindex(area.index) / (area * M2_PER_MU)
        found["far_before"] = sums.mean(far, area)
    elif "far" in shown:
        found["far_before"] = sums.mean(shown["far"], area)
    for fact, name in (("tax_yuan", "tax_before"), ("output_yuan", "output_before")):
        if fact in shown:
            per_mu = shown[fact].set_axis(shown.index.astype(str)).reindex(area.index) / area / WAN
            found[name] = sums.mean(per_mu, area)
    if "collective_income_yuan" in shown:
        total, unknown = sums.sum(shown["collective_income_yuan"] / WAN)
        found["income_before"] = (displayed(total), unknown)
    return found


def _after(contents: PlanContents, blocks: pd.Index[Any]) -> dict[str, tuple[pd.Series[Any], pd.Series[Any]]]:
    """What stands and what the land yields when everything is built."""
    if "space_blocks" not in contents.modes:
        return {}
    table = contents.modes["space_blocks"]
    table = table.assign(block_id=table["block_id"].astype(str)).set_index("block_id").reindex(blocks)

    def unknown(figure: str) -> pd.Series[Any]:
        return table[f"after_{figure}_unknown_parcels"].astype(int)

    found = {
        "net_mu": (displayed(table["net_area_mu"]), pd.Series(0, index=blocks)),
        "far_after": (table["far_after"].astype(float), unknown("floor_m2")),
        "new_floor_wan_m2": (displayed(table["after_floor_m2"] / _M2_PER_WAN_M2), unknown("floor_m2")),
        "income_after": (displayed(table["after_collective_income_yuan"] / WAN), unknown("collective_income_yuan")),
    }
    for name in ("tax", "output"):
        found[f"{name}_after"] = (table[f"after_{name}_yuan_per_mu"].astype(float) / WAN, unknown(f"{name}_yuan"))
    return {name: both for name, both in found.items() if both[0].notna().any()}


def _consent(contents: PlanContents, sums: BlockSums) -> dict[str, tuple[pd.Series[Any], pd.Series[Any]]]:
    """Shares of right-holders and of area that have signed."""
    shown = contents.shown
    if "consent" in contents.modes and len(contents.modes["consent"]):
        table = contents.modes["consent"]
        table = table.assign(block_id=table["block_id"].astype(str)).set_index("block_id")
        unknown = table["unknown_parcels"].astype(int)
        return {
            "signed_holders": (table["signed_holders_share"].astype(float), unknown),
            "signed_area": (table["signed_area_share"].astype(float), unknown),
        }
    if "signed_share" not in shown:
        return {}
    found = {"signed_area": sums.mean(shown["signed_share"], sums.area())}
    if "right_holders" in shown:
        found["signed_holders"] = sums.mean(shown["signed_share"], shown["right_holders"])
    return found


def _money(contents: PlanContents, blocks: pd.Index[Any]) -> dict[str, tuple[pd.Series[Any], pd.Series[Any]]]:
    """Investment and public funding gap of each project, 10 000 of the currency; else its cost."""
    nothing = pd.Series(0, index=blocks)
    if "payments" in contents.modes:
        invested = investment(contents).groupby("block_id")["amount_yuan"].sum().reindex(blocks).fillna(0.0)
        gaps = [_public_gap(contents, str(block)) for block in blocks]
        return {
            "investment_wan": (displayed(invested / WAN), nothing),
            "gap_wan": (pd.Series(gaps, index=blocks).round(2), nothing),
        }
    if contents.config.optimise.cost is None:
        return {}
    table = contents.tables.blocks
    cost = pd.Series(table["cost"].to_numpy(dtype=float), index=table["block_id"].astype(str)).reindex(blocks)
    return {"investment_wan": (displayed(cost / WAN), nothing)}


def investment(contents: PlanContents) -> pd.DataFrame:
    """Payments that are investment: ``block_id``, ``year``, ``amount_yuan``."""
    paid = contents.modes["payments"]
    mine = paid[paid["outlay"].isin(INVESTMENT)]
    return mine.assign(block_id=mine["block_id"].astype(str))[["block_id", "year", "amount_yuan"]]


def _public_gap(contents: PlanContents, block: str) -> float:
    """Peak gap of the public parties over the payments of one block, 10 000 yuan."""
    paid = contents.modes["payments"]
    mine = paid[paid["block_id"].astype(str) == block]
    cents = (mine["amount_yuan"] * CENTS_PER_YUAN).round().astype("int64")
    gaps = peak_gaps(mine.assign(amount_cents=cents))
    return float(gaps.loc[gaps["party"] == "public", "peak_gap_yuan"].iloc[0]) / WAN
