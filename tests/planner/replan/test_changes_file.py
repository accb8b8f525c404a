"""Reading a file of changes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from planner.errors import ConfigError
from planner.replan import read_changes
from planner.replan.spec import KINDS, ChangesSpec
from tests.docs.pages import DOCS


def issues(path: Path, text: str) -> list[str]:
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        read_changes(path)
    return [str(i) for i in caught.value.issues]


def test_a_file_with_everything(tmp_path: Path) -> None:
    path = tmp_path / "changes.yaml"
    path.write_text(
        "title: 调整\ndate: 2026-03-02\nkeep: {price_per_mu: 5}\nchanges:\n- {reason: no, refused: [A]}\n- now: P2\n",
        encoding="utf-8",
    )
    spec = read_changes(path).spec
    assert spec.title == "调整"
    assert spec.date is not None
    assert spec.date.isoformat() == "2026-03-02"
    assert [e.kind for e in spec.changes or ()] == ["refused", "now"]
    assert spec.keep.price_per_mu == 5


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("changes:\n- {refusd: [A]}\n", 2, "Did you mean 'refused'?"),
        ("changes:\n- target: {P1: {target: 3}}\n", 2, "Did you mean 'target_mu'?"),
        ("titel: x\n", 1, "Did you mean 'title'?"),
        ("changes:\n- {refused: [A], now: P2}\n", 2, "this one says refused and now"),
        ("changes:\n- {reason: because}\n", 2, "this one says nothing"),
        ("changes:\n- refused: []\n", 2, "at least 1"),
        ("changes:\n- refused: [441900]\n", 2, "Put it in quotes"),
        ("changes:\n- {now: P1}\n- {now: P2}\n", 1, "`now` is said twice"),
        ("changes:\n- target: {P1: {}}\n", 2, "name at least one target"),
        ("changes:\n- target: {P1: {target_mu: null}}\n", 2, "0 takes the target off"),
        ("changes:\n- budget: {P1: -3}\n", 2, "0 or more"),
        ("date: yesterday\n", 1, "key date"),
    ],
)
def test_mistakes_are_told_with_their_line(tmp_path: Path, text: str, line: int, said: str) -> None:
    found = issues(tmp_path / "changes.yaml", text)
    assert any(said in i and f"line {line}" in i for i in found), found


@pytest.mark.parametrize(("text", "found"), [("# nothing yet\n", "empty file"), ("- refused: [A]\n", "bare list")])
def test_a_file_without_the_key_is_told_how_to_write_it(tmp_path: Path, text: str, found: str) -> None:
    (issue,) = issues(tmp_path / "changes.yaml", text)
    assert found in issue
    assert "under `changes:`" in issue


def test_all_mistakes_at_once(tmp_path: Path) -> None:
    assert len(issues(tmp_path / "c.yaml", "titel: x\nchanges:\n- {refusd: [A]}\n- {budget: {P1: x}}\n")) >= 3


def test_the_schema_in_the_documentation_is_that_of_the_models() -> None:
    schema = json.loads((DOCS / "schemas" / "changes.schema.json").read_text(encoding="utf-8"))
    made = ChangesSpec.model_json_schema(by_alias=True)
    assert {k: schema[k] for k in made if k != "title"} == {k: v for k, v in made.items() if k != "title"}
    assert set(KINDS) <= set(made["$defs"]["EventSpec"]["properties"])
