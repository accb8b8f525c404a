"""The price of changing the plan before: both judges work it out anew, and a false claim is found out."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.errors import DataError
from planner.check import claims_of, read_plan
from planner.check.arrays import check_solution
from planner.problem import Block, Mode, Phase
from planner.problem_json import problem_from_dict
from tests.planner.check.arrays_builders import Document, documents
from tests.planner.check.check_builders import KEEPING_OBJECTIVE, HandPlan, keeping_plan
from tests.planner.check.mode_builders import mode_plan
from tests.planner.optimise.instances import grid_problem
from tests.planner.optimise.keeping import kept_problem
from tests.planner.optimise.plain import plan_worth

# ------------------------------------------------------------------------------------------------ layers


def test_the_plan_comes_back_from_disk(tmp_path: Any) -> None:
    tables, config, claims = read_plan(keeping_plan().write(tmp_path))
    assert config.optimise.keep is not None
    assert claims.objective == KEEPING_OBJECTIVE
    assert claims.changes == keeping_plan().claims().changes
    assert len(tables.parcels) == 24


@pytest.mark.parametrize("off", [1.0, -1.0, 7.0, 63.0])
def test_an_objective_that_forgets_changes_is_found_out(off: float) -> None:
    plan = keeping_plan()
    plan.summary["objective"] += off
    (found,) = plan.findings("objective")
    assert found.measured == pytest.approx(KEEPING_OBJECTIVE)


@pytest.mark.parametrize("key", ["price_per_parcel", "price_per_mu"])
def test_every_price_counts(key: str) -> None:
    plan = keeping_plan()
    plan.optimise["keep"][key] *= 1.1
    assert len(plan.findings("objective")) == 1
    (found,) = plan.findings("changes")
    assert found.limit == 63.0


def _drop(plan: HandPlan) -> None:
    plan.optimise["keep"]["blocks"][0]["parcels"].remove("r0c0")


def _add(plan: HandPlan) -> None:
    plan.optimise["keep"]["blocks"][0]["parcels"].append("r3c1")


def _shift(plan: HandPlan) -> None:
    plan.optimise["keep"]["blocks"][0]["phase"] = "P2"


@pytest.mark.parametrize("change", [_drop, _add, _shift])
def test_another_plan_before_is_another_worth(change: Callable[[HandPlan], None]) -> None:
    plan = keeping_plan()
    change(plan)
    assert len(plan.findings("objective")) == 1
    assert plan.findings("changes")


def test_land_that_is_gone_is_no_change() -> None:
    plan = keeping_plan()
    plan.optimise["keep"]["blocks"][1]["parcels"] += ["split further", "and further"]
    assert plan.judge().passed


@pytest.mark.parametrize(
    ("key", "value"),
    [("changed_parcels", 8), ("changed_mu", 90.01), ("kept_parcels", 4), ("kept_mu", 29.9), ("change_price", 63.1)],
)
def test_every_figure_of_the_summary_is_checked(key: str, value: float) -> None:
    plan = keeping_plan()
    plan.summary["keep"][key] = value
    (found,) = plan.findings("changes")
    assert found.limit == value


def test_changes_without_a_plan_before_are_a_finding() -> None:
    plan = keeping_plan()
    plan.optimise["keep"] = None
    assert len(plan.findings("changes")) == 1


def test_a_figure_that_is_missing_is_named() -> None:
    summary = {"objective": 1, "bound": 1, "gap": 0, "phases": [], "keep": {"changed_parcels": 1}}
    with pytest.raises(KeyError, match="kept_parcels"):
        claims_of(summary)


def test_another_mode_is_a_change() -> None:
    """Of the seven cells of the plan with modes six are as before; one was to be cleared and is kept."""
    plan = mode_plan()
    blocks: dict[tuple[int, str], list[str]] = {}
    for row in plan.parcels[plan.parcels["block_id"].notna()].itertuples():
        mode = "clear" if row.parcel_id == "r2c0" else row.mode
        blocks.setdefault((int(row.phase), mode), []).append(row.parcel_id)
    ids = [p["id"] for p in plan.optimise["phases"]]
    plan.optimise["keep"] = {
        "blocks": [
            {"id": f"{t} {mode}", "parcels": parcels, "phase": ids[t - 1], "mode": mode}
            for (t, mode), parcels in blocks.items()
        ],
        "price_per_parcel": 1000,
    }
    worth = plan.summary["objective"]
    assert len(plan.findings("objective")) == 1
    plan.summary["objective"] = worth - 1000
    assert plan.findings("objective") == []


# ------------------------------------------------------------------------------------------------ arrays


def _row() -> tuple[Document, Document]:
    """Parcels 0 to 3 in a row, worth 10: 0 as before, 1 in another mode, 2 left, 3 taken anew; prices 1, 2, 4, 8."""
    problem = grid_problem(
        4, 1, modes=(Mode("clear"), Mode("keep")), phases=(Phase("P1", 1, 1.0), Phase("P2", 2, 1.0)),
        before=(Block((0,), 0, 0), Block((1, 2), 0, 1)), change_price=np.array([1.0, 2.0, 4.0, 8.0]),
    )  # fmt: skip
    return documents(problem, (Block((0, 1), 0, 0), Block((3,), 1, 0)))


def test_the_term_is_worked_out_from_the_documents() -> None:
    report = check_solution(*_row())
    assert report.passed
    assert report.measured["objective"] == pytest.approx(30.0 - 2.0 - 4.0 - 8.0)


_FALSE: dict[str, Callable[[Document, Document], object]] = {
    "no price": lambda p, s: p["parcels"].pop("change_price"),
    "another price": lambda p, s: p["parcels"]["change_price"].__setitem__(2, 4.001),
    "another phase": lambda p, s: p["before"][0].update(phase=1),
    "another mode": lambda p, s: p["before"][1].update(mode=0),
    "nothing before": lambda p, s: p.pop("before"),
    "settled": lambda p, s: p.update(change_settled=True),
    "objective": lambda p, s: s.update(objective=s["objective"] + 4.0, gap_abs=s["gap_abs"] - 4.0),
}


@pytest.mark.parametrize("change", _FALSE.values(), ids=_FALSE.keys())
def test_a_solution_of_another_problem_is_found_out(change: Callable[[Document, Document], object]) -> None:
    problem, solution = _row()
    change(problem, solution)
    assert "objective" in {f.rule for f in check_solution(problem, solution).findings}


def test_a_price_list_of_another_length_is_refused() -> None:
    problem, solution = _row()
    problem["parcels"]["change_price"].pop()
    with pytest.raises(DataError, match="change_price"):
        check_solution(problem, solution)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000))
def test_both_agree_with_independent_code(seed: int) -> None:
    problem = kept_problem(seed)
    rng = np.random.default_rng(seed)
    free = [i for i in rng.permutation(problem.n).tolist() if i not in {j for b in problem.fixed for j in b.parcels}]
    half = len(free) // 2
    parts = [tuple(sorted(p)) for p in (free[: half // 2], free[half // 2 : half]) if p]
    blocks = [
        *problem.fixed,
        *(Block(p, int(rng.integers(len(problem.phases))), int(rng.integers(len(problem.modes)))) for p in parts),
    ]
    report = check_solution(*documents(problem, tuple(blocks)))
    assert report.measured["objective"] == pytest.approx(plan_worth(problem, blocks), rel=1e-9, abs=1e-6)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_the_document_holds_the_plan_before(seed: int) -> None:
    problem, (document, _) = kept_problem(seed), documents(kept_problem(seed), ())
    back = problem_from_dict(copy.deepcopy(document))
    assert back.before == problem.before
    assert back.change_price is not None
    assert problem.change_price is not None
    assert back.change_price.tolist() == problem.change_price.tolist()
