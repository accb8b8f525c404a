"""What the search and the bound tell while they work.

Both are generators of events. They run in one process in turn, or in a process each; the events are the same.
"""

from __future__ import annotations

from dataclasses import dataclass

from scipy.sparse import csr_matrix

from planner.optimise.bound import BoundResult
from planner.problem import Block


@dataclass(frozen=True)
class PlanFound:
    """A better plan.

    Attributes
    ----------
    work : float
        Work done until then, in units that cost about a second; the same on every machine.
    blocks : tuple of Block
    objective : float
    gross : float
        Absolute terms that the objective adds up, currency.
    by_proof : bool
        Found by what proves the bound, without the search.
    """

    work: float
    blocks: tuple[Block, ...]
    objective: float
    gross: float
    by_proof: bool = False


@dataclass(frozen=True)
class StepDone:
    """A step of the search has ended.

    Attributes
    ----------
    work : float
    rounds : int
        Whole rounds done.
    nearest : tuple of float
        Most that any draft within all limits brought towards each target.
    """

    work: float
    rounds: int
    nearest: tuple[float, ...]


@dataclass(frozen=True)
class BoundFound:
    """A better bound, or the same one after more work.

    Attributes
    ----------
    work : float
    bound : float
    proof : str
    """

    work: float
    bound: float
    proof: str


@dataclass(frozen=True, eq=False)
class RootFound:
    """Where the cutting planes ended: branching can begin there.

    Attributes
    ----------
    work : float
    cuts : csr_matrix[cuts, columns]
        Rows Σ coefficient·x ≤ 0 over the columns of the relaxation.
    result : BoundResult
        The bound and what it says of single parcels.
    """

    work: float
    cuts: csr_matrix
    result: BoundResult


Event = PlanFound | StepDone | BoundFound | RootFound
