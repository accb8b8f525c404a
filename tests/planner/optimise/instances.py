"""Problems for tests: grids drawn by hand or at random, with every rule switched on now and then."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from planner.problem import Phase, Problem, Target


def grid_problem(width: int, height: int, **changes: Any) -> Problem:
    """Unit-square style grid: every parcel 10 mu, 100 m of shared side, benefit 10, cost 0, one phase, no target."""
    n = width * height
    index = np.arange(n).reshape(height, width)
    pairs = np.concatenate(
        [
            np.stack([index[:, :-1].ravel(), index[:, 1:].ravel()], axis=1),
            np.stack([index[:-1].ravel(), index[1:].ravel()], axis=1),
        ]
    )
    values: dict[str, Any] = {
        "parcel_ids": tuple(f"p{i:03d}" for i in range(n)),
        "area_mu": np.full(n, 10.0),
        "benefit": np.full(n, 10.0),
        "cost": np.zeros(n),
        "perimeter_m": np.full(n, 400.0),
        "selectable": np.ones(n, dtype=bool),
        "filler": np.zeros(n, dtype=bool),
        "zone": np.full(n, -1),
        "earliest": np.zeros(n, dtype=np.int64),
        "lock_by": np.full(n, -1),
        "pairs": pairs.astype(np.int64),
        "shared_m": np.full(len(pairs), 100.0),
        "link_pairs": np.empty((0, 2), dtype=np.int64),
        "gap_m": np.empty(0),
        "zones": (),
        "phases": (Phase("P1", 1, 1.0),),
        "targets": (),
        "block_min_mu": 10.0,
        "block_max_mu": 10.0 * n,
    }
    return Problem(**(values | changes))


def priced(problem: Problem, price: float) -> Problem:
    """The problem with one price for all unmet stretch, currency per unit."""
    return replace(problem, targets=tuple(replace(t, stretch_price=price) for t in problem.targets))


def random_problem(seed: int, n: int | None = None) -> Problem:
    """A random small problem; rules (zones, filler, locks, gates, links, budgets, block limits) come and go by seed."""
    rng = np.random.default_rng(seed)
    width = int(rng.integers(2, 5))
    n = n or int(rng.integers(4, 13))
    height = -(-n // width)
    full = grid_problem(width, height)
    keep = (full.pairs < n).all(axis=1)
    pairs = full.pairs[keep][rng.random(keep.sum()) < 0.85]
    is_link = rng.random(len(pairs)) < 0.2
    links, pairs = pairs[is_link], pairs[~is_link]
    area = np.round(rng.lognormal(2.0, 0.6, n), 2)
    n_phases = int(rng.integers(1, 4))
    n_zones = int(rng.integers(1, 3)) if rng.random() < 0.5 else 0
    zone = rng.integers(-1, n_zones, n) if n_zones else np.full(n, -1)
    filler = rng.random(n) < (0.2 if rng.random() < 0.5 else 0.0)
    selectable = rng.random(n) < 0.92
    score = rng.random(n)
    value = float(rng.choice([1.0, 3.0]))
    benefit = np.where(filler, 0.0, value * score * area)
    cost = area * rng.uniform(0.0, 1.5, n)
    budget = [float(rng.uniform(0.2, 0.8) * cost.sum()) if rng.random() < 0.3 else None for _ in range(n_phases)]
    blocks = [int(rng.integers(1, 3)) if rng.random() < 0.3 else None for _ in range(n_phases)]
    rate = float(rng.choice([0.0, 0.05]))
    phases = tuple(Phase(f"P{t + 1}", t + 1, (1 + rate) ** -(t + 1), budget[t], blocks[t]) for t in range(n_phases))
    floors = np.sort(rng.uniform(0.0, 0.5, n_phases)) * area.sum() * rng.choice([0.0, 1.0], p=[0.3, 0.7])
    targets = [Target(p.id, t, -1, float(floors[t]), float(floors[t] * 1.3) if rng.random() < 0.4 else None)
               for t, p in enumerate(phases)]  # fmt: skip
    if n_zones and rng.random() < 0.5:
        last = n_phases - 1
        targets.append(Target("zone 0", last, 0, float(rng.uniform(0, 0.3) * area[zone == 0].sum())))
    lock_by = np.full(n, -1)
    if rng.random() < 0.3:
        lock_by[int(rng.integers(n))] = int(rng.integers(n_phases))
    low = float(rng.uniform(0.05, 0.3) * area.sum())
    perimeter = 4 * np.sqrt(area * 666.7)
    shared = np.array([0.2 * min(perimeter[i], perimeter[j]) for i, j in pairs]) if len(pairs) else np.empty(0)
    problem = grid_problem(
        width,
        height,
        parcel_ids=tuple(f"p{i:03d}" for i in rng.permutation(n)),
        area_mu=area,
        benefit=benefit,
        cost=cost,
        perimeter_m=perimeter,
        selectable=selectable,
        filler=filler,
        zone=zone.astype(np.int64),
        earliest=(rng.integers(0, n_phases + 1, n) * (rng.random(n) < 0.3)).astype(np.int64),
        lock_by=lock_by,
        pairs=pairs,
        shared_m=shared,
        link_pairs=links,
        gap_m=np.full(len(links), 5.0),
        zones=tuple(f"Z{z}" for z in range(n_zones)),
        phases=phases,
        targets=tuple(targets),
        block_min_mu=low,
        block_max_mu=float(low * rng.uniform(1.0, 4.0)),
        within_zone=bool(n_zones and rng.random() < 0.5),
        filler_max_share=float(rng.uniform(0.1, 0.5)),
        perimeter_per_m=float(rng.choice([0.0, 0.01])) * value,
    )
    return priced(problem, float(rng.choice([0.0, 0.5])))


def plant(
    rng: np.random.Generator, area: Any, zone: Any, contacts: list[set[int]], least: float, within_zone: bool
) -> list[list[int]]:
    """Disjoint connected sets of at least `least` mu, grown at random."""
    free = set(range(len(area)))
    planted = []
    for seed in rng.permutation(len(area)).tolist():
        if seed not in free or rng.random() < 0.2:
            continue
        block = [seed]
        while area[block].sum() < least:
            beside = {j for i in block for j in contacts[i]} & free - set(block)
            beside = {j for j in beside if not within_zone or zone[j] == zone[seed]}
            if not beside:
                break
            block.append(int(rng.choice(sorted(beside))))
        if area[block].sum() >= least:
            planted.append(block)
            free -= set(block)
    return planted


def planted_problem(seed: int, n: int | None = None) -> Problem:
    """A random problem with a plan hidden in it; limits stand just beside that plan, so that they bind and can be met.

    Everything is drawn after the plan: block sizes around its blocks, floors just under what it reaches, budgets and
    block counts just above what it takes, gates and locks that it keeps, filler that it may hold.
    """
    rng = np.random.default_rng(10_000 + seed)
    n = n or int(rng.integers(7, 13))
    width = int(rng.integers(3, 5))
    full = grid_problem(width, -(-n // width))
    pairs = full.pairs[(full.pairs < n).all(axis=1)]
    pairs = pairs[rng.random(len(pairs)) < 0.92]
    is_link = rng.random(len(pairs)) < 0.1
    links, pairs = pairs[is_link], pairs[~is_link]
    contacts: list[set[int]] = [set() for _ in range(n)]
    for i, j in [*pairs.tolist(), *links.tolist()]:
        contacts[i].add(j)
        contacts[j].add(i)
    area = np.round(rng.lognormal(2.0, 0.5, n), 2)
    n_zones = int(rng.integers(0, 3))
    zone = (np.arange(n) % width >= width // 2).astype(np.int64) * (n_zones - 1) if n_zones else np.full(n, -1)
    if n_zones == 1:
        zone = np.where(rng.random(n) < 0.8, zone, -1)
    within_zone = bool(n_zones and rng.random() < 0.5)
    planted = plant(rng, area, zone, contacts, float(area.mean() * rng.uniform(0.8, 2.5)), within_zone)
    planted = planted or [[int(area.argmax())]]
    n_phases = int(rng.integers(1, 4))
    when = rng.integers(0, n_phases, len(planted))
    sizes = np.array([area[b].sum() for b in planted])
    filler = rng.random(n) < (0.35 if rng.random() < 0.5 else 0.0)
    shares = [float(area[b][filler[b]].sum() / area[b].sum()) for b in planted]
    value = float(rng.choice([1.0, 3.0]))
    benefit = np.where(filler, 0.0, value * rng.random(n) * area)
    cost = area * rng.uniform(0.0, 2.0 * value, n) * rng.random(n) * float(rng.choice([0.4, 1.0]))
    earliest = (rng.integers(0, n_phases + 1, n) * (rng.random(n) < 0.3)).astype(np.int64)
    lock_by = np.full(n, -1)
    selectable = rng.random(n) < 0.9
    spent, count = np.zeros(n_phases), np.zeros(n_phases, dtype=int)
    for block, phase in zip(planted, when.tolist(), strict=True):
        selectable[block] = True
        earliest[block] = np.minimum(earliest[block], phase)
        spent[phase] += cost[block].sum()
        count[phase] += 1
        if rng.random() < 0.2:
            lock_by[int(rng.choice(block))] = int(rng.integers(phase, n_phases))
    phases = tuple(
        Phase(
            f"P{t + 1}",
            t + 1,
            0.95 ** (t + 1),
            float(spent[t] * rng.uniform(1.0, 1.2)) if rng.random() < 0.4 and spent[t] > 0 else None,
            int(count[t] + (rng.random() < 0.3)) if rng.random() < 0.5 else None,
        )
        for t in range(n_phases)
    )
    targets = []
    for t in range(n_phases):
        for z in range(-1, n_zones):
            if rng.random() < (0.8 if z < 0 else 0.4):
                taken = [i for b, p in zip(planted, when.tolist(), strict=True) if p <= t for i in b]
                reached = float(sum(area[i] for i in taken if z in (-1, int(zone[i]))))
                stretch = reached * 1.3 if rng.random() < 0.3 else None
                targets.append(Target(f"P{t + 1}, zone {z}", t, z, reached * float(rng.uniform(0.8, 1.0)), stretch))
    perimeter = 4 * np.sqrt(area * 666.7)
    shared = np.array([0.2 * min(perimeter[i], perimeter[j]) for i, j in pairs]) if len(pairs) else np.empty(0)
    problem = grid_problem(
        width,
        -(-n // width),
        parcel_ids=tuple(f"p{i:03d}" for i in rng.permutation(n)),
        area_mu=area,
        benefit=benefit,
        cost=cost,
        perimeter_m=perimeter,
        selectable=selectable,
        filler=filler,
        zone=zone.astype(np.int64),
        earliest=earliest,
        lock_by=lock_by,
        pairs=pairs,
        shared_m=shared,
        link_pairs=links,
        gap_m=np.full(len(links), 5.0),
        zones=tuple(f"Z{z}" for z in range(n_zones)),
        phases=phases,
        targets=tuple(targets),
        block_min_mu=float(sizes.min() * rng.uniform(0.7, 1.0)),
        block_max_mu=float(sizes.max() * rng.uniform(1.0, 1.5)),
        within_zone=within_zone,
        filler_max_share=float(min(1.0, max(shares) + rng.uniform(0.0, 0.05))),
        perimeter_per_m=float(rng.choice([0.0, 0.005])) * value,
    )
    return priced(problem, float(rng.choice([0.0, 0.8])))
