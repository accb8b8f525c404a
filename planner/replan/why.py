"""Which event makes a replan impossible: each is taken back in turn, and a plan is looked for without it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

from planner.contents import PlanContents
from planner.errors import ConfigError, InfeasibleError, InterruptedBeforePlanError, NoPlanInTimeError
from planner.monitoring.entries import Entries
from planner.optimise import Stop, solve
from planner.pipeline import Guard, prepare_run
from planner.progress import ProgressReport
from planner.replan.changes_file import Changes
from planner.replan.transform import replanned_config
from planner.run_result import RunResult

Verdict = Literal["possible", "impossible", "open", "needed"]
"""Without the event there is a plan, provably none, neither found nor excluded in time, or no configuration at all."""

ANY_PLAN: Final = 1e9
"""Gap at which the first plan ends the search."""


@dataclass(frozen=True)
class Blame:
    """What taking one event back would change.

    Attributes
    ----------
    number : int
        Of the event, from 1.
    kind : str
    reason : str or None
    verdict : Verdict
    """

    number: int
    kind: str
    reason: str | None
    verdict: Verdict

    def as_dict(self) -> dict[str, Any]:
        """For ``replan.json``."""
        return asdict(self)


@dataclass(frozen=True)
class Asking:
    """What the question is about.

    Attributes
    ----------
    contents : PlanContents
    changes : Changes
    progress_entries : Entries or None
    folder : pathlib.Path
        Of the plan before.
    seconds : float
        Per event.
    """

    contents: PlanContents
    changes: Changes
    progress_entries: Entries | None
    folder: Path
    seconds: float


def blamer(asking: Asking, progress: ProgressReport, guard: Guard) -> Callable[[RunResult], tuple[Blame, ...]]:
    """A function that blames events, for `planner.replan.run.Wishes`."""

    def blame(_result: RunResult) -> tuple[Blame, ...]:
        events = asking.changes.spec.changes or ()
        found = []
        for k, event in enumerate(events):
            progress.stage(f"without {k + 1}")
            with guard() as interrupted:
                if interrupted():
                    break
                verdict = _without(asking, k, interrupted)
            progress.done(f"{event.kind}: {verdict}")
            found.append(Blame(k + 1, event.kind, event.reason, verdict))
        return tuple(found)

    return blame


def _without(asking: Asking, k: int, interrupted: Callable[[], bool]) -> Verdict:
    spec = asking.changes.spec
    rest = tuple(e for j, e in enumerate(spec.changes or ()) if j != k)
    # places in messages are of no use here: an event without which nothing fits is simply needed by another
    changes = replace(asking.changes, spec=spec.model_copy(update={"changes": rest}), origins={})
    try:
        config = replanned_config(asking.contents, changes, asking.progress_entries, asking.folder).fresh
        prepared = prepare_run(config)
    except ConfigError:
        return "needed"
    limits = config.solve
    try:
        solve(prepared.problem, Stop(ANY_PLAN, asking.seconds, limits.work_limit, interrupted), limits.seed)
    except InfeasibleError:
        return "impossible"
    except (NoPlanInTimeError, InterruptedBeforePlanError):
        return "open"
    return "possible"
