"""How many blocks a part of a plan holds, and how large they can be: what targets say of single blocks.

A **family** is an option and a connected piece of land open in it; every block lies in one piece of each of its
options (with at most one village a block, pieces are those of single villages, and a block without a village lies in
several). A **stage** is a set of families of which the targets limit the area that a plan takes there: a cumulative
ceiling less a floor that is due before, and the other way round. From its area follow the number of its blocks and,
where they are few, their sizes: of at most k blocks of at most u that bring A together, each has at least
A − (k − 1)·u.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from planner.optimise.graph import Graph
from planner.optimise.options import Options, target_members
from planner.problem import AREA_TOLERANCE_MU, Bools, Floats, Ints, Problem, Target

_SLACK: Final = 3 * AREA_TOLERANCE_MU
"""By which a difference of two sums, each within its tolerance, may be off."""
_PASSES: Final = 3
_MOST_CASES: Final = 12
_MOST_BLOCKS: Final = 8
"""Only stages of at most so many blocks are told apart by their number."""


@dataclass(frozen=True, eq=False)
class Family:
    """Blocks of one option within one piece of land.

    Attributes
    ----------
    option : int
    parcels : int64[m]
        In order.
    """

    option: int
    parcels: Ints


@dataclass(frozen=True, eq=False)
class Stage:
    """Families whose blocks together bring between `need` and `room` mu, and are between `least` and `most`.

    Attributes
    ----------
    inside : bool[F]
        The families.
    need, room : float
        Least and greatest area of all their blocks, mu.
    least, most : int
        Number of their blocks.
    """

    inside: Bools
    need: float
    room: float
    least: int
    most: int


@dataclass(frozen=True, eq=False)
class Split:
    """A part of all plans: those with certain numbers of blocks in the stages.

    Attributes
    ----------
    stages : tuple of Stage
    smallest, largest : float64[F]
        Limits of the area of a block of each family, mu; where smallest > largest it has none.
    """

    stages: tuple[Stage, ...]
    smallest: Floats
    largest: Floats


def families(problem: Problem, graph: Graph, open_: Bools) -> list[Family]:
    """Families in order of options."""
    found = []
    for o in range(open_.shape[1]):
        for land in _lands(problem, open_[:, o]):
            piece = graph.components(land)
            found += [Family(o, np.flatnonzero(piece == p)) for p in np.unique(piece[land]).tolist()]
    return found


def _lands(problem: Problem, here: Bools) -> Iterator[Bools]:
    """Parts of the available land within one of which every block lies."""
    if problem.max_villages != 1 or problem.village is None:
        yield here
        return
    for village in np.unique(problem.village[here & (problem.village >= 0)]).tolist() or [-1]:
        yield here & ((problem.village == village) | (problem.village < 0))


def split_by_counts(problem: Problem, options: Options, found: list[Family]) -> list[Split]:
    """Parts that cover all plans, each with the sizes of its blocks; parts that can hold none are left out."""
    stages = [s for s in _stages(problem, options, found) if s.inside.any()]
    whole = _tightened(problem, stages, len(found))
    if whole is None:
        return []
    chosen = _told_apart(whole.stages)
    counts = [range(whole.stages[s].least, whole.stages[s].most + 1) for s in chosen]
    parts = []
    for numbers in itertools.product(*counts):
        exact = list(whole.stages)
        for s, k in zip(chosen, numbers, strict=True):
            exact[s] = Stage(exact[s].inside, exact[s].need, exact[s].room, k, k)
        part = _tightened(problem, exact, len(found))
        if part is not None:
            parts.append(part)
    return parts


def without_splitting(problem: Problem, options: Options, found: list[Family]) -> Split | None:
    """All plans as one part; None where the areas alone show that there is none."""
    return _tightened(problem, [s for s in _stages(problem, options, found) if s.inside.any()], len(found))


def _told_apart(stages: tuple[Stage, ...]) -> list[int]:
    """Disjoint stages with few numbers of blocks, as many as make few parts."""
    chosen: list[int] = []
    parts = 1
    for s in sorted(range(len(stages)), key=lambda s: (stages[s].most - stages[s].least, stages[s].most, s)):
        stage = stages[s]
        more = parts * (stage.most - stage.least + 1)
        alone = not any((stage.inside & stages[c].inside).any() for c in chosen)
        if alone and stage.least < stage.most <= _MOST_BLOCKS and more <= _MOST_CASES:
            chosen.append(s)
            parts = more
    return chosen


def _stages(problem: Problem, options: Options, found: list[Family]) -> list[Stage]:
    """Areas between two targets in mu, phases with a number of blocks, and all land."""
    known: dict[bytes, Stage] = {}

    def note(inside: Bools, need: float, room: float, most: float = math.inf) -> None:
        land = _area(problem, found, inside)
        limit = math.inf if problem.block_min_mu <= _SLACK else land / (problem.block_min_mu - _SLACK)
        count = min(most, limit, float(problem.n))
        old = known.get(inside.tobytes(), Stage(inside, 0.0, land + _SLACK, 0, problem.n))
        known[inside.tobytes()] = Stage(
            inside, max(old.need, need - _SLACK), min(old.room, room + _SLACK), 0, min(old.most, int(count))
        )

    none = np.zeros(len(found), dtype=np.bool_)
    targets = [t for t in problem.targets if t.measure == "mu"]
    touched = [_meets(problem, options, found, t) for t in targets]
    within = [_lies_in(problem, options, found, t) for t in targets]
    for k, target in enumerate(targets):
        before = [(none, none, 0.0, 0.0)]
        before += [(touched[j], within[j], t.floor, _ceiling(t)) for j, t in enumerate(targets) if j != k]
        for touch, inner, floor, ceiling in before:
            if not (touch & ~within[k]).any():  # what counts for the other target counts for this one
                note(within[k] & ~touch, 0.0, _ceiling(target) - floor)
            if not (inner & ~touched[k]).any():
                note(touched[k] & ~inner, target.floor - ceiling, math.inf)
    phases = np.array([options.phase[f.option] for f in found], dtype=np.int64)
    for t, phase in enumerate(problem.phases):
        if phase.max_blocks is not None:
            note(phases == t, 0.0, math.inf, phase.max_blocks)
    note(~none, 0.0, math.inf)
    return [known[key] for key in sorted(known)]


def _ceiling(target: Target) -> float:
    return math.inf if target.ceiling is None else target.ceiling


def _area(problem: Problem, found: list[Family], inside: Bools) -> float:
    """Land of some families, each parcel once."""
    mine = [found[f].parcels for f in np.flatnonzero(inside).tolist()]
    return float(problem.area_mu[np.unique(np.concatenate(mine))].sum()) if mine else 0.0


def _meets(problem: Problem, options: Options, found: list[Family], target: Target) -> Bools:
    """Families of which blocks may count for a target."""
    members, done = target_members(problem, target), options.counts(target)
    return np.array([done[f.option] and members[f.parcels].any() for f in found], dtype=bool)


def _lies_in(problem: Problem, options: Options, found: list[Family], target: Target) -> Bools:
    """Families whose blocks count for a target with all their land."""
    members, done = target_members(problem, target), options.counts(target)
    return np.array([done[f.option] and members[f.parcels].all() for f in found], dtype=bool)


def _tightened(problem: Problem, stages: list[Stage] | tuple[Stage, ...], n_families: int) -> Split | None:
    """Sizes and numbers that follow from each other; None where no plan has them."""
    smallest = np.full(n_families, problem.block_min_mu - AREA_TOLERANCE_MU)
    largest = np.full(n_families, problem.block_max_mu + AREA_TOLERANCE_MU)
    now = list(stages)
    for _ in range(_PASSES):
        for s, stage in enumerate(now):
            size = smallest[stage.inside].min(), largest[stage.inside].max()
            if size[1] <= 0:  # no block fits into this stage
                if stage.need > 0 or stage.least > 0:
                    return None
                now[s] = Stage(stage.inside, stage.need, stage.room, 0, 0)
                continue
            fewest = max(stage.least, math.ceil(stage.need / size[1] - 1e-9))
            most = stage.most if size[0] <= 0 else min(stage.most, math.floor(stage.room / size[0] + 1e-9))
            if fewest > most:
                return None
            now[s] = Stage(stage.inside, stage.need, stage.room, fewest, most)
            if most == 0:
                largest[stage.inside] = -math.inf
                continue
            fits = stage.inside & (largest > -math.inf)
            # a block beside at least fewest − 1 others, and one beside at most `most` − 1
            largest[fits] = np.minimum(largest[fits], stage.room - (max(fewest, 1) - 1) * max(size[0], 0.0))
            smallest[fits] = np.maximum(smallest[fits], stage.need - (most - 1) * size[1])
    return Split(tuple(now), smallest, largest)
