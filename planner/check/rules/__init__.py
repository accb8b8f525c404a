"""All rules of the judge, in the order they are applied and reported."""

from __future__ import annotations

from typing import Final

from planner.check.facts import Facts
from planner.check.model import LAYERS
from planner.check.outcome import Rule
from planner.check.rules.areas import between, counted_pieces
from planner.check.rules.blocks import block_size, filler, within_zone
from planner.check.rules.decanting import decanting
from planner.check.rules.growth import fixed_blocks, rolling
from planner.check.rules.land import crs, geometry, overlap, zone
from planner.check.rules.limits import budgets, ceilings, earliest, locks, max_blocks, targets
from planner.check.rules.modes import consent, modes
from planner.check.rules.money import money_claims, outlays, peak_gap
from planner.check.rules.objective import bound, changes, objective, summary
from planner.check.rules.overlays import expected as expected_overlays
from planner.check.rules.overlays import overlays
from planner.check.rules.pieces import contiguity, links
from planner.check.rules.sums import block_rules, max_villages
from planner.check.rules.tables import assignment, block_geometry, block_table
from planner.check.rules.worth import cost, score, status
from planner.config import PhaseSpec, ZoneTargetSpec


def _layers(_: Facts) -> int:
    return len(LAYERS)


def _parcels(facts: Facts) -> int:
    return len(facts.parcels)


def _taken(facts: Facts) -> int:
    return int(facts.parcels["block_id"].notna().sum())


def _blocks(facts: Facts) -> int:
    return int(facts.parcels["block_id"].nunique())


def _listed_blocks(facts: Facts) -> int:
    return len(facts.tables.blocks)


def _blocks_in_zones(facts: Facts) -> int:
    return _blocks(facts) if facts.config.optimise.block.within_zone else 0


def _costed(facts: Facts) -> int:
    spec = facts.config
    return len(facts.parcels) if spec.optimise.cost is not None or spec.modes is not None else 0


def _floors(facts: Facts) -> int:
    return sum((goal.target_mu > 0) + (goal.target_floor_m2 > 0) for goal in _goals(facts))


def _goals(facts: Facts) -> list[PhaseSpec | ZoneTargetSpec]:
    """Targets as configured: study area, zones, groups."""
    spec = facts.config.optimise
    of_zones = [goal for phase in spec.phases for goal in phase.zones.values()]
    return [*spec.phases, *of_zones, *(goal for group in spec.groups for goal in group.phases.values())]


def _ceilings(facts: Facts) -> int:
    return sum(goal.target_max_mu is not None for goal in _goals(facts))


def _villages(facts: Facts) -> int:
    return _blocks(facts) if facts.config.optimise.block.max_villages is not None else 0


def _block_rules(facts: Facts) -> int:
    return _blocks(facts) * len(facts.config.optimise.block.rules)


def _rolling(facts: Facts) -> int:
    """At least one zone in each phase, where there is a plan."""
    return len(facts.config.optimise.phases) if facts.config.optimise.contiguity == "rolling" and _blocks(facts) else 0


def _fixed(facts: Facts) -> int:
    return len(facts.config.optimise.locks.blocks)


def _budgets(facts: Facts) -> int:
    return sum(p.budget is not None for p in facts.config.optimise.phases)


def _block_limits(facts: Facts) -> int:
    return sum(p.max_blocks is not None for p in facts.config.optimise.phases)


def _locks(facts: Facts) -> int:
    spec = facts.config.optimise.locks
    return len(spec.in_) + len(spec.out) + len(spec.by) + len(spec.at)


def _gated(facts: Facts) -> int:
    return _taken(facts) if facts.config.optimise.earliest else 0


def _in_modes(facts: Facts) -> int:
    """Blocks and their parcels."""
    return _blocks(facts) + _taken(facts) if facts.config.modes is not None else 0


def _consent_tests(facts: Facts) -> int:
    """Tests of the mode that the first parcel of each block names."""
    if facts.config.modes is None:
        return 0
    tests = {mode.id: len(mode.consent) for mode in facts.config.modes.choices}
    named = facts.parcels.dropna(subset=["block_id", "mode"]).drop_duplicates("block_id")["mode"]
    return sum(tests.get(str(mode), 0) for mode in named)


def _outlay_limits(facts: Facts) -> int:
    spec = facts.config.modes
    return 0 if spec is None else sum(len(limit.outlay or {}) for limit in spec.limits)


def _gap_limits(facts: Facts) -> int:
    spec = facts.config.modes
    return 0 if spec is None else sum(limit.peak_gap is not None for limit in spec.limits)


def _decanted(facts: Facts) -> int:
    spec = facts.config.modes
    return 0 if spec is None or spec.decant is None else _blocks(facts)


def _money_claims(facts: Facts) -> int:
    return len(facts.claims.peak_gaps) + len(facts.claims.outlays)


RULES: Final[tuple[Rule, ...]] = (
    Rule("crs", "layers in one projected CRS in metres", crs, _layers),
    Rule("geometry", "parcels are valid polygons, area_mu is what they measure", geometry, _parcels),
    Rule("overlap", "parcels do not overlap", overlap, _parcels),
    Rule("zone", "parcels lie in the zone they name", zone, _parcels),
    Rule("assignment", "status, block, phase and role agree", assignment, _parcels),
    Rule("block_table", "figures of blocks follow from their parcels", block_table, _blocks),
    Rule("block_geometry", "figures of blocks are the union of their parcels", block_geometry, _listed_blocks),
    Rule("between", "land between parcels goes once to a parcel beside it", between, counted_pieces),
    Rule("overlays", "no land of the plan on ground that overlays keep out", overlays, expected_overlays),
    Rule("links", "bridged links are short, free and listed", links, lambda facts: len(facts.tables.links)),
    Rule("contiguity", "every block is one connected piece", contiguity, _blocks),
    Rule("block_size", "areas of blocks within their limits", block_size, _blocks),
    Rule("within_zone", "blocks within one zone", within_zone, _blocks_in_zones),
    Rule("max_villages", "blocks not in too many villages", max_villages, _villages),
    Rule("block_rules", "blocks reach the sums asked of them", block_rules, _block_rules),
    Rule("rolling", "what is cleared in a zone is one area that grows", rolling, _rolling),
    Rule("fixed_blocks", "blocks that stand are as they were", fixed_blocks, _fixed),
    Rule("modes", "blocks have a mode that their parcels allow", modes, _in_modes),
    Rule("consent", "enough right-holders and area agree", consent, _consent_tests),
    Rule("score", "scores follow from the criteria", score, _parcels),
    Rule("status", "no excluded or ineligible land in the plan", status, _parcels),
    Rule("filler", "filler as declared, within its share", filler, _taken),
    Rule("cost", "costs follow from the configuration", cost, _costed),
    Rule("targets", "cumulative targets are reached", targets, _floors),
    Rule("ceilings", "cumulative ceilings are kept", ceilings, _ceilings),
    Rule("budgets", "budgets are kept", budgets, _budgets),
    Rule("outlays", "parties do not lay out too much in a phase", outlays, _outlay_limits),
    Rule("peak_gap", "parties are never short of too much", peak_gap, _gap_limits),
    Rule("decanting", "displaced firms find floor that stands", decanting, _decanted),
    Rule("max_blocks", "not too many blocks in a phase", max_blocks, _block_limits),
    Rule("locks", "locks are obeyed", locks, _locks),
    Rule("earliest", "gates are open", earliest, _gated),
    Rule("objective", "the objective is what the layers give", objective, lambda f: f.claims.objective is not None),
    Rule("bound", "bound and gap fit the objective", bound, lambda f: f.claims.bound is not None),
    Rule("summary", "the summary agrees with the layers", summary, lambda f: len(f.claims.areas)),
    Rule("changes", "changes in the summary agree with the layers", changes, lambda f: f.claims.changes is not None),
    Rule("money_claims", "money in the summary agrees with the layers", money_claims, _money_claims),
)
"""One entry per rule; ``docs/checks.md`` has one section for each."""
