"""What would have to give way: rules, links and closed parcels tried by solves, with the least change that suffices."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import shapely

from planner.explain.asking import Asker, Interval
from planner.explain.elastic import Shortage, floors, shortage, with_worth
from planner.explain.folder import RunFolder
from planner.explain.price import locked_out
from planner.explain.rules import KEEP, Rule, resource_key, rules_of, with_limit, with_phase
from planner.optimise.evaluate import reached_amounts
from planner.optimise.limits import limited_periods
from planner.optimise.options import availability, target_members
from planner.optimise.presolve import reachable, usable_graph
from planner.problem import Block, Bools, Floats, Ints, Problem

if TYPE_CHECKING:
    from planner.explain.infeasible import TargetReach

LINK_REACH_M: Final = 30.0
"""Parcels farther apart than this are no candidates for a bridge."""
_MOST_LINKS: Final = 200
_MOST_CLOSED: Final = 400
_VERIFIED: Final = 6
"""Single links and parcels whose gain is worked out; the quick bound says which."""
_STEPS: Final = 6
_FINE: Final = 0.005
"""Share of an amount that bisection leaves open."""


@dataclass(frozen=True)
class CandidateLink:
    """Two parcels that could be joined.

    Attributes
    ----------
    pair : tuple of (int, int)
        Positions, the lower first.
    gap_m : float
        Distance between them.
    """

    pair: tuple[int, int]
    gap_m: float


@dataclass(frozen=True)
class Suggestion:
    """A change that would help.

    Attributes
    ----------
    key : str
        What changes: ``'floor:P2'``, ``'budget:P1'``, ``'block_min'``, ``'bridge'``, ``'allow'`` …
    text : str
        For people.
    suffices : bool
        With this change alone a plan exists; one was found and keeps every other rule.
    amount : Interval
        By how much, in `unit`: at least (proven), and enough (a plan). None where there is no amount.
    unit : str
    gain : Interval
        What is missing of the targets less than without it.
    parcel_ids : tuple of str
        Parcels concerned.
    """

    key: str
    text: str
    suffices: bool
    amount: Interval
    unit: str
    gain: Interval
    parcel_ids: tuple[str, ...] = ()


_NO_AMOUNT: Final = Interval(None, None)


def candidate_links(run: RunFolder, reach_m: float = LINK_REACH_M) -> tuple[CandidateLink, ...]:
    """Pairs of parcels of different connected pieces of available land within `reach_m` of each other, nearest first.

    Empty without a layer of parcels.
    """
    if run.parcels is None:
        return ()
    problem = run.problem
    usable = np.asarray(availability(problem).any(axis=1))
    piece = usable_graph(problem).components(usable)
    index = np.flatnonzero(usable)
    shapes = run.parcels.geometry.to_numpy()[index]
    first, second = shapely.STRtree(shapes).query(shapes, predicate="dwithin", distance=reach_m)
    a, b = index[first], index[second]
    apart = (a < b) & (piece[a] != piece[b])
    if problem.within_zone:
        apart &= problem.zone[a] == problem.zone[b]
    gap = shapely.distance(run.parcels.geometry.to_numpy()[a[apart]], run.parcels.geometry.to_numpy()[b[apart]])
    found = zip(a[apart].tolist(), b[apart].tolist(), gap.tolist(), strict=True)
    links = [CandidateLink((i, j), g) for i, j, g in found]
    return tuple(sorted(links, key=lambda x: (x.gap_m, x.pair))[:_MOST_LINKS])


class Relaxer:
    """Tries changes one by one.

    Attributes
    ----------
    found : list of Suggestion
    tried : int
    """

    def __init__(self, run: RunFolder, asker: Asker, joint: Shortage) -> None:
        self.run, self.asker, self.joint = run, asker, joint
        self.problem = run.problem
        self.soft = floors(run.problem)
        self.found: list[Suggestion] = []
        self.tried = 0

    def try_all(self, targets: Sequence[TargetReach], links: Sequence[CandidateLink]) -> None:
        """Targets first, then rules, links and closed parcels."""
        self.found += [s for t in targets if (s := self._lower(t)) is not None]
        rules = [r for r in rules_of(self.problem, locked_out(self.run)) if self._may_give_way(r)]
        steps: list[Callable[[float], None]] = [lambda s, r=rule: self._rule(r, s) for rule in rules]  # type: ignore[misc]
        singles: list[Callable[[float], None]] = [lambda s: self._links(links, s)] if links else []
        if self._closed().any():
            singles.append(self._allow)
        weight = [*[1.0] * len(steps), *[max(2.0, len(steps) / 2)] * len(singles)]
        for k, step in enumerate([*steps, *singles]):
            if self.asker.is_over:
                return
            step(self.asker.clock.remaining() * weight[k] / sum(weight[k:]))

    def _may_give_way(self, rule: Rule) -> bool:
        return rule.exact and rule.relaxes and rule.key != KEEP and not rule.key.startswith("floor:")

    def _lower(self, reach: TargetReach) -> Suggestion | None:
        if reach.lower_verdict != "enough" or (reach.lower_by.high or 0.0) <= 0:
            return None
        high = reach.lower_by.high or 0.0
        text = f"lower target {reach.target} by {high:,.2f} {reach.unit}, to {reach.asked - high:,.2f} {reach.unit}"
        return Suggestion(f"floor:{reach.target}", text, True, reach.lower_by, reach.unit, self._gain(0.0, 0.0))

    def _missing(self, name: str, problem: Problem, seconds: float, start: Sequence[Block] | None = None) -> Shortage:
        self.tried += 1
        return shortage(
            self.asker, name, problem, self.soft, seconds, start=self.joint.blocks if start is None else start
        )

    def _gain(self, low: float | None, high: float | None) -> Interval:
        """What is missing before − what is missing after, where after lies in [low, high]."""
        before = self.joint.missing
        least = None if before.low is None or high is None else max(0.0, before.low - high)
        most = None if before.high is None or low is None else max(0.0, before.high - low)
        return Interval(least, most)

    def _helps(self, after: Shortage) -> bool:
        """Whether a plan at hand misses less than is proven to be missing without the change (or none was possible)."""
        if after.missing.high is None:
            return False
        before = self.joint.missing
        if before.high is None:
            return True
        return after.missing.high < (before.low if before.low is not None else before.high) - 1e-4

    # --- rules --------------------------------------------------------------------------------------------------------

    def _rule(self, rule: Rule, seconds: float) -> None:
        after = self._missing(rule.key, rule.without, 0.4 * seconds)
        if not self._helps(after):
            return
        amount, unit = _NO_AMOUNT, ""
        parcels: tuple[str, ...] = ()
        if after.met:
            amount, unit = self._least_change(rule, after.blocks, 0.6 * seconds)
            parcels = self._using(rule, after.blocks)
        text = _rule_text(self.problem, rule, amount, after.met)
        gain = self._gain(after.missing.low, after.missing.high)
        self.found.append(Suggestion(rule.key, text, after.met, amount, unit, gain, parcels))

    def _least_change(self, rule: Rule, blocks: Sequence[Block], seconds: float) -> tuple[Interval, str]:
        """By how much the rule has to give way: at least, and enough."""
        problem, (kind, _, name) = self.problem, rule.key.partition(":")
        number = {p.id: t for t, p in enumerate(problem.phases)}
        if kind == "budget":
            t = number[name]
            cost = problem.cost if problem.mode_cost is None else problem.mode_cost
            return self._least_use(rule, cost, {t}, problem.phases[t].budget or 0.0, blocks, seconds), problem.currency
        if kind == "resource":
            q, r = next(x for x in limited_periods(problem) if resource_key(problem, *x) == rule.key)
            resource, limit = problem.resources[q], problem.resources[q].limits[r] or 0.0
            if resource.timing is not None:
                return self._least_limit(q, r, blocks, seconds), resource.unit
            return self._least_use(rule, resource.use, {r}, limit, blocks, seconds), resource.unit
        if kind == "ceiling":
            target = next(t for t in problem.targets if t.name == name and t.ceiling is not None)
            n_phases, k = len(problem.phases), target.milestone
            at_once = all(m.done_in(t, n_phases, k) == t for m in problem.modes for t in range(n_phases))
            if target.measure == "mu" and at_once:
                use = np.where(target_members(problem, target), problem.area_mu, 0.0)
                phases = set(range(target.phase + 1))
                return self._least_use(rule, use, phases, target.ceiling or 0.0, blocks, seconds), target.unit
            reached = float(reached_amounts(problem, blocks)[problem.targets.index(target)])
            return Interval(None, reached - (target.ceiling or 0.0)), target.unit
        if kind == "max_blocks":
            return self._fewest_blocks(number[name], blocks, seconds), "blocks"
        if kind in {"block_min", "block_max"}:
            return self._least_size(kind == "block_min", blocks, seconds), "mu"
        return _NO_AMOUNT, ""

    def _least_use(
        self, rule: Rule, use: Floats, phases: set[int], limit: float, blocks: Sequence[Block], seconds: float
    ) -> Interval:
        """Least use in some phases over plans that reach every target, less the limit."""
        self.tried += 1
        frugal = with_worth(rule.without, -use, phases)
        answer = self.asker.ask(f"least {rule.key}", frugal, seconds, blocks)
        best = answer.blocks if answer.has_plan else blocks
        columns = use if use.ndim == 2 else np.repeat(use[:, None], len(self.problem.modes), axis=1)
        found = sum(float(columns[list(b.parcels), b.mode].sum()) for b in best if b.phase in phases)
        noise = 2e-9 * float(np.abs(columns).max(axis=1).sum())
        low = None if answer.bound is None else max(0.0, -answer.bound - noise - limit)
        return Interval(low, max(found - limit, low or 0.0))

    def _least_limit(self, q: int, r: int, blocks: Sequence[Block], seconds: float) -> Interval:
        """By how much a limit on sums of cost and income has to be raised: bisection by solves."""
        resource = self.problem.resources[q]
        limit = resource.limits[r] or 0.0

        def above(plan: Sequence[Block]) -> float:
            return sum(float(resource.of_block(b)[r]) for b in plan) - limit

        enough, short = above(blocks), 0.0
        low: float | None = 0.0
        for _ in range(_STEPS):
            if enough - short <= max(_FINE * abs(enough), resource.tolerance(r)) or self.asker.is_over:
                break
            step = (short + enough) / 2
            raised = with_limit(self.problem, q, r, limit + step)
            after = self._missing(f"{resource.name} by {step:,.2f}", raised, seconds / _STEPS)
            if after.met:
                enough = min(step, above(after.blocks))
            else:
                short = step
                low = step if after.proven_missing and low is not None else low
        return Interval(low, max(enough, low or 0.0))

    def _fewest_blocks(self, t: int, blocks: Sequence[Block], seconds: float) -> Interval:
        most = self.problem.phases[t].max_blocks or 0
        enough = sum(b.phase == t for b in blocks)
        low = 0
        for m in range(most + 1, min(enough, most + 1 + _STEPS)):
            allowed = with_phase(self.problem, t, replace(self.problem.phases[t], max_blocks=m))
            after = self._missing(f"{m} blocks", allowed, seconds / _STEPS)
            if after.met:
                return Interval(float(m - most) if low == m - 1 - most else None, float(m - most))
            if after.proven_missing and low == m - 1 - most:
                low = m - most
        return Interval(float(low + 1) if self.joint.proven_missing else None, float(enough - most))

    def _least_size(self, least: bool, blocks: Sequence[Block], seconds: float) -> Interval:
        """By how much the least block size has to be lowered, or the largest raised: bisection by solves."""
        problem = self.problem
        fixed = set(problem.fixed)
        sizes = [float(problem.area_mu[list(b.parcels)].sum()) for b in blocks if b not in fixed]
        start = problem.block_min_mu if least else problem.block_max_mu
        enough = (start - min(sizes)) if least else (max(sizes) - start)
        low: float | None = 0.0
        short = 0.0
        for _ in range(_STEPS):
            if enough - short <= _FINE * start or self.asker.is_over:
                break
            step = (short + enough) / 2
            smaller, larger = replace(problem, block_min_mu=start - step), replace(problem, block_max_mu=start + step)
            changed = smaller if least else larger
            after = self._missing(f"block size by {step:,.1f} mu", changed, seconds / _STEPS)
            if after.met:
                new = [float(problem.area_mu[list(b.parcels)].sum()) for b in after.blocks if b not in fixed]
                enough = min(step, (start - min(new)) if least else (max(new) - start))
            else:
                short = step
                low = step if after.proven_missing and low is not None else low
        return Interval(low, max(enough, low or 0.0))

    def _using(self, rule: Rule, blocks: Sequence[Block]) -> tuple[str, ...]:
        """Parcels that the plan has only thanks to the rule being dropped."""
        problem = self.problem
        taken = [(i, b.phase) for b in blocks for i in b.parcels]
        if rule.key == "gates":
            gates = problem.earliest if problem.gates is None else problem.gates
            return tuple(problem.parcel_ids[i] for i, t in taken if gates[i] > t)
        if rule.key == "locks_out":
            return tuple(problem.parcel_ids[i] for i, _ in taken if not problem.selectable[i])
        if rule.key == "locks_in":
            inside = dict(taken)
            return tuple(
                problem.parcel_ids[i]
                for i in np.flatnonzero(problem.lock_by >= 0).tolist()
                if not problem.earliest[i] <= inside.get(i, len(problem.phases)) <= problem.lock_by[i]
            )
        return ()

    # --- links and closed parcels -------------------------------------------------------------------------------------

    def _links(self, links: Sequence[CandidateLink], seconds: float) -> None:
        """All links at once, then the most promising one by one."""
        everything = self._missing("all bridges", _linked(self.problem, links), 0.3 * seconds)
        if not self._helps(everything):
            return
        singles = sorted(links, key=lambda x: (-self._opened(_linked(self.problem, [x])), x.gap_m, x.pair))[:_VERIFIED]
        helping = False
        for link in singles:
            after = self._missing("bridge", _linked(self.problem, [link]), 0.7 * seconds / len(singles))
            if self._helps(after):
                helping |= after.met
                self.found.append(self._bridge([link], after))
        if not helping:
            owner = {i: k for k, b in enumerate(everything.blocks) for i in b.parcels}
            used = [x for x in links if x.pair[0] in owner and owner[x.pair[0]] == owner.get(x.pair[1])]
            self.found.append(self._bridge(used or list(links), everything))

    def _bridge(self, links: Sequence[CandidateLink], after: Shortage) -> Suggestion:
        ids = self.problem.parcel_ids
        shown = "; ".join(f"{ids[x.pair[0]]} – {ids[x.pair[1]]} ({x.gap_m:,.1f} m)" for x in links[:_VERIFIED])
        more = f" and {len(links) - _VERIFIED} more" if len(links) > _VERIFIED else ""
        widest = max(x.gap_m for x in links)
        return Suggestion(
            "bridge",
            f"allow {'a bridge' if len(links) == 1 else f'{len(links)} bridges'} between {shown}{more}",
            after.met,
            Interval(None, widest),
            "m",
            self._gain(after.missing.low, after.missing.high),
            tuple(dict.fromkeys(ids[i] for x in links for i in x.pair)),
        )

    def _closed(self) -> Bools:
        held = np.zeros(self.problem.n, dtype=np.bool_)
        for b in self.problem.fixed:
            held[list(b.parcels)] = True
        return np.asarray(~self.problem.selectable & ~held)

    def _allow(self, seconds: float) -> None:
        """All closed parcels at once with the least of them in use, then the most promising one by one."""
        problem, closed = self.problem, self._closed()
        everything = self._missing("all closed parcels", _opened(problem, closed), 0.2 * seconds)
        if not self._helps(everything):
            return
        singles = self._promising(closed)
        helping = False
        for i in singles:
            after = self._missing(problem.parcel_ids[i], _opened(problem, [i]), 0.5 * seconds / len(singles))
            if self._helps(after):
                helping |= after.met
                self.found.append(self._allowing([i], after, _NO_AMOUNT))
        if everything.met and not helping:
            self._least_land(closed, everything, 0.3 * seconds)

    def _least_land(self, closed: Bools, everything: Shortage, seconds: float) -> None:
        """The smallest set of closed parcels with which a plan exists."""
        problem = self.problem
        self.tried += 1
        frugal = with_worth(_opened(problem, closed), -np.where(closed, problem.area_mu, 0.0))
        answer = self.asker.ask("least closed land", frugal, seconds, everything.blocks)
        blocks = answer.blocks if answer.has_plan else everything.blocks
        used = [i for b in blocks for i in b.parcels if closed[i]]
        area = float(problem.area_mu[used].sum())
        low = None if answer.bound is None else min(area, max(0.0, -answer.bound))
        self.found.append(self._allowing(used, everything, Interval(low, area)))

    def _promising(self, closed: Bools) -> list[int]:
        """Closed parcels by the land that one of them would open up at most."""
        graph = usable_graph(self.problem)
        beside = np.zeros(self.problem.n, dtype=np.bool_)
        usable = np.asarray(availability(self.problem).any(axis=1))
        beside[graph.neighbour[np.repeat(usable, np.diff(graph.start))]] = True
        some = np.flatnonzero(closed & beside)
        some = some[np.argsort(-self.problem.area_mu[some], kind="stable")][:_MOST_CLOSED]
        opened = {i: self._opened(_opened(self.problem, [i])) for i in some.tolist()}
        return sorted(opened, key=lambda i: (-opened[i], self.problem.parcel_ids[i]))[:_VERIFIED]

    def _allowing(self, parcels: Iterable[int], after: Shortage, amount: Interval) -> Suggestion:
        ids = tuple(self.problem.parcel_ids[i] for i in parcels)
        shown = ", ".join(ids[:_VERIFIED]) + (f" and {len(ids) - _VERIFIED} more" if len(ids) > _VERIFIED else "")
        many = f"the {len(ids)} closed parcels" if len(ids) > 1 else "the closed parcel"
        gain = self._gain(after.missing.low, after.missing.high)
        return Suggestion("allow", f"allow {many} {shown}", after.met, amount, "mu", gain, ids)

    def _opened(self, changed: Problem) -> float:
        """Land that blocks can hold after a change and could not before, mu: a quick bound on what it brings."""
        before = reachable(self.problem, usable_graph(self.problem)).any(axis=1)
        after = reachable(changed, usable_graph(changed)).any(axis=1)
        return float(self.problem.area_mu[np.asarray(after & ~before)].sum())


def _linked(problem: Problem, links: Sequence[CandidateLink]) -> Problem:
    pairs: Ints = np.array([x.pair for x in links], dtype=np.int64).reshape(-1, 2)
    return replace(
        problem,
        link_pairs=np.concatenate([problem.link_pairs, pairs]),
        gap_m=np.concatenate([problem.gap_m, [x.gap_m for x in links]]),
    )


def _opened(problem: Problem, parcels: Bools | Sequence[int]) -> Problem:
    selectable = problem.selectable.copy()
    selectable[parcels] = True
    return replace(problem, selectable=selectable)


def _rule_text(problem: Problem, rule: Rule, amount: Interval, met: bool) -> str:
    """What to change, in words."""
    kind, _, name = rule.key.partition(":")
    by = amount.high
    if not met or by is None:
        return f"drop: {rule.title}"
    phase = {p.id: p for p in problem.phases}
    if kind == "budget":
        return f"raise the budget of {name} by {by:,.0f} {problem.currency}, to {(phase[name].budget or 0) + by:,.0f}"
    if kind == "ceiling":
        return f"raise the ceiling of target {name} by {by:,.2f}"
    if kind == "resource":
        q, r = next(x for x in limited_periods(problem) if resource_key(problem, *x) == rule.key)
        resource, to = problem.resources[q], (problem.resources[q].limits[r] or 0.0) + by
        where = resource.period_in_words(r, problem.phases)
        return f"raise the limit of {resource.name} in {where} by {by:,.2f} {resource.unit}, to {to:,.2f}"
    if kind == "max_blocks":
        return f"allow {by:,.0f} more blocks in {name}"
    if kind == "block_min":
        return f"lower the least block size by {by:,.2f} mu, to {problem.block_min_mu - by:,.2f} mu"
    if kind == "block_max":
        return f"raise the largest block size by {by:,.2f} mu, to {problem.block_max_mu + by:,.2f} mu"
    return f"drop: {rule.title}"
