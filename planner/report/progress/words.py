"""Words of the form and the report, and months as they are shown."""

from __future__ import annotations

from typing import Final

from planner.contents import PlanContents
from planner.labels import Labels
from planner.monitoring.form import AREA
from planner.report.workbook.words import AREA as WORKBOOK
from planner.report.workbook.words import Words

NO_MODE: Final = ""


def sheet_words(language: str, currency: str) -> Words:
    """Words of workbook and report together."""
    return Words(Labels.of(language, WORKBOOK, AREA), Labels.of("zh", WORKBOOK, AREA), currency)


def mode_names(contents: PlanContents, language: str) -> dict[str, str]:
    """Mode → its name."""
    modes = contents.config.modes
    if modes is None:
        return {}
    return {m.id: m.name_zh if language == "zh" or not m.name_en else m.name_en for m in modes.choices}
