"""Questions put to the solver again and again: one budget of time, one way to answer, intervals instead of guesses."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from planner.errors import InfeasibleError, InterruptedBeforePlanError, NoPlanInTimeError
from planner.optimise import Stop, solve
from planner.optimise.evaluate import objective, plan_faults
from planner.optimise.options import availability
from planner.optimise.presolve import usable_graph
from planner.optimise.stop import Clock
from planner.problem import Block, Problem
from planner.progress import ProgressReport, Silent


@dataclass(frozen=True)
class Interval:
    """What is known of a figure: it lies in [low, high]; None = nothing is proven on that side."""

    low: float | None
    high: float | None

    @property
    def is_exact(self) -> bool:
        """Both ends are the same, up to rounding."""
        if self.low is None or self.high is None:
            return False
        return self.high - self.low <= 1e-6 * max(1.0, abs(self.high))


Verdict = Literal["optimal", "feasible", "infeasible", "no_plan", "not_asked"]
"""A proven best plan, a plan, a proof that there is none, neither in time, or no time left to ask."""


@dataclass(frozen=True)
class Answer:
    """What a solve found out.

    Attributes
    ----------
    verdict : str
    objective : float or None
        Worth of the best plan found, currency.
    bound : float or None
        No plan is worth more, currency; None = nothing proven.
    blocks : tuple of Block
        The best plan found.
    message : str
        Why there is none.
    """

    verdict: Verdict
    objective: float | None = None
    bound: float | None = None
    blocks: tuple[Block, ...] = ()
    message: str = ""

    @property
    def has_plan(self) -> bool:
        """Whether a plan was found."""
        return self.objective is not None


def never() -> bool:
    """For questions that nobody interrupts."""
    return False


@dataclass
class Asker:
    """Puts questions to the solver within a budget of time.

    Attributes
    ----------
    time_limit_s : float
        For all questions together.
    seed : int
    gap : float
        Relative gap at which a question is answered well enough.
    processes : bool or None
        As in `planner.optimise.solve`.
    interrupted : callable
        Asked between short steps; True ends the question at hand, and no further one is asked.
    progress : ProgressReport
    """

    time_limit_s: float = 120.0
    seed: int = 0
    gap: float = 1e-3
    processes: bool | None = None
    interrupted: Callable[[], bool] = never
    progress: ProgressReport = field(default_factory=Silent)

    def __post_init__(self) -> None:
        self.clock = Clock(self.time_limit_s)

    def share(self, questions_left: int) -> float:
        """Seconds for the next of so many questions: an equal part of what is left."""
        return max(0.0, self.clock.remaining()) / max(1, questions_left)

    @property
    def is_over(self) -> bool:
        """Whether nothing more can be asked."""
        return self.interrupted() or self.clock.over()

    def ask(self, name: str, problem: Problem, seconds: float, start: Sequence[Block] = ()) -> Answer:
        """Solve a problem for some seconds.

        Parameters
        ----------
        name : str
            For progress.
        problem : Problem
        seconds : float
        start : sequence of Block
            A plan to begin with; passed over if it is none.
        """
        if self.is_over or seconds <= 0:
            why = "interrupted" if self.interrupted() else "no time left"
            return Answer("not_asked", message=why)
        self.progress.stage(name)
        answer = self._solve(problem, seconds, start)
        self.progress.done(answer.message or answer.verdict)
        return answer

    def _solve(self, problem: Problem, seconds: float, start: Sequence[Block]) -> Answer:
        stop = Stop(self.gap, seconds, None, self.interrupted)
        try:
            plan = solve(problem, stop, self.seed, self.progress.solve, start=start, processes=self.processes)
        except InfeasibleError as error:
            return Answer("infeasible", message=str(error))
        except (NoPlanInTimeError, InterruptedBeforePlanError) as error:
            return self._as_it_was(problem, start) or Answer("no_plan", message=str(error))
        verdict: Verdict = "optimal" if plan.status == "optimal" else "feasible"
        return Answer(verdict, plan.objective, plan.bound if math.isfinite(plan.bound) else None, plan.blocks)

    def _as_it_was(self, problem: Problem, start: Sequence[Block]) -> Answer | None:
        """The start, where it is a plan: time too short for the solver to say anything does not unmake it."""
        graph = usable_graph(problem)
        if not start or plan_faults(problem, graph, start, availability(problem)):
            return None
        return Answer("feasible", objective(problem, graph, start), None, tuple(start))
