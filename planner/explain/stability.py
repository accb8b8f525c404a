"""Which blocks stay when weights change a little."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from geodata.errors import GeodataError
from planner.assemble import assemble
from planner.config import Config
from planner.config_file import load_config
from planner.consequences.plan import PlanInHand
from planner.errors import PlannerError
from planner.explain.asking import Answer, Asker
from planner.explain.folder import CONFIG, SAME_JACCARD, RunFolder, jaccard
from planner.land import prepare
from planner.land_fields import scoring_of
from planner.optimise.evaluate import objective, plan_faults
from planner.optimise.options import availability
from planner.optimise.presolve import usable_graph
from planner.problem import Block, Problem
from planner.progress import Silent
from planner.scoring import score_parcels


@dataclass(frozen=True, eq=False)
class Scenario:
    """A small change of weights."""

    name: str
    problem: Problem


@dataclass(frozen=True)
class ScenarioOutcome:
    """What a change of weights does.

    Attributes
    ----------
    name : str
    verdict, message : str
        How the solver answered.
    plan_worth : float or None
        Worth of the plan in hand with the changed weights, currency; None where it is no plan any more.
    best_worth, bound : float or None
        Of the best plan found, and of any, currency.
    surviving : int
        Blocks of the plan in hand that survive.
    moved_mu : float or None
        Land that only one of the two plans takes, mu.
    """

    name: str
    verdict: str
    message: str
    plan_worth: float | None
    best_worth: float | None
    bound: float | None
    surviving: int
    moved_mu: float | None

    @property
    def gain_share(self) -> float | None:
        """How much better the other plan is, as a share; a small one means that the plan in hand is as good."""
        if self.plan_worth is None or self.best_worth is None or self.plan_worth == 0:
            return None
        return (self.best_worth - self.plan_worth) / abs(self.plan_worth)


@dataclass(frozen=True)
class BlockStability:
    """How a block of the plan fares.

    Attributes
    ----------
    block, phase : str
    area_mu : float
    survives : float or None
        Share of the scenarios answered in which some block has a Jaccard index of 0.9 or more with it; None = none was.
    same_phase : float or None
        Share in which that block is in the same phase as well.
    lost_in : tuple of str
        Scenarios in which it does not survive.
    """

    block: str
    phase: str
    area_mu: float
    survives: float | None
    same_phase: float | None
    lost_in: tuple[str, ...]


@dataclass(frozen=True)
class Stability:
    """Blocks by how often they survive, and the scenarios.

    Attributes
    ----------
    blocks : tuple of BlockStability
        In the order of the plan.
    scenarios : tuple of ScenarioOutcome
    notes : tuple of str
        What was left out, and why.
    currency : str
    """

    blocks: tuple[BlockStability, ...]
    scenarios: tuple[ScenarioOutcome, ...]
    notes: tuple[str, ...]
    currency: str


def explain_stability(run: RunFolder, asker: Asker, change: float = 0.1) -> Stability:
    """Solve anew with each weight `change` more and less, from the plan in hand.

    Raises
    ------
    DataError
        There is no plan.
    """
    problem, plan = run.problem, run.require_plan()
    scored, notes = score_scenarios(run, asker, change)
    scenarios = [*weight_scenarios(problem, change), *scored]
    outcomes: list[ScenarioOutcome] = []
    kept: list[tuple[str, list[tuple[bool, bool]]]] = []
    for k, scenario in enumerate(scenarios):
        answer = asker.ask(scenario.name, scenario.problem, asker.share(len(scenarios) - k), plan.blocks)
        matches = [_match(problem, b, answer.blocks) for b in plan.blocks]
        outcomes.append(_outcome(scenario, problem, plan, answer, sum(m[0] for m in matches)))
        if answer.verdict not in {"not_asked", "no_plan"}:
            kept.append((scenario.name, matches))
    rows = [_stability(problem, plan, k, kept) for k in range(len(plan.blocks))]
    return Stability(tuple(rows), tuple(outcomes), notes, problem.currency)


def weight_scenarios(problem: Problem, change: float) -> Iterator[Scenario]:
    """Worth of land, cost, prices of perimeter and of changes, discount, each more and less; idle ones are left out."""
    for sign, factor in (("+", 1 + change), ("−", 1 - change)):
        by = f"{sign}{change:.0%}"
        gain = None if problem.mode_benefit is None else problem.mode_benefit * factor
        yield Scenario(f"value {by}", replace(problem, benefit=problem.benefit * factor, mode_benefit=gain))
        cost = None if problem.mode_cost is None else problem.mode_cost * factor
        if problem.cost.any() or cost is not None:
            yield Scenario(f"cost {by}", replace(problem, cost=problem.cost * factor, mode_cost=cost))
        if problem.perimeter_per_m > 0:
            yield Scenario(f"perimeter {by}", replace(problem, perimeter_per_m=problem.perimeter_per_m * factor))
        if problem.change_price is not None and problem.change_price.any():
            yield Scenario(f"price of changes {by}", replace(problem, change_price=problem.change_price * factor))
        if any(p.discount < 1 for p in problem.phases):
            # (1 + r)^−y to the power f: the logarithm of 1 + r changes by the factor
            phases = tuple(replace(p, discount=p.discount**factor) for p in problem.phases)
            yield Scenario(f"discount {by}", replace(problem, phases=phases))


def score_scenarios(run: RunFolder, asker: Asker, change: float) -> tuple[list[Scenario], tuple[str, ...]]:
    """Each score weight more and less, where the run's configuration and data are at hand; else a note why not."""
    path = run.path / CONFIG
    if not path.is_file():
        return [], (f"score weights left out: no {CONFIG} in the folder",)
    asker.progress.stage("score")
    try:
        config = load_config(path).config
        if len(config.scoring.criteria) < 2:
            asker.progress.done("one criterion")
            return [], ("score weights left out: with one criterion the weight changes nothing",)
        land = prepare(config, Silent())
        known = run.summary.get("input_hash")
        if known is not None and known != land.input_hash:
            asker.progress.done("data changed")
            return [], ("score weights left out: the input data are not those of the run any more",)
        found = []
        for name, changed in _changed_weights(config, change):
            scores = score_parcels(land.fields, scoring_of(changed))
            problem = assemble(scores, land.adjacency, changed).problem
            if problem.parcel_ids != run.problem.parcel_ids:
                asker.progress.done("other parcels")
                return [], ("score weights left out: the configuration gives other parcels than the run had",)
            found.append(Scenario(name, problem))
    except (PlannerError, GeodataError) as error:
        asker.progress.done("not possible")
        return [], (f"score weights left out: {error}",)
    asker.progress.done(f"{len(found)} scenarios")
    return found, ()


def _changed_weights(config: Config, change: float) -> Iterator[tuple[str, Config]]:
    criteria = config.scoring.criteria
    for k, criterion in enumerate(criteria):
        for sign, factor in (("+", 1 + change), ("−", 1 - change)):
            heavier = criterion.model_copy(update={"weight": criterion.weight * factor})
            scoring = config.scoring.model_copy(update={"criteria": (*criteria[:k], heavier, *criteria[k + 1 :])})
            yield f"weight of {criterion.name} {sign}{change:.0%}", config.model_copy(update={"scoring": scoring})


def _match(problem: Problem, block: Block, others: Sequence[Block]) -> tuple[bool, bool]:
    """Whether a block survives among others, and in its phase."""
    alike = [b for b in others if jaccard(problem, block.parcels, b.parcels) >= SAME_JACCARD]
    return bool(alike), any(b.phase == block.phase for b in alike)


def _outcome(scenario: Scenario, problem: Problem, plan: PlanInHand, answer: Answer, surviving: int) -> ScenarioOutcome:
    changed = scenario.problem
    graph = usable_graph(changed)
    stands = not plan_faults(changed, graph, plan.blocks, availability(changed))
    moved = None
    if answer.has_plan:
        before = {i for b in plan.blocks for i in b.parcels}
        after = {i for b in answer.blocks for i in b.parcels}
        moved = float(problem.area_mu[np.array(sorted(before ^ after), dtype=np.int64)].sum())
    return ScenarioOutcome(
        scenario.name,
        answer.verdict,
        answer.message,
        objective(changed, graph, plan.blocks) if stands else None,
        answer.objective,
        answer.bound,
        surviving,
        moved,
    )


def _stability(
    problem: Problem, plan: PlanInHand, k: int, kept: Sequence[tuple[str, list[tuple[bool, bool]]]]
) -> BlockStability:
    block = plan.blocks[k]
    return BlockStability(
        plan.names[k],
        problem.phases[block.phase].id,
        float(problem.area_mu[list(block.parcels)].sum()),
        sum(m[k][0] for _, m in kept) / len(kept) if kept else None,
        sum(m[k][1] for _, m in kept) / len(kept) if kept else None,
        tuple(name for name, m in kept if not m[k][0]),
    )
