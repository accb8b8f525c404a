"""The page about sources: its table of real files, its figures and its examples are those of the program."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter
from ruamel.yaml import YAML

from benchmarks import geodata_scale
from benchmarks.figures import between_markers
from geodata.spec import ParcelsSpec, RepairSpec, TableSpec
from geodata.spec_land import AreasSpec, BuildingsSpec, FirmsSpec, OverlaySpec, RasterSpec
from geodata.spec_source import SourceSpec
from tests.docs.pages import bare, table_under, text_of
from tests.geodata.real_files import real_files_markdown

PAGE = text_of("geodata.md")
BEGIN = "<!-- made by tests/geodata/real_files.py: begin -->"
END = "<!-- made by tests/geodata/real_files.py: end -->"
_SPECS: dict[str, Any] = {
    "parcels": ParcelsSpec,
    "tables": list[TableSpec],
    "repair": RepairSpec,
    "areas": AreasSpec,
    "overlays": list[OverlaySpec],
    "rasters": list[RasterSpec],
    "buildings": BuildingsSpec,
    "firms": FirmsSpec,
}
_EXAMPLES = re.findall(r"^```yaml\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)


def _between(begin: str, end: str) -> str:
    assert PAGE.count(begin) == PAGE.count(end) == 1
    return PAGE.split(begin)[1].split(end)[0]


def test_the_table_of_real_files_is_that_of_the_tests() -> None:
    assert _between(BEGIN, END).strip() == real_files_markdown().strip()


def test_the_figures_are_those_measured() -> None:
    results = json.loads(geodata_scale.LATEST.read_text(encoding="utf-8"))
    assert _between(geodata_scale.BEGIN, geodata_scale.END).strip() == geodata_scale.report(results).strip()


def test_a_failed_size_is_told() -> None:
    failed = {"error": "run: TimeoutExpired", "measured": "2026-01-01 00:00 UTC", "load_after": 1.0}
    machine = {"processors": 2, "system": "any", "versions": {}}
    text = geodata_scale.report({"machine": machine, "cases": {"1000": failed}})
    assert "- 1,000 parcels: stopped (run: TimeoutExpired) after nothing, 2026-01-01 00:00 UTC." in text


def test_markers_are_needed_once() -> None:
    whole = f"a {geodata_scale.BEGIN} old {geodata_scale.END} b"
    assert "old" not in between_markers(whole, "new", geodata_scale.BEGIN, geodata_scale.END)
    for page in ("", whole + whole):
        with pytest.raises(ValueError, match="markers"):
            between_markers(page, "new", geodata_scale.BEGIN, geodata_scale.END)


@pytest.mark.parametrize("example", _EXAMPLES)
def test_the_examples_are_right(example: str) -> None:
    tree = YAML(typ="safe", pure=True).load(example)
    for key, value in tree.items():
        TypeAdapter(_SPECS[key]).validate_python(json.loads(json.dumps(value)))


def test_every_part_has_an_example() -> None:
    assert {key for example in _EXAMPLES for key in YAML(typ="safe", pure=True).load(example)} == set(_SPECS)


def test_the_keys_of_places_exist() -> None:
    listed = {cell.partition(":")[0] for cell in bare(table_under(PAGE, "Places and datums").column("key"))}
    assert listed == {"crs", "axes", "shifted", "towgs84", "similarity"}
    model: type[BaseModel] = SourceSpec
    assert listed < set(model.model_fields)
