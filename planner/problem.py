"""The optimisation problem as arrays, and the plan that answers it.

Nothing here knows geometry, files of land data or a solver. `planner.assemble` builds a `Problem` from parcels, scores
and adjacency; `planner.optimise` turns it into a `Plan`; `planner.problem_json` reads and writes both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from geodata.errors import DataError, Issue, list_ids

AREA_TOLERANCE_MU: Final = 1e-6
"""Sums of areas within this of a limit count as keeping it (floating-point noise, far below any survey)."""
MONEY_TOLERANCE: Final = 1e-6
"""The same for money, relative to the limit."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Phase:
    """One phase.

    Attributes
    ----------
    id : str
        Its name.
    year : int
        Its year, for reports.
    discount : float
        Factor on benefit and cost in this phase.
    budget : float or None
        Most that may be spent in it, undiscounted, in currency.
    max_blocks : int or None
        Most blocks in it.
    """

    id: str
    year: int
    discount: float
    budget: float | None = None
    max_blocks: int | None = None


@dataclass(frozen=True)
class Target:
    """Cumulative area to be reached by the end of a phase.

    Attributes
    ----------
    name : str
        As a planner would say it: ``'P2'``, ``'P2, zone 罗马'``.
    phase : int
        0-based; parcels of this and all earlier phases count.
    zone : int
        Index into ``Problem.zones``; -1 = the whole study area.
    floor_mu : float
        Must be reached; 0 = no floor.
    stretch_mu : float or None
        Missing it costs ``Problem.stretch_per_mu`` a mu.
    """

    name: str
    phase: int
    zone: int
    floor_mu: float
    stretch_mu: float | None = None


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
        First phase, 0-based, in which the parcel can be taken; ``len(phases)`` = never.
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
    perimeter_per_m, stretch_per_mu : float
        Weights, in currency.
    currency : str
        ISO code.
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
    stretch_per_mu: float = 0.0
    currency: str = "CNY"

    @property
    def n(self) -> int:
        """Number of parcels."""
        return len(self.parcel_ids)

    def subset(self, keep: Bools) -> tuple[Problem, Ints]:
        """The problem on some of its parcels, and the index of each of them in it. Order is kept."""
        index = np.flatnonzero(keep)
        number = np.full(self.n, -1, dtype=np.int64)
        number[index] = np.arange(len(index))
        near = keep[self.pairs].all(axis=1) if len(self.pairs) else np.empty(0, dtype=np.bool_)
        linked = keep[self.link_pairs].all(axis=1) if len(self.link_pairs) else np.empty(0, dtype=np.bool_)
        by_parcel = {name: getattr(self, name)[index] for name in PARCEL_ARRAYS}
        return replace(
            self,
            parcel_ids=tuple(self.parcel_ids[i] for i in index),
            pairs=number[self.pairs[near]],
            shared_m=self.shared_m[near],
            link_pairs=number[self.link_pairs[linked]],
            gap_m=self.gap_m[linked],
            **by_parcel,
        ), index

    def canonical(self) -> tuple[Problem, Ints]:
        """The same problem with parcels sorted by id, and the old index of each parcel in it.

        Solving in this order makes the plan independent of the order of the input.
        """
        order = np.array(sorted(range(self.n), key=self.parcel_ids.__getitem__), dtype=np.int64)
        rank = np.empty(self.n, dtype=np.int64)
        rank[order] = np.arange(self.n)
        pairs, shared = _renumber(self.pairs, self.shared_m, rank)
        links, gaps = _renumber(self.link_pairs, self.gap_m, rank)
        by_parcel = {name: getattr(self, name)[order] for name in PARCEL_ARRAYS}
        ids = tuple(self.parcel_ids[i] for i in order)
        return replace(
            self, parcel_ids=ids, pairs=pairs, shared_m=shared, link_pairs=links, gap_m=gaps, **by_parcel
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


def _renumber(pairs: Ints, values: Floats, rank: Ints) -> tuple[Ints, Floats]:
    new = np.sort(rank[pairs], axis=1) if len(pairs) else pairs
    order = np.lexsort((new[:, 1], new[:, 0])) if len(pairs) else np.arange(0)
    return new[order], values[order]


@dataclass(frozen=True)
class Block:
    """A contiguous set of parcels taken in one phase (indices into the problem's order, ascending)."""

    parcels: tuple[int, ...]
    phase: int


@dataclass(frozen=True)
class TracePoint:
    """Best plan and bound at one moment of the solve."""

    seconds: float
    objective: float | None
    bound: float


@dataclass(frozen=True)
class Plan:
    """An answer with its proof.

    Attributes
    ----------
    blocks : tuple of Block
        Ordered by phase, then by the parcel id that comes first as text.
    objective : float
        Value of the plan, in currency.
    bound : float
        No plan is worth more; valid whatever the status.
    bound_proof : str
        What proved it.
    status : str
        'optimal' (gap closed) or 'feasible'.
    stopped_by : str
        'optimal', 'gap', 'work', 'time' or 'interrupt'.
    rounds : int
        Search rounds done (counted work).
    repeatable : bool
        Neither the clock nor an interrupt had a part in the plan: the same input gives it again.
    trace : tuple of TracePoint
        Gap over time.
    """

    blocks: tuple[Block, ...]
    objective: float
    bound: float
    bound_proof: str
    status: str
    stopped_by: str
    rounds: int
    repeatable: bool
    trace: tuple[TracePoint, ...] = field(default=())

    @property
    def gap_abs(self) -> float:
        """`bound` − `objective`, in currency."""
        return self.bound - self.objective

    @property
    def gap(self) -> float | None:
        """(bound − objective) / |objective|; None at objective 0."""
        return self.gap_abs / abs(self.objective) if self.objective != 0 else None


def _index_issues(problem: Problem) -> list[Issue]:
    issues = []
    n, n_phases, n_zones = problem.n, len(problem.phases), len(problem.zones)
    ranges: list[tuple[str, Any, int, int]] = [
        ("adjacency.pairs", problem.pairs, 0, n - 1),
        ("links.pairs", problem.link_pairs, 0, n - 1),
        ("parcels.zone", problem.zone, -1, n_zones - 1),
        ("parcels.earliest", problem.earliest, 0, n_phases),
        ("parcels.lock_by", problem.lock_by, -1, n_phases - 1),
        ("targets.phase", np.array([t.phase for t in problem.targets]), 0, n_phases - 1),
        ("targets.zone", np.array([t.zone for t in problem.targets]), -1, n_zones - 1),
    ]
    for name, values, low, high in ranges:
        bad = values[(values < low) | (values > high)]
        if bad.size:
            issues.append(Issue(f"problem, {name}", str(bad[0]), f"{low} to {high}", "Correct the file."))
    for name, pairs in (("adjacency", problem.pairs), ("links", problem.link_pairs)):
        if len(pairs) and (pairs[:, 0] >= pairs[:, 1]).any():
            issues.append(Issue(f"problem, {name}.pairs", "a pair (i, j) with i ≥ j", "i < j", "Correct the file."))
        if len(np.unique(pairs, axis=0)) != len(pairs):
            issues.append(Issue(f"problem, {name}.pairs", "a pair twice", "each pair once", "Correct the file."))
    return issues


def check_problem(problem: Problem) -> None:
    """Raise a `DataError` that lists everything inconsistent in a problem."""
    issues = _index_issues(problem)
    if not problem.n or not problem.phases:
        issues.append(
            Issue("problem", f"{problem.n} parcels, {len(problem.phases)} phases", "at least one", "Add some.")
        )
    if len(set(problem.parcel_ids)) != problem.n:
        seen: set[str] = set()
        twice = [i for i in problem.parcel_ids if i in seen or seen.add(i)]  # type: ignore[func-returns-value]
        issues.append(Issue("problem, parcels.id", f"twice: {list_ids(twice)}", "distinct ids", "Rename them."))
    for name, values, strict in (
        ("parcels.area_mu", problem.area_mu, True),
        ("parcels.perimeter_m", problem.perimeter_m, False),
        ("adjacency.shared_m", problem.shared_m, False),
        ("links.gap_m", problem.gap_m, False),
    ):
        bad = values <= 0 if strict else values < 0
        if bad.any():
            issues.append(
                Issue(
                    f"problem, {name}", f"{values[bad][0]}", "positive" if strict else "0 or more", "Correct the file."
                )
            )
    if not 0 <= problem.block_min_mu <= problem.block_max_mu:
        issues.append(
            Issue(
                "problem, block",
                f"min_mu {problem.block_min_mu}, max_mu {problem.block_max_mu}",
                "0 ≤ min ≤ max",
                "Swap.",
            )
        )
    if not 0 <= problem.filler_max_share <= 1 or problem.perimeter_per_m < 0 or problem.stretch_per_mu < 0:
        issues.append(Issue("problem, weights", "a negative weight or share", "0 or more (share ≤ 1)", "Correct it."))
    if any(not 0 < p.discount <= 1 for p in problem.phases):
        issues.append(Issue("problem, phases.discount", "a factor outside (0, 1]", "0 < discount ≤ 1", "Correct it."))
    if issues:
        raise DataError(issues)
