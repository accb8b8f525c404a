"""What a run leaves in its folder."""

from __future__ import annotations

from planner.output import FILES
from tests.planner.land_builders import PLAN_FILES


def test_every_file_a_run_leaves_is_known_to_the_folder() -> None:
    further = {"tables", "alternatives", "holdouts", "price.json", "rejected"}
    of_a_replan = {"replan.json", "replan.md", "compare.html", "fresh"}
    assert set(FILES) == {*PLAN_FILES, *further, *of_a_replan}
