"""The indicator of equity: sets of villages beside each other, Gini coefficients, pairs, and what is not known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from geodata.errors import Issue
from planner.config_issues import nearest
from planner.config_yaml import Key, dotted
from planner.equity.gini import gini
from planner.equity.table import BROUGHT, equity_table
from planner.errors import ConfigError
from planner.spec_equity import EquitySpec

WHEN: Final = ("before", "after")
_WEIGHTS: Final = {"mu": "compared_mu", "head": "people"}
"""What incomes are told per → the column of it, by which villages weigh."""


@dataclass(frozen=True)
class EquityReport:
    """Equity between villages under a plan.

    Attributes
    ----------
    table : pandas.DataFrame
        A row per village, see `planner.equity.table.equity_table`; for ``tables/equity.csv``.
    summary : dict
        For ``summary.json``, key ``equity``; plain values, None = not known or not defined:

        - ``source``: where the classes come from; ``modes``: false without money and incomes;
        - ``sets``: a row for each class, for villages ``in no class``, for each further set, and for ``all``: ``kind``
          (class, none, further, all), ``name``, ``villages`` (how many), sums of the table, shares, and, of villages
          with known income, ``income_villages``, ``compared_mu``, ``before_`` and ``after_income_yuan_per_mu``
          (income over land) and, where all are known, ``…_per_head``;
        - ``ratios``: income of the first class over that of each other one, and of the first further set over the
          others: ``of``, ``to``, ``per`` (mu, head), ``before``, ``after``;
        - ``gini``: ``per``, ``weights``, ``villages``, ``left_out``, ``before``, ``after`` (see `planner.equity.gini`)
          over the villages in classes, each weighing as much as it has land compared, or members;
        - ``pairs``: ``weak``, ``helpers`` with known income, ``helpers_unknown``, ``helpers_elsewhere`` (names that no
          land here has, such as firms), ``weak_before``, ``weak_after``, ``helpers_before``, ``helpers_after`` in yuan
          per mu, ``gap_`` and ``ratio_`` + ``before``, ``after``: helpers less weak, weak over helpers;
        - ``in_no_class``, ``income_unknown``: villages by name; ``no_village_mu``: land of none.
    """

    table: pd.DataFrame
    summary: dict[str, Any]


def require_villages(spec: EquitySpec, villages: Iterable[Any]) -> None:
    """See that the land has the villages that the section names; to be called before the solve.

    Helpers in `pairs` may be firms, so names that the land does not have are no mistake there: the report lists them.

    Parameters
    ----------
    spec : EquitySpec
    villages : iterable
        Village of each parcel; missing = none.

    Raises
    ------
    ConfigError
        Villages of classes, further sets, pairs or people that no parcel has.
    """
    known = {str(v) for v in villages if not pd.isna(v)}
    named: list[tuple[Key, Sequence[str]]] = [
        *((("equity", "classes", k, "villages"), c.villages) for k, c in enumerate(spec.classes)),
        *((("equity", "further", k, "villages"), c.villages) for k, c in enumerate(spec.further)),
        *((("equity", "pairs", k, "weak"), (p.weak,)) for k, p in enumerate(spec.pairs)),
        (("equity", "people"), tuple(spec.people)),
    ]
    issues = []
    for key, names in named:
        for name in sorted(set(names) - known):
            near = nearest(name, known)
            fix = f"Did you mean {near!r}?" if near is not None else "Correct the name, or remove it."
            found = f"the village {name!r}, which no parcel has"
            issues.append(Issue(dotted(key), found, f"one of: {', '.join(sorted(known))}", fix))
    if issues:
        raise ConfigError(issues)


def equity_report(
    spec: EquitySpec,
    parcels: pd.DataFrame,
    village: str,
    phase_ids: Sequence[str],
    villages: pd.DataFrame | None = None,
) -> EquityReport:
    """Equity between villages under a plan; an indicator, no rule.

    Incomes are those of the village's collective from its land in a year, before the plan and when all is built; they
    come from ``modes.space``. What is not known is not nothing: a village of unknown income is named and left out.

    Parameters
    ----------
    spec : EquitySpec
    parcels : pandas.DataFrame
        The layer of parcels (`planner.tables.PlanTables.parcels`).
    village : str
        ``optimise.village``.
    phase_ids : sequence of str
        Ids of the phases in order.
    villages : pandas.DataFrame, optional
        ``ModeReport.villages``; None without modes.

    Returns
    -------
    EquityReport

    Raises
    ------
    ConfigError
        See `require_villages`.
    """
    require_villages(spec, parcels[village])
    table = equity_table(spec, parcels, village, phase_ids, villages)
    named = table[table["village"].notna()]
    placed = {v for c in spec.classes for v in c.villages}
    outside = [v for v in named["village"] if v not in placed]
    heads = villages is not None and placed <= spec.people.keys()
    groups: list[tuple[str, str, Sequence[str]]] = [
        *(("class", c.name, c.villages) for c in spec.classes),
        *([("none", "in no class", outside)] if outside else []),
        *(("further", c.name, c.villages) for c in spec.further),
        ("all", "all", list(named["village"])),
    ]
    sets = [_set(named, kind, name, of, phase_ids) for kind, name, of in groups]
    summary: dict[str, Any] = {
        "source": spec.source,
        "modes": villages is not None,
        "sets": sets,
        "in_no_class": outside,
        "no_village_mu": float(table.loc[table["village"].isna(), "area_mu"].sum()),
    }
    if villages is not None:
        summary |= {
            "income_unknown": named.loc[~named["income_known"].astype(bool), "village"].tolist(),
            "unknown_max_share": spec.unknown_max_share,
            "ratios": _ratios(sets, ("mu", "head") if heads else ("mu",)),
            "gini": [
                _gini(named[named["village"].isin(placed)], per) for per in (("mu", "head") if heads else ("mu",))
            ],
            "pairs": [_pair(named, pair.weak, pair.helpers) for pair in spec.pairs],
        }
    return EquityReport(table, summary)


def _set(
    table: pd.DataFrame, kind: str, name: str, villages: Sequence[str], phase_ids: Sequence[str]
) -> dict[str, Any]:
    """Sums over some villages, and their income per mu and a head."""
    mine = table[table["village"].isin(villages)]
    sums = ["area_mu", "industrial_mu", "industrial_undecided_mu", "taken_mu", *(f"taken_mu_{p}" for p in phase_ids)]
    row: dict[str, Any] = {"kind": kind, "name": name, "villages": len(mine)}
    row |= {column: _total(mine[column]) for column in (*sums, *BROUGHT) if column in mine}
    row["taken_share"] = _over(row["taken_mu"], row["industrial_mu"])
    row["early_share"] = _over(_total(mine["early_share"] * mine["industrial_mu"]), row["industrial_mu"])
    if "income_known" in mine:
        row |= _incomes(mine[mine["income_known"].astype(bool)], len(mine))
    return row


def _incomes(known: pd.DataFrame, villages: int) -> dict[str, Any]:
    """Income over land of villages whose income is known; a head only where all of the set are and have `people`."""
    row: dict[str, Any] = {"income_villages": len(known), "compared_mu": _total(known["compared_mu"])}
    people = _total(known["people"]) if "people" in known and len(known) == villages else None
    if people is not None and known["people"].isna().any():
        people = None
    for when in WHEN:
        income = _total(known[f"{when}_income_yuan"])
        row[f"{when}_income_yuan_per_mu"] = _over(income, row["compared_mu"])
        row[f"{when}_income_yuan_per_head"] = _over(income, people)
    return row


def _ratios(sets: Sequence[Mapping[str, Any]], pers: Sequence[str]) -> list[dict[str, Any]]:
    """Income of the first of the classes, and of the further sets, over that of each other one."""
    found = []
    for kind in ("class", "further"):
        mine = [s for s in sets if s["kind"] == kind]
        for other in mine[1:]:
            first = mine[0]
            for per in pers:
                values = {
                    w: _over(first[f"{w}_income_yuan_per_{per}"], other[f"{w}_income_yuan_per_{per}"]) for w in WHEN
                }
                found.append({"of": first["name"], "to": other["name"], "per": per, **values})
    return found


def _gini(table: pd.DataFrame, per: str) -> dict[str, Any]:
    """Coefficients over villages whose income is known."""
    known = table[table["income_known"].astype(bool)]
    weights = known[_WEIGHTS[per]].to_numpy(dtype=np.float64)
    values = {when: gini(known[f"{when}_income_yuan_per_{per}"], weights) for when in WHEN}
    left_out = len(table) - len(known)
    return {"per": per, "weights": _WEIGHTS[per], "villages": len(known), "left_out": left_out, **values}


def _pair(table: pd.DataFrame, weak: str, helpers: Sequence[str]) -> dict[str, Any]:
    """A weak village beside those that help it, yuan per mu."""
    helping = table[table["village"].isin(helpers)]
    known = helping[helping["income_known"].astype(bool)]
    mine = table[(table["village"] == weak) & table["income_known"].astype(bool)]
    row: dict[str, Any] = {
        "weak": weak,
        "helpers": known["village"].tolist(),
        "helpers_unknown": helping.loc[~helping["income_known"].astype(bool), "village"].tolist(),
        "helpers_elsewhere": sorted(set(helpers) - set(table["village"])),
    }
    for when in WHEN:
        own = _over(_total(mine[f"{when}_income_yuan"]), _total(mine["compared_mu"]))
        theirs = _over(_total(known[f"{when}_income_yuan"]), _total(known["compared_mu"]))
        row |= {
            f"weak_{when}": own,
            f"helpers_{when}": theirs,
            f"gap_{when}": None if own is None or theirs is None else theirs - own,
            f"ratio_{when}": _over(own, theirs),
        }
    return row


def _total(values: pd.Series[Any]) -> float:
    """Sum of what is known, whatever the order of rows."""
    return float(np.sort(values.dropna().to_numpy(dtype=np.float64)).sum())


def _over(above: float | None, below: float | None) -> float | None:
    """Quotient; None where one is not known or there is nothing to divide by."""
    return None if above is None or below is None or not below > 0 else above / below
