"""Where a plan of three projects stands, worked out by hand."""

import datetime

import pandas as pd
import pytest

from planner.errors import ConfigError
from planner.monitoring.entries import Approval, Entries, Entry
from planner.monitoring.months import Calendar, month_text, serial
from planner.monitoring.planned import calendar_of, planned_projects
from planner.monitoring.standing import standing_of
from tests.planner.monitoring.small import AT, CODES, DONE, LATE, ONE, THREE, TWO, coded, entries_of, standing

FROM_START = {"optimise": {"phases": [{"id": "P1", "year": 1}, {"id": "P2", "year": 3}], "base_year": 0}}


def test_states_and_slips() -> None:
    progress = standing(DONE, LATE)
    assert [(p.plan.code, p.shown, p.slip) for p in progress.projects] == [
        (ONE, "done", 0),
        (TWO, "late", 4),
        (THREE, "late", 5),
    ]
    assert [p.plan.code for p in progress.slipping] == [THREE, TWO]
    assert [round(p.at_stake_mu, 3) for p in progress.slipping] == [45.006, 20.004]
    coming = [p.coming for p in progress.slipping]
    assert [c.milestone for c in coming if c is not None] == ["launched", "levelled"]


def test_targets_of_the_phases() -> None:
    first, second = standing(DONE, LATE).phases
    assert (month_text(first.end), month_text(second.end)) == ("2026-12", "2027-12")
    assert first.planned_mu == pytest.approx(60.011)
    assert second.planned_mu == pytest.approx(105.017)
    assert first.counted_mu == pytest.approx(28.5)  # 30.007 by the share 28.5 / 30.007 that is cleared
    assert first.forecast_mu == pytest.approx(28.5)  # the second is levelled in 2026-11 + 4
    assert first.target_month == serial("2027-03")
    assert first.late_by == 3
    assert second.forecast_mu == pytest.approx(28.5 + 30.004 + 45.006)
    assert second.target_month == serial("2027-10")  # 2027-05 + 5
    assert second.late_by == 0
    assert second.stretch_month is None  # 103.51 of 110


def test_a_project_that_is_dropped_counts_for_nothing() -> None:
    progress = standing(DONE, LATE, Entry(THREE, "dropped"))
    assert progress.projects[2].shown == "dropped"
    assert progress.projects[2].slip == 0
    assert progress.projects[2].to_clear_mu == 0.0
    assert progress.phases[1].forecast_mu == pytest.approx(58.504)
    assert progress.phases[1].target_month is None


def test_the_phase_that_runs() -> None:
    assert standing(at="2026-12").running == 1
    assert standing(at="2027-01").running == 2
    assert standing(at="2030-01").running == 2


def test_what_is_not_entered_is_unknown_and_not_nought() -> None:
    levelled = Entry(TWO, "running", {"levelled": "2026-11"})
    project = standing(levelled).projects[1]
    assert project.lacks("cleared")
    assert not project.lacks("accepted")
    assert project.to_clear_mu is None
    cleared = standing(Entry(TWO, "running", {"levelled": "2026-11"}, cleared_mu=0.0)).projects[1]
    assert cleared.to_clear_mu == pytest.approx(30.004)


def test_a_project_cleared_without_a_figure_counts_in_full_and_is_told() -> None:
    phase = standing(Entry(TWO, "running", {"levelled": "2026-11"})).phases[0]
    assert phase.counted_mu == pytest.approx(30.004)
    assert phase.unmeasured == 1


def test_more_cleared_than_planned_counts_as_all_of_it() -> None:
    phase = standing(Entry(TWO, "running", {"levelled": "2026-11"}, cleared_mu=31.0)).phases[0]
    assert phase.counted_mu == pytest.approx(30.004)


def test_accepted_land_counts_where_acceptance_does() -> None:
    changes = {"optimise": {"milestone": "accepted"}}
    columns = {"accepted_mu": [10.0, 20.0, 30.0, 40.0, 5.0, 12.0]}
    phase = standing(DONE, contents=coded(changes, columns=columns)).phases[0]
    assert phase.milestone == "accepted"
    assert phase.counted_mu == pytest.approx(30.007 * 28.0 / 30.0)


def test_an_unknown_area_is_left_out_and_told() -> None:
    changes = {"optimise": {"counts": "cleared"}}
    columns = {"cleared_mu": [11.0, None, 31.0, 41.0, 6.0, 12.0]}
    phase = standing(LATE, contents=coded(changes, columns=columns)).phases[0]
    assert phase.unknown == 1
    assert phase.planned_mu == pytest.approx(31.0)


def test_findings() -> None:
    columns = {"boundary_mu": [11.0, 21.0, 31.0, 41.0, 6.0, 12.0]}
    too_much = Entry(ONE, "done", {"launched": "2026-01"}, cleared_mu=33.7)  # 32 within the boundary, 5 % more: 33.6
    above = Entry(TWO, "waiting", {"levelled": "2026-11"}, cleared_mu=20.0, accepted_mu=20.01)
    found = standing(too_much, above, contents=coded(columns=columns)).findings
    assert [(f.kind, f.code) for f in found] == [
        ("no_entry", None),
        ("cleared_above", ONE),
        ("done_unaccepted", ONE),
        ("accepted_above", TWO),
        ("cleared_below", TWO),
        ("month_unknown", TWO),
        ("waiting_but_moving", TWO),
    ]
    assert found[0].values == (1, 3, 1)
    assert found[1].values == pytest.approx((33.7, 32.0, 30.007))
    assert found[5].values == ("launched signed demolished",)


def test_within_the_tolerance_surveys_may_differ() -> None:
    columns = {"boundary_mu": [11.0, 21.0, 31.0, 41.0, 6.0, 12.0]}
    entry = Entry(ONE, "done", DONE.reached, cleared_mu=33.6, accepted_mu=33.6)
    kinds = {f.kind for f in standing(entry, contents=coded(columns=columns)).findings}
    assert kinds == {"no_entry"}


def test_less_land_cleared_than_planned_is_told_of_what_is_done_or_levelled() -> None:
    columns = {"cleared_mu": [15.0, 25.0, 31.0, 41.0, 6.0, 12.0]}  # 40 in the first project, whose net land is 30.007
    contents = coded(columns=columns)
    net = Entry(ONE, "done", DONE.reached, cleared_mu=30.007, accepted_mu=30.007)
    (told,) = [f for f in standing(net, contents=contents).findings if f.kind == "cleared_below"]
    assert (told.code, told.values) == (ONE, pytest.approx((30.007, 40.0, 30.007)))
    assert standing(net, contents=contents).phases[0].counted_mu == pytest.approx(30.007 * 30.007 / 40.0)
    for fine in (
        Entry(ONE, "done", DONE.reached, cleared_mu=38.0, accepted_mu=38.0),  # 5 % less
        Entry(ONE, "running", {"demolished": "2026-06"}, cleared_mu=10.0),
        Entry(ONE, "dropped", DONE.reached, cleared_mu=10.0),
    ):
        assert "cleared_below" not in {f.kind for f in standing(fine, contents=contents).findings}


def test_projects_of_an_earlier_plan_are_told() -> None:
    entries = Entries({}, "a.xlsx", {"QX-2025-004": Entry("QX-2025-004", "running")})
    progress = standing_of(coded(), entries, AT, Calendar())
    assert ("gone", (1, "QX-2025-004")) in [(f.kind, f.values) for f in progress.findings]


def test_what_runs_out_next() -> None:
    lease = {"report": {"show": {"lease_year": "lease"}}}
    contents = coded(lease, columns={"lease": [2027.0, 2027.0, 2027.0, 2026.0, 2028.0, 2027.0]})
    papers = (
        Approval("scheme", datetime.date(2026, 11, 30), "7"),
        Approval("vote", None),
        Approval("permit", datetime.date(2027, 1, 15)),
    )
    done = Entry(ONE, "done", DONE.reached, 28.5, 28.0, (Approval("over", datetime.date(2026, 12, 5)),))
    late = Entry(TWO, "running", LATE.reached, 10.0, approvals=papers)
    found = standing(done, late, contents=contents).expiring
    assert [(x.kind, x.code, x.name, x.days_left, x.months_left, x.parcels, x.beyond) for x in found] == [
        ("approval", TWO, "scheme", -1, -1, 0, None),
        ("lease", THREE, "", 30, 0, 1, False),  # A4, to 2026-12-31; comes down in 2027-02 + 5
        ("approval", TWO, "permit", 45, 1, 0, None),
        ("lease", THREE, "", 761, 24, 1, True),  # A5, to 2028-12-31
        ("approval", TWO, "vote", None, None, 0, None),
    ]
    assert found[1].area_mu == pytest.approx(40.004)


def test_leases_of_running_projects_are_not_listed_and_unknown_ones_are_no_years() -> None:
    lease = {"report": {"show": {"lease_year": "lease"}}}
    contents = coded(lease, columns={"lease": [2027.0, 2027.0, 2027.0, None, 3.0, 2027.0]})
    assert standing(DONE, LATE, contents=contents).expiring == ()


def test_without_modes_the_end_of_the_phase_is_what_is_planned() -> None:
    contents = coded(modes=False)
    plans = planned_projects(contents, Calendar())
    assert [{m: month_text(k) for m, k in p.months.items()} for p in plans] == [
        {"levelled": "2026-12"},
        {"levelled": "2026-12"},
        {"levelled": "2027-12"},
    ]
    progress = standing(Entry(ONE, "done", {"levelled": "2026-10"}, 30.0, 30.0), at="2027-02", contents=contents)
    assert [(p.shown, p.slip) for p in progress.projects] == [("done", 0), ("late", 2), ("waiting", 0)]
    assert progress.phases[1].target_month == serial("2027-12")


def test_a_standing_block_without_an_entry_runs() -> None:
    fixed = {
        "optimise": {"locks": {"blocks": [{"id": ONE, "parcels": ["A1", "A2"], "phase": "P1", "mode": "acquisition"}]}}
    }
    project = standing(at="2026-01", contents=coded(fixed)).projects[0]
    assert project.plan.fixed
    assert project.state == "running"


def test_years_from_the_start_need_their_calendar() -> None:
    config = coded(FROM_START, modes=False).config
    assert calendar_of(config, "2024-07") == Calendar(serial("2024-07"))
    for starts in (None, "2024", "2024-13"):
        with pytest.raises(ConfigError):
            calendar_of(config, starts)
    with pytest.raises(ConfigError):
        calendar_of(coded().config, "2024-01")


def test_the_order_of_rows_changes_nothing() -> None:
    contents = coded()
    tables = contents.tables
    turned = type(tables)(
        tables.parcels.iloc[::-1].reset_index(drop=True),
        tables.blocks.iloc[::-1].reset_index(drop=True),
        *(pd.DataFrame() for _ in range(4)),  # type: ignore[arg-type]
    )
    other = type(contents)(
        contents.config, turned, contents.summary, {k: v.iloc[::-1] for k, v in contents.modes.items()}
    )
    assert standing(LATE, DONE, contents=other).projects == standing(DONE, LATE, contents=contents).projects
    assert [p.plan.code for p in standing(contents=other).projects] == list(CODES)
    assert entries_of(DONE).by_code[ONE] is DONE
