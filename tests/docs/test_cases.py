"""Every case has its page, the page its figures and picture, and the figures belong to the scenario as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from docs.build_cases import CASES, configuration_of, picture_of, scenarios_of, with_figures
from docs.case_figures import figures, fingerprint
from docs.case_picture import MOST_BYTES
from planner.config_file import load_config, resolved_yaml
from tests.conftest import REPOSITORY
from tests.docs.conftest import SmallRun
from tests.docs.pages import tables

NAMES = ("qingxi", "guzhen", "guangqing", "xiaolan", "changping")
PNG = b"\x89PNG\r\n\x1a\n"


def page_of(name: str) -> str:
    return (CASES / f"{name}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_figures_are_those_of_the_scenario_as_it_stands(name: str) -> None:
    parts = scenarios_of(name, page_of(name))
    assert name in parts
    for scenario, text in parts.items():
        config = load_config(REPOSITORY / "config.yaml", scenario).config
        assert configuration_of(text) == fingerprint(config), f"run {scenario} again and build its page"


@pytest.mark.parametrize("name", NAMES)
def test_page_shows_its_picture_and_its_command(name: str) -> None:
    picture, page = picture_of(name), page_of(name)
    assert f"(../images/{picture.name})" in page
    assert f"--scenario {name}" in page
    assert picture.stat().st_size < MOST_BYTES
    content = picture.read_bytes()
    assert content.startswith(PNG)
    width, height = (int.from_bytes(content[at : at + 4], "big") for at in (16, 20))
    assert width >= 1200
    assert height >= 700


@pytest.mark.parametrize("name", NAMES)
def test_page_says_that_its_land_is_generated(name: str) -> None:
    assert "synthetic" in page_of(name)


def test_every_case_stands_in_the_list() -> None:
    overview = (CASES / "README.md").read_text(encoding="utf-8")
    assert sorted(p.stem for p in CASES.glob("*.md")) == sorted([*NAMES, "README"])
    assert all(f"({name}.md)" in overview for name in NAMES)


def test_only_the_part_that_is_meant_is_replaced() -> None:
    page = "A\n<!-- figures -->\nold\n<!-- end of figures -->\nB\n<!-- figures: v -->\n<!-- end of figures -->\nC\n"
    with_case = with_figures(page, None, "new")
    both = with_figures(with_case, "v", "other")
    assert scenarios_of("case", both) == {"case": "\nnew\n\n", "v": "\nother\n\n"}
    assert re.sub(r"\n(new|old|other)\n\n?", "", both) == page.replace("old\n", "")
    assert with_figures(both, "v", "other") == both


@pytest.mark.parametrize("page", ["no marks", "<!-- figures -->\n<!-- end of figures -->\n" * 2])
def test_a_page_without_its_part_or_with_two_is_refused(page: str) -> None:
    with pytest.raises(ValueError, match="once"):
        with_figures(page, None, "x")


def test_figures_of_a_run_say_what_its_summary_says(small_run: SmallRun) -> None:
    found = tables(figures(small_run.folder))
    facts = dict(found[0].rows)
    config = load_config(small_run.folder / "config.resolved.yaml").config
    assert facts["configuration"] == f"`{fingerprint(config)}`"
    assert facts["result"] == small_run.summary["status"]
    assert facts["gap"] == f"{100 * small_run.summary['gap']:.2f} %"
    phases = next(t for t in found if t.header[0] == "phase")
    assert phases.column("reached, mu") == [f"{p['cumulative_mu']:,.2f}" for p in small_run.summary["phases"]]
    plan = dict(next(t for t in found if t.header[0] == "the plan").rows)
    areas = [b["area_mu"] for b in small_run.summary["blocks"]]
    assert plan["blocks"] == str(len(areas))
    assert plan["largest block, mu"] == f"{max(areas):,.2f}"
    assert plan["of at least 100 mu"] == str(sum(a >= 100 for a in areas))


def test_the_fingerprint_follows_values_and_not_places(tmp_path: Path) -> None:
    config = load_config(REPOSITORY / "config.yaml", "money").config
    moved = tmp_path / "config.resolved.yaml"
    moved.write_text(resolved_yaml(config, tmp_path), encoding="utf-8")
    assert fingerprint(load_config(moved).config) == fingerprint(config)
    other = load_config(REPOSITORY / "config.yaml", "money", ["optimise.block.min_mu=61"]).config
    assert fingerprint(other) != fingerprint(config)
