"""Answers as plain data for machines."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from planner.consequences.plan import PlanInHand
from planner.explain.alternatives import Alternatives
from planner.explain.evaluate import Evaluation
from planner.explain.holdouts import HoldOuts
from planner.problem import Problem

FORMAT = "land-consolidation-answer"
VERSION = 1


def as_data(kind: str, answer: Any) -> dict[str, Any]:
    """JSON form of an answer: ``format``, ``version``, ``kind``, then its fields by name.

    An interval is ``{"low": …, "high": …}``; null stands for what is not known.
    """
    if isinstance(answer, Evaluation):
        body = _plain({f.name: getattr(answer, f.name) for f in dataclasses.fields(answer) if f.name != "result"})
        body |= {"best_adds": answer.best_adds}
    elif isinstance(answer, Alternatives):
        body = _alternatives(answer)
    elif isinstance(answer, HoldOuts):
        body = _holdouts(answer)
    else:
        body = _plain(answer)
    return {"format": FORMAT, "version": VERSION, "kind": kind, **body}


def _alternatives(answer: Alternatives) -> dict[str, Any]:
    problem = answer.problem
    some = np.flatnonzero(answer.importance > 0).tolist()
    return {
        "currency": problem.currency,
        "within": answer.within,
        "by": answer.by,
        "complete": answer.complete,
        "plan": _plan(problem, answer.plan),
        "alternatives": [
            {
                "name": a.name,
                "loss": a.loss,
                "loss_share": a.loss_share,
                "differs_mu": a.differs_mu,
                "nearest_mu": a.nearest_mu,
                **_plan(problem, a.plan),
            }
            for a in answer.found
        ],
        "importance": {problem.parcel_ids[i]: float(answer.importance[i]) for i in some},
    }


def _holdouts(answer: HoldOuts) -> dict[str, Any]:
    rest = {f.name: getattr(answer, f.name) for f in dataclasses.fields(answer) if f.name not in _BY_HAND}
    robust = None
    if answer.robust is not None:
        fields = dataclasses.fields(answer.robust)
        robust = _plain({f.name: getattr(answer.robust, f.name) for f in fields if f.name != "plan"})
        robust["plan"] = None if answer.robust.plan is None else _plan(answer.problem, answer.robust.plan)
    return {
        "currency": answer.problem.currency,
        **_plain(rest),
        "holdouts": [_plain(h) | {"harmless": h.harmless} for h in answer.holdouts],
        "robust": robust,
    }


_BY_HAND = frozenset({"problem", "holdouts", "robust"})


def _plan(problem: Problem, plan: PlanInHand) -> dict[str, Any]:
    return {
        "objective": plan.objective,
        "blocks": [
            {
                "block_id": name,
                "phase": b.phase + 1,
                "phase_id": problem.phases[b.phase].id,
                "mode": problem.modes[b.mode].id,
                "area_mu": float(problem.area_mu[list(b.parcels)].sum()),
                "parcel_ids": [problem.parcel_ids[i] for i in b.parcels],
            }
            for name, b in zip(plan.names, plan.blocks, strict=True)
        ],
    }


def _plain(value: Any) -> Any:
    """Dataclasses as objects, tuples as lists, numbers that are not finite as null."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        found = {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
        extra = getattr(value, "gain_share", None)
        return found | ({"gain_share": extra} if extra is not None else {})
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
