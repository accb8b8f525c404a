"""The plan before as a start: its blocks as they were, and those that no longer keep the rules repaired."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from planner.optimise.evaluate import ordered, set_faults
from planner.optimise.graph import Graph
from planner.optimise.keeping import standing_blocks
from planner.optimise.options import Options
from planner.problem import AREA_TOLERANCE_MU, RULE_TOLERANCE, Block, Bools, Floats, Ints, Problem

_MOST_CHANGES: Final = 200
"""Parcels added to or taken from a block before it is given up."""


@dataclass(frozen=True)
class Repaired:
    """The plan before in today's rules.

    Attributes
    ----------
    blocks : tuple of Block
        They share no parcel; together they need not be a plan.
    variants : tuple of Block
        These, and the same land in other phases and modes.
    """

    blocks: tuple[Block, ...]
    variants: tuple[Block, ...]


def repaired(problem: Problem, graph: Graph, open_: Bools, options: Options) -> Repaired:
    """Blocks of `problem.before` that keep the rules for blocks, where need be after a repair.

    What stands of a block is kept. Of one of which nothing stands, the largest connected piece of what is available is
    taken, in its own phase and mode and in every other one, and parcels join or leave it at its edge until it keeps the
    rules; the variant worth most stands for it. Blocks that cannot be repaired are left out.

    Parameters
    ----------
    problem, graph, open_, options
        As everywhere in this package.
    """
    standing = standing_blocks(problem, graph, open_)
    stands, free = np.zeros(problem.n, dtype=np.bool_), np.ones(problem.n, dtype=np.bool_)
    stands[[i for b in standing for i in b.parcels]] = True
    free[[i for b in problem.before for i in b.parcels]] = False
    blocks, variants = list(standing), list(standing)
    for block in ordered(problem.before):
        if stands[list(block.parcels)].any():
            continue
        found = [b for o in range(len(options)) if (b := _repair(problem, graph, open_, options, block, o, free))]
        variants += found
        if found:
            best = max(found, key=lambda b: _worth(problem, graph, options, b))
            blocks.append(best)
            free[list(best.parcels)] = False
    return Repaired(ordered(blocks), tuple(variants))


def _worth(problem: Problem, graph: Graph, options: Options, block: Block) -> float:
    """Worth of a block, without stretch."""
    members = list(block.parcels)
    inside = np.zeros(problem.n, dtype=np.bool_)
    inside[members] = True
    shared = sum(_shared(graph, i, inside) for i in members)
    net = options.net[members, options.of(block.phase, block.mode)].sum()
    return float(net - problem.perimeter_per_m * (problem.perimeter_m[members].sum() - shared))


def _shared(graph: Graph, i: int, inside: Bools) -> float:
    row = slice(graph.start[i], graph.start[i + 1])
    return float(graph.shared_m[row][inside[graph.neighbour[row]]].sum())


def _repair(
    problem: Problem, graph: Graph, open_: Bools, options: Options, block: Block, option: int, free: Bools
) -> Block | None:
    """A block of what is left of the land of `block` in an option; None where there is none."""
    mode, phase = int(options.mode[option]), int(options.phase[option])
    chosen = np.zeros(problem.n, dtype=np.bool_)
    chosen[list(block.parcels)] = True
    chosen &= open_[:, option]
    chosen = _largest_piece(graph, chosen, problem.area_mu)
    may = (free & open_[:, option]) | chosen
    worth = options.net[:, option] / problem.area_mu
    for _ in range(_MOST_CHANGES):
        members = np.flatnonzero(chosen)
        if not len(members):
            return None
        if not set_faults(problem, graph, members.tolist(), mode):
            return Block(tuple(members.tolist()), phase, mode)
        area = float(problem.area_mu[chosen].sum())
        if area > problem.block_max_mu + AREA_TOLERANCE_MU:
            moved = _loosest(graph, chosen, worth)
            may[moved] = False  # once out, it stays out
        else:
            moved = _fittest(problem, graph, chosen, may, worth, mode)
        if moved < 0:
            return None
        chosen[moved] = not chosen[moved]
    return None


def _largest_piece(graph: Graph, chosen: Bools, area: Floats) -> Bools:
    piece = graph.components(chosen)
    if not chosen.any():
        return chosen
    size = np.bincount(piece[chosen], weights=area[chosen])
    return np.asarray(piece == int(np.argmax(size)))


def _loosest(graph: Graph, chosen: Bools, worth: Floats) -> int:
    """The member worth least per mu without which the others are still one piece, -1 if there is none."""
    members = np.flatnonzero(chosen)
    for i in members[np.lexsort((members, worth[members]))].tolist():
        rest = members[members != i]
        if len(rest) and graph.is_connected(rest.tolist()):
            return int(i)
    return -1


def _fittest(problem: Problem, graph: Graph, chosen: Bools, may: Bools, worth: Floats, mode: int) -> int:
    """The neighbour that helps the broken rules most, then the one worth most per mu; -1 if there is none."""
    members = np.flatnonzero(chosen)
    near = np.unique(np.concatenate([graph.of(i) for i in members.tolist()]))
    near = near[may[near] & ~chosen[near]]
    zone = problem.zone[members[0]]
    if problem.within_zone:
        near = near[problem.zone[near] == zone]
    room = problem.block_max_mu + AREA_TOLERANCE_MU - problem.area_mu[members].sum()
    near = near[problem.area_mu[near] <= room]
    if not len(near):
        return -1
    help_ = _help(problem, members, near, mode)
    return int(near[np.lexsort((near, -worth[near], -help_))[0]])


def _help(problem: Problem, members: Ints, near: Ints, mode: int) -> Floats:
    """Shares of what is missing in the sums a block falls short of, that each parcel brings."""
    help_ = np.zeros(len(near))
    for weight, limit, slack in _sums(problem, mode):
        short = limit - float(weight[members].sum())
        if short > slack:
            help_ += np.minimum(weight[near] / short, 1.0)
    return help_


def _sums(problem: Problem, mode: int) -> Iterable[tuple[Floats, float, float]]:
    """Weights, limits and tolerances of the sums that blocks of a mode must reach, but for filler the size."""
    yield problem.area_mu * (problem.filler_max_share - problem.filler), 0.0, AREA_TOLERANCE_MU
    for rule in problem.block_rules:
        if rule.modes is None or mode in rule.modes:
            yield rule.weight, rule.limit, RULE_TOLERANCE
