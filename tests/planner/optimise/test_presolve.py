"""What is settled before the search: nothing that a plan could use may be closed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from planner.errors import InfeasibleError
from planner.optimise.graph import build_graph
from planner.optimise.options import availability, make_options
from planner.optimise.presolve import reachable, require_locks, usable_graph, without_fixed
from planner.problem import Block, Mode, Phase, Resource, Target
from tests.planner.optimise.brute import Brute, bits
from tests.planner.optimise.instances import grid_problem
from tests.planner.optimise.support import instance, truth_of

CASES = [(kind, seed) for kind in ("random", "planted", "rich", "signed") for seed in range(40)]


@pytest.mark.parametrize(("kind", "seed"), CASES, ids=str)
def test_no_parcel_of_any_block_is_closed(kind: str, seed: int) -> None:
    problem = instance(kind, seed)
    open_ = reachable(problem, usable_graph(problem))
    assert not (open_ & ~availability(problem)).any()
    brute = Brute(problem)
    options = make_options(problem)
    for o, (t, m) in enumerate(zip(options.phase.tolist(), options.mode.tolist(), strict=True)):
        useful = sorted({i for mask in brute.blocks_in(t, m) for i in bits(mask)})
        assert open_[useful, o].all()


def test_presolve_does_close_something() -> None:
    """It would be no use otherwise: over the mix it closes a good part of what no block can hold."""
    closed = 0
    for kind, seed in CASES:
        problem = instance(kind, seed)
        closed += int((availability(problem) & ~reachable(problem, usable_graph(problem))).sum())
    assert closed > 20


def test_small_piece_is_closed_and_large_one_kept() -> None:
    """A row of five, parcel 2 excluded, L = 20: 0–1 and 3–4 hold 20 mu each. With L = 21 neither does."""
    problem = grid_problem(5, 1, selectable=np.array([True, True, False, True, True]), block_min_mu=20.0)
    assert reachable(problem, build_graph(problem))[:, 0].tolist() == [True, True, False, True, True]
    problem = replace(problem, block_min_mu=21.0)
    assert not reachable(problem, build_graph(problem)).any()


def test_piece_is_judged_phase_by_phase() -> None:
    """Parcel 1 opens in P2: in P1 parcels 0 and 2 stand alone, in P2 all three make 30 mu."""
    problem = grid_problem(
        3, 1, phases=(Phase("P1", 1, 1.0), Phase("P2", 2, 1.0)), earliest=np.array([0, 1, 0]), block_min_mu=30.0
    )
    assert reachable(problem, build_graph(problem)).astype(int).tolist() == [[0, 1], [0, 1], [0, 1]]


def test_filler_carries_a_piece_only_up_to_its_share() -> None:
    """20 mu of candidates and 20 of filler: at a share of 1/3 at most 30 mu, at 1/2 the full 40."""
    problem = grid_problem(4, 1, filler=np.array([False, True, True, False]), block_min_mu=31.0, filler_max_share=1 / 3)
    assert not reachable(problem, build_graph(problem)).any()
    assert reachable(replace(problem, block_min_mu=30.0), build_graph(problem)).all()
    assert reachable(replace(problem, filler_max_share=0.5), build_graph(problem)).all()


def test_parcel_above_the_largest_block_is_closed() -> None:
    problem = grid_problem(2, 1, area_mu=np.array([10.0, 50.0]), block_max_mu=40.0)
    assert reachable(problem, build_graph(problem))[:, 0].tolist() == [True, False]


def test_contacts_across_zones_are_dropped_only_when_asked() -> None:
    problem = grid_problem(3, 1, zones=("A",), zone=np.array([0, 0, -1]))
    assert len(usable_graph(problem).pairs) == 2
    assert usable_graph(replace(problem, within_zone=True)).pairs.tolist() == [[0, 1]]


def test_graph_components_and_connection() -> None:
    """2×2 grid without the contact 1–3: 0–1, 0–2, 2–3 remain."""
    problem = grid_problem(2, 2)
    keep = ~(problem.pairs == [1, 3]).all(axis=1)
    graph = build_graph(replace(problem, pairs=problem.pairs[keep], shared_m=problem.shared_m[keep]))
    assert graph.of(0).tolist() == [1, 2]
    assert graph.is_connected([0, 1, 2, 3])
    assert not graph.is_connected([1, 3])
    assert not graph.is_connected([])
    label = graph.components(np.array([False, True, True, True]))
    assert label[0] == -1
    assert label[2] == label[3] != label[1]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"selectable": np.array([False, True, True])}, "excluded or ineligible, and locked in"),
        ({"earliest": np.array([1, 0, 0])}, "locked in by a phase before it becomes available"),
        (
            {"modes": (Mode("a"), Mode("b")), "mode_open": np.array([[False, False], [True, True], [True, True]])},
            "without a mode that it allows",
        ),
        ({"block_min_mu": 40.0}, "without 40 mu of connected available land around"),
    ],
    ids=["excluded", "gate", "mode", "lonely"],
)
def test_lock_that_cannot_be_kept_says_why(changes: dict[str, object], words: str) -> None:
    phases = (Phase("P1", 1, 1.0), Phase("P2", 2, 1.0))
    problem = grid_problem(3, 1, phases=phases, lock_by=np.array([0, -1, -1]), **changes)
    assert not Brute(problem).truth().feasible
    with pytest.raises(InfeasibleError, match=words) as caught:
        require_locks(problem, reachable(problem, build_graph(problem)))
    assert "p000" in str(caught.value)
    assert list(caught.value.details["locked"].values()) == [["p000"]]


def test_lock_that_can_be_kept_passes() -> None:
    problem = grid_problem(3, 1, lock_by=np.array([0, -1, -1]))
    require_locks(problem, reachable(problem, build_graph(problem)))


def test_fixed_blocks_are_taken_out_with_what_they_bring_and_use() -> None:
    """Row of four, 0–1 stand in P1: 20 mu, cost 8 of 10, 14 of 15 m², one block of two; worth 20 − 8 − 6.

    Targets: 30 mu wished and 25 at least, of which 20 stand; at most 45; a project stands.
    """
    problem = grid_problem(
        4,
        1,
        cost=np.full(4, 4.0),
        perimeter_per_m=0.01,
        phases=(Phase("P1", 1, 1.0, 10.0, 2), Phase("P2", 2, 1.0, 5.0)),
        targets=(Target("mu", 1, -1, 25.0, 30.0, 1.0, 45.0), Target("p", 0, -1, 1.0, measure="blocks")),
        resources=(Resource("decant", "m2", np.full(4, 7.0), (15.0, None)),),
        fixed=(Block((0, 1), 0),),
        lock_by=np.array([0, -1, -1, 1]),
        rolling=True,
    )
    reduced = without_fixed(problem)
    left = reduced.problem
    assert reduced.constant == pytest.approx(20 - 8 - 6)
    assert left.fixed == ()
    assert left.selectable.tolist() == [False, False, True, True]
    assert left.lock_by.tolist() == [-1, -1, -1, 1]
    assert [(p.budget, p.max_blocks) for p in left.phases] == [(pytest.approx(2.0), 1), (5.0, None)]
    assert left.resources[0].limits == (pytest.approx(1.0), None)
    assert [(t.floor, t.stretch, t.ceiling) for t in left.targets] == [(5.0, 10.0, 25.0), (0.0, None, None)]
    assert left.existing_from is not None
    assert left.existing_from.tolist() == [0, 0, 2, 2]
    assert not availability(problem)[:2].any()


@pytest.mark.parametrize("seed", range(60))
def test_problem_without_fixed_blocks_has_the_same_plans(seed: int) -> None:
    """Optimum of what is left and worth of the fixed blocks make the optimum."""
    problem = instance("rich", seed)
    whole = truth_of("rich", seed).optimum
    reduced = without_fixed(problem)
    assert Brute(reduced.problem).truth().optimum + reduced.constant == pytest.approx(whole, abs=1e-9)
