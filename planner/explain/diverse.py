"""The plan over a pool of blocks that differs most from given plans, among those that are good enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np
from ortools.sat.python import cp_model

from planner.explain.land import Land, Offer
from planner.optimise.columns import master_rows
from planner.optimise.evaluate import objective, ordered, plan_faults
from planner.optimise.rolling import Split, rolling_splits
from planner.problem import AREA_TOLERANCE_MU, MONEY_TOLERANCE, Block, Floats, Problem

By = Literal["land", "phase"]
"""What makes plans differ: which parcels they take, or also when."""
_MONEY_STEPS: Final = 2**50
_LIMIT_STEPS: Final = 2**40
_UNIT_STEPS: Final = 10**6
_AREA_STEPS: Final = 10**3
_MOST_TRIES: Final = 12


def taken(problem: Problem, blocks: Sequence[Block], by: By) -> dict[tuple[int, int], float]:
    """What a plan takes: (parcel, phase, or −1 where only land counts) → area, mu."""
    return {(i, b.phase if by == "phase" else -1): float(problem.area_mu[i]) for b in blocks for i in b.parcels}


def distance_mu(problem: Problem, one: Sequence[Block], other: Sequence[Block], by: By) -> float:
    """Area in which two plans differ, mu: of parcels that only one takes; by phase also of those moved in time."""
    a, b = taken(problem, one, by), taken(problem, other, by)
    differing = {i for i, _ in a.keys() ^ b.keys()}
    return float(sum(problem.area_mu[i] for i in differing))


@dataclass
class FarPlans:
    """An integer program over the columns of an offer: worth at least so much, as far as possible from given plans.

    Attributes
    ----------
    land : Land
    offer : Offer
    least : float
        Worth that a plan must have, currency, fixed blocks not counted.
    by : {'land', 'phase'}
    """

    land: Land
    offer: Offer
    least: float
    by: By = "land"
    _joins: list[Split] = field(default_factory=list)
    _refused: list[tuple[int, ...]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rows = master_rows(self.offer.pool, self.offer.columns)
        self.phase = self.offer.pool.options.phase[self.offer.columns.option]

    def farthest(
        self, chosen: Sequence[Sequence[Block]], seconds: float, seed: int, workers: int
    ) -> tuple[Block, ...] | None:
        """A plan that keeps every rule, farthest from `chosen` as far as found; None where there is no other plan."""
        for _ in range(_MOST_TRIES):
            picked = self._solve(chosen, seconds / 2, seed, workers)
            if picked is None:
                return None
            blocks = self._blocks(picked)
            problem, graph = self.land.problem, self.land.graph
            splits = rolling_splits(problem, graph, blocks)
            if splits:
                self._joins += splits
                continue
            faults = plan_faults(problem, graph, blocks, self.land.open_)
            if not faults and objective(problem, graph, blocks) >= self.least:
                return blocks
            self._refused.append(tuple(picked))  # it keeps the rules only up to the rounding of the program
        return None

    def _blocks(self, picked: Sequence[int]) -> tuple[Block, ...]:
        pool, columns = self.offer.pool, self.offer.columns
        options = pool.options
        return ordered(
            Block(
                tuple(pool.members[columns.of[c]].tolist()),
                int(options.phase[columns.option[c]]),
                int(options.mode[columns.option[c]]),
            )
            for c in picked
        )

    def _solve(self, chosen: Sequence[Sequence[Block]], seconds: float, seed: int, workers: int) -> list[int] | None:
        model = cp_model.CpModel()
        x = [model.new_bool_var(f"x{c}") for c in range(len(self.offer.columns))]
        self._parcels(model, x)
        self._targets(model, x)
        self._limits(model, x)
        self._worth(model, x)
        self._rolling(model, x)
        for picked in self._refused:
            model.add(cp_model.LinearExpr.sum([x[c] for c in picked]) <= len(picked) - 1)
        nearest = model.new_int_var(0, int(self.land.problem.area_mu.sum() * 2 * _AREA_STEPS) + 1, "distance")
        for plan in chosen:
            constant, coefficient = self._distance(plan)
            model.add(cp_model.LinearExpr.weighted_sum(x, coefficient) + constant >= nearest)
        if self.offer.complete:
            model.add(nearest >= 1)
        else:  # from scratch a plan is hard to find: the first of the chosen is one, at no distance
            self._hint(model, x, chosen[0])
            model.add_hint(nearest, 0)
        model.maximize(nearest)
        solver = cp_model.CpSolver()
        solver.parameters.max_time_in_seconds = max(0.5, seconds)
        solver.parameters.num_workers = workers
        solver.parameters.random_seed = seed
        solver.parameters.catch_sigint_signal = False
        solver.parameters.presolve_inclusion_work_limit = 0  # that step of the presolve can lose plans (OR-Tools 9.15)
        if solver.solve(model) not in {cp_model.OPTIMAL, cp_model.FEASIBLE} or solver.value(nearest) < 1:
            return None
        return [c for c, variable in enumerate(x) if solver.boolean_value(variable)]

    def _hint(self, model: cp_model.CpModel, x: list[Any], plan: Sequence[Block]) -> None:
        options, pool = self.offer.pool.options, self.offer.pool
        mine = {(pool.add(b.parcels), options.of(b.phase, b.mode)) for b in plan}
        columns = zip(self.offer.columns.of.tolist(), self.offer.columns.option.tolist(), strict=True)
        for variable, column in zip(x, columns, strict=True):
            model.add_hint(variable, column in mine)

    def _distance(self, plan: Sequence[Block]) -> tuple[int, list[int]]:
        """Area that a plan takes, and what each column changes of the difference from it, in steps."""
        problem = self.land.problem
        steps = np.round(problem.area_mu * _AREA_STEPS).astype(np.int64)
        when = np.full(problem.n, -1)
        for b in plan:
            when[list(b.parcels)] = b.phase
        inside = when >= 0
        change: list[int] = []
        for members, phase in zip(
            (self.offer.pool.members[s] for s in self.offer.columns.of.tolist()), self.phase.tolist(), strict=True
        ):
            same = inside[members] if self.by == "land" else when[members] == phase  # moved in time: as if not taken
            change.append(int(steps[members][~inside[members]].sum() - steps[members][same].sum()))
        return int(steps[inside].sum()), change

    def _parcels(self, model: cp_model.CpModel, x: list[Any]) -> None:
        incidence = self.rows.parcel
        for i in range(self.land.problem.n):
            part = [x[c] for c in incidence.indices[incidence.indptr[i] : incidence.indptr[i + 1]]]
            if self.land.problem.lock_by[i] >= 0:
                model.add_exactly_one(part)
            elif len(part) > 1:
                model.add_at_most_one(part)

    def _targets(self, model: cp_model.CpModel, x: list[Any]) -> None:
        for k, target in enumerate(self.land.problem.targets):
            amount = self.rows.target[k]
            steps = min(
                float(_UNIT_STEPS), 2.0**52 / max(float(amount.sum()), target.floor, target.ceiling or 0.0, 1.0)
            )
            if target.floor > 0:
                least = int(np.floor((target.floor - AREA_TOLERANCE_MU) * steps))
                model.add(_weighted(x, np.ceil(amount * steps)) >= least)
            if target.ceiling is not None:
                most = int(np.ceil((target.ceiling + AREA_TOLERANCE_MU) * steps))
                model.add(_weighted(x, np.floor(amount * steps)) <= most)

    def _limits(self, model: cp_model.CpModel, x: list[Any]) -> None:
        for use, plain in zip(self.rows.use, self.rows.limit.tolist(), strict=True):
            limit = plain + MONEY_TOLERANCE * max(1.0, plain)
            model.add(_weighted(x, np.floor(np.minimum(use, 2 * limit) / limit * _LIMIT_STEPS)) <= _LIMIT_STEPS)
        for t, phase in enumerate(self.land.problem.phases):
            if phase.max_blocks is not None:
                model.add(_weighted(x, self.rows.count[t]) <= phase.max_blocks)

    def _worth(self, model: cp_model.CpModel, x: list[Any]) -> None:
        """Worth − unmet stretch ≥ least, rounded for the plan."""
        problem, worth = self.land.problem, self.offer.columns.worth
        stretched = [(k, t) for k, t in enumerate(problem.targets) if t.stretch and t.stretch_price > 0]
        penalties = sum(t.stretch_price * (float(self.rows.target[k].sum()) + (t.stretch or 0.0)) for k, t in stretched)
        step = max(float(np.abs(worth).sum()) + penalties + abs(self.least), 1e-300) / _MONEY_STEPS
        total = _weighted(x, np.ceil(worth / step))
        for k, target in stretched:
            goal = int(np.floor((target.stretch or 0.0) * target.stretch_price / step))
            short = model.new_int_var(0, goal, f"u{k}")
            model.add(_weighted(x, np.ceil(self.rows.target[k] * target.stretch_price / step)) + short >= goal)
            total -= short
        model.add(total >= int(np.floor(self.least / step)))

    def _rolling(self, model: cp_model.CpModel, x: list[Any]) -> None:
        incidence: Any = self.rows.parcel
        for split in self._joins:
            early = self.phase <= split.phase

            def held(parcels: Sequence[int], early: Any = early) -> Any:
                hits = (
                    np.asarray(incidence[list(parcels)].sum(axis=0)).ravel() > 0 if parcels else np.zeros(len(x), bool)
                )
                return cp_model.LinearExpr.sum([x[c] for c in np.flatnonzero(hits & early).tolist()])

            model.add(sum(held([i]) for i in split.ends) - len(split.ends) + 1 <= held(split.between))


def _weighted(x: list[Any], values: Floats) -> Any:
    some = np.flatnonzero(values)
    return cp_model.LinearExpr.weighted_sum([x[c] for c in some], values[some].astype(np.int64).tolist())
