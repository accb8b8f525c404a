"""Which column of an unknown parcel file may mean what: guesses by name, values and measured area."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd

from geodata.columns import is_number_column, read_codes, read_numbers, read_texts
from geodata.units import M2_PER_MU, UnitError, conversion_factor, dimension, parse_unit

Kind = Literal["text", "number", "year", "area", "money", "money/area"]

_MAX_MARKS: Final = 5
"""A number column may hold this many different texts that mean 'unknown'."""
_ZONES: Final = (2, 60)
_NEARLY: Final = 0.05
"""A column may be called nearly unique while at most this share of its rows is repeated or empty."""
_PLAIN_NAME: Final = 2
"""Rank of a column whose name does not say that it is an id."""
_UNIT_TOKENS: Final = (
    *("万元/亩", "元/亩", "万元", "平方公里", "平方千米", "平方米", "公顷", "亩", "元", "㎡", "m²", "km²"),
    *("wan_yuan", "yuan", "sqft", "sqm", "ft2", "km2", "m2", "ha", "mu"),
)


@dataclass(frozen=True)
class Hint:
    """What a column's name gives away."""

    field: str
    pattern: str
    kind: Kind


HINTS: Final = (
    Hint("tax", r"亩均税|亩均纳税|税收强度|tax.*per.?mu|taxpermu", "money/area"),
    Hint("output", r"亩均产[值出]|亩均工业|产出强度|output.*per.?mu", "money/area"),
    Hint("far", r"容积率|^far$|plot.?ratio|floor.?area.?ratio|용적률", "number"),
    Hint("floor_area", r"建筑面积|floor.?area|gross.?area|^gfa$|연면적", "area"),
    Hint("year_built", r"建成年|建造年|竣工年|建设年|year.?built|yr.?built|built.?year|construction.?year", "year"),
    Hint("land_use", r"用地现状|用地性质|用地类型|土地用途|用途|地类|land.?use|usage|zoning|용도|지목", "text"),
    Hint("village", r"^村(?!民)|村居|行政村|社区|village|communit|neighbou?rhood|comune|suburb|ward|법정동", "text"),
    Hint("ownership", r"权属|所有权|ownership|tenure", "text"),
    Hint("papers", r"^手续|用地手续|^papers$", "text"),
    Hint("titled_share", r"确权比例|titled.?share", "number"),
    Hint("papers_year", r"可动工年|papers?.?year", "number"),
    Hint("lease_end_year", r"租约到期|租期|lease.?(end|expir)", "number"),
    Hint("certificate_area", r"证载|证书面积|宗地面积|土地面积|^面积|land.?area|(parcel|lot).?area|^area|면적", "area"),
    Hint("compensation", r"补偿|拆迁费|compensation", "money"),
    Hint("safety_veto", r"否决|veto", "text"),
    Hint("firms", r"^企业数|^firms$", "number"),
)

INDUSTRIAL: Final = re.compile(
    r"工业|仓储|厂|工矿|物流|industr|manufactur|warehous|factor|공업|공장|창고|produttiv", re.I
)
HOUSING: Final = re.compile(r"住宅|居住|宅基地|residen|housing|dwelling|주거|주택|단독|아파트", re.I)
_OTHER_USES: Final = re.compile(
    r"商业|办公|学校|绿地|道路|commerc|retail|school|road|farm|forest|park|상업|도로|학교", re.I
)
_ID_NAME: Final = re.compile(
    r"(^|_)(id|fid|gid|uid|pin|pnu|apn|code|no)($|_)|编码|编号|代码|宗地|地块号|parcel|identi", re.I
)


@dataclass(frozen=True)
class ColumnGuess:
    """One column taken for a field.

    Attributes
    ----------
    field : str
        Name, with the unit it is kept in.
    column : str
        As in the file.
    kind : str
        What it holds.
    unit : str or None
        Unit of the column as guessed.
    unit_from : str
        What the unit was guessed from; empty without one.
    missing : tuple of str or float
        Values taken to mean 'unknown'.
    values : pandas.Series
        As read: Float64 or string, in the unit of the field.
    others : tuple of str
        Other columns that could be meant.
    """

    field: str
    column: str
    kind: Kind
    unit: str | None
    unit_from: str
    missing: tuple[str | float, ...]
    values: pd.Series
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class Guesses:
    """Everything guessed from a layer.

    Attributes
    ----------
    id : str
        Column with unique ids.
    id_others : tuple of str
        Other columns that are unique.
    columns : tuple of ColumnGuess
        Fields, in the order of `HINTS`.
    rest : tuple of str
        Columns that were not recognised.
    zone_field : str or None
        Field that may hold the zone's name.
    """

    id: str
    id_others: tuple[str, ...]
    columns: tuple[ColumnGuess, ...]
    rest: tuple[str, ...]
    zone_field: str | None

    def get(self, base: str) -> ColumnGuess | None:
        """The guess for a hint, by its name."""
        return next((c for c in self.columns if c.field == base or c.field.startswith(f"{base}_")), None)


@dataclass(frozen=True)
class NearlyUnique:
    """A column that looks like an id, but is not one.

    Attributes
    ----------
    column : str
        As in the file.
    repeated : int
        Rows that share their value with another row.
    empty : int
        Rows without a value.
    examples : tuple of str
        The first repeated values.
    """

    column: str
    repeated: int
    empty: int
    examples: tuple[str, ...]

    def __str__(self) -> str:
        parts = []
        if self.repeated:
            values = ", ".join(self.examples)
            parts.append(f"{self.repeated:,} rows share their value with another ({values}, …)")
        if self.empty:
            parts.append(f"{self.empty:,} rows are empty")
        return f"column {self.column} is nearly unique, but cannot be the id: {'; '.join(parts)}"


def unique_columns(frame: pd.DataFrame) -> list[str]:
    """Columns that can be the parcel id, best first: unique, never empty, text or whole numbers.

    A name that says so comes first, then text before numbers, then the order of the file.
    """
    ranked = _ranked_codes(frame)
    return [str(values.name) for values in ranked if values.notna().all() and values.is_unique]


def nearly_unique_columns(frame: pd.DataFrame) -> list[NearlyUnique]:
    """Columns that would be the parcel id but for a few rows, best first.

    Up to 5 % of the rows are repeated or empty. Where the file has an id, a column of text whose name does not say that
    it is one is named up to 1 %, one of numbers not at all.
    """
    has_id = bool(unique_columns(frame))
    found = []
    for values in _ranked_codes(frame):
        twice = values.notna() & values.duplicated(keep=False)
        wrong = int(twice.sum() + values.isna().sum())
        most = _NEARLY
        if has_id and _id_rank(str(values.name)) == _PLAIN_NAME:
            most = 0.0 if is_number_column(frame[values.name]) else _NEARLY / 5
        if 0 < wrong <= most * len(values):
            examples = tuple(str(v) for v in values[twice].unique()[:3])
            found.append(NearlyUnique(str(values.name), int(twice.sum()), int(values.isna().sum()), examples))
    return found


def _id_rank(name: str) -> int:
    exact = name.lower() in {"id", "parcel_id", "宗地编码", "地块编码"}
    return 0 if exact else 1 if _ID_NAME.search(name) else _PLAIN_NAME


def _ranked_codes(frame: pd.DataFrame) -> list[pd.Series]:
    """Columns of text or whole numbers whose digits are all there, as codes, the likeliest id first."""
    found = []
    for place, column in enumerate(frame.columns):
        codes = read_codes(frame[column])
        number = is_number_column(frame[column])
        whole = not number or not codes.values.str.contains(".", regex=False).fillna(False).any()
        if whole and not codes.lost.any():
            found.append((_id_rank(str(column)), number, place, codes.values.rename(str(column))))
    return [values for *_, values in sorted(found, key=lambda f: f[:3])]


def guess(layer: gpd.GeoDataFrame, area_m2: npt.NDArray[np.float64]) -> Guesses:
    """Guess id, fields, units and zones.

    Parameters
    ----------
    layer : geopandas.GeoDataFrame
        As read; at least one column is unique.
    area_m2 : float64[n]
        Measured area of its features.
    """
    frame = pd.DataFrame(layer.drop(columns=layer.geometry.name))
    ids = unique_columns(frame)
    taken = {ids[0]}
    columns: list[ColumnGuess] = []
    for hint in HINTS:
        named = [str(c) for c in frame.columns if c not in taken and re.search(hint.pattern, str(c), re.I)]
        found = [f for c in named if (f := _column(frame[c], hint, area_m2)) is not None]
        if found:
            # the fuller column, then the plainer name
            best = min(found, key=lambda f: (float(f.values.isna().mean()) > 0.5, len(f.column)))
            columns.append(replace(best, others=tuple(f.column for f in found if f is not best)))
            taken.add(best.column)
    columns += _by_values(frame, taken, {c.field for c in columns}, area_m2)
    zone = next((c for c in columns if c.field == "village"), None)
    mostly_known = zone is not None and float(zone.values.notna().mean()) >= 0.5
    n_zones = int(zone.values.nunique()) if zone is not None and mostly_known else 0
    return Guesses(
        id=ids[0],
        id_others=tuple(ids[1:]),
        columns=tuple(columns),
        rest=tuple(str(c) for c in frame.columns if c not in {*taken, *(g.column for g in columns)}),
        zone_field="village" if _ZONES[0] <= n_zones <= _ZONES[1] else None,
    )


def _column(values: pd.Series, hint: Hint, area_m2: npt.NDArray[np.float64]) -> ColumnGuess | None:
    if hint.kind == "text":
        texts = read_texts(values)
        if is_number_column(values) or texts.lost.any() or not texts.values.notna().any():
            return None
        return ColumnGuess(hint.field, str(values.name), "text", None, "", (), texts.values)
    missing = _marks(values, zero=hint.kind == "year")
    if missing is None:
        return None
    numbers = read_numbers(values, missing).values
    if not np.isfinite(numbers).any():
        return None
    field, unit, unit_from = _unit(hint, str(values.name), numbers, area_m2)
    if hint.field == "certificate_area" and unit is None:
        return None  # it neither names a unit nor repeats the measured area
    kept = re.search(r"_(m2|mu|yuan|wan_yuan_per_mu)$", field)
    factor = conversion_factor(unit, kept.group(1).replace("_per_", "/")) if unit and kept else 1.0
    series = pd.Series(numbers * factor, index=values.index).astype("Float64")
    return ColumnGuess(field, str(values.name), hint.kind, unit, unit_from, missing, series)


def _marks(values: pd.Series, *, zero: bool) -> tuple[str | float, ...] | None:
    """Values that seem to mean 'unknown' in a number column; None where it holds too much text to be one."""
    numbers = read_numbers(values)
    odd = read_texts(values).values[numbers.bad]
    if odd.nunique() > _MAX_MARKS or numbers.bad.mean() > 0.5:
        return None
    zeros: tuple[str | float, ...] = (0,) if zero and (numbers.values == 0).any() else ()
    return (*zeros, *sorted(odd.unique().tolist()))


def _unit(
    hint: Hint, column: str, numbers: npt.NDArray[np.float64], area_m2: npt.NDArray[np.float64]
) -> tuple[str, str | None, str]:
    """Name of the field with its unit, unit of the column, and what that was guessed from."""
    named = _named_unit(column, hint.kind)
    chinese = bool(re.search(r"[\u4e00-\u9fff]", column))
    if hint.kind == "area":
        measured = _area_unit(numbers, area_m2) if hint.field == "certificate_area" else None
        unit = named or measured or (None if hint.field == "certificate_area" else "m2")
        kept = "mu" if hint.field == "certificate_area" else "m2"
        origin = (
            "the column's name" if named else "its ratio to the measured area" if measured else "nothing; m2 is custom"
        )
        return f"{hint.field}_{kept}", unit, origin
    if hint.kind == "money/area" and (named or chinese):
        origin = "the column's name" if named else "custom: 万元 per mu"
        return f"{hint.field}_wan_yuan_per_mu", named or "wan_yuan/mu", origin
    if hint.kind == "money" and (named or chinese):
        return f"{hint.field}_yuan", named or "wan_yuan", "the column's name" if named else "custom: 万元"
    if hint.kind == "money/area":
        return f"{hint.field}_per_mu", None, ""
    return hint.field, None, ""


def _named_unit(column: str, kind: Kind) -> str | None:
    """Unit at the end of a column's name, if it is one of the kind that is needed."""
    name = re.sub(r"[\s)）\]】]+$", "", column)
    token = next((t for t in _UNIT_TOKENS if name.lower().endswith(t) and len(name) > len(t)), None)
    if token is None:
        return None
    try:
        unit = parse_unit(token)
        if kind == "money/area" and dimension(unit) == "money":
            unit += "/mu"
        return unit if dimension(unit) == kind else None
    except UnitError:
        return None


def _area_unit(numbers: npt.NDArray[np.float64], area_m2: npt.NDArray[np.float64]) -> str | None:
    """Unit in which a column repeats the measured area, if it does so for most parcels."""
    known = np.isfinite(numbers) & (numbers > 0) & (area_m2 > 0)
    if known.sum() < max(3, 0.5 * len(numbers)):
        return None
    ratio = numbers[known] / area_m2[known]
    for unit in ("m2", "mu", "ha", "ft2", "km2"):
        if np.median(np.abs(ratio * conversion_factor(unit, "m2") - 1)) < 0.1:
            return unit
    return None


def _by_values(
    frame: pd.DataFrame, taken: set[str], fields: set[str], area_m2: npt.NDArray[np.float64]
) -> list[ColumnGuess]:
    """Land use and area by what the columns hold, where no name gave them away."""
    found: list[ColumnGuess] = []
    others = [c for c in frame.columns if c not in taken]
    if "land_use" not in fields:
        shares = {str(c): _use_share(frame[c]) for c in others if not is_number_column(frame[c])}
        likely = sorted((c for c in shares if shares[c] >= 0.3), key=lambda c: -shares[c])
        if likely:
            values = read_texts(frame[likely[0]]).values
            found.append(ColumnGuess("land_use", likely[0], "text", None, "", (), values, tuple(likely[1:])))
    if "certificate_area_mu" not in fields:
        for column in (c for c in others if is_number_column(frame[c])):
            numbers = read_numbers(frame[column]).values
            unit = _area_unit(numbers, area_m2)
            if unit is not None:
                values = pd.Series(numbers * conversion_factor(unit, "m2") / M2_PER_MU, index=frame.index)
                origin = "its ratio to the measured area"
                kept = values.astype("Float64")
                found.append(ColumnGuess("certificate_area_mu", str(column), "area", unit, origin, (), kept))
                break
    return found


def _use_share(values: pd.Series) -> float:
    """Share of the values that read like a land use."""
    texts = read_texts(values).values.dropna()
    distinct = texts.unique().tolist()
    if not 2 <= len(distinct) <= 100:
        return 0.0
    uses = [t for t in distinct if any(p.search(t) for p in (INDUSTRIAL, HOUSING, _OTHER_USES))]
    return float(texts.isin(uses).sum()) / len(values)


def matching(values: Sequence[str], pattern: re.Pattern[str]) -> list[str]:
    """Values in which a pattern is found."""
    return [v for v in values if pattern.search(v)]
