"""The page of a comparison: one self-contained HTML file that needs no network and may ask for none."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path

from geodata.write import write_text
from planner.contents import PlanContents
from planner.labels import Labels
from planner.report.assets import leaflet_script, leaflet_style
from planner.report.compare import assets
from planner.report.compare.admit import require_comparable
from planner.report.compare.data import Prices, comparison_data
from planner.report.encode import to_inline_json
from planner.report.policy import POLICY_PLACE, with_policy


def comparison_page(
    plans: Sequence[tuple[str, PlanContents]], language: str = "en", prices: Prices | None = None
) -> str:
    """The page, as text; the same plans give the same text.

    Parameters
    ----------
    plans : sequence of (str, PlanContents)
        2 to 8 plans by name, the first one is what the others are compared with.
    language : str
        The language that the page opens in: ``'en'`` or ``'zh'``.
    prices : mapping of str to mapping, optional
        Prices of rules by name of the plan, see `planner.report.compare.extras.read_prices`.

    Raises
    ------
    DataError
        The plans cannot be compared: too few or too many, names alike, different currencies or CRS, real and
        generated land, no parcel in common.
    planner.report.assets.AssetError
        If Leaflet is not installed in the version the page needs.
    """
    require_comparable(plans)
    data = comparison_data(plans, prices or {}, language)
    title = html.escape(f"{Labels.of(language, 'compare')('compare_title')}: {plans[0][1].title}")
    codes = "\n".join(f"<script>{code}</script>" for code in (leaflet_script(), *assets.scripts()))
    start = 'planCompare.start(JSON.parse(document.getElementById("compare-data").textContent));'
    page = f"""<!DOCTYPE html>
<html lang="{"zh-CN" if language == "zh" else "en"}">
<head>
<meta charset="UTF-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY_PLACE}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{leaflet_style()}</style>
<style>{assets.style()}</style>
{codes}
</head>
<body>
<header id="compare-header"></header>
<main id="compare-main"></main>
<noscript>This page needs JavaScript.</noscript>
<script type="application/json" id="compare-data">{to_inline_json(data)}</script>
<script>{start}</script>
</body>
</html>
"""
    return with_policy(page)


def write_comparison(
    plans: Sequence[tuple[str, PlanContents]], path: Path, language: str = "en", prices: Prices | None = None
) -> None:
    """Write the page as one HTML file; see `comparison_page` for parameters and errors.

    Parameters
    ----------
    path : pathlib.Path
        File to write; its folder exists.
    """
    write_text(comparison_page(plans, language, prices), path)
