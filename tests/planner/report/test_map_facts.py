"""Facts, classes and colours of the page."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.report import page_facts, palette
from tests.planner.report.map_builders import rich_plan
from tests.planner.report.plan_builders import context_of, grid_plan


@pytest.mark.parametrize(
    ("values", "whole", "breaks"),
    [
        ([], False, []),
        ([2.0, 2.0, 2.0], False, []),
        (list(np.linspace(0, 3, 101)), False, [1.0, 2.0]),  # the middle: 0.15 to 2.85, at least 0.54 wide
        (list(range(1, 16)), True, [5, 10]),
        (list(range(2020, 2041)), True, [2025, 2030, 2035]),
    ],
)
def test_breaks_are_round_numbers(values: list[float], whole: bool, breaks: list[float]) -> None:
    assert page_facts.nice_breaks(np.array(values, dtype=float), whole) == breaks


finite = st.floats(min_value=-1e9, max_value=1e9, allow_nan=False, allow_subnormal=False)


@given(st.lists(finite, min_size=1, max_size=60), st.booleans())
def test_breaks_part_the_values_and_are_few(values: list[float], whole: bool) -> None:
    numbers = np.array(values)
    low, high = np.quantile(numbers, [0.05, 0.95])
    if 0 < high - low < 1e-9:
        return  # narrower than the numbers are round to
    breaks = page_facts.nice_breaks(numbers, whole)
    assert breaks == sorted(set(breaks))
    assert len(breaks) < page_facts.CLASSES
    assert all(low - 1e-9 <= b <= high + 1e-9 for b in breaks)
    assert not whole or all(b == int(b) for b in breaks)


def test_one_extreme_stretches_no_class() -> None:
    values = np.append(np.linspace(0.2, 2.4, 100), 137.0)
    assert max(page_facts.nice_breaks(values)) < 3


def test_every_fact_of_a_parcel_stands_beside_it_whatever_the_order_of_the_facts() -> None:
    tables, context = rich_plan()
    columns = page_facts.fact_columns(context, tables.parcels)
    _, other = rich_plan(facts=context.facts.iloc[::-1])
    assert page_facts.fact_columns(other, tables.parcels) == columns
    leases = context.facts["lease_year"].loc[tables.parcels["parcel_id"]]
    assert columns["fact_lease_year"] == [None if pd.isna(v) else int(v) for v in leases]
    assert {fact["name"]: fact["unit"] for fact in page_facts.facts(context)} == {
        "village": None,
        "lease_year": "year",
        "signed_share": "share",
        "far": None,
    }


def test_facts_of_blocks_come_from_the_tables_by_block() -> None:
    tables, context = rich_plan()
    found = page_facts.block_facts(context, tables.blocks)
    space = context.modes["space_blocks"].set_index("block_id")
    for block, after in zip(tables.blocks["block_id"], found["far_after"], strict=True):
        assert after == space["far_after"][block]
    assert "before_tax_yuan_per_mu" not in found  # of which nothing is known
    assert found["milestone_built"].isna().tolist() == [True] + [False] * (len(tables.blocks) - 1)
    assert page_facts.block_facts(context_of(tables), tables.blocks).columns.empty


def test_new_plot_ratio_of_a_parcel_is_that_of_its_block() -> None:
    tables, context = rich_plan()
    of_blocks = page_facts.block_facts(context, tables.blocks)
    after = page_facts.new_far(tables.parcels, tables.blocks, of_blocks)
    assert after is not None
    expected = context.modes["space_blocks"].set_index("block_id")["far_after"]
    for block, value in zip(tables.parcels["block_id"], after, strict=True):
        assert np.isnan(value) if not isinstance(block, str) else value == expected[block]
    scales = page_facts.scales(context, after)
    assert scales["far"]["breaks"] == scales["new_far"]["breaks"]
    assert all(len(s["colours"]) == len(s["breaks"]) + 1 for s in scales.values())


def test_colourings_exist_only_where_something_is_known() -> None:
    plan = grid_plan(columns=6, rows=6)
    context = context_of(plan, facts=pd.DataFrame())
    assert page_facts.scales(context, None) == {}
    assert page_facts.villages(context, plan.parcels) is None
    assert page_facts.modes({}, plan.parcels) is None
    unknown = pd.DataFrame({"far": pd.array([None] * 36, dtype="Float64"), "village": None})
    context = context_of(plan, facts=unknown.set_index(pd.Index(plan.parcels["parcel_id"])))
    assert page_facts.scales(context, None) == {}
    assert page_facts.villages(context, plan.parcels) is None


def test_villages_with_most_land_have_colours_and_the_rest_is_counted() -> None:
    plan = grid_plan(columns=8, rows=6)
    names = [f"v{k % 20:02d}" for k in range(48)]
    facts = pd.DataFrame({"village": names}, index=pd.Index(plan.parcels["parcel_id"]))
    group = page_facts.villages(context_of(plan, facts=facts), plan.parcels)
    assert group is not None
    area = plan.parcels["area_mu"].groupby(names).sum()
    shown = [c["value"] for c in group["classes"]]
    assert len(shown) == len(palette.CATEGORIES) * len(palette.CATEGORY_HATCHES)
    assert group["others"] == 20 - len(shown)
    assert area[shown].min() >= area.drop(shown).max()
    assert len({(c["colour"], c["hatch"]) for c in group["classes"]}) == len(shown)


def test_modes_keep_the_order_of_the_configuration() -> None:
    tables, context = rich_plan()
    group = page_facts.modes(context.mode_names, tables.parcels)
    assert group is not None
    assert [c["value"] for c in group["classes"]] == list(context.mode_names)
