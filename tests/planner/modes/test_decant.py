"""Decanting: firms that must leave, and floor area that stands when they do."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from geodata.errors import DataError
from planner.errors import ConfigError
from planner.modes.decant import Decanting, decant_resource
from planner.modes.space import new_space
from planner.modes.terms import Timetable
from planner.problem import Floats, Mode, Phase, Problem, Target
from planner.spec_modes import ModesSpec
from tests.planner.modes.land_cases import land, modes_of, times
from tests.planner.optimise.by_hand import best, how, out_of_reach
from tests.planner.optimise.instances import grid_problem

TWO = (Phase("P1", 1, 1.0), Phase("P2", 2, 1.0))


def site(floor_m2: float, from_year: float = 1, permanent: bool = True, name: str = "park") -> dict[str, Any]:
    return {"name": name, "floor_m2": floor_m2, "from_year": from_year, "permanent": permanent}


def spec(*choices: dict[str, Any], **decant: Any) -> ModesSpec:
    return modes_of(*choices, decant={"floor_m2": "floor"} | decant)


def made(
    modes: ModesSpec, timetable: Timetable, undecided: dict[str, list[str]] | None = None, **columns: Any
) -> Decanting:
    fields = land(modes, **columns)
    floor = new_space(modes, fields).new_floor_m2
    result = decant_resource(
        modes, fields, timetable, floor, np.ones(floor.shape, bool), {} if undecided is None else undecided
    )
    assert result is not None
    return result


def taken(resource: Any, blocks: list[tuple[int, int, int]]) -> Floats:
    """What parcels in blocks (parcel, phase, mode) take in each period."""
    return np.array([sum(float(resource.use[i, m] @ timing[t, m]) for i, t, m in blocks) for timing in resource.timing])


def test_by_hand() -> None:
    """1 ha, 1000 m² of firms, who leave at 0.5 (P1) or 1.5 (P2); new floor takes firms in from 2.25, too late."""
    modes = spec({"decant_share": 0.06}, own_lag_months=3, sites=[site(300), site(400, 2, name="late")])
    resource = made(modes, times(modes, 1.0, 2.0), floor=[1000.0, 200.0]).resource
    assert resource.periods == ("by 0.50", "by 1.50")
    assert resource.limits == (300.0, 700.0), "the second stands from the beginning of year 2"
    assert taken(resource, [(0, 0, 0)]).tolist() == [1000.0, 1000.0]
    assert taken(resource, [(1, 1, 0)]).tolist() == [0.0, 200.0]


def test_own_floor_gives_room_from_when_it_stands() -> None:
    """Built after 12 months, 3 more until firms move in: 1200 m² from P1 are there at 1.5 for what P2 empties."""
    choice = {"decant_share": 0.06, "months": {"demolished": 6, "built": 12}}
    modes = spec(choice, own_lag_months=3, sites=[site(1000)])
    resource = made(modes, times(modes, 1.0, 2.0), floor=[1000.0, 200.0]).resource
    assert taken(resource, [(0, 0, 0), (1, 1, 0)]) == pytest.approx([1000.0, 1200.0 - 1200.0])
    slow = spec(choice, own_lag_months=7, sites=[site(1000)])
    resource = made(slow, times(slow, 1.0, 2.0), floor=[1000.0, 200.0]).resource
    assert resource.periods == ("by 1.50",), "nothing is added before 1.5: the last account says it all"
    assert taken(resource, [(0, 0, 0), (1, 1, 0)]) == pytest.approx([1200.0])


def test_what_stands_at_the_very_moment_counts() -> None:
    modes = spec({"months": {"demolished": 12, "built": 20}, "decant_share": 1.0}, own_lag_months=4, sites=[site(5, 2)])
    resource = made(modes, times(modes, 1.0, 2.0), floor=[100.0, 100.0]).resource
    assert resource.limits == (5.0, 5.0)
    assert taken(resource, [(0, 0, 0), (1, 1, 0)]).tolist() == [100.0, 200.0 - 20_000.0]


def test_only_the_share_that_is_displaced_counts() -> None:
    modes = spec({"displaces": 0.25}, {"displaces": 0.0, "months": {}}, sites=[site(10)])
    resource = made(modes, times(modes, 1.0), floor=[100.0]).resource
    assert taken(resource, [(0, 0, 0)]).tolist() == [25.0]
    assert taken(resource, [(0, 0, 1)]).tolist() == [0.0]


def test_nothing_displaced_no_rule() -> None:
    modes = spec({"displaces": 0})
    fields, ones = land(floor=[1.0]), np.ones((1, 1))
    assert decant_resource(modes, fields, times(modes, 1.0), ones, ones > 0, {}) is None
    none = modes_of({})
    assert decant_resource(none, fields, times(none, 1.0), ones, ones > 0, {}) is None


def test_unknown_floor_is_closed_or_the_mean() -> None:
    """100 m² on 10 mu and 200 m² on 20: 10 m² a mu, so 300 m² on 30."""
    columns = {"floor": [100.0, 200.0, np.nan], "area_mu": [10.0, 20.0, 30.0]}
    undecided: dict[str, list[str]] = {}
    modes = spec({}, {"displaces": 0, "months": {}}, sites=[site(1)])
    strict = made(modes, times(modes, 1.0), undecided, **columns)
    assert strict.closed.tolist() == [[False, False], [False, False], [True, False]]
    assert undecided == {"decanting, floor area of firms": ["p002"]}
    modes = spec({}, {"displaces": 0, "months": {}}, sites=[site(1)], unknown="mean_per_mu")
    mean = made(modes, times(modes, 1.0), undecided, **columns)
    assert not mean.closed.any()
    assert taken(mean.resource, [(2, 0, 0)]).tolist() == pytest.approx([300.0])


def test_own_floor_that_is_unknown_offers_no_room_and_is_told() -> None:
    undecided: dict[str, list[str]] = {}
    choice = {"far": "far", "decant_share": 0.5, "months": {"demolished": 6, "built": 6}}
    modes = spec(choice, sites=[site(1)])
    result = made(modes, times(modes, 1.0), undecided, floor=[100.0, 100.0], far=[2.0, np.nan])
    assert taken(result.resource, [(1, 0, 0)]).tolist() == [100.0]
    assert taken(result.resource, [(0, 0, 0)]).tolist() == [100.0 - 10_000.0]
    assert undecided == {"own decant floor area (counted as none)": ["p001"]}


def test_a_mode_whose_firms_never_leave_is_refused() -> None:
    modes = spec({"months": {"built": 12}}, sites=[site(1)])
    with pytest.raises(ConfigError, match="never reach 'demolished': a"):
        made(modes, times(modes, 1.0), floor=[1.0])


def test_floor_below_nothing_is_refused() -> None:
    modes = spec({}, sites=[site(1)])
    with pytest.raises(DataError, match="p001"):
        made(modes, times(modes, 1.0), floor=[1.0, -1.0])


def test_firms_that_move_once_need_space_that_lasts() -> None:
    """30 m² for good and 50 for a time: all of both parcels (80) fit, but not the 40 m² that must stay."""
    modes = spec({}, once="once", sites=[site(30), site(50, permanent=False, name="hall")])
    resource = made(modes, times(modes, 1.0), floor=[40.0, 40.0], once=[True, False]).resource
    over = taken(resource, [(0, 0, 0), (1, 0, 0)]) - np.array(resource.limits, dtype=float)
    assert dict(zip(resource.periods, over, strict=True)) == {"moving once by 0.50": 10.0, "by 0.50": 0.0}
    doubt = spec({}, once="grade > 2", sites=modes.decant.sites if modes.decant else ())
    unknown = made(doubt, times(doubt, 1.0), floor=[40.0, 40.0], grade=[np.nan, 1.0]).resource
    assert unknown.use[0, 0].tolist() == [40.0, 0.0, 0.0], "not known to move again: once only"
    free = spec({}, sites=[site(30), site(50, permanent=False, name="hall")])
    assert len(made(free, times(free, 1.0), floor=[40.0, 40.0]).resource.limits) == 1


def _flow_fits(
    modes: ModesSpec, timetable: Timetable, floor: Floats, once: list[bool], own: Floats, blocks: Any
) -> bool:
    """Whether floor area, divided at will, can be sent to sites that stand when it leaves: a linear program."""
    assert modes.decant is not None
    leaves = [timetable.time(t, m, "demolished") for _, t, m in blocks]
    sites = [(s.from_year - 1, s.permanent, s.floor_m2) for s in modes.decant.sites]
    sites += [(timetable.time(t, m, "built"), True, own[i, m]) for i, t, m in blocks]
    pairs = [
        (b, s)
        for (b, (i, _, _)), (s, (stands, lasts, _)) in product(enumerate(blocks), enumerate(sites))
        if stands <= leaves[b] + 1e-9 and (lasts or not once[i])
    ]
    if not pairs:
        return all(floor[i] == 0 for i, _, _ in blocks)
    amounts = [[float(b == k) for b, _ in pairs] for k in range(len(blocks))]
    rooms = [[float(s == k) for _, s in pairs] for k in range(len(sites))]
    result = linprog(
        np.zeros(len(pairs)),
        A_eq=amounts,
        b_eq=[floor[i] for i, _, _ in blocks],
        A_ub=rooms,
        b_ub=[room + 1e-7 for _, _, room in sites],
    )
    return bool(result.status == 0)


@settings(deadline=None, max_examples=80)
@given(st.integers(0, 2**32 - 1))
def test_the_account_is_exactly_what_lets_floor_area_be_shared_out(seed: int) -> None:
    """At every phase, mode, site and kind of firm: the limits hold where, and only where, all can be housed."""
    rng = np.random.default_rng(seed)
    choices = [
        {
            "months": {"demolished": int(rng.integers(0, 18)), "built": int(rng.integers(18, 30))},
            "decant_share": float(rng.choice([0.0, 1.0])),
            "far": "far",
        }
        for _ in range(2)
    ]
    sites = [
        site(float(rng.integers(1, 8)), float(rng.integers(2, 9)) / 2, bool(rng.integers(2)), f"s{k}")
        for k in range(int(rng.integers(0, 4)))
    ]
    modes = spec(*choices, once="once", sites=sites)
    timetable = times(modes, *np.cumsum(rng.integers(1, 3, 3)) * 1.0)
    floor, once = rng.integers(0, 6, 3).astype(float), (rng.random(3) < 0.5).tolist()
    far = rng.integers(0, 6, 3) / 10_000.0
    resource = made(modes, timetable, floor=floor.tolist(), once=once, far=far.tolist()).resource
    own = new_space(modes, land(modes, floor=floor.tolist(), far=far.tolist())).new_floor_m2
    own = own * np.array([c["decant_share"] for c in choices])
    blocks = [(i, int(rng.integers(3)), int(rng.integers(2))) for i in range(3)]
    kept = bool((taken(resource, blocks) <= np.array(resource.limits, dtype=float) + 1e-6).all())
    assert kept == _flow_fits(modes, timetable, floor, once, own, blocks)


# with the optimiser ---------------------------------------------------------------------------------------------------


def row(modes: ModesSpec, floor: list[float], **changes: Any) -> Problem:
    """A row of parcels of 10 mu worth 10 each in two phases that end with years 1 and 2."""
    n = len(floor)
    fields = land(modes, area_mu=[10.0] * n, floor=floor)
    timetable = times(modes, 1.0, 2.0)
    open_ = np.ones((n, len(modes.choices)), bool)
    result = decant_resource(modes, fields, timetable, new_space(modes, fields).new_floor_m2, open_, {})
    resources = () if result is None else (result.resource,)
    grid = grid_problem(n, 1, phases=TWO, modes=tuple(Mode(m.id) for m in modes.choices))
    return replace(grid, resources=resources, **changes)


def test_trivial() -> None:
    """Room enough, or nobody to move."""
    best(row(spec({}, sites=[site(300)]), [100.0] * 3), 30.0)
    best(row(spec({}, sites=[]), [0.0] * 3), 30.0)


def test_room_binds() -> None:
    """Room for 200 m² of 300: two parcels; the third waits for nothing, because space stays taken."""
    assert len(how(best(row(spec({}, sites=[site(200)]), [100.0] * 3), 20.0))) == 2


def test_room_that_comes_later_delays() -> None:
    """100 m² now, 200 more in year 2: one parcel in P1 at most, and all three in the end."""
    modes = spec({}, sites=[site(100), site(200, 2, name="late")])
    worth = np.array([10.0, 9.0, 8.0])
    plan = best(row(modes, [100.0] * 3, benefit=worth, phases=(TWO[0], replace(TWO[1], discount=0.5))), 18.5)
    assert how(plan) == {0: (0, 0), 1: (1, 0), 2: (1, 0)}


def test_a_decant_park_first() -> None:
    """No space outside: the empty parcel is built over in P1, and takes in the firms that leave in P2.

    10 mu at a plot ratio of 0.06 are 400 m²; they stand at 1.0, the others leave at 1.25.
    """
    modes = spec({"far": 0.06, "decant_share": 1.0, "months": {"demolished": 3, "built": 12}})
    plan = best(row(modes, [0.0, 200.0, 200.0]), 30.0)
    assert {i: t for i, (t, _) in how(plan).items()} == {0: 0, 1: 1, 2: 1}
    assert len(how(best(row(modes, [0.0, 200.0, 201.0]), 20.0))) == 2


def test_out_of_reach() -> None:
    modes = spec({}, sites=[site(150)])
    locked = row(modes, [100.0] * 3, lock_by=np.array([0, 0, -1]))
    out_of_reach(locked, "no set of blocks keeps all limits", search_proves=False)
    asked = row(modes, [100.0] * 3, targets=(Target("P2", 1, -1, 20.0),))
    out_of_reach(asked, r"at most .* 20\.00 mu", search_proves=False)
