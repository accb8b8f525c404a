"""All terms of the modes of a configuration, and a problem with modes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from geodata.errors import Issue, list_ids
from planner.config import Config, phase_goals
from planner.errors import ConfigError
from planner.expressions import evaluate_condition
from planner.modes.consent import consent_rules, consent_table
from planner.modes.decant import decant_resource
from planner.modes.figures import figure_fields, quantity
from planner.modes.firm_units import firm_units
from planner.modes.limits import money_resources
from planner.modes.lines import money_lines, net_cost, unknown_money
from planner.modes.space import new_space, space_by_year
from planner.modes.terms import Terms, Timetable
from planner.modes.timetable import problem_modes, timetable
from planner.problem import Bools, Floats, Problem
from planner.spec_modes import ModesSpec


def make_terms(config: Config, modes: ModesSpec, fields: pd.DataFrame, undecided: dict[str, list[str]]) -> Terms:
    """What follows from the modes for each parcel.

    Parameters
    ----------
    config : Config
    modes : ModesSpec
        Its section `modes`.
    fields : pandas.DataFrame
        Fields by ``parcel_id``, the score among them.
    undecided : dict of str to list of str
        What could not be decided is added here.

    Raises
    ------
    ConfigError
        Months that fall, payments below zero, shares of consent or of worth outside 0 to 1, and whatever else cannot be
        of what the reports on the plan will use.
    DataError
        Present floor area or jobs below 0, numbers of firms that cannot be, shares that are none.
    """
    fields = figure_fields(fields, modes.figures)
    times = timetable(config)
    _check_reports(modes, times, fields, undecided)
    space = new_space(modes, fields)
    lines = money_lines(modes, fields, times, space.new_floor_m2, space.net_area_mu)
    consent, unheard = consent_rules(modes, fields, undecided)
    benefit = _benefit_shares(modes, fields)
    unknown = {
        "payments": unknown_money(lines, len(fields)),
        "worth": np.isnan(benefit),
        "consent": unheard,
    }
    if any(goal.target_floor_m2 for goal in phase_goals(config.optimise)):
        unknown["new floor area"] = np.isnan(space.new_floor_m2)
    open_ = _allowed(modes, fields, undecided)
    for what, mask in unknown.items():
        for m, mode in enumerate(modes.choices):
            lost = mask[:, m] & open_[:, m]
            if lost.any():
                undecided[f"{what} of mode {mode.id}"] = [str(i) for i in fields.index[lost]]
        open_ &= ~mask
    untold = np.logical_or.reduce([mask for what, mask in unknown.items() if what != "consent"])
    decant = decant_resource(modes, fields, times, space.new_floor_m2, open_, undecided)
    if decant is not None:
        open_ &= ~decant.closed
        untold |= decant.closed
    phases = [p.id for p in config.optimise.phases]
    resources = money_resources(modes, lines, times, phases, open_, config.project.currency)
    return Terms(
        timetable=times,
        modes=problem_modes(config, times),
        lines=lines,
        net_cost_yuan=net_cost(lines, modes.net_cost_of, len(fields)),
        benefit_share=benefit,
        new_floor_m2=space.new_floor_m2,
        open=open_,
        unknown=np.asarray(untold),
        consent=consent,
        resources=(*resources, *(() if decant is None else (decant.resource,))),
    )


def _check_reports(modes: ModesSpec, times: Timetable, fields: pd.DataFrame, undecided: dict[str, list[str]]) -> None:
    """Raise now what the reports on a plan would raise after the solve; list parcels of unknown numbers of firms."""
    space_by_year(modes, times, fields, (), ())
    consent_table(modes, fields, (), ())
    if modes.decant is not None:
        told: dict[str, list[str]] = {}
        firm_units(modes, fields, told)
        asked = {"number of firms": modes.decant.firms, "number of large firms": modes.decant.large_firms}
        unasked = {f"decanting, {name}" for name, expression in asked.items() if expression is None}
        undecided.update({name: ids for name, ids in told.items() if name not in unasked})


def _benefit_shares(modes: ModesSpec, fields: pd.DataFrame) -> Floats:
    """Share of each parcel's worth that each mode brings, ``float64[n, M]``, NaN where unknown."""
    shares = np.stack([quantity(mode.benefit, fields) for mode in modes.choices], axis=1)
    issues = []
    for m, mode in enumerate(modes.choices):
        at = np.flatnonzero((shares[:, m] < 0) | (shares[:, m] > 1))
        if len(at):
            found = f"{shares[at[0], m]:g} and the like in parcels {list_ids([str(i) for i in fields.index[at]])}"
            where = f"modes.choices, {mode.id}, benefit"
            issues.append(Issue(where, found, "a share of 0 to 1", "Correct the number or the expression."))
    if issues:
        raise ConfigError(issues)
    return shares


def _allowed(modes: ModesSpec, fields: pd.DataFrame, undecided: dict[str, list[str]]) -> Bools:
    """Modes that parcels are open to by the conditions ``open``; undecidable = not open."""
    allowed = np.ones((len(fields), len(modes.choices)), dtype=np.bool_)
    for m, mode in enumerate(modes.choices):
        if mode.open is not None:
            answer = evaluate_condition(mode.open, fields)
            unknown = answer.isna().to_numpy(dtype=bool)
            if unknown.any():
                undecided[f"whether mode {mode.id} is open"] = [str(i) for i in fields.index[unknown]]
            allowed[:, m] = answer.fillna(False).to_numpy(dtype=bool)
    return allowed


def with_terms(problem: Problem, terms: Terms) -> Problem:
    """A problem without modes, with those of the terms: worth, cost, floor, consent and limits by mode."""
    known = terms.open
    return replace(
        problem,
        modes=terms.modes,
        mode_benefit=problem.benefit[:, None] * np.where(np.isnan(terms.benefit_share), 0.0, terms.benefit_share),
        mode_cost=np.where(np.isnan(terms.net_cost_yuan), 0.0, terms.net_cost_yuan),
        mode_open=known,
        mode_floor_m2=np.where(np.isnan(terms.new_floor_m2), 0.0, terms.new_floor_m2),
        block_rules=(*problem.block_rules, *terms.consent),
        resources=(*problem.resources, *terms.resources),
    )
