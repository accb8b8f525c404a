"""A pool of candidate blocks, its columns (set × option), and their coefficients in the master programs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from scipy.sparse import csr_matrix

from planner.optimise.graph import Graph
from planner.optimise.limits import Spending, spendings
from planner.optimise.options import Options, target_members
from planner.problem import AREA_TOLERANCE_MU, RULE_TOLERANCE, Bools, Floats, Ints, Problem


@njit(cache=True, nogil=True)
def _shared_inside(start: Ints, neighbour: Ints, shared: Floats, pointer: Ints, member: Ints) -> Any:
    """Twice the boundary shared within each set, m."""
    mark = np.full(len(start) - 1, -1, dtype=np.int64)
    total = np.zeros(len(pointer) - 1)
    for s in range(len(pointer) - 1):
        for q in range(pointer[s], pointer[s + 1]):
            mark[member[q]] = s
        for q in range(pointer[s], pointer[s + 1]):
            i = member[q]
            for p in range(start[i], start[i + 1]):
                if mark[neighbour[p]] == s:
                    total[s] += shared[p]
    return total


class Pool:
    """Distinct sets of parcels with their figures, each offered in every option that its members and the rules allow.

    Parameters
    ----------
    problem, graph, open_, options
        As everywhere in this package.
    """

    def __init__(self, problem: Problem, graph: Graph, open_: Bools, options: Options) -> None:
        self.problem = problem
        self.graph = graph
        self.open = open_
        self.options = options
        self.spendings = spendings(problem, options)
        self.members: list[Ints] = []
        self.area: list[float] = []
        self.worth: list[Floats] = []  # [O] currency, -inf where the option is closed
        self._known: dict[bytes, int] = {}

    def __len__(self) -> int:
        return len(self.members)

    def add(self, parcels: Iterable[int]) -> int:
        """Number of a set in the pool, added when it is new. The caller answers for contiguity and size."""
        index = np.array(sorted(parcels), dtype=np.int64)
        return self.add_all(np.array([0, len(index)]), index)[0]

    def add_all(self, pointer: Ints, member: Ints) -> list[int]:
        """Numbers of many sets, set s holding ``member[pointer[s]:pointer[s + 1]]``."""
        numbers: list[int] = []
        fresh: list[Ints] = []
        for s in range(len(pointer) - 1):
            index = np.sort(member[pointer[s] : pointer[s + 1]])
            key = index.tobytes()
            if key not in self._known:
                self._known[key] = len(self.members) + len(fresh)
                fresh.append(index)
            numbers.append(self._known[key])
        if fresh:
            self._measure(fresh)
        return numbers

    def _measure(self, sets: list[Ints]) -> None:
        problem, graph = self.problem, self.graph
        sizes = np.array([len(s) for s in sets])
        pointer = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        member, first = np.concatenate(sets), pointer[:-1]
        saved = _shared_inside(graph.start, graph.neighbour, graph.shared_m, pointer, member)
        perimeter = np.add.reduceat(problem.perimeter_m[member], first) - saved
        worth = np.add.reduceat(self.options.net[member], first) - (problem.perimeter_per_m * perimeter)[:, None]
        allowed = np.logical_and.reduceat(self.open[member], first) & self._sound(member, first, sets)
        self.members += sets
        self.area += np.add.reduceat(problem.area_mu[member], first).tolist()
        self.worth += list(np.where(allowed, worth, -np.inf))

    def _sound(self, member: Ints, first: Ints, sets: list[Ints]) -> Bools:
        """``bool[sets, O]``: whether a set keeps the rules on sums and villages in each option."""
        problem, mode = self.problem, self.options.mode
        sound = np.ones((len(first), len(mode)), dtype=np.bool_)
        for rule in problem.block_rules:
            binds = np.ones(len(mode), dtype=np.bool_) if rule.modes is None else np.isin(mode, rule.modes)
            kept = np.add.reduceat(rule.weight[member], first) >= rule.limit - RULE_TOLERANCE
            sound &= kept[:, None] | ~binds[None, :]
        if problem.max_villages is not None and problem.village is not None:
            village = problem.village
            counts = np.array([len(np.unique(village[s][village[s] >= 0])) for s in sets])
            sound &= (counts <= problem.max_villages)[:, None]
        return sound

    def columns(self, sets: Sequence[int] | None = None) -> Columns:
        """Columns (set × option) of some or all sets."""
        chosen = np.arange(len(self.members)) if sets is None else np.asarray(sets, dtype=np.int64)
        worth = np.array([self.worth[s] for s in chosen.tolist()]).reshape(len(chosen), len(self.options))
        row, option = np.nonzero(np.isfinite(worth))
        return Columns(chosen[row], option, worth[row, option])


@dataclass(frozen=True, eq=False)
class Columns:
    """Set number, option and worth (currency) of each column."""

    of: Ints
    option: Ints
    worth: Floats

    def __len__(self) -> int:
        return len(self.of)

    def take(self, keep: Ints | Bools) -> Columns:
        """Some of the columns."""
        return Columns(self.of[keep], self.option[keep], self.worth[keep])


@dataclass(frozen=True, eq=False)
class MasterRows:
    """Rows of the master over given columns, in plain units.

    Attributes
    ----------
    parcel : csr_matrix[n, columns]
        Incidence of parcels.
    target : float64[K, columns]
        What a column adds to each target.
    use, limit, slack : float64[R, columns], float64[R], float64[R]
        Budgets and other resources, as `Pool.spendings` lists them: what a column takes, the most there is, and by how
        much that may be missed.
    count : float64[T, columns]
        1 where the column is a block of the phase.
    """

    parcel: csr_matrix
    target: Floats
    use: Floats
    limit: Floats
    slack: Floats
    count: Floats


def master_rows(pool: Pool, columns: Columns) -> MasterRows:
    """Coefficients of all rows for some columns."""
    problem, options = pool.problem, pool.options
    lengths = [len(pool.members[s]) for s in columns.of]
    column = np.repeat(np.arange(len(columns)), lengths)
    parcel = np.concatenate([pool.members[s] for s in columns.of]) if len(columns) else np.empty(0, dtype=np.int64)
    incidence = csr_matrix((np.ones(len(column)), (parcel, column)), shape=(problem.n, len(columns)))
    phase = options.phase[columns.option]
    uses = [_used(s, parcel, columns.option[column], column, len(columns)) for s in pool.spendings]
    return MasterRows(
        incidence,
        _target_rows(pool, columns, incidence),
        np.array(uses).reshape(len(uses), len(columns)),
        np.array([s.limit for s in pool.spendings], dtype=float),
        np.array([s.tolerance for s in pool.spendings], dtype=float),
        (np.arange(len(problem.phases))[:, None] == phase[None, :]).astype(float),
    )


def _used(spending: Spending, parcel: Ints, option: Ints, column: Ints, n_columns: int) -> Floats:
    """What each column takes, from its parcels one by one, ``float64[columns]``."""
    place = np.full(option.max(initial=0) + 1, -1, dtype=np.int64)
    known = spending.options < len(place)
    place[spending.options[known]] = np.flatnonzero(known)
    some = np.flatnonzero(place[option] >= 0)
    amount = spending.amount[parcel[some], place[option[some]]]
    return np.bincount(column[some], amount, minlength=n_columns).astype(np.float64)


def _target_rows(pool: Pool, columns: Columns, incidence: csr_matrix) -> Floats:
    problem, options = pool.problem, pool.options
    rows = np.zeros((len(problem.targets), len(columns)))
    known: dict[tuple[int, int, str], Floats] = {}
    for k, target in enumerate(problem.targets):
        inside = target_members(problem, target)
        key = (target.zone, target.group, target.measure)
        if key not in known:
            counts = np.ones((problem.n, 1)) if target.measure == "blocks" else problem.amounts(target.measure)
            by_mode = incidence.T @ np.where(inside[:, None], counts, 0.0)
            one = by_mode.shape[1] == 1
            known[key] = by_mode[np.arange(len(columns)), 0 if one else options.mode[columns.option]]
        amount = known[key]
        if target.measure == "blocks":
            size = np.array([len(pool.members[s]) for s in columns.of])
            area = np.array([pool.area[s] for s in columns.of])
            large = area >= target.project_min_mu - AREA_TOLERANCE_MU
            amount = ((amount > size - 0.5) & large).astype(float)
        rows[k] = np.where(options.counts(target)[columns.option], amount, 0.0)
    return rows
