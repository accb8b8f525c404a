"""A plan without what must not leave the building: right-holders, credit codes, rents, and fields named sensitive."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from planner.config import Config
from planner.contents import PlanContents
from planner.expressions import parse
from planner.land_fields import MEASURED
from planner.shown import shown_expressions
from planner.spec_report import SENSITIVE_FACTS

NOTES: Final = "note"
"""Column of the planner's own remarks on parcels: they name people more often than not."""


@dataclass(frozen=True)
class Redaction:
    """What was left out.

    Attributes
    ----------
    fields : tuple of str
        Columns of the layer of parcels.
    facts : tuple of str
        Facts of ``report.show``.
    ids : int
        Keys in findings about the data that are no parcel ids, such as credit codes of firms.
    """

    fields: tuple[str, ...]
    facts: tuple[str, ...]
    ids: int


def sensitive_fields(config: Config) -> frozenset[str]:
    """Parcel fields that a redacted package leaves out.

    Those named in ``report.sensitive``, those that owner, credit code and rent are shown from, and every derived field
    that is worked out from one of them. Scores, costs and worth stay: they do not give a single value back.
    """
    shown = shown_expressions(config)
    found = {*config.report.sensitive}
    for fact in SENSITIVE_FACTS:
        if fact in shown:
            found |= parse(shown[fact]).names - {"score", *MEASURED}
    for name, text in config.scoring.derived.items():  # each may use those before it
        if found & parse(text).names:
            found.add(name)
    return frozenset(found)


def redacted(contents: PlanContents) -> tuple[PlanContents, Redaction]:
    """The plan without sensitive fields, facts, remarks and strange keys, and what was left out."""
    config = contents.config
    fields = sensitive_fields(config)
    shown = shown_expressions(config)
    facts = {name for name, text in shown.items() if name in SENSITIVE_FACTS or parse(text).names & fields}
    parcels = contents.tables.parcels
    gone = [name for name in parcels.columns if name in fields or name == NOTES]
    known = {str(i) for i in parcels["parcel_id"]}
    findings, strange = _known_only(contents.summary.get("data_quality", []), known)
    tables = replace(contents.tables, parcels=parcels.drop(columns=gone))
    report = config.report.model_copy(update={"base_map": None})  # its key, or the path of its raster, is nobody's
    kept = replace(
        contents,
        config=config.model_copy(update={"report": report}),
        tables=tables,
        summary={**contents.summary, "data_quality": findings},
        hidden=contents.hidden | facts,
    )
    return kept, Redaction(tuple(gone), tuple(sorted(facts)), strange)


def _known_only(findings: list[dict[str, Any]], known: set[str]) -> tuple[list[dict[str, Any]], int]:
    """Findings with ids of parcels only, and how many other keys were left out."""
    strange = sum(i not in known for row in findings for i in row["parcel_ids"])
    return [{**row, "parcel_ids": [i for i in row["parcel_ids"] if i in known]} for row in findings], strange
