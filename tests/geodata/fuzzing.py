"""Reads spoilt files in processes of their own, so that a crash or a hang of native code is seen and named."""

from __future__ import annotations

import logging
import multiprocessing
import os
import tempfile
import traceback
import warnings
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd

from geodata.crs import choose_metric_crs, to_metric
from geodata.errors import DataError
from geodata.notes import SourceNote
from geodata.read import read_declared
from geodata.repair import repair
from geodata.spec import KeySpec, RepairSpec, TableFieldSpec, TableSpec
from geodata.spec_source import SourceSpec
from geodata.tables import read_declared_table
from tests.geodata.fuzz_corpus import Sample
from tests.geodata.fuzz_mutations import Files, Rule

LIMIT_S: Final = 60.0
"""Longest that one file of some 50 parcels may take, beside whatever else the machine does."""
READ, REFUSED, FAILED = "read", "refused", "failed"


class SilentLossError(AssertionError):
    """Rows went and nothing tells of them."""


@dataclass(frozen=True)
class Verdict:
    """What became of one spoilt file."""

    number: int
    what: str
    outcome: str
    message: str = ""

    def __str__(self) -> str:
        return f"case {self.number} ({self.what}): {self.message}"


def chosen(samples: Sequence[Sample], number: int) -> tuple[Sample, int]:
    """Sample and mutation of a case: neighbours in number have different ones."""
    sample = samples[number % len(samples)]
    return sample, (number // len(samples)) % len(sample.mutations)


def spoilt(samples: Sequence[Sample], number: int) -> tuple[Sample, str, Files, Rule]:
    """The case of this number, always the same: its sample, what is done, the files, what must hold of the rows."""
    sample, k = chosen(samples, number)
    mutation = sample.mutations[k]
    files, rule = mutation.mutate(dict(sample.files), np.random.default_rng(number))
    return sample, f"{sample.name}, {mutation.name}", files, rule


def account(sample: Sample, path: Path) -> tuple[int, int]:
    """Rows that come out of a dataset, and rows that its notes say were left out; parcels are repaired on the way.

    Raises
    ------
    DataError
        If it is refused.
    SilentLossError
        If repair neither keeps nor logs a parcel.
    """
    if sample.is_table:
        frame, notes = read_declared_table(_table_spec(path))
        return len(frame), _left_out(notes)
    source = read_declared(SourceSpec(path=path, **sample.options), "parcels")
    _repaired(source.gdf)
    return len(source.gdf), _left_out(source.notes)


def _table_spec(path: Path) -> TableSpec:
    """The columns are those of the samples; others of the same place are as good."""
    first = "栏0" if "gbk" in path.name else "ID"
    fields = {"amount": TableFieldSpec(column="栏6" if "gbk" in path.name else "TotalAppraisedLandValue")}
    return TableSpec(path=path, key=KeySpec(parcels="id", table=first), fields=fields)


def _left_out(notes: Iterable[SourceNote]) -> int:
    """Rows that the notes list; what is said of parts of a text is no row."""
    rows = (note for note in notes if not note.what.startswith("text of "))
    return sum(note.count for note in rows if "left out" in note.what or "not read" in note.what)


def _repaired(gdf: gpd.GeoDataFrame) -> None:
    ids = pd.Index([f"{k:04d}" for k in range(len(gdf))], name="parcel_id")
    raw = gpd.GeoDataFrame(geometry=gdf.geometry.set_axis(ids), crs=gdf.crs)
    result = repair(to_metric(raw, choose_metric_crs(raw)), RepairSpec())
    dropped = set(result.log.loc[result.log["action"] == "dropped", "parcel_id"])
    if set(ids) != set(result.parcels.index) | dropped or len(result.parcels) + len(dropped) != len(ids):
        raise SilentLossError(f"repair: {len(ids)} in, {len(result.parcels)} out, {len(dropped)} dropped")


def check_rows(rule: Rule, before: tuple[int, int], after: tuple[int, int]) -> None:
    """Rows out and rows told of, against those of the whole file.

    Raises
    ------
    SilentLossError
    """
    told, now = sum(before), sum(after)
    if (rule == "loss" and now < told) or (rule == "same" and now != told):
        raise SilentLossError(f"silent loss ({rule}): {before[0]} rows before, {after[0]} after, {after[1]} told of")


def examine(samples: Sequence[Sample], number: int, before: dict[str, tuple[int, int]], folder: Path) -> Verdict:
    """Spoil, read and repair one file in a folder that is empty."""
    sample, what, files, rule = spoilt(samples, number)
    path = sample.write(folder, files)
    try:
        rows = before[sample.name] if sample.count is None or rule == "same" else (sample.count(files), 0)
        check_rows(rule, rows, account(sample, path))
    except DataError as error:
        return Verdict(number, what, REFUSED, str(error)[:300])
    except Exception:  # noqa: BLE001 - anything else is what is looked for
        return Verdict(number, what, FAILED, traceback.format_exc()[-1500:])
    return Verdict(number, what, READ)


def _work(connection: Connection, samples: Sequence[Sample], before: dict[str, tuple[int, int]]) -> None:
    """Process: numbers in, verdicts out."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # GDAL and GEOS print what they think of the files
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    while (number := connection.recv()) is not None:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            connection.send(examine(samples, number, before, Path(folder)))


class _Worker:
    """A process that is started again after a crash or a hang."""

    def __init__(self, samples: Sequence[Sample], before: dict[str, tuple[int, int]]) -> None:
        self.samples, self.before = samples, before
        self.process: BaseProcess | None = None
        self.connection: Connection | None = None

    def verdict(self, number: int) -> Verdict:
        if self.process is None or self.connection is None:
            context = multiprocessing.get_context("spawn")
            self.connection, theirs = context.Pipe()
            self.process = context.Process(target=_work, args=(theirs, self.samples, self.before), daemon=True)
            self.process.start()
            theirs.close()
        try:
            self.connection.send(number)
            if self.connection.poll(LIMIT_S):
                answer: Verdict = self.connection.recv()
                return answer
            why = f"no end within {LIMIT_S:g} s"
        except (EOFError, OSError):
            self.process.join(5)
            why = f"the process ended with code {self.process.exitcode}"
        self.end()
        return Verdict(number, spoilt(self.samples, number)[1], FAILED, why)

    def end(self) -> None:
        if self.process is not None and self.process.pid is not None:
            self.process.kill()
            self.process.join()
        self.process = self.connection = None


def whole(samples: Iterable[Sample]) -> dict[str, tuple[int, int]]:
    """Rows of each sample as it is, and those that its notes leave out."""
    rows = {}
    for sample in samples:
        with tempfile.TemporaryDirectory() as folder:
            rows[sample.name] = account(sample, sample.write(Path(folder)))
    return rows


def fuzz(
    samples: Sequence[Sample], before: dict[str, tuple[int, int]], numbers: Sequence[int], processes: int = 1
) -> list[Verdict]:
    """Verdicts of these cases; `before` is what `whole` says of the samples."""

    def run(part: Sequence[int]) -> list[Verdict]:
        worker = _Worker(samples, before)
        try:
            return [worker.verdict(number) for number in part]
        finally:
            worker.end()

    with ThreadPoolExecutor(processes) as threads:
        parts = threads.map(run, [numbers[k::processes] for k in range(processes)])
        return [verdict for part in parts for verdict in part]


def summary(verdicts: Sequence[Verdict]) -> str:
    """Counts by outcome, then every failure."""
    counts = Counter(verdict.outcome for verdict in verdicts)
    failures = [str(verdict) for verdict in verdicts if verdict.outcome == FAILED]
    return "\n\n".join([", ".join(f"{n} {outcome}" for outcome, n in sorted(counts.items())), *failures])
