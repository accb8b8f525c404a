"""Parcels joined to blocks of a plan, judged without looking at the whole plan again: which joins keep every rule."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.sparse import coo_matrix, csr_matrix

from planner.consequences.plan import PlanInHand
from planner.optimise.evaluate import block_value
from planner.optimise.graph import Graph
from planner.optimise.options import Options, make_options, target_amounts, target_members
from planner.problem import AREA_TOLERANCE_MU, RULE_TOLERANCE, Bools, Floats, Ints, Problem, Target


@dataclass(frozen=True, eq=False)
class Joins:
    """K joins: each of some parcels to a block.

    Attributes
    ----------
    block : int64[K]
        Number in the plan.
    parcels : int64[K, P]
        Parcels outside the plan, all different; n = none, where a join has fewer than P.
    """

    block: Ints
    parcels: Ints

    def __len__(self) -> int:
        return len(self.block)

    def of(self, keep: Bools | Ints) -> Joins:
        """Some of them."""
        return Joins(self.block[keep], self.parcels[keep])


class JoinJudge:
    """Says of joins what the plan then loses.

    It relies on what the caller sees to: the plan keeps every rule; the parcels of a join may be taken in phase and
    mode of the block; block and parcels are one piece, under the rolling rule over contacts within one zone; the block
    is not fixed. All that is left to look at are sums, and they change by what the parcels add.

    Parameters
    ----------
    problem : Problem
    graph : Graph
        Contacts that a block may use.
    plan : PlanInHand
    """

    def __init__(self, problem: Problem, graph: Graph, plan: PlanInHand) -> None:
        self._problem = problem
        self._options = make_options(problem)
        self._option = _option_of_blocks(self._options, plan)
        owner = np.repeat(np.arange(len(plan.blocks)), [len(b.parcels) for b in plan.blocks])
        members = np.array([i for b in plan.blocks for i in b.parcels], dtype=np.int64)
        n, k = problem.n, len(plan.blocks)
        self._inside = csr_matrix((np.ones(len(owner)), (members, owner)), shape=(n, k))
        first = np.repeat(np.arange(n), np.diff(graph.start))
        self._shared = coo_matrix((graph.shared_m, (first, graph.neighbour)), shape=(n + 1, n + 1)).tocsr()
        self._shared_with_block = csr_matrix(self._shared[:, :n] @ self._inside)
        values = [block_value(problem, graph, b.parcels, b.mode) for b in plan.blocks]
        self._area = np.array([v.area_mu for v in values], dtype=float)
        self._filler = np.array([v.filler_mu for v in values], dtype=float)

    def option(self, block: Ints) -> Ints:
        """Phase and mode of blocks as one index, see `planner.optimise.options`."""
        return self._option[block]

    def fits(self, joins: Joins) -> Bools:
        """Whether the block is not too large; a join that is stays so whatever else is joined."""
        area = self._area[joins.block] + _sum(self._problem.area_mu, joins)
        return np.asarray(area <= self._problem.block_max_mu + AREA_TOLERANCE_MU)

    def worth(self, joins: Joins) -> Floats:
        """What the blocks gain, unmet stretch aside, currency ``float64[K]``."""
        problem, (block, parcels) = self._problem, (joins.block, joins.parcels)
        saved = _lookup(self._shared_with_block, parcels, block[:, None]).sum(axis=1)
        for a, b in combinations(range(parcels.shape[1]), 2):
            saved += _lookup(self._shared, parcels[:, a], parcels[:, b])
        outline = _sum(problem.perimeter_m, joins) - 2 * saved
        worth: Floats = self._by_option(self._options.net, joins) - problem.perimeter_per_m * outline
        return worth

    def sound(self, joins: Joins) -> Bools:
        """Whether the block keeps the rules for blocks."""
        problem = self._problem
        kept = self.fits(joins)
        area = self._area[joins.block] + _sum(problem.area_mu, joins)
        filler = self._filler[joins.block] + _sum(np.where(problem.filler, problem.area_mu, 0.0), joins)
        kept &= filler <= problem.filler_max_share * area + AREA_TOLERANCE_MU
        mode = self._options.mode[self._option[joins.block]]
        for rule in problem.block_rules:
            had = np.asarray(self._inside.T @ rule.weight)[joins.block] + _sum(rule.weight, joins)
            binds = np.ones(len(joins), dtype=np.bool_) if rule.modes is None else np.isin(mode, rule.modes)
            kept &= ~binds | (had >= rule.limit - RULE_TOLERANCE)
        return np.asarray(kept & self._few_villages(joins))

    def _few_villages(self, joins: Joins) -> Bools:
        problem = self._problem
        if problem.max_villages is None or problem.village is None:
            return np.ones(len(joins), dtype=np.bool_)
        members, owner = self._inside.nonzero()
        known = np.zeros((self._inside.shape[1], len(problem.villages) + 1), dtype=np.bool_)
        known[owner, problem.village[members]] = True  # -1, no village, is the last column
        known[:, -1] = False
        count = known.sum(axis=1)[joins.block]
        village = np.append(problem.village, -1)[joins.parcels]
        for j in range(village.shape[1]):
            met = known[joins.block, village[:, j]] | (village[:, :j] == village[:, [j]]).any(axis=1)
            count = count + ((village[:, j] >= 0) & ~met)
        return np.asarray(count <= problem.max_villages)

    def added(self, joins: Joins) -> Floats:
        """What joins add to every limited sum, ``float64[K, rows]``, in the order of `sum_rows`."""
        problem, option = self._problem, self._option[joins.block]
        targets = [self._towards(target, joins) for target in problem.targets]
        spent = np.zeros((len(joins), len(problem.phases), 2))
        spent[np.arange(len(joins)), self._options.phase[option], 0] = self._by_option(self._options.cost, joins)
        taken = [self._taken(k, joins) for k in range(len(problem.resources))]
        columns = [np.stack(targets, axis=1)] if targets else []
        return np.concatenate([*columns, spent.reshape(len(joins), -1), *taken], axis=1)

    def _towards(self, target: Target, joins: Joins) -> Floats:
        problem = self._problem
        if target.measure != "blocks":
            return self._by_option(target_amounts(problem, target, self._options), joins)
        members = target_members(problem, target)
        whole = np.asarray(self._inside.T @ ~members)[joins.block] == 0
        before = self._area[joins.block]
        after = before + _sum(problem.area_mu, joins)
        least = target.project_min_mu - AREA_TOLERANCE_MU
        joined_whole = whole & np.append(members, True)[joins.parcels].all(axis=1)
        change = (joined_whole & (after >= least)).astype(float) - (whole & (before >= least))
        return np.where(self._options.counts(target)[self._option[joins.block]], change, 0.0)

    def _taken(self, k: int, joins: Joins) -> Floats:
        """What joins take of a resource in each period, ``float64[K, R]``."""
        resource, options = self._problem.resources[k], self._options
        taken = np.zeros((len(joins), len(resource.limits)))
        option = self._option[joins.block]
        if resource.timing is None:
            taken[np.arange(len(joins)), options.phase[option]] = _sum(resource.use, joins)
            return taken
        for o in np.unique(option).tolist():
            here, mode = np.flatnonzero(option == o), options.mode[o]
            parts = np.vstack([resource.use[:, mode], np.zeros(resource.use.shape[2])])
            taken[here] = parts[joins.parcels[here]].sum(axis=1) @ resource.timing[:, options.phase[o], mode].T
        return taken

    def _by_option(self, values: Floats, joins: Joins) -> Floats:
        """Sums over the parcels of joins of what each has in the option of the block, ``float64[n, O]`` → [K]."""
        extended = np.vstack([values, np.zeros(values.shape[1])])
        summed: Floats = extended[joins.parcels, self._option[joins.block][:, None]].sum(axis=1)
        return summed


def _option_of_blocks(options: Options, plan: PlanInHand) -> Ints:
    return np.array([options.of(b.phase, b.mode) for b in plan.blocks], dtype=np.int64)


def _sum(values: Floats, joins: Joins) -> Floats:
    """Sums over the parcels of joins, ``float64[n]`` → [K]."""
    summed: Floats = np.append(values, 0.0)[joins.parcels].sum(axis=1)
    return summed


def _lookup(matrix: csr_matrix, rows: Ints, columns: Ints) -> Floats:
    """Entries of a sparse matrix; rows and columns as arrays that fit each other."""
    rows, columns = np.broadcast_arrays(rows, columns)
    if not rows.size:
        return np.zeros(rows.shape)
    return np.asarray(matrix[rows.ravel(), columns.ravel()], dtype=float).reshape(rows.shape)
