"""Errors of the planner; the command line gives each its exit code."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from geodata.errors import Issue


class PlannerError(Exception):
    """Base of everything `planner` raises on purpose."""


class ConfigError(PlannerError):
    """The configuration cannot be used; all its issues are listed.

    Parameters
    ----------
    issues : Issue or iterable of Issue
        At least one; ``where`` names file, line and key.
    """

    def __init__(self, issues: Issue | Iterable[Issue]) -> None:
        self.issues: tuple[Issue, ...] = (issues,) if isinstance(issues, Issue) else tuple(issues)
        if not self.issues:
            raise ValueError("a ConfigError needs at least one issue")
        super().__init__("\n".join(str(issue) for issue in self.issues))


@dataclass(frozen=True)
class Shortfall:
    """A target that is not reached, in mu.

    Attributes
    ----------
    target : str
        Which target, e.g. ``'phase P2, zone Luoma'``.
    target_mu : float
        What is asked for.
    proven_max_mu : float or None
        The most any plan can reach, by a valid bound; None where it was not computed.
    found_mu : float or None
        The most that a plan at hand reaches; None without one.
    """

    target: str
    target_mu: float
    proven_max_mu: float | None
    found_mu: float | None
    unit: str = "mu"


class InfeasibleError(PlannerError):
    """No plan exists, and a valid bound proves it."""

    def __init__(self, message: str, shortfalls: tuple[Shortfall, ...] = (), details: dict[str, Any] | None = None):
        super().__init__(message)
        self.shortfalls = shortfalls
        self.details = details or {}


class NoPlanInTimeError(PlannerError):
    """No plan was found before the limit, and none was proven impossible."""

    def __init__(self, message: str, shortfalls: tuple[Shortfall, ...] = (), details: dict[str, Any] | None = None):
        super().__init__(message)
        self.shortfalls = shortfalls
        self.details = details or {}


class PlanRejectedError(PlannerError):
    """The optimiser's plan failed the independent check; it is kept apart and never called a plan."""


class InterruptedBeforePlanError(PlannerError):
    """Ctrl-C before the first plan was found."""
