"""The verdict as data and as text."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from planner.check.model import CheckReport, Finding
from planner.check.rules import RULES

_TITLES = {rule.name: rule.title for rule in RULES} | {"completeness": "every rule looked at everything it must"}
_SHOWN_FINDINGS = 200


def report_as_dict(report: CheckReport) -> dict[str, Any]:
    """JSON form: ``passed``, ``findings``, ``checked`` (with those that had nothing to check), ``measured``."""
    return {
        "passed": report.passed,
        "errors": sum(f.severity == "error" for f in report.findings),
        "warnings": sum(f.severity == "warning" for f in report.findings),
        "findings": [asdict(f) | {"parcel_ids": list(f.parcel_ids)} for f in report.findings],
        "checked": dict(report.checked),
        "nothing_to_check": [rule for rule, count in report.checked.items() if count == 0],
        "measured": dict(report.measured),
    }


def report_as_markdown(report: CheckReport) -> str:
    """Text form for people: the verdict, the findings, the rules with counts, the figures measured."""
    errors = sum(f.severity == "error" for f in report.findings)
    verdict = "passed" if report.passed else f"failed, {errors} error{'s' * (errors != 1)}"
    lines = [f"## Check: {verdict}", ""]
    lines += [_line(f) for f in report.findings[:_SHOWN_FINDINGS]]
    if len(report.findings) > _SHOWN_FINDINGS:
        lines.append(f"- … and {len(report.findings) - _SHOWN_FINDINGS} more")
    lines += [""] * bool(report.findings) + ["| rule | makes sure of | checked | findings |", "|---|---|---:|---:|"]
    for rule, count in report.checked.items():
        found = sum(f.rule == rule for f in report.findings)
        lines.append(f"| {rule} | {_TITLES.get(rule, '')} | {count or 'nothing to check'} | {found} |")
    if report.measured:
        lines += ["", "| measured | value |", "|---|---:|"]
        lines += [f"| {_cell(name)} | {value:,.4f} |" for name, value in report.measured.items()]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    """Text that stays inside its table cell or list item, and is no markup."""
    escaped = text.replace("\\", "\\\\")
    for mark in "|<>[]*_`":
        escaped = escaped.replace(mark, "\\" + mark)
    return " ".join(escaped.split())


def _line(finding: Finding) -> str:
    return f"- **{finding.severity}** ({finding.rule}) {_cell(finding.message)}"


def first_error(report: CheckReport) -> str:
    """Message of the first error of a report that did not pass."""
    return next(f.message for f in report.findings if f.severity == "error")


def joined(first: CheckReport, second: CheckReport) -> CheckReport:
    """Two verdicts on one plan; rules of the second are told apart by ``arrays:``."""
    findings = (*first.findings, *(replace(f, rule=f"arrays: {f.rule}") for f in second.findings))
    checked = {**first.checked, **{f"arrays: {name}": count for name, count in second.checked.items()}}
    measured = {**first.measured, **{f"arrays: {name}": value for name, value in second.measured.items()}}
    return CheckReport(findings, checked, measured)
