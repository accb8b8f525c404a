"""Every rule of the model and the worth of a plan, parcel by parcel, without any code of the optimiser."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from planner.problem import AREA_TOLERANCE_MU, MONEY_TOLERANCE, RULE_TOLERANCE, Block, Problem, Resource


def contacts_of(problem: Problem) -> dict[int, set[int]]:
    """Neighbours of every parcel, adjacent or bridged."""
    near: dict[int, set[int]] = {i: set() for i in range(problem.n)}
    for i, j in [*problem.pairs.tolist(), *problem.link_pairs.tolist()]:
        near[i].add(j)
        near[j].add(i)
    return near


def flood(near: dict[int, set[int]], start: Iterable[int], inside: set[int]) -> set[int]:
    """Everything of `inside` that can be reached from `start` (which belongs to it)."""
    reached = set(start)
    front = list(reached)
    while front:
        for j in near[front.pop()] & inside - reached:
            reached.add(j)
            front.append(j)
    return reached


def set_faults(problem: Problem, parcels: Sequence[int], mode: int = 0) -> list[str]:
    """Rules of blocks that a set of parcels breaks in a mode, whatever its phase."""
    found = []
    area = sum(float(problem.area_mu[i]) for i in parcels)
    filler = sum(float(problem.area_mu[i]) for i in parcels if problem.filler[i])
    if not parcels or flood(contacts_of(problem), list(parcels)[:1], set(parcels)) != set(parcels):
        found.append("pieces")
    if not problem.block_min_mu - AREA_TOLERANCE_MU <= area <= problem.block_max_mu + AREA_TOLERANCE_MU:
        found.append("size")
    if filler > problem.filler_max_share * area + AREA_TOLERANCE_MU:
        found.append("filler")
    if problem.within_zone and len({int(problem.zone[i]) for i in parcels}) > 1:
        found.append("zones")
    return found + inner_faults(problem, parcels, mode)


def inner_faults(problem: Problem, parcels: Sequence[int], mode: int) -> list[str]:
    """Villages and sums of a block that are out of bounds."""
    found = []
    villages = set() if problem.village is None else {int(problem.village[i]) for i in parcels} - {-1}
    if problem.max_villages is not None and len(villages) > problem.max_villages:
        found.append("villages")
    for rule in problem.block_rules:
        if rule.modes is not None and mode not in rule.modes:
            continue
        has = sum(float(rule.amount[i]) for i in parcels)
        base = 1.0 if rule.share_of is None else sum(float(rule.share_of[i]) for i in parcels)
        if has < rule.least * base - RULE_TOLERANCE:
            found.append("rule")
    return found


def can_be_taken(problem: Problem, i: int, phase: int, mode: int) -> bool:
    """Whether a plan may take a parcel in this phase and mode (outside fixed blocks)."""
    lock = int(problem.lock_by[i])
    return bool(
        problem.selectable[i]
        and problem.earliest[i] <= phase
        and (lock < 0 or phase <= lock)
        and (problem.mode_open is None or problem.mode_open[i, mode])
        and all(i not in b.parcels for b in problem.fixed)
    )


def cost_of(problem: Problem, block: Block) -> float:
    """Undiscounted cost of a block in its mode."""
    cost = problem.cost if problem.mode_cost is None else problem.mode_cost[:, block.mode]
    return sum(float(cost[i]) for i in block.parcels)


def reached(problem: Problem, blocks: Sequence[Block], target: int) -> float:
    """What a plan counts towards a target, in its unit."""
    goal = problem.targets[target]
    total = 0.0
    for b in blocks:
        mode = problem.modes[b.mode]
        done = mode.done[goal.milestone][b.phase] if mode.done else b.phase + mode.duration
        if done > goal.phase:
            continue
        mine = [
            i
            for i in b.parcels
            if goal.zone in (-1, int(problem.zone[i])) and (goal.group < 0 or problem.groups[goal.group].members[i])
        ]
        if goal.measure == "mu":
            total += sum(float(problem.area_mu[i]) for i in mine)
        elif goal.measure != "blocks":
            amount = getattr(problem, f"mode_{goal.measure}")
            total += sum(float(amount[i, b.mode]) for i in mine)
        else:
            area = sum(float(problem.area_mu[i]) for i in b.parcels)
            total += len(mine) == len(b.parcels) and area >= goal.project_min_mu - AREA_TOLERANCE_MU
    return total


def faults(problem: Problem, blocks: Sequence[Block]) -> list[str]:
    """Rules that a plan breaks; fixed blocks belong to it and need not keep the rules of blocks."""
    found = []
    owner: dict[int, Block] = {}
    for block in blocks:
        stands = block in problem.fixed
        if not stands:
            found += set_faults(problem, block.parcels, block.mode)
            if not all(can_be_taken(problem, i, block.phase, block.mode) for i in block.parcels):
                found.append("unavailable")
        if any(i in owner for i in block.parcels):
            found.append("twice")
        owner |= dict.fromkeys(block.parcels, block)
    if any(b not in blocks for b in problem.fixed):
        found.append("fixed")
    if any(lock >= 0 and (i not in owner or owner[i].phase > lock) for i, lock in enumerate(problem.lock_by.tolist())):
        found.append("lock")
    for k, target in enumerate(problem.targets):
        amount = reached(problem, blocks, k)
        if amount < target.floor - AREA_TOLERANCE_MU:
            found.append("floor")
        if target.ceiling is not None and amount > target.ceiling + AREA_TOLERANCE_MU:
            found.append("ceiling")
    return found + _phase_faults(problem, blocks) + (["rolling"] if not rolls(problem, blocks) else [])


def _phase_faults(problem: Problem, blocks: Sequence[Block]) -> list[str]:
    found = []
    for t, phase in enumerate(problem.phases):
        mine = [b for b in blocks if b.phase == t]
        if phase.budget is not None and not _fits(sum(cost_of(problem, b) for b in mine), phase.budget):
            found.append("budget")
        if phase.max_blocks is not None and len(mine) > phase.max_blocks:
            found.append("max_blocks")
    for resource in problem.resources:
        for r, limit in enumerate(resource.limits):
            used = sum(used_by(resource, b, r) for b in blocks)
            if limit is not None and not _fits(used, limit, 1e-12 * gross_of(resource, r)):
                found.append("resource")
    return found


def used_by(resource: Resource, block: Block, period: int) -> float:
    """What a block takes of a resource in a period."""
    if resource.timing is None:
        return sum(float(resource.use[i]) for i in block.parcels) if period == block.phase else 0.0
    share = resource.timing[period, block.phase, block.mode].tolist()
    return sum(u * s for i in block.parcels for u, s in zip(resource.use[i, block.mode].tolist(), share, strict=True))


def gross_of(resource: Resource, period: int) -> float:
    """All that the parcels could take and give in a period."""
    if resource.timing is None:
        return 0.0
    _, phases, modes, parts = resource.timing.shape
    peak = [
        [max(abs(float(resource.timing[period, t, m, x])) for t in range(phases)) for x in range(parts)]
        for m in range(modes)
    ]
    return sum(
        max(sum(abs(float(u[m, x])) * peak[m][x] for x in range(parts)) for m in range(modes)) for u in resource.use
    )


def _fits(amount: float, limit: float, noise: float = 0.0) -> bool:
    return amount <= limit + MONEY_TOLERANCE * max(1.0, abs(limit)) + noise


def rolls(problem: Problem, blocks: Sequence[Block]) -> bool:
    """Whether what is selected in each zone by each phase hangs together, and with what exists there."""
    if not problem.rolling:
        return True
    near = contacts_of(problem)
    for zone in {int(problem.zone[i]) for b in blocks for i in b.parcels}:
        for t in range(len(problem.phases)):
            exists = {i for b in problem.fixed if b.phase <= t for i in b.parcels}
            if problem.existing_from is not None:
                exists |= {i for i in range(problem.n) if problem.existing_from[i] <= t}
            exists = {i for i in exists if problem.zone[i] == zone}
            taken = {i for b in blocks if b.phase <= t for i in b.parcels if problem.zone[i] == zone} - exists
            start = exists or set(sorted(taken)[:1])
            if not taken <= flood(near, start, taken | exists):
                return False
    return True


def plan_worth(problem: Problem, blocks: Sequence[Block]) -> float:
    """Σ discount·(benefit − cost) − λ·Σ perimeter − Σ stretch price·unmet − Σ price of changes, term by term."""
    total = 0.0
    shared = {frozenset(pair): s for pair, s in zip(problem.pairs.tolist(), problem.shared_m.tolist(), strict=True)}
    for block in blocks:
        inside = set(block.parcels)
        perimeter = sum(float(problem.perimeter_m[i]) for i in inside)
        perimeter -= 2 * sum(s for pair, s in shared.items() if pair <= inside)
        benefit = problem.benefit if problem.mode_benefit is None else problem.mode_benefit[:, block.mode]
        net = sum(float(benefit[i]) for i in inside) - cost_of(problem, block)
        total += problem.phases[block.phase].discount * net - problem.perimeter_per_m * perimeter
    for k, target in enumerate(problem.targets):
        if target.stretch is not None:
            total -= target.stretch_price * max(0.0, target.stretch - reached(problem, blocks, k))
    return total - change_cost(problem, blocks)


def change_cost(problem: Problem, blocks: Sequence[Block]) -> float:
    """Σ price of the parcels that are not as they were in the plan before: parcel by parcel, from both plans."""
    if problem.change_price is None:
        return 0.0
    now = {i: (b.phase, b.mode) for b in blocks for i in b.parcels}
    then = {i: (b.phase, b.mode) for b in problem.before for i in b.parcels}
    price = problem.change_price.tolist()
    cost = sum(price[i] for i in range(problem.n) if now.get(i) != then.get(i))
    return cost - (sum(price[i] for i in then) if problem.change_settled else 0.0)
