"""Source columns → named fields: units, declared-missing values, numbers and text kept apart.

Dtypes of fields: numbers are pandas `Float64`, text is pandas `string`, truth values are `boolean`; all three hold
`pd.NA` where the value is unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from geodata.columns import Numbers, Texts, is_number_column, name_rows, read_codes, read_numbers, read_texts
from geodata.errors import DataError, Issue, list_ids
from geodata.spec import FieldSpec
from geodata.units import UnitError, canonical_unit, conversion_factor, dimension, parse_unit

Kind = Literal["number", "text", "boolean"]

RESERVED_FIELDS = frozenset(
    {
        "geometry",
        "parcel_id",
        "area_mu",
        "area_m2",
        "perimeter_m",
        "score",
        "status",
        "role",
        "reason",
        "locked",
        "note",
        "change",
        "forced_loss",
        "project_code",
        "block_id",
        "phase",
        "zone",
        "cost",
        "benefit",
        "earliest_phase",
        "mode",
        "between_mu",
        "boundary_mu",
        "ellipsoidal_mu",
        "cleared_mu",
        "accepted_mu",
    }
)
"""Names that a plan gives meaning to; no field may be called so."""


@dataclass(frozen=True)
class FieldNote:
    """What was done to make one field; raw material of the data-quality report.

    Attributes
    ----------
    field, column, source : str
        Field, the column it comes from, and the file (with layer or sheet).
    kind : {'number', 'text', 'boolean'}
        How it is kept.
    source_unit, unit : str or None
        Unit of the column as declared, and of the field.
    factor : float
        The column was multiplied by it.
    n_rows : int
        Rows of the source (features of a layer, rows of a table).
    n_missing : int
        Rows whose value is unknown, declared ones included.
    n_declared_missing : int
        Rows that hold a value declared to mean 'unknown'.
    n_negative : int
        Rows whose number is below zero: real in taxes (refunds), a mistake in areas.
    """

    field: str
    column: str
    source: str
    kind: Kind
    source_unit: str | None
    unit: str | None
    factor: float
    n_rows: int
    n_missing: int
    n_declared_missing: int
    n_negative: int = 0


def get_column(frame: pd.DataFrame, column: str, source: str) -> pd.Series:
    """Column of a frame by name.

    Raises
    ------
    DataError
        If there is none (the message lists those there are), or several of that name.
    """
    count = int((frame.columns == column).sum())
    if count == 1:
        return frame[column]
    names = ", ".join(str(name) for name in frame.columns if name != "geometry") or "none"
    raise DataError(
        Issue(
            where=source,
            found=f"{count} columns called {column!r}" if count else f"no column {column!r}",
            expected=f"one of the columns there are: {names}",
            fix="Rename one of them in the source." if count else "Correct the name, or leave the field out.",
        )
    )


def map_fields(
    frame: pd.DataFrame, fields: Mapping[str, FieldSpec], source: str
) -> tuple[pd.DataFrame, list[FieldNote]]:
    """Named fields from the columns of a source.

    Parameters
    ----------
    frame : pandas.DataFrame
        Source as read. A named index names the rows in messages.
    fields : mapping of str to FieldSpec
        Field → where it comes from. The order is kept.
    source : str
        File (with layer or sheet), for messages.

    Returns
    -------
    (pandas.DataFrame, list of FieldNote)
        Same index as `frame`; one column per field, in the dtypes of this module.

    Raises
    ------
    DataError
        For a missing column, text in a number column, a number in an id that lost its digits, a unit that does
        not fit: all of them, not only the first.
    """
    columns: dict[str, pd.Series] = {}
    notes: list[FieldNote] = []
    issues: list[Issue] = []
    for field, spec in fields.items():
        try:
            columns[field], note = map_field(frame, field, spec, source)
            notes.append(note)
        except DataError as error:
            issues.extend(error.issues)
    if issues:
        raise DataError(issues)
    return pd.DataFrame(columns, index=frame.index), notes


def map_field(
    frame: pd.DataFrame, field: str, spec: FieldSpec, source: str, *, number: bool = False
) -> tuple[pd.Series, FieldNote]:
    """One field; see `map_fields`. `number` makes it a number unless it is declared to be text."""
    unit, factor = field_unit(field, spec, source)
    column = get_column(frame, spec.column, source)
    kind = _kind(column, spec, number=number or unit is not None)
    if kind == "number":
        numbers = read_numbers(column, spec.missing)
        _refuse_bad_numbers(numbers, column, source)
        values = as_float64(numbers.values * factor, column.index)
        declared = numbers.declared
    elif kind == "text":
        texts = read_texts(column, spec.missing)
        refuse_lost_digits(texts, column, source)
        values, declared = texts.values, texts.declared
    else:
        values = column.astype("boolean")
        declared = np.zeros(len(values), dtype=bool)
    note = FieldNote(
        field=field,
        column=spec.column,
        source=source,
        kind=kind,
        source_unit=spec.unit,
        unit=unit,
        factor=factor,
        n_rows=len(values),
        n_missing=int(values.isna().sum()),
        n_declared_missing=int(declared.sum()),
        n_negative=int((values < 0).sum()) if kind == "number" else 0,
    )
    return values.rename(field), note


def field_unit(field: str, spec: FieldSpec, source: str) -> tuple[str | None, float]:
    """Unit of a field and the factor from its column.

    The field has the unit its name ends in; the column has `spec.unit`, by default the same. Money in a field whose
    name says no unit becomes whole units of the currency (万元 × 10 000); any other unit must be said by the name.

    Raises
    ------
    DataError
        If the unit is unknown, does not fit the name, or goes with ``type: text``.
    """
    named = None if spec.type == "text" else canonical_unit(field)
    if spec.unit is None:
        return named, 1.0
    where = f"{source}, field {field}"
    if spec.type == "text":
        raise DataError(Issue(where, f"unit {spec.unit} with type text", "a number", "Leave out `unit` or `type`."))
    try:
        if named is None:
            named = "unit" if dimension(spec.unit) == "money" else None
        if named is None:
            example = parse_unit(spec.unit).replace("/", "_per_")
            raise DataError(
                Issue(
                    where=where,
                    found=f"unit {spec.unit}, but the field's name ends in no unit",
                    expected=f"a name that says the unit, such as {field}_{example}",
                    fix="Rename the field (the column may keep its name), or leave `unit` out.",
                )
            )
        return named, conversion_factor(spec.unit, named)
    except UnitError as error:
        raise DataError(
            Issue(where, f"unit {spec.unit}", f"a unit that turns into {named or 'a field'}", f"{error}.")
        ) from error


def parcel_ids(frame: pd.DataFrame, column: str, source: str) -> pd.Index:
    """Parcel ids as text, unique.

    Returns
    -------
    pandas.Index
        Name ``parcel_id``, one per row of `frame`, same order. Whole numbers are written without a decimal point.

    Raises
    ------
    DataError
        If the column is missing; if an id is empty, occurs twice (also where the two differ only by spaces or by
        full-width characters, which nobody sees), or lost digits on its way through a spreadsheet.
    """
    stored = get_column(frame, column, source)
    codes = read_codes(stored)
    issues: list[Issue] = []
    empty = codes.values.isna().to_numpy()
    where = f"{source}, column {column}"
    if empty.any():
        issues.append(
            Issue(where, f"no id in {name_rows(frame.index, empty)}", "an id for every parcel", "Fill in the ids.")
        )
    issues.extend(_lost_digits(codes, stored, source))
    issues.extend(_repeated_ids(codes, empty, frame.index, where))
    if issues:
        raise DataError(issues)
    return pd.Index(codes.values.astype(str).tolist(), name="parcel_id", dtype="str")


def _repeated_ids(codes: Texts, empty: npt.NDArray[np.bool_], index: pd.Index, where: str) -> list[Issue]:
    """Ids that occur more than once: written alike, and looking alike."""
    usable = ~empty & ~codes.lost
    same = codes.values.duplicated(keep=False).to_numpy() & usable
    alike = fold_codes(codes.values).duplicated(keep=False).to_numpy() & usable & ~same
    issues = []
    if same.any():
        twice = codes.values[same]
        issues.append(
            Issue(
                where=where,
                found=f"ids that occur more than once: {list_ids(list(dict.fromkeys(twice)))} "
                f"({name_rows(index, same)})",
                expected="unique ids",
                fix="Name a column that is unique, or give these parcels ids of their own.",
            )
        )
    if alike.any():
        issues.append(
            Issue(
                where=where,
                found="ids that differ only by spaces or full-width characters: "
                f"{name_rows(index, alike, codes.values)}",
                expected="ids that can be told apart",
                fix="Write them alike if they are one parcel, else give them ids of their own.",
            )
        )
    return issues


def fold_codes(codes: pd.Series) -> pd.Series:
    """Codes as they look: full-width characters as plain ones (Unicode NFKC), without spaces. Missing stays missing."""
    return codes.str.normalize("NFKC").str.replace(r"\s+", "", regex=True)


def refuse_lost_digits(texts: Texts, stored: pd.Series, source: str) -> None:
    """Raise where codes lost digits.

    Raises
    ------
    DataError
        Naming the rows.
    """
    issues = _lost_digits(texts, stored, source)
    if issues:
        raise DataError(issues)


def _lost_digits(texts: Texts, stored: pd.Series, source: str) -> list[Issue]:
    if not texts.lost.any():
        return []
    return [
        Issue(
            where=f"{source}, column {stored.name}",
            found=f"codes whose last digits are gone: {name_rows(stored.index, texts.lost, stored)}",
            expected="codes as text, such as 441900001",
            fix="Long codes went through numbers: take them as text from the original (in Excel: format as text).",
        )
    ]


def as_float64(values: npt.NDArray[np.float64], index: pd.Index) -> pd.Series:
    """Nullable numbers from floats with NaN."""
    return pd.Series(pd.arrays.FloatingArray(values.astype(np.float64), np.isnan(values)), index=index)


def _kind(column: pd.Series, spec: FieldSpec, *, number: bool) -> Kind:
    if spec.type != "auto":
        return spec.type
    if number or is_number_column(column):
        return "number"
    if pd.api.types.is_bool_dtype(column.dtype):
        return "boolean"
    return "text"


def _refuse_bad_numbers(numbers: Numbers, column: pd.Series, source: str) -> None:
    if not numbers.bad.any():
        return
    cells = column.astype("string").str.strip()
    percent = bool(cells[numbers.bad].str.endswith(("%", "％")).fillna(False).all())
    raise DataError(
        Issue(
            where=f"{source}, column {column.name}",
            found=f"text where numbers stand: {name_rows(column.index, numbers.bad, column)}",
            expected="plain numbers such as 1234.5, without thousands separators, full-width digits or units",
            fix="Write percentages as shares: 35% is 0.35."
            if percent
            else "Correct these cells, or declare what means 'unknown': `missing: [...]`.",
        )
    )
