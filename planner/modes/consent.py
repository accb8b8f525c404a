"""Consent: what share of the right-holders and of the area of a block has agreed, and whether that is enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from geodata.errors import DataError, Issue, list_ids
from planner.errors import ConfigError
from planner.expressions import evaluate_number
from planner.modes.figures import constant, floats
from planner.problem import RULE_TOLERANCE, Block, BlockRule, Bools, Floats
from planner.spec_modes import ConsentSpec, ModesSpec

CONSENT_COLUMNS: Final = (
    "block_id",
    "mode",
    "holders",
    "area_mu",
    "needed_holders_share",
    "needed_area_share",
    "signed_holders_share",
    "signed_area_share",
    "signed_passed",
    "signed_missing_holders",
    "signed_missing_mu",
    "expected_holders_share",
    "expected_area_share",
    "expected_passed",
    "expected_missing_holders",
    "expected_missing_mu",
    "unknown_parcels",
    "unknown_mu",
)
"""Columns of `consent_table`, in this order."""

_COUNTED: Final = {"holders": "right-holders", "area": "mu"}
"""What a test counts → the unit of its rule."""


@dataclass(frozen=True, eq=False)
class _Answers:
    """Who has agreed, by parcel; NaN where unknown. `expected` is None where the configuration does not say."""

    holders: Floats
    area_mu: Floats
    signed: Floats
    expected: Floats | None

    def counted(self, of: str) -> Floats:
        return self.holders if of == "holders" else self.area_mu


def consent_rules(
    modes: ModesSpec, fields: pd.DataFrame, undecided: dict[str, list[str]]
) -> tuple[tuple[BlockRule, ...], Bools]:
    """Rules on blocks from the consent tests of all modes.

    A test asks Σ share · weight ≥ least · Σ weight over the parcels of a block, where the weight is the number of
    right-holders or the area, and the share is `signed` or `expected`, as ``consent.basis`` says. Tests that are alike
    in several modes are one rule.

    A parcel of unknown share is closed to the modes with tests, or, with ``unknown: zero``, agrees with nobody. One
    whose number of right-holders is unknown is closed to every mode that counts them, either way: without the number
    its share of the block cannot be told.

    Parameters
    ----------
    modes : ModesSpec
    fields : pandas.DataFrame
        By parcel id, with `area_mu` and the figures.
    undecided : dict of str to list of str
        Gets the parcels of unknown figures.

    Returns
    -------
    tuple of BlockRule
        By what is counted, then by the share asked for.
    closed : bool[n, M]
        Parcels that no block of a mode may hold.

    Raises
    ------
    ConfigError
        A share asked for that is not in 0..1.
    DataError
        Shares outside 0..1 or numbers of right-holders below 0.
    """
    closed = np.zeros((len(fields), len(modes.choices)), dtype=np.bool_)
    needed = _thresholds(modes)
    if modes.consent is None or not needed:
        return (), closed
    answers = _answers(modes.consent, fields)
    share = answers.signed if modes.consent.basis == "signed" else answers.expected
    assert share is not None  # the configuration insists on it
    _note_unknown(modes.consent, answers, fields, undecided)
    strict = modes.consent.unknown == "ineligible"
    rules = []
    for (of, least), used in needed.items():
        weight = answers.counted(of)
        agreed = _agreed(share, weight)
        lost = np.isnan(agreed) if strict else np.isnan(weight)
        closed[:, list(used)] |= lost[:, None]
        unit = _COUNTED[of]
        name = f"consent of {100 * least:.6g} % of {unit}"
        rules.append(BlockRule(name, unit, np.nan_to_num(agreed), least, np.nan_to_num(weight), used))
    return tuple(rules), closed


def consent_table(
    modes: ModesSpec, fields: pd.DataFrame, blocks: Sequence[Block], block_ids: Sequence[str]
) -> pd.DataFrame:
    """Consent of each block.

    Shares are those of the parcels whose figures are known; `unknown_parcels` and `unknown_mu` say how much is left
    out. `…_passed` is true where the tests of the block's mode are passed even if no unknown parcel agrees, false where
    one is failed even if all of them agree, else unknown; true without tests. `…_missing_…` is what must be agreed on
    besides, unknown parcels agreeing with nobody: right-holders rounded up to whole ones, unknown where their number
    is; area in mu; unknown without a test. Without `expected`, its columns are unknown.

    Parameters
    ----------
    modes : ModesSpec
    fields : pandas.DataFrame
        By parcel id in the order of the problem, with `area_mu` and the figures.
    blocks : sequence of Block
    block_ids : sequence of str
        Their names.

    Returns
    -------
    pandas.DataFrame
        A row per block, `CONSENT_COLUMNS`; empty without a section `consent`.

    Raises
    ------
    ConfigError, DataError
        As `consent_rules`.
    """
    rows: list[dict[str, Any]] = []
    if modes.consent is not None:
        answers, needed = _answers(modes.consent, fields), _thresholds(modes)
        for block, name in zip(blocks, block_ids, strict=True):
            tests = [test for test, used in needed.items() if block.mode in used]
            rows.append({"block_id": name, "mode": modes.choices[block.mode].id, **_row(answers, block, tests)})
    table = pd.DataFrame(rows, columns=list(CONSENT_COLUMNS))
    kinds = dict.fromkeys(CONSENT_COLUMNS[2:-2], "float64") | {"unknown_parcels": "int64", "unknown_mu": "float64"}
    return table.astype(kinds | {"signed_passed": "boolean", "expected_passed": "boolean"})


def _thresholds(modes: ModesSpec) -> dict[tuple[str, float], tuple[int, ...]]:
    """What is counted and the least share of it → modes with that test, in a fixed order."""
    found: dict[tuple[str, float], set[int]] = {}
    issues = []
    for m, mode in enumerate(modes.choices):
        for k, test in enumerate(mode.consent):
            least = constant(test.least, modes.figures)
            if not 0 <= least <= 1:
                where = f"modes.choices, {mode.id}, consent[{k}].least"
                issues.append(Issue(where, f"{test.least!r} = {least:g}", "a share of 0 to 1", "Correct the share."))
            found.setdefault((test.of, least), set()).add(m)
    if issues:
        raise ConfigError(issues)
    return {test: tuple(sorted(found[test])) for test in sorted(found)}


def _answers(consent: ConsentSpec, fields: pd.DataFrame) -> _Answers:
    """Figures of consent, checked."""
    issues = []

    def read(key: str, text: str, most: float) -> Floats:
        values = floats(evaluate_number(text, fields))
        bad = (values < 0) | (values > most)
        if bad.any():
            at = np.flatnonzero(bad)
            found = f"{values[at[0]]:g} and the like in parcels {list_ids(list(fields.index[at]))}"
            expected = "shares of 0 to 1" if most == 1 else "numbers of 0 or more"
            issues.append(Issue(f"modes.consent.{key} ({text})", found, expected, "Correct the data."))
        return values

    answers = _Answers(
        read("holders", consent.holders, np.inf),
        floats(fields["area_mu"]),
        read("signed", consent.signed, 1.0),
        None if consent.expected is None else read("expected", consent.expected, 1.0),
    )
    if issues:
        raise DataError(issues)
    return answers


def _agreed(share: Floats, weight: Floats) -> Floats:
    """Right-holders or mu that agree; an unknown share of nothing is nothing."""
    return np.where(weight == 0, 0.0, share * weight)


def _note_unknown(
    consent: ConsentSpec, answers: _Answers, fields: pd.DataFrame, undecided: dict[str, list[str]]
) -> None:
    share = answers.signed if consent.basis == "signed" else answers.expected
    for name, values in (("number of right-holders", answers.holders), (f"{consent.basis} share", share)):
        unknown = np.zeros(len(fields), np.bool_) if values is None else np.isnan(values)
        if unknown.any():
            undecided[f"consent, {name}"] = [str(i) for i in fields.index[unknown]]


def _row(answers: _Answers, block: Block, tests: Sequence[tuple[str, float]]) -> dict[str, Any]:
    at = list(block.parcels)
    mine = _Answers(
        answers.holders[at],
        answers.area_mu[at],
        answers.signed[at],
        None if answers.expected is None else answers.expected[at],
    )
    needed = {of: max((least for o, least in tests if o == of), default=np.nan) for of in _COUNTED}
    unknown = np.isnan(mine.signed) | np.isnan(mine.holders)
    row: dict[str, Any] = {
        "holders": np.nan if np.isnan(mine.holders).all() else np.nansum(mine.holders),
        "area_mu": mine.area_mu.sum(),
        "needed_holders_share": needed["holders"],
        "needed_area_share": needed["area"],
        "unknown_parcels": int(unknown.sum()),
        "unknown_mu": mine.area_mu[unknown].sum(),
    }
    for basis, share in (("signed", mine.signed), ("expected", mine.expected)):
        if share is None:
            row[f"{basis}_passed"] = pd.NA
            continue
        passed: list[bool | None] = []
        for of, least in needed.items():
            weight = mine.counted(of)
            row[f"{basis}_{of}_share"] = _share(share, weight)
            passed.append(True if np.isnan(least) else _passes(share, weight, least))
            missing = _missing(share, weight, least)
            row[f"{basis}_missing_{'mu' if of == 'area' else of}"] = (
                np.ceil(missing - RULE_TOLERANCE) + 0.0 if of == "holders" else missing  # + 0.0: no minus zero
            )
        row[f"{basis}_passed"] = False if False in passed else pd.NA if None in passed else True
    return row


def _share(share: Floats, weight: Floats) -> float:
    """Share of the weight that agrees, over what is known; NaN without any weight."""
    agreed = _agreed(share, weight)
    known = ~np.isnan(agreed)
    total = weight[known].sum()
    return float(agreed[known].sum() / total) if total > 0 else np.nan


def _passes(share: Floats, weight: Floats, least: float) -> bool | None:
    """Whether a test is passed whatever the unknown parcels say, failed whatever they say, or neither (None)."""
    if np.isnan(weight).any():
        return True if least == 0 else None
    surest = np.nansum(_agreed(share, weight)) - least * weight.sum()
    best = np.nansum(_agreed(np.nan_to_num(share, nan=1.0), weight)) - least * weight.sum()
    if surest >= -RULE_TOLERANCE:
        return True
    return False if best < -RULE_TOLERANCE else None


def _missing(share: Floats, weight: Floats, least: float) -> float:
    """Weight that must agree besides, 0 where the test is passed; NaN where the weight is unknown or without a test."""
    short = float(least * weight.sum() - np.nansum(_agreed(share, weight)))
    return short if np.isnan(short) or short > RULE_TOLERANCE else 0.0
