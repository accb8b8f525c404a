"""What the modes of a plan come to, as tables: money, consent, milestones, new space, villages."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
import pandas as pd

from planner.config import Config
from planner.modes.balance import funding_balance, net_present_value, peak_gaps
from planner.modes.consent import consent_table
from planner.modes.figures import figure_fields
from planner.modes.flows import CENTS_PER_YUAN, payments
from planner.modes.moves import Assign, Moves, firm_moves
from planner.modes.space import block_space, space_by_year
from planner.modes.terms import MONTHS_PER_YEAR, Terms, Timetable
from planner.modes.timetable import TIME_TOLERANCE
from planner.modes.villages import village_table
from planner.problem import Block, Resource
from planner.spec_modes import MILESTONES, Milestone, ModesSpec

MONTH_TOLERANCE: Final = MONTHS_PER_YEAR * TIME_TOLERANCE


@dataclass(frozen=True)
class ModeReport:
    """Tables about the modes of a plan; each is also written as ``tables/<name>.csv``.

    Attributes
    ----------
    milestones : pandas.DataFrame
        ``block_id``, ``phase``, ``mode``, and the month in which each milestone is reached, ``year-month`` (a phase's
        year 2026 has the months 2026-01 to 2026-12; year 3 the months 3-01 to 3-12); missing = never.
    payments : pandas.DataFrame
        As `planner.modes.flows.payments`, with ``amount_yuan`` in place of cents.
    funding_balance : pandas.DataFrame
        As `planner.modes.balance.funding_balance`, in yuan.
    parties : pandas.DataFrame
        ``party``, ``balance_yuan``, ``npv_yuan``, ``peak_gap_yuan``, ``year`` of the peak gap.
    limits : pandas.DataFrame
        ``name``, ``period``, ``unit``, ``taken``, ``most``: every limit on money and on decanting, and how much of it
        the plan takes.
    consent : pandas.DataFrame
    space_years, space_blocks : pandas.DataFrame
        As `planner.modes.space`.
    firm_moves, decant_sites : pandas.DataFrame or None
        As `planner.modes.moves.Moves`; None where nothing is said of decanting.
    villages : pandas.DataFrame or None
        As `planner.modes.villages.village_table`; None where no field names a parcel's village.
    decanting : dict or None
        How many firms and how much floor area are kept, moved and without a place.
    """

    milestones: pd.DataFrame
    payments: pd.DataFrame
    funding_balance: pd.DataFrame
    parties: pd.DataFrame
    limits: pd.DataFrame
    consent: pd.DataFrame
    space_years: pd.DataFrame
    space_blocks: pd.DataFrame
    firm_moves: pd.DataFrame | None
    decant_sites: pd.DataFrame | None
    villages: pd.DataFrame | None
    decanting: dict[str, Any] | None

    def tables(self) -> dict[str, pd.DataFrame]:
        """Name → table, those that there are."""
        found = {f.name: getattr(self, f.name) for f in fields(self)}
        return {name: table for name, table in found.items() if isinstance(table, pd.DataFrame)}


def mode_report(
    config: Config,
    terms: Terms,
    land: pd.DataFrame,
    blocks: Sequence[Block],
    block_ids: Sequence[str],
    assign: Assign,
    points: pd.DataFrame,
) -> ModeReport:
    """All tables of a plan.

    Parameters
    ----------
    config : Config
        With modes.
    terms : Terms
    land : pandas.DataFrame
        Fields by ``parcel_id`` in the order of the problem.
    blocks, block_ids
        The plan.
    assign : Assign
        What finds places for firms: `planner.optimise.assign.assign`.
    points : pandas.DataFrame
        ``x_m``, ``y_m`` by ``parcel_id``: where parcels lie, for the distances that firms move.
    """
    modes = config.modes
    assert modes is not None
    land = figure_fields(land, modes.figures)
    paid = payments(terms.lines, terms.timetable, blocks, block_ids)
    moves = firm_moves(modes, land, terms.timetable, blocks, block_ids, terms.new_floor_m2, assign, points=points)
    phases = [p.id for p in config.optimise.phases]
    village = config.optimise.village
    table = None if moves is None else moves.table
    by_village = (
        None if village is None else village_table(modes, land, land[village], blocks, block_ids, phases, paid, table)
    )
    years = space_by_year(modes, terms.timetable, land, blocks)
    return ModeReport(
        milestones=milestone_table(terms.timetable, blocks, block_ids),
        payments=_in_yuan(paid, ["amount_cents"]),
        funding_balance=_balance(paid, _retained(years)),
        parties=_parties(paid, modes, config.optimise.base_year),
        limits=limit_table(terms.resources, blocks),
        consent=consent_table(modes, land, blocks, block_ids),
        space_years=years,
        space_blocks=block_space(modes, land, blocks, block_ids),
        firm_moves=table,
        decant_sites=None if moves is None else moves.sites,
        villages=by_village,
        decanting=None if moves is None else _decanting(moves),
    )


def _decanting(moves: Moves) -> dict[str, Any]:
    """Firms and floor area by what happens to them, and how sure that is.

    Numbers and floor area are sums of what is known, None where it is for no entry; beside them, in how many entries it
    is not.
    """
    status, firms = moves.table["status"], moves.table["firms"].astype("Int64")
    large = moves.table["large"].astype("boolean")
    fates = pd.DataFrame({"entries": status.groupby(status).size()})
    for name, amount in (
        ("firms", firms),
        ("large_firms", firms.where(large.fillna(False), 0).mask(large.isna())),
        ("floor_m2", moves.table["floor_m2"].astype("Float64")),
    ):
        fates[name] = amount.groupby(status).sum(min_count=1)
        fates[f"{name}_unknown_entries"] = amount.isna().groupby(status).sum()
    return {
        "fates": records(fates.rename_axis("status").reset_index()),
        "missing_m2": moves.missing_m2,
        "missing_at_least_m2": moves.missing_bound_m2,
        "status": moves.status,
    }


def milestone_table(timetable: Timetable, blocks: Sequence[Block], block_ids: Sequence[str]) -> pd.DataFrame:
    """Month of each milestone of each block; see `ModeReport`."""
    rows = [
        {
            "block_id": name,
            "phase": block.phase + 1,
            "mode": timetable.modes[block.mode],
            **{step: _month(timetable, block, step) for step in MILESTONES},
        }
        for block, name in zip(blocks, block_ids, strict=True)
    ]
    return pd.DataFrame(rows, columns=["block_id", "phase", "mode", *MILESTONES])


def _month(timetable: Timetable, block: Block, step: Milestone) -> str | None:
    """The month in which a block reaches a milestone; None = never.

    A launch at the end of one month is in the next, all else at the end of a month is in that month, but not before
    the launch.
    """
    begins, time = (timetable.time(block.phase, block.mode, s) * MONTHS_PER_YEAR for s in ("launched", step))
    if math.isnan(time):
        return None
    launch = math.floor(begins + MONTH_TOLERANCE)
    year, month = divmod(max(launch, math.ceil(time - MONTH_TOLERANCE) - 1), int(MONTHS_PER_YEAR))
    return f"{year + 1}-{month + 1:02d}"


def limit_table(resources: Sequence[Resource], blocks: Sequence[Block]) -> pd.DataFrame:
    """Every limit by period, and what the plan takes of it."""
    rows = []
    for resource in resources:
        by_block = [resource.of_block(b) for b in blocks]
        for r, (period, most) in enumerate(zip(resource.periods, resource.limits, strict=True)):
            rows.append((resource.name, period, resource.unit, math.fsum(t[r] for t in by_block), most))
    kinds = {"taken": "float64", "most": "float64"}
    return pd.DataFrame(rows, columns=["name", "period", "unit", "taken", "most"]).astype(kinds)


def _retained(years: pd.DataFrame) -> pd.Series[Any] | None:
    """Tax that the town keeps, by year: of what is left and of what is new; NaN where nothing is known of a part."""
    mine = years[(years["figure"] == "retained_tax_yuan") & (years["kind"] != "lost")]
    return None if mine.empty else mine.groupby("year")["amount"].sum(skipna=False)


def _in_yuan(table: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Cents as yuan, in columns of that name."""
    changed = table.assign(**{name: table[name] / CENTS_PER_YUAN for name in columns})
    return changed.rename(columns={name: name.replace("_cents", "_yuan") for name in columns})


def _balance(paid: pd.DataFrame, retained: pd.Series[Any] | None) -> pd.DataFrame:
    """The public funding balance in yuan; the row with the year of the peak gap stays a year."""
    table = funding_balance(paid, retained_tax_yuan=retained)
    money = [c for c in table.columns if c not in {"section", "item", "name_zh", "name_en", "unit"}]
    in_cents = table["unit"] == "cents"
    values = table[money].astype("Float64")
    values[in_cents] = values[in_cents] / CENTS_PER_YUAN
    return pd.concat([table.drop(columns=money).assign(unit=np.where(in_cents, "yuan", table["unit"])), values], axis=1)


def _parties(paid: pd.DataFrame, modes: ModesSpec, base_year: int) -> pd.DataFrame:
    worth = net_present_value(paid, modes.discount_rate, base_year)
    return worth.merge(peak_gaps(paid), on="party", how="left", validate="one_to_one")


def mode_summary(report: ModeReport, config: Config) -> dict[str, Any]:
    """What ``summary.json`` says of modes."""
    modes = config.modes
    assert modes is not None
    return {
        "modes": [
            {
                "id": m.id,
                "name_zh": m.name_zh,
                "name_en": m.name_en,
                "blocks": int((report.milestones["mode"] == m.id).sum()),
            }
            for m in modes.choices
        ],
        "milestones": records(report.milestones),
        "money": {
            "peak_gaps": records(report.parties[["party", "peak_gap_yuan", "year"]]),
            "outlays": _outlays(report.payments, config),
            "parties": records(report.parties),
            "discount_rate": modes.discount_rate,
            "limits": records(report.limits),
        },
        "consent": records(report.consent),
        "space": {"years": records(report.space_years), "blocks": records(report.space_blocks)},
        "decanting": report.decanting,
        "villages": None if report.villages is None else records(report.villages),
    }


def _outlays(paid: pd.DataFrame, config: Config) -> dict[str, dict[str, float]]:
    """Party → phase → what it pays in the years of that phase; the first takes all earlier years."""
    ends = np.array([p.year for p in config.optimise.phases])
    at = np.searchsorted(ends, paid["year"].to_numpy(), side="left")
    names = np.array([*(p.id for p in config.optimise.phases), None], dtype=object)
    inside = paid.assign(in_phase=names[at]).dropna(subset="in_phase")
    sums = inside[inside["payer"] != "outside"].groupby(["payer", "in_phase"])["amount_yuan"].sum()
    parties = sorted({str(party) for party, _ in sums.index})
    return {
        party: {p.id: round(float(sums.get((party, p.id), 0.0)), 2) for p in config.optimise.phases}
        for party in parties
    }


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows with None for what is missing."""
    rows = table.astype(object).where(table.notna(), None).to_dict(orient="records")
    return [{str(name): value for name, value in row.items()} for row in rows]
