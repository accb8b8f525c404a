"""Runs search and bound: in turn in this process, or in a process each, where either can be ended at any moment."""

from __future__ import annotations

import atexit
import logging
import queue
from collections.abc import Callable, Iterator
from typing import Any, Final

from planner.errors import PlannerError
from planner.optimise.events import Event, StepDone
from planner.optimise.ledger import Ledger
from planner.optimise.proving import disprove, prove, prove_by_branching, reach
from planner.optimise.search import Search
from planner.optimise.stop import Clock
from planner.optimise.worker import Said, Worker
from planner.problem import Block, Bools, Problem

_LOG = logging.getLogger(__name__)
_BEAT_S: Final = 0.2
_ROUNDS_WITHOUT_PLAN: Final = 2
_MOST_CRASHES: Final = 3


def never() -> bool:
    """For steps that nothing cuts short: their process is ended from outside."""
    return False


def search(
    problem: Problem,
    graph: Any,
    open_: Bools,
    seed: int,
    start: tuple[Block, ...],
    stopped: Callable[[], bool] = never,
) -> Iterator[Event]:
    """Events of a search."""
    yield from Search(problem, graph, open_, seed, stopped, start).steps()


def run_in_turn(ledger: Ledger, problem: Problem, graph: Any, open_: Bools, seed: int, start: tuple[Block, ...]) -> str:
    """Search and bound in this process; small problems.

    Returns
    -------
    str
        Why it ended.

    Raises
    ------
    InfeasibleError
        The bound proves that there is no plan.
    """

    def stopped() -> bool:
        return ledger.stop.interrupted() or ledger.clock.over()

    searching = search(problem, graph, open_, seed, start, stopped)
    proving: Iterator[Event] | None = prove(problem, graph, open_, ledger.clock.remaining())
    asked = False
    while (reason := ledger.decide()) is None:
        behind = not ledger.bounds or not ledger.steps or ledger.bounds[-1].work <= ledger.steps[-1].work
        if proving is not None and (behind or ledger.bound_owed()):
            event = next(proving, None)
            if event is not None:
                ledger.take(event)
                continue
            proving, ledger.root = None, None  # no branching here: it could not be stopped
            ledger.bound_ended = True
            continue
        ledger.take(next(searching))
        if not asked and _is_hopeless(ledger):
            asked = True
            for _ in disprove(problem, graph, open_, ledger.clock.remaining()):
                pass
    return reason


def branch_task(ledger: Ledger, problem: Problem, graph: Any, open_: Bools) -> tuple[Any, ...]:
    """What branching begins with."""
    root, plan = ledger.root, ledger.branch_from
    assert root is not None
    assert plan is not None
    return problem, graph, open_, root, plan.blocks, plan.objective, ledger.clock.remaining()


def _is_hopeless(ledger: Ledger) -> bool:
    """No plan after some rounds: worth asking whether there can be one."""
    return not ledger.plans and bool(ledger.steps) and ledger.steps[-1].rounds >= _ROUNDS_WITHOUT_PLAN


class Team:
    """Worker processes for search, bound and proofs of infeasibility; started once, used by many solves."""

    def __init__(self) -> None:
        self.inbox: queue.Queue[Said] = queue.Queue()
        self._idle: list[Worker] = []

    def ready(self, count: int) -> None:
        """Start processes ahead of time, so that they have loaded what they need when they are wanted."""
        while len(self._idle) < count:
            self._idle.append(Worker(self.inbox))

    def wait(self) -> None:
        """Until all processes at leisure have loaded what they need: a solve's clock starts after that."""
        for worker in self._idle:
            worker.wait()

    def take(self) -> Worker:
        """A worker at leisure."""
        return self._idle.pop(0) if self._idle else Worker(self.inbox)

    def leave(self, worker: Worker) -> None:
        """A worker that is done, or to be stopped."""
        if worker.stop():
            self._idle.append(worker)

    def close(self) -> None:
        """End all processes at leisure."""
        while self._idle:
            self._idle.pop().kill()


TEAM: Final = Team()
atexit.register(TEAM.close)


def ask_reach(problem: Problem, graph: Any, open_: Bools, limit_s: float) -> list[float] | None:
    """Proven reach of each target, from a process that is ended when the time is up."""
    worker, clock = TEAM.take(), Clock(limit_s)
    worker.start(reach, problem, graph, open_, limit_s)
    try:
        while not clock.over():
            try:
                said = TEAM.inbox.get(timeout=_BEAT_S)
            except queue.Empty:
                continue
            if said.worker is worker and isinstance(said.value, list):
                return said.value
            if said.worker is worker and said.kind != "event":
                worker.busy = False
                return None
        return None
    finally:
        TEAM.leave(worker)


class Crew:
    """One solve with a process for the search and one for the bound."""

    def __init__(
        self, ledger: Ledger, problem: Problem, graph: Any, open_: Bools, seed: int, start: tuple[Block, ...]
    ) -> None:
        self.ledger = ledger
        self.land = (problem, graph, open_)
        self.seed = seed
        self.crashes = 0
        self.asked = self.branching = False
        self.roles: dict[str, Worker] = {}
        self._begin("bound", prove, *self.land, ledger.clock.remaining())
        self._begin("search", search, *self.land, seed, start)

    def _begin(self, role: str, make: Callable[..., Iterator[Event]], *arguments: Any) -> None:
        worker = TEAM.take()
        worker.start(make, *arguments)
        self.roles[role] = worker

    def run(self) -> str:
        """Why it ended."""
        try:
            while (reason := self.ledger.decide()) is None:
                try:
                    said = TEAM.inbox.get(timeout=_BEAT_S)
                except queue.Empty:
                    self.ledger.tell()
                    continue
                if self.ledger.branch_from is not None and not self.branching:
                    self.branching = True
                    self._begin("bound", prove_by_branching, *branch_task(self.ledger, *self.land))
                role = next((r for r, w in self.roles.items() if w is said.worker), None)
                if role is not None:
                    self._hear(role, said)
            return reason
        finally:
            for worker in self.roles.values():
                TEAM.leave(worker)

    def _hear(self, role: str, said: Said) -> None:
        if said.kind == "event" and role == "bound" and self.branching:
            self.ledger.take_at_once(said.value)
        elif said.kind == "event":
            self.ledger.take(said.value)
            if isinstance(said.value, StepDone) and not self.asked and _is_hopeless(self.ledger):
                self.asked = True
                self._begin("reach", disprove, *self.land, self.ledger.clock.remaining())
        elif said.kind == "end":
            said.worker.busy = False
            self._over(role)
        elif said.kind == "error" and isinstance(said.value, PlannerError):
            said.worker.busy = False
            raise said.value
        else:
            self._crashed(role, said)

    def _over(self, role: str) -> None:
        TEAM.leave(self.roles.pop(role))
        if role == "bound":
            self.ledger.bound_ended = True

    def _crashed(self, role: str, said: Said) -> None:
        """A process failed: the plan and the bound so far stand; the search begins anew from its best plan."""
        self.crashes += 1
        self.ledger.by_chance = True
        why = "its process ended" if said.kind == "lost" else f"{type(said.value).__name__}: {said.value}"
        _LOG.warning("the %s failed (%s); the best plan and bound so far are kept", role, why)
        del self.roles[role]
        if said.kind == "lost":
            said.worker.kill()
        else:
            said.worker.busy = False
            TEAM.leave(said.worker)
        if role == "bound":
            self.ledger.bound_ended = True
        elif role == "search":
            if self.crashes >= _MOST_CRASHES:
                raise RuntimeError(f"the search failed {self.crashes} times ({why})") from (
                    said.value if isinstance(said.value, BaseException) else None
                )
            best = self.ledger.best.blocks if self.ledger.best is not None else ()
            self._begin("search", search, *self.land, self.seed + self.crashes, best)
