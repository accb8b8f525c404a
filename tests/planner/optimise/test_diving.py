"""Dives into the linear master settle blocks that cost it nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from planner.optimise.columns import Columns
from planner.optimise.diving import dive
from planner.optimise.prices import Prices, solve_prices
from planner.optimise.running import never
from planner.optimise.search import Search
from planner.problem import Bools, Phase
from tests.planner.optimise.support import prepared
from tests.planner.optimise.test_stop import hard_problem

SHORTAGE = 100.0


def tight_search() -> tuple[Search, Columns, Prices]:
    """A search on a problem whose budget binds, with columns from every parcel."""
    problem = replace(hard_problem(), phases=(Phase("P1", 1, 1.0, budget=60.0),), targets=())
    search = Search(*prepared(problem), 0, never)
    for _ in search._anneal(50_000):
        pass
    priced = search._price()
    assert priced is not None
    return search, *priced


@pytest.fixture(scope="module")
def tight() -> tuple[Search, Columns, Prices]:
    return tight_search()


def no_more(_prices: Prices, _taken: Bools, _step: int) -> set[int]:
    return set()


@pytest.mark.parametrize("seed", range(4))
def test_blocks_settled_share_no_parcel_and_are_on_offer(tight: tuple[Search, Columns, Prices], seed: int) -> None:
    search, columns, prices = tight
    found = dive(search.pool, columns, prices, SHORTAGE, no_more, seed, 10.0, never)
    on_offer = {(search.pool.members[s].tobytes(), o) for s, o in zip(columns.of, columns.option, strict=True)}
    for blocks in (found.settled, found.likely):
        parcels = [i for members, _ in blocks for i in members.tolist()]
        assert len(parcels) == len(set(parcels))
        assert {(members.tobytes(), o) for members, o in blocks} <= on_offer
    assert {m.tobytes() for m, _ in found.settled} <= {m.tobytes() for m, _ in found.likely}
    assert found.likely
    assert found.work > 0


def test_a_dive_that_is_stopped_ends_where_it_is(tight: tuple[Search, Columns, Prices]) -> None:
    search, columns, prices = tight
    asked = iter([False, True])
    cut = dive(search.pool, columns, prices, SHORTAGE, no_more, 0, 10.0, lambda: next(asked))
    whole = dive(search.pool, columns, prices, SHORTAGE, no_more, 0, 10.0, never)
    assert not cut.settled and cut.likely and 0 < cut.work < whole.work
    at_once = dive(search.pool, columns, prices, SHORTAGE, no_more, 0, 10.0, lambda: True)
    assert (at_once.settled, at_once.likely, at_once.work) == ((), (), 0.0)


def test_what_is_settled_costs_the_linear_master_little(tight: tuple[Search, Columns, Prices]) -> None:
    search, columns, prices = tight
    found = dive(search.pool, columns, prices, SHORTAGE, no_more, 0, 10.0, never)
    taken = np.zeros(search.problem.n, dtype=np.bool_)
    for members, _ in found.settled:
        taken[members] = True
    settled = {(m.tobytes(), o) for m, o in found.settled}
    keep = np.array(
        [
            not taken[search.pool.members[s]].any() or (search.pool.members[s].tobytes(), o) in settled
            for s, o in zip(columns.of.tolist(), columns.option.tolist(), strict=True)
        ]
    )
    left = solve_prices(search.pool, columns.take(keep), 10.0, SHORTAGE)
    assert left is not None
    # each step but the first may lose a little
    assert left.value >= prices.value * (1 - 5e-4 * (1 + len(found.settled)))


def test_it_is_the_same_every_time(tight: tuple[Search, Columns, Prices]) -> None:
    search, columns, prices = tight
    first, second = (dive(search.pool, columns, prices, SHORTAGE, no_more, 3, 10.0, never) for _ in range(2))
    assert [(m.tolist(), o) for m, o in first.likely] == [(m.tolist(), o) for m, o in second.likely]
    assert first.work == second.work


def test_limits_that_are_worth_much_make_a_problem_tight(tight: tuple[Search, Columns, Prices]) -> None:
    search, _, prices = tight
    assert float(np.abs(prices.limit).sum()) > 0
    search.best_objective, kept = 0.5 * prices.value, search.best_objective
    assert search._is_tight(prices)
    search.best_objective = prices.value
    assert not search._is_tight(prices)
    search.best_objective = kept
    assert not search._is_tight(replace(prices, limit=np.zeros_like(prices.limit)))
