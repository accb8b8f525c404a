"""Rules for blocks and further sets of parcels: configuration and fields → arrays."""

from __future__ import annotations

import numpy as np
import pandas as pd

from geodata.errors import Issue, list_ids
from planner.config import Config
from planner.errors import ConfigError
from planner.expressions import evaluate_condition, evaluate_number
from planner.modes.terms import Terms
from planner.problem import Block, BlockRule, Bools, Group, Ints


def block_rules(
    config: Config, fields: pd.DataFrame, undecided: dict[str, list[str]]
) -> tuple[tuple[BlockRule, ...], Bools]:
    """Rules on sums, and the parcels that cannot be in a plan because one of their amounts is unknown (``bool[n]``)."""
    rules, closed = [], np.zeros(len(fields), dtype=np.bool_)
    for spec in config.optimise.block.rules:
        parts = [evaluate_number(text, fields) for text in (spec.amount, spec.share_of) if text is not None]
        unknown = np.logical_or.reduce([p.isna().to_numpy(dtype=bool) for p in parts])
        if unknown.any():
            undecided[f"block rule {spec.name}"] = [str(i) for i in fields.index[unknown]]
        if spec.unknown == "ineligible":
            closed |= unknown
        values = [p.to_numpy(dtype=float, na_value=0.0) for p in parts]
        rules.append(BlockRule(spec.name, spec.unit, values[0], spec.least, values[1] if len(values) > 1 else None))
    return tuple(rules), closed


def village_numbers(config: Config, fields: pd.DataFrame) -> tuple[tuple[str, ...], Ints | None]:
    """Names of villages, and the number of each parcel's, -1 where it has none."""
    name = config.optimise.village
    if name is None:
        return (), None
    if name not in fields.columns:
        expected = f"a field: {', '.join(str(c) for c in fields.columns)}"
        raise ConfigError(Issue("optimise.village", f"the unknown field {name!r}", expected, "Correct the name."))
    names = tuple(sorted({str(v) for v in fields[name].dropna()}))
    number = {v: k for k, v in enumerate(names)}
    return names, np.array([-1 if pd.isna(v) else number[str(v)] for v in fields[name]], dtype=np.int64)


def parcel_groups(config: Config, fields: pd.DataFrame, undecided: dict[str, list[str]]) -> tuple[Group, ...]:
    """Groups with their members."""
    return tuple(
        Group(spec.name, _holds(spec.where, fields, f"group {spec.name}", undecided)) for spec in config.optimise.groups
    )


def existing_from(config: Config, fields: pd.DataFrame, undecided: dict[str, list[str]]) -> Ints | None:
    """Phase from which each parcel counts as cleared whatever the plan: 0 or never; None without such land."""
    if config.optimise.existing is None:
        return None
    matches = _holds(config.optimise.existing, fields, "existing", undecided)
    return np.where(matches, 0, len(config.optimise.phases)).astype(np.int64)


def _holds(text: str, fields: pd.DataFrame, name: str, undecided: dict[str, list[str]]) -> Bools:
    answer = evaluate_condition(text, fields)
    unknown = answer.isna().to_numpy(dtype=bool)
    if unknown.any():
        undecided[name] = [str(i) for i in fields.index[unknown]]
    return np.asarray(answer.fillna(False).to_numpy(dtype=bool))


def fixed_blocks(
    config: Config, index: pd.Index, status: pd.Series, cost: pd.Series | None, terms: Terms | None = None
) -> tuple[Block, ...]:
    """Blocks that stand, as positions.

    Raises
    ------
    ConfigError
        One holds excluded land, or land of unknown cost (in its mode): its figures could not be told.
    """
    unknown = np.zeros((len(index), 1), dtype=np.bool_)
    if terms is not None:
        unknown = terms.unknown
    elif cost is not None:
        unknown = cost.isna().to_numpy(dtype=bool)[:, None]
    place = {str(i): k for k, i in enumerate(index)}
    ids = [p.id for p in config.optimise.phases]
    blocks, issues = [], []
    for k, spec in enumerate(config.optimise.locks.blocks):
        members = sorted(place[i] for i in spec.parcels)
        mode = 0 if terms is None or spec.mode is None else terms.timetable.modes.index(spec.mode)
        where = f"optimise.locks.blocks[{k}].parcels"
        excluded = [str(index[i]) for i in members if status.iloc[i] == "excluded"]
        unpriced = [str(index[i]) for i in members if unknown[i, mode]]
        if excluded:
            found = f"excluded parcels: {list_ids(excluded)}"
            issues.append(Issue(where, found, "parcels that may be redeveloped", "Mend the exclusion or the block."))
        if unpriced:
            found = f"parcels of unknown cost: {list_ids(unpriced)}"
            expected, fix = "a cost for each", "Give their cost, or use unknown: mean_per_mu."
            if terms is not None:
                found = f"parcels of which something that mode {spec.mode} needs is unknown: {list_ids(unpriced)}"
                expected, fix = "all that it needs", "Give the values; `planner validate` says which are missing."
            issues.append(Issue(where, found, expected, fix))
        blocks.append(Block(tuple(members), ids.index(spec.phase), mode))
    if issues:
        raise ConfigError(issues)
    return tuple(blocks)
