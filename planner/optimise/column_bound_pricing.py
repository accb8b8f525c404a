"""The most that a block of a family can be worth at given prices: exact, by the search for one connected set."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_matrix

from planner.optimise.column_bound_windows import Family
from planner.optimise.connected import SingleBlock, induced
from planner.optimise.graph import Graph
from planner.optimise.lp import ROUNDING
from planner.optimise.options import Options
from planner.optimise.single import SingleAnswer, improve
from planner.problem import AREA_TOLERANCE_MU, RULE_TOLERANCE, Bools, Floats, Problem


@dataclass(frozen=True, eq=False)
class Question:
    """The search for the best block of a family.

    Attributes
    ----------
    task : SingleBlock
        Without worths of parcels; row 0 is the area.
    unit : float
        Mu that 1 in row 0 stands for.
    """

    task: SingleBlock
    unit: float


def questions(problem: Problem, graph: Graph, options: Options, found: list[Family]) -> list[Question]:
    """The question of each family."""
    return [_question(problem, graph, int(options.mode[f.option]), f) for f in found]


def _question(problem: Problem, graph: Graph, mode: int, family: Family) -> Question:
    keep: Bools = np.zeros(problem.n, dtype=np.bool_)
    keep[family.parcels] = True
    row = np.repeat(np.arange(problem.n), np.diff(graph.start))
    shared = graph.shared_m[(row < graph.neighbour) & keep[row] & keep[graph.neighbour]]
    inner = induced(graph, keep)
    gain = np.zeros(len(inner.pairs))
    gain[np.lexsort((inner.pairs[:, 1], inner.pairs[:, 0]))] = 2.0 * problem.perimeter_per_m * shared
    area = problem.area_mu[keep]
    sums = [(area, -np.inf, np.inf)]
    if problem.filler[keep].any():
        sums.append((area * (problem.filler[keep] - problem.filler_max_share), -np.inf, AREA_TOLERANCE_MU))
    rules = [r for r in problem.block_rules if r.modes is None or mode in r.modes]
    sums += [(r.weight[keep], r.limit - RULE_TOLERANCE, np.inf) for r in rules]
    scale = np.array([float(np.abs(values).max()) or 1.0 for values, _, _ in sums])
    task = SingleBlock(
        graph=inner,
        weight=np.zeros(len(area)),
        gain=gain,
        rows=csr_matrix(np.array([values for values, _, _ in sums]) / scale[:, None]),
        lo=np.array([lo for _, lo, _ in sums]) / scale,
        hi=np.array([hi for _, _, hi in sums]) / scale,
        must=np.zeros(len(area), dtype=np.bool_),
        parcels=family.parcels,
    )
    return Question(task, float(scale[0]))


def best_of_family(
    question: Question, weight: Floats, smallest: float, largest: float, cutoff: float, work: float, limit_s: float
) -> tuple[SingleAnswer, float]:
    """The best block found and a proven limit of the worth of all.

    Parameters
    ----------
    question : Question
    weight : float64[n]
        Worth of parcels after prices.
    smallest, largest : float
        Area of a block, mu.
    cutoff : float
        Blocks worth no more are of no interest.
    work, limit_s : float
        When to leave it, in counted units and in seconds.

    Returns
    -------
    tuple of SingleAnswer and float
        Members of the answer are numbers within the family; the limit is never below `cutoff`.
    """
    task = question.task
    mine = weight[task.parcels]
    lo, hi = task.lo.copy(), task.hi.copy()
    lo[0], hi[0] = smallest / question.unit, largest / question.unit
    answer, limit = SingleAnswer(None, cutoff, np.inf, 0.0, False), np.inf
    for answer in improve(replace(task, weight=mine, lo=lo, hi=hi), limit_s, cutoff):
        limit = min(limit, answer.bound)
        if answer.work > work:
            break
    gross = float(np.abs(mine).sum() + task.gain.sum())
    return answer, max(limit, cutoff) + ROUNDING * gross
