"""The plan before of these tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner.contents import PlanContents, read_contents
from tests.planner.replan.row_land import row_run


@pytest.fixture(scope="session")
def row_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on the row; not to be changed."""
    return row_run(tmp_path_factory.mktemp("row"))


@pytest.fixture(scope="session")
def row(row_folder: Path) -> PlanContents:
    """The same, read."""
    return read_contents(row_folder)
