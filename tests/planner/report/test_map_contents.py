"""From a plan with its configuration and summary to the page."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from planner.config import Config
from planner.contents import PlanContents
from planner.report.map import page_of, write_map
from tests.planner.report.map_builders import rich_plan

SETTINGS: dict[str, Any] = {
    "project": {"name": "Qingxi works", "synthetic": True},
    "parcels": {"path": "parcels.gpkg", "id": "code", "fields": {}},
    "overlays": [{"name": "farmland", "label": "永久基本农田", "effect": "exclude", "path": "farmland.gpkg"}],
    "scoring": {
        "criteria": [
            {
                "name": "far",
                "value": "far",
                "direction": "low",
                "normalise": {"method": "minmax", "lo": 0, "hi": 3},
            }
        ]
    },
    "optimise": {
        "phases": [{"id": "P1", "year": 1, "target_mu": 100}],
        "block": {"min_mu": 20, "max_mu": 500},
        "weights": {"value_per_mu": 1000},
        "village": "village",
    },
    "report": {"title": "清溪", "language": "zh", "show": {"far": "far"}},
}


def contents() -> PlanContents:
    tables, context = rich_plan()
    phases = [
        {"phase": k, "id": p.id, "year": p.year, "target_mu": p.target_mu, "stretch_mu": p.stretch_mu}
        | {"area_mu": p.area_mu, "cumulative_mu": p.cumulative_mu, "cost": p.cost}
        for k, p in enumerate(context.phases, 1)
    ]
    summary = {
        "project": {"name": "Qingxi works", "synthetic": True, "currency": "CNY", "note": None},
        "phases": phases,
        "status": "optimal",
        "objective": 1.0,
        "bound": 1.0,
        "gap": 0.0,
        "version": "1",
        "config_hash": "c",
        "input_hash": "i",
    }
    return PlanContents(Config.model_validate(SETTINGS), tables, summary, context.modes)


def data_of(page: str) -> dict[str, Any]:
    found = re.search(r'id="plan-data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    data: dict[str, Any] = json.loads(found.group(1))
    return data


def test_the_page_takes_words_facts_and_figures_from_the_plan() -> None:
    plan = contents()
    data = data_of(page_of(plan))
    assert (data["language"], data["meta"]["title"], data["meta"]["status"]) == ("zh", "清溪", "optimal")
    assert [p["id"] for p in data["phases"]] == ["P1", "P2", "P3"]
    assert [fact["name"] for fact in data["facts"]] == ["village", "far"]
    assert data["parcels"]["columns"]["fact_far"] == plan.tables.parcels["far"].round(4).tolist()
    assert data["overlay_names"] == {"farmland": "永久基本农田"}
    assert set(data["scales"]) == {"far", "new_far"}
    assert data["base"] is None
    assert data["meta"]["stamp"] is None


def test_a_stamp_stands_on_the_page_and_the_file_is_the_page(tmp_path: Path) -> None:
    plan = contents()
    write_map(plan, tmp_path / "map.html", stamp="内部资料")
    page = (tmp_path / "map.html").read_text(encoding="utf-8")
    assert page == page_of(plan, "内部资料")
    assert data_of(page)["meta"]["stamp"] == "内部资料"
