"""`planner replan`: from a plan and what happened to a plan with few changes, and what that costs.

The row of `tests.planner.replan.row_land`. The owner of P01 refuses, so P00 is alone and lost too, and P1 lacks a pair.
With few changes {P06, P07} takes its place: 2 parcels leave, 2 come in. Planned anew the better pair {P02, P03} comes
first and {P06, P07} second: 2 leave, 2 come in, 2 come in another phase.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from planner.check import check_plan, read_plan
from planner.cli_shared import Exit
from planner.config_file import load_config
from planner.contents import read_contents
from tests.docs.pages import DOCS
from tests.planner.land_builders import NO_PLAN_FILES, PLAN_FILES, names, planner
from tests.planner.replan.row_land import D1, D3, PERIMETER, WORTH, row_run, write_changes

KEPT = 1200 * D1 + 1600 * D3 - 2 * PERIMETER
ANEW = 1600 * D1 + 1200 * D3 - 2 * PERIMETER
FIRST, SECOND = "R-X-2026-001", "R-X-2026-002"
REFUSAL = {"refused": ["P01"], "reason": "will not sign"}


def replanned(plan: Path, out: Path, *events: dict[str, Any], options: tuple[str, ...] = (), **keys: Any) -> Any:
    changes = write_changes(out.parent / "changes.yaml", *events, **keys)
    return planner("replan", plan, "--changes", changes, "--out", out, "--quiet", *options)


def figures(out: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((out / "replan.json").read_text(encoding="utf-8"))
    return loaded


def blocks(folder: Path) -> dict[str, tuple[str, ...]]:
    """Code and phase → parcels."""
    parcels = read_contents(folder).tables.parcels
    codes = read_contents(folder).codes or {}
    chosen = parcels[parcels["block_id"].notna()]
    return {
        f"{codes[str(b)]} {int(rows['phase'].iloc[0])}": tuple(sorted(rows["parcel_id"]))
        for b, rows in chosen.groupby("block_id")
    }


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose workbook people have filled in; not to be changed."""
    folder = row_run(tmp_path_factory.mktemp("row"))
    book = openpyxl.load_workbook(folder / "plan.xlsx")
    sheet = next(s for s in book if "责任清单" in s.title)
    heads = {str(c.value).split("\n")[0]: c for row in sheet.iter_rows(max_row=12) for c in row if c.value}
    column = next(c for text, c in heads.items() if "eader" in text or "挂点" in text)
    sheet.cell(column.row + 1, column.column, "Deputy mayor Zhao")
    book.save(folder / "plan.xlsx")
    return folder


@pytest.fixture(scope="module")
def refused(plan: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The replan after a refusal, and what was said; not to be changed."""
    out = tmp_path_factory.mktemp("refused") / "out"
    result = replanned(plan, out, REFUSAL, title="A refusal", options=("--frontier", "0,1"))
    assert result.exit_code == 0, result.output
    return out, result.stdout


def test_the_replan_changes_fewer_parcels_than_planning_anew_and_says_what_that_costs(
    refused: tuple[Path, str],
) -> None:
    told = figures(refused[0])
    replan, fresh = told["replan"], told["fresh"]
    assert replan["diff"]["parcels"] == ["P00", "P01", "P06", "P07"]
    assert fresh["diff"]["parcels"] == ["P00", "P01", "P02", "P03", "P06", "P07"]
    assert (replan["diff"]["entered_mu"], replan["diff"]["left_mu"]) == (pytest.approx(20), pytest.approx(20))
    assert (fresh["diff"]["moved_mu"], fresh["diff"]["unchanged_mu"]) == (pytest.approx(20), 0)
    assert told["before"]["worth"] == pytest.approx(WORTH)
    assert replan["worth"] == pytest.approx(KEPT)
    assert replan["price_paid"] == pytest.approx(40 * 50)
    assert fresh["worth"] == pytest.approx(ANEW)
    assert told["cost"]["at_least"] == pytest.approx(ANEW - KEPT)
    assert told["cost"]["at_most"] == pytest.approx(fresh["bound"] - KEPT)
    assert told["cost"]["at_most"] == pytest.approx(ANEW - KEPT, rel=1e-4)  # the gap asked for is 0
    assert told["cost"]["share_at_most"] == pytest.approx((ANEW - KEPT) / ANEW, rel=1e-4)


def test_the_plan_before_is_judged_under_the_new_conditions(refused: tuple[Path, str]) -> None:
    judged = figures(refused[0])["judged"]
    assert (judged["passed"], judged["worth"]) == (False, None)
    assert {b["rule"] for b in judged["broken"]} == {"locks"}
    (rest,) = judged["blocks"]
    assert (rest["name"], rest["lost"], rest["left_mu"], rest["stands"]) == (FIRST, ["P01"], pytest.approx(10), False)
    lacks = {t["target"]: t["missing"] for t in judged["targets"]}
    assert lacks == {"P1": pytest.approx(20), "P2": pytest.approx(20)}


def test_blocks_keep_their_codes_and_the_workbook_its_hand_filled_cells(refused: tuple[Path, str]) -> None:
    out, said = refused
    assert blocks(out) == {"R-X-2026-003 1": ("P06", "P07"), f"{SECOND} 2": ("P02", "P03")}
    text = json.dumps(
        [[c for c in row if c] for s in openpyxl.load_workbook(out / "plan.xlsx") for row in s.values], default=str
    )
    assert "Deputy mayor Zhao" in text
    assert "were kept" in said


def test_the_folder_is_that_of_a_run_with_the_report_the_comparison_and_the_plan_made_anew(
    refused: tuple[Path, str],
) -> None:
    out, said = refused
    assert names(out) == PLAN_FILES | {"replan.md", "replan.json", "compare.html", "fresh"}
    assert names(out / "fresh") == PLAN_FILES
    assert names(out.parent) == {"out", "changes.yaml"}
    for folder in (out, out / "fresh"):
        assert check_plan(*read_plan(folder)).passed
        assert load_config(folder / "config.resolved.yaml").config.parcels.path.is_file()  # type: ignore[union-attr]
    layer = read_contents(out).tables.parcels.set_index("parcel_id")["change"]
    assert layer.dropna().to_dict() == {"P00": "left", "P01": "left", "P06": "entered", "P07": "entered"}
    page = (out / "compare.html").read_text(encoding="utf-8")
    assert all(name in page for name in ('"before"', '"replanned"', '"fresh"'))
    assert "A refusal" in said
    assert "The replan changes 4 parcel(s), 40.00 mu" in said


def test_the_report_says_it_in_words(refused: tuple[Path, str]) -> None:
    text = (refused[0] / "replan.md").read_text(encoding="utf-8")
    assert "# A refusal" in text
    assert "Planning anew would change 6 parcel(s), 60.00 mu: 1.5 times the mu of the replan." in text
    assert f"costs at most CNY {ANEW - KEPT:,.0f}" in text
    assert "1 parcel(s) refused: 10.00 mu – will not sign" in text
    assert f"| {FIRST} | P1-01 | P1 | 10.00 | 10.00 | 1 | no block any more |" in text
    assert f"| {FIRST} | dropped | P1-01 → – | P1 → – | 20.00 | – | 0.00 | 20.00 |" in text
    assert f"Kept exactly: {SECOND}." in text


def test_other_prices_are_told(refused: tuple[Path, str]) -> None:
    free, itself = figures(refused[0])["frontier"]
    assert (free["factor"], free["parcels"], free["worth"]) == (0, 6, pytest.approx(ANEW))
    assert (itself["factor"], itself["parcels"], itself["worth"]) == (1, 4, pytest.approx(KEPT))


@pytest.mark.slow
def test_a_price_of_nothing_is_planning_anew(plan: Path, tmp_path: Path) -> None:
    keep = {"price_per_mu": 0}
    result = replanned(plan, tmp_path / "out", REFUSAL, keep=keep, options=("--no-fresh",))
    assert result.exit_code == 0, result.output
    told = figures(tmp_path / "out")
    assert told["replan"]["worth"] == pytest.approx(ANEW)
    assert (told["fresh"], told["no_fresh"], told["cost"]) == (None, "not_asked", None)
    assert "planning anew was not asked for" in result.stdout
    assert "fresh" not in names(tmp_path / "out")


@pytest.mark.slow
def test_done_blocks_stand_while_time_goes_on(plan: Path, tmp_path: Path) -> None:
    """P1 is over and done; Chen of P02 refuses: P03 pairs with P04 (1300 > 1200 of {P06, P07}), P1 is untouched."""
    events = ({"done": [FIRST]}, {"now": "P2"}, {"refused_where": "owner == 'Chen 陈'"})
    result = replanned(plan, tmp_path / "out", *events)
    assert result.exit_code == 0, result.output
    assert blocks(tmp_path / "out") == {f"{FIRST} 1": ("P00", "P01"), "R-X-2026-003 2": ("P03", "P04")}
    told = figures(tmp_path / "out")
    fate = {b["name"]: (b["fate"], b["standing"]) for b in told["replan"]["diff"]["blocks"]}
    assert fate[FIRST] == ("kept", True)
    assert told["cost"]["found"] == pytest.approx(0)


@pytest.mark.slow
def test_what_is_over_cannot_be_made_up_for_in_it(plan: Path, tmp_path: Path) -> None:
    """Nothing was begun in P1: its 20 mu are missing, and P2 takes one block only, so its target falls to 20."""
    result = replanned(plan, tmp_path / "out", {"now": "P2"}, {"target": {"P2": {"target_mu": 20}}})
    assert result.exit_code == 0, result.output
    assert set(blocks(tmp_path / "out").values()) <= {("P00", "P01"), ("P02", "P03")}
    assert all(key.endswith(" 2") for key in blocks(tmp_path / "out"))
    text = (tmp_path / "out" / "replan.md").read_text(encoding="utf-8")
    assert "P1 is over: 20.00 mu were asked for, 0.00 mu stand, 20.00 mu are missing" in text
    assert f"{FIRST} (P1-01) of P1 was not begun: 20.00 mu slip to P2 or later" in text


@pytest.mark.slow
def test_where_nothing_has_happened_to_the_plan_it_stays(plan: Path, tmp_path: Path) -> None:
    result = replanned(plan, tmp_path / "out", {"refused": ["P04"]}, options=("--no-fresh",))
    assert result.exit_code == 0, result.output
    told = figures(tmp_path / "out")
    assert told["judged"]["passed"]
    assert told["judged"]["worth"] == pytest.approx(WORTH)
    assert told["replan"]["diff"]["parcels_changed"] == 0
    assert "still holds" in result.stdout


@pytest.mark.slow
def test_a_budget_is_cut(plan: Path, tmp_path: Path) -> None:
    """At 2 a mu a pair costs 40; P1 has 39 left, so its target goes, and only P2 gets a block: the better one."""
    cost = {"set": {"optimise": {"cost": {"value": "2", "per": "mu"}}}}
    events = (cost, {"budget": {"P1": 39}}, {"target": {"P1": {"target_mu": 0}, "P2": {"target_mu": 20}}})
    result = replanned(plan, tmp_path / "out", *events, options=("--no-fresh",))
    assert result.exit_code == 0, result.output
    assert list(blocks(tmp_path / "out")) == [f"{SECOND} 2"]
    assert "budget of P1: – → 39" in (tmp_path / "out" / "replan.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_without_a_plan_it_is_told_what_is_short_and_which_event_is_to_blame(plan: Path, tmp_path: Path) -> None:
    """Of P02 to P07 no pair is left; P00 and P01 alone are 20 mu of 40."""
    out = tmp_path / "out"
    events = ({"refused": [f"P0{k}" for k in range(2, 8)]}, {"lock": {"in": ["P00"]}})
    result = replanned(plan, out, *events, options=("--why",))
    assert result.exit_code == Exit.UNREACHABLE, result.output
    assert "See" in result.stderr
    assert names(out) == NO_PLAN_FILES | {"replan.md", "replan.json"}
    told = figures(out)
    assert told["replan"] is None
    assert [(b["kind"], b["verdict"]) for b in told["blame"]] == [("refused", "possible"), ("lock", "impossible")]
    text = (out / "replan.md").read_text(encoding="utf-8")
    assert "| P2 | mu | 40.00 | 20.00 | 20.00 |" in text
    assert "1. `refused`: there is a plan without it" in text


@pytest.mark.slow
def test_a_replan_can_be_replanned(refused: tuple[Path, str], tmp_path: Path) -> None:
    result = replanned(refused[0], tmp_path / "out", {"refused": ["P04"]}, options=("--no-fresh",))
    assert result.exit_code == 0, result.output
    told = figures(tmp_path / "out")
    assert told["before"]["worth"] == pytest.approx(KEPT)  # what changes cost the time before is no part of its worth
    assert told["replan"]["diff"]["parcels_changed"] == 0


@pytest.mark.slow
def test_one_owner_of_60_mu_drops_out_of_the_sample(tmp_path: Path) -> None:
    """4 500 of 4 545 mu leave no room for it; with 4 400 the replan changes less land than planning anew."""
    sample, plan = DOCS.parent / "config.yaml", tmp_path / "plan"
    assert planner("run", sample, "--out", plan, "--quiet").exit_code == 0
    owner = {"refused": ["441900118003JC00111"]}
    result = replanned(plan, tmp_path / "none", owner, options=("--time-limit", "30"))
    assert result.exit_code == Exit.UNREACHABLE, result.output
    judged = figures(tmp_path / "none")["judged"]
    (lack,) = judged["targets"]
    assert lack["target"] == "P3"
    assert lack["missing"] > 0
    failed = {s["target"]: s for s in figures(tmp_path / "none")["failed"]["shortfalls"]}
    assert failed["P3"]["proven_max_mu"] < 4500

    example = DOCS.parent / "examples" / "changes.yaml"
    result = planner("replan", plan, "--changes", example, "--out", tmp_path / "few", "--quiet")
    assert result.exit_code == 0, result.output
    told = figures(tmp_path / "few")
    few, anew = told["replan"], told["fresh"]
    assert "441900118003JC00111" in few["diff"]["parcels"]
    assert 60 < few["diff"]["changed_mu"] < anew["diff"]["changed_mu"] / 2
    assert few["diff"]["parcels_changed"] < anew["diff"]["parcels_changed"]
    assert few["diff"]["blocks_by_fate"]["kept"] > len(few["diff"]["blocks"]) / 2
    assert few["phases"][-1]["cumulative_mu"] >= 4400 - 0.01
    assert 0 <= told["cost"]["at_least"] <= told["cost"]["at_most"] < 0.05 * anew["bound"]
    assert check_plan(*read_plan(tmp_path / "few")).passed


def test_refused_commands(plan: Path, tmp_path: Path) -> None:
    changes = write_changes(tmp_path / "changes.yaml", REFUSAL)
    for arguments, said in (
        ((plan,), "what happened, or the progress of projects"),
        ((plan, "--changes", changes, "--out", plan), "the folder of the plan before"),
        ((plan, "--changes", changes, "--out", tmp_path / "o", "--frontier", "a"), "factors from 0"),
        ((plan, "--changes", tmp_path / "no.yaml", "--out", tmp_path / "o"), "no such file"),
        ((plan, "--changes", changes, "--out", tmp_path), "files that are no earlier run"),
    ):
        result = planner("replan", *arguments)
        assert result.exit_code == Exit.USAGE, result.output
        assert said in result.stderr
    assert not (tmp_path / "o").exists()


def test_an_unreadable_plan_is_a_data_error(tmp_path: Path) -> None:
    changes = write_changes(tmp_path / "changes.yaml", REFUSAL)
    result = planner("replan", tmp_path / "none", "--changes", changes, "--out", tmp_path / "o")
    assert result.exit_code == Exit.DATA
