"""Join an attribute table to the parcels: many rows per parcel by a declared rule, every loose end counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from geodata.attributes import FieldNote, as_float64, fold_codes, get_column, map_field, refuse_lost_digits
from geodata.columns import name_rows, read_codes, read_numbers
from geodata.errors import DataError, Issue, list_ids
from geodata.spec import TableFieldSpec, TableSpec

_Ints = npt.NDArray[np.int64]
_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class JoinReport:
    """How a table met the parcels; ids are parcel ids unless said otherwise.

    Attributes
    ----------
    source : str
        The table.
    n_rows : int
        Rows of the table.
    n_rows_without_key : int
        Rows whose key is blank: they belong to no parcel.
    n_rows_matched : int
        Rows whose key is that of a parcel.
    keys_without_parcel : tuple of str
        Keys of the table that no parcel has, in order of appearance.
    n_parcels_matched : int
        Parcels with at least one row.
    parcels_without_key : tuple of str
        Parcels whose own key is blank.
    parcels_without_row : tuple of str
        Parcels with a key that the table does not have.
    parcels_sharing_key : tuple of str
        Matched parcels that have their key in common with another: each gets the row's values, so totals over
        parcels count these rows more than once.
    n_parcels_with_several_rows, max_rows_per_parcel : int
        Many rows per parcel, before aggregation.
    partly_unknown_sums : mapping of str to tuple of str
        Field → parcels whose sum leaves out rows with an unknown value.
    ties : mapping of str to tuple of str
        Field (``value_of_max``) → parcels where several rows share the largest `by` but not the value; the first
        row was taken.
    notes : tuple of FieldNote
        What was done to the columns, in table rows.
    lookalike_keys : tuple of str
        Of `keys_without_parcel`, those that a parcel has but for spaces or full-width characters.
    """

    source: str
    n_rows: int
    n_rows_without_key: int
    n_rows_matched: int
    keys_without_parcel: tuple[str, ...]
    n_parcels_matched: int
    parcels_without_key: tuple[str, ...]
    parcels_without_row: tuple[str, ...]
    parcels_sharing_key: tuple[str, ...]
    n_parcels_with_several_rows: int
    max_rows_per_parcel: int
    partly_unknown_sums: Mapping[str, tuple[str, ...]]
    ties: Mapping[str, tuple[str, ...]]
    notes: tuple[FieldNote, ...]
    lookalike_keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Groups:
    """Rows of a table by key: `code` of each row (-1 without a key), number of keys."""

    code: _Ints
    n: int

    def rows_per_key(self) -> _Ints:
        return np.bincount(self.code[self.code >= 0], minlength=self.n)


@dataclass(frozen=True)
class _Aggregate:
    """One value per key, and the keys that need a remark."""

    values: pd.Series
    note: FieldNote
    partly_unknown: npt.NDArray[np.bool_] | None = None
    tied: npt.NDArray[np.bool_] | None = None


def join_table(
    parcel_keys: pd.Series, table: pd.DataFrame, spec: TableSpec, source: str
) -> tuple[pd.DataFrame, JoinReport]:
    """Fields of the parcels from a table.

    Parameters
    ----------
    parcel_keys : pandas.Series
        Key of every parcel, index ``parcel_id``; may be blank, may repeat.
    table : pandas.DataFrame
        As `geodata.tables.read_table` gives it.
    spec : TableSpec
        Key column and fields. Keys are compared as text, stripped, whole numbers without ``.0``.
    source : str
        Name of the table for messages.

    Returns
    -------
    (pandas.DataFrame, JoinReport)
        Index and order of `parcel_keys`, one column per field. Unknown where a parcel has no row, also for
        ``count``: no row is not a count of zero.

    Raises
    ------
    DataError
        For missing columns, unreadable values, keys that lost digits, or when no row meets a parcel.
    """
    stored = get_column(table, spec.key.table, source)
    codes = read_codes(stored)
    refuse_lost_digits(codes, stored, source)
    code, keys = pd.factorize(codes.values)
    groups = _Groups(code.astype(np.int64), len(keys))

    aggregates = _aggregate_all(table, spec, groups, source)
    ours = read_codes(parcel_keys)
    refuse_lost_digits(ours, parcel_keys, f"parcels, key {spec.key.parcels}")
    at = pd.Index(keys, dtype=object).get_indexer(pd.Index(ours.values.astype(object)))
    at[ours.values.isna().to_numpy()] = -1
    if not (at >= 0).any():
        raise DataError(_nothing_matches(spec, list(ours.values.dropna()), [str(key) for key in keys], source))

    columns = {field: _spread(aggregate.values, at, parcel_keys.index) for field, aggregate in aggregates.items()}
    report = _report(
        source,
        groups=groups,
        keys=[str(key) for key in keys],
        parcel_keys=ours.values,
        at=at,
        aggregates=aggregates,
    )
    return pd.DataFrame(columns, index=parcel_keys.index), report


def _aggregate_all(table: pd.DataFrame, spec: TableSpec, groups: _Groups, source: str) -> dict[str, _Aggregate]:
    aggregates: dict[str, _Aggregate] = {}
    issues: list[Issue] = []
    for field, field_spec in spec.fields.items():
        try:
            aggregates[field] = _aggregate(table, field, field_spec, groups, source)
        except DataError as error:
            issues.extend(error.issues)
    if issues:
        raise DataError(issues)
    return aggregates


def _aggregate(table: pd.DataFrame, field: str, spec: TableFieldSpec, groups: _Groups, source: str) -> _Aggregate:
    """One value per key. Only sum and count make new values; the other rules pick a row."""
    if spec.agg == "count":
        return _count(table, field, spec, groups, source)
    adds_or_orders = spec.agg in {"sum", "max", "min"}
    if adds_or_orders and spec.type == "text":
        raise DataError(
            Issue(f"{source}, field {field}", f"agg {spec.agg} of text", "a number", "Use agg: first, or type: number.")
        )
    values, note = map_field(table, field, spec, source, number=adds_or_orders)
    known = values.notna().to_numpy() & (groups.code >= 0)
    if spec.agg == "sum":
        return _sum(values, note, known, groups)
    if spec.agg == "first":
        return _Aggregate(_take(values, _first_row(np.flatnonzero(known), groups)), note)
    if spec.agg == "value_of_max":
        by = _by_numbers(table, spec, source)
        rows = np.flatnonzero(~np.isnan(by) & (groups.code >= 0))
        picked = _largest_row(by, rows, groups)
        return _Aggregate(_take(values, picked), note, tied=_disagreeing(values, by, rows, picked, groups))
    numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
    picked = _largest_row(numbers if spec.agg == "max" else -numbers, np.flatnonzero(known), groups)
    return _Aggregate(_take(values, picked), note)


def _count(table: pd.DataFrame, field: str, spec: TableFieldSpec, groups: _Groups, source: str) -> _Aggregate:
    get_column(table, spec.column, source)
    note = FieldNote(field, spec.column, source, "number", None, None, 1.0, len(table), 0, 0)
    return _Aggregate(as_float64(groups.rows_per_key().astype(np.float64), pd.RangeIndex(groups.n)), note)


def _sum(values: pd.Series, note: FieldNote, known: npt.NDArray[np.bool_], groups: _Groups) -> _Aggregate:
    numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
    total = np.bincount(groups.code[known], weights=numbers[known], minlength=groups.n).astype(np.float64)
    n_known = np.bincount(groups.code[known], minlength=groups.n)
    total[n_known == 0] = np.nan
    partly = (n_known > 0) & (n_known < groups.rows_per_key())
    return _Aggregate(as_float64(total, pd.RangeIndex(groups.n)), note, partly_unknown=partly)


def _by_numbers(table: pd.DataFrame, spec: TableFieldSpec, source: str) -> _Floats:
    column = get_column(table, str(spec.by), source)
    numbers = read_numbers(column)
    if numbers.bad.any():
        raise DataError(
            Issue(
                where=f"{source}, column {spec.by}",
                found=f"text where numbers stand: {name_rows(column.index, numbers.bad, column)}",
                expected="plain numbers, to find the row with the largest",
                fix="Correct these cells, or choose another column for `by`.",
            )
        )
    return numbers.values


def _first_row(rows: _Ints | npt.NDArray[np.intp], groups: _Groups) -> _Ints:
    """First of the given rows for each key, -1 where none."""
    picked = np.full(groups.n, -1, dtype=np.int64)
    picked[groups.code[rows[::-1]]] = rows[::-1]  # written backwards, the first row is written last
    return picked


def _largest_row(numbers: _Floats, rows: npt.NDArray[np.intp], groups: _Groups) -> _Ints:
    """Row with the largest number among the given rows for each key, the first of equals; -1 where none."""
    return _first_row(rows[np.argsort(-numbers[rows], kind="stable")], groups)


def _disagreeing(
    values: pd.Series, by: _Floats, rows: npt.NDArray[np.intp], picked: _Ints, groups: _Groups
) -> npt.NDArray[np.bool_]:
    """Keys where another row has the same largest number but another value."""
    winner = picked[groups.code[rows]]
    number, _ = pd.factorize(values, use_na_sentinel=True)
    odd = (by[rows] == by[winner]) & (number[rows] != number[winner])
    tied = np.zeros(groups.n, dtype=bool)
    tied[groups.code[rows[odd]]] = True
    return tied


def _take(values: pd.Series, rows: _Ints) -> pd.Series:
    """Values of rows; -1 gives unknown. Keeps the nullable dtype."""
    return pd.Series(values.array.take(rows, allow_fill=True))


def _spread(per_key: pd.Series, at: npt.NDArray[Any], index: pd.Index) -> pd.Series:
    return pd.Series(per_key.array.take(at, allow_fill=True), index=index)


def _report(
    source: str,
    *,
    groups: _Groups,
    keys: list[str],
    parcel_keys: pd.Series,
    at: npt.NDArray[Any],
    aggregates: Mapping[str, _Aggregate],
) -> JoinReport:
    ids = np.array([str(i) for i in parcel_keys.index], dtype=object)
    rows_per_key = groups.rows_per_key()
    parcels_per_key = np.bincount(at[at >= 0], minlength=groups.n)
    rows_per_parcel = np.where(at >= 0, rows_per_key[at], 0)

    def listed(mask: npt.NDArray[np.bool_]) -> tuple[str, ...]:
        return tuple(ids[mask])

    def of_keys(marked: npt.NDArray[np.bool_]) -> tuple[str, ...]:
        return listed((at >= 0) & marked[at])

    no_key = parcel_keys.isna().to_numpy()
    loose = tuple(key for key, n in zip(keys, parcels_per_key, strict=True) if n == 0)
    return JoinReport(
        source=source,
        n_rows=len(groups.code),
        n_rows_without_key=int((groups.code < 0).sum()),
        n_rows_matched=int(rows_per_key[parcels_per_key > 0].sum()),
        keys_without_parcel=loose,
        n_parcels_matched=int((at >= 0).sum()),
        parcels_without_key=listed(no_key),
        parcels_without_row=listed((at < 0) & ~no_key),
        parcels_sharing_key=of_keys(parcels_per_key > 1),
        n_parcels_with_several_rows=int((rows_per_parcel > 1).sum()),
        max_rows_per_parcel=int(rows_per_parcel.max(initial=0)),
        partly_unknown_sums={
            field: of_keys(a.partly_unknown) for field, a in aggregates.items() if a.partly_unknown is not None
        },
        ties={field: of_keys(a.tied) for field, a in aggregates.items() if a.tied is not None},
        notes=tuple(a.note for a in aggregates.values()),
        lookalike_keys=_lookalikes(loose, parcel_keys),
    )


def _lookalikes(loose: tuple[str, ...], parcel_keys: pd.Series) -> tuple[str, ...]:
    """Keys without a parcel that look like the key of one."""
    ours = fold_codes(parcel_keys.dropna())
    theirs = pd.Series(loose, dtype="string")
    return tuple(theirs[fold_codes(theirs).isin(ours)])


def _nothing_matches(spec: TableSpec, ours: list[str], theirs: list[str], source: str) -> Issue:
    return Issue(
        where=f"{source}, key {spec.key.table}",
        found=f"no key that a parcel has; keys of the table: {list_ids(theirs) or 'none'}; "
        f"keys of the parcels ({spec.key.parcels}): {list_ids(ours) or 'none'}",
        expected="keys in common",
        fix="Check the two columns of `key`: they are compared as text.",
    )
