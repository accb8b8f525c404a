"""What comes of the demand for land: tables, and the part of the summary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from planner.config import Config
from planner.demand.judge import Judged
from planner.demand.placing import STATUSES, Matching, Placed, place
from planner.demand.projects import COLUMNS, ID
from planner.demand.supply import SUPPLY_COLUMNS, block_supply, month, year_of
from planner.demand.years import demand_by_year, project_times
from planner.mode_report import records
from planner.modes.terms import Terms
from planner.problem import Block
from planner.spec_demand import RATIOS, DemandSpec

CODE: Final = "project_code"
"""Column that holds the permanent code of a project's block; it is known when the plan is written."""
DEMAND_COLUMNS: Final = (
    ID,
    *COLUMNS[:-1],
    *RATIOS,
    "barred",
    "barred_by",
    "below",
    "below_by",
    "undecided",
    "grade",
    "grade_marks",
    "worth",
    "status",
    "block_id",
    CODE,
    "supplied",
    "supplied_year",
    "built",
    "full",
    "reason",
    "synthetic",
    "note",
)
"""Columns of `DemandReport.projects`."""
SUMMED: Final = ("investment_yuan", "site_mu", "output_yuan", "tax_yuan", "value_added_yuan", "energy_tce", "staff")
"""Figures of projects that are added up."""


@dataclass(frozen=True)
class DemandReport:
    """What comes of the demand for land.

    Attributes
    ----------
    projects : pandas.DataFrame
        `DEMAND_COLUMNS`, a row per project: judged, matched, and why not; written as ``tables/demand.csv``.
    tests : pandas.DataFrame
        As `planner.demand.judge.Judged.tests`; ``tables/demand_tests.csv``.
    blocks : pandas.DataFrame
        As `planner.demand.supply.block_supply`, with ``let_mu``, ``left_mu``, ``let_frontage_m`` and ``projects`` (how
        many); ``tables/demand_blocks.csv``.
    years : pandas.DataFrame
        As `planner.demand.years.demand_by_year`; ``tables/demand_by_year.csv``.
    summary : dict
        Content of the key ``demand`` of the summary.
    """

    projects: pd.DataFrame
    tests: pd.DataFrame
    blocks: pd.DataFrame
    years: pd.DataFrame
    summary: dict[str, Any]

    def tables(self) -> dict[str, pd.DataFrame]:
        """Name → table."""
        return {
            "demand": self.projects,
            "demand_tests": self.tests,
            "demand_blocks": self.blocks,
            "demand_by_year": self.years,
        }


def demand_report(
    config: Config,
    spec: DemandSpec,
    judged: Judged,
    fields: pd.DataFrame,
    blocks: Sequence[Block],
    block_ids: Sequence[str],
    terms: Terms | None,
    find: Matching,
) -> DemandReport:
    """Match the projects to a plan and tell what comes of it.

    Parameters
    ----------
    config : Config
    spec : DemandSpec
    judged : Judged
        As `planner.demand.judge.judge_demand` gives it.
    fields : pandas.DataFrame
        By parcel id in the order of the problem, with ``area_mu`` and ``score``.
    blocks, block_ids
        The plan.
    terms : Terms or None
        None without modes.
    find : Matching
        What finds the match: `planner.optimise.match.match` with its limits given.
    """
    supply = block_supply(config, spec, fields, blocks, block_ids, terms)
    placed = place(judged, supply, find)
    times = project_times(judged.projects, placed.table, supply, spec)
    table = _project_table(judged, placed, times, spec.synthetic)
    coming = placed.table["status"].isin(["matched", "in place"]).to_numpy(dtype=bool)
    years = demand_by_year(config, spec, fields, blocks, terms, judged.projects[coming], times[coming])
    let = _let(supply, judged.projects, placed)
    summary = _summary(spec, judged, placed, table, let, years, int(times[coming]["full_at"].isna().sum()))
    return DemandReport(table, judged.tests, let, years, summary)


def _project_table(judged: Judged, placed: Placed, times: pd.DataFrame, synthetic: bool) -> pd.DataFrame:
    written = {
        new: pd.Series([month(t) for t in times[old]], index=times.index, dtype=object)
        for new, old in (("supplied", "supplied_at"), ("built", "built_at"), ("full", "full_at"))
    }
    years = pd.array([year_of(t) for t in times["supplied_at"]], dtype="Int64")
    table = pd.concat([judged.projects, judged.verdicts, placed.table], axis=1).assign(
        **written, supplied_year=years, synthetic=synthetic, **{CODE: None}
    )
    return table.reset_index()[list(DEMAND_COLUMNS)]


def _let(supply: pd.DataFrame, projects: pd.DataFrame, placed: Placed) -> pd.DataFrame:
    """Blocks with what is let of them."""
    matched = placed.table["block_id"].dropna()
    needs = projects.loc[matched.index, ["site_mu", "frontage_m"]].astype("float64").fillna(0.0)
    sums = needs.groupby(matched.to_numpy(dtype=object)).sum().reindex(supply["block_id"]).fillna(0.0)
    numbers = matched.value_counts().reindex(supply["block_id"]).fillna(0).astype("int64")
    let_mu = sums["site_mu"].to_numpy(dtype=np.float64)
    return supply[list(SUPPLY_COLUMNS)].assign(
        let_mu=let_mu,
        left_mu=supply["site_mu"].to_numpy(dtype=np.float64) - let_mu,
        let_frontage_m=sums["frontage_m"].to_numpy(dtype=np.float64),
        projects=numbers.to_numpy(),
    )


def _summary(
    spec: DemandSpec,
    judged: Judged,
    placed: Placed,
    table: pd.DataFrame,
    let: pd.DataFrame,
    years: pd.DataFrame,
    undated: int,
) -> dict[str, Any]:
    matched = table[table["status"] == "matched"]
    gap = None if placed.worth == 0 else (placed.bound - placed.worth) / abs(placed.worth)
    grades = judged.verdicts["grade"].value_counts() if spec.grading is not None else None
    supplied = let["supplied_year"].notna()
    return {
        "synthetic": spec.synthetic,
        "table_sha256": judged.table_sha256,
        "projects": len(table),
        "counts": {name: int((table["status"] == name).sum()) for name in STATUSES},
        "worth_by": spec.worth,
        "worth": placed.worth,
        "bound": placed.bound,
        "gap": 0.0 if placed.worth == placed.bound else gap,
        "status": placed.status,
        "ties_settled": placed.settled,
        "offered_mu": float(let.loc[supplied, "site_mu"].sum()),
        "offered_unknown_parcels": int(let.loc[supplied, "net_unknown_parcels"].sum()),
        "let_mu": float(let["let_mu"].sum()),
        "figures": {
            name: _figures(table[table["status"] == name]) for name in STATUSES if (table["status"] == name).any()
        },
        "tax_yuan_per_tce": _per_energy(matched, "tax_yuan"),
        "value_added_yuan_per_tce": _per_energy(matched, "value_added_yuan"),
        "undated": undated,
        "tests": _test_figures(judged.tests, spec),
        "grades": None
        if grades is None
        else {**{g: int(grades.get(g, 0)) for g in "ABCD"}, "unknown": int(judged.verdicts["grade"].isna().sum())},
        "lead_months": {"start": spec.start_months, "build": spec.build_months, "ramp": spec.ramp_months},
        "blocks": records(let),
        "years": records(years),
        "rows": records(table[list(_ROW)]),
    }


_ROW: Final = (
    ID,
    "industry",
    "investment_yuan",
    "site_mu",
    "frontage_m",
    "from_year",
    "by_year",
    "grade",
    "worth",
    "status",
    "block_id",
    CODE,
    "supplied",
    "built",
    "full",
    "reason",
)


def _figures(rows: pd.DataFrame) -> dict[str, Any]:
    """Sums over what is known, None where nothing is, and beside each how many projects are left out."""
    found: dict[str, Any] = {}
    for name in SUMMED:
        values = rows[name].astype("Float64")
        found[name] = None if values.isna().all() else float(values.sum())
        found[f"{name}_unknown_projects"] = int(values.isna().sum())
    return found


def _per_energy(rows: pd.DataFrame, name: str) -> dict[str, Any]:
    """Sum per tonne of coal equivalent over the projects of which both are known."""
    both = (rows[name].notna() & rows["energy_tce"].notna()).to_numpy(dtype=bool)
    amount, energy = (float(rows.loc[both, c].astype("float64").sum()) for c in (name, "energy_tce"))
    return {"value": amount / energy if energy > 0 else None, "unknown_projects": int((~both).sum())}


def _test_figures(tests: pd.DataFrame, spec: DemandSpec) -> list[dict[str, Any]]:
    found = []
    for kind, listed in (("veto", spec.veto), ("threshold", spec.thresholds)):
        for test in listed:
            outcome = tests.loc[(tests["test"] == test.name) & (tests["kind"] == kind), "outcome"]
            found.append(
                {
                    "kind": kind,
                    "name": test.name,
                    "when": test.when,
                    "source": test.source,
                    "failed": int((outcome == "failed").sum()),
                    "undecided": int(outcome.str.startswith("undecided").sum()),
                    "unknown": test.unknown,
                }
            )
    return found


def with_codes(report: DemandReport, codes: Mapping[str, str]) -> DemandReport:
    """The same with the permanent codes of the projects' blocks.

    Parameters
    ----------
    report : DemandReport
    codes : mapping of str to str
        Block → code.
    """
    mine = [None if b is None else codes.get(str(b)) for b in report.projects["block_id"]]
    table = report.projects.assign(**{CODE: pd.Series(mine, index=report.projects.index, dtype=object)})
    summary = report.summary | {"rows": records(table[list(_ROW)])}
    return DemandReport(table, report.tests, report.blocks, report.years, summary)
