"""The parts of a problem: phases, modes, targets, groups, rules for blocks, resources, blocks; and the plan.

Everybody takes them from `planner.problem`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

AREA_TOLERANCE_MU: Final = 1e-6
"""Sums of areas within this of a limit count as keeping it (floating-point noise, far below any survey)."""
MONEY_TOLERANCE: Final = 1e-6
"""The same for money, relative to the limit."""

RULE_TOLERANCE: Final = 1e-6
"""The same for the sums of block rules, in their unit."""
SUM_TOLERANCE: Final = 1e-12
"""What the order of adding up may change of a sum whose terms have both signs, as a share of their sizes."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


def spending_tolerance(limit: float) -> float:
    """By how much costs and other resources may be above a limit: `MONEY_TOLERANCE` of it, at least of 1."""
    return MONEY_TOLERANCE * max(1.0, abs(limit))


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
class Mode:
    """A way to redevelop a block; a block picks one.

    Attributes
    ----------
    id : str
        Its name.
    duration : int
        Phases from the block's phase until it counts towards targets (0 = at once). One that is done after the last
        phase counts towards none.
    done : tuple of tuple of int
        Where phases differ in length: milestone k, phase t → first phase whose targets count a block of phase t that
        must have reached milestone k, T = none. Empty: phase + `duration`, for every milestone.
    """

    id: str
    duration: int = 0
    done: tuple[tuple[int, ...], ...] = ()

    def done_in(self, phase: int, n_phases: int, milestone: int = 0) -> int:
        """First phase whose targets count a block taken in `phase`; `n_phases` = none."""
        return self.done[milestone][phase] if self.done else min(phase + self.duration, n_phases)


Measure = Literal["mu", "boundary_mu", "cleared_mu", "accepted_mu", "floor_m2", "blocks"]
"""What a target counts: net land, land with its share of the lanes, cleared or accepted land, new floor, projects."""
UNITS: Final[Mapping[Measure, str]] = {
    "mu": "mu",
    "boundary_mu": "mu",
    "cleared_mu": "mu",
    "accepted_mu": "mu",
    "floor_m2": "m²",
    "blocks": "blocks",
}


@dataclass(frozen=True)
class Target:
    """Cumulative amount to be reached by the end of a phase, over the parcels of a zone and a group.

    Attributes
    ----------
    name : str
        As a planner would say it: ``'P2'``, ``'P2, zone 罗马'``.
    phase : int
        0-based; blocks that are done in this and all earlier phases count.
    zone : int
        Index into ``Problem.zones``; -1 = the whole study area.
    floor : float
        Must be reached, in the unit of `measure`; 0 = no floor.
    stretch : float or None
        Missing it costs `stretch_price` a unit.
    stretch_price : float
        Currency per unit of `measure`.
    ceiling : float or None
        Must not be exceeded.
    group : int
        Index into ``Problem.groups``; -1 = no further condition. Groups may overlap.
    measure : {'mu', 'boundary_mu', 'cleared_mu', 'accepted_mu', 'floor_m2', 'blocks'}
        'mu' counts `Problem.area_mu`, the others but 'blocks' the problem's array called ``mode_`` + measure. A block
        counts as a project ('blocks') when all its parcels lie in the zone and group and it has `project_min_mu`.
    project_min_mu : float
        Least area of a block that counts as a project.
    milestone : int
        Which milestone of `Mode.done` a block must have reached.
    """

    name: str
    phase: int
    zone: int
    floor: float
    stretch: float | None = None
    stretch_price: float = 0.0
    ceiling: float | None = None
    group: int = -1
    measure: Measure = "mu"
    project_min_mu: float = 0.0
    milestone: int = 0

    @property
    def unit(self) -> str:
        """Unit of `floor` and `stretch`, for people."""
        return UNITS[self.measure]


@dataclass(frozen=True, eq=False)
class Group:
    """A named set of parcels that targets may count: a circle, a village, a platform. Groups may overlap.

    Attributes
    ----------
    name : str
    members : bool[n]
    """

    name: str
    members: Bools


@dataclass(frozen=True, eq=False)
class BlockRule:
    """A sum over a block's parcels that must be large enough: Σ amount ≥ least, or Σ amount ≥ least · Σ share_of.

    Signed share (amount = signed mu, share_of = mu), consent of right-holders, access (amount = frontage on wide roads,
    m), smallest site (amount = usable mu) are all of this form.

    Attributes
    ----------
    name, unit : str
        For people; `unit` is that of `amount`.
    amount : float64[n]
    least : float
        Amount, or share where `share_of` is given.
    share_of : float64[n] or None
        What `amount` is a share of.
    modes : tuple of int or None
        Modes it binds; None = all.
    """

    name: str
    unit: str
    amount: Floats
    least: float
    share_of: Floats | None = None
    modes: tuple[int, ...] | None = None

    @property
    def weight(self) -> Floats:
        """What a parcel adds to the left side, ``float64[n]``: amount, less its part of the share asked for."""
        return self.amount if self.share_of is None else self.amount - self.least * self.share_of

    @property
    def limit(self) -> float:
        """What the weights of a block must add up to at least."""
        return self.least if self.share_of is None else 0.0


@dataclass(frozen=True, eq=False)
class Resource:
    """Something that blocks take, such as decant floor area or money of a party, with limits; like a budget.

    What a block of phase t and mode m takes in period r is Σ_{i in block} Σ_l use[i, m, l] · timing[r, t, m, l]. The
    plain form, `use` by parcel without `timing`, is taken whole in the block's phase: periods are the phases. Limits on
    running sums (a peak gap, space that fills up) are limits on periods whose timing adds up. Amounts may be negative:
    what a block gives back, or makes.

    Attributes
    ----------
    name, unit : str
        For people.
    use : float64[n] or float64[n, M, L]
        What a parcel takes, 0 or more; by mode and part, of any sign, where `timing` is given.
    limits : tuple of float or None
        Most by period, R entries; None = no limit. Without `timing` R = T, and none is negative.
    periods : tuple of str
        Names of the periods, for people; empty = the phases.
    timing : float64[R, T, M, L] or None
        Share of each part that counts in a period, by phase and mode of the block.
    slack : tuple of float
        By how much sums may miss each limit; empty = as `tolerance` says. Set where fixed blocks are taken out, so that
        what is left of a limit keeps the tolerance of the whole.
    """

    name: str
    unit: str
    use: Floats
    limits: tuple[float | None, ...]
    periods: tuple[str, ...] = ()
    timing: Floats | None = None
    slack: tuple[float, ...] = ()

    @property
    def growing(self) -> bool:
        """Whether no parcel gives anything back, so that more land never takes less."""
        return self.timing is None or bool((self.use >= 0).all() and (self.timing >= 0).all())

    def period(self, r: int, phases: Sequence[Phase]) -> str:
        """Name of a period, for people."""
        return self.periods[r] if self.periods else phases[r].id

    def period_in_words(self, r: int, phases: Sequence[Phase]) -> str:
        """The same within a sentence."""
        return self.periods[r] if self.periods else f"phase {phases[r].id}"

    def taken(self, period: int, phase: Ints, mode: Ints) -> Floats:
        """What each parcel takes in a period, ``float64[n, O]``, in blocks of O pairs of phase and mode."""
        if self.timing is None:
            return np.where(phase[None, :] == period, self.use[:, None], 0.0)
        return np.stack(
            [self.use[:, m, :] @ self.timing[period, t, m] for t, m in zip(phase, mode, strict=True)], axis=1
        )

    def of_block(self, block: Block) -> Floats:
        """What a block takes in each period, ``float64[R]``."""
        index = list(block.parcels)
        if self.timing is None:
            here = np.arange(len(self.limits)) == block.phase
            return np.where(here, self.use[index].sum(), 0.0)
        by_part: Floats = self.use[index, block.mode].sum(axis=0)
        return self.timing[:, block.phase, block.mode] @ by_part

    def tolerance(self, period: int) -> float:
        """By how much a sum may be above a limit: floating-point noise.

        1e-6 of the limit (at least 1e-6), and, where income may stand against cost, 1e-12 of all that the parcels could
        take and give.
        """
        if self.slack:
            return self.slack[period]
        noise = 0.0 if self.timing is None else SUM_TOLERANCE * float(self._gross[period])
        return spending_tolerance(self.limits[period] or 0.0) + noise

    @cached_property
    def _gross(self) -> Floats:
        """Σ over parcels of the most that each can take and give by period, ``float64[R]``."""
        assert self.timing is not None
        peak = np.abs(self.timing).max(axis=1, initial=0.0)
        total = np.zeros(len(self.limits))
        for r in range(len(total)):
            total[r] = np.einsum("nml,ml->nm", np.abs(self.use), peak[r]).max(axis=1, initial=0.0).sum()
        return total


@dataclass(frozen=True)
class Block:
    """A contiguous set of parcels taken in one phase and mode (indices into the problem's order, ascending)."""

    parcels: tuple[int, ...]
    phase: int
    mode: int = 0


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
