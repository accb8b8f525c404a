"""What the columns of layers are called and mean: for aliases in QGIS and for the field dictionary."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from planner.config import Config
from planner.labels import Labels
from planner.shown import shown_expressions

_UNITS: Final = (
    ("wan_yuan_per_mu", "wan_yuan_per_mu"),
    ("wan_yuan", "wan_yuan"),
    ("yuan", "yuan"),
    ("mu", "mu"),
    ("m2", "m2"),
    ("m", "m"),
    ("year", "year"),
    ("share", "share"),
)
"""Endings of names and their units, the longer first."""
_MONEY: Final = ("cost", "benefit", "forced_loss", "worth_lost")


def column_aliases(labels: Labels, config: Config | None = None) -> dict[str, str]:
    """Column → what people call it, where that is known.

    Fields of the configuration take the name of the fact that they are shown as, see ``report.show``.
    """
    facts = {} if config is None else {field: name for name, field in shown_expressions(config).items()}
    words = {field: labels(f"fact_{name}") for field, name in facts.items() if field.isidentifier()}
    known = {key.removeprefix("column_"): word for key, word in labels.words.items() if key.startswith("column_")}
    return {**words, **known}


def column_unit(column: str, labels: Labels, currency: str) -> str:
    """Unit by the end of a column's name, the currency of money without one, nothing where there is none."""
    if column in _MONEY:
        return currency
    for ending, unit in _UNITS:
        if re.search(rf"(^|_){ending}$", column):
            return labels(f"gis_unit_{unit}")
    return ""


def column_type(values: pd.Series[Any], labels: Labels) -> str:
    """Type of a column in words."""
    if pd.api.types.is_bool_dtype(values.dtype):
        return labels("gis_type_yes_no")
    if pd.api.types.is_integer_dtype(values.dtype):
        return labels("gis_type_whole")
    return labels("gis_type_number" if pd.api.types.is_numeric_dtype(values.dtype) else "gis_type_text")


def dictionary_rows(
    layer: str,
    columns: pd.DataFrame,
    names: Mapping[str, str],
    aliases: Mapping[str, str],
    labels: Labels,
    currency: str,
) -> list[tuple[str, ...]]:
    """Rows of the field dictionary of one layer: layer, short name, full name, meaning, unit, type."""
    return [
        (
            layer,
            short,
            full,
            aliases.get(full, ""),
            column_unit(full, labels, currency),
            column_type(columns[full], labels),
        )
        for full, short in names.items()
    ]
