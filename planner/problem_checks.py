"""Whether the parts of a problem agree with each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

from geodata.errors import DataError, Issue, list_ids
from planner.problem import OPTIONAL_ARRAYS, Problem, Resource

_CORRECT = "Correct the file."
_BY_MODE = ("boundary_mu", "cleared_mu", "accepted_mu", "floor_m2")
"""Measures that have an array of their own."""


def check_problem(problem: Problem) -> None:
    """Raise a `DataError` that lists everything inconsistent in a problem."""
    issues = [*_shape_issues(problem)]
    if not issues:  # indices mean nothing while lengths disagree
        parts = (_name_issues, _index_issues, _number_issues, _resource_issues, _milestone_issues, _given_blocks_issues)
        issues = [issue for part in parts for issue in part(problem)]
    if issues:
        raise DataError(issues)


def _shape_issues(problem: Problem) -> Iterator[Issue]:
    n, n_phases, n_modes = problem.n, len(problem.phases), len(problem.modes)
    if not n or not n_phases or not n_modes:
        found = f"{n} parcels, {n_phases} phases, {n_modes} modes"
        yield Issue("problem", found, "at least one of each", "Add some.")
    arrays: list[tuple[str, Any, tuple[int, ...]]] = []
    for name in OPTIONAL_ARRAYS:
        by_mode = name.startswith("mode_")
        arrays.append((f"parcels.{name}", getattr(problem, name), (n, n_modes) if by_mode else (n,)))
    arrays += [(f"groups.{g.name}.members", g.members, (n,)) for g in problem.groups]
    for resource in problem.resources:
        arrays += [(f"resources.{resource.name}.{k}", *of) for k, of in _resource_shapes(problem, resource).items()]
    for rule in problem.block_rules:
        arrays += [(f"block_rules.{rule.name}.{k}", getattr(rule, k), (n,)) for k in ("amount", "share_of")]
    for name, values, shape in arrays:
        if values is not None and values.shape != shape:
            yield Issue(f"problem, {name}", f"shape {values.shape}", f"shape {shape}", _CORRECT)


def _resource_shapes(problem: Problem, resource: Resource) -> dict[str, tuple[Any, tuple[int, ...]]]:
    """Arrays of a resource with the shape that each must have."""
    n, n_phases, n_modes = problem.n, len(problem.phases), len(problem.modes)
    limits = np.array(resource.limits, dtype=object)
    names = np.array(resource.periods, dtype=object)
    if resource.timing is None:
        return {
            "use": (resource.use, (n,)),
            "limits": (limits, (n_phases,)),
            "periods": (names if len(names) else None, (n_phases,)),
        }
    parts = resource.use.shape[-1] if resource.use.ndim else 0
    periods = len(resource.limits)
    return {
        "use": (resource.use, (n, n_modes, parts)),
        "timing": (resource.timing, (periods, n_phases, n_modes, parts)),
        "periods": (names if len(names) or periods != n_phases else None, (periods,)),
    }


def _name_issues(problem: Problem) -> Iterator[Issue]:
    for name, ids in (
        ("parcels.id", problem.parcel_ids),
        ("phases", [p.id for p in problem.phases]),
        ("modes", [m.id for m in problem.modes]),
        ("groups", [g.name for g in problem.groups]),
        ("resources", [r.name for r in problem.resources]),
        ("block_rules", [r.name for r in problem.block_rules]),
        *((f"resources.{r.name}.periods", r.periods) for r in problem.resources),
    ):
        twice = sorted({i for i in ids if list(ids).count(i) > 1}) if len(set(ids)) != len(ids) else []
        if twice:
            yield Issue(f"problem, {name}", f"twice: {list_ids(twice)}", "distinct names", "Rename them.")


def _index_issues(problem: Problem) -> Iterator[Issue]:
    n, n_phases, n_modes = problem.n, len(problem.phases), len(problem.modes)
    zones, groups = len(problem.zones), len(problem.groups)
    ranges: list[tuple[str, Any, int, int]] = [
        ("adjacency.pairs", problem.pairs, 0, n - 1),
        ("links.pairs", problem.link_pairs, 0, n - 1),
        ("parcels.zone", problem.zone, -1, zones - 1),
        ("parcels.earliest", problem.earliest, 0, n_phases),
        ("parcels.lock_by", problem.lock_by, -1, n_phases - 1),
        ("targets.phase", [t.phase for t in problem.targets], 0, n_phases - 1),
        ("targets.zone", [t.zone for t in problem.targets], -1, zones - 1),
        ("targets.group", [t.group for t in problem.targets], -1, groups - 1),
        ("block_rules.modes", [m for r in problem.block_rules for m in r.modes or ()], 0, n_modes - 1),
        ("fixed.phase", [b.phase for b in problem.fixed], 0, n_phases - 1),
        ("fixed.mode", [b.mode for b in problem.fixed], 0, n_modes - 1),
        ("fixed.parcels", [i for b in problem.fixed for i in b.parcels], 0, n - 1),
        ("before.phase", [b.phase for b in problem.before], 0, n_phases - 1),
        ("before.mode", [b.mode for b in problem.before], 0, n_modes - 1),
        ("before.parcels", [i for b in problem.before for i in b.parcels], 0, n - 1),
        ("modes.duration", [m.duration for m in problem.modes], 0, 10**6),
    ]
    if problem.village is not None:
        ranges.append(("parcels.village", problem.village, -1, len(problem.villages) - 1))
    if problem.existing_from is not None:
        ranges.append(("parcels.existing_from", problem.existing_from, 0, n_phases))
    if problem.gates is not None:
        ranges.append(("parcels.gates", problem.gates, 0, n_phases))
    for name, values, low, high in ranges:
        array = np.asarray(values)
        bad = array[(array < low) | (array > high)]
        if bad.size:
            yield Issue(f"problem, {name}", str(bad[0]), f"{low} to {high}", _CORRECT)
    for name, pairs in (("adjacency", problem.pairs), ("links", problem.link_pairs)):
        if len(pairs) and (pairs[:, 0] >= pairs[:, 1]).any():
            yield Issue(f"problem, {name}.pairs", "a pair (i, j) with i ≥ j", "i < j", _CORRECT)
        if len(np.unique(pairs, axis=0)) != len(pairs):
            yield Issue(f"problem, {name}.pairs", "a pair twice", "each pair once", _CORRECT)


def _number_issues(problem: Problem) -> Iterator[Issue]:
    for name, values, strict in (
        ("parcels.area_mu", problem.area_mu, True),
        ("parcels.perimeter_m", problem.perimeter_m, False),
        ("adjacency.shared_m", problem.shared_m, False),
        ("links.gap_m", problem.gap_m, False),
        ("parcels.change_price", problem.change_price, False),
        *((f"parcels.mode_{m}", getattr(problem, f"mode_{m}"), False) for m in _BY_MODE),
        *((f"resources.{r.name}.use", r.use, False) for r in problem.resources if r.timing is None),
        ("targets.floor", np.array([t.floor for t in problem.targets], dtype=float), False),
        ("targets.stretch", np.array([t.stretch or 0.0 for t in problem.targets], dtype=float), False),
        ("targets.ceiling", np.array([t.ceiling or 0.0 for t in problem.targets], dtype=float), False),
        ("targets.stretch_price", np.array([t.stretch_price for t in problem.targets], dtype=float), False),
        ("targets.project_min_mu", np.array([t.project_min_mu for t in problem.targets], dtype=float), False),
    ):
        bad = np.zeros(0, dtype=bool) if values is None else (values <= 0 if strict else values < 0)
        if values is not None and bad.any():
            yield Issue(f"problem, {name}", f"{values[bad].flat[0]}", "positive" if strict else "0 or more", _CORRECT)
    if not 0 <= problem.block_min_mu <= problem.block_max_mu:
        found = f"min_mu {problem.block_min_mu}, max_mu {problem.block_max_mu}"
        yield Issue("problem, block", found, "0 ≤ min ≤ max", "Swap.")
    if not 0 <= problem.filler_max_share <= 1 or problem.perimeter_per_m < 0:
        yield Issue("problem, weights", "a negative weight or share", "0 or more (share ≤ 1)", "Correct it.")
    if any(not 0 < p.discount <= 1 for p in problem.phases):
        yield Issue("problem, phases.discount", "a factor outside (0, 1]", "0 < discount ≤ 1", "Correct it.")
    if problem.max_villages is not None and (problem.village is None or problem.max_villages < 1):
        found = f"max_villages {problem.max_villages}" + (", no villages" if problem.village is None else "")
        yield Issue("problem, block.max_villages", found, "1 or more, and a village by parcel", _CORRECT)
    for target in problem.targets:
        if target.ceiling is not None and target.ceiling < target.floor:
            found = f"{target.name}: ceiling {target.ceiling:g} below floor {target.floor:g}"
            yield Issue("problem, targets.ceiling", found, "floor ≤ ceiling", _CORRECT)
    for measure in _BY_MODE:
        if any(t.measure == measure for t in problem.targets) and getattr(problem, f"mode_{measure}") is None:
            found = f"{measure} without mode_{measure}"
            yield Issue("problem, targets.measure", found, f"parcels.mode_{measure}", _CORRECT)


def _resource_issues(problem: Problem) -> Iterator[Issue]:
    """Numbers that must be finite, and limits of what only grows."""
    for resource in problem.resources:
        where = f"problem, resources.{resource.name}"
        limits = np.array([x for x in resource.limits if x is not None], dtype=float)
        for name, values in (("use", resource.use), ("timing", resource.timing), ("limits", limits)):
            if values is not None and not np.isfinite(values).all():
                yield Issue(f"{where}.{name}", "a number that is not finite", "finite numbers", _CORRECT)
        if resource.timing is None and (limits < 0).any():
            yield Issue(f"{where}.limits", f"{limits.min():g}", "0 or more without timing", _CORRECT)


def _milestone_issues(problem: Problem) -> Iterator[Issue]:
    """Phases in which blocks are done: in range, not before the block's phase, not earlier for later blocks."""
    n_phases = len(problem.phases)
    wanted = 1 + max((t.milestone for t in problem.targets), default=0)
    for target in problem.targets:
        if target.milestone < 0:
            yield Issue("problem, targets.milestone", f"{target.name}: {target.milestone}", "0 or more", _CORRECT)
    for mode in problem.modes:
        where = f"problem, modes.{mode.id}.done"
        if mode.done and len(mode.done) < wanted:
            found = f"{len(mode.done)} milestones, but a target asks for number {wanted - 1}, counted from 0"
            yield Issue(where, found, f"at least {wanted} lists", "Add a list for each milestone that targets name.")
        for k, done in enumerate(mode.done):
            if len(done) != n_phases:
                yield Issue(f"{where}[{k}]", f"{len(done)} entries", f"{n_phases}, one for each phase", _CORRECT)
                continue
            early = [t for t, d in enumerate(done) if not t <= d <= n_phases]
            if early:
                found = f"phase {early[0]} is done in {done[early[0]]}"
                expected = f"the phase itself or a later one, {n_phases} = none"
                yield Issue(f"{where}[{k}]", found, expected, _CORRECT)
            elif list(done) != sorted(done):
                found = ", ".join(str(d) for d in done)
                yield Issue(f"{where}[{k}]", found, "no later block is done earlier", _CORRECT)


def _given_blocks_issues(problem: Problem) -> Iterator[Issue]:
    """Fixed blocks and those of the plan before."""
    for name, blocks in (("fixed", problem.fixed), ("before", problem.before)):
        times = Counter(i for b in blocks for i in b.parcels if 0 <= i < problem.n)
        twice = sorted(problem.parcel_ids[i] for i, k in times.items() if k > 1)
        if twice:
            yield Issue(f"problem, {name}", f"in two blocks: {list_ids(twice)}", "each parcel once", _CORRECT)
        if any(not b.parcels for b in blocks):
            yield Issue(f"problem, {name}", "a block without parcels", "at least one parcel", _CORRECT)
    price = problem.change_price
    if problem.before and price is None:
        yield Issue("problem, before", "blocks, but no parcels.change_price", "a price for each parcel", _CORRECT)
    if price is not None and not np.isfinite(price).all():
        yield Issue("problem, parcels.change_price", "a number that is not finite", "finite numbers", _CORRECT)
