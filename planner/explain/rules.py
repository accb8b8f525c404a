"""The rules of a problem, one by one, each with the problem that is left when it is dropped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from planner.problem import Block, Bools, Phase, Problem, Target

KEEP: Final = "keep"
"""Key of the price of changing the plan before."""


@dataclass(frozen=True, eq=False)
class Rule:
    """One rule.

    Attributes
    ----------
    key : str
        For ``--rule``, e.g. ``'floor:P2'``.
    title : str
        For people, with its figures.
    without : Problem
        The problem without it. Where `exact` is False it allows more than that: its bound is one, its plans are plans
        only if `fits` says so.
    exact : bool
    relaxes : bool
        Every plan of the problem is one of `without`.
    """

    key: str
    title: str
    without: Problem
    exact: bool = True
    relaxes: bool = True


def rules_of(problem: Problem, locked_out: Bools | None = None) -> tuple[Rule, ...]:
    """Every rule that binds or may bind, in the order of the problem.

    Parameters
    ----------
    problem : Problem
    locked_out : bool[n], optional
        Parcels that only the planner's own lock keeps out.
    """
    return (
        *_contiguity(problem),
        *_block_rules(problem),
        *_targets(problem),
        *_limits(problem),
        *_parcels(problem, locked_out),
        *_keep(problem),
    )


def scattered(problem: Problem) -> Problem:
    """The problem parcel by parcel: every plan without contiguity splits into one of its plans of the same worth.

    Rules on sums over a block, and on numbers of blocks, mean nothing for the parts of one; they are dropped too.
    """
    counted = tuple(
        replace(t, floor=0.0, stretch=None, ceiling=None) if t.measure == "blocks" else t for t in problem.targets
    )
    return replace(
        problem,
        block_min_mu=0.0,
        filler_max_share=1.0 if problem.filler.any() else problem.filler_max_share,
        max_villages=None,
        block_rules=(),
        rolling=False,
        existing_from=None,
        phases=tuple(replace(p, max_blocks=None) for p in problem.phases),
        targets=counted,
    )


def fits(problem: Problem, blocks: Sequence[Block]) -> bool:
    """Whether blocks of `scattered` can be put together to blocks that keep every rule but contiguity.

    A sufficient test: in each phase, mode and zone the parts are dealt out, the largest first, to the smallest sum.
    """
    if any(t.measure == "blocks" for t in problem.targets):
        return False
    fixed = set(problem.fixed)
    groups: dict[tuple[int, int, int], list[Block]] = {}
    for b in blocks:
        if b not in fixed:
            zone = int(problem.zone[b.parcels[0]]) if problem.within_zone else -1
            groups.setdefault((b.phase, b.mode, zone), []).append(b)
    count = np.zeros(len(problem.phases), dtype=int)
    for b in fixed:
        count[b.phase] += 1
    for (phase, mode, _), parts in groups.items():
        dealt = _deal(problem, parts, mode)
        if dealt is None:
            return False
        count[phase] += dealt
    most = [p.max_blocks for p in problem.phases]
    return all(m is None or c <= m for m, c in zip(most, count.tolist(), strict=True))


def _deal(problem: Problem, parts: Sequence[Block], mode: int) -> int | None:
    """Number of blocks that the parts make up, None where dealing fails."""
    area = [float(problem.area_mu[list(b.parcels)].sum()) for b in parts]
    total, low, high = sum(area), problem.block_min_mu, problem.block_max_mu
    for k in range(max(1, int(np.ceil(total / high - 1e-9))), int(total / max(low, 1e-9) + 1e-9) + 1):
        bins: list[list[int]] = [[] for _ in range(k)]
        sums = np.zeros(k)
        for p in sorted(range(len(parts)), key=lambda q: -area[q]):
            chosen = int(sums.argmin())
            bins[chosen] += parts[p].parcels
            sums[chosen] += area[p]
        if all(low <= s <= high for s in sums) and all(_keeps_sums(problem, b, mode) for b in bins):
            return k
        if k > 200:
            break
    return None


def _keeps_sums(problem: Problem, members: Sequence[int], mode: int) -> bool:
    """Filler, villages and block rules of a set of parcels."""
    index = np.array(members)
    area = problem.area_mu[index]
    if area[problem.filler[index]].sum() > problem.filler_max_share * area.sum():
        return False
    if problem.max_villages is not None and problem.village is not None:
        village = problem.village[index]
        if len(np.unique(village[village >= 0])) > problem.max_villages:
            return False
    rules = [r for r in problem.block_rules if r.modes is None or mode in r.modes]
    return all(float(r.weight[index].sum()) >= r.limit for r in rules)


def _contiguity(problem: Problem) -> Iterator[Rule]:
    yield Rule("contiguity", "every block is one connected piece", scattered(problem), exact=False)
    if problem.rolling:
        off = replace(problem, rolling=False, existing_from=None)
        yield Rule("rolling", "what is taken in a zone grows as one area", off)
    if problem.within_zone:
        yield Rule("within_zone", "a block lies in one zone", replace(problem, within_zone=False))


def _block_rules(problem: Problem) -> Iterator[Rule]:
    low, high = problem.block_min_mu, problem.block_max_mu
    if low > 0:
        yield Rule("block_min", f"blocks of at least {low:,.2f} mu", replace(problem, block_min_mu=0.0))
    everything = float(problem.area_mu.sum())
    if high < everything:
        yield Rule("block_max", f"blocks of at most {high:,.2f} mu", replace(problem, block_max_mu=everything))
    if problem.filler.any() and problem.filler_max_share < 1:
        title = f"filler at most {problem.filler_max_share:.0%} of a block"
        yield Rule("filler", title, replace(problem, filler_max_share=1.0))
    if problem.max_villages is not None:
        title = f"at most {problem.max_villages} villages in a block"
        yield Rule("villages", title, replace(problem, max_villages=None))
    for k, rule in enumerate(problem.block_rules):
        others = problem.block_rules[:k] + problem.block_rules[k + 1 :]
        asked = f"{rule.least:.0%}" if rule.share_of is not None else f"{rule.least:,.2f} {rule.unit}"
        title = f"every block: {rule.name} at least {asked}"
        yield Rule(f"block_rule:{rule.name}", title, replace(problem, block_rules=others))


def with_target(problem: Problem, k: int, target: Target) -> Problem:
    """The problem with another target in place k."""
    return replace(problem, targets=(*problem.targets[:k], target, *problem.targets[k + 1 :]))


def with_phase(problem: Problem, t: int, phase: Phase) -> Problem:
    """The problem with another phase in place t."""
    return replace(problem, phases=(*problem.phases[:t], phase, *problem.phases[t + 1 :]))


def with_limit(problem: Problem, q: int, r: int, limit: float | None) -> Problem:
    """The problem with another limit of resource q in period r; None = none."""
    resource, others = problem.resources[q], problem.resources
    limits = (*resource.limits[:r], limit, *resource.limits[r + 1 :])
    return replace(problem, resources=(*others[:q], replace(resource, limits=limits), *others[q + 1 :]))


def resource_key(problem: Problem, q: int, r: int) -> str:
    """Key of the rule that limits resource q in period r."""
    resource = problem.resources[q]
    return f"resource:{resource.name}:{resource.period(r, problem.phases)}"


def _targets(problem: Problem) -> Iterator[Rule]:
    for k, target in enumerate(problem.targets):
        if target.floor > 0:
            title = f"target {target.name}: at least {target.floor:,.2f} {target.unit}"
            yield Rule(f"floor:{target.name}", title, with_target(problem, k, replace(target, floor=0.0)))
    for k, target in enumerate(problem.targets):
        if target.ceiling is not None:
            title = f"target {target.name}: at most {target.ceiling:,.2f} {target.unit}"
            yield Rule(f"ceiling:{target.name}", title, with_target(problem, k, replace(target, ceiling=None)))


def _limits(problem: Problem) -> Iterator[Rule]:
    for t, phase in enumerate(problem.phases):
        if phase.budget is not None:
            title = f"budget of {phase.id}: {phase.budget:,.0f} {problem.currency}"
            yield Rule(f"budget:{phase.id}", title, with_phase(problem, t, replace(phase, budget=None)))
        if phase.max_blocks is not None:
            title = f"at most {phase.max_blocks} blocks in {phase.id}"
            yield Rule(f"max_blocks:{phase.id}", title, with_phase(problem, t, replace(phase, max_blocks=None)))
        for q, resource in enumerate(problem.resources):
            if resource.timing is None:
                yield from _resource(problem, q, t)
    for q, resource in enumerate(problem.resources):
        if resource.timing is not None:
            for r in range(len(resource.limits)):
                yield from _resource(problem, q, r)


def _resource(problem: Problem, q: int, r: int) -> Iterator[Rule]:
    """The limit of a resource in a period, where it has one."""
    resource, limit = problem.resources[q], problem.resources[q].limits[r]
    if limit is not None:
        where = resource.period(r, problem.phases)
        title = f"{resource.name}, {where}: at most {limit:,.2f} {resource.unit}"
        if resource.timing is None:
            title = f"{resource.name} in {where}: {limit:,.2f} {resource.unit}"
        yield Rule(resource_key(problem, q, r), title, with_limit(problem, q, r, None))


def _parcels(problem: Problem, locked_out: Bools | None) -> Iterator[Rule]:
    locked = problem.lock_by >= 0
    gates = problem.earliest if problem.gates is None else problem.gates
    if locked.any():
        free = replace(problem, lock_by=np.full(problem.n, -1, dtype=np.int64), earliest=gates, gates=None)
        yield Rule("locks_in", f"{int(locked.sum())} parcels locked in", free)
    if locked_out is not None and locked_out.any():
        title = f"{int(locked_out.sum())} parcels locked out"
        yield Rule("locks_out", title, replace(problem, selectable=problem.selectable | locked_out))
    late = problem.selectable & (gates > 0)
    if late.any():
        held = np.where(problem.earliest > gates, problem.earliest, 0)  # to the phase of a lock
        free = replace(problem, earliest=held, gates=None)
        yield Rule("gates", f"{int(late.sum())} parcels open only in a later phase, or never", free)
    if problem.fixed:
        # the blocks need not keep the rules that the others must, so what stands may be no plan without the exemption
        yield Rule("fixed", f"{len(problem.fixed)} fixed blocks", replace(problem, fixed=()), relaxes=False)


def _keep(problem: Problem) -> Iterator[Rule]:
    """The price of changes; no rule, but it holds a plan back as one does."""
    if problem.change_price is not None and problem.change_price.any():
        count = sum(len(b.parcels) for b in problem.before)
        title = f"price of changing the plan before, of {count} parcels"
        yield Rule(KEEP, title, replace(problem, before=(), change_price=None))
