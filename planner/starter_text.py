"""Guesses → a commented configuration that runs; every guess is marked ``GUESS`` with what else it could be."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pandas as pd

from geodata.columns import is_number_column, read_texts
from planner.starter_guess import HOUSING, INDUSTRIAL, ColumnGuess, Guesses, matching

_SHOWN_VALUES: Final = 30
_MAX_LISTED: Final = 60


@dataclass(frozen=True)
class Source:
    """The parcel file as the configuration names it."""

    name: str
    path: str
    layer: str | None
    crs: str | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sizes:
    """Figures proposed for this land, mu and currency; the default is what a first look at the land is made with."""

    block_min_mu: float = 0.0
    block_max_mu: float = 1e9
    targets_mu: tuple[float, ...] = (0.0, 0.0, 0.0)
    budgets: tuple[float, ...] = field(default=(1e15, 1e15, 1e15))
    value_per_mu: float = 3.0
    total_mu: float = 0.0
    available_mu: float = 0.0


def nice(value: float, digits: int = 2) -> float:
    """`value` rounded to some significant digits."""
    if value == 0 or not math.isfinite(value):
        return value
    return round(value, digits - 1 - math.floor(math.log10(abs(value))))


def starter_text(frame: pd.DataFrame, source: Source, guesses: Guesses, sizes: Sizes, *, by_use: bool) -> str:
    """The configuration as YAML.

    Parameters
    ----------
    frame : pandas.DataFrame
        Attributes of the parcel file.
    source : Source
        Where they come from.
    guesses : Guesses
        What they may mean.
    sizes : Sizes
        Targets, block sizes and money.
    by_use : bool
        Whether the land use decides what is eligible.
    """
    cost = guesses.get("compensation")
    parts = [
        _head(source, guesses, cost),
        _parcels(frame, source, guesses),
        _surroundings(guesses),
        _scoring(guesses, by_use=by_use),
        _optimise(guesses, cost, sizes),
    ]
    return "\n".join(line for part in parts for line in [*part, ""]).rstrip() + "\n"


def _head(source: Source, guesses: Guesses, cost: ColumnGuess | None) -> Iterator[str]:
    yield f"# A first configuration for {_plain(source.name)}, to be made yours."
    yield "#"
    yield "# Lines marked GUESS were guessed from names and values of the file: check them, correct them."
    yield "# Check without planning:  planner validate THIS_FILE      Plan:  planner run THIS_FILE --out out/"
    yield "# Units: mu (1 mu = 10 000 / 15 m²), m. A field's unit is the end of its name; `unit` is that of the column."
    for note in source.notes:
        yield f"# NOTE: {_plain(note, 400)}"
    yield ""
    yield "project:"
    yield f"  name: {_quoted(source.name)}   # title of the map and of every table"
    why = "GUESS: the one currency of all money below and in the results, as an ISO 4217 code"
    if cost is None or not cost.field.endswith("_yuan"):
        why += (
            "; no cost was recognised" if cost is None else "; the cost column does not say it"
        ) + ", so set your own"
    yield f"  currency: CNY            # {why}"


def _parcels(frame: pd.DataFrame, source: Source, guesses: Guesses) -> Iterator[str]:
    yield "parcels:"
    yield f"  path: {_quoted(source.path)}"
    if source.layer is not None:
        yield f"  layer: {_quoted(source.layer)}"
    if source.crs is not None:
        yield f"  crs: {_quoted(source.crs)}   # as you declared it; the file does not say it"
    else:
        yield "  # crs: EPSG:4490         # only for a file that does not say its CRS"
    others = f"; also unique: {_listed(guesses.id_others)}" if guesses.id_others else "; no other column is unique"
    yield f"  id: {_quoted(guesses.id)}   # GUESS: unique, read as text{others}"
    yield "  fields:                  # name used here: {column of the file, its unit, values that mean unknown}"
    for guess in guesses.columns:
        yield f"    {guess.field}: {_field_spec(guess)}   # GUESS: {_about(guess)}"
    if not guesses.columns:
        yield "    {}                     # GUESS: no column was recognised"
    rest = guesses.rest[:_MAX_LISTED]
    if rest:
        yield "    # Columns that were not recognised; map those that you need:"
    for column in rest:
        kind = "number" if is_number_column(frame[column]) else "text"
        yield f"    # my_name: {{column: {_quoted(column)}, type: {kind}}}   # {_look(frame[column])}"
    if len(guesses.rest) > len(rest):
        yield f"    # … and {len(guesses.rest) - len(rest)} more"


def _field_spec(guess: ColumnGuess) -> str:
    parts = [f"column: {_quoted(guess.column)}"]
    if guess.unit is not None:
        parts.append(f"unit: {guess.unit}")
    else:
        parts.append(f"type: {'text' if guess.kind == 'text' else 'number'}")
    if guess.missing:
        parts.append(f"missing: {_json(list(guess.missing))}")
    return "{" + ", ".join(parts) + "}"


def _about(guess: ColumnGuess) -> str:
    parts = [f"unit from {guess.unit_from}"] if guess.unit_from else []
    unknown = int(guess.values.isna().sum())
    if guess.kind == "text":
        parts.append(f"{guess.values.nunique()} different values")
    else:
        numbers = guess.values.dropna().to_numpy(dtype=float)
        parts.append(f"{_figure(numbers.min())} to {_figure(numbers.max())}")
        zeros = int((numbers == 0).sum())
        if zeros and (guess.kind in {"area", "money", "money/area"} or guess.field == "far"):
            parts.append(f"{zeros} are 0: if that means unknown, add `missing: [0]`")
    parts.append(f"{unknown} of {len(guess.values)} unknown")
    if guess.others:
        parts.append(f"or {_listed(guess.others)}")
    return "; ".join(parts)


def _surroundings(guesses: Guesses) -> Iterator[str]:
    yield "tables: []                 # attribute tables to join, for example:"
    yield "# - path: tax.csv          #   CSV or XLSX"
    yield f"#   key: {{parcels: {_quoted(guesses.id)}, table: PARCEL_CODE}}"
    yield "#   fields: {tax_yuan: {column: TAX, agg: sum}}   # sum, max, min, first, count, value_of_max"
    yield ""
    if guesses.zone_field is not None:
        yield "zones:                     # areas with targets of their own"
        yield f"  field: {guesses.zone_field}           # GUESS: or `path: zones.gpkg`, polygons; or leave `zones` out"
    else:
        yield "# zones: {path: zones.gpkg, name: NAME_COLUMN}    # or {field: village}: areas with targets of their own"
    yield ""
    yield "barriers: []               # what a block may never cross, for example:"
    yield "# - {name: river, path: river.gpkg}"
    yield ""
    yield "adjacency:"
    yield "  min_shared_m: 3          # neighbours share at least this much boundary"
    yield "  bridge_max_m: 12         # GUESS: lanes up to this width may be bridged; 0 = none"


def _scoring(guesses: Guesses, *, by_use: bool) -> Iterator[str]:
    yield "scoring:"
    yield "  criteria:                # each gives 0 to 1, 1 = most in need of redevelopment; weighted mean = score"
    criteria = list(_criteria(guesses))
    if criteria:
        yield "    # GUESS: low values speak for redevelopment; lo and hi are the first and last tenth of the values"
    for line in criteria:
        yield f"    - {line}"
    if not criteria:
        yield "    # GUESS: nothing was recognised that tells low efficiency, so small parcels come first. Replace it."
        yield "    - {name: small parcel, value: area_mu, direction: low, normalise: {method: rank}, weight: 1}"
    yield "  unknown: neutral         # an unknown value counts 0.5; `worst` = 0, or `ineligible`"
    yield from _rules(guesses, by_use=by_use)
    veto = guesses.get("safety_veto")
    if veto is not None:
        values = _listed(sorted(veto.values.dropna().unique().tolist())[:_SHOWN_VALUES])
        yield f"  # force_in: [{{name: safety veto, when: safety_veto == 'WHICH'}}]   # hard veto; values: {values}"


def _criteria(guesses: Guesses) -> Iterator[str]:
    for base, title, weight in (
        ("tax", "tax per mu", 3),
        ("output", "output per mu", 2),
        ("far", "plot ratio", 2),
        ("year_built", "building age", 1),
        ("titled_share", "papers", 1),
    ):
        guess = guesses.get(base)
        if guess is None:
            continue
        low, high = np.quantile(guess.values.dropna().to_numpy(dtype=float), [0.1, 0.9])
        low, high = (round(low), round(high)) if guess.kind == "year" else (nice(low), nice(high))
        how = f"{{method: minmax, lo: {_figure(low)}, hi: {_figure(high)}}}" if low < high else "{method: rank}"
        yield f"{{name: {title}, value: {guess.field}, direction: low, normalise: {how}, weight: {weight}}}   # GUESS"


def _rules(guesses: Guesses, *, by_use: bool) -> Iterator[str]:
    use = guesses.get("land_use")
    if use is None:
        yield "  eligible: []             # all must hold, e.g. - {name: low-efficient, when: score >= 0.3}"
        yield "  exclude: []              # any keeps a parcel out for good, e.g. - {name: tiny, when: area_mu < 0.1}"
        return
    counts = use.values.value_counts()
    values = [str(v) for v in counts.index]
    yield "  # Land uses in the file, with their parcels:"
    for start in range(0, min(len(values), _SHOWN_VALUES), 5):
        some = values[start : start + 5]
        yield "  #   " + ", ".join(f"{_plain(v)} ({counts[v]})" for v in some)
    if len(values) > _SHOWN_VALUES:
        yield f"  #   … and {len(values) - _SHOWN_VALUES} more"
    industrial, housing = matching(values, INDUSTRIAL), matching(values, HOUSING)
    if by_use:
        yield "  eligible:                # GUESS: uses that read like industry; all rules must hold"
        yield f"    - {{name: industrial land, when: {_quoted(f'land_use in {_expression_list(industrial)}')}}}"
    else:
        yield "  eligible: []             # GUESS: all; e.g. - {name: industrial land, when: \"land_use in ['…']\"}"
    if by_use and housing:
        yield "  exclude:                 # GUESS: uses that read like housing; any rule keeps a parcel out for good"
        yield f"    - {{name: housing, when: {_quoted(f'land_use in {_expression_list(housing)}')}}}"
    else:
        yield "  exclude: []              # e.g. - {name: housing, when: \"land_use in ['…']\"}"


def industrial_uses(guesses: Guesses) -> list[str]:
    """Values of the land use that read like industry; empty where they are too many for one rule."""
    use = guesses.get("land_use")
    if use is None:
        return []
    values = matching([str(v) for v in use.values.dropna().unique()], INDUSTRIAL)
    return values if len(values) <= _MAX_LISTED and len(_expression_list(values)) < 1500 else []


def _optimise(guesses: Guesses, cost: ColumnGuess | None, sizes: Sizes) -> Iterator[str]:
    unit = "in the currency above" if cost is not None else "units of cost; with 1 a mu that is a cap in mu"
    yield "optimise:"
    yield f"  # {sizes.total_mu:,.0f} mu of land, of which {sizes.available_mu:,.0f} mu can lie in a block."
    yield "  phases:                  # GUESS: shares of 10, 25 and 40 % of that. Targets are cumulative"
    for k, (target, budget) in enumerate(zip(sizes.targets_mu, sizes.budgets, strict=True)):
        yield f"    - {{id: P{k + 1}, year: {2 * k + 1}, target_mu: {_figure(target)}, budget: {_figure(budget)}}}"
    yield f"  # `budget` (GUESS) is the most that may be spent in the phase, {unit}."
    yield "  block:"
    yield f"    min_mu: {_figure(sizes.block_min_mu)}             # GUESS: smallest block"
    yield f"    max_mu: {_figure(sizes.block_max_mu)}             # GUESS: largest block"
    yield "    within_zone: false     # true: a block lies in one zone"
    if cost is not None:
        yield f"  cost: {{value: {cost.field}, per: parcel, unknown: mean_per_mu}}   # GUESS"
    else:
        yield "  cost: {value: '1', per: mu}   # GUESS: a placeholder, 1 a mu. Yours: a field or an expression"
    yield "  weights:"
    value = _figure(sizes.value_per_mu)
    yield f"    value_per_mu: {value}        # GUESS: worth of one mu of score 1: the average mu brings twice its cost"
    edge = _figure(nice(sizes.value_per_mu / 6000, 1))
    yield f"    perimeter_per_m: {edge}     # GUESS: price of a metre of block boundary; keeps blocks compact"
    yield "  # locks: {in: [], out: [], by: {}, at: {}}   # your own decisions, by parcel id; or `--locks locks.json`"
    for base in ("papers_year", "lease_end_year"):
        if guesses.get(base) is not None:
            gate = f"{{name: {base.removesuffix('_year')}, year: {base}}}"
            yield f"  # earliest: [{gate}]   # first year a parcel can be taken; on the scale of the phases"
    yield ""
    yield "solve: {gap: 0.01, time_limit_s: 60, seed: 0}   # stops when proven within 1 %, or after 60 s"


def _look(values: pd.Series) -> str:
    """What an unrecognised column holds."""
    texts = read_texts(values).values
    known = texts.dropna()
    examples = ", ".join(_plain(v, 24) for v in known.unique()[:3].tolist())
    return (
        f"{known.nunique()} different values, {int(texts.isna().sum())} unknown: {examples}" if len(known) else "empty"
    )


def _figure(value: float) -> str:
    """A number as YAML reads it back."""
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else f"{value:.10g}"


def _expression_list(values: Sequence[str]) -> str:
    return "[" + ", ".join(repr(v) for v in values) + "]"


def _listed(values: Sequence[str]) -> str:
    shown = ", ".join(_plain(v, 30) for v in values[:5])
    return shown + (f" and {len(values) - 5} more" if len(values) > 5 else "")


def _plain(text: str, width: int = 120) -> str:
    """Text that stays on its line of a comment."""
    line = " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())
    return line if len(line) <= width else line[: width - 1] + "…"


def _quoted(text: str) -> str:
    """A YAML scalar: JSON strings are YAML, too."""
    return _json(str(text))


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
