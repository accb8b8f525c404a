"""The journal: running sums equal recomputation after any sequence of moves, and undo restores everything."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from planner.optimise import compiled
from planner.optimise.evaluate import block_value, block_worth, plan_faults, reached_amounts, set_faults
from planner.optimise.rolling import seed_phase
from planner.optimise.state import (
    BROKEN,
    JOURNAL,
    OUTSIDE,
    PENALTY,
    ROSTER,
    SEAT,
    SIZE,
    TAKEN,
    UNMET,
    VILLAGES,
    WORTH,
    adapt_prices,
    empty_draft,
    keeps_limits,
    load,
    place,
    reoption,
    undo,
)
from planner.optimise.terrain import AREA, FILLER, RULE, target_order
from planner.problem import Block, BlockRule, Group, Mode, Phase, Resource, Target
from tests.planner.optimise.brute import Brute, faults
from tests.planner.optimise.instances import grid_problem
from tests.planner.optimise.kernels import Setting, keeps_rules, roll_all, whole_without
from tests.planner.optimise.plain import used_by
from tests.planner.optimise.support import instance

CASES = [("planted", s) for s in range(8)] + [("rich", s) for s in range(24)] + [("signed", s) for s in range(24)]
NEAR = 1e-7


def loose_mu(at: Setting) -> float:
    """Land that the rolling rule wants elsewhere, zone by zone and phase by phase, piece by piece."""
    problem, n_phases = at.problem, len(at.problem.phases)
    if not problem.rolling:
        return 0.0
    phase = np.full(problem.n, n_phases)
    for block in at.blocks():
        phase[list(block.parcels)] = block.phase
    seeds, total = seed_phase(problem), 0.0
    for zone in np.unique(problem.zone).tolist():
        for t in range(n_phases):
            exists = (problem.zone == zone) & (seeds <= t)
            chosen = (problem.zone == zone) & (phase <= t) & ~exists
            piece = at.graph.components(exists | chosen)
            pieces = {int(c): float(problem.area_mu[chosen & (piece == c)].sum()) for c in np.unique(piece[chosen])}
            if exists.any():
                total += sum(mu for c, mu in pieces.items() if c not in set(piece[exists].tolist()))
            else:
                total += sum(pieces.values()) - max(pieces.values(), default=0.0)
    return total


def check_blocks(at: Setting) -> None:
    """Sums by slot."""
    problem, draft = at.problem, at.draft
    for k in range(len(draft.option)):
        mine = np.flatnonzero(draft.block == k)
        assert draft.tally[k, SIZE] == len(mine)
        if not len(mine):
            continue
        assert draft.sum[k, AREA] == pytest.approx(problem.area_mu[mine].sum())
        assert draft.sum[k, FILLER] == pytest.approx(problem.area_mu[mine][problem.filler[mine]].sum(), abs=NEAR)
        for r, rule in enumerate(problem.block_rules):
            assert draft.sum[k, RULE + r] == pytest.approx(rule.weight[mine].sum(), abs=NEAR)
        if at.terrain.villages:
            assert problem.village is not None
            names = problem.village[mine]
            assert draft.tally[k, VILLAGES] == len(set(names[names >= 0].tolist()))
        broken = [f for f in set_faults(problem, at.graph, mine.tolist(), at.options.mode[draft.option[k]])
                  if "piece" not in f and "zones" not in f]  # fmt: skip
        assert keeps_rules(at.terrain, draft, k) == (not broken), broken
    assert (draft.tally[:, OUTSIDE:] >= 0).all()


def check_accounts(at: Setting) -> None:
    """Everything that is summed over the plan."""
    problem, draft, terrain, blocks = at.problem, at.draft, at.terrain, at.blocks()
    reached = reached_amounts(problem, blocks)
    order = target_order(problem)
    assert draft.level[: len(order)] == pytest.approx(reached[order], abs=NEAR)
    values = [block_value(problem, at.graph, b.parcels, b.mode) for b in blocks]
    worth = sum(block_worth(problem, v, b.phase) for v, b in zip(values, blocks, strict=True))
    assert draft.total[WORTH] == pytest.approx(worth, abs=NEAR)
    n_phases = len(problem.phases)
    for t in range(n_phases):
        mine = [(b, v) for b, v in zip(blocks, values, strict=True) if b.phase == t]
        if terrain.at_money >= 0:
            assert draft.level[terrain.at_money + t] == pytest.approx(sum(v.cost for _, v in mine), abs=NEAR)
        assert draft.level[terrain.at_blocks + t] == pytest.approx(len(mine))
    check_resources(at, blocks)
    missing = (problem.lock_by >= 0) & (draft.block < 0)
    assert draft.level[terrain.at_lock] == pytest.approx(missing.sum())
    unmet = sum(
        t.stretch_price * max(0.0, (t.stretch or 0.0) - r) for t, r in zip(problem.targets, reached, strict=True)
    )
    assert draft.total[UNMET] == pytest.approx(unmet, abs=NEAR)
    roster = draft.scratch[ROSTER, : draft.counters[TAKEN]]
    assert sorted(roster.tolist()) == np.flatnonzero(draft.block >= 0).tolist()
    assert (draft.scratch[SEAT, roster] == np.arange(len(roster))).all()


def check_resources(at: Setting, blocks: list[Block]) -> None:
    """Accounts of resources: every phase of those taken in one, only periods with a limit of the others."""
    problem, terrain = at.problem, at.terrain
    plain = [x for x in problem.resources if x.timing is None]
    timed = [x for x in problem.resources if x.timing is not None]
    levels = at.draft.level[terrain.at_resource : terrain.at_blocks].tolist()
    expected = [sum(used_by(x, b, r) for b in blocks) for x in plain for r in range(len(problem.phases))]
    assert levels[: len(expected)] == pytest.approx(expected, abs=NEAR)
    assert terrain.at_timed == terrain.at_resource + len(expected)
    more = [
        sum(used_by(x, b, r) for b in blocks) for x in timed for r, limit in enumerate(x.limits) if limit is not None
    ]
    assert levels[len(expected) :] == pytest.approx(more, abs=NEAR)


def check_price(at: Setting) -> None:
    """The price is that of a fresh draft, 0 exactly when no rule for the plan as a whole is broken."""
    if at.problem.rolling:
        roll_all(at.terrain, at.draft)
    assert at.draft.level[at.terrain.at_loose] == pytest.approx(loose_mu(at), abs=NEAR)
    fresh = empty_draft(at.terrain)
    load(at.terrain, fresh, [(b.parcels, at.option(b)) for b in at.blocks()])
    assert at.draft.total[PENALTY] == pytest.approx(fresh.total[PENALTY], rel=1e-7, abs=NEAR)
    assert at.draft.counters[BROKEN] == fresh.counters[BROKEN]
    broken = [f for f in plan_faults(at.problem, at.graph, at.blocks(), at.open) if not f.startswith("block ")]
    assert (at.draft.total[PENALTY] > 0) == bool(broken), broken
    assert (at.draft.total[PENALTY] == 0) == (at.draft.counters[BROKEN] == 0)


def random_steps(rng: np.random.Generator, at: Setting, steps: int) -> None:
    """Random placing, taking out and new options for empty slots; of all rules only the zone of a block is kept."""
    for _ in range(steps):
        k = int(rng.integers(len(at.draft.option)))
        mine = np.flatnonzero(at.draft.block == k)
        if not len(mine) and rng.random() < 0.5:
            reoption(at.draft, k, int(rng.integers(len(at.options))))
        else:
            i = int(rng.integers(at.problem.n))
            fits = not at.problem.within_zone or (at.problem.zone[mine] == at.problem.zone[i]).all()
            place(at.terrain, at.draft, i, k if fits and rng.random() < 0.8 else -1)


@pytest.mark.parametrize(("kind", "seed"), CASES, ids=str)
def test_sums_equal_recomputation_and_undo_restores(kind: str, seed: int) -> None:
    at = Setting(instance(kind, seed))
    rng = np.random.default_rng(seed)
    for _ in range(12):
        at.draft.counters[JOURNAL] = 0
        block, option = at.draft.block.copy(), at.draft.option.copy()
        random_steps(rng, at, int(rng.integers(1, 12)))
        check_blocks(at)
        check_accounts(at)
        check_price(at)
        if rng.random() < 0.6:
            undo(at.terrain, at.draft)
            assert at.draft.counters[JOURNAL] == 0
            assert (at.draft.block == block).all()
            assert (at.draft.option == option).all()
            check_blocks(at)
            check_accounts(at)
            check_price(at)


def test_thousands_of_steps_drift_no_further_than_rounding() -> None:
    at = Setting(instance("rich", 5))
    rng = np.random.default_rng(1)
    for _ in range(400):
        at.draft.counters[JOURNAL] = 0
        random_steps(rng, at, 10)
        if rng.random() < 0.5:
            undo(at.terrain, at.draft)
    check_blocks(at)
    check_accounts(at)
    check_price(at)


@pytest.mark.parametrize(("kind", "seed"), CASES, ids=str)
def test_the_best_plan_has_no_price(kind: str, seed: int) -> None:
    at = Setting(instance(kind, seed))
    truth = Brute(at.problem).truth()
    load(at.terrain, at.draft, [(b.parcels, at.option(b)) for b in truth.blocks])
    assert at.blocks() == list(truth.blocks)
    if truth.feasible:
        assert at.draft.total[PENALTY] == 0.0
        assert keeps_limits(at.terrain, at.draft)
        assert at.draft.total[WORTH] - at.draft.total[UNMET] == pytest.approx(truth.optimum, abs=1e-6)


def row(**changes: object) -> Setting:
    """A row of five in one block."""
    at = Setting(grid_problem(5, 1, **changes))
    load(at.terrain, at.draft, [((0, 1, 2, 3, 4), 0)])
    return at


def test_a_row_breaks_in_the_middle_only() -> None:
    at = row()
    assert [whole_without(at.terrain, at.draft, i) for i in range(5)] == [True, False, False, False, True]


def test_a_ring_does_not_break() -> None:
    """3×3 grid without its middle: every parcel of the ring can leave."""
    at = Setting(grid_problem(3, 3))
    ring = (0, 1, 2, 3, 5, 6, 7, 8)
    load(at.terrain, at.draft, [(ring, 0)])
    assert all(whole_without(at.terrain, at.draft, i) for i in ring)


@pytest.mark.parametrize("seed", range(15))
def test_whole_without_agrees_with_the_graph(seed: int) -> None:
    at = Setting(grid_problem(6, 6))
    rng = np.random.default_rng(seed)
    piece = at.graph.components(rng.random(36) < 0.7)
    block = np.flatnonzero(piece == np.bincount(piece[piece >= 0]).argmax())
    load(at.terrain, at.draft, [(block.tolist(), 0)])
    for i in block.tolist():
        rest = set(block.tolist()) - {i}
        assert whole_without(at.terrain, at.draft, i) == (not rest or at.graph.is_connected(rest))


def test_option_of_an_empty_slot_comes_back() -> None:
    at = Setting(grid_problem(2, 1, phases=(Phase("P1", 1, 1.0), Phase("P2", 2, 1.0))))
    first = at.terrain.at_blocks
    reoption(at.draft, 0, 1)
    place(at.terrain, at.draft, 0, 0)
    assert at.draft.level[first : first + 2].tolist() == [0, 1]
    undo(at.terrain, at.draft)
    assert at.draft.option[0] == 0
    assert at.draft.level[first : first + 2].tolist() == [0, 0]


def test_prices_by_hand() -> None:
    """Row of three, 10 mu and cost 4 each; floor 25 by P1, budget 5, at most one block; 0 and 2 taken apart.

    5 mu short, 3 over budget, one block too many.
    """
    at = Setting(
        grid_problem(
            3,
            1,
            cost=np.full(3, 4.0),
            phases=(Phase("P1", 1, 1.0, 5.0, 1),),
            targets=(Target("P1", 0, -1, 25.0),),
        )
    )
    load(at.terrain, at.draft, [((0,), 0), ((2,), 0)])
    price, t = at.draft.price, at.terrain
    due = 5 * price[0, 0] + 3 * price[t.at_money, 1] + price[t.at_blocks, 1]
    assert at.draft.total[PENALTY] == pytest.approx(due, rel=1e-2)
    assert set(faults(at.problem, at.blocks())) == {"floor", "budget", "max_blocks"}
    assert not keeps_limits(t, at.draft)


def test_other_prices_by_hand() -> None:
    """Row of four, 10 mu each. Mode B is done a phase later and gives 7 m² a parcel.

    {0, 1} in P1, mode B; {3} in P2, mode A. Ceiling 5 mu by P1 in A's way: nothing is done in P1, 30 mu are by P2, 25
    are allowed. New floor 14 m² of 20. One project of 20 mu in {0, 1, 2}, two wanted. Decant 3 a parcel, 5 allowed in
    P1: 1 over. Nothing exists: the largest piece is {0, 1}, 10 mu are loose in P2.
    """
    floor = np.zeros((4, 2))
    floor[:, 1] = 7.0
    at = Setting(
        grid_problem(
            4,
            1,
            modes=(Mode("A"), Mode("B", 1)),
            mode_floor_m2=floor,
            phases=(Phase("P1", 1, 1.0), Phase("P2", 2, 1.0)),
            groups=(Group("west", np.array([True, True, True, False])),),
            targets=(
                Target("early", 0, -1, 0.0, ceiling=5.0),
                Target("late", 1, -1, 0.0, ceiling=25.0),
                Target("new", 1, -1, 20.0, measure="floor_m2"),
                Target("projects", 1, -1, 2.0, group=0, measure="blocks", project_min_mu=20.0),
            ),
            resources=(Resource("decant", "m²", np.full(4, 3.0), (5.0, None)),),
            rolling=True,
        )
    )
    load(at.terrain, at.draft, [((0, 1), at.options.of(0, 1)), ((3,), at.options.of(1, 0))])
    t, price = at.terrain, at.draft.price
    account = {at.problem.targets[k].name: a for a, k in enumerate(target_order(at.problem))}
    due = 5 * price[account["late"], 1] + 6 * price[account["new"], 0] + 1 * price[account["projects"], 0]
    due += 1 * price[t.at_resource, 1] + 10 * price[t.at_loose, 1]
    assert at.draft.total[PENALTY] == pytest.approx(due, rel=1e-5)
    assert at.draft.counters[BROKEN] == 5
    before = price.copy()
    adapt_prices(t, at.draft)
    raised = {(int(a), int(side)) for a, side in zip(*np.nonzero(at.draft.price > before), strict=True)}
    assert raised == {
        (account["late"], 1),
        (account["new"], 0),
        (account["projects"], 0),
        (t.at_resource, 1),
        (t.at_loose, 1),
    }


def test_cache_looks_at_every_compiled_module() -> None:
    folder = Path(compiled.__file__).parent
    users = {f.stem for f in folder.glob("*.py") if "optimise.compiled import" in f.read_text(encoding="utf-8")}
    assert users <= set(compiled.MODULES)


def test_rule_of_one_mode_binds_in_it_only() -> None:
    rule = BlockRule("consent", "mu", np.array([10.0, 0.0]), 0.8, np.full(2, 10.0), modes=(1,))
    at = Setting(grid_problem(2, 1, modes=(Mode("A"), Mode("B")), block_rules=(rule,)))
    for mode, kept in ((0, True), (1, False)):
        load(at.terrain, at.draft, [((0, 1), at.options.of(0, mode))])
        assert keeps_rules(at.terrain, at.draft, 0) == kept
