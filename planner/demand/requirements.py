"""What the section `demand` needs of the land, looked at before a plan is sought: no plan is lost to a slip in it."""

from __future__ import annotations

import pandas as pd

from geodata.errors import DataError, Issue, list_ids
from planner.config import Config
from planner.demand.years import first_year, stock_expressions
from planner.errors import ConfigError
from planner.expressions import evaluate_number
from planner.modes.figures import figure_fields
from planner.modes.terms import Terms


def require_demand(config: Config, fields: pd.DataFrame, terms: Terms | None) -> None:
    """Raise where frontage, present output or tax cannot be worked out, or the horizon lies before the plan.

    Parameters
    ----------
    config : Config
        With a section `demand`.
    fields : pandas.DataFrame
        By parcel id, with ``score``; without the figures of the modes.
    terms : Terms or None
        None without modes.

    Raises
    ------
    ConfigError
        An expression that is wrong or gives no number; ``horizon_year`` before the first year of the plan.
    DataError
        Frontage below 0.
    """
    spec = config.demand
    assert spec is not None
    land = fields if config.modes is None else figure_fields(fields, config.modes.figures)
    for text in stock_expressions(config, spec).values():
        evaluate_number(text, land)
    first = first_year(config, terms)
    if spec.horizon_year is not None and spec.horizon_year < first:
        expected = f"{first}, the first year of the plan, or later"
        raise ConfigError(Issue("demand.horizon_year", str(spec.horizon_year), expected, "Correct the year."))
    if spec.frontage_m is not None:
        front = evaluate_number(spec.frontage_m, land)
        below = front.index[(front < 0).fillna(False).to_numpy(dtype=bool)]
        if len(below):
            found = f"numbers below 0 in parcels {list_ids(list(below))}"
            raise DataError(Issue("demand.frontage_m", found, "0 or more", "Correct the data or the expression."))
