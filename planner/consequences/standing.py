"""What still stands of a block when the owners of one of its parcels refuse."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from planner.optimise.evaluate import set_faults
from planner.optimise.graph import Graph
from planner.problem import AREA_TOLERANCE_MU, RULE_TOLERANCE, Block, Bools, Floats, Ints, Problem

_CHUNK: Final = 2_000_000
"""Copies of contacts that are looked at in one go: bounds the memory."""


@dataclass(frozen=True)
class Remainder:
    """What is left of a block without one of its parcels.

    Attributes
    ----------
    part : tuple of int
        The largest part known to be a sound block; empty = none.
    whole : bool
        `part` is all that is left: the block stands without the parcel.
    faults : tuple of str
        Rules for blocks that all that is left breaks; empty where it stands.
    largest : bool
        No larger part is a sound block. False: parcels had to be left away one by one, and a larger part may exist.
    """

    part: tuple[int, ...]
    whole: bool
    faults: tuple[str, ...]
    largest: bool


def remainders(problem: Problem, graph: Graph, block: Block, *, fixed: bool = False) -> tuple[Remainder, ...]:
    """What is left without each of the block's parcels, in their order.

    Parameters
    ----------
    problem : Problem
    graph : Graph
        Contacts that a block may use.
    block : Block
        Keeps the rules for blocks.
    fixed : bool
        The block stands whatever the rules for blocks say, and so does what is left of it.
    """
    members = np.asarray(block.parcels, dtype=np.int64)
    if fixed:
        rests = [_without(block.parcels, k) for k in range(len(members))]
        return tuple(Remainder(r, bool(r), () if r else (_NOTHING,), True) for r in rests)
    local = _contacts(graph, members)
    stands = _in_one_piece(local, len(members)) & _sums_kept(problem, members, block.mode)
    return tuple(
        Remainder(_without(block.parcels, k), True, (), True)
        if stands[k]
        else _broken(problem, graph, block, _without(block.parcels, k))
        for k in range(len(members))
    )


_NOTHING: Final = "nothing is left"


def _without(parcels: Sequence[int], k: int) -> tuple[int, ...]:
    return (*parcels[:k], *parcels[k + 1 :])


def _contacts(graph: Graph, members: Ints) -> Ints:
    """Contacts within a set, as positions in it, ``int64[edges, 2]``."""
    lengths = graph.start[members + 1] - graph.start[members]
    first = np.repeat(np.arange(len(members)), lengths)
    offset = np.arange(len(first)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    other = graph.neighbour[graph.start[members][first] + offset]
    place = np.minimum(np.searchsorted(members, other), len(members) - 1)
    keep = (members[place] == other) & (first < place)
    return np.stack([first[keep], place[keep]], axis=1)


def _in_one_piece(contacts: Ints, k: int) -> Bools:
    """Whether a set is one piece without each of its k members, ``bool[k]``; false for what has no other member.

    One copy of the contacts for each member left out; the copies are one graph, whose pieces are counted copy by copy.
    """
    whole = np.zeros(k, dtype=np.bool_)
    step = max(1, _CHUNK // max(1, len(contacts)))
    for start in range(0, k, step):
        out = np.arange(start, min(k, start + step))
        keep = (contacts[None, :, :] != out[:, None, None]).all(axis=2)
        copy, edge = np.nonzero(keep)
        size = len(out) * k
        i, j = copy * k + contacts[edge, 0], copy * k + contacts[edge, 1]
        _, label = connected_components(coo_matrix((np.ones(len(i), dtype=np.int8), (i, j)), shape=(size, size)), False)
        table = label.reshape(len(out), k)
        inside = np.arange(k)[None, :] != out[:, None]
        low = np.where(inside, table, size).min(axis=1)
        high = np.where(inside, table, -1).max(axis=1)
        whole[out] = low == high
    return whole


def _sums_kept(problem: Problem, members: Ints, mode: int) -> Bools:
    """Whether the sums of a block keep their limits without each member, ``bool[k]``.

    Zones, villages and the largest area cannot be broken by leaving something away.
    """
    area = problem.area_mu[members]
    kept = area.sum() - area >= problem.block_min_mu - AREA_TOLERANCE_MU
    for weight, limit, tolerance in _sums(problem, mode):
        values = weight[members]
        kept &= values.sum() - values >= limit - tolerance
    return np.asarray(kept)


def _sums(problem: Problem, mode: int) -> Iterator[tuple[Floats, float, float]]:
    """Weights, limit and tolerance of the sums that a block must reach in a mode, its least area aside."""
    share = problem.filler_max_share
    yield problem.area_mu * (share - problem.filler), 0.0, AREA_TOLERANCE_MU
    for rule in problem.block_rules:
        if rule.modes is None or mode in rule.modes:
            yield rule.weight, rule.limit, RULE_TOLERANCE


def _broken(problem: Problem, graph: Graph, block: Block, rest: tuple[int, ...]) -> Remainder:
    """The largest sound part of what is left, where all of it is no block."""
    if not rest:
        return Remainder((), False, (_NOTHING,), True)
    faults = tuple(set_faults(problem, graph, rest, block.mode))
    if not faults:  # within the last rounding of a limit
        return Remainder(rest, True, (), True)
    best: tuple[int, ...] = ()
    largest = True
    for piece in _pieces(problem, graph, rest):
        if _area(problem, piece) < max(problem.block_min_mu - AREA_TOLERANCE_MU, _area(problem, best)):
            break  # neither this nor a smaller one can be a larger sound part
        sound = piece
        # all that is left in one piece has been judged already
        if len(piece) == len(rest) or set_faults(problem, graph, piece, block.mode):
            largest, sound = False, _shrunk(problem, graph, piece, block.mode)
        if sound and _area(problem, sound) > _area(problem, best):
            best = sound
    return Remainder(best, False, faults, largest)


def _area(problem: Problem, parcels: Sequence[int]) -> float:
    return float(problem.area_mu[list(parcels)].sum())


def _pieces(problem: Problem, graph: Graph, parcels: Sequence[int]) -> list[tuple[int, ...]]:
    """Connected pieces of a set, the largest first; of equal ones that with the first parcel id."""
    todo, found = set(parcels), []
    while todo:
        stack = [todo.pop()]
        piece = list(stack)
        while stack:  # quicker than a sparse matrix for the few parcels of a block
            new = todo.intersection(graph.of(stack.pop()).tolist())
            todo -= new
            stack += new
            piece += new
        found.append(tuple(sorted(piece)))
    return sorted(found, key=lambda p: (-_area(problem, p), min(problem.parcel_ids[i] for i in p)))


def _shrunk(problem: Problem, graph: Graph, piece: tuple[int, ...], mode: int) -> tuple[int, ...]:
    """A sound part of a piece whose sums fall short; empty where none is found.

    One parcel after the other is left away: of those that keep the rest one piece and large enough, the one that mends
    the most of what is missing per mu.
    """
    members = np.asarray(piece, dtype=np.int64)
    contacts, sums = _contacts(graph, members), list(_sums(problem, mode))
    area, inside = problem.area_mu[members], np.ones(len(members), dtype=np.bool_)
    names = [problem.parcel_ids[i] for i in piece]
    while True:
        gain, missing = np.zeros(len(members)), False
        for weight, limit, tolerance in sums:
            values = weight[members]
            short = limit - float(values[inside].sum())
            if short > tolerance:
                missing = True
                gain += np.clip(-values / short, None, 1.0)
        if not missing:
            break
        spare = area[inside].sum() - problem.block_min_mu + AREA_TOLERANCE_MU
        useful = np.flatnonzero(inside & (gain > 0) & (area <= spare)).tolist()
        useful.sort(key=lambda k: (-gain[k] / area[k], names[k]))
        leaves = next((k for k in useful if _one_piece_without(contacts, inside, k)), None)
        if leaves is None:
            return ()
        inside[leaves] = False
    return tuple(members[inside].tolist())


def _one_piece_without(contacts: Ints, inside: Bools, k: int) -> bool:
    """Whether the members that are inside are one piece without member k."""
    left = inside.copy()
    left[k] = False
    keep = left[contacts].all(axis=1)
    shape = (len(left), len(left))
    pairs = coo_matrix((np.ones(int(keep.sum()), dtype=np.int8), contacts[keep].T), shape=shape)
    pieces, _ = connected_components(pairs, directed=False)  # every member outside is a piece of its own
    return bool(pieces == 1 + len(left) - int(left.sum()))
