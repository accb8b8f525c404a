"""Judges hand-drawn blocks as a plan, without a solve: the rules they break, or how far they are from the best."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from planner.check import CheckInput, CheckReport, Finding, check_plan, claims_of
from planner.check.arrays import check_solution
from planner.consequences.plan import plan_order
from planner.errors import InfeasibleError
from planner.explain.asking import never
from planner.explain.drawn import Drawn
from planner.explain.land import Land
from planner.indicators import block_names
from planner.optimise.evaluate import objective
from planner.optimise.events import BoundFound
from planner.optimise.presolve import usable_graph
from planner.optimise.proving import prove
from planner.optimise.stop import Clock
from planner.pipeline import result_of
from planner.problem import Plan, Problem, TracePoint
from planner.problem_json import problem_to_dict, solution_to_dict
from planner.progress import ProgressReport, Silent
from planner.run_result import Prepared, RunResult

NOTHING: Final = "nothing proven"
DRAWN: Final = "drawn"
_SAME: Final = {"selectable": "status"}
"""Rules of the judge of arrays that go by another name with the judge of layers."""


@dataclass(frozen=True)
class DrawnBlock:
    """A drawn block under the name it has in the tables."""

    label: str
    name: str
    phase: str
    area_mu: float
    parcel_ids: tuple[str, ...]


@dataclass(frozen=True)
class Evaluation:
    """The verdict on drawn blocks.

    Attributes
    ----------
    passed : bool
        They are a plan.
    findings : tuple of Finding
        Rules broken: rule, parcels, measured, limit.
    blocks : tuple of DrawnBlock
    objective : float
        Worth, currency; meaningless as a plan's unless `passed`.
    bound, bound_proof : float or None, str
        No plan is worth more, currency.
    cut : tuple
        Parcels that a drawn line cuts, with shares.
    notes : tuple of str
    currency : str
    result : RunResult
        For writing.
    """

    passed: bool
    findings: tuple[Finding, ...]
    blocks: tuple[DrawnBlock, ...]
    objective: float
    bound: float | None
    bound_proof: str
    cut: tuple[Any, ...]
    notes: tuple[str, ...]
    currency: str
    result: RunResult

    @property
    def best_adds(self) -> float | None:
        """At most this much more the best plan is worth, currency."""
        return None if self.bound is None else self.bound - self.objective


def evaluate(
    prepared: Prepared,
    drawn: Drawn,
    time_limit_s: float = 30.0,
    progress: ProgressReport | None = None,
    interrupted: Callable[[], bool] = never,
) -> Evaluation:
    """Judge drawn blocks.

    Parameters
    ----------
    prepared : Prepared
        Everything before the solve.
    drawn : Drawn
        Blocks on the same parcels.
    time_limit_s : float
        For the bound, which is a poor one with 0. Blocks that are no plan get none.
    progress : ProgressReport, optional
    interrupted : callable
        True ends the work on the bound.
    """
    progress = progress or Silent()
    problem = prepared.problem
    blocks = plan_order(problem, drawn.blocks)
    value = objective(problem, usable_graph(problem), blocks)
    result = result_of(prepared, _plan(blocks, value, None, NOTHING))
    report, findings = _judged(problem, result)
    bound, proof = None, NOTHING
    if report:
        progress.stage("bound")
        bound, proof = prove_bound(problem, time_limit_s, progress, interrupted, value)
        progress.done(proof)
        bound = None if bound is None or not math.isfinite(bound) else max(bound, value)
        result = result_of(prepared, _plan(blocks, value, bound, proof))
    label = dict(zip(drawn.blocks, drawn.labels, strict=True))
    return Evaluation(
        passed=report,
        findings=findings,
        blocks=tuple(
            DrawnBlock(
                label.get(b, name),
                name,
                problem.phases[b.phase].id,
                float(problem.area_mu[list(b.parcels)].sum()),
                tuple(problem.parcel_ids[i] for i in b.parcels),
            )
            for name, b in zip(block_names(problem, blocks), blocks, strict=True)
        ),
        objective=value,
        bound=bound,
        bound_proof=proof,
        cut=drawn.cut,
        notes=drawn.notes,
        currency=problem.currency,
        result=result,
    )


def prove_bound(
    problem: Problem,
    time_limit_s: float,
    progress: ProgressReport | None = None,
    interrupted: Callable[[], bool] = never,
    value: float | None = None,
) -> tuple[float | None, str]:
    """Best bound within some seconds, and its proof; `value` is only told to the progress."""
    progress, clock = progress or Silent(), Clock(time_limit_s)
    try:
        land = Land.of(problem)
        if land.problem.n == 0:
            return None, NOTHING
        bound, proof = None, NOTHING
        for event in prove(land.problem, land.graph, land.open_, time_limit_s):
            if not isinstance(event, BoundFound):
                continue
            if bound is None or event.bound + land.constant < bound:
                bound, proof = event.bound + land.constant, event.proof
            progress.solve(value, bound, clock.elapsed())
            if interrupted() or clock.over():
                break
    except InfeasibleError as error:  # cannot be: the drawn plan keeps every rule
        raise RuntimeError(f"a plan is at hand, yet it is proven that there is none: {error}") from error
    return bound, proof


def _plan(blocks: Sequence[Any], value: float, bound: float | None, proof: str) -> Plan:
    most = value if bound is None else bound
    trace = (TracePoint(0.0, value, most),)
    return Plan(tuple(blocks), value, most, proof, "feasible", DRAWN, 0, False, trace)


def _judged(problem: Problem, result: RunResult) -> tuple[bool, tuple[Finding, ...]]:
    """The verdict of both judges: by the layers, and by the arrays for rules that the layers' judge has nothing on."""
    assert result.tables is not None
    assert result.plan is not None
    by_layers = check_plan(CheckInput.of(result.tables), result.prepared.config, claims_of(result.summary))
    by_arrays = check_solution(problem_to_dict(problem), solution_to_dict(problem, result.plan))
    names = block_names(problem, result.plan.blocks)
    return by_layers.passed and by_arrays.passed, _merged(by_layers, by_arrays, names)


def _merged(by_layers: CheckReport, by_arrays: CheckReport, names: Sequence[str]) -> tuple[Finding, ...]:
    """Findings of the layers, and those of the arrays about rules that the layers have none on; blocks by name."""
    told = {f.rule for f in by_layers.findings}
    extra = [f for f in by_arrays.findings if f.rule not in told and _SAME.get(f.rule) not in told]
    named = [f if f.block_id is None else replace(f, block_id=names[int(f.block_id) - 1]) for f in extra]
    return (*by_layers.findings, *named)
