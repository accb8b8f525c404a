"""What the blocks of a plan supply: land to let, frontage, and when."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd

from planner.config import Config
from planner.expressions import evaluate_number
from planner.modes.figures import figure_fields, floats
from planner.modes.space import new_space
from planner.modes.terms import MONTHS_PER_YEAR, Terms
from planner.modes.timetable import TIME_TOLERANCE
from planner.problem import Block, Floats, Ints
from planner.spec_demand import DemandSpec

SUPPLY_COLUMNS: Final = (
    "block_id",
    "phase",
    "net_mu",
    "net_unknown_parcels",
    "site_mu",
    "frontage_m",
    "frontage_unknown_parcels",
    "supplied",
    "supplied_year",
)
"""Columns of `block_supply`, besides ``supplied_at``."""


def block_supply(
    config: Config,
    spec: DemandSpec,
    fields: pd.DataFrame,
    blocks: Sequence[Block],
    block_ids: Sequence[str],
    terms: Terms | None,
) -> pd.DataFrame:
    """Land to let and frontage of every block, and from when.

    Net land is that of the parcels as measured; with modes what is built on, area × the mode's `net_share`. Of parcels
    whose net land or frontage is unknown nothing is counted, and their number stands beside.

    Parameters
    ----------
    config : Config
    spec : DemandSpec
    fields : pandas.DataFrame
        By parcel id in the order of the problem, with ``area_mu`` and ``score``; without the figures of the modes.
    blocks, block_ids
        The plan.
    terms : Terms or None
        None without modes.

    Returns
    -------
    pandas.DataFrame
        `SUPPLY_COLUMNS` and ``supplied_at``: time on the scale of the phases' years, NaN = never; ``supplied`` is the
        same as year-month, ``supplied_year`` the year at whose end the land is there. ``site_mu`` is ``net_mu`` ×
        ``net_share``; ``frontage_m`` is NaN where no frontage is asked for.
    """
    land = fields if config.modes is None else figure_fields(fields, config.modes.figures)
    front = None if spec.frontage_m is None else floats(evaluate_number(spec.frontage_m, land))
    rows = []
    for block, name in zip(blocks, block_ids, strict=True):
        at = np.array(block.parcels, dtype=np.int64)
        net = _net(config, land, block, at)
        mine = np.full(0, np.nan) if front is None else front[at]
        time = supply_time(config, spec, block, terms)
        rows.append(
            {
                "block_id": name,
                "phase": block.phase + 1,
                "net_mu": float(np.nansum(net)),
                "net_unknown_parcels": int(np.isnan(net).sum()),
                "site_mu": float(np.nansum(net)) * spec.net_share,
                "frontage_m": math.nan if front is None else float(np.nansum(mine)),
                "frontage_unknown_parcels": int(np.isnan(mine).sum()),
                "supplied": month(time),
                "supplied_year": year_of(time),
                "supplied_at": time,
            }
        )
    table = pd.DataFrame(rows, columns=[*SUPPLY_COLUMNS, "supplied_at"])
    return table.astype({"supplied_year": "Int64", "supplied": object})


def _net(config: Config, land: pd.DataFrame, block: Block, at: Ints) -> Floats:
    if config.modes is None:
        return floats(land["area_mu"])[at]
    net: Floats = new_space(config.modes, land.iloc[at]).net_area_mu[:, block.mode]
    return net


def supply_time(config: Config, spec: DemandSpec, block: Block, terms: Terms | None) -> float:
    """Time at which the land of a block is supplied, on the scale of the phases' years; NaN = never.

    With modes it is the milestone `supplied`, without them the end of the phase's year and ``wait_months``.
    """
    if terms is not None:
        return terms.timetable.time(block.phase, block.mode, "supplied")
    return config.optimise.phases[block.phase].year + spec.wait_months / MONTHS_PER_YEAR


def clearing_time(config: Config, block: Block, terms: Terms | None) -> float:
    """Time from which a block's present output is gone, NaN = never.

    With modes when the firms leave (``decant.at``, else `demolished`); without them when the phase begins: when the
    phase before ends, of the first one a year before its own.
    """
    if terms is not None:
        assert config.modes is not None
        return terms.timetable.time(
            block.phase, block.mode, config.modes.decant.at if config.modes.decant else "demolished"
        )
    phases = config.optimise.phases
    return float(phases[block.phase - 1].year if block.phase else phases[0].year - 1)


def year_of(time: float) -> int | None:
    """The year at whose end something is there: 2017.0 and 2016.3 are 2017."""
    return None if math.isnan(time) else math.ceil(time - TIME_TOLERANCE)


def month(time: float) -> str | None:
    """The month at whose end something is there, ``year-month``: 2017.0 is 2017-12."""
    if math.isnan(time):
        return None
    year, number = divmod(math.ceil((time - TIME_TOLERANCE) * MONTHS_PER_YEAR) - 1, int(MONTHS_PER_YEAR))
    return f"{year + 1}-{number + 1:02d}"
