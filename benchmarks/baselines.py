"""The planners that ours is measured against, by name: from a problem, seconds and a seed to an `Answer`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from benchmarks.answers import Answer, NotModelledError
from benchmarks.greedy import NAME as GREEDY
from benchmarks.greedy import solve_greedy
from benchmarks.monolithic import NAME as MONOLITHIC
from benchmarks.monolithic import solve_monolithic
from benchmarks.phase_mip import NAME as PHASE_MIP
from benchmarks.phase_mip import solve_phase_mip
from planner.problem import Problem

__all__ = ["BASELINES", "GREEDY", "MONOLITHIC", "PHASE_MIP", "Answer", "NotModelledError"]

BASELINES: Final[dict[str, Callable[[Problem, float, int], Answer]]] = {
    GREEDY: solve_greedy,
    MONOLITHIC: solve_monolithic,
    PHASE_MIP: solve_phase_mip,
}
