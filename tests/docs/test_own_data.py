"""The pieces of configuration on the page about own data fit together, and its commands work."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from geodata.attributes import RESERVED_FIELDS
from planner.config_file import load_config
from tests.docs.pages import text_of

PAGE = text_of("own-data.md")


def _merged(into: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    both = {
        key: _merged(into[key], value) if isinstance(value, dict) and isinstance(into.get(key), dict) else value
        for key, value in other.items()
    }
    return into | both


def test_the_pieces_make_one_configuration(tmp_path: Path) -> None:
    pieces = re.findall(r"^```yaml\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)
    assert len(pieces) >= 8
    tree: dict[str, Any] = {"project": {"name": "all pieces"}}
    for piece in pieces:
        tree = _merged(tree, YAML(typ="safe", pure=True).load(piece))
    path = tmp_path / "config.yaml"
    path.write_text(json.dumps(tree, ensure_ascii=False), encoding="utf-8")  # JSON is YAML
    config = load_config(path).config
    assert config.parcels.crs == "EPSG:4490"
    assert config.optimise.locks.out == ("441900118001JC00077",)


def test_the_names_said_to_belong_to_the_plan_do() -> None:
    assert {"area_mu", "score", "status", "zone", "cost"} <= RESERVED_FIELDS


def test_the_commands_lead_to_a_plan(world: Path, planner: Callable[[list[str]], tuple[int, str]]) -> None:
    (world / "config.yaml").unlink()
    for arguments in (
        ["init", "parcels.gpkg"],
        ["validate", "config.yaml", "--quiet"],
        ["run", "config.yaml", "--out", "out/", "--quiet"],
    ):
        code, output = planner(arguments)
        assert code == 0, output
    assert "GUESS" in (world / "config.yaml").read_text(encoding="utf-8")
    assert (world / "out" / "map.html").is_file()
