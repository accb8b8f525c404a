"""Indicators of several plans as rows: differences to the first plan, and which plan is best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from planner.report.compare.figures import SECTIONS, Better, Indicator, Unit

_ALIKE: float = 1e-9
"""Values closer than this share of them are the same."""

Name = tuple[str, str, tuple[str, ...]]
"""Section, key and what a figure is of."""


@dataclass(frozen=True)
class Row:
    """One indicator of all plans.

    Attributes
    ----------
    section, key, unit, of, better
        As of `Indicator`.
    cells : tuple of Indicator or None
        One per plan; None where the figure is no part of the plan.
    unlike : tuple of bool
        One per plan: it measures the figure by other things than the first plan that has it.
    best : tuple of bool
        One per plan: the best of those measured alike. None is best where one of them is not wholly known, or all are
        the same.
    differences : tuple of float or None
        One per plan, value less that of the first plan; None for the first, where they are measured differently, and
        where one of the two is not wholly known.
    """

    section: str
    key: str
    unit: Unit
    of: tuple[str, ...]
    better: Better | None
    cells: tuple[Indicator | None, ...]
    unlike: tuple[bool, ...]
    best: tuple[bool, ...]
    differences: tuple[float | None, ...]


def rows_of(plans: Sequence[Sequence[Indicator]]) -> tuple[Row, ...]:
    """Rows in the order of the sections; a figure that only later plans have follows what it follows there.

    Parameters
    ----------
    plans : sequence of sequence of Indicator
        `indicators` of each plan.
    """
    found = [{(i.section, i.key, i.of): i for i in plan} for plan in plans]
    order = [name for section in SECTIONS for name in _order([[n for n in plan if n[0] == section] for plan in found])]
    return tuple(_row(tuple(plan.get(name) for plan in found)) for name in order)


def _order(plans: Sequence[Sequence[Name]]) -> list[Name]:
    """Names of all plans: one that is new follows its forerunner, else stands before its successor, else at the end."""
    order: list[Name] = []
    for names in plans:
        for k, name in enumerate(names):
            if name in order:
                continue
            after = next((n for n in names[k + 1 :] if n in order), None)
            if k > 0:
                order.insert(order.index(names[k - 1]) + 1, name)
            else:
                order.insert(len(order) if after is None else order.index(after), name)
    return order


def _row(cells: tuple[Indicator | None, ...]) -> Row:
    first = next(cell for cell in cells if cell is not None)
    unlike = tuple(cell is not None and cell.basis != first.basis for cell in cells)
    alike = tuple(None if other else cell for cell, other in zip(cells, unlike, strict=True))
    best, differences = _best(alike, first.better), _differences(alike)
    return Row(first.section, first.key, first.unit, first.of, first.better, cells, unlike, best, differences)


def _whole(cell: Indicator | None) -> float | None:
    """The number of a cell that is wholly known."""
    if cell is None or cell.unknown or cell.value is None or isinstance(cell.value, str):
        return None
    return cell.value


def _best(cells: tuple[Indicator | None, ...], better: Better | None) -> tuple[bool, ...]:
    values = [_whole(cell) for cell in cells]
    known = [v for v in values if v is not None]
    partly = any(cell is not None and value is None for cell, value in zip(cells, values, strict=True))
    if better is None or partly or len(known) < 2:
        return (False,) * len(cells)
    top = max(known) if better == "high" else min(known)
    near = _ALIKE * max(abs(v) for v in known)
    if all(abs(v - top) <= near for v in known):
        return (False,) * len(cells)
    return tuple(v is not None and abs(v - top) <= near for v in values)


def _differences(cells: tuple[Indicator | None, ...]) -> tuple[float | None, ...]:
    base, *others = (_whole(cell) for cell in cells)
    return (None, *(None if base is None or value is None else value - base for value in others))
