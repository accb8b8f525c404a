"""Random tiny problems with resources by period, whose amounts have both signs, and with milestones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from planner.problem import Block, Floats, Problem, Resource, Target
from tests.planner.optimise.plain import reached, used_by
from tests.planner.optimise.rich import rich_case

_FIRST = 5_000


def signed_problem(seed: int, n: int | None = None) -> Problem:
    """A random problem of at most nine parcels and six options."""
    return signed_case(seed, n)[0]


def signed_case(seed: int, n: int | None = None) -> tuple[Problem, tuple[Block, ...]]:
    """The problem and the plan hidden in it: limits stand just above what it takes, in one of eight just below."""
    rng = np.random.default_rng(30_000 + seed)
    problem, plan = rich_case(_FIRST + seed, n)
    if rng.random() < 0.6:
        problem = _milestones(rng, problem, plan)
    count = int(rng.choice([1, 1, 2]))
    more = tuple(_resource(rng, problem, plan, q, tight=seed % 8 == 3) for q in range(count))
    return replace(problem, resources=(*problem.resources, *more)), plan


def _milestones(rng: np.random.Generator, problem: Problem, plan: tuple[Block, ...]) -> Problem:
    """Phases of unequal length: when a block reaches each of one or two milestones depends on its phase and mode."""
    n_phases, kinds = len(problem.phases), int(rng.integers(1, 3))

    def done() -> tuple[tuple[int, ...], ...]:
        late = np.sort(rng.integers(0, n_phases + 1, (kinds, n_phases)), axis=1)
        first = (
            np.maximum(late, np.arange(n_phases)) if rng.random() < 0.7 else np.tile(np.arange(n_phases), (kinds, 1))
        )
        return tuple(tuple(row) for row in first.tolist())

    modes = tuple(replace(m, done=done()) if rng.random() < 0.8 else m for m in problem.modes)
    problem = replace(problem, modes=modes)
    targets = [replace(t, milestone=int(rng.integers(kinds))) for t in problem.targets]
    return replace(problem, targets=tuple(_fitting(rng, problem, plan, t) for t in targets))


def _fitting(rng: np.random.Generator, problem: Problem, plan: tuple[Block, ...], target: Target) -> Target:
    """The target with floor and ceiling beside what the plan now reaches."""
    had = reached(replace(problem, targets=(target,)), plan, 0)
    whole = target.measure == "blocks"
    floor = had * (1.0 if whole else float(rng.uniform(0.85, 1.0))) if target.floor > 0 else 0.0
    ceiling = None if target.ceiling is None else had * (1.0 if whole else float(rng.uniform(1.0, 1.2)))
    return replace(target, floor=floor, ceiling=ceiling)


def _resource(rng: np.random.Generator, problem: Problem, plan: tuple[Block, ...], q: int, *, tight: bool) -> Resource:
    """Outlay and income over some years: sums by year, running sums, or anything."""
    n, n_phases, n_modes = problem.n, len(problem.phases), len(problem.modes)
    parts, periods = int(rng.integers(1, 4)), int(rng.integers(1, 6))
    use = np.round(rng.uniform(0, 30, (n, n_modes, parts)) * (rng.random((n, n_modes, parts)) < 0.8), 1)
    use[:, :, 1:] *= -1.0
    if rng.random() < 0.2:
        use *= -1.0
    timing = _running(rng, periods, n_phases, n_modes, parts)
    if rng.random() < 0.3:
        timing = rng.choice([0.0, 0.0, 0.3, 1.0, -0.5], timing.shape)
    name = f"gap {q}"
    bare = Resource(name, "CNY", use, (None,) * periods, tuple(f"year {r + 1}" for r in range(periods)), timing)
    limits: list[float | None] = []
    for r in range(periods):
        used = sum(used_by(bare, b, r) for b in plan)
        room = float(rng.uniform(0.0, 0.3)) * float(np.abs(use).mean()) * (-3.0 if tight else 1.0)
        limits.append(used + room if rng.random() < 0.7 else None)
    return replace(bare, limits=tuple(limits))


def _running(rng: np.random.Generator, periods: int, n_phases: int, n_modes: int, parts: int) -> Floats:
    """Part 0 counts from the block's phase on, others from some periods later on."""
    lag = rng.integers(0, 3, (n_modes, parts)) * (np.arange(parts) > 0)
    start = np.arange(n_phases)[:, None, None] + lag[None]
    timing: Floats = (np.arange(periods)[:, None, None, None] >= start[None]).astype(float)
    return timing
