"""The books of a solve: best plan, best bound, trace, and when to stop.

Search and bound count their work in the same units. Whether the gap is closed is decided at the end of a step of the
search, with the bound that stood after a fixed share of the same work. So the decision, and with it the plan, is the
same on every machine, whether the two run in turn or at once, and however fast they are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from planner.optimise.events import BoundFound, Event, PlanFound, RootFound, StepDone
from planner.optimise.lp import ROUNDING
from planner.optimise.stop import Clock, Stop
from planner.problem import TracePoint

OPTIMAL_SHARE: Final = 1e-7
"""A plan within this share of the bound is called optimal."""
BOUND_LAG: Final = 0.75
"""Share of the search's work after which the bound's word counts: so that neither waits long for the other."""

Report = Callable[[float | None, float, float], None]
"""Called with best objective (None before the first plan), bound and seconds."""


@dataclass
class Ledger:
    """What is known so far.

    Parameters
    ----------
    stop : Stop
    clock : Clock
    constant : float
        Worth of fixed blocks, in currency: part of every objective and bound.
    report : callable
        As in `solver.solve`.
    """

    stop: Stop
    clock: Clock
    constant: float
    report: Report
    plans: list[PlanFound] = field(default_factory=list)
    bounds: list[BoundFound] = field(default_factory=list)
    trace: list[TracePoint] = field(default_factory=list)
    steps: list[StepDone] = field(default_factory=list)
    bound_ended: bool = False
    by_chance: bool = False
    decided: str | None = None
    root: RootFound | None = None
    branch_from: PlanFound | None = None
    _judged: int = 0

    def take(self, event: Event) -> None:
        """Book an event."""
        if isinstance(event, StepDone):
            self.steps.append(event)
            return
        if isinstance(event, RootFound):
            self.root = event
            return
        if isinstance(event, BoundFound):
            better = not self.bounds or event.bound < self.bounds[-1].bound
            known = event if better else BoundFound(event.work, self.bounds[-1].bound, self.bounds[-1].proof)
            self.bounds.append(known)
        else:
            best = self.best
            better = best is None or event.objective > best.objective
            self.plans.append(event)
        if better:
            self.trace.append(TracePoint(round(self.clock.elapsed(), 3), self.objective, self.bound))
        self.tell()

    def take_at_once(self, event: PlanFound | BoundFound) -> None:
        """Book an event whose work is not counted: it holds from now on, and the answer is no longer repeatable."""
        before = (self.objective, self.bound)
        self.take(replace(event, work=0.0))
        self.by_chance = self.by_chance or before != (self.objective, self.bound)

    def tell(self) -> None:
        """Report where things stand."""
        self.report(self.objective, self.bound, self.clock.elapsed())

    @property
    def best(self) -> PlanFound | None:
        """The best plan; of equals the first."""
        return _best(self.plans)

    @property
    def objective(self) -> float | None:
        """Of the best plan, fixed blocks included."""
        best = self.best
        return None if best is None else best.objective + self.constant

    @property
    def bound(self) -> float:
        """Best bound, fixed blocks included."""
        return self.bounds[-1].bound + self.constant if self.bounds else float("inf")

    def bound_owed(self) -> bool:
        """Whether a decision waits for more work on the bound."""
        return self._judged < len(self.steps) and not self.bound_ended and not self._is_bound_known(self._judged)

    def _is_bound_known(self, k: int) -> bool:
        return bool(self.bounds) and self.bounds[-1].work >= BOUND_LAG * self.steps[k].work

    def decide(self) -> str | None:
        """Why the solve ends, None while it goes on. A decision also forgets what came after it."""
        while self.decided is None and self._judged < len(self.steps):
            if not self.bound_ended and not self._is_bound_known(self._judged):
                break
            step = self.steps[self._judged]
            self.decided = self._judge(step)
            self._judged += 1
            # branch and cut counts its work in nobody's units: not where the plan has to be the same every time
            if self.root is not None and self.branch_from is None and self.stop.work_limit is None:
                self.branch_from = _best([p for p in self.plans if p.work <= step.work])
        if self.decided is None and self.bound_ended:
            self._settle_by_proof()
        if self.decided is not None:
            return self.decided
        if self.stop.interrupted():
            return "interrupt"
        return "time" if self.clock.over() else None

    def _settle_by_proof(self) -> None:
        """End where the proof brought its own plan: the search's pace has no part in that."""
        own = [p for p in self.plans if p.by_proof]
        best = _best(own)
        if best is not None and self._closed(best, self.bounds[-1].bound) == "optimal":
            self.plans, self.decided = own, "optimal"

    def _judge(self, step: StepDone) -> str | None:
        plans = [p for p in self.plans if p.work <= step.work]
        bounds = [b for b in self.bounds if b.work <= BOUND_LAG * step.work]
        reason = None
        if plans and bounds:
            best = _best(plans)
            assert best is not None
            reason = self._closed(best, bounds[-1].bound)
        if reason is None and self.stop.work_limit is not None and step.rounds >= self.stop.work_limit:
            reason = "work"
        if reason is not None and bounds:
            self.plans, self.bounds = plans, bounds
        return reason

    def _closed(self, plan: PlanFound, bound: float) -> str | None:
        value, most = plan.objective + self.constant, bound + self.constant
        # near 0 a share means nothing: there the rounding of what the plan adds up decides
        if most - value <= max(OPTIMAL_SHARE * max(abs(value), abs(most)), ROUNDING * plan.gross):
            return "optimal"
        return "gap" if most - value <= self.stop.gap * abs(value) else None


def _best(plans: list[PlanFound]) -> PlanFound | None:
    return max(plans, key=lambda p: (p.objective, -p.work), default=None)
