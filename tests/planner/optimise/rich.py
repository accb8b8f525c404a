"""Random tiny problems with every rule of the model, and a plan hidden in each."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from planner.problem import Block, BlockRule, Group, Measure, Mode, Phase, Problem, Resource, Target
from tests.planner.optimise.instances import grid_problem, plant
from tests.planner.optimise.plain import contacts_of, cost_of, reached, rolls

MOST_PARCELS = 9
MOST_OPTIONS = 6
WIDTH = 3


def rich_problem(seed: int, n: int | None = None) -> Problem:
    """A random problem of at most nine parcels and six options, with rules that come and go by seed."""
    return rich_case(seed, n)[0]


def rich_case(seed: int, n: int | None = None) -> tuple[Problem, tuple[Block, ...]]:
    """The problem and the plan hidden in it; limits stand just beside the plan, so that they bind and can be met.

    One in eight asks for a little more than the plan gives, and may have no plan at all.
    """
    rng = np.random.default_rng(20_000 + seed)
    problem = _land(rng, n or int(rng.integers(6, MOST_PARCELS + 1)))
    problem, plan = _with_plan(rng, problem)
    problem = _block_limits(rng, problem, plan)
    problem = _availability(rng, problem, plan)
    problem = _phase_limits(rng, _targets(rng, problem, plan), plan)
    if seed % 8 == 7:
        more = tuple(replace(t, floor=t.floor * 1.3, ceiling=None) for t in problem.targets)
        problem = replace(problem, targets=more)
    return problem, plan


def _land(rng: np.random.Generator, n: int) -> Problem:
    """Fabric, worth, modes, zones, villages and groups; no limits yet."""
    height = -(-n // WIDTH)
    pairs = grid_problem(WIDTH, height).pairs
    pairs = pairs[(pairs < n).all(axis=1)]
    pairs = pairs[rng.random(len(pairs)) < 0.93]
    is_link = rng.random(len(pairs)) < 0.1
    links, pairs = pairs[is_link], pairs[~is_link]
    area = np.round(rng.lognormal(2.0, 0.4, n), 2)
    perimeter = 4 * np.sqrt(area * 666.7)
    shared = np.array([0.2 * min(perimeter[i], perimeter[j]) for i, j in pairs]) if len(pairs) else np.empty(0)
    n_phases = int(rng.integers(1, 4))
    modes = (Mode("clear", int(rng.random() < 0.15)), Mode("renew", int(rng.integers(0, 3))))[: int(rng.integers(1, 3))]
    n_zones = int(rng.integers(0, 3))
    zone = (np.arange(n) % WIDTH >= 2).astype(np.int64) * (n_zones - 1) if n_zones else np.full(n, -1)
    filler = rng.random(n) < (0.3 if rng.random() < 0.4 else 0.0)
    value = float(rng.choice([1.0, 3.0]))
    benefit = np.where(filler, 0.0, value * rng.random(n) * area)
    cost = area * rng.uniform(0.0, 2.0 * value, n) * rng.random(n) * float(rng.choice([0.4, 1.0]))
    rate = float(rng.choice([1.0, 0.95]))
    return grid_problem(
        WIDTH,
        height,
        parcel_ids=tuple(f"p{i:03d}" for i in rng.permutation(n)),
        area_mu=area,
        benefit=benefit,
        cost=cost,
        perimeter_m=perimeter,
        filler=filler,
        zone=zone.astype(np.int64),
        pairs=pairs,
        shared_m=shared,
        link_pairs=links,
        gap_m=np.full(len(links), 5.0),
        zones=tuple(f"Z{z}" for z in range(n_zones)),
        within_zone=bool(n_zones and rng.random() < 0.3),
        phases=tuple(Phase(f"P{t + 1}", t + 1, rate ** (t + 1)) for t in range(n_phases)),
        perimeter_per_m=float(rng.choice([0.0, 0.005])) * value,
        selectable=np.ones(n, dtype=bool),
        earliest=np.zeros(n, dtype=np.int64),
        lock_by=np.full(n, -1),
        modes=modes,
        **_by_mode(rng, benefit, cost, len(modes)),
        **_groups(rng, n),
    )


def _by_mode(rng: np.random.Generator, benefit: Any, cost: Any, n_modes: int) -> dict[str, Any]:
    """Arrays by mode, each present or absent."""
    n = len(benefit)
    arrays = {
        "mode_benefit": benefit[:, None] * rng.uniform(0.6, 1.5, (n, n_modes)),
        "mode_cost": cost[:, None] * rng.uniform(0.5, 1.4, (n, n_modes)),
        "mode_floor_m2": np.round(rng.uniform(0, 9_000, (n, n_modes)) * (rng.random((n, n_modes)) < 0.8)),
    }
    chance = 0.8 if n_modes > 1 else 0.4
    return {k: v for k, v in arrays.items() if rng.random() < chance}


def _groups(rng: np.random.Generator, n: int) -> dict[str, Any]:
    """Villages in rows, and groups that overlap them: a circle, a village, a handful."""
    row, column = np.divmod(np.arange(n), WIDTH)
    village = np.where(rng.random(n) < 0.9, (row + rng.integers(2)) // 2 + rng.integers(0, 2), -1)
    centre = int(rng.integers(n))
    circle = np.abs(row - row[centre]) + np.abs(column - column[centre]) <= 1
    groups = (Group("circle", circle), Group("village", village == 0), Group("handful", rng.random(n) < 0.6))
    return {
        "villages": tuple(f"V{v}" for v in range(max(2, int(village.max()) + 1))),
        "village": village.astype(np.int64),
        "groups": groups if rng.random() < 0.7 else (),
    }


def _with_plan(rng: np.random.Generator, problem: Problem) -> tuple[Problem, tuple[Block, ...]]:
    """Disjoint blocks with options; one may be fixed, some land may exist already, and the plan may have to roll."""
    near, area = contacts_of(problem), problem.area_mu
    contacts = [near[i] for i in range(problem.n)]
    least = float(area.mean() * rng.uniform(1.3, 2.4))
    sets = plant(rng, area, problem.zone, contacts, least, problem.within_zone) or [[int(area.argmax())]]
    n_phases, n_modes = len(problem.phases), len(problem.modes)
    blocks = [Block(tuple(sorted(s)), int(rng.integers(n_phases)), int(rng.integers(n_modes))) for s in sets]
    fixed: list[Block] = []
    free = sorted(set(range(problem.n)) - {i for b in blocks for i in b.parcels})
    if rng.random() < 0.2 and len(blocks) > 1:
        fixed.append(blocks[0])
    elif rng.random() < 0.15 and free:  # too small for a block: it stands all the same
        fixed.append(Block((free[0],), int(rng.integers(n_phases)), int(rng.integers(n_modes))))
        blocks.append(fixed[0])
    if rng.random() >= 0.6:
        return replace(problem, fixed=tuple(fixed)), tuple(blocks)
    if rng.random() < 0.5:
        exists = np.where(rng.random(problem.n) < 0.25, rng.integers(0, n_phases, problem.n), n_phases)
        exists[[i for b in blocks for i in b.parcels]] = n_phases
        problem = replace(problem, existing_from=exists.astype(np.int64), selectable=exists == n_phases)
    problem = replace(problem, rolling=True, fixed=tuple(fixed))
    kept = list(fixed)
    for _ in range(2):  # a block may only become possible once another stands
        for block in sorted(set(blocks) - set(kept), key=lambda b: (b.phase, b.parcels)):
            if rolls(problem, [*kept, block]):
                kept.append(block)
    return problem, tuple(kept)


def _block_limits(rng: np.random.Generator, problem: Problem, plan: tuple[Block, ...]) -> Problem:
    """Sizes, filler, villages and sums that the blocks of the plan keep."""
    free = [list(b.parcels) for b in plan if b not in problem.fixed] or [[int(problem.area_mu.argmax())]]
    sizes = np.array([problem.area_mu[b].sum() for b in free])
    shares = [float((problem.area_mu * problem.filler)[b].sum() / problem.area_mu[b].sum()) for b in free]
    village = problem.village
    assert village is not None
    if rng.random() < 0.5:  # a village for each block, so that one village a block is a limit that binds
        for k, block in enumerate(free):
            village[block] = np.where(rng.random(len(block)) < 0.8, k % len(problem.villages), -1)
    villages = [len(set(village[b].tolist()) - {-1}) for b in free]
    rules = []
    some = np.array([int(rng.choice(b)) for b in free])  # every block of the plan has something of both
    signed = np.round(problem.area_mu * ((rng.random(problem.n) < 0.4) | np.isin(np.arange(problem.n), some)), 2)
    if rng.random() < 0.45:
        least = min(float(signed[b].sum() / problem.area_mu[b].sum()) for b in free)
        rules.append(BlockRule("signed", "mu", signed, least * float(rng.uniform(0.9, 1.0)), problem.area_mu))
    if rng.random() < 0.45:
        frontage = np.round(rng.uniform(5, 60, problem.n) * (rng.random(problem.n) < 0.3), 1)
        frontage[some] = rng.uniform(20, 40, len(some)).round(1)
        least = min(float(frontage[b].sum()) for b in free) * float(rng.uniform(0.9, 1.0))
        modes = (int(rng.integers(len(problem.modes))),) if rng.random() < 0.4 else None
        rules.append(BlockRule("access", "m", frontage, least, modes=modes))
    return replace(
        problem,
        block_min_mu=float(sizes.min() * rng.uniform(0.85, 1.0)),
        block_max_mu=float(sizes.max() * rng.uniform(1.0, 1.8)),
        filler_max_share=float(min(1.0, max(shares) + rng.uniform(0.0, 0.05))),
        max_villages=max(1, *villages) if rng.random() < 0.6 else None,
        block_rules=tuple(rules),
    )


def _availability(rng: np.random.Generator, problem: Problem, plan: tuple[Block, ...]) -> Problem:
    """Gates, closed land, locks and modes that the plan keeps."""
    n, n_phases, n_modes = problem.n, len(problem.phases), len(problem.modes)
    earliest = rng.integers(0, n_phases + 1, n) * (rng.random(n) < 0.3)
    selectable = problem.selectable & (rng.random(n) < 0.93)
    open_ = rng.random((n, n_modes)) < (0.75 if rng.random() < 0.6 else 1.0)
    lock_by = np.full(n, -1)
    for b in plan:
        if b in problem.fixed:
            continue
        index = list(b.parcels)
        selectable[index] = True
        earliest[index] = np.minimum(earliest[index], b.phase)
        open_[index, b.mode] = True
        if rng.random() < 0.2:
            lock_by[int(rng.choice(index))] = int(rng.integers(b.phase, n_phases))
    return replace(
        problem,
        selectable=selectable,
        earliest=earliest.astype(np.int64),
        lock_by=lock_by,
        mode_open=None if open_.all() else open_,
    )


def _targets(rng: np.random.Generator, problem: Problem, plan: tuple[Block, ...]) -> Problem:
    """Floors just under, stretches above and ceilings just above what the plan reaches, over overlapping sets."""
    targets: list[Target] = []
    measures: list[Measure] = ["mu", "mu", "blocks"]
    if problem.mode_floor_m2 is not None:
        measures += ["floor_m2", "floor_m2"]
    price = float(rng.choice([0.0, 0.3, 1.0]))
    for t in range(len(problem.phases)):
        for k in range(int(rng.integers(0, 3))):
            measure = measures[int(rng.integers(len(measures)))]
            goal = Target(
                f"P{t + 1}.{k}",
                t,
                int(rng.integers(-1, len(problem.zones))),
                0.0,
                group=int(rng.integers(-1, len(problem.groups))),
                measure=measure,
                project_min_mu=float(problem.area_mu.mean() * max(0.0, rng.uniform(-2.0, 2.5)))
                if measure == "blocks"
                else 0.0,
            )
            had = reached(replace(problem, targets=(goal,)), plan, 0)
            limits: dict[str, Any] = {}
            if rng.random() < 0.5:
                limits["floor"] = had if measure == "blocks" else had * float(rng.uniform(0.85, 1.0))
            if rng.random() < 0.35:
                limits |= {"stretch": had * 1.2 + 1.0, "stretch_price": price * (10.0 if measure == "blocks" else 1.0)}
            if rng.random() < 0.45:
                limits["ceiling"] = had if measure == "blocks" else had * float(rng.uniform(1.0, 1.2))
            targets.append(replace(goal, **limits))
    return replace(problem, targets=tuple(targets))


def _phase_limits(rng: np.random.Generator, problem: Problem, plan: tuple[Block, ...]) -> Problem:
    """Budgets, numbers of blocks and a resource, a little above what the plan takes."""
    phases, limits = [], []
    use = np.round(rng.uniform(0, 30, problem.n) * (rng.random(problem.n) < 0.7), 1)
    for t, phase in enumerate(problem.phases):
        mine = [b for b in plan if b.phase == t]
        spent = sum(cost_of(problem, b) for b in mine)
        used = sum(float(use[i]) for b in mine for i in b.parcels)
        budget = spent * float(rng.uniform(1.0, 1.2)) if rng.random() < 0.25 and spent > 0 else None
        most = len(mine) + int(rng.random() < 0.3) if rng.random() < 0.25 else None
        phases.append(replace(phase, budget=budget, max_blocks=most))
        limits.append(used * float(rng.uniform(1.0, 1.3)) if rng.random() < 0.7 and used > 0 else None)
    decant = (Resource("decant", "m2", use, tuple(limits)),) if rng.random() < 0.4 else ()
    return replace(problem, phases=tuple(phases), resources=decant)
