"""The optimisation problem as arrays, and the plan that answers it.

Nothing here knows geometry, files of land data or a solver. `planner.assemble` builds a `Problem` from parcels, scores
and adjacency; `planner.optimise` turns it into a `Plan`; `planner.problem_json` reads and writes both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

import numpy as np

from geodata.errors import list_ids
from planner.problem_parts import (
    AREA_TOLERANCE_MU,
    MONEY_TOLERANCE,
    RULE_TOLERANCE,
    SUM_TOLERANCE,
    UNITS,
    Block,
    BlockRule,
    Bools,
    Floats,
    Group,
    Ints,
    Measure,
    Mode,
    Phase,
    Plan,
    Resource,
    Target,
    TracePoint,
    spending_tolerance,
)

__all__ = [
    "AREA_TOLERANCE_MU",
    "MONEY_TOLERANCE",
    "OPTIONAL_ARRAYS",
    "PARCEL_ARRAYS",
    "RULE_TOLERANCE",
    "SUM_TOLERANCE",
    "UNITS",
    "Block",
    "BlockRule",
    "Bools",
    "Floats",
    "Group",
    "Ints",
    "Measure",
    "Mode",
    "Phase",
    "Plan",
    "Problem",
    "Resource",
    "Target",
    "TracePoint",
    "spending_tolerance",
]


@dataclass(frozen=True, eq=False)
class Problem:
    """Everything the optimiser needs. Length n arrays are by parcel, in the order of `parcel_ids`.

    Attributes
    ----------
    parcel_ids : tuple of str
        n distinct ids.
    area_mu : float64[n]
        Measured area, positive.
    benefit : float64[n]
        Undiscounted worth in currency if selected (0 for filler).
    cost : float64[n]
        Undiscounted cost in currency.
    perimeter_m : float64[n]
        Length of the boundary.
    selectable : bool[n]
        False: no plan may contain the parcel.
    filler : bool[n]
        Remnant land: share per block is limited.
    zone : int64[n]
        Index into `zones`, -1 = none.
    earliest : int64[n]
        First phase, 0-based, in which the parcel can be taken; ``len(phases)`` = never. Not before the phase that a
        lock holds it to.
    lock_by : int64[n]
        The parcel must be selected in this phase or before; -1 = free. A lock without a phase is the last phase.
    pairs, shared_m : int64[m, 2], float64[m]
        Adjacent parcels (i < j) and the boundary they share.
    link_pairs, gap_m : int64[k, 2], float64[k]
        Bridged links: they connect, but save no perimeter.
    zones : tuple of str
        Names of zones.
    phases : tuple of Phase
        T phases in order.
    targets : tuple of Target
        Cumulative targets.
    block_min_mu, block_max_mu : float
        Least and largest area of a block.
    within_zone : bool
        A block lies in one zone (-1 counts as one).
    filler_max_share : float
        Largest share of a block's area that may be filler.
    perimeter_per_m : float
        Price of block perimeter, in currency.
    currency : str
        ISO code.
    modes : tuple of Mode
        M ways to redevelop a block.
    gates : int64[n] or None
        `earliest` as it would be without locks; None = no lock holds a parcel back. It binds no plan: `planner.explain`
        tells by it what a lock does and what a gate.
    mode_benefit, mode_cost : float64[n, M] or None
        Benefit and cost by mode; None = `benefit` and `cost` in every mode.
    mode_open : bool[n, M] or None
        Modes that a parcel allows; None = all.
    mode_boundary_mu, mode_cleared_mu, mode_accepted_mu : float64[n, M] or None
        Land with its share of the lanes beside it, cleared land and accepted land by mode, for targets that count it.
    mode_floor_m2 : float64[n, M] or None
        New floor area by mode, for targets that count it.
    villages : tuple of str
        Names of villages.
    village : int64[n] or None
        Index into `villages`, -1 = none (counts as no village).
    max_villages : int or None
        Most villages in a block.
    block_rules : tuple of BlockRule
        Sums that every block must reach.
    resources : tuple of Resource
        Limits by phase, or by other periods, besides the budget.
    groups : tuple of Group
        Sets of parcels for targets.
    fixed : tuple of Block
        Blocks that stand as they are: part of every plan, counted in every sum, exempt from the rules for blocks.
    rolling : bool
        By the end of each phase the selected parcels of a zone are one connected area (where something existed: each of
        its pieces touches what existed).
    existing_from : int64[n] or None
        Phase from which a parcel outside the plan counts as existing in the rolling rule (0 = from the start), T =
        never.
    before : tuple of Block
        The plan before. No rule binds it: its parcels may be closed, its blocks of any size.
    change_price : float64[n] or None
        What it costs to change a parcel against `before`, undiscounted, in currency: to take one that was in no block,
        to leave one that was in one, or to take it in another phase or mode. None = nothing.
    change_settled : bool
        What leaving all of `before` costs is counted elsewhere; what a plan is worth then holds only `pull`.
    """

    parcel_ids: tuple[str, ...]
    area_mu: Floats
    benefit: Floats
    cost: Floats
    perimeter_m: Floats
    selectable: Bools
    filler: Bools
    zone: Ints
    earliest: Ints
    lock_by: Ints
    pairs: Ints
    shared_m: Floats
    link_pairs: Ints
    gap_m: Floats
    zones: tuple[str, ...]
    phases: tuple[Phase, ...]
    targets: tuple[Target, ...]
    block_min_mu: float
    block_max_mu: float
    within_zone: bool = False
    filler_max_share: float = 0.0
    perimeter_per_m: float = 0.0
    currency: str = "CNY"
    modes: tuple[Mode, ...] = (Mode("default"),)
    gates: Ints | None = None
    mode_benefit: Floats | None = None
    mode_cost: Floats | None = None
    mode_open: Bools | None = None
    mode_boundary_mu: Floats | None = None
    mode_cleared_mu: Floats | None = None
    mode_accepted_mu: Floats | None = None
    mode_floor_m2: Floats | None = None
    villages: tuple[str, ...] = ()
    village: Ints | None = None
    max_villages: int | None = None
    block_rules: tuple[BlockRule, ...] = ()
    resources: tuple[Resource, ...] = ()
    groups: tuple[Group, ...] = ()
    fixed: tuple[Block, ...] = ()
    rolling: bool = False
    existing_from: Ints | None = None
    before: tuple[Block, ...] = ()
    change_price: Floats | None = None
    change_settled: bool = False

    @property
    def n(self) -> int:
        """Number of parcels."""
        return len(self.parcel_ids)

    def amounts(self, measure: Measure) -> Floats:
        """What a parcel adds to a target of some measure in each mode, ``float64[n, M]``; 0 for blocks."""
        m = len(self.modes)
        if measure == "blocks":
            return np.zeros((self.n, m))
        if measure == "mu":
            return np.asarray(np.broadcast_to(self.area_mu[:, None], (self.n, m)))
        values: Floats = getattr(self, f"mode_{measure}")
        return values

    @cached_property
    def pull(self) -> Floats | None:
        """What a parcel is worth besides in each phase and mode because of the plan before; None without prices.

        ``float64[n, T·M]``, currency, undiscounted, column = phase · M + mode: the price of changing the parcel as it
        was before, 0 elsewhere; for a parcel that was in no block, its price taken off everywhere. Together with
        `left_before` this is −Σ price over the parcels changed.
        """
        if self.change_price is None:
            return None
        pull = np.repeat(-self.change_price[:, None], len(self.phases) * len(self.modes), axis=1)
        for block in self.before:
            index = list(block.parcels)
            pull[index] = 0.0
            pull[index, block.phase * len(self.modes) + block.mode] = self.change_price[index]
        return pull

    @property
    def left_before(self) -> float:
        """Worth of leaving all of the plan before, currency: −Σ price over its parcels; 0 where that is settled."""
        if self.change_price is None or self.change_settled or not self.before:
            return 0.0
        return -float(self.change_price[[i for b in self.before for i in b.parcels]].sum())

    def subset(self, keep: Bools) -> tuple[Problem, Ints]:
        """The problem on some of its parcels, and the index of each of them in it. Order is kept.

        Parcels of the plan before that are left out no longer cost anything.
        """
        index = np.flatnonzero(keep)
        number = np.full(self.n, -1, dtype=np.int64)
        number[index] = np.arange(len(index))
        near = keep[self.pairs].all(axis=1) if len(self.pairs) else np.empty(0, dtype=np.bool_)
        linked = keep[self.link_pairs].all(axis=1) if len(self.link_pairs) else np.empty(0, dtype=np.bool_)
        return replace(
            self,
            parcel_ids=tuple(self.parcel_ids[i] for i in index),
            pairs=number[self.pairs[near]],
            shared_m=self.shared_m[near],
            link_pairs=number[self.link_pairs[linked]],
            gap_m=self.gap_m[linked],
            **self._parcel_arrays(index, number),
        ), index

    def _parcel_arrays(self, index: Ints, number: Ints) -> dict[str, Any]:
        """Everything that is by parcel, for the parcels `index`; `number` is the new index of an old one."""
        present = (*PARCEL_ARRAYS, *(name for name in OPTIONAL_ARRAYS if getattr(self, name) is not None))
        lost = [self.parcel_ids[i] for b in self.fixed for i in b.parcels if number[i] < 0]
        if lost:
            raise ValueError(f"parcels of fixed blocks cannot be left out: {list_ids(lost)}")
        return {name: getattr(self, name)[index] for name in present} | {
            "groups": tuple(replace(g, members=g.members[index]) for g in self.groups),
            "resources": tuple(replace(r, use=r.use[index]) for r in self.resources),
            "block_rules": tuple(
                replace(r, amount=r.amount[index], share_of=None if r.share_of is None else r.share_of[index])
                for r in self.block_rules
            ),
            "fixed": tuple(_in_numbers(b, number) for b in self.fixed),
            "before": tuple(b for b in (_in_numbers(b, number) for b in self.before) if b.parcels),
        }

    def canonical(self) -> tuple[Problem, Ints]:
        """The same problem with parcels sorted by id, and the old index of each parcel in it.

        Solving in this order makes the plan independent of the order of the input.
        """
        order = np.array(sorted(range(self.n), key=self.parcel_ids.__getitem__), dtype=np.int64)
        rank = np.empty(self.n, dtype=np.int64)
        rank[order] = np.arange(self.n)
        pairs, shared = _renumber(self.pairs, self.shared_m, rank)
        links, gaps = _renumber(self.link_pairs, self.gap_m, rank)
        ids = tuple(self.parcel_ids[i] for i in order)
        return replace(
            self,
            parcel_ids=ids,
            pairs=pairs,
            shared_m=shared,
            link_pairs=links,
            gap_m=gaps,
            **self._parcel_arrays(order, rank),
        ), order


PARCEL_ARRAYS: Final[Mapping[str, Any]] = {
    "area_mu": np.float64,
    "benefit": np.float64,
    "cost": np.float64,
    "perimeter_m": np.float64,
    "selectable": np.bool_,
    "filler": np.bool_,
    "zone": np.int64,
    "earliest": np.int64,
    "lock_by": np.int64,
}
OPTIONAL_ARRAYS: Final[Mapping[str, Any]] = {
    "gates": np.int64,
    "mode_benefit": np.float64,
    "mode_cost": np.float64,
    "mode_open": np.bool_,
    "mode_boundary_mu": np.float64,
    "mode_cleared_mu": np.float64,
    "mode_accepted_mu": np.float64,
    "mode_floor_m2": np.float64,
    "village": np.int64,
    "existing_from": np.int64,
    "change_price": np.float64,
}
"""Arrays by parcel that may be absent; those called mode_… have a column for each mode."""


def _in_numbers(block: Block, number: Ints) -> Block:
    """A block in new numbers of the parcels, without those that have none."""
    return replace(block, parcels=tuple(sorted(i for i in number[list(block.parcels)].tolist() if i >= 0)))


def _renumber(pairs: Ints, values: Floats, rank: Ints) -> tuple[Ints, Floats]:
    new = np.sort(rank[pairs], axis=1) if len(pairs) else pairs
    order = np.lexsort((new[:, 1], new[:, 0])) if len(pairs) else np.arange(0)
    return new[order], values[order]
