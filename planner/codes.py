"""Permanent codes of projects 项目编号: a block keeps the code of the earlier project whose land it takes over."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

import numpy as np
import pandas as pd

from planner.config import Config

CODE: Final = re.compile(r"(?P<series>[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*-\d{4})-(?P<number>\d{3,})")
"""What a code looks like: prefix, year and a number of three digits or more, e.g. ``QX-LM-2023-001``."""

CODE_COLUMN: Final = "project_code"
"""Column of the layer of blocks that holds the code."""

Cells = Mapping[str, str]
"""Text typed by hand, by column."""


@dataclass(frozen=True)
class EarlierProject:
    """A project of an earlier ledger.

    Attributes
    ----------
    parcels : mapping of str to float
        Parcel id → area, mu; empty for a row that people added.
    gone : bool
        It was no longer in that plan.
    """

    parcels: Mapping[str, float]
    gone: bool = False


@dataclass(frozen=True)
class Ledger:
    """What an earlier workbook knows.

    Attributes
    ----------
    projects : mapping of str to EarlierProject
        By code; all that ever were.
    cells : mapping of str to mapping
        Code → what is typed by hand in its row of the ledger, by column.
    tasks : mapping of (str, str) to mapping
        Code and task → what is typed by hand in that row of the responsibility list, by column.
    loose : tuple of mapping
        What is typed by hand in rows of the ledger without a code.
    loose_tasks : tuple of mapping
        The same of the responsibility list.
    """

    projects: Mapping[str, EarlierProject] = field(default_factory=dict)
    cells: Mapping[str, Cells] = field(default_factory=dict)
    tasks: Mapping[tuple[str, str], Cells] = field(default_factory=dict)
    loose: tuple[Cells, ...] = ()
    loose_tasks: tuple[Cells, ...] = ()

    @property
    def codes(self) -> frozenset[str]:
        """Every code that was ever used."""
        return frozenset({*self.projects, *self.cells, *(code for code, _ in self.tasks)})

    def without_cells(self) -> Ledger:
        """Its projects alone, without a word that people typed."""
        return Ledger(self.projects)


def project_codes(parcels: pd.DataFrame, config: Config, ledger: Ledger | None = None, *, year: int) -> pd.Series[Any]:
    """The code of every block.

    A block that stands (``optimise.locks.blocks``) and whose id is a code has that code. Every other block keeps the
    code of the earlier project with which it shares most land, where that is more than half of the smaller of the two;
    a code goes to one block only, and of equal shares to a project that was in the last plan before one that was gone,
    then by code. The others get new numbers, above all that the series (prefix and year) ever had, by phase and block.

    Parameters
    ----------
    parcels : pandas.DataFrame
        Layer of parcels of a plan: ``parcel_id``, ``area_mu``, ``block_id``, ``phase``; in any order.
    config : Config
    ledger : Ledger, optional
        The earlier one.
    year : int
        Calendar year of new codes where the configuration names none.

    Returns
    -------
    pandas.Series
        Code by ``block_id``, in the order of phases and blocks.
    """
    ledger = ledger or Ledger()
    chosen = parcels.loc[parcels["block_id"].notna(), ["parcel_id", "area_mu", "block_id", "phase"]]
    order = chosen.assign(phase=chosen["phase"].astype(int)).sort_values(["phase", "block_id"])
    blocks = [str(b) for b in order["block_id"].drop_duplicates()]
    codes = _standing(chosen, config)
    taken = set(codes.values())
    for _, _, code, block in _shares(chosen, ledger):
        if block not in codes and code not in taken:
            codes[block] = code
            taken.add(code)
    used = {*ledger.codes, *(spec.id for spec in config.optimise.locks.blocks)}
    fresh = _new_codes(config, used, year)
    for block in blocks:
        if block not in codes:
            codes[block] = next(fresh)
    return pd.Series([codes[b] for b in blocks], index=pd.Index(blocks, name="block_id"), name="code", dtype=object)


def standing_blocks(parcels: pd.DataFrame, config: Config) -> dict[str, str]:
    """Block id → id of the standing project (``optimise.locks.blocks``) that it is."""
    held = {p: spec.id for spec in config.optimise.locks.blocks for p in spec.parcels}
    chosen = parcels.loc[parcels["block_id"].notna(), ["parcel_id", "block_id"]]
    return {str(b): held[str(p)] for p, b in zip(chosen["parcel_id"], chosen["block_id"], strict=True) if p in held}


def _standing(chosen: pd.DataFrame, config: Config) -> dict[str, str]:
    return {block: name for block, name in standing_blocks(chosen, config).items() if CODE.fullmatch(name)}


def _shares(chosen: pd.DataFrame, ledger: Ledger) -> list[tuple[float, bool, str, str]]:
    """Pairs that share more than half of the smaller one: (−shared mu, gone, code, block), the best first."""
    before = pd.DataFrame(
        [(code, i, mu) for code, project in ledger.projects.items() for i, mu in project.parcels.items()],
        columns=["code", "parcel_id", "before_mu"],
    )
    if before.empty or chosen.empty:
        return []
    now = chosen.astype({"parcel_id": object})
    both = now.merge(before, on="parcel_id").sort_values(["code", "block_id", "parcel_id"])
    shared = both.groupby(["code", "block_id"])["area_mu"].sum().reset_index()
    size = now.sort_values("parcel_id").groupby("block_id")["area_mu"].sum()
    size_before = before.sort_values("parcel_id").groupby("code")["before_mu"].sum()
    smaller = np.minimum(shared["block_id"].map(size).to_numpy(float), shared["code"].map(size_before).to_numpy(float))
    enough = shared[shared["area_mu"].to_numpy(float) > smaller / 2]
    rows = zip(enough["code"], enough["block_id"], enough["area_mu"], strict=True)
    return sorted((-round(float(mu), 6), ledger.projects[code].gone, str(code), str(block)) for code, block, mu in rows)


def _new_codes(config: Config, used: set[str], year: int) -> Iterator[str]:
    """Codes of the series of this year, above all that were used."""
    spec = config.report.codes
    series = f"{spec.prefix}-{spec.year or year}"
    found = [match for code in used if (match := CODE.fullmatch(code)) and match["series"] == series]
    last = max((int(match["number"]) for match in found), default=0)
    return (f"{series}-{number:03d}" for number in count(last + 1))
