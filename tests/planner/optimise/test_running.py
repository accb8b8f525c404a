"""Search and bound in processes: limits are kept, crashes and interrupts leave the best plan."""

from __future__ import annotations

import os
import queue
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from planner.errors import InfeasibleError, InterruptedBeforePlanError
from planner.optimise import Stop, solve
from planner.optimise.evaluate import plan_faults
from planner.optimise.options import availability
from planner.optimise.presolve import usable_graph
from planner.optimise.running import TEAM
from planner.optimise.worker import Said, Worker
from planner.problem import Phase, Plan, Problem, Target
from tests.planner.optimise.instances import grid_problem


def land(width: int = 14, height: int = 12) -> Problem:
    """A grid with two phases and ceilings, large enough that no search settles it at once."""
    rng = np.random.default_rng(7)
    n = width * height
    phases = (Phase("P1", 1, 0.95), Phase("P2", 2, 0.9))
    targets = (Target("P1", 0, -1, 200.0, ceiling=210.0), Target("P2", 1, -1, 500.0, ceiling=520.0))
    return grid_problem(
        width,
        height,
        benefit=rng.uniform(20.0, 100.0, n),
        cost=rng.uniform(0.0, 40.0, n),
        phases=phases,
        targets=targets,
        block_min_mu=60.0,
        block_max_mu=150.0,
        perimeter_per_m=0.01,
    )


def is_plan(problem: Problem, plan: Plan) -> bool:
    return not plan_faults(problem, usable_graph(problem), plan.blocks, availability(problem))


def count(upto: int) -> Iterator[int]:
    """Something for a worker to do."""
    yield from range(upto)


def sleep_for_ever(asleep: str) -> Iterator[int]:
    yield 0
    Path(asleep).touch()  # from here on nobody asks whether to go on
    time.sleep(3600)


def fail() -> Iterator[int]:
    yield 1
    raise InfeasibleError("no", details={"why": [1]})


def complain() -> Iterator[int]:
    """What solvers print goes to file descriptor 2, past Python."""
    os.write(2, b"[scip_event.c:305] ERROR: SCIPcatchEvent does not support that\nout of memory\n")
    os.write(2, b"[gscip_event_handler.cc:124] ERROR: Error <-9> in function call\n")
    yield 0


def collect(inbox: queue.Queue[Said], upto: set[str]) -> list[tuple[str, Any]]:
    heard = []
    while not heard or heard[-1][0] not in upto:
        said = inbox.get(timeout=120)
        heard.append((said.kind, said.value))
    return heard


def test_a_worker_sends_what_its_generator_yields_and_can_be_used_again() -> None:
    inbox: queue.Queue[Said] = queue.Queue()
    worker = Worker(inbox)
    try:
        for _ in range(2):
            worker.start(count, 3)
            assert collect(inbox, {"end"}) == [("event", 0), ("event", 1), ("event", 2), ("end", None)]
            worker.busy = False
        worker.start(fail)
        kind, error = collect(inbox, {"error"})[-1]
        assert kind == "error"
        assert isinstance(error, InfeasibleError)
        assert str(error) == "no"
        assert error.details == {"why": [1]}
    finally:
        worker.kill()


def test_what_a_solver_prints_is_passed_on_but_for_harmless_lines(capsys: pytest.CaptureFixture[str]) -> None:
    inbox: queue.Queue[Said] = queue.Queue()
    worker = Worker(inbox)
    worker.start(complain)
    collect(inbox, {"end"})
    worker.kill()
    assert capsys.readouterr().err == "out of memory\n"


def test_a_worker_that_does_not_answer_is_ended(tmp_path: Path) -> None:
    inbox: queue.Queue[Said] = queue.Queue()
    worker = Worker(inbox)
    asleep = tmp_path / "asleep"
    worker.start(sleep_for_ever, str(asleep))
    assert collect(inbox, {"event"}) == [("event", 0)]
    started = time.monotonic()
    while not asleep.exists() and time.monotonic() - started < 60.0:
        time.sleep(0.01)
    started = time.monotonic()
    assert not worker.stop()
    assert time.monotonic() - started < 5.0
    with pytest.raises(ProcessLookupError):
        os.kill(worker.pid, 0)


def test_the_time_limit_is_kept_and_the_plan_is_one() -> None:
    problem = land()
    TEAM.ready(2)
    TEAM.wait()
    started = time.monotonic()
    plan = solve(problem, Stop(gap=0.0, time_limit_s=4.0), processes=True)
    assert time.monotonic() - started < 8.0
    assert is_plan(problem, plan)
    assert plan.objective <= plan.bound
    assert plan.stopped_by in {"time", "optimal"}
    assert plan.repeatable == (plan.stopped_by == "optimal")


def test_an_interrupt_keeps_the_best_plan() -> None:
    problem = land()
    seen: list[float] = []
    plan = solve(
        problem,
        Stop(gap=0.0, time_limit_s=60.0, interrupted=lambda: bool(seen)),
        report=lambda objective, _bound, _seconds: seen.append(objective) if objective is not None else None,
        processes=True,
    )
    assert plan.stopped_by == "interrupt"
    assert is_plan(problem, plan)


def test_an_interrupt_before_any_plan_says_so() -> None:
    with pytest.raises(InterruptedBeforePlanError):
        solve(land(), Stop(gap=0.0, time_limit_s=60.0, interrupted=lambda: True), processes=True)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs signals")
def test_a_crash_of_the_search_keeps_the_plan_and_begins_anew(caplog: pytest.LogCaptureFixture) -> None:
    problem = land()
    TEAM.ready(2)
    TEAM.wait()
    killed: list[int] = []
    workers = list(TEAM._idle)

    def kill(objective: float | None, _bound: float, _seconds: float) -> None:
        if objective is not None and not killed:
            killed.append(workers[1].pid)  # the second one taken is the search
            os.kill(killed[0], signal.SIGKILL)

    plan = solve(problem, Stop(gap=0.0, time_limit_s=8.0), report=kill, processes=True)
    assert killed
    assert is_plan(problem, plan)
    assert "the search failed" in caplog.text
    assert not plan.repeatable


def test_with_counted_work_the_plan_is_the_same_every_time() -> None:
    problem = land(8, 8)
    plans = [solve(problem, Stop(gap=0.0, time_limit_s=300.0, work_limit=1), processes=True) for _ in range(2)]
    assert plans[0].repeatable
    assert plans[0].blocks == plans[1].blocks
    assert plans[0].bound == plans[1].bound


def test_an_unreachable_target_is_proven_from_a_process() -> None:
    problem = land(8, 8)
    high = Problem(**{**vars(problem), "targets": (Target("P1", 0, -1, 10_000.0),)})
    with pytest.raises(InfeasibleError, match="at most") as told:
        solve(high, Stop(time_limit_s=60.0), processes=True)
    assert not hasattr(told.value, "__notes__")  # it is an answer: no traceback of the process beside it
