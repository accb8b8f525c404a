"""The JSON Schemas of problem and solution accept what the program writes, and refuse what it refuses."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jsonschema
import pytest

from geodata.errors import DataError
from planner.errors import InfeasibleError
from planner.optimise import Stop, solve
from planner.problem import OPTIONAL_ARRAYS, PARCEL_ARRAYS
from planner.problem_json import problem_from_dict, problem_to_dict, solution_to_dict
from tests.docs.conftest import SmallRun
from tests.docs.pages import DOCS, bare, examples, table_under, text_of
from tests.planner.optimise.instances import random_problem
from tests.planner.optimise.keeping import kept_problem
from tests.planner.optimise.rich import rich_problem


def _validator(name: str) -> Any:
    schema = json.loads((DOCS / "schemas" / f"{name}.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_the_schemas_accept_what_a_run_writes(small_run: SmallRun) -> None:
    _validator("problem").validate(small_run.problem)
    _validator("solution").validate(small_run.solution)


def test_the_schemas_accept_random_problems_and_their_plans() -> None:
    plans = 0
    for seed in range(12):
        problem = (random_problem, rich_problem, kept_problem)[seed % 3](seed)
        _validator("problem").validate(json.loads(json.dumps(problem_to_dict(problem))))
        try:
            plan = solve(problem, Stop(gap=0.0, work_limit=1))
        except InfeasibleError:
            continue
        _validator("solution").validate(json.loads(json.dumps(solution_to_dict(problem, plan))))
        plans += 1
    assert plans >= 3


Change = Callable[[dict[str, Any]], object]
_WRONG: dict[str, Change] = {
    "another format": lambda p: p.update(format="solution"),
    "an earlier version": lambda p: p.update(version=1),
    "no links": lambda p: p.pop("links"),
    "no area": lambda p: p["parcels"].pop("area_mu"),
    "area 0": lambda p: p["parcels"]["area_mu"].__setitem__(0, 0.0),
    "area as text": lambda p: p["parcels"]["area_mu"].__setitem__(0, "15"),
    "unknown benefit": lambda p: p["parcels"]["benefit"].__setitem__(0, None),
    "a number for true": lambda p: p["parcels"]["filler"].__setitem__(0, 1),
    "half a zone": lambda p: p["parcels"]["zone"].__setitem__(0, 0.5),
    "an id twice": lambda p: p["parcels"]["id"].__setitem__(1, p["parcels"]["id"][0]),
    "a triple": lambda p: p["adjacency"]["pairs"][0].append(2),
    "a negative length": lambda p: p["adjacency"]["shared_m"].__setitem__(0, -1.0),
    "a misspelt key of a phase": lambda p: p["phases"][0].update(budjet=1.0),
    "discount 0": lambda p: p["phases"][0].update(discount=0.0),
    "no phases": lambda p: p.update(phases=[], targets=[]),
    "filler above all": lambda p: p["block"].update(filler_max_share=1.5),
    "a misspelt optional list": lambda p: p["parcels"].update(mode_cots=[[1.0]]),
    "an unknown part": lambda p: p.update(colour="red"),
    "an unknown measure": lambda p: p["targets"][0].update(measure="ha"),
    "a negative floor": lambda p: p["targets"][0].update(floor=-1.0),
    "a negative stretch price": lambda p: p["targets"][0].update(stretch_price=-1.0),
    "no modes": lambda p: p.update(modes=[]),
    "half a duration": lambda p: p["modes"][0].update(duration=0.5),
    "no village at all": lambda p: p["block"].update(max_villages=0),
    "an empty fixed block": lambda p: p.update(fixed=[{"parcels": [], "phase": 0, "mode": 0}]),
    "a rule without a unit": lambda p: p.update(
        block_rules=[{"name": "x", "amount": [], "least": 1, "share_of": None, "modes": None}]
    ),
    "members as numbers": lambda p: p.update(groups=[{"name": "g", "members": [1] * len(p["parcels"]["id"])}]),
    "a negative use": lambda p: p.update(
        resources=[{"name": "r", "unit": "m2", "use": [-1.0] * len(p["parcels"]["id"]), "limits": [None, None]}]
    ),
    "rolling as text": lambda p: p.update(rolling="yes"),
    "a negative gap": lambda p: p["links"].update(pairs=[[0, 1]], gap_m=[-1.0]),
    "a plan before without prices": lambda p: p.update(before=[{"parcels": [0], "phase": 0, "mode": 0}]),
    "a negative price of changes": lambda p: p["parcels"].update(change_price=[-1.0] * len(p["parcels"]["id"])),
    "settled as text": lambda p: p.update(change_settled="no"),
    "a negative price": lambda p: p["weights"].update(perimeter_per_m=-1.0),
}


@pytest.mark.parametrize("change", _WRONG.values(), ids=_WRONG.keys())
def test_schema_and_program_refuse_the_same(small_run: SmallRun, change: Change) -> None:
    wrong = copy.deepcopy(small_run.problem)
    change(wrong)
    assert not _validator("problem").is_valid(wrong)
    with pytest.raises(DataError):
        problem_from_dict(wrong)


_WRONG_SOLUTIONS: dict[str, Change] = {
    "phase counted from 0": lambda s: s["blocks"][0].update(phase=0),
    "an unknown status": lambda s: s.update(status="good"),
    "an empty block": lambda s: s["blocks"][0].update(parcel_ids=[]),
    "a negative gap": lambda s: s.update(gap=-0.01),
    "no bound": lambda s: s.pop("bound"),
}


@pytest.mark.parametrize("change", _WRONG_SOLUTIONS.values(), ids=_WRONG_SOLUTIONS.keys())
def test_the_schema_refuses_wrong_solutions(small_run: SmallRun, change: Change) -> None:
    wrong = copy.deepcopy(small_run.solution)
    change(wrong)
    assert not _validator("solution").is_valid(wrong)


def _full() -> dict[str, Any]:
    """A document with an entry in every list."""
    seeds = (problem_to_dict(rich_problem(seed)) for seed in range(200))
    return next(d for d in seeds if all(d[part] for part in ("block_rules", "resources", "groups", "fixed", "targets")))


@pytest.mark.parametrize("part", ["phases", "targets", "modes", "block_rules", "resources", "groups", "fixed", "block"])
def test_the_page_lists_the_keys_of_each_part(part: str) -> None:
    written = _full()[part]
    entry, heading = (written, f"`{part}`") if part == "block" else (written[0], f"`{part}[]`")
    rows = table_under(text_of("problem-format.md"), heading).column("key")
    assert [key for row in rows for key in bare(row.split(", "))] == list(entry)


def test_the_page_lists_the_keys_of_the_problem() -> None:
    rows = table_under(text_of("problem-format.md"), "`problem.json`").column("key")
    assert [key for row in rows for key in bare(row.split(", "))] == list(_full())


def test_the_page_lists_the_keys_of_the_plan_before() -> None:
    listed = bare(table_under(text_of("problem-format.md"), "The plan before").column("key"))
    document = problem_to_dict(replace(kept_problem(0), change_settled=True))
    assert listed == [key for key in document if key not in _full()]
    assert document["before"]
    _validator("problem").validate(json.loads(json.dumps(document)))


def test_the_page_lists_the_keys_of_parcels() -> None:
    rows = table_under(text_of("problem-format.md"), "`parcels`").column("key")
    assert [key for row in rows for key in bare(row.split(", "))] == ["id", *PARCEL_ARRAYS, *OPTIONAL_ARRAYS]


def test_the_example_is_a_problem_with_the_plan_it_tells() -> None:
    """West and middle: 10 − 3, less 489.9 m of perimeter at 0.01."""
    data = json.loads(examples(text_of("problem-format.md"))["problem"])
    _validator("problem").validate(data)
    plan = solve(problem_from_dict(data), Stop(gap=0.0, work_limit=1))
    assert [b.parcels for b in plan.blocks] == [(0, 1)]
    assert plan.objective == pytest.approx(7.0 - 4.899)


def test_the_page_lists_the_keys_of_the_solution(small_run: SmallRun) -> None:
    listed = bare(table_under(text_of("problem-format.md"), "`solution.json`").column("key"))
    assert listed == list(small_run.solution)
    assert "parcel_ids" in small_run.solution["blocks"][0]
