"""Runs made of arrays, and askers that answer within the process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from planner.consequences.plan import plan_in_hand
from planner.explain import Asker, RunFolder
from planner.optimise import Stop, solve
from planner.problem import Phase, Problem, Target
from tests.planner.optimise.instances import grid_problem


def asker(seconds: float = 30.0) -> Asker:
    return Asker(seconds, 0, 1e-9, False)


def run_of(problem: Problem) -> RunFolder:
    """A run with the best plan of a small problem."""
    plan = solve(problem, Stop(0.0, 20.0), processes=False)
    assert plan.status == "optimal"
    return RunFolder(Path("nowhere"), problem, plan_in_hand(problem, plan.blocks, plan.bound))


def failed_run(problem: Problem) -> RunFolder:
    return RunFolder(Path("nowhere"), problem, None)


def row(**changes: Any) -> Problem:
    """Six parcels of 10 mu in a row, worth 7, 5, −2, 6, 4 and −1; blocks of two to four; at most four parcels a phase.

    Best: {0, 1} and {3, 4}, worth 22.
    """
    values: dict[str, Any] = {
        "benefit": np.array([10.0, 8.0, 1.0, 9.0, 7.0, 2.0]),
        "cost": np.full(6, 3.0),
        "block_min_mu": 20.0,
        "block_max_mu": 40.0,
        "targets": (Target("P1", 0, -1, 40.0),),
        "phases": (Phase("P1", 1, 1.0, budget=12.0),),
    }
    return grid_problem(6, 1, **(values | changes))
