"""Cells as text, as numbers, as codes: nothing is guessed, nothing becomes zero."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from geodata.errors import SHOWN_IDS

_Mask = npt.NDArray[np.bool_]

_NUMBER: Final = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_WHOLE_AS_FLOAT: Final = r"[0-9]+\.0"
_SCIENTIFIC: Final = r"[0-9]+(?:\.[0-9]*)?[eE]\+[0-9]+"  # as spreadsheets show long codes; a lot 12E3 is a name
_LARGEST: Final = 1e300  # beyond it only nodata marks such as -1.8e308 are found


@dataclass(frozen=True)
class Numbers:
    """A column read as numbers.

    Attributes
    ----------
    values : numpy.ndarray of float64, shape (n,)
        NaN where unknown.
    declared : numpy.ndarray of bool, shape (n,)
        Cells that hold a value declared to mean 'unknown'.
    bad : numpy.ndarray of bool, shape (n,)
        Cells that hold something that is not a number.
    """

    values: npt.NDArray[np.float64]
    declared: _Mask
    bad: _Mask


@dataclass(frozen=True)
class Texts:
    """A column read as text.

    Attributes
    ----------
    values : pandas.Series of string
        Stripped; missing where blank or declared to mean 'unknown'. Whole numbers have no decimal point.
    declared : numpy.ndarray of bool, shape (n,)
        Cells that hold a value declared to mean 'unknown'.
    lost : numpy.ndarray of bool, shape (n,)
        Numbers too long for the way they were stored: their last digits are gone.
    """

    values: pd.Series
    declared: _Mask
    lost: _Mask


def is_number_column(values: pd.Series) -> bool:
    """Whether a column is stored as numbers (booleans are not)."""
    return pd.api.types.is_numeric_dtype(values.dtype) and not pd.api.types.is_bool_dtype(values.dtype)


def read_numbers(values: pd.Series, missing: Iterable[str | int | float] = ()) -> Numbers:
    """Read a column as numbers.

    Text is a number only if it is written plainly (``12``, ``-3.5``, ``1e3``): no thousands separators, no
    full-width digits, no units. `missing` is compared as numbers with numbers and as text with text, so that 0 also
    finds the text ``'0.0'``.
    """
    marks = list(missing)
    if pd.api.types.is_numeric_dtype(values.dtype):
        numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
        blank = bad = np.zeros(len(values), dtype=bool)
        declared = np.zeros(len(values), dtype=bool)
    else:
        text = _text(values)
        blank = text.isna().to_numpy()
        declared = text.isin([str(mark).strip() for mark in marks]).to_numpy() & ~blank
        plain = text.str.fullmatch(_NUMBER).fillna(False).to_numpy(dtype=bool)
        numbers = np.full(len(text), np.nan)
        numbers[plain] = text[plain].astype("float64")
        bad = ~(plain | blank | declared)
    wanted = [number for mark in marks if (number := _as_float(mark)) is not None]
    declared = declared | np.isin(numbers, wanted)
    too_large = ~np.isnan(numbers) & ~(np.abs(numbers) < _LARGEST) & ~declared
    return Numbers(np.where(declared | too_large, np.nan, numbers), declared, bad | too_large)


def read_texts(values: pd.Series, missing: Iterable[str | int | float] = ()) -> Texts:
    """Read a column as text; `missing` is compared as text, and as numbers where the column is stored as numbers."""
    text = _text(values)
    marks = list(missing)
    declared = text.isin([str(mark).strip() for mark in marks]).to_numpy() & text.notna().to_numpy()
    lost = np.zeros(len(text), dtype=bool)
    if is_number_column(values):
        numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
        declared |= np.isin(numbers, [number for mark in marks if (number := _as_float(mark)) is not None])
        if pd.api.types.is_float_dtype(values.dtype):
            lost = np.abs(numbers) >= (2**24 if str(values.dtype).lower() == "float32" else 2**53)
    return Texts(text.mask(declared), declared, lost & ~declared)


def read_codes(values: pd.Series) -> Texts:
    """Read ids or join keys: text, whole numbers without ``.0``; a spreadsheet's 4.419E+17 has lost its digits too."""
    texts = read_texts(values)
    lost = texts.lost | texts.values.str.fullmatch(_SCIENTIFIC).fillna(False).to_numpy(dtype=bool)
    whole = texts.values.str.fullmatch(_WHOLE_AS_FLOAT).fillna(False).to_numpy(dtype=bool)
    codes = texts.values.where(~whole, texts.values.str.removesuffix(".0"))
    return Texts(codes, texts.declared, lost)


def name_rows(index: pd.Index, mask: _Mask, values: pd.Series | None = None) -> str:
    """First marked rows and a count, for messages: ``"row 3 '1,234', row 9 '12 mu' and 4 more"``.

    Rows are named by the index's name and label (``parcel_id 10002``); an index without a name counts from 1.
    """
    marked = np.flatnonzero(mask)
    name = str(index.name) if index.name is not None else "row"
    labels = [f"{name} {index[i] if index.name is not None else i + 1}" for i in marked[:SHOWN_IDS]]
    if values is not None:
        labels = [f"{label} {_quoted(values.iloc[i])}" for label, i in zip(labels, marked, strict=False)]
    rest = len(marked) - SHOWN_IDS
    return ", ".join(labels) + (f" and {rest} more" if rest > 0 else "")


def _quoted(value: Any) -> str:
    text = repr(str(value)) if isinstance(value, str) else str(value)
    return text if len(text) <= 40 else text[:37] + "..."


def _as_float(mark: str | float) -> float | None:
    """Number that a mark stands for, None if it is text."""
    if isinstance(mark, str) and not re.fullmatch(_NUMBER, mark.strip()):
        return None
    return float(mark)


def _text(values: pd.Series) -> pd.Series:
    """Column as pandas `string`, stripped, blank = missing."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(values.cat.categories.dtype)
    if pd.api.types.is_bool_dtype(values.dtype) and values.dtype != object:
        return values.astype("boolean").map({True: "true", False: "false"}, na_action="ignore").astype("string")
    if pd.api.types.is_integer_dtype(values.dtype):
        return values.astype("string")
    if not isinstance(values.dtype, pd.StringDtype):
        values = values.astype(object).map(_one_text)
    text = values.astype("string").str.strip()
    return text.mask(text == "")


def _one_text(value: Any) -> str | None:
    """One stored value as text."""
    match value:
        case None:
            return None
        case str():
            return value
        case float() | np.floating():
            number = float(value)
            return None if np.isnan(number) else str(int(number)) if number.is_integer() else str(value)
        case dict() | list() | np.ndarray():
            return json.dumps(
                value.tolist() if isinstance(value, np.ndarray) else value, ensure_ascii=False, default=str
            )
        case pd.Timestamp() | datetime.datetime():
            return None if pd.isna(value) else _iso(value)
        case _:
            return None if value is pd.NA or value is pd.NaT else str(value)


def _iso(value: datetime.datetime) -> str:
    """ISO 8601; a time of midnight is a date."""
    if value.time() == datetime.time(0) and value.tzinfo is None:
        return value.date().isoformat()
    return value.isoformat()
