"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Callable[[str], Path]:
    """Path of a file or folder of the real test data; the test skips where the data are not on this machine."""
    root = Path(os.environ.get("PLANNER_TEST_DATA", REPOSITORY.parent / "shared" / "data"))

    def locate(name: str) -> Path:
        path = root / name
        if not path.exists():
            pytest.skip(f"real test data {name!r} not found under {root} (set PLANNER_TEST_DATA)")
        return path

    return locate
