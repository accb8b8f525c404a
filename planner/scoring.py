"""Which land is low-efficient: criteria → marks → score, with eligibility, exclusion and veto beside it.

The score is a weighted mean of marks in [0, 1], 1 = most in need of redevelopment. A veto or an exclusion is never
netted against it: each stands in its own column with its reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from geodata.errors import Issue
from planner.config import CriterionSpec, FillerSpec, MinMax, RuleSpec, ScoringSpec, Threshold
from planner.errors import ConfigError
from planner.expressions import evaluate, evaluate_condition, evaluate_number

NEUTRAL_MARK: Final = 0.5
WORST_MARK: Final = 0.0


@dataclass(frozen=True)
class Scores:
    """Result of the scoring stage; everything is indexed by ``parcel_id``.

    Attributes
    ----------
    fields : pandas.DataFrame
        The input fields with the derived ones appended.
    marks : pandas.DataFrame
        One column per criterion, in [0, 1]; ``pandas.NA`` where the value is unknown.
    score : pandas.Series
        ``Float64`` in [0, 1]; NA only under ``unknown: ineligible``.
    status : pandas.Series
        eligible, ineligible or excluded.
    reason : pandas.Series
        Why: the rules that decided, by name.
    forced : pandas.Series
        bool: eligible because of a veto (`force_in`).
    undecided : dict of str to list of str
        Rule or criterion → ids of parcels where it could not be decided for lack of a value.
    """

    fields: pd.DataFrame
    marks: pd.DataFrame
    score: pd.Series[Any]
    status: pd.Series[Any]
    reason: pd.Series[Any]
    forced: pd.Series[Any]
    undecided: dict[str, list[str]]


def criterion_marks(criterion: CriterionSpec, frame: pd.DataFrame) -> pd.Series[Any]:
    """Marks of one criterion in [0, 1], 1 = most in need; unknown stays ``pandas.NA``.

    With `direction` high, ``minmax`` gives clip((x − lo)/(hi − lo), 0, 1), ``rank`` (r − 1)/(n − 1) over the n known
    values with mean ranks for ties (0.5 when n = 1), ``threshold`` 1 where x ≥ at; direction low gives 1 minus that
    for minmax and rank, and 1 where x ≤ at for threshold.
    """
    x = evaluate_number(criterion.value, frame)
    high = criterion.direction == "high"
    how = criterion.normalise
    if isinstance(how, Threshold):
        return ((x >= how.at) if high else (x <= how.at)).astype("Float64")
    if isinstance(how, MinMax):
        mark = ((x - how.lo) / (how.hi - how.lo)).clip(0.0, 1.0)
    else:
        n_known = int(x.notna().sum())
        mark = (x.rank() - 1) / (n_known - 1) if n_known > 1 else x.where(x.isna(), NEUTRAL_MARK)
    return mark if high else 1.0 - mark


def add_derived(frame: pd.DataFrame, spec: ScoringSpec) -> pd.DataFrame:
    """`frame` with the derived fields appended, each computed from those before it."""
    fields = frame.copy()
    for name, expression in spec.derived.items():
        if name in fields.columns:
            raise ConfigError(
                Issue(f"scoring.derived.{name}", "a field of that name", "a new name", "Rename the derived field.")
            )
        fields[name] = evaluate(expression, fields)
    return fields


def _ids(mask: pd.Series[Any]) -> list[str]:
    return [str(i) for i in mask.index[mask.to_numpy(dtype=bool)]]


def _join(texts: pd.Series[Any], mask: pd.Series[Any], text: str) -> pd.Series[Any]:
    """Append `text` to the reasons where `mask` holds."""
    return texts.where(~mask, texts.where(texts == "", texts + "; ") + text)


def _score(fields: pd.DataFrame, spec: ScoringSpec, undecided: dict[str, list[str]]) -> tuple[pd.DataFrame, Any]:
    marks = pd.DataFrame({c.name: criterion_marks(c, fields) for c in spec.criteria}, index=fields.index)
    if len(marks.columns) != len(spec.criteria):
        raise ConfigError(
            Issue("scoring.criteria", "two criteria of one name", "distinct names", "Rename one of the criteria.")
        )
    for name in marks.columns:
        unknown = marks[name].isna()
        if unknown.any():
            undecided[f"criterion {name}"] = _ids(unknown)
    fill = {"neutral": NEUTRAL_MARK, "worst": WORST_MARK, "ineligible": None}[spec.unknown]
    used = marks if fill is None else marks.fillna(fill)
    total = sum(c.weight for c in spec.criteria)
    score = sum((used[c.name] * (c.weight / total) for c in spec.criteria), pd.Series(0.0, fields.index, "Float64"))
    return marks, score.clip(0.0, 1.0)


def _hits(
    rules: tuple[RuleSpec, ...], what: str, fields: pd.DataFrame, undecided: dict[str, list[str]]
) -> list[tuple[RuleSpec, Any, Any]]:
    """For each rule: where it holds and where it cannot be decided."""
    found = []
    for rule in rules:
        value = evaluate_condition(rule.when, fields)
        unknown = value.isna()
        if unknown.any():
            undecided[f"{what} {rule.name}"] = _ids(unknown)
        found.append((rule, value.fillna(False).astype(bool), unknown.astype(bool)))
    return found


def score_parcels(frame: pd.DataFrame, spec: ScoringSpec) -> Scores:
    """Score and classify all parcels.

    Parameters
    ----------
    frame : pandas.DataFrame
        Indexed by ``parcel_id``: mapped fields and ``area_m2``, ``area_mu``, ``perimeter_m``, ``zone``.
    spec : ScoringSpec
        Criteria and rules.

    Returns
    -------
    Scores

    Raises
    ------
    ConfigError
        A bad expression, an unknown field, a name used twice.
    """
    undecided: dict[str, list[str]] = {}
    fields = add_derived(frame, spec)
    marks, score = _score(fields, spec, undecided)
    with_score = fields.assign(score=score)
    index = fields.index
    reason = pd.Series("", index=index, dtype="object")
    ineligible = pd.Series(False, index=index)
    if spec.unknown == "ineligible":
        missing = score.isna().astype(bool)
        ineligible |= missing
        reason = _join(reason, missing, "a criterion is unknown")
    for rule, holds, unknown in _hits(spec.eligible, "eligible", with_score, undecided):
        ineligible |= ~holds
        reason = _join(reason, ~holds & ~unknown, f"not {rule.name}")
        reason = _join(reason, unknown, f"unknown whether {rule.name}")
    forced = pd.Series(False, index=index)
    for rule, holds, _unknown in _hits(spec.force_in, "force_in", with_score, undecided):
        forced |= holds
        reason = _join(reason.where(~(holds & ineligible & (reason != "")), ""), holds, f"veto: {rule.name}")
    ineligible &= ~forced
    excluded = pd.Series(False, index=index)
    for exclusion, (_, holds, unknown) in zip(
        spec.exclude, _hits(spec.exclude, "exclude", with_score, undecided), strict=True
    ):
        hit = holds | (unknown if exclusion.unknown == "exclude" else False)
        reason = _join(reason.where(~hit | excluded, ""), hit & ~unknown, f"excluded: {exclusion.name}")
        reason = _join(reason, hit & unknown, f"excluded: unknown whether {exclusion.name}")
        excluded |= hit
    status = pd.Series("eligible", index=index, dtype="object")
    status = status.where(~ineligible, "ineligible").where(~excluded, "excluded")
    reason = reason.where((status != "eligible") | (reason != ""), "low-efficient")
    return Scores(fields, marks, score, status, reason, forced & ~excluded, undecided)


def filler_mask(scores: Scores, filler: FillerSpec) -> pd.Series[Any]:
    """Which ineligible parcels may join a block as remnant land (bool, by ``parcel_id``)."""
    ineligible = scores.status == "ineligible"
    if filler.where is None:
        return ineligible & False
    matches = evaluate_condition(filler.where, scores.fields.assign(score=scores.score))
    return ineligible & matches.fillna(False).astype(bool)
