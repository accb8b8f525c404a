"""Which projects may have land: vetoes and thresholds, each with its figures; and what each is worth to the match.

A veto is never netted against yield: it bars a project whatever the project brings, in a column of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

import pandas as pd

from geodata.errors import Issue
from geodata.hashing import file_sha256
from planner.demand.grading import grade_projects
from planner.demand.projects import ID, read_projects
from planner.demand.words import comparison, facts
from planner.errors import ConfigError
from planner.expressions import absent_texts, evaluate_condition, evaluate_number
from planner.spec_demand import REVIEWS, DemandSpec, EntrantTestSpec

Kind = Literal["veto", "threshold"]

TEST_COLUMNS: Final = ("project_id", "kind", "test", "source", "outcome", "measured", "limit", "reason")
"""Columns of `Judged.tests`."""


@dataclass(frozen=True)
class Judged:
    """The projects and what is said of them before any block is known.

    Attributes
    ----------
    projects : pandas.DataFrame
        As `planner.demand.projects.read_projects` gives them.
    verdicts : pandas.DataFrame
        By ``project_id``: ``barred`` and ``below`` (yes/no), ``barred_by`` and ``below_by`` (reasons, empty without),
        ``undecided`` (number of tests that could not be decided), ``grade`` (A to D, None where a mark is unknown or
        nothing is graded), ``grade_marks`` (sum of marks, NaN where unknown), ``worth`` (NaN where unknown).
    tests : pandas.DataFrame
        `TEST_COLUMNS`: a row for each project and test. ``outcome`` is ``passed``, ``failed``, ``undecided, barred`` or
        ``undecided, admitted``; ``measured`` and ``limit`` are numbers where the test is one comparison with a number.
    table_sha256 : str or None
        Fingerprint of the table of projects; None where they are written in the configuration.
    """

    projects: pd.DataFrame
    verdicts: pd.DataFrame
    tests: pd.DataFrame
    table_sha256: str | None


def judge_demand(spec: DemandSpec) -> Judged:
    """Read the projects and judge them.

    Raises
    ------
    DataError
        The table of projects is wrong.
    ConfigError
        An expression is wrong, or frontage is asked for and nothing tells that of a parcel.
    """
    projects = read_projects(spec)
    issues = list(_setting_issues(spec, projects))
    tests: list[pd.DataFrame] = []
    for kind, listed in (("veto", spec.veto), ("threshold", spec.thresholds)):
        for k, test in enumerate(listed):
            key = f"demand.{'veto' if kind == 'veto' else 'thresholds'}[{k}].when"
            tests += _held(key, issues, lambda kind=kind, test=test: _test(kind, test, projects))  # type: ignore[misc]
    worth = _held("demand.worth", issues, lambda: evaluate_number(spec.worth, projects))
    grades = _held("demand.grading", issues, lambda: grade_projects(spec.grading, projects))
    if issues:
        raise ConfigError(issues)
    table = pd.concat(tests, ignore_index=True) if tests else pd.DataFrame(columns=list(TEST_COLUMNS))
    (values,), (graded,) = worth, grades
    verdicts = _verdicts(projects.index, table).assign(
        grade=graded["grade"], grade_marks=graded["grade_marks"], worth=values.astype("Float64")
    )
    return Judged(projects, verdicts, table, None if spec.path is None else file_sha256(spec.path))


def _held(key: str, issues: list[Issue], make: Callable[[], Any]) -> list[Any]:
    """What a function gives, as a list of one; nothing where the expression at `key` is wrong, which is noted."""
    try:
        return [make()]
    except ConfigError as error:
        issues += [i if i.where.startswith(key) else Issue(key, i.found, i.expected, i.fix) for i in error.issues]
        return []


def _setting_issues(spec: DemandSpec, projects: pd.DataFrame) -> Iterator[Issue]:
    asked = projects.index[(projects["frontage_m"].fillna(0) > 0).to_numpy(dtype=bool)]
    if len(asked) and spec.frontage_m is None:
        found = f"nothing, but {len(asked)} projects ask for frontage ({asked[0]} for the first)"
        fix = "Write an expression over parcel fields, or take the column `frontage_m` from the projects."
        yield Issue("demand.frontage_m", found, "the frontage of a parcel", fix)
    for key, text in (
        *((f"demand.veto[{k}].when", t.when) for k, t in enumerate(spec.veto)),
        *((f"demand.thresholds[{k}].when", t.when) for k, t in enumerate(spec.thresholds)),
    ):
        try:
            absent = absent_texts(text, projects)
        except ConfigError:
            continue  # told where the test is made
        for part in absent:
            for wrong in sorted(set(part.texts) - {*REVIEWS.get(part.compared, part.texts)}):
                expected = " or ".join(REVIEWS[part.compared])
                yield Issue(key, f"{part.compared} compared with {wrong!r}", expected, "Correct the text.")


def _test(kind: str, test: EntrantTestSpec, projects: pd.DataFrame) -> pd.DataFrame:
    """One row for each project; see `Judged.tests`."""
    holds = evaluate_condition(test.when, projects)
    unknown = holds.isna().to_numpy(dtype=bool)
    fails = (holds if kind == "veto" else ~holds).fillna(False).to_numpy(dtype=bool)
    outcome = pd.Series("passed", index=projects.index, dtype=object)
    outcome = outcome.mask(fails, "failed")
    outcome = outcome.mask(unknown, "undecided, barred" if test.unknown == "bar" else "undecided, admitted")
    held = comparison(test.when)
    measured = None if held is None else evaluate_number(held.value, projects).astype("Float64")
    reasons = [
        "" if o == "passed" else _reason(kind, test, o, facts(test.when, row))
        for o, (_, row) in zip(outcome, projects.iterrows(), strict=True)
    ]
    return pd.DataFrame(
        {
            ID: projects.index,
            "kind": kind,
            "test": test.name,
            "source": test.source,
            "outcome": outcome.to_numpy(),
            "measured": pd.array([None] * len(projects), dtype="Float64") if measured is None else measured.array,
            "limit": pd.array([None if held is None else held.limit] * len(projects), dtype="Float64"),
            "reason": reasons,
        }
    )


def _reason(kind: str, test: EntrantTestSpec, outcome: str, figures: str) -> str:
    if outcome == "undecided, admitted":
        return f"cannot be decided: {test.name} ({figures})"
    if outcome == "undecided, barred":
        return f"unknown whether {test.name} ({figures})"
    if kind == "veto":
        return f"{test.name} ({figures})"
    held = comparison(test.when)
    asked = test.when if held is None else f"{held.words} {held.limit:,.10g}"
    return f"{test.name} ({figures}; asked for: {asked})"


def _verdicts(index: pd.Index, tests: pd.DataFrame) -> pd.DataFrame:
    """Yes/no and reasons by project; see `Judged.verdicts`."""
    out = tests["outcome"].isin(["failed", "undecided, barred"])
    columns: dict[str, Any] = {}
    for kind, yes, why in (("veto", "barred", "barred_by"), ("threshold", "below", "below_by")):
        mine = tests[out & (tests["kind"] == kind)]
        reasons = mine.groupby(ID)["reason"].agg("; ".join) if len(mine) else pd.Series(dtype=object)
        columns[why] = reasons.reindex(index).astype(object).fillna("")
        columns[yes] = columns[why] != ""
    undecided = tests[tests["outcome"].str.startswith("undecided")] if len(tests) else tests
    columns["undecided"] = undecided.groupby(ID).size().reindex(index).fillna(0).astype("int64")
    order = ["barred", "barred_by", "below", "below_by", "undecided"]
    return pd.DataFrame({name: columns[name] for name in order}, index=index)
