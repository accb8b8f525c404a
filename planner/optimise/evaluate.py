"""What a plan is worth and which rules it breaks, from the problem's arrays: the one definition the solvers obey."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from planner.optimise.graph import Graph
from planner.problem import AREA_TOLERANCE_MU, MONEY_TOLERANCE, Block, Bools, Floats, Problem


def availability(problem: Problem) -> Bools:
    """``bool[n, T]``: parcel i may be taken in phase t (selectable, gate open, not later than its lock)."""
    phases = np.arange(len(problem.phases))
    open_ = problem.selectable[:, None] & (problem.earliest[:, None] <= phases[None, :])
    late = (problem.lock_by >= 0)[:, None] & (phases[None, :] > problem.lock_by[:, None])
    return open_ & ~late


@dataclass(frozen=True)
class BlockValue:
    """Figures of one set of parcels, independent of its phase."""

    area_mu: float
    filler_mu: float
    net: float
    cost: float
    perimeter_m: float


def block_value(problem: Problem, graph: Graph, parcels: Sequence[int]) -> BlockValue:
    """Area, filler area, benefit − cost, cost and perimeter of a set of parcels.

    Perimeter = Σ parcel perimeters − 2 · length shared within the set.
    """
    index = np.asarray(parcels, dtype=np.int64)
    inside = set(parcels)
    shared = 0.0
    for i in parcels:
        row = slice(graph.start[i], graph.start[i + 1])
        for j, w in zip(graph.neighbour[row].tolist(), graph.shared_m[row].tolist(), strict=True):
            if j in inside:
                shared += w  # each inner boundary is met from both sides: already doubled
    area = problem.area_mu[index]
    return BlockValue(
        area_mu=float(area.sum()),
        filler_mu=float(area[problem.filler[index]].sum()),
        net=float((problem.benefit[index] - problem.cost[index]).sum()),
        cost=float(problem.cost[index].sum()),
        perimeter_m=float(problem.perimeter_m[index].sum()) - shared,
    )


def block_worth(problem: Problem, value: BlockValue, phase: int) -> float:
    """Contribution of a block to the objective in a phase, in currency."""
    return problem.phases[phase].discount * value.net - problem.perimeter_per_m * value.perimeter_m


def cumulative_mu(problem: Problem, blocks: Iterable[Block]) -> Floats:
    """Area that counts towards each target, mu, ``float64[len(targets)]``."""
    zone_phase = np.zeros((len(problem.zones) + 1, len(problem.phases)))  # last row: no zone
    for block in blocks:
        index = np.asarray(block.parcels, dtype=np.int64)
        np.add.at(zone_phase[:, block.phase], problem.zone[index], problem.area_mu[index])
    reached = zone_phase.cumsum(axis=1)
    return np.array(
        [reached[t.zone, t.phase] if t.zone >= 0 else reached[:, t.phase].sum() for t in problem.targets], dtype=float
    )


def objective(problem: Problem, graph: Graph, blocks: Sequence[Block]) -> float:
    """Value of a plan: Σ block worth − stretch penalty · unmet stretch."""
    total = sum(block_worth(problem, block_value(problem, graph, b.parcels), b.phase) for b in blocks)
    reached = cumulative_mu(problem, blocks)
    unmet = sum(
        max(0.0, t.stretch_mu - r) for t, r in zip(problem.targets, reached.tolist(), strict=True) if t.stretch_mu
    )
    return float(total - problem.stretch_per_mu * unmet)


def block_faults(problem: Problem, graph: Graph, block: Block, open_: Bools) -> list[str]:
    """Rules a single block breaks, in words; `open_` is `availability`."""
    faults = []
    index = np.asarray(block.parcels, dtype=np.int64)
    value = block_value(problem, graph, block.parcels)
    if not graph.is_connected(block.parcels):
        faults.append("not one piece")
    if value.area_mu < problem.block_min_mu - AREA_TOLERANCE_MU:
        faults.append(f"{value.area_mu:.2f} mu is below {problem.block_min_mu:.2f}")
    if value.area_mu > problem.block_max_mu + AREA_TOLERANCE_MU:
        faults.append(f"{value.area_mu:.2f} mu is above {problem.block_max_mu:.2f}")
    if not open_[index, block.phase].all():
        faults.append("a parcel is not available in this phase")
    if problem.within_zone and len(np.unique(problem.zone[index])) > 1:
        faults.append("lies in several zones")
    if value.filler_mu > problem.filler_max_share * value.area_mu + AREA_TOLERANCE_MU:
        faults.append(f"{value.filler_mu:.2f} mu of filler in {value.area_mu:.2f} mu")
    return faults


def plan_faults(problem: Problem, graph: Graph, blocks: Sequence[Block], open_: Bools) -> list[str]:
    """Rules a plan breaks, in words; empty means it is a plan."""
    faults = [f"block {k}: {f}" for k, b in enumerate(blocks) for f in block_faults(problem, graph, b, open_)]
    used = [i for b in blocks for i in b.parcels]
    if len(used) != len(set(used)):
        faults.append("a parcel is in two blocks")
    locked = set(np.flatnonzero(problem.lock_by >= 0).tolist())
    if not locked <= set(used):
        faults.append("a locked parcel is missing")
    for target, reached in zip(problem.targets, cumulative_mu(problem, blocks).tolist(), strict=True):
        if reached < target.floor_mu - AREA_TOLERANCE_MU:
            faults.append(f"{target.name}: {reached:.2f} mu of {target.floor_mu:.2f}")
    for t, phase in enumerate(problem.phases):
        mine = [b for b in blocks if b.phase == t]
        cost = sum(float(problem.cost[list(b.parcels)].sum()) for b in mine)
        if phase.budget is not None and cost > phase.budget + MONEY_TOLERANCE * max(1.0, phase.budget):
            faults.append(f"phase {phase.id}: cost {cost:.2f} above {phase.budget:.2f}")
        if phase.max_blocks is not None and len(mine) > phase.max_blocks:
            faults.append(f"phase {phase.id}: {len(mine)} blocks above {phase.max_blocks}")
    return faults


def ordered(blocks: Iterable[Block]) -> tuple[Block, ...]:
    """Blocks in the order a plan lists them."""
    tidy = (Block(tuple(sorted(b.parcels)), b.phase) for b in blocks)
    return tuple(sorted(tidy, key=lambda b: (b.phase, b.parcels)))
