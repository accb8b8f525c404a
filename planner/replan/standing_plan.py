"""The plan before under the new conditions: rules it breaks, what is left of its blocks, what its targets lack."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from planner.check import Finding, check_solution
from planner.consequences.kept import keep_figures
from planner.consequences.plan import plan_order
from planner.explain.drawn import Drawn
from planner.explain.evaluate import evaluate
from planner.optimise.evaluate import block_faults, objective, reached_amounts
from planner.optimise.graph import Graph
from planner.optimise.options import availability
from planner.optimise.presolve import usable_graph
from planner.problem import AREA_TOLERANCE_MU, Block, Bools, Plan, Problem
from planner.problem_json import problem_to_dict, solution_to_dict
from planner.replan.before import FormerBlock, FormerPlan
from planner.run_result import Prepared


@dataclass(frozen=True)
class Rest:
    """What is left of a block that loses land.

    Attributes
    ----------
    name, block_id : str
        Of the plan before.
    phase : str
        In which it could be taken now.
    lost_mu, left_mu : float
        Land that can no longer be taken in that phase and mode, and the rest.
    lost : tuple of str
        Parcels.
    pieces : int
        Into which the rest falls.
    stands : bool
        The rest keeps the rules for a block as it is.
    """

    name: str
    block_id: str
    phase: str
    lost_mu: float
    left_mu: float
    lost: tuple[str, ...]
    pieces: int
    stands: bool


@dataclass(frozen=True)
class Lack:
    """A target that what is left of the plan before does not reach."""

    target: str
    asked: float
    left: float
    unit: str

    @property
    def missing(self) -> float:
        """In `unit`."""
        return self.asked - self.left


@dataclass(frozen=True)
class Judged:
    """The plan before under the new conditions.

    Attributes
    ----------
    passed : bool
        It is still a plan.
    worth : float or None
        Of its land by the new conditions, currency; None where it is no plan any more.
    broken : tuple of dict
        Rules broken: ``rule``, ``block`` (its name in the plan before), ``message``.
    rests : tuple of Rest
        Blocks that lose land, by name.
    lacks : tuple of Lack
        Targets that what is left of its blocks that still stand does not reach.
    gone : tuple of str
        Parcels of the plan before that are no more on the land.
    """

    passed: bool
    worth: float | None
    broken: tuple[dict[str, Any], ...]
    rests: tuple[Rest, ...]
    lacks: tuple[Lack, ...]
    gone: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """For ``replan.json``."""
        return {
            "passed": self.passed,
            "worth": self.worth,
            "broken": list(self.broken),
            "blocks": [asdict(r) for r in self.rests],
            "targets": [asdict(x) | {"missing": x.missing} for x in self.lacks],
            "parcels_gone": list(self.gone),
        }


def judge_before(prepared: Prepared, before: FormerPlan) -> Judged:
    """Judge the plan before by the conditions of a prepared replan.

    The judges see it as it was; with modes that of the arrays alone. What is left of it is told apart: its blocks
    without the land that can no longer be taken; blocks of phases that are over as if they came in the phase that
    begins; and of these, those that still keep the rules for a block count for targets.

    Parameters
    ----------
    prepared : Prepared
        Of a configuration with `optimise.keep`.
    before : FormerPlan
    """
    problem = prepared.problem
    place = {name: i for i, name in enumerate(problem.parcel_ids)}
    gone = tuple(sorted(i for i in before.block_of if i not in place))
    blocks = [(b, _members(b, place)) for b in before.blocks if b.phase in {p.id for p in problem.phases}]
    blocks = [(b, m) for b, m in blocks if m]
    as_it_was = [_block(problem, b, b.phase, m) for b, m in blocks]
    names = [b.name for b, _ in blocks]
    passed, worth, broken = (_by_layers if prepared.config.modes is None else _by_arrays)(prepared, as_it_was, names)
    rests, left = _left(prepared, problem, blocks)
    return Judged(passed and not gone, worth if passed else None, broken, rests, _lacks(problem, left), gone)


_Verdict = tuple[bool, float, tuple[dict[str, Any], ...]]
"""Whether the plan keeps every rule, the worth of its land, and the rules it breaks."""


def _by_layers(prepared: Prepared, blocks: Sequence[Block], names: Sequence[str]) -> _Verdict:
    """The verdict of both judges."""
    found = evaluate(prepared, Drawn(tuple(blocks), tuple(names)), time_limit_s=0.0)
    label = {d.name: d.label for d in found.blocks}
    broken = tuple(
        {"rule": f.rule, "block": label.get(f.block_id or "", f.block_id), "message": _renamed(f.message, label)}
        for f in _distinct(found.findings)
    )
    return found.passed, _worth(prepared.problem, blocks), broken


def _by_arrays(prepared: Prepared, blocks: Sequence[Block], names: Sequence[str]) -> _Verdict:
    """The verdict of the judge of arrays alone: with modes, tables of money and moves would take too long."""
    problem = prepared.problem
    order = plan_order(problem, [*blocks, *(b for b in problem.fixed if b not in set(blocks))])
    label = dict(zip(blocks, names, strict=True))
    value = objective(problem, usable_graph(problem), order)
    plan = Plan(order, value, value, "", "feasible", "drawn", 0, False)
    report = check_solution(problem_to_dict(problem), solution_to_dict(problem, plan))
    by_number = {str(k): label.get(b) for k, b in enumerate(order, start=1)}
    errors = [f for f in report.findings if f.severity == "error"]
    broken = tuple(
        {
            "rule": f.rule,
            "block": by_number.get(str(f.block_id)),
            "message": re.sub(r"\b[Bb]lock (\d+)\b", lambda m: f"{m[0][:5]} {by_number.get(m[1]) or m[1]}", f.message),
        }
        for f in errors
    )
    return report.passed, _worth(problem, order), broken


def _worth(problem: Problem, blocks: Sequence[Block]) -> float:
    """Of the land, the price of changes aside."""
    told = keep_figures(problem, blocks)
    return objective(problem, usable_graph(problem), blocks) if told is None else float(told["worth_without"])


def _distinct(findings: Sequence[Finding]) -> list[Finding]:
    """Errors; what both judges say of the same parcels is told once."""
    errors = [f for f in findings if f.severity == "error"]
    told = {i for f in errors if f.rule != "selectable" for i in f.parcel_ids}
    return [f for f in errors if f.rule != "selectable" or not set(f.parcel_ids) <= told]


def _members(block: FormerBlock, place: dict[str, int]) -> tuple[int, ...]:
    return tuple(sorted(place[i] for i in block.parcels if i in place))


def _block(problem: Problem, block: FormerBlock, phase: str, members: Sequence[int]) -> Block:
    phases = [p.id for p in problem.phases]
    modes = [m.id for m in problem.modes]
    return Block(tuple(members), phases.index(phase), 0 if block.mode is None else modes.index(block.mode))


def _renamed(message: str, names: dict[str, str]) -> str:
    """The judge names blocks by number; people know them by code."""
    known = "|".join(re.escape(n) for n, label in sorted(names.items(), reverse=True) if n != label)
    return re.sub(rf"\b({known})\b", lambda m: f"{m[0]} ({names[m[0]]})", message) if known else message


def _left(
    prepared: Prepared, problem: Problem, blocks: Sequence[tuple[FormerBlock, tuple[int, ...]]]
) -> tuple[tuple[Rest, ...], list[Block]]:
    keep = prepared.config.optimise.keep
    phase_of = {} if keep is None else {i: b.phase for b in keep.blocks for i in b.parcels}
    graph, open_, fixed = usable_graph(problem), availability(problem), set(problem.fixed)
    rests, left = [], list(problem.fixed)
    for was, members in blocks:
        phase = phase_of.get(was.parcels[0], was.phase)
        block = _block(problem, was, phase, members)
        if block in fixed:
            continue
        option = block.phase * len(problem.modes) + block.mode
        stays = tuple(i for i in members if open_[i, option])
        rest = Block(stays, block.phase, block.mode)
        stands = bool(stays) and not block_faults(problem, graph, rest, open_)
        if stands:
            left.append(rest)
        if len(stays) < len(members) or not stands:
            rests.append(_rest(problem, graph, was, phase, members, stays, stands))
    return tuple(rests), left


def _rest(
    problem: Problem,
    graph: Graph,
    was: FormerBlock,
    phase: str,
    members: Sequence[int],
    stays: Sequence[int],
    stands: bool,
) -> Rest:
    lost = sorted(set(members) - set(stays))
    inside: Bools = np.zeros(problem.n, dtype=np.bool_)
    inside[list(stays)] = True
    labels = graph.components(inside)
    return Rest(
        name=was.name,
        block_id=was.block_id,
        phase=phase,
        lost_mu=float(problem.area_mu[lost].sum()),
        left_mu=float(problem.area_mu[list(stays)].sum()),
        lost=tuple(problem.parcel_ids[i] for i in lost),
        pieces=len(set(labels[list(stays)].tolist())),
        stands=stands,
    )


def _lacks(problem: Problem, left: Sequence[Block]) -> tuple[Lack, ...]:
    reached = reached_amounts(problem, left).tolist()
    return tuple(
        Lack(t.name, t.floor, r, t.unit)
        for t, r in zip(problem.targets, reached, strict=True)
        if r < t.floor - AREA_TOLERANCE_MU
    )
