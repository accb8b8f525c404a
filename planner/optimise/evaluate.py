"""What a plan is worth and which rules it breaks, from the problem's arrays: the one definition the solvers obey."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from planner.optimise.graph import Graph
from planner.optimise.options import target_members
from planner.optimise.rolling import rolling_faults
from planner.problem import (
    AREA_TOLERANCE_MU,
    RULE_TOLERANCE,
    Block,
    Bools,
    Floats,
    Ints,
    Problem,
    Resource,
    spending_tolerance,
)


@dataclass(frozen=True)
class BlockValue:
    """Figures of one set of parcels in one mode, whatever its phase.

    `net` is undiscounted; `pull` is what the plan before adds in each phase, empty where changes have no price.
    """

    area_mu: float
    filler_mu: float
    net: float
    cost: float
    perimeter_m: float
    pull: tuple[float, ...] = ()


def block_value(problem: Problem, graph: Graph, parcels: Sequence[int], mode: int = 0) -> BlockValue:
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
    benefit = problem.benefit if problem.mode_benefit is None else problem.mode_benefit[:, mode]
    cost = problem.cost if problem.mode_cost is None else problem.mode_cost[:, mode]
    return BlockValue(
        area_mu=float(area.sum()),
        filler_mu=float(area[problem.filler[index]].sum()),
        net=float((benefit[index] - cost[index]).sum()),
        cost=float(cost[index].sum()),
        perimeter_m=float(problem.perimeter_m[index].sum()) - shared,
        pull=set_pull(problem, index, mode),
    )


def set_pull(problem: Problem, index: Ints, mode: int) -> tuple[float, ...]:
    """What the plan before adds to the worth of a set of parcels in a mode, by phase; empty without prices."""
    if problem.pull is None:
        return ()
    return tuple(problem.pull[index, mode :: len(problem.modes)].sum(axis=0).tolist())


def block_worth(problem: Problem, value: BlockValue, phase: int) -> float:
    """Contribution of a block to the objective in a phase, in currency."""
    pull = value.pull[phase] if value.pull else 0.0
    return problem.phases[phase].discount * value.net - problem.perimeter_per_m * value.perimeter_m + pull


def reached_amounts(problem: Problem, blocks: Iterable[Block]) -> Floats:
    """What counts towards each target, in its unit, ``float64[len(targets)]``; fixed blocks must be among `blocks`."""
    blocks = list(blocks)
    reached = np.zeros(len(problem.targets))
    for k, target in enumerate(problem.targets):
        inside = target_members(problem, target)
        for block in blocks:
            done = problem.modes[block.mode].done_in(block.phase, len(problem.phases), target.milestone)
            if done > target.phase:
                continue
            index = np.asarray(block.parcels, dtype=np.int64)
            if target.measure == "blocks":
                large = problem.area_mu[index].sum() >= target.project_min_mu - AREA_TOLERANCE_MU
                reached[k] += bool(large and inside[index].all())
            else:
                reached[k] += problem.amounts(target.measure)[index[inside[index]], block.mode].sum()
    return reached


def objective(problem: Problem, graph: Graph, blocks: Sequence[Block]) -> float:
    """Value of a plan: Σ block worth − Σ stretch price · unmet stretch − Σ price of leaving the plan before.

    A block's worth holds the pull of the plan before, so that Σ price over the parcels changed is taken off in all.
    """
    total = problem.left_before + sum(
        block_worth(problem, block_value(problem, graph, b.parcels, b.mode), b.phase) for b in blocks
    )
    reached = reached_amounts(problem, blocks)
    unmet = sum(
        t.stretch_price * max(0.0, t.stretch - r)
        for t, r in zip(problem.targets, reached.tolist(), strict=True)
        if t.stretch
    )
    return float(total - unmet)


def set_faults(problem: Problem, graph: Graph, parcels: Sequence[int], mode: int) -> list[str]:
    """Rules for blocks that a set of parcels breaks in a mode, in words, whatever its phase."""
    faults = []
    index = np.asarray(parcels, dtype=np.int64)
    value = block_value(problem, graph, parcels, mode)
    if not graph.is_connected(parcels):
        faults.append("not one piece")
    if value.area_mu < problem.block_min_mu - AREA_TOLERANCE_MU:
        faults.append(f"{value.area_mu:.2f} mu is below {problem.block_min_mu:.2f}")
    if value.area_mu > problem.block_max_mu + AREA_TOLERANCE_MU:
        faults.append(f"{value.area_mu:.2f} mu is above {problem.block_max_mu:.2f}")
    if problem.within_zone and len(np.unique(problem.zone[index])) > 1:
        faults.append("lies in several zones")
    if value.filler_mu > problem.filler_max_share * value.area_mu + AREA_TOLERANCE_MU:
        faults.append(f"{value.filler_mu:.2f} mu of filler in {value.area_mu:.2f} mu")
    if problem.max_villages is not None and problem.village is not None:
        villages = np.unique(problem.village[index][problem.village[index] >= 0])
        if len(villages) > problem.max_villages:
            faults.append(f"lies in {len(villages)} villages, at most {problem.max_villages} are allowed")
    for rule in problem.block_rules:
        if rule.modes is not None and mode not in rule.modes:
            continue
        if float(rule.weight[index].sum()) < rule.limit - RULE_TOLERANCE:
            had, of = float(rule.amount[index].sum()), rule.share_of
            asked = rule.least if of is None else rule.least * float(of[index].sum())
            faults.append(f"{rule.name}: {had:.2f} {rule.unit}, at least {asked:.2f} asked for")
    return faults


def block_faults(problem: Problem, graph: Graph, block: Block, open_: Bools) -> list[str]:
    """Rules a single block breaks, in words; `open_` is `availability`."""
    faults = set_faults(problem, graph, block.parcels, block.mode)
    if not open_[list(block.parcels), block.phase * len(problem.modes) + block.mode].all():
        faults.append("a parcel is not available in this phase and mode")
    return faults


def plan_faults(problem: Problem, graph: Graph, blocks: Sequence[Block], open_: Bools) -> list[str]:
    """Rules a plan breaks, in words; empty means it is a plan.

    Fixed blocks belong to a plan and are exempt from the rules for single blocks.
    """
    fixed = set(problem.fixed)
    faults = [
        f"block {k}: {f}"
        for k, b in enumerate(blocks)
        if b not in fixed
        for f in block_faults(problem, graph, b, open_)
    ]
    if not fixed <= set(blocks):
        faults.append("a fixed block is missing")
    used = [i for b in blocks for i in b.parcels]
    if len(used) != len(set(used)):
        faults.append("a parcel is in two blocks")
    locked = set(np.flatnonzero(problem.lock_by >= 0).tolist())
    if not locked <= set(used):
        faults.append("a locked parcel is missing")
    if any(0 <= problem.lock_by[i] < b.phase for b in blocks for i in b.parcels):
        faults.append("a locked parcel is taken too late")
    for target, reached in zip(problem.targets, reached_amounts(problem, blocks).tolist(), strict=True):
        if reached < target.floor - AREA_TOLERANCE_MU:
            faults.append(f"{target.name}: {reached:.2f} {target.unit} of {target.floor:.2f}")
        if target.ceiling is not None and reached > target.ceiling + AREA_TOLERANCE_MU:
            faults.append(f"{target.name}: {reached:.2f} {target.unit} above {target.ceiling:.2f}")
    return faults + _phase_faults(problem, graph, blocks) + rolling_faults(problem, graph, blocks)


def _phase_faults(problem: Problem, graph: Graph, blocks: Sequence[Block]) -> list[str]:
    """Budgets, numbers of blocks and other resources."""
    faults = []
    for t, phase in enumerate(problem.phases):
        mine = [b for b in blocks if b.phase == t]
        cost = sum(block_value(problem, graph, b.parcels, b.mode).cost for b in mine)
        if phase.budget is not None and cost > phase.budget + spending_tolerance(phase.budget):
            faults.append(f"phase {phase.id}: cost {cost:.2f} above {phase.budget:.2f}")
        if phase.max_blocks is not None and len(mine) > phase.max_blocks:
            faults.append(f"phase {phase.id}: {len(mine)} blocks above {phase.max_blocks}")
    return faults + [f for resource in problem.resources for f in _resource_faults(problem, resource, blocks)]


def _resource_faults(problem: Problem, resource: Resource, blocks: Sequence[Block]) -> Iterator[str]:
    """Periods in which the blocks take more than there is."""
    used = sum((resource.of_block(b) for b in blocks), np.zeros(len(resource.limits)))
    for r, limit in enumerate(resource.limits):
        if limit is not None and used[r] > limit + resource.tolerance(r):
            what = f"{used[r]:.2f} {resource.unit} of {resource.name} above {limit:.2f}"
            yield f"{resource.period_in_words(r, problem.phases)}: {what}"


def ordered(blocks: Iterable[Block]) -> tuple[Block, ...]:
    """Blocks in the order a plan lists them."""
    tidy = (Block(tuple(sorted(b.parcels)), b.phase, b.mode) for b in blocks)
    return tuple(sorted(tidy, key=lambda b: (b.phase, b.parcels)))
