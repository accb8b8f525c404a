"""Output and tax year by year: what the land brings now, as long as it does, and what the projects bring."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from planner.config import Config
from planner.demand.supply import clearing_time
from planner.expressions import evaluate_number
from planner.modes.figures import figure_fields, floats
from planner.modes.space import by_mode, known_sum, of_share, risen
from planner.modes.terms import MONTHS_PER_YEAR, Terms
from planner.modes.timetable import TIME_TOLERANCE
from planner.problem import Block, Floats
from planner.shown import shown_expressions
from planner.spec_demand import DemandSpec

YEAR_COLUMNS: Final = (
    "year",
    "stock_output_yuan",
    "stock_output_unknown_parcels",
    "increment_output_yuan",
    "increment_output_unknown_projects",
    "stock_tax_yuan",
    "stock_tax_unknown_parcels",
    "increment_tax_yuan",
    "increment_tax_unknown_projects",
    "let_mu",
    "projects_supplied",
    "projects_full",
)
"""Columns of `demand_by_year`."""
_LIMITS: Final = ("from_year", "by_year")
FIGURES: Final = ("output_yuan", "tax_yuan")


def stock_expressions(config: Config, spec: DemandSpec) -> dict[str, str]:
    """Figure → expression of what a parcel brings now, those that are known."""
    given = {"output_yuan": spec.stock_output_yuan, "tax_yuan": spec.stock_tax_yuan}
    usual = shown_expressions(config)
    found = {name: text or usual.get(name) for name, text in given.items()}
    return {name: text for name, text in found.items() if text is not None}


def project_times(projects: pd.DataFrame, placed: pd.DataFrame, supply: pd.DataFrame, spec: DemandSpec) -> pd.DataFrame:
    """When a project takes up its land, is built, and is full.

    It takes the land up when it is supplied, but not before the beginning of its ``from_year``. A project in place
    begins at the end of its ``by_year``; without one nobody knows. Times are on the scale of the phases' years, NaN =
    never or unknown.

    Parameters
    ----------
    projects : pandas.DataFrame
    placed : pandas.DataFrame
        As `planner.demand.placing.Placed.table`.
    supply : pandas.DataFrame
        As `planner.demand.supply.block_supply` gives it.
    spec : DemandSpec

    Returns
    -------
    pandas.DataFrame
        By ``project_id``: ``supplied_at``, ``built_at``, ``full_at``.
    """
    at_block = placed["block_id"].map(supply.set_index("block_id")["supplied_at"].to_dict()).astype("float64")
    in_place = (placed["status"] == "in place").to_numpy(dtype=bool)
    begins, by = (projects[n].astype("float64").to_numpy(dtype=np.float64, na_value=np.nan) for n in _LIMITS)
    supplied = at_block.where(at_block.isna(), np.fmax(at_block, begins - 1.0)).where(~in_place, by)
    built = supplied + (spec.start_months + spec.build_months) / MONTHS_PER_YEAR
    return pd.DataFrame(
        {"supplied_at": supplied, "built_at": built, "full_at": built + spec.ramp_months / MONTHS_PER_YEAR}
    )


def demand_by_year(
    config: Config,
    spec: DemandSpec,
    fields: pd.DataFrame,
    blocks: Sequence[Block],
    terms: Terms | None,
    projects: pd.DataFrame,
    times: pd.DataFrame,
) -> pd.DataFrame:
    """Output and tax of the land as it is and of the projects, each apart.

    Year y is the time from y − 1 to y, and figures are what the year brings. The present output of a parcel (`stock`)
    counts until its block is cleared (without modes: until its phase begins), that of parcels outside the plan all the
    time; with modes only the share that the mode displaces goes. A project (`increment`) brings nothing until it is
    built, then ever more, evenly over ``ramp_months``, until it is full.

    Parameters
    ----------
    config : Config
    spec : DemandSpec
    fields : pandas.DataFrame
        By parcel id in the order of the problem, with ``area_mu`` and ``score``.
    blocks : sequence of Block
    terms : Terms or None
    projects : pandas.DataFrame
        Those that are matched or in place.
    times : pandas.DataFrame
        As `project_times` gives them, of the same projects.

    Returns
    -------
    pandas.DataFrame
        `YEAR_COLUMNS`. An amount is the sum over what is known, NaN where nothing is; beside it the parcels, or
        projects, that have a part in it and whose figure, or time, is unknown. ``let_mu`` is the land taken up by the
        end of the year, ``projects_supplied`` and ``projects_full`` how many have their land and are full by then.
    """
    years = _years(config, spec, terms, times)
    columns: dict[str, Any] = {"year": years.astype(np.int64)}
    left = _left(config, fields, blocks, terms, years)
    land = fields if config.modes is None else figure_fields(fields, config.modes.figures)
    expressions = stock_expressions(config, spec)
    built = times["built_at"].to_numpy(dtype=np.float64)
    grown = risen(years, built, spec.ramp_months / MONTHS_PER_YEAR, True)
    undated = np.isnan(built)
    for name in FIGURES:
        short = name.removesuffix("_yuan")
        text = expressions.get(name)
        now = np.full(len(fields), np.nan) if text is None else floats(evaluate_number(text, land))
        stock = [_sum(of_share(row, now), row != 0) for row in left]
        new = floats(projects[name])
        increment = [_sum(np.where(undated, np.nan, of_share(row, new)), (row != 0) | undated) for row in grown]
        for kind, sums, who in (("stock", stock, "parcels"), ("increment", increment, "projects")):
            columns[f"{kind}_{name}"] = [amount for amount, _ in sums]
            columns[f"{kind}_{short}_unknown_{who}"] = [unknown for _, unknown in sums]
    ends = years[:, None] + TIME_TOLERANCE
    has_land = times["supplied_at"].to_numpy(dtype=np.float64)[None, :] <= ends
    columns["let_mu"] = (has_land * floats(projects["site_mu"])[None, :]).sum(axis=1)
    columns["projects_supplied"] = has_land.sum(axis=1)
    columns["projects_full"] = (times["full_at"].to_numpy(dtype=np.float64)[None, :] <= ends).sum(axis=1)
    return pd.DataFrame(columns)[list(YEAR_COLUMNS)]


def _sum(values: Floats, part: Any) -> tuple[float, int]:
    amount, unknown, _ = known_sum(values, part, np.zeros(len(values)))
    return amount, unknown


def _years(config: Config, spec: DemandSpec, terms: Terms | None, times: pd.DataFrame) -> Floats:
    """From the first year of the plan to the horizon, or to the end of the year in which the last project is full."""
    first = first_year(config, terms)
    if spec.horizon_year is not None:
        last = spec.horizon_year
    else:
        ends = [p.year for p in config.optimise.phases]
        known = times["full_at"].dropna()
        last = math.ceil(max([*ends, *known]) - TIME_TOLERANCE)
    return np.arange(first, last + 1, dtype=np.float64)


def first_year(config: Config, terms: Terms | None) -> int:
    """The first year of the plan: without modes the year before which the first phase begins."""
    if terms is not None:
        return math.floor(float(terms.timetable.begins.min()) + TIME_TOLERANCE) + 1
    return config.optimise.phases[0].year


def _left(config: Config, fields: pd.DataFrame, blocks: Sequence[Block], terms: Terms | None, years: Floats) -> Floats:
    """Share of each parcel's present output that a year still has, ``float64[Y, n]``."""
    cleared, gone = np.full(len(fields), np.nan), np.ones(len(fields))
    shares = None
    if config.modes is not None:
        shares = by_mode(config.modes, "displaces", figure_fields(fields, config.modes.figures))
    for block in blocks:
        at = list(block.parcels)
        cleared[at] = clearing_time(config, block, terms)
        if shares is not None:
            gone[at] = shares[at, block.mode]
    return 1.0 - of_share(risen(years, cleared, 0.0, True), gone)
