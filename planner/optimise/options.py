"""Options: the phase and mode a block may be taken in, numbered as one index.

Option o = phase · M + mode. Everything that depends on when and how a block is taken is an array over options, so that
the search and the relaxation need to know neither phases nor modes. With one mode options are phases.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from planner.problem import Bools, Floats, Ints, Problem, Target


@dataclass(frozen=True, eq=False)
class Options:
    """O = T·M options of a problem.

    Attributes
    ----------
    phase, mode : int64[O]
    done : int64[K, O]
        First phase whose targets count a block that must have reached milestone k; T = none.
    net : float64[n, O]
        Discounted benefit − cost of a parcel, currency, without perimeter, and its pull towards the plan before
        (`Problem.pull`).
    cost : float64[n, O]
        Undiscounted cost, currency.
    """

    phase: Ints
    mode: Ints
    done: Ints
    net: Floats
    cost: Floats

    def __len__(self) -> int:
        return len(self.phase)

    def counts(self, target: Target) -> Bools:
        """Whether blocks of an option count for a target, ``bool[O]``."""
        return np.asarray(self.done[target.milestone] <= target.phase)

    def of(self, phase: int, mode: int) -> int:
        """Number of an option."""
        return int(np.flatnonzero((self.phase == phase) & (self.mode == mode))[0])


def make_options(problem: Problem) -> Options:
    """Options of a problem in order of phase, then mode."""
    n_phases, n_modes = len(problem.phases), len(problem.modes)
    phase = np.repeat(np.arange(n_phases), n_modes)
    mode = np.tile(np.arange(n_modes), n_phases)
    milestones = 1 + max((t.milestone for t in problem.targets), default=0)
    done = [
        [problem.modes[m].done_in(t, n_phases, k) for t, m in zip(phase.tolist(), mode.tolist(), strict=True)]
        for k in range(milestones)
    ]
    benefit, cost = by_mode(problem.mode_benefit, problem.benefit, mode), by_mode(problem.mode_cost, problem.cost, mode)
    discount = np.array([p.discount for p in problem.phases])
    net = (benefit - cost) * discount[phase]
    return Options(
        phase=phase,
        mode=mode,
        done=np.array(done, dtype=np.int64),
        net=net if problem.pull is None else net + problem.pull,
        cost=cost,
    )


def by_mode(values: Floats | None, plain: Floats, mode: Ints) -> Floats:
    """``float64[n, O]`` from values by mode, or from one value for all modes."""
    if values is None:
        return np.ascontiguousarray(np.broadcast_to(plain[:, None], (len(plain), len(mode))))
    return np.ascontiguousarray(values[:, mode])


def availability(problem: Problem) -> Bools:
    """``bool[n, O]``: parcel i may be taken in option o (selectable, gate open, not later than its lock, mode allowed).

    Parcels of fixed blocks are never available: their blocks stand.
    """
    options = make_options(problem)
    open_ = problem.selectable[:, None] & (problem.earliest[:, None] <= options.phase[None, :])
    open_ &= ~((problem.lock_by >= 0)[:, None] & (options.phase[None, :] > problem.lock_by[:, None]))
    if problem.mode_open is not None:
        open_ &= problem.mode_open[:, options.mode]
    open_[[i for b in problem.fixed for i in b.parcels]] = False
    return np.asarray(open_)


def target_members(problem: Problem, target: Target) -> Bools:
    """Parcels that lie in the zone and group of a target, ``bool[n]``."""
    inside = np.ones(problem.n, dtype=np.bool_) if target.zone < 0 else problem.zone == target.zone
    return inside if target.group < 0 else inside & problem.groups[target.group].members


def target_amounts(problem: Problem, target: Target, options: Options) -> Floats:
    """What a parcel adds to a target in each option, ``float64[n, O]``; 0 for targets that count blocks."""
    counted = target_members(problem, target)[:, None] & options.counts(target)[None, :]
    return np.where(counted, problem.amounts(target.measure)[:, options.mode], 0.0)
