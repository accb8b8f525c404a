"""A plan in the making, as arrays that compiled code changes in place and can take back.

`Terrain` never changes; `Draft` is the current assignment with running sums. Every change goes through `place` and
`rephase`, which write a journal, so that a rejected move of any size is undone exactly by `undo`.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from planner.optimise.compiled import compiled
from planner.optimise.graph import Graph
from planner.problem import Bools, Floats, Ints, Problem

PRICE_UP: Final = 2.0
PRICE_DOWN: Final = 0.85


class Terrain(NamedTuple):
    """What does not change during a search; n parcels, T phases, K targets."""

    start: Ints  # compressed contact graph
    neighbour: Ints
    saving: Floats  # 2·λ·shared boundary, currency, along the graph
    area: Floats  # mu
    worth: Floats  # [n, T] discounted benefit − cost − λ·perimeter of the parcel alone
    cost: Floats
    filler: Bools
    open: Bools  # [n, T]
    locked: Bools
    block_zone: Ints  # zone a block must keep to; 0 everywhere when blocks may cross zones
    zone: Ints  # row of `Draft.taken` that counts the parcel
    least: float  # L, mu
    most: float  # U, mu
    filler_share: float
    budget: Floats  # [T], inf = none
    max_blocks: Ints  # [T]
    target_phase: Ints  # [K]
    target_zone: Ints  # [K] row of `Draft.taken`
    floor: Floats  # [K]
    stretch: Floats  # [K], 0 = none
    stretch_price: float
    floor_price: Floats  # [K] currency per mu short; raised while a floor is missed
    budget_price: Floats  # [T]
    lock_price: float


class Draft(NamedTuple):
    """Current assignment and its running sums; B block slots."""

    block: Ints  # [n] slot, -1 = not selected
    phase: Ints  # [B]
    area: Floats  # [B] mu
    filler: Floats  # [B] mu
    size: Ints  # [B] parcels
    zone: Ints  # [B]
    taken: Floats  # [zones + 2, T] mu; last but one row: no zone, last row: everything
    spent: Floats  # [T]
    blocks: Ints  # [T]
    total: Floats  # [2]: worth, number of locked parcels missing
    journal: Ints  # [capacity, 2]
    mark: Ints  # [n] scratch
    queue: Ints  # [n] scratch
    held: Ints  # [n] scratch: members of the block or blocks being changed
    tree: Ints  # [n, 2] scratch: parcel and position of its parent in a spanning tree
    frontier: Ints  # [edges, 2] scratch
    below: Floats  # [n] scratch: mu in the subtree
    counters: Ints  # [3]: journal length, mark stamp, best slot hint


def make_terrain(problem: Problem, graph: Graph, open_: Bools, lock_by: Ints) -> Terrain:
    """Arrays of a problem for the search; `graph` already without contacts that no block may use."""
    discount = np.array([p.discount for p in problem.phases])
    net = problem.benefit - problem.cost
    worth = net[:, None] * discount - (problem.perimeter_per_m * problem.perimeter_m)[:, None]
    n_zones = len(problem.zones)
    usable = open_.any(axis=1)
    size = np.abs(worth).max(axis=1)
    # typical, not largest: prices that are too stiff keep the search from crossing between good plans
    per_mu = _typical(size[usable] / problem.area_mu[usable])
    paid = usable & (problem.cost > 0)
    per_money = _typical(size[paid] / problem.cost[paid])
    n_targets, n_phases = len(problem.targets), len(problem.phases)
    return Terrain(
        start=graph.start,
        neighbour=graph.neighbour,
        saving=2 * problem.perimeter_per_m * graph.shared_m,
        area=problem.area_mu,
        worth=np.ascontiguousarray(worth),
        cost=problem.cost,
        filler=problem.filler,
        open=np.ascontiguousarray(open_),
        locked=lock_by >= 0,
        block_zone=problem.zone if problem.within_zone else np.zeros(problem.n, dtype=np.int64),
        zone=np.where(problem.zone < 0, n_zones, problem.zone),
        least=problem.block_min_mu,
        most=problem.block_max_mu,
        filler_share=problem.filler_max_share,
        budget=np.array([np.inf if p.budget is None else p.budget for p in problem.phases]),
        max_blocks=np.array([2**40 if p.max_blocks is None else p.max_blocks for p in problem.phases], dtype=np.int64),
        target_phase=np.array([t.phase for t in problem.targets], dtype=np.int64),
        target_zone=np.array([n_zones + 1 if t.zone < 0 else t.zone for t in problem.targets], dtype=np.int64),
        floor=np.array([t.floor_mu for t in problem.targets], dtype=np.float64),
        stretch=np.array([t.stretch_mu or 0.0 for t in problem.targets], dtype=np.float64),
        stretch_price=problem.stretch_per_mu,
        floor_price=np.full(n_targets, per_mu),
        budget_price=np.full(n_phases, per_money),
        lock_price=5.0 * per_mu * float(problem.area_mu.max()),
    )


def _typical(values: Floats) -> float:
    """Ninth decile, 1 where there is nothing to measure."""
    return max(float(np.quantile(values, 0.9)), 1e-9) if len(values) else 1.0


def adapt_prices(terrain: Terrain, draft: Draft) -> None:
    """Raise the price of every floor and budget that the draft breaks, lower the others a little."""
    reached = draft.taken.cumsum(axis=1)
    for k in range(len(terrain.floor)):
        short = terrain.floor[k] - reached[terrain.target_zone[k], terrain.target_phase[k]] > 5e-7
        terrain.floor_price[k] *= PRICE_UP if short else PRICE_DOWN
    over = draft.spent > terrain.budget * (1 + 5e-7)
    terrain.budget_price[:] *= np.where(over, PRICE_UP, PRICE_DOWN)


def keeps_limits(terrain: Terrain, draft: Draft) -> bool:
    """Whether a draft breaks no rule but, perhaps, floors."""
    within = (draft.spent <= terrain.budget * (1 + 5e-7)).all() and (draft.blocks <= terrain.max_blocks).all()
    return bool(within and draft.total[1] == 0)


def empty_draft(terrain: Terrain, n_zones: int) -> Draft:
    """A draft with nothing selected."""
    n, n_phases = terrain.worth.shape
    slots = int(min(n, terrain.area.sum() / max(terrain.least, 1e-9))) + 4
    return Draft(
        block=np.full(n, -1, dtype=np.int64),
        phase=np.zeros(slots, dtype=np.int64),
        area=np.zeros(slots),
        filler=np.zeros(slots),
        size=np.zeros(slots, dtype=np.int64),
        zone=np.zeros(slots, dtype=np.int64),
        taken=np.zeros((n_zones + 2, n_phases)),
        spent=np.zeros(n_phases),
        blocks=np.zeros(n_phases, dtype=np.int64),
        total=np.array([0.0, float(terrain.locked.sum())]),
        journal=np.zeros((8 * n + 64, 2), dtype=np.int64),
        mark=np.zeros(n, dtype=np.int64),
        queue=np.zeros(n, dtype=np.int64),
        held=np.zeros(n, dtype=np.int64),
        tree=np.zeros((n, 2), dtype=np.int64),
        frontier=np.zeros((len(terrain.neighbour) + n + 1, 2), dtype=np.int64),
        below=np.zeros(n),
        counters=np.zeros(3, dtype=np.int64),
    )


@compiled
def _take(terrain: Terrain, draft: Draft, i: int, k: int) -> None:
    t = draft.phase[k]
    if draft.size[k] == 0:
        draft.blocks[t] += 1
        draft.zone[k] = terrain.block_zone[i]
        draft.area[k] = 0.0  # starts clean: no rounding left over from earlier blocks
        draft.filler[k] = 0.0
    gain = terrain.worth[i, t]
    for p in range(terrain.start[i], terrain.start[i + 1]):
        if draft.block[terrain.neighbour[p]] == k:
            gain += terrain.saving[p]
    draft.block[i] = k
    draft.size[k] += 1
    draft.area[k] += terrain.area[i]
    if terrain.filler[i]:
        draft.filler[k] += terrain.area[i]
    draft.taken[terrain.zone[i], t] += terrain.area[i]
    draft.taken[-1, t] += terrain.area[i]
    draft.spent[t] += terrain.cost[i]
    draft.total[0] += gain
    if terrain.locked[i]:
        draft.total[1] -= 1.0


@compiled
def _leave(terrain: Terrain, draft: Draft, i: int) -> None:
    k = draft.block[i]
    t = draft.phase[k]
    draft.block[i] = -1
    loss = terrain.worth[i, t]
    for p in range(terrain.start[i], terrain.start[i + 1]):
        if draft.block[terrain.neighbour[p]] == k:
            loss += terrain.saving[p]
    draft.size[k] -= 1
    draft.area[k] -= terrain.area[i]
    if terrain.filler[i]:
        draft.filler[k] -= terrain.area[i]
    draft.taken[terrain.zone[i], t] -= terrain.area[i]
    draft.taken[-1, t] -= terrain.area[i]
    draft.spent[t] -= terrain.cost[i]
    draft.total[0] -= loss
    if terrain.locked[i]:
        draft.total[1] += 1.0
    if draft.size[k] == 0:
        draft.blocks[t] -= 1


@compiled
def place(terrain: Terrain, draft: Draft, i: int, k: int) -> None:
    """Move parcel `i` to slot `k` (-1 = nowhere) and note it in the journal."""
    old = draft.block[i]
    at = draft.counters[0]
    draft.journal[at, 0] = i
    draft.journal[at, 1] = old
    draft.counters[0] = at + 1
    if old >= 0:
        _leave(terrain, draft, i)
    if k >= 0:
        _take(terrain, draft, i, k)


@compiled
def rephase(draft: Draft, k: int, t: int) -> None:
    """Give an empty slot a phase and note it in the journal."""
    at = draft.counters[0]
    draft.journal[at, 0] = -1 - k
    draft.journal[at, 1] = draft.phase[k]
    draft.counters[0] = at + 1
    draft.phase[k] = t


@compiled
def undo(terrain: Terrain, draft: Draft) -> None:
    """Take back everything since the journal was last emptied."""
    while draft.counters[0] > 0:
        draft.counters[0] -= 1
        what = draft.journal[draft.counters[0], 0]
        old = draft.journal[draft.counters[0], 1]
        if what < 0:
            draft.phase[-1 - what] = old
        else:
            if draft.block[what] >= 0:
                _leave(terrain, draft, what)
            if old >= 0:
                _take(terrain, draft, what, old)


@compiled
def hard_penalty(terrain: Terrain, draft: Draft) -> float:
    """Price of everything that keeps a draft from being a plan; 0 = it is one."""
    price = draft.total[1] * terrain.lock_price
    for k in range(len(terrain.floor)):
        reached = 0.0
        for t in range(terrain.target_phase[k] + 1):
            reached += draft.taken[terrain.target_zone[k], t]
        short = terrain.floor[k] - reached
        if short > 5e-7:
            price += short * terrain.floor_price[k]
    for t in range(len(terrain.budget)):
        over = draft.spent[t] - terrain.budget[t]
        if over > 5e-7 * terrain.budget[t]:
            price += over * terrain.budget_price[t]
        if draft.blocks[t] > terrain.max_blocks[t]:
            price += (draft.blocks[t] - terrain.max_blocks[t]) * terrain.lock_price
    return float(price)


@compiled
def stretch_penalty(terrain: Terrain, draft: Draft) -> float:
    """Price of unmet stretch targets, part of the objective."""
    if terrain.stretch_price == 0.0:
        return 0.0
    unmet = 0.0
    for k in range(len(terrain.stretch)):
        if terrain.stretch[k] > 0.0:
            reached = 0.0
            for t in range(terrain.target_phase[k] + 1):
                reached += draft.taken[terrain.target_zone[k], t]
            unmet += max(0.0, terrain.stretch[k] - reached)
    return unmet * terrain.stretch_price


@compiled
def sound(terrain: Terrain, draft: Draft, k: int) -> bool:
    """Whether a block keeps its size and filler limits (or is empty)."""
    if draft.size[k] == 0:
        return True
    area = draft.area[k]
    if area < terrain.least - 5e-7 or area > terrain.most + 5e-7:
        return False
    return bool(draft.filler[k] <= terrain.filler_share * area + 5e-7)


@compiled
def collect(terrain: Terrain, draft: Draft, i: int) -> int:
    """Write the connected part of i's block that contains i to `queue`; return its size."""
    k = draft.block[i]
    draft.counters[1] += 1
    stamp = draft.counters[1]
    draft.queue[0] = i
    draft.mark[i] = stamp
    head, tail = 0, 1
    while head < tail:
        j = draft.queue[head]
        head += 1
        for p in range(terrain.start[j], terrain.start[j + 1]):
            m = terrain.neighbour[p]
            if draft.block[m] == k and draft.mark[m] != stamp:
                draft.mark[m] = stamp
                draft.queue[tail] = m
                tail += 1
    return tail


@compiled
def hold(terrain: Terrain, draft: Draft, i: int) -> int:
    """`collect` into `held`, where other calls leave it alone."""
    size = collect(terrain, draft, i)
    for q in range(size):
        draft.held[q] = draft.queue[q]
    return size


@compiled
def stays_whole(terrain: Terrain, draft: Draft, i: int) -> bool:
    """Whether i's block stays one piece without i: the neighbours of i in it must reach each other."""
    k = draft.block[i]
    wanted = 0
    first = -1
    for p in range(terrain.start[i], terrain.start[i + 1]):
        if draft.block[terrain.neighbour[p]] == k:
            wanted += 1
            first = terrain.neighbour[p]
    if wanted <= 1:
        return True
    draft.counters[1] += 2
    stamp = draft.counters[1]  # stamp - 1 marks the neighbours still wanted
    for p in range(terrain.start[i], terrain.start[i + 1]):
        if draft.block[terrain.neighbour[p]] == k:
            draft.mark[terrain.neighbour[p]] = stamp - 1
    draft.mark[first] = stamp
    wanted -= 1
    draft.queue[0] = first
    head, tail = 0, 1
    while head < tail:
        j = draft.queue[head]
        head += 1
        for p in range(terrain.start[j], terrain.start[j + 1]):
            m = terrain.neighbour[p]
            if m == i or draft.block[m] != k or draft.mark[m] == stamp:
                continue
            if draft.mark[m] == stamp - 1:
                wanted -= 1
                if wanted == 0:
                    return True
            draft.mark[m] = stamp
            draft.queue[tail] = m
            tail += 1
    return False


@compiled
def free_slot(draft: Draft) -> int:
    """An empty block slot, -1 if there is none."""
    n = len(draft.size)
    hint = draft.counters[2]
    for step in range(n):
        k = (hint + step) % n
        if draft.size[k] == 0:
            draft.counters[2] = k
            return int(k)
    return -1
