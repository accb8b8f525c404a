"""New space, and floor area, jobs and yields by year: worked out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.errors import ConfigError
from planner.modes.space import block_space, new_space, parcel_space, space_by_year
from planner.problem import Block
from planner.spec_modes import ModesSpec
from tests.planner.modes.land_cases import land, modes_of, times

SPACE = {
    "floor_m2": "floor",
    "jobs": "jobs",
    "output_yuan": "output",
    "new_floor_per_job_m2": 50.0,
    "new_output_yuan_per_mu": "full_output",
    "ramp_months": 24.0,
}


def spec(*choices: dict[str, Any], **sections: Any) -> ModesSpec:
    figures = {"full_output": 1200.0}
    return modes_of(*choices, figures=figures, **({"space": SPACE} | sections))


def columns(**changes: list[Any]) -> dict[str, list[Any]]:
    return {"floor": [5000.0, 8000.0], "jobs": [100.0, 60.0], "output": [900.0, 600.0]} | changes


def test_new_floor_is_net_land_times_plot_ratio() -> None:
    """15 mu are 10 000 m²: at a net share of 0.8 and 2.5, 20 000 m² on 12 mu."""
    modes = modes_of({"far": 2.5, "net_share": 0.8}, {"far": "ratio"})
    space = new_space(modes, land(modes, ratio=[1.5, np.nan]))
    np.testing.assert_allclose(space.new_floor_m2, [[20_000.0, 15_000.0], [20_000.0, np.nan]])
    np.testing.assert_allclose(space.net_area_mu, [[12.0, 15.0]] * 2)


def test_impossible_quantities_are_refused_all_at_once() -> None:
    modes = modes_of({"net_share": "net"}, {"net_share": 60.0})
    with pytest.raises(ConfigError) as caught:
        new_space(modes, land(net=[0.5, -1.0]))
    assert ["p001" in i.found for i in caught.value.issues] == [True, True]


def values(table: pd.DataFrame, figure: str, kind: str) -> list[float]:
    mine = table[(table["figure"] == figure) & (table["kind"] == kind)]
    return mine["amount"].tolist()


def test_course_of_one_block_by_hand() -> None:
    """Launched at 0; demolished at 0.5, built at 2.0, full at 4.0: 20 000 m², 400 jobs, 18 000 yuan a year.

    Output lost in year 1 is half of 900. The rise from 2 to 4 brings a quarter in year 3 and three quarters in year 4.
    """
    modes = spec({})
    table = space_by_year(modes, times(modes, 1.0), land(modes, **columns()), [Block((0,), 0)])
    assert sorted(set(table["year"])) == [1, 2, 3, 4]
    assert values(table, "floor_m2", "stock") == [8000.0] * 4
    assert values(table, "floor_m2", "lost") == [5000.0] * 4
    assert values(table, "floor_m2", "increment") == pytest.approx([0, 20_000, 20_000, 20_000])
    assert values(table, "jobs", "stock") == [60.0] * 4
    assert values(table, "jobs", "increment") == pytest.approx([0, 0, 200, 400])
    assert values(table, "output_yuan", "stock") == pytest.approx([1050, 600, 600, 600])
    assert values(table, "output_yuan", "lost") == pytest.approx([450, 900, 900, 900])
    assert values(table, "output_yuan", "increment") == pytest.approx([0, 0, 4500, 13_500])
    tax = table[table["figure"] == "tax_yuan"]
    assert tax[tax["kind"] == "stock"]["unknown_parcels"].tolist() == [2, 1, 1, 1], "not configured: unknown, not zero"
    assert tax[tax["kind"] == "stock"]["amount"].isna().all()


def test_firms_leave_before_the_demolition_where_they_must() -> None:
    """They leave at 0.25: three quarters of the year's output is lost; the floor goes at 0.5 all the same."""
    decant = {"floor_m2": "floor", "at": "signed"}
    modes = spec({"months": {"signed": 3, "demolished": 6, "built": 24}}, decant=decant)
    table = space_by_year(modes, times(modes, 1.0), land(modes, **columns()), [Block((0,), 0)], [1])
    assert values(table, "output_yuan", "lost") == [675.0]
    early = space_by_year(modes, times(modes, 0.4), land(modes, **columns()), [Block((0,), 0)], [0, 1])
    assert values(early, "jobs", "lost") == [0.0, 100.0]


def test_what_a_mode_leaves_standing_stays_stock() -> None:
    """Four tenths are displaced; nothing is ever demolished, so no floor is lost; a ramp of nothing is full at once."""
    decant = {"floor_m2": "floor", "at": "signed"}
    choice = {"months": {"signed": 12, "built": 12}, "displaces": 0.4, "far": 0.1}
    modes = spec(choice, decant=decant, space=SPACE | {"ramp_months": 0})
    table = space_by_year(modes, times(modes, 1.0), land(modes, **columns()), [Block((0,), 0)], [1, 2])
    assert values(table, "floor_m2", "lost") == [0.0, 0.0]
    assert values(table, "jobs", "lost") == [40.0, 40.0]
    assert values(table, "jobs", "increment") == [20.0, 20.0]
    assert values(table, "output_yuan", "lost") == [0.0, 360.0]
    assert values(table, "output_yuan", "increment") == [0.0, 18_000.0]


def test_tax_that_the_town_keeps_is_a_memo() -> None:
    section = SPACE | {"tax_yuan": "tax", "new_tax_yuan_per_mu": 10.0, "retained_tax_share": 0.2}
    modes = spec({}, space=section)
    fields = land(modes, **columns(tax=[-50.0, 100.0]))
    table = space_by_year(modes, times(modes, 1.0), fields, [Block((0,), 0)], [4, 5])
    assert values(table, "tax_yuan", "lost") == [-50.0, -50.0]
    assert values(table, "tax_yuan", "increment") == pytest.approx([112.5, 150.0])
    assert values(table, "retained_tax_yuan", "increment") == pytest.approx([22.5, 30.0])
    plain = spec({})
    assert "retained_tax_yuan" not in set(space_by_year(plain, times(plain, 1.0), fields, [])["figure"])


def test_unknown_is_counted_beside_the_sum() -> None:
    modes = spec({})
    fields = land(modes, **columns(jobs=[np.nan, 60.0]))
    table = space_by_year(modes, times(modes, 1.0), fields, [Block((0,), 0)], [0, 1])
    jobs = table[table["figure"] == "jobs"].set_index(["year", "kind"])
    assert jobs.loc[(0, "stock")].tolist()[1:] == [60.0, 1, 15.0]
    assert jobs.loc[(0, "lost")].tolist()[1:] == [0.0, 0, 0.0]
    assert jobs.loc[(1, "stock")].tolist()[1:] == [60.0, 0, 0.0]
    assert np.isnan(jobs.loc[(1, "lost"), "amount"])


def test_before_and_after_of_a_block() -> None:
    """Two parcels of 1 ha: 13 000 m² before (0.65), 40 000 m² after (2.0); output 1500 on 30 mu, then 36 000."""
    section = SPACE | {"collective_income_yuan": "rent", "new_collective_income_yuan_per_mu": 7.0}
    modes = spec({}, space=section)
    fields = land(modes, **columns(rent=[30.0, np.nan]))
    got = block_space(modes, fields, [Block((0, 1), 0)], ["P1-01"]).iloc[0]
    assert (got["far_before"], got["far_after"]) == pytest.approx((0.65, 2.0))
    assert (got["before_output_yuan_per_mu"], got["after_output_yuan_per_mu"]) == pytest.approx((50.0, 1200.0))
    assert (got["before_jobs"], got["after_jobs"]) == pytest.approx((160.0, 800.0))
    assert (got["before_collective_income_yuan"], got["after_collective_income_yuan"]) == (30.0, 210.0)
    assert got["before_collective_income_yuan_unknown_mu"] == 15.0
    assert np.isnan(got["after_tax_yuan_per_mu"])
    assert got["after_tax_yuan_unknown_parcels"] == 2
    assert got["net_area_mu"] == 30.0


def test_a_mode_that_builds_nothing_changes_nothing() -> None:
    """An upgrade: net share and plot ratio 0, nobody displaced, no milestone but the last."""
    section = SPACE | {"collective_income_yuan": "rent", "new_collective_income_yuan_per_mu": 7.0}
    modes = spec({"far": 0, "net_share": 0, "displaces": 0, "months": {"built": 6}}, space=section)
    fields = land(modes, **columns(rent=[30.0, np.nan]))
    table = parcel_space(modes, fields, [Block((0, 1), 0)])
    for figure in ("floor_m2", "jobs", "output_yuan", "collective_income_yuan"):
        assert table[f"after_{figure}"].equals(table[f"before_{figure}"].rename(f"after_{figure}")), figure
    years = space_by_year(modes, times(modes, 1.0), fields, [Block((0, 1), 0)])
    assert not years[years["kind"] != "stock"]["amount"].to_numpy().any()
    assert not years[years["kind"] == "lost"]["unknown_parcels"].any()


def test_yields_per_mu_are_of_the_land_they_are_known_of() -> None:
    modes = spec({})
    fields = land(modes, **columns(output=[900.0, np.nan]))
    got = block_space(modes, fields, [Block((0, 1), 0)], ["P1-01"]).iloc[0]
    assert got["before_output_yuan_per_mu"] == 60.0
    assert got["before_output_yuan_unknown_mu"] == 15.0


def test_land_outside_the_plan_stays_as_it_is() -> None:
    """Half of p000 stays: 50 jobs and 400 new ones."""
    modes = spec({"displaces": 0.5})
    table = parcel_space(modes, land(modes, **columns()), [Block((0,), 0)])
    assert table["after_jobs"].tolist() == pytest.approx([450.0, 60.0])
    assert table["before_jobs"].tolist() == [100.0, 60.0]


def test_no_blocks_no_rows() -> None:
    modes = spec({})
    assert block_space(modes, land(modes, **columns()), [], []).empty


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.floats(0, 1e6), min_size=3, max_size=3),
    st.floats(0, 1),
    st.integers(0, 40),
    st.integers(0, 40),
    st.sampled_from([0.0, 7.0, 24.0]),
)
def test_nothing_is_lost_between_stock_and_lost(
    output: list[float], displaces: float, demolished: int, further: int, ramp: float
) -> None:
    """Stock + lost = present in every year; increments never fall, and end at the full figure."""
    choice = {"displaces": displaces, "months": {"demolished": demolished, "built": demolished + further}}
    modes = spec(choice, space=SPACE | {"ramp_months": ramp})
    fields = land(modes, floor=output, jobs=output, output=output)
    table = space_by_year(modes, times(modes, 1.0, 3.0), fields, [Block((0,), 0), Block((2,), 1)])
    wide = table.pivot(index="year", columns=["figure", "kind"], values="amount")
    for figure in ("floor_m2", "jobs", "output_yuan"):
        both = wide[(figure, "stock")] + wide[(figure, "lost")]
        np.testing.assert_allclose(both, sum(output), rtol=1e-9, atol=1e-6)
        assert (np.diff(wide[(figure, "increment")]) >= -1e-6).all()
    assert wide[("jobs", "increment")].iloc[-1] == pytest.approx(800.0)
    assert wide[("output_yuan", "increment")].max() <= 36_000.0 + 1e-6
