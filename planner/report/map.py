"""The review map: one self-contained HTML file that needs no network, and without tiles may ask for none.

Folium makes the page and the Leaflet map; the layers are drawn by our own scripts from data inlined once. Text from the
data reaches the page only as JSON and is shown as text nodes. A content security policy, made of the hashes of the
page's own scripts, lets the browser run nothing else and load nothing but tiles of a base map that is configured.
"""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any, cast

import folium
from branca.element import Element, Figure
from jinja2 import Template

from geodata.write import write_text
from planner.contents import PlanContents
from planner.report import assets
from planner.report.base_map import tile_hosts
from planner.report.context import MapContext
from planner.report.encode import to_inline_json
from planner.report.page import page_data
from planner.report.policy import POLICY_PLACE, with_policy
from planner.tables import PlanTables

MAP_NAME = "plan_map"
"""Id of the map's element and name of its script variable."""


class PlanMap(folium.Map):
    """A Folium map without links to the network, and with the same name in every file."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.default_js = []
        self.default_css = []

    def get_name(self) -> str:
        """Fixed, where Folium would make up a new one each time."""
        return MAP_NAME


class _Text(Element):
    """Text that goes into the page as it is: Folium would read plain text as a template."""

    _template = Template("{{ this.text }}")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


def render_map(tables: PlanTables, context: MapContext) -> str:
    """The page of a plan, as text; the same plan gives the same text.

    Parameters
    ----------
    tables : PlanTables
        The plan, in a metric CRS, with at least one parcel.
    context : MapContext
        Title, figures and provenance.

    Raises
    ------
    planner.report.assets.AssetError
        If Leaflet is not installed in the version the page needs.
    """
    data = page_data(tables, context)
    south_west, north_east = data["bounds"]
    centre = [(a + b) / 2 for a, b in zip(south_west, north_east, strict=True)]
    plan_map = PlanMap(
        location=centre,
        tiles=None,
        prefer_canvas=True,
        fade_animation=False,
        zoom_snap=0.25,
        zoom_start=14,
        max_zoom=22,
    )
    figure = cast(Figure, plan_map.get_root())
    figure.title = html.escape(context.title)
    head = [
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY_PLACE}">',
        f"<style>{assets.leaflet_style()}</style>",
        f"<script>{assets.leaflet_script()}</script>",
        *(f"<script>{script}</script>" for script in assets.own_scripts()),
    ]
    for i, text in enumerate(head):
        figure.header.add_child(_Text(text), name=f"head_{i}")
    figure.html.add_child(_Text('<header id="plan-header"></header>'), name="plan_header")
    plan_map.render()  # type: ignore[no-untyped-call]
    figure.header.add_child(_Text(f"<style>{assets.own_style()}</style>"), name="own_style")
    body = (
        '<div id="plan-timeline"></div>\n<aside id="plan-panel"></aside>\n'
        "<noscript>This map needs JavaScript.</noscript>\n"
        f'<script type="application/json" id="plan-data">{to_inline_json(data)}</script>'
    )
    figure.html.add_child(_Text(body), name="plan_body")
    start = f'planMap.start({MAP_NAME}, JSON.parse(document.getElementById("plan-data").textContent));'
    figure.script.add_child(_Text(start), name="plan_start")
    page = figure.render()
    return with_policy(page, tile_hosts(context.base_map))


def page_of(contents: PlanContents, stamp: str | None = None) -> str:
    """The review map of a plan, as text.

    Parameters
    ----------
    contents : PlanContents
        The plan with its figures; at least one parcel.
    stamp : str, optional
        What stands above everything else, such as 内部资料.

    Raises
    ------
    geodata.errors.DataError
        The raster of the base map cannot be used.
    planner.report.assets.AssetError
        If Leaflet is not installed in the version the page needs.
    """
    return render_map(contents.tables, MapContext.of(contents, stamp))


def write_map(contents: PlanContents, path: Path, stamp: str | None = None) -> None:
    """Write the review map as one HTML file.

    Parameters
    ----------
    contents : PlanContents
        The plan with its figures; at least one parcel.
    path : pathlib.Path
        File to write; its folder exists.
    stamp : str, optional
        What stands above everything else, such as 内部资料.

    Raises
    ------
    geodata.errors.DataError
        The raster of the base map cannot be used.
    planner.report.assets.AssetError
        If Leaflet is not installed in the version the page needs.
    """
    write_text(page_of(contents, stamp), path)
