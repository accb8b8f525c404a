"""What the rules of a configuration do to this land: rules without effect, misspelt values, rules that leave nothing.

A rule that matches no parcel is no error, but it is seldom meant; a plan needs at least one eligible parcel.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from geodata.errors import SHOWN_IDS, Issue
from planner.config import Config, ExcludeSpec, RuleSpec
from planner.config_file import expressions_of
from planner.config_issues import nearest
from planner.config_yaml import dotted
from planner.errors import ConfigError
from planner.expressions import AbsentTexts, absent_texts, evaluate_condition
from planner.land_fields import scoring_of
from planner.quality import QualityRow
from planner.scoring import Scores

_MOST_VALUES: Final = 3000
"""In a column with more different values than this no similar one is looked for."""


@dataclass(frozen=True)
class _Rule:
    """A condition of the configuration: its place, its name for people, and where it holds."""

    key: str
    section: str
    spec: RuleSpec
    holds: pd.Series[Any]
    unknown: pd.Series[Any]


def rule_findings(scores: Scores, config: Config) -> list[QualityRow]:
    """Rules that match no parcel, criteria that tell no parcels apart, and texts that occur in no parcel.

    Parameters
    ----------
    scores : Scores
        Result of the scoring stage, with the fields the rules speak of.
    config : Config
        Where the rules stand.

    Returns
    -------
    list of QualityRow
        Those about a rule concern all the parcels it was applied to; those about a text the parcels with the value
        that was probably meant, or all.
    """
    fields = _fields(scores)
    return [*_idle(scores, config, fields), *_constant(scores, fields), *_misspelt(config, fields)]


def require_eligible(scores: Scores, status: pd.Series[Any], locked: pd.Series[Any], config: Config) -> None:
    """Raise where no parcel may be taken, with figures rule by rule.

    Parameters
    ----------
    scores : Scores
        Result of the scoring stage.
    status : pandas.Series
        As the plan starts, also after parcels without a cost were taken out.
    locked : pandas.Series
        ``'out'`` where the parcel is locked out.
    config : Config
        Where the rules stand.

    Raises
    ------
    ConfigError
        No parcel is eligible and not locked out; every rule that removed some is named with how many, and how much
        land.
    """
    if ((status == "eligible") & (locked != "out")).any():
        return
    fields = _fields(scores)
    removals = _removals(scores, status, locked, config)
    issues = [_removed(key, what, mask, fields) for key, what, mask in removals if mask.any()]
    head = Issue(
        "scoring",
        f"no eligible parcel among {len(status):,} ({fields['area_mu'].sum():,.2f} mu)",
        "at least one that may be taken",
        "Correct the rules named below; each is counted by itself, so a parcel may be counted more than once."
        if issues
        else "Give the study area land.",
    )
    hints = [Issue(key, row.what, "values that occur", "Correct the text.") for key, row in _texts(config, fields)]
    raise ConfigError([head, *issues, *hints])


def _fields(scores: Scores) -> pd.DataFrame:
    return scores.fields.assign(score=scores.score)


def _rules(config: Config, fields: pd.DataFrame) -> Iterator[_Rule]:
    for section in ("eligible", "exclude", "force_in"):
        for k, rule in enumerate(getattr(scoring_of(config), section)):
            value = evaluate_condition(rule.when, fields)
            holds, unknown = value.fillna(False).astype(bool), value.isna().astype(bool)
            yield _Rule(dotted(("scoring", section, k, "when")), section, rule, holds, unknown)


def _row(what: str, where: pd.Series[Any], area: pd.Series[Any]) -> QualityRow:
    ids = [str(i) for i in where.index[where.to_numpy(dtype=bool)]]
    return QualityRow(what, len(ids), float(area[where].sum()) if ids else None, tuple(ids))


def _idle(scores: Scores, config: Config, fields: pd.DataFrame) -> Iterator[QualityRow]:
    everywhere = pd.Series(True, index=fields.index)
    for rule in _rules(config, fields):
        if not rule.holds.any():
            undecided = f" ({int(rule.unknown.sum()):,} cannot be decided)" if rule.unknown.any() else ""
            what = f"{rule.section} rule {rule.spec.name!r} matches no parcel{undecided}: {rule.spec.when}"
            yield _row(what, everywhere, fields["area_mu"])
    where = config.optimise.filler.where
    if where is not None:
        matches = evaluate_condition(where, fields).fillna(False).astype(bool)
        if not (matches & (scores.status == "ineligible")).any():
            others = int(matches.sum())
            only = f" ({others:,} that match are eligible or excluded)" if others else ""
            yield _row(f"filler.where matches no ineligible parcel{only}: {where}", everywhere, fields["area_mu"])


def _constant(scores: Scores, fields: pd.DataFrame) -> Iterator[QualityRow]:
    for name in scores.marks.columns:
        marks = scores.marks[name]
        known = marks.notna()
        if known.sum() > 1 and marks[known].nunique() == 1:
            mark = float(marks[known].iloc[0])
            what = f"criterion {name!r} tells no parcels apart: it gives {mark:.2f} to each whose value is known"
            yield _row(what, known.astype(bool), fields["area_mu"])


def _misspelt(config: Config, fields: pd.DataFrame) -> Iterator[QualityRow]:
    for _, row in _texts(config, fields):
        yield row


def _texts(config: Config, fields: pd.DataFrame) -> Iterator[tuple[str, QualityRow]]:
    """Key of the expression, and what is said of the texts in it that do not occur."""
    for key, text, _ in expressions_of(config):
        for absent in absent_texts(text, fields):
            yield dotted(key), _absent_row(dotted(key), absent, fields["area_mu"])


def _absent_row(key: str, absent: AbsentTexts, area: pd.Series[Any]) -> QualityRow:
    counts = absent.values.value_counts()
    values = [str(v) for v in counts.index]
    near = {t: nearest(t, values) if len(values) <= _MOST_VALUES else None for t in absent.texts}
    meant = {t: v for t, v in near.items() if v is not None}
    said = ", ".join(repr(t) for t in absent.texts)
    what = f"{key}: no parcel has {said} in {absent.compared}"
    if meant:
        what += "; did you mean " + ", ".join(f"{v!r} ({int(counts[v]):,} parcels)" for v in meant.values()) + "?"
    elif 0 < len(values) <= SHOWN_IDS:
        what += f", which holds {', '.join(repr(v) for v in sorted(values))}"
    concerned = absent.values.isin(list(meant.values())) if meant else pd.Series(True, index=area.index)
    return _row(what, concerned.fillna(False).astype(bool), area)


def _removals(
    scores: Scores, status: pd.Series[Any], locked: pd.Series[Any], config: Config
) -> Iterator[tuple[str, str, pd.Series[Any]]]:
    """Key, what removes parcels, and which: each rule by itself."""
    fields = _fields(scores)
    if config.scoring.unknown == "ineligible":
        yield "scoring.unknown", "a criterion is unknown for", scores.score.isna().astype(bool)
    for rule in _rules(config, fields):
        name = f"{rule.section} rule {rule.spec.name!r}"
        if rule.section == "eligible":
            undecided = f" (or cannot be decided: {int(rule.unknown.sum()):,})" if rule.unknown.any() else ""
            yield rule.key, f"{name} does not hold{undecided} for", ~rule.holds
        elif isinstance(rule.spec, ExcludeSpec):
            yield rule.key, f"{name} removes", rule.holds | (rule.unknown & (rule.spec.unknown == "exclude"))
    unpaid = (scores.status == "eligible") & (status != "eligible")
    yield "optimise.cost", "the cost is unknown of", unpaid.astype(bool)
    yield "optimise.locks.out", "locked out are", (locked == "out").fillna(False).astype(bool)


def _removed(key: str, what: str, mask: pd.Series[Any], fields: pd.DataFrame) -> Issue:
    area = float(fields.loc[mask.to_numpy(dtype=bool), "area_mu"].sum())
    found = f"{what} {int(mask.sum()):,} of {len(mask):,} parcels ({area:,.2f} mu)"
    return Issue(key, found, "a rule that leaves land", "Loosen it, or correct the field it reads.")
