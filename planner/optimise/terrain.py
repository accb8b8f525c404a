"""What does not change during a search, as few packed arrays that compiled code passes around cheaply.

Everything that is summed over a plan and has a limit is an *account*: a target's amount, the money or another resource
of a phase or other period, numbers of blocks, locked parcels left out, land in loose pieces. An account has a lower and
an upper limit, each with a price for breaking it, and perhaps a level to aim at.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from planner.optimise.graph import Graph
from planner.optimise.limits import Spending, limited_periods, spendings
from planner.optimise.options import Options, make_options, target_members
from planner.optimise.rolling import seed_phase
from planner.problem import Bools, Floats, Ints, Measure, Problem, Target

_BOLD: Final = 1.2
_BOLD_RANGE: Final = (0.06, 0.3)
"""Whole-block moves take time with the parcels of a block, so they are rarer where it has many."""
SLACK: Final = 5e-7
"""Half the tolerance of the rules: what the search takes for kept is kept however it is added up."""

AREA, FILLER, RULE = 0, 1, 2
"""Columns of `Terrain.real`: mu, mu if filler, weights of the block rules; after them the use of resources."""
LOCKED, BLOCK_ZONE, PATCH, VILLAGE, SEED, ROW, ROW_END, PROJECT = range(8)
"""Columns of `Terrain.tag`."""
PHASE, MODE = range(2)
"""Columns of `Terrain.option`."""
LOW, HIGH, CALM, AIM, AIM_PRICE, PRICE, LEAST_PRICE = range(7)
"""Columns of `Terrain.account`: limits, where nothing is due, stretch and its price, first price and least price."""

Narrow = NDArray[np.int32]


class Terrain(NamedTuple):
    """A problem for compiled code; n parcels, O options, T phases, A accounts, R block rules, Q kinds of project.

    Attributes
    ----------
    link : int32[n + 1 + 2·edges]
        Contacts: the neighbours of i stand in this array at ``link[i]:link[i + 1]``.
    saving : float64[n + 1 + 2·edges]
        2·λ·shared boundary, currency, at the same places.
    real : float64[n, 2 + R + resources]
        See `AREA`, `FILLER`, `RULE`.
    tag : int32[n, 7 + Q]
        Locked (0/1), zone that a block must keep to, zone of the rolling rule, village (-1 = none), phase from which it
        exists, first and last + 1 of its entries in `row`, 1 if it belongs to a kind of project.
    worth, cost : float64[n, O]
        Discounted benefit − cost − λ·perimeter of the parcel alone; undiscounted cost.
    open : bool[n, O]
    option : int32[O, 2]
        Phase, mode.
    row : int32[entries]
        Target rows (distinct zone, group, measure and milestone) that a parcel adds to.
    amount : float64[entries, M]
        What it adds, by mode.
    first : int32[rows, O + 1]
        Accounts of a row that count a block of an option: ``first[row, option]:first[row, O]``. Kinds of project are
        the last Q rows.
    timed : float64[n, O, S]
        What a parcel takes of the resources that are not taken in the block's phase alone: one number for each period
        with a limit. With none of them it has no parcels.
    account : float64[A, 7]
        Limits and first prices; the prices in force stand in the draft.
    bound : float64[R, M + 1]
        Limits of the block rules by mode, -inf where a rule does not bind; last, a price per unit for growing blocks.
    project_mu : float64[Q]
    patch : int32[zones + 1 + n]
        Parcels by zone of the rolling rule, like `link`; only with `rolling`.
    least, most, filler_share : float
        L, U, s.
    villages : int
        Most villages of a block, 0 = no limit.
    phases, modes, rules, resources, periods, projects : int
        Numbers of them; `resources` are those taken in the block's phase, `periods` those of `timed`.
    at_money, at_resource, at_timed, at_blocks, at_lock, at_loose : int
        Where accounts other than targets begin; `at_money` = -1 without budgets.
    rolling : int
        1 with the rolling rule.
    bold : float
        Share of moves that change whole blocks.
    """

    link: Narrow
    saving: Floats
    real: Floats
    tag: Narrow
    worth: Floats
    cost: Floats
    open: Bools
    option: Narrow
    row: Narrow
    amount: Floats
    first: Narrow
    timed: Floats
    account: Floats
    bound: Floats
    project_mu: Floats
    patch: Narrow
    least: float
    most: float
    filler_share: float
    villages: int
    phases: int
    modes: int
    rules: int
    resources: int
    periods: int
    projects: int
    at_money: int
    at_resource: int
    at_timed: int
    at_blocks: int
    at_lock: int
    at_loose: int
    rolling: int
    bold: float


def make_terrain(problem: Problem, graph: Graph, open_: Bools, lock_by: Ints) -> Terrain:
    """Arrays of a problem for the search.

    Parameters
    ----------
    problem : Problem
        Without fixed blocks.
    graph : Graph
        Already without contacts that no block may use.
    open_ : bool[n, O]
        Options in which a parcel can lie in a block.
    lock_by : int64[n]
        Parcels that must be selected: 0 or more.
    """
    n, options = problem.n, make_options(problem)
    worth = options.net - (problem.perimeter_per_m * problem.perimeter_m)[:, None]
    scale = _Scale(problem, open_, worth)
    rules, plain = problem.block_rules, [x for x in problem.resources if x.timing is None]
    timed = _timed(problem, options)
    filler = np.where(problem.filler, problem.area_mu, 0.0)
    sums = [k for k in _row_keys(problem) if k[2] != "blocks"]
    kinds = [k for k in _row_keys(problem) if k[2] == "blocks"]
    entries, row, amount = _entries(problem, sums)
    tag = np.zeros((n, PROJECT + len(kinds)), dtype=np.int32)
    tag[:, LOCKED] = lock_by >= 0
    tag[:, BLOCK_ZONE] = problem.zone if problem.within_zone else 0
    zone_names, tag[:, PATCH] = np.unique(problem.zone, return_inverse=True)
    tag[:, VILLAGE] = -1 if problem.village is None else problem.village
    tag[:, SEED] = seed_phase(problem)
    tag[:, ROW], tag[:, ROW_END] = entries[:-1], entries[1:]
    for q, key in enumerate(kinds):
        tag[:, PROJECT + q] = target_members(problem, _target_of(problem, key))
    first, targets = _target_accounts(problem, options, [*sums, *kinds], scale)
    t = len(problem.phases)
    at = np.cumsum([len(targets), t, t * len(plain), timed.shape[2], t, 1]).tolist()
    return Terrain(
        link=np.concatenate([graph.start + n + 1, graph.neighbour]).astype(np.int32),
        saving=np.concatenate([np.zeros(n + 1), 2 * problem.perimeter_per_m * graph.shared_m]),
        real=np.stack([problem.area_mu, filler, *(r.weight for r in rules), *(r.use for r in plain)], axis=1).astype(
            np.float64, order="C"
        ),
        tag=tag,
        worth=np.array(worth, order="C"),
        cost=np.array(options.cost, order="C"),
        open=np.array(open_, order="C"),
        option=np.stack([options.phase, options.mode], axis=1).astype(np.int32, order="C"),
        row=row,
        amount=amount,
        first=first,
        timed=timed,
        account=np.array([*targets, *_phase_accounts(problem, options, scale)]).reshape(-1, 7),
        bound=_rule_bounds(problem, scale),
        project_mu=np.array([key[3] for key in kinds], dtype=np.float64) - SLACK,
        patch=_by_zone(tag[:, PATCH], len(zone_names)) if problem.rolling else np.zeros(1, dtype=np.int32),
        least=problem.block_min_mu,
        most=problem.block_max_mu,
        filler_share=problem.filler_max_share,
        villages=problem.max_villages or 0 if problem.village is not None else 0,
        phases=t,
        modes=len(problem.modes),
        rules=len(rules),
        resources=len(plain),
        periods=timed.shape[2],
        projects=len(kinds),
        at_money=at[0] if any(p.budget is not None for p in problem.phases) else -1,
        at_resource=at[1],
        at_timed=at[2],
        at_blocks=at[3],
        at_lock=at[4],
        at_loose=at[5],
        rolling=int(problem.rolling),
        bold=float(np.clip(_BOLD * problem.area_mu.mean() / max(problem.block_min_mu, 1e-9), *_BOLD_RANGE)),
    )


class _Scale:
    """Typical worths, for the first prices of accounts.

    Typical, not largest: prices that are too stiff keep the search from crossing between good plans.
    """

    def __init__(self, problem: Problem, open_: Bools, worth: Floats) -> None:
        self.usable = open_.any(axis=1)
        self.size = np.abs(worth).max(axis=1) if worth.size else np.zeros(problem.n)
        self.per_mu = self.per(problem.area_mu)
        self.parcel = 5.0 * self.per_mu * float(problem.area_mu.max(initial=0.0))
        self.block = self.per_mu * min(problem.block_max_mu, 2.0 * problem.block_min_mu + 1e-9)

    def per(self, amount: Floats) -> float:
        """Ninth decile of worth per unit of something, 1 where there is nothing to measure."""
        some = self.usable & (amount > 0)
        return max(float(np.quantile(self.size[some] / amount[some], 0.9)), 1e-9) if some.any() else 1.0


_Key = tuple[int, int, Measure, float, int]


def _key(target: Target) -> _Key:
    least = target.project_min_mu if target.measure == "blocks" else 0.0
    return target.zone, target.group, target.measure, least, target.milestone


def _row_keys(problem: Problem) -> list[_Key]:
    return sorted({_key(t) for t in problem.targets})


def target_order(problem: Problem) -> list[int]:
    """The target that each of the first accounts stands for."""
    land = sorted((t.measure == "blocks", _key(t), t.phase, k) for k, t in enumerate(problem.targets))
    return [k for *_, k in land]


def _target_of(problem: Problem, key: _Key) -> Target:
    return next(t for t in problem.targets if _key(t) == key)


def _entries(problem: Problem, keys: list[_Key]) -> tuple[Ints, Narrow, Floats]:
    """Start of each parcel's entries, their rows, and their amounts by mode."""
    n, m = problem.n, len(problem.modes)
    parcel, row, amount = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int32)], [np.empty((0, m))]
    for r, key in enumerate(keys):
        inside = np.flatnonzero(target_members(problem, _target_of(problem, key)))
        parcel.append(inside)
        row.append(np.full(len(inside), r, dtype=np.int32))
        by_mode = problem.amounts(key[2]) if key[2] != "blocks" else np.repeat(problem.area_mu[:, None], m, axis=1)
        amount.append(by_mode[inside])
    flat = np.concatenate(parcel)
    order = np.argsort(flat, kind="stable")
    start = np.concatenate([[0], np.cumsum(np.bincount(flat, minlength=n))]).astype(np.int64)
    return start, np.concatenate(row)[order], np.ascontiguousarray(np.concatenate(amount)[order], dtype=np.float64)


def _account(
    low: float = -np.inf,
    high: float = np.inf,
    price: float = 1.0,
    *,
    slack: float = SLACK,
    aim: float = -np.inf,
    aim_price: float = 0.0,
    least_price: float = 0.0,
) -> list[float]:
    low, high = low - slack, high + slack
    return [low, high, max(low, aim), aim, aim_price, price, least_price]


def _target_accounts(
    problem: Problem, options: Options, keys: list[_Key], scale: _Scale
) -> tuple[Narrow, list[list[float]]]:
    """`Terrain.first`, and the accounts of the targets in order of row and phase."""
    first = np.zeros((len(keys), len(options) + 1), dtype=np.int32)
    accounts: list[list[float]] = []
    for r, key in enumerate(keys):
        mine = sorted((t for t in problem.targets if _key(t) == key), key=lambda t: t.phase)
        for o, done in enumerate([*options.done[key[4]].tolist(), len(problem.phases)]):
            first[r, o] = len(accounts) + sum(t.phase < done for t in mine)
        price = scale.block if key[2] == "blocks" else scale.per(problem.amounts(key[2]).max(axis=1, initial=0.0))
        for t in mine:
            ceiling = np.inf if t.ceiling is None else t.ceiling
            floor = t.floor if t.floor > 0 else -np.inf
            aim = t.stretch if t.stretch and t.stretch_price > 0 else -np.inf
            accounts.append(_account(floor, ceiling, price, aim=aim, aim_price=t.stretch_price))
    return first, accounts


def _phase_accounts(problem: Problem, options: Options, scale: _Scale) -> list[list[float]]:
    """Accounts of money, resources, numbers of blocks, locks and loose land."""
    accounts = []
    per_money = scale.per(options.cost.max(axis=1)) if options.cost.size else 1.0
    for phase in problem.phases:
        limit = np.inf if phase.budget is None else phase.budget
        accounts.append(_account(high=limit, price=per_money, slack=_money_slack(limit)))
    for resource in problem.resources:
        if resource.timing is None:
            price = scale.per(resource.use)
            for given in resource.limits:
                limit = np.inf if given is None else given
                accounts.append(_account(high=limit, price=price, slack=_money_slack(limit)))
    for spending in _timed_spendings(problem, options):
        price = scale.per(np.abs(spending.amount).max(axis=1, initial=0.0))
        accounts.append(_account(high=spending.limit, price=price, slack=0.5 * spending.tolerance))
    for phase in problem.phases:
        limit = np.inf if phase.max_blocks is None else float(phase.max_blocks)
        accounts.append(_account(high=limit, price=scale.parcel, slack=1e-3, least_price=scale.parcel))
    accounts.append(_account(high=0.0, price=scale.parcel, slack=1e-3, least_price=scale.parcel))
    accounts.append(_account(high=0.0, price=scale.per_mu, least_price=0.1 * scale.per_mu))
    return accounts


def _timed_spendings(problem: Problem, options: Options) -> list[Spending]:
    """Periods with a limit of the resources that have `timing`."""
    kinds = [problem.resources[q].timing is not None for q, _ in limited_periods(problem)]
    return [s for s in spendings(problem, options) if s.label[0] == "resource" and kinds[s.label[1]]]


def _timed(problem: Problem, options: Options) -> Floats:
    """`Terrain.timed`."""
    found = _timed_spendings(problem, options)
    if not found:
        return np.zeros((0, len(options), 0))
    return np.ascontiguousarray(np.stack([s.in_full(len(options)) for s in found], axis=2))


def _money_slack(limit: float) -> float:
    return SLACK * max(1.0, abs(limit)) if np.isfinite(limit) else 0.0


def _rule_bounds(problem: Problem, scale: _Scale) -> Floats:
    m = len(problem.modes)
    bound = np.full((len(problem.block_rules), m + 1), -np.inf)
    for r, rule in enumerate(problem.block_rules):
        bound[r, list(range(m) if rule.modes is None else rule.modes)] = rule.limit - SLACK
        bound[r, m] = scale.per(np.abs(rule.weight))
    return bound


def _by_zone(label: Narrow, zones: int) -> Narrow:
    start = np.concatenate([[0], np.cumsum(np.bincount(label, minlength=zones))]) + zones + 1
    return np.concatenate([start, np.argsort(label, kind="stable")]).astype(np.int32)
