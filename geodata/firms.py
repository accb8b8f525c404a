"""Firms on parcels, many on one and one on many: counted, added up, and every loose end listed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.attributes import as_float64, get_column, map_field, refuse_lost_digits
from geodata.columns import name_rows, read_codes, read_texts
from geodata.contract import (
    BoolArray,
    FloatArray,
    IntArray,
    geometry_array,
    require_parcels,
    require_polygons,
    require_same_crs,
)
from geodata.credit_code import code_faults, tidy_code
from geodata.errors import DataError, Issue
from geodata.firm_places import Places, places_of_points, places_of_table, shares_by_area
from geodata.layer_shapes import row_names, source_of
from geodata.notes import SourceNote
from geodata.spec import FieldSpec
from geodata.spec_land import FirmFieldSpec, FirmsSpec
from geodata.units import M2_PER_MU, canonical_unit

_TRUE: Final = ("是", "有", "yes", "y", "true", "t", "1", "√")
_FALSE: Final = ("否", "无", "no", "n", "false", "f", "0", "×")


@dataclass(frozen=True)
class FirmResult:
    """What the firms say of the parcels.

    Attributes
    ----------
    fields : pandas.DataFrame
        Index and order of the parcels, one ``Float64`` column per field.
    firms : pandas.DataFrame
        Long form, sorted by firm and parcel: ``credit_code`` (empty where the source has none), ``name``,
        ``parcel_id``, ``share`` (of the firm on this parcel, by area; the shares of a firm add up to 1), ``how``
        (inside, boundary, nearest, table). A firm on no parcel has one row without parcel and share.
    notes : list of SourceNote
        Codes that fail their check, firms on no parcel, figures that disagree, unknown and negative amounts, and for
        every sum what became of the total.
    """

    fields: pd.DataFrame
    firms: pd.DataFrame
    notes: list[SourceNote]


@dataclass(frozen=True)
class _Firms:
    """Rows gathered into firms, and where these stand.

    Attributes
    ----------
    of_row : int64[rows]
        Firm of each row of the source.
    labels : list of str
        Code of each firm, or its row where it has none; sorted.
    codes, names : pandas.Series of string
        By firm.
    firm, parcel : int64[k]
        Pairs, sorted.
    share : float64[k]
        Of the firm on the parcel.
    how : object[k]
        How the place was found.
    """

    of_row: IntArray
    labels: list[str]
    codes: pd.Series
    names: pd.Series
    firm: IntArray
    parcel: IntArray
    share: FloatArray
    how: np.ndarray

    @property
    def n(self) -> int:
        return len(self.labels)

    def named(self, mask: BoolArray) -> list[str]:
        return [label for label, marked in zip(self.labels, mask, strict=True) if marked]


def firm_fields(parcels: gpd.GeoDataFrame, firms: pd.DataFrame, spec: FirmsSpec) -> FirmResult:
    """Fields of the parcels from the firms on them.

    Rows of one credit code are one firm on several parcels; its amounts must agree, an empty cell agreeing with any
    (where they differ the amount is unknown and listed). Rows without a code are firms of their own. For sums a firm on
    several parcels is shared out by their measured areas, so that the sum over parcels is that over the firms placed;
    counts, maxima and minima take it in full on each.

    A parcel without a firm has a count of 0; its sums, maxima and minima are unknown, for no firm *known* there is not
    zero tax. A sum leaves unknown amounts out (listed as partly unknown), and is unknown where all are. With `where`
    only firms count for which the column says yes; a parcel with firms none of which counts has the sum 0, and a firm
    for which it says nothing is not counted and makes sums partly unknown. Negative amounts are kept.

    Parameters
    ----------
    parcels : geopandas.GeoDataFrame
        Valid polygons in a metric CRS, index ``parcel_id``.
    firms : pandas.DataFrame
        Points in the same CRS (a GeoDataFrame), or with `spec.table` the table as `geodata.tables.read_table` gives it.
    spec : FirmsSpec
        Columns and fields.

    Returns
    -------
    FirmResult

    Raises
    ------
    DataError, CrsError
        Missing columns, text in number columns, codes or ids that lost digits, units that do not fit, geometry that is
        no point, ids of which no parcel has any.
    """
    require_parcels(parcels)
    require_polygons(parcels)
    source = source_of(spec.table or spec.path, None if spec.table else spec.layer, "firms")
    if isinstance(firms, gpd.GeoDataFrame):
        require_same_crs(firms, parcels, source)
    area_m2 = shapely.area(geometry_array(parcels))
    issues: list[Issue] = []
    gathered = None
    try:
        gathered, notes = _gather(parcels, firms, spec, area_m2, source)
    except DataError as error:
        issues += error.issues
    columns: dict[str, tuple[pd.Series, pd.Series]] = {}
    for field, one in spec.fields.items():
        try:
            columns[field] = _columns(firms, field, one, source)
        except DataError as error:
            issues += error.issues
    if issues or gathered is None:
        raise DataError(dict.fromkeys(issues))
    fields: dict[str, pd.Series] = {}
    for field, (amounts, counts) in columns.items():
        figures = _figures(gathered, amounts, counts)
        values = _values(gathered, figures, spec.fields[field], area_m2)
        fields[field] = as_float64(values, parcels.index)
        notes += _field_notes(field, spec.fields[field], gathered, figures, values, parcels.index, source)
    notes += _empty_parcels(gathered, parcels.index, source)
    return FirmResult(pd.DataFrame(fields, index=parcels.index), _long_form(gathered, parcels.index), notes)


def _gather(
    parcels: gpd.GeoDataFrame, firms: pd.DataFrame, spec: FirmsSpec, area_m2: FloatArray, source: str
) -> tuple[_Firms, list[SourceNote]]:
    codes, notes = _codes(firms, spec.id, source)
    if spec.table is None:
        places, more = places_of_points(parcels, gpd.GeoDataFrame(firms), spec.nearest_m, source)
    else:
        places, more = places_of_table(parcels.index, firms, str(spec.parcel), source)
    notes += more
    rows = row_names(firms.index)
    key = codes.astype(object).where(codes.notna().to_numpy(), pd.Series(rows, index=codes.index, dtype=object))
    of_row, labels = pd.factorize(key, sort=True)
    names = _one_of(read_texts(get_column(firms, spec.name, source)).values, of_row, len(labels)) if spec.name else None
    if names is not None:
        odd = [str(label) for label, several in zip(labels, names[1], strict=True) if several]
        if odd:
            what = "firms with several names under one code: the first in the order of text was taken"
            notes.append(SourceNote.of(source, what, odd))
    of_firm = _one_of(codes, of_row, len(labels))[0]
    blank = pd.Series(pd.NA, index=range(len(labels)), dtype="string")
    gathered = _placed(
        of_row.astype(np.int64), labels, (of_firm, blank if names is None else names[0]), places, area_m2
    )
    return gathered, [*notes, *_place_notes(gathered, parcels.index, source)]


def _codes(firms: pd.DataFrame, column: str, source: str) -> tuple[pd.Series, list[SourceNote]]:
    """Tidy credit codes by position of the row, and what is wrong with them."""
    stored = get_column(firms, column, source)
    read = read_codes(stored)
    refuse_lost_digits(read, stored, source)
    codes = read.values.reset_index(drop=True).map(tidy_code, na_action="ignore").astype("string")
    notes = []
    faults, _ = code_faults(codes)
    if faults:
        what = f"credit codes in {column} that fail their check (GB 32100-2015); the firms are kept"
        notes.append(SourceNote.of(source, what, faults))
    blank = codes.isna().to_numpy()
    if blank.any():
        what = f"firms without a credit code in {column}: each row is a firm of its own"
        notes.append(SourceNote.of(source, what, np.array(row_names(firms.index), dtype=object)[blank].tolist()))
    return codes, notes


def _one_of(texts: pd.Series, firm: IntArray, n: int) -> tuple[pd.Series, BoolArray]:
    """First text of each firm in the order of text, and the firms that have several."""
    known = pd.DataFrame({"firm": firm, "text": texts.array.astype(object)}).dropna()
    by_firm = known.sort_values(["firm", "text"]).groupby("firm")["text"]
    several = by_firm.nunique().reindex(range(n), fill_value=0).to_numpy() > 1
    return by_firm.first().reindex(range(n)).astype("string"), several


def _placed(
    of_row: IntArray, labels: pd.Index, texts: tuple[pd.Series, pd.Series], places: Places, area_m2: FloatArray
) -> _Firms:
    pairs = places.assign(firm=of_row[places["row"].to_numpy()]).sort_values(["firm", "parcel", "how"])
    pairs = pairs.drop_duplicates(["firm", "parcel"])
    firm, parcel = pairs["firm"].to_numpy(dtype=np.int64), pairs["parcel"].to_numpy(dtype=np.int64)
    share = shares_by_area(firm, parcel, area_m2)
    return _Firms(of_row, [str(label) for label in labels], *texts, firm, parcel, share, pairs["how"].to_numpy())


def _place_notes(gathered: _Firms, index: pd.Index, source: str) -> Iterator[SourceNote]:
    on = np.bincount(gathered.firm, minlength=gathered.n)
    if (on == 0).any():
        yield SourceNote.of(source, "firms on no parcel: they count nowhere", gathered.named(on == 0))
    if (on > 1).any():
        what = "firms on several parcels: sums are shared out by area"
        yield SourceNote.of(source, what, gathered.named(on > 1), warning=False)
    many = np.bincount(gathered.parcel, minlength=len(index)) > 1
    if many.any():
        yield SourceNote.of(source, "several firms on one parcel", list(index[many]), are_parcels=True, warning=False)


def _columns(firms: pd.DataFrame, field: str, spec: FirmFieldSpec, source: str) -> tuple[pd.Series, pd.Series]:
    """Amount and whether it counts, by row of the source: Float64 and boolean, missing where unknown."""
    counts = _yes_or_no(get_column(firms, spec.where, source), source) if spec.where else None
    if counts is None:
        counts = pd.Series(True, index=firms.index, dtype="boolean")
    if spec.column is None:
        return pd.Series(1.0, index=firms.index, dtype="Float64"), counts
    as_field = FieldSpec(column=spec.column, unit=_unit(field, spec, source), missing=spec.missing, type="number")
    amounts, _ = map_field(firms, field, as_field, source, number=True)
    return amounts, counts


def _unit(field: str, spec: FirmFieldSpec, source: str) -> str | None:
    """Unit to convert from: with `per_mu` the column's amount becomes a rate."""
    named = canonical_unit(field)
    where = f"{source}, field {field}"
    if spec.per_mu:
        if named is not None and not named.endswith("/mu"):
            raise DataError(Issue(where, f"per_mu, but a name in {named}", "a name that ends in _per_mu", "Rename it."))
        return None if spec.unit is None else f"{spec.unit}/mu"
    if spec.agg == "sum" and "/" in (spec.unit or named or ""):
        fix = "Sum amounts and say `per_mu: true`, or use agg: max or min."
        raise DataError(Issue(where, f"a sum of rates ({spec.unit or named})", "a sum of amounts", fix))
    return spec.unit


def _yes_or_no(column: pd.Series, source: str) -> pd.Series:
    text = read_texts(column).values.str.lower()
    yes, no = text.isin(_TRUE), text.isin(_FALSE)
    odd = (text.notna() & ~yes & ~no).fillna(False).to_numpy(dtype=bool)
    if odd.any():
        raise DataError(
            Issue(
                f"{source}, column {column.name}",
                f"neither yes nor no: {name_rows(column.index, odd, column)}",
                f"{', '.join(_TRUE)} or {', '.join(_FALSE)}, or an empty cell for unknown",
                "Correct these cells, or name another column in `where`.",
            )
        )
    return yes.astype("boolean").mask(text.isna())


@dataclass(frozen=True)
class _Figures:
    """One field by firm: amount (NaN unknown), whether the firm counts, whether that is unknown, and what disagrees."""

    amount: FloatArray
    counts: BoolArray
    unsure: BoolArray
    disagree: BoolArray


def _figures(gathered: _Firms, amounts: pd.Series, counts: pd.Series) -> _Figures:
    amount, differ = _agreed(amounts, gathered)
    said, torn = _agreed(counts.astype("Float64"), gathered)
    return _Figures(amount, said == 1, np.isnan(said), differ | torn)


def _agreed(column: pd.Series, gathered: _Firms) -> tuple[FloatArray, BoolArray]:
    """The one known value of each firm, NaN where there is none or they differ; and where they differ."""
    values = np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64)
    low, high = np.full(gathered.n, np.inf), np.full(gathered.n, -np.inf)
    known = ~np.isnan(values)
    np.minimum.at(low, gathered.of_row[known], values[known])
    np.maximum.at(high, gathered.of_row[known], values[known])
    return np.where(low == high, low, np.nan), low < high


def _values(gathered: _Firms, figures: _Figures, spec: FirmFieldSpec, area_m2: FloatArray) -> FloatArray:
    """One field by parcel, NaN where unknown."""
    n = len(area_m2)
    amount, counts = figures.amount[gathered.firm], figures.counts[gathered.firm]
    known = counts & ~np.isnan(amount)
    where, what = gathered.parcel[known], amount[known]
    if spec.agg == "count":
        out = np.bincount(where, minlength=n).astype(np.float64)
    elif spec.agg == "sum":
        out = np.bincount(where, weights=what * gathered.share[known], minlength=n).astype(np.float64)
        open_ = np.bincount(gathered.parcel[_unknown(gathered, figures)], minlength=n)
        here, of_them = (np.bincount(p, minlength=n) for p in (gathered.parcel, where))
        out[(here == 0) | ((of_them == 0) & (open_ > 0))] = np.nan
    else:
        start = -np.inf if spec.agg == "max" else np.inf
        out = np.full(n, start)
        (np.maximum if spec.agg == "max" else np.minimum).at(out, where, what)
        out[np.isinf(out)] = np.nan
    return out / (area_m2 / M2_PER_MU) if spec.per_mu else out


def _unknown(gathered: _Firms, figures: _Figures) -> BoolArray:
    """Pairs whose amount belongs to the field but is unknown, or of which it is unknown whether it does."""
    open_ = (figures.counts & np.isnan(figures.amount)) | figures.unsure
    return np.asarray(open_[gathered.firm])


def _field_notes(
    field: str,
    spec: FirmFieldSpec,
    gathered: _Firms,
    figures: _Figures,
    values: FloatArray,
    index: pd.Index,
    source: str,
) -> Iterator[SourceNote]:
    source = f"{source} → {field}"
    if figures.disagree.any():
        what = "rows of one credit code that disagree: the figure is unknown (add them up beforehand if all count)"
        yield SourceNote.of(source, what, gathered.named(figures.disagree))
    if figures.unsure.any():
        what = f"firms of which it is unknown whether they count ({spec.where}): not counted"
        yield SourceNote.of(source, what, gathered.named(figures.unsure))
    if spec.agg == "count":
        return
    silent = figures.counts & np.isnan(figures.amount)
    if silent.any():
        yield SourceNote.of(source, f"firms whose {spec.column} is unknown", gathered.named(silent))
    negative = figures.counts & (figures.amount < 0)
    if negative.any():
        yield SourceNote.of(source, f"firms with a negative {spec.column}: kept", gathered.named(negative))
    open_ = np.bincount(gathered.parcel[_unknown(gathered, figures)], minlength=len(index)) > 0
    for mask, what in ((open_ & ~np.isnan(values), "partly unknown"), (open_ & np.isnan(values), "unknown")):
        if mask.any():
            text = f"parcels whose {spec.agg} is {what}: amounts of their firms are not known"
            yield SourceNote.of(source, text, list(index[mask]), are_parcels=True)
    if spec.agg == "sum":
        yield _reconciled(gathered, figures, source)


def _reconciled(gathered: _Firms, figures: _Figures, source: str) -> SourceNote:
    known = figures.counts & ~np.isnan(figures.amount)
    placed = np.bincount(gathered.firm, minlength=gathered.n) > 0
    total, on = float(figures.amount[known].sum()), float(figures.amount[known & placed].sum())
    what = f"{known.sum()} firms with {total:g} in all: {on:g} on parcels, {total - on:g} on none"
    return SourceNote(source, what, count=gathered.n, warning=False)


def _empty_parcels(gathered: _Firms, index: pd.Index, source: str) -> Iterator[SourceNote]:
    empty = np.bincount(gathered.parcel, minlength=len(index)) == 0
    if empty.any():
        what = "parcels without a known firm: counts 0, amounts unknown"
        yield SourceNote.of(source, what, list(index[empty]), are_parcels=True)


def _long_form(gathered: _Firms, index: pd.Index) -> pd.DataFrame:
    loose = np.setdiff1d(np.arange(gathered.n), gathered.firm)
    firm = np.concatenate([gathered.firm, loose])
    nothing = [None] * len(loose)
    table = pd.DataFrame(
        {
            "label": np.array(gathered.labels, dtype=object)[firm],
            "credit_code": gathered.codes.to_numpy(dtype=object)[firm],
            "name": gathered.names.to_numpy(dtype=object)[firm],
            "parcel_id": [*index[gathered.parcel], *nothing],
            "share": np.concatenate([gathered.share, np.full(len(loose), np.nan)]),
            "how": [*gathered.how, *nothing],
        }
    )
    table = table.sort_values(["label", "parcel_id"], ignore_index=True).drop(columns="label")
    text = dict.fromkeys(("credit_code", "name", "parcel_id", "how"), "string")
    return table.astype(text | {"share": "Float64"})
