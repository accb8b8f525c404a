"""Spoilt files of real land: read in full, or refused in words; never a crash, a hang or a row that goes unnoticed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.geodata.fuzz_corpus import Sample, corpus
from tests.geodata.fuzzing import FAILED, READ, REFUSED, SilentLossError, check_rows, chosen, fuzz, summary, whole

FAST = 160
SLOW = 3_600


@pytest.fixture(scope="module")
def samples(shared_data: Callable[[str], Path]) -> list[Sample]:
    return corpus(shared_data)


def test_whole_files_are_read_in_full(samples: list[Sample]) -> None:
    rows = whole(samples)
    assert rows["chongqing"] == (38, 0)
    assert rows["t.gpkg"] == rows["t.fgb"] == rows["t.gdb"] == rows["t.parquet"] == rows["t.mif"] == (50, 0)
    assert rows["csv"] == rows["gbk.csv"] == (50, 0)
    assert rows["drawing"][0] == 4
    assert rows["txt"][0] == 10


def test_every_mutation_has_its_turn(samples: list[Sample]) -> None:
    turns = Counter((sample.name, k) for sample, k in (chosen(samples, number) for number in range(SLOW)))
    assert set(turns) == {(sample.name, k) for sample in samples for k in range(len(sample.mutations))}


@pytest.mark.parametrize(
    ("rule", "after", "is_loss"),
    [
        ("same", (50, 0), False),
        ("same", (49, 1), False),
        ("same", (49, 0), True),
        ("same", (51, 0), True),
        ("loss", (51, 0), False),
        ("loss", (49, 0), True),
    ],
)
def test_rows_are_counted(rule: str, after: tuple[int, int], is_loss: bool) -> None:
    if not is_loss:
        check_rows(rule, (50, 0), after)  # type: ignore[arg-type]
        return
    with pytest.raises(SilentLossError):
        check_rows(rule, (50, 0), after)  # type: ignore[arg-type]


def test_some_spoilt_files(samples: list[Sample]) -> None:
    verdicts = fuzz(samples, range(FAST))
    outcomes = Counter(verdict.outcome for verdict in verdicts)
    assert not outcomes[FAILED], summary(verdicts)
    assert outcomes[READ] > FAST // 10
    assert outcomes[REFUSED] > FAST // 10


@pytest.mark.slow
def test_thousands_of_spoilt_files(samples: list[Sample]) -> None:
    verdicts = fuzz(samples, range(FAST, FAST + SLOW), processes=2)
    assert len(verdicts) == SLOW
    assert not any(verdict.outcome == FAILED for verdict in verdicts), summary(verdicts)
