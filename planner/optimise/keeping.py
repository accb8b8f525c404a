"""What still stands of the plan before: where a search for a plan with few changes begins."""

from __future__ import annotations

import numpy as np

from planner.optimise.evaluate import ordered, set_faults
from planner.optimise.graph import Graph
from planner.problem import Block, Bools, Problem


def standing_blocks(problem: Problem, graph: Graph, open_: Bools) -> tuple[Block, ...]:
    """Blocks of the plan before without the land that is closed by now, in pieces, those that are blocks.

    Together they need be no plan: targets may be missed, limits broken.

    Parameters
    ----------
    problem : Problem
        Without fixed blocks.
    graph : Graph
        Contacts that a block may use.
    open_ : bool[n, O]
        Parcels a plan may take in each option.
    """
    found = []
    for block in problem.before:
        left = np.zeros(problem.n, dtype=np.bool_)
        left[list(block.parcels)] = True
        left &= open_[:, block.phase * len(problem.modes) + block.mode]
        piece = graph.components(left)
        for number in np.unique(piece[left]).tolist():
            members = tuple(np.flatnonzero(piece == number).tolist())
            if not set_faults(problem, graph, members, block.mode):
                found.append(Block(members, block.phase, block.mode))
    return ordered(found)
