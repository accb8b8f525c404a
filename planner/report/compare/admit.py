"""Which plans can be compared at all: a false comparison is refused, with every reason at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from geodata.crs import crs_name
from geodata.errors import DataError, Issue
from planner.contents import PlanContents

LEAST: Final = 2
MOST: Final = 8
"""Plans on one page."""

Plans = Sequence[tuple[str, PlanContents]]


def require_comparable(plans: Plans) -> None:
    """Raise `DataError` unless these plans can stand beside each other.

    There must be 2 to 8 of them with different names, of one currency, all of real or all of generated land, with
    areas measured in one CRS, and with some parcel in common with the first of them.
    """
    issues: list[Issue] = []
    if not LEAST <= len(plans) <= MOST:
        fix = f"Name {LEAST} to {MOST} folders."
        raise DataError(Issue("plans", str(len(plans)), f"{LEAST} to {MOST} of them", fix))
    names = [name for name, _ in plans]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        issues.append(Issue("plans", f"{', '.join(twice)} more than once", "different names", "Name each plan once."))
    checks: tuple[tuple[str, Callable[[PlanContents], str], str], ...] = (
        ("currency", lambda c: c.config.project.currency, "Money of different currencies has no difference."),
        ("land", _kind, "Compare plans of real land with each other, and those of generated land."),
        (
            "metric CRS",
            lambda c: crs_name(c.tables.parcels.crs),
            "Areas would be measured differently: set `parcels.metric_crs` alike and run again.",
        ),
    )
    first_name, first = plans[0]
    for what, of, fix in checks:
        issues += [
            Issue(f"plan {name}, {what}", of(contents), f"{of(first)}, as in {first_name}", fix)
            for name, contents in plans[1:]
            if of(contents) != of(first)
        ]
    ids = set(first.tables.parcels["parcel_id"])
    issues += [
        Issue(
            f"plan {name}, parcels",
            f"none of the parcel ids of {first_name}",
            "land with parcels in common",
            "Compare plans of the same land.",
        )
        for name, contents in plans[1:]
        if ids.isdisjoint(contents.tables.parcels["parcel_id"])
    ]
    if issues:
        raise DataError(issues)


def _kind(contents: PlanContents) -> str:
    return "generated (synthetic) land" if contents.synthetic else "real land"
