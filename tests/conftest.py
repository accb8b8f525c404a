"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("quick", max_examples=40)
if os.environ.get("CI", "").lower() != "true":
    settings.load_profile("quick")  # the suite of every day stays short; with CI=true Hypothesis tries its usual 100

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


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Slow tests run with CI=true, or when -m asks for them."""
    if os.environ.get("CI", "").lower() == "true" or "slow" in (config.getoption("markexpr") or ""):
        return
    skip = pytest.mark.skip(reason="slow: set CI=true, or use -m slow")
    for item in items:
        if "slow" in item.keywords:
            item.add_marker(skip)
