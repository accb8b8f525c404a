"""Figures of projects for the ledger: sums over parcels, and what the modes make of them."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from geodata.units import M2_PER_MU
from planner.contents import PlanContents
from planner.control_lines import CONTROL_EFFECT, control_ground
from planner.modes.balance import peak_gaps
from planner.modes.displayed import apportion
from planner.modes.flows import CENTS_PER_YUAN
from planner.modes.names import STANDARD
from planner.report.workbook.cells import Cell
from planner.report.workbook.rounding import STEPS, displayed, split
from planner.report.workbook.sums import BlockSums

INVESTMENT: Final = (*STANDARD["outlay"], "construction")
"""Rows of the funding balance that are investment; land prices, levies, shares of sales, rents only change hands."""
COUNTS: Final = ("parcels", "right_holders", "firms", "large_firms")
"""Figures that are whole numbers."""
WAN: Final = 10_000.0
_M2_PER_WAN_M2: Final = 10_000.0
HALVES: Final = (("state_mu", "collective_mu"), ("stock_mu", "new_mu"), ("titled_mu", "untitled_mu"))
"""Land of a kind, a fact of the parcels, and what its column calls the rest."""
_CUT_MU: Final = 1e-6
"""By less than this, area times a share exceeds the area by rounding alone."""


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
    cut : pandas.DataFrame
        How many parcels a figure counts with less, or more, than is said of them, as that is not from 0 to their
        measured area; columns only for figures where this can be.
    """

    values: pd.DataFrame
    unknown: pd.DataFrame
    cut: pd.DataFrame

    def cells(self, block: str) -> dict[str, Cell]:
        """The figures of a block, those that are known."""
        values, unknown = self.values.loc[block].to_dict(), self.unknown.loc[block].to_dict()
        cut = self.cut.loc[block].to_dict()
        return {
            str(k): Cell(_plain(k, v), int(unknown[k]), cut=int(cut.get(k, 0)))
            for k, v in values.items()
            if not np.isnan(v)
        }

    def total(self, name: str) -> Cell:
        """Sum of a figure over all projects; empty where it is known of none."""
        total = round(float(self.values[name].sum(min_count=1)), 4)
        return Cell(None if np.isnan(total) else _plain(name, total), int(self.unknown[name].sum()))


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
    unknown = pd.DataFrame({name: u for name, (_, u) in found.items()}, index=area.index)
    return Figures(values, unknown, _cut(contents, sums, area.index))


def _halves(
    contents: PlanContents, sums: BlockSums, area: pd.Series[Any]
) -> dict[str, tuple[pd.Series[Any], pd.Series[Any]]]:
    """Land of a kind and the rest; where every parcel is known, both add up to the displayed area.

    No parcel has less than 0 or more than its measured area of a kind: else one parcel's excess, as of a certificate
    that is larger than the parcel, would stand in for land of its neighbours. `_cut` counts such parcels.
    """
    found = {}
    for fact, other in HALVES:
        if fact not in contents.shown:
            continue
        kind = _of_parcels(contents, sums, fact).clip(0.0, sums.area())
        part, unknown = sums.sum(kind)
        rest, _ = sums.sum(sums.area() - kind)
        pairs = [
            (p, r) if u or np.isnan(p) else split(a, p)
            for p, r, u, a in zip(part.round(2), rest.round(2), unknown, area, strict=True)
        ]
        both = pd.DataFrame(pairs, index=area.index, columns=[fact, other], dtype=float)
        found[fact] = (both[fact], unknown)
        found[other] = (both[other], unknown)
    return found


def _cut(contents: PlanContents, sums: BlockSums, blocks: pd.Index[Any]) -> pd.DataFrame:
    """How many parcels of each block are said to have less than 0 or more than their area of a kind of land."""
    counts = {}
    for fact, other in HALVES:
        if fact not in contents.shown:
            continue
        said = _of_parcels(contents, sums, fact)
        beyond = (said < -_CUT_MU) | (said > sums.area() + _CUT_MU)
        counts[fact] = counts[other] = sums.sum(beyond.astype(float))[0]
    return pd.DataFrame(counts, index=blocks)


def _of_parcels(contents: PlanContents, sums: BlockSums, fact: str) -> pd.Series[Any]:
    """A fact of the parcels in blocks; NaN where unknown."""
    said = contents.shown[fact].set_axis(contents.shown.index.astype(str)).reindex(sums.area().index)
    return pd.Series(said.to_numpy(dtype=float, na_value=np.nan), said.index)


def _counts(contents: PlanContents, sums: BlockSums) -> dict[str, tuple[pd.Series[Any], pd.Series[Any]]]:
    names = [f for f in ("right_holders", "firms", "large_firms") if f in contents.shown]
    return {name: sums.sum(contents.shown[name]) for name in names}


def _overlaps(contents: PlanContents, sums: BlockSums) -> dict[str, tuple[pd.Series[Any], pd.Series[Any]]]:
    """Land on control lines: known, and perhaps 0, wherever control lines are configured."""
    if not has_control_lines(contents):
        return {}
    ground = control_ground(contents.tables)
    by_parcel = pd.Series(ground["overlap_m2"].to_numpy(dtype=float), index=ground["parcel_id"].astype(str).to_numpy())
    total, unknown = sums.sum(by_parcel.reindex(sums.area().index, fill_value=0.0))
    return {"control_m2": (displayed(total), unknown)}


def has_control_lines(contents: PlanContents) -> bool:
    """Some overlay of the configuration keeps land out."""
    return any(overlay.effect == CONTROL_EFFECT for overlay in contents.config.overlays)


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


def investment_by_year(contents: PlanContents, figures: Figures) -> pd.DataFrame:
    """Investment of each project by year, 10 000 of the currency, as displayed.

    The years of a project add up to its investment in `figures`, so that all years of all projects add up to the total.

    Returns
    -------
    pandas.DataFrame
        ``block_id`` as index, a column per year with investment, ascending.
    """
    paid = investment(contents).groupby(["block_id", "year"])["amount_yuan"].sum().unstack()
    paid = paid.reindex(figures.values.index).sort_index(axis=1).fillna(0.0)
    cents = (paid.to_numpy(dtype=float) * CENTS_PER_YUAN).round().astype(np.int64)
    whole = (figures.values["investment_wan"] * STEPS).round().astype(np.int64)
    shown = [apportion(row, int(steps)) / STEPS for row, steps in zip(cents, whole, strict=True)]
    busy = (cents != 0).any(axis=0)
    return pd.DataFrame(np.array(shown).reshape(cents.shape)[:, busy], paid.index, paid.columns[busy])


def _public_gap(contents: PlanContents, block: str) -> float:
    """Peak gap of the public parties over the payments of one block, 10 000 yuan."""
    paid = contents.modes["payments"]
    mine = paid[paid["block_id"].astype(str) == block]
    cents = (mine["amount_yuan"] * CENTS_PER_YUAN).round().astype("int64")
    gaps = peak_gaps(mine.assign(amount_cents=cents))
    return float(gaps.loc[gaps["party"] == "public", "peak_gap_yuan"].iloc[0]) / WAN
