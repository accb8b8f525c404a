"""One measurement in a process of its own: ``python -m benchmarks.child CASE SOLVER SECONDS GAP SEED RESULT.json``.

SOLVER is ``planner`` or the name of a baseline. Compiled code is loaded before the clock starts; how long that took is
told apart.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any, Final

from benchmarks.answers import NotModelledError, judged
from benchmarks.baselines import BASELINES
from benchmarks.cases import load
from planner.errors import InfeasibleError, NoPlanInTimeError
from planner.problem import Problem

PLANNER: Final = "planner"


def measure_planner(problem: Problem, seconds: float, gap: float, seed: int) -> dict[str, Any]:
    """Solve, and have the plan judged."""
    from planner.optimise import Stop, solve  # noqa: PLC0415 (baselines must not pay for it)
    from planner.optimise.warm import compile_search  # noqa: PLC0415

    began = time.monotonic()
    compile_search()
    compiled = time.monotonic()
    try:
        plan = solve(problem, Stop(gap=gap, time_limit_s=seconds), seed)
    except (InfeasibleError, NoPlanInTimeError) as error:
        return {"seconds": time.monotonic() - compiled, "error": f"{type(error).__name__}: {error}"}
    took = time.monotonic() - compiled
    answer = judged(problem, PLANNER, plan.blocks, took)
    return {
        "seconds": took,
        "compile_seconds": compiled - began,
        "objective": plan.objective,
        "judged_objective": answer.objective,
        "faults": list(answer.faults),
        "bound": plan.bound,
        "gap": plan.gap,
        "bound_proof": plan.bound_proof,
        "status": plan.status,
        "stopped_by": plan.stopped_by,
        "rounds": plan.rounds,
        "blocks": len(plan.blocks),
        "trace": [[p.seconds, p.objective, p.bound] for p in plan.trace],
    }


def measure_baseline(problem: Problem, name: str, seconds: float, seed: int) -> dict[str, Any]:
    """Run a baseline."""
    try:
        answer = BASELINES[name](problem, seconds, seed)
    except NotModelledError as error:
        return {"seconds": None, "error": str(error)}
    return {
        "seconds": answer.seconds,
        "objective": answer.objective,
        "bound": answer.bound,
        "faults": list(answer.faults),
        "blocks": len(answer.blocks),
        "note": answer.note,
    }


def peak_mb() -> float | None:
    """Most memory this process held so far, MB; None where the system does not tell."""
    try:
        import resource  # noqa: PLC0415 (absent on Windows)
    except ImportError:
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def main(arguments: list[str]) -> None:
    """Measure and write the result."""
    case, solver, seconds, gap, seed, result = arguments
    problem = load(case)
    if solver == PLANNER:
        measured = measure_planner(problem, float(seconds), float(gap), int(seed))
    else:
        measured = measure_baseline(problem, solver, float(seconds), int(seed))
    measured |= {"parcels": problem.n, "phases": len(problem.phases), "own_peak_mb": peak_mb()}
    Path(result).write_text(json.dumps(measured), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
