"""Where benchmark data lie and what a built case depends on."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

REPOSITORY: Final = Path(__file__).resolve().parent.parent
HERE: Final = REPOSITORY / "benchmarks"
_BUILDERS: Final = ("land", "scoring", "expressions", "assemble", "config", "config_file", "problem", "problem_json")


class MissingDataError(Exception):
    """Files that are no part of this project are not on this machine."""


def real_data(name: str) -> Path:
    """A file or folder of the real test data; ``PLANNER_TEST_DATA`` overrides where they lie."""
    return _present(Path(os.environ.get("PLANNER_TEST_DATA", REPOSITORY.parent / "shared" / "data")) / name)


def instances(name: str) -> Path:
    """A file or folder of the published solver instances; ``PLANNER_BENCH_DATA`` overrides where they lie."""
    return _present(Path(os.environ.get("PLANNER_BENCH_DATA", REPOSITORY.parent / "shared" / "bench")) / name)


def cache_folder() -> Path:
    """Where built problems are kept; ``PLANNER_BENCH_CACHE`` overrides it."""
    return Path(os.environ.get("PLANNER_BENCH_CACHE", REPOSITORY / ".benchmarks" / "problems"))


def _present(path: Path) -> Path:
    if not path.exists():
        raise MissingDataError(f"{path.name} is not in {path.parent.name}/: see PLANNER_TEST_DATA, PLANNER_BENCH_DATA")
    return path


def builders_digest() -> str:
    """SHA-256 of the code and configurations that turn land into problems."""
    sources = [
        *sorted((REPOSITORY / "geodata").rglob("*.py")),
        *(REPOSITORY / "planner" / f"{name}.py" for name in _BUILDERS),
        *(HERE / name for name in ("cases.py", "fabric.py", "real.py", "fabric.yaml", "veneto.yaml")),
        REPOSITORY / "config.yaml",
        REPOSITORY / "examples" / "cambridge.yaml",
    ]
    return digest_of(p.read_bytes().replace(b"\r\n", b"\n") for p in sources)


def digest_of(parts: Iterable[bytes]) -> str:
    """SHA-256 of some parts, with their lengths."""
    total = hashlib.sha256()
    for part in parts:
        total.update(len(part).to_bytes(8, "big"))
        total.update(part)
    return total.hexdigest()
