"""The verdict on a solution from the two documents alone: ``problem.json`` and ``solution.json``.

It knows nothing of the optimiser: contacts, sums, rolling areas and the objective are worked out anew from the arrays.
What the arrays themselves were made from (geometry, scores, configuration) is the business of `planner.check.judge`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from planner.check import arrays_blocks as blocks
from planner.check import arrays_plan as plan
from planner.check import arrays_worth as worth
from planner.check.arrays_case import Case
from planner.check.arrays_reading import read_answer, read_question
from planner.check.model import CheckReport
from planner.check.outcome import Outcome, finding


@dataclass(frozen=True)
class ArrayRule:
    """A rule for solutions.

    Attributes
    ----------
    name : str
        As in findings and in ``docs/checks.md``.
    title : str
        What it makes sure of, for people.
    run : callable
        Case → Outcome.
    expected : callable
        Problem and solution documents → how many things it has to look at, counted apart from the rule.
    """

    name: str
    title: str
    run: Callable[[Case], Outcome]
    expected: Callable[[Mapping[str, Any], Mapping[str, Any]], int]


Document = Mapping[str, Any]


def _blocks(_: Document, solution: Document) -> int:
    return len(solution["blocks"])


def _free(problem: Document, solution: Document) -> int:
    """Blocks that are not exempt: a missing fixed block is a finding of its own, and makes one less here."""
    return max(0, len(solution["blocks"]) - len(problem["fixed"]))


def _free_if(key: str, off: Any) -> Callable[[Document, Document], int]:
    return lambda problem, solution: 0 if problem["block"][key] == off else _free(problem, solution)


def _bound_modes(problem: Document, solution: Document) -> int:
    """Blocks beside the rules that bind their mode; fixed ones are exempt."""
    names = [m["id"] for m in problem["modes"]]

    def binding(mode: str) -> int:
        return sum(r["modes"] is None or mode in {names[k] for k in r["modes"]} for r in problem["block_rules"])

    fixed = sum(binding(names[b["mode"]]) for b in problem["fixed"])
    return max(0, sum(binding(b["mode"]) for b in solution["blocks"]) - fixed)


def _free_parcels(problem: Document, solution: Document) -> int:
    fixed = sum(len(b["parcels"]) for b in problem["fixed"])
    return max(0, sum(len(b["parcel_ids"]) for b in solution["blocks"]) - fixed)


def _having(part: str, key: str) -> Callable[[Document, Document], int]:
    return lambda problem, _: sum(entry[key] is not None for entry in problem[part])


def _rolling(problem: Document, solution: Document) -> int:
    """Zones with land in the plan times phases."""
    if not problem["rolling"]:
        return 0
    zone = dict(zip(problem["parcels"]["id"], problem["parcels"]["zone"], strict=True))
    return len({zone[i] for b in solution["blocks"] for i in b["parcel_ids"] if i in zone}) * len(problem["phases"])


ARRAY_RULES: Final[tuple[ArrayRule, ...]] = (
    ArrayRule(
        "assignment", "blocks hold known parcels, each once, in known phases and modes", plan.assignment, _blocks
    ),
    ArrayRule("figures", "areas of blocks are those of their parcels", worth.figures, _blocks),
    ArrayRule("fixed", "fixed blocks stand", plan.fixed, lambda p, _: len(p["fixed"])),
    ArrayRule("contiguity", "every block is one connected piece", blocks.contiguity, _free),
    ArrayRule("block_size", "areas of blocks within their limits", blocks.block_size, _free),
    ArrayRule("within_zone", "blocks within one zone", blocks.within_zone, _free_if("within_zone", False)),
    ArrayRule("filler", "filler within its share of a block", blocks.filler, _free),
    ArrayRule("villages", "blocks within few villages", blocks.villages, _free_if("max_villages", None)),
    ArrayRule("block_rules", "blocks reach the sums asked for", blocks.block_rules, _bound_modes),
    ArrayRule("selectable", "no closed land in the plan", blocks.selectable, _free_parcels),
    ArrayRule("earliest", "parcels taken when available", blocks.earliest, _free_parcels),
    ArrayRule("modes", "parcels allow the mode of their block", blocks.modes, _free_parcels),
    ArrayRule("locks", "locks are obeyed", plan.locks, lambda p, _: sum(lock >= 0 for lock in p["parcels"]["lock_by"])),
    ArrayRule("targets", "floors are reached", plan.targets, lambda p, _: sum(t["floor"] > 0 for t in p["targets"])),
    ArrayRule("ceilings", "ceilings are kept", plan.ceilings, _having("targets", "ceiling")),
    ArrayRule("budgets", "budgets are kept", plan.budgets, _having("phases", "budget")),
    ArrayRule(
        "resources",
        "resources suffice",
        plan.resources,
        lambda p, _: sum(limit is not None for r in p["resources"] for limit in r["limits"]),
    ),
    ArrayRule("max_blocks", "not too many blocks in a phase", plan.max_blocks, _having("phases", "max_blocks")),
    ArrayRule("rolling", "what is taken in a zone grows as one area", plan.rolling, _rolling),
    ArrayRule("objective", "the objective is what the blocks are worth", worth.objective, lambda *_: 1),
    ArrayRule("bound", "bound and gap fit the objective", worth.bound, lambda *_: 1),
    ArrayRule("trace", "plans got better and bounds lower", worth.trace, lambda _, s: len(s["trace"])),
)
"""All rules for solutions, in the order they are applied and reported."""

TITLES: Final = {rule.name: rule.title for rule in ARRAY_RULES}


def check_solution(problem: Document, solution: Document) -> CheckReport:
    """Judge a solution by its problem.

    Parameters
    ----------
    problem, solution : mapping
        The documents ``problem.json`` and ``solution.json`` as read; not changed.

    Returns
    -------
    CheckReport
        Passed when it holds no error. Blocks go by their number in the solution, from 1.

    Raises
    ------
    geodata.errors.DataError
        A document is not of its form.
    """
    case = Case(read_question(problem), read_answer(solution))
    return apply_array_rules(case, problem, solution, ARRAY_RULES)


def apply_array_rules(case: Case, problem: Document, solution: Document, rules: Sequence[ArrayRule]) -> CheckReport:
    """Apply `rules`, then make sure that none looked at fewer things than the documents hold."""
    outcomes = {rule.name: rule.run(case) for rule in rules}
    findings = [f for outcome in outcomes.values() for f in outcome.findings]
    for rule in rules:
        checked, expected = outcomes[rule.name].checked, int(rule.expected(problem, solution))
        if checked < expected:
            message = f"Rule {rule.name} looked at {checked} of {expected} things: {rule.title} is not proven."
            has, asked = float(checked), float(expected)
            findings.append(finding("completeness", message, measured=has, limit=asked, unit="things"))
    measured = {name: float(value) for outcome in outcomes.values() for name, value in outcome.measured.items()}
    counts = {name: outcome.checked for name, outcome in outcomes.items()} | {"completeness": len(rules)}
    return CheckReport(tuple(findings), counts, measured)
