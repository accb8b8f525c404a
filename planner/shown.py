"""What reports show of each parcel: the facts of ``report.show``, evaluated over the layer of parcels."""

from __future__ import annotations

from typing import Any

import pandas as pd

from planner.config import Config
from planner.expressions import evaluate, evaluate_number
from planner.modes.figures import figure_fields
from planner.spec_report import TEXT_FACTS, ShowSpec


def shown_expressions(config: Config) -> dict[str, str]:
    """Fact → expression, those that are known; sections of the modes stand in where ``report.show`` is silent."""
    given = {name: getattr(config.report.show, name) for name in ShowSpec.model_fields}
    chosen = {**_defaults(config), **{name: text for name, text in given.items() if text is not None}}
    return {name: chosen[name] for name in ShowSpec.model_fields if name in chosen}


def _defaults(config: Config) -> dict[str, str]:
    found: dict[str, Any] = {"village": config.optimise.village}
    modes = config.modes
    if modes is not None:
        if modes.consent is not None:
            found |= {"right_holders": modes.consent.holders, "signed_share": modes.consent.signed}
        if modes.decant is not None:
            found |= {"firms": modes.decant.firms, "large_firms": modes.decant.large_firms}
        if modes.space is not None:
            names = ("floor_m2", "tax_yuan", "output_yuan", "collective_income_yuan")
            found |= {name: getattr(modes.space, name) for name in names}
    return {name: str(text) for name, text in found.items() if text is not None}


def shown_facts(config: Config, parcels: pd.DataFrame) -> pd.DataFrame:
    """Facts of every parcel.

    Parameters
    ----------
    config : Config
    parcels : pandas.DataFrame
        Layer of parcels of a plan: ``parcel_id`` and every field.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``parcel_id``; a column per fact, texts as objects with None, numbers as Float64 with NA where
        unknown.
    """
    frame = pd.DataFrame(parcels.drop(columns="geometry", errors="ignore")).set_index("parcel_id")
    if config.modes is not None:
        frame = figure_fields(frame, config.modes.figures)
    columns: dict[str, Any] = {}
    for name, text in shown_expressions(config).items():
        if name in TEXT_FACTS:
            value = evaluate(text, frame)
            columns[name] = value.astype(object).where(value.notna(), None)
        else:
            columns[name] = evaluate_number(text, frame)
    return pd.DataFrame(columns, index=frame.index)
