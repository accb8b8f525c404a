"""Starts one measurement as a process and watches the memory of it and of the processes it starts."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import psutil

from benchmarks.places import REPOSITORY

EVERY_S: Final = 0.2
GRACE_S: Final = 180.0
"""Beyond the time limit: start, loading, compiling, and the overrun that a solver may show."""


def measure(case: str, solver: str, seconds: float, gap: float, seed: int) -> dict[str, Any]:
    """Result of `benchmarks.child` with ``peak_mb``, the largest sum of resident memory over all its processes.

    A process that fails or does not end gives ``error`` instead of figures.
    """
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result.json"
        command = [sys.executable, "-m", "benchmarks.child", case, solver]
        command += [str(seconds), str(gap), str(seed), str(result)]
        log = Path(folder) / "log.txt"
        with log.open("w", encoding="utf-8") as stream:
            process = psutil.Popen(
                command, cwd=REPOSITORY, stdout=stream, stderr=subprocess.STDOUT, env=os.environ | {"PYTHONUTF8": "1"}
            )
            peak, ended = _watch(process, time.monotonic() + 2 * seconds + GRACE_S)
        if not ended:
            return {"error": "did not end and was stopped", "peak_mb": peak}
        if not result.exists():
            lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
            return {"error": lines[-1] if lines else f"ended with code {process.returncode}", "peak_mb": peak}
        measured: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
        return measured | {"peak_mb": max(peak, measured["own_peak_mb"] or 0.0)}


def _watch(process: psutil.Popen, deadline: float) -> tuple[float, bool]:
    """Peak memory in MB, and whether the process ended by itself before the deadline; it never outlives this call."""
    peak = 0.0
    try:
        while process.poll() is None:
            peak = max(peak, _resident_mb(process))
            if time.monotonic() > deadline:
                return peak, False
            time.sleep(EVERY_S)
        return peak, True
    finally:
        if process.poll() is None:
            _end(process)


def _end(process: psutil.Popen) -> None:
    """End a process and those it started."""
    for each in [*process.children(recursive=True), process]:
        with contextlib.suppress(psutil.NoSuchProcess):
            each.kill()
    process.wait()


def _resident_mb(process: psutil.Popen) -> float:
    total = 0
    with contextlib.suppress(psutil.NoSuchProcess):
        for each in [process, *process.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                total += each.memory_info().rss
    return total / 2**20
