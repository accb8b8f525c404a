"""Reading configurations: every mistake names file, line, key, value and what was expected; the order of precedence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from geodata.errors import Issue
from planner import config_yaml
from planner.config import Config
from planner.config_file import config_hash, expressions_of, known_fields, load_config, resolved_yaml
from planner.errors import ConfigError
from tests.planner.land_builders import write_config

MINIMAL = """\
project:
  name: grid
parcels:
  path: parcels.gpkg
  id: code
  fields:
    tax_wan_yuan_per_mu: {column: tax}
    far: {column: far, type: number}
scoring:
  criteria:
    - name: tax
      value: tax_wan_yuan_per_mu
      direction: low
      normalise: {method: minmax, lo: 0, hi: 20}
optimise:
  phases:
    - {id: P1, year: 1, target_mu: 30}
    - {id: P2, year: 3, target_mu: 60}
  block: {min_mu: 20, max_mu: 60}
  weights: {value_per_mu: 100}
"""


def load(folder: Path, text: str = MINIMAL, *overrides: str, scenario: str | None = None) -> Config:
    path = folder / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return load_config(path, scenario, overrides).config


def only_issue(folder: Path, text: str, *overrides: str, scenario: str | None = None) -> Issue:
    with pytest.raises(ConfigError) as caught:
        load(folder, text, *overrides, scenario=scenario)
    assert len(caught.value.issues) == 1, caught.value
    return caught.value.issues[0]


def line_of(text: str, piece: str) -> int:
    return next(k for k, line in enumerate(text.splitlines(), start=1) if piece in line)


# old → new, key, found, expected, fix: what must stand in each part
MISTAKES: list[tuple[str, str, str, str, str, str]] = [
    ("target_mu: 30", "target_m: 30", "optimise.phases[0].target_m", "unknown key", "stretch_mu", "'target_mu'"),
    ("target_mu: 30", "target_mu: '30'", "optimise.phases[0].target_mu", "'30'", "a number", "without quotes"),
    ("target_mu: 30", "target_mu: many", "optimise.phases[0].target_mu", "'many'", "a number", "Correct"),
    ("target_mu: 30", "target_mu: [30]", "optimise.phases[0].target_mu", "[30]", "a number", "Correct"),
    ("target_mu: 30", "target_mu: -1", "optimise.phases[0].target_mu", "-1", "0 or more", "Correct"),
    ("target_mu: 30", "target_mu: .nan", "optimise.phases[0].target_mu", "nan", "a finite number", "Correct"),
    ("target_mu: 30", "target_mu: .inf", "optimise.phases[0].target_mu", "inf", "a finite number", "Correct"),
    ("year: 1,", "year: 1.5,", "optimise.phases[0].year", "1.5", "a whole number", "Correct"),
    ("name: grid", "name: 7", "project.name", "7", "text", "quotes"),
    ("name: grid", "name: ''", "project.name", "''", "not empty", "Correct"),
    ("name: grid", "synthetic: maybe", "project.synthetic", "'maybe'", "true or false", "Correct"),
    ("name: grid", "currency: yuan", "project.currency", "'yuan'", "CNY", "code"),
    ("  name: grid", "  {}", "project", "nothing", "", ""),
    ("direction: low", "direction: lo", "scoring.criteria[0].direction", "'lo'", "low, high", "'low'"),
    ("method: minmax", "method: minmx", "scoring.criteria[0].normalise.method", "'minmx'", "rank", "'minmax'"),
    ("method: minmax, ", "", "scoring.criteria[0].normalise.method", "nothing", "threshold", "Add"),
    ("lo: 0, hi: 20", "lo: 0", "scoring.criteria[0].normalise.hi", "no such key", "no default", "'hi'"),
    ("lo: 0, hi: 20", "lo: 9, hi: 2", "scoring.criteria[0].normalise", "contradiction", "fit together", "Correct"),
    ("lo: 0, hi: 20", "lo: 0, high: 2, hi: 1", "scoring.criteria[0].normalise.high", "unknown key", "hi", "'hi'"),
    ("value_per_mu: 100", "", "optimise.weights.value_per_mu", "no such key", "no default", "Add"),
    ("value_per_mu: 100", "value_per_mu: 0", "optimise.weights.value_per_mu", "0", "more than 0", "Correct"),
    ("target_mu: 60", "target_mu: 20", "optimise", "P2 (20.0 mu) is below P1", "fit together", "Correct"),
    ("value: tax_wan_yuan_per_mu", "value: tax", "scoring.criteria[0].value", "unknown field 'tax'", "far", "tax_wan"),
    ("value: tax_wan_yuan_per_mu", "value: far +", "scoring.criteria[0].value", "syntax error", "fields", "Correct"),
    ("value: tax_wan_yuan_per_mu", "value: score", "scoring.criteria[0].value", "unknown field 'score'", "far", ""),
    ("{column: far, type: number}", "{colum: far}", "parcels.fields.far.colum", "unknown key", "column", "'column'"),
]


@pytest.mark.parametrize(("old", "new", "key", "found", "expected", "fix"), MISTAKES)
def test_a_mistake_is_told_with_its_place(
    tmp_path: Path, old: str, new: str, key: str, found: str, expected: str, fix: str
) -> None:
    text = MINIMAL.replace(old, new)
    if "{}" in new:
        text = MINIMAL.replace("project:\n  name: grid\n", "project:\n")
    assert text != MINIMAL
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    issue = next(i for i in caught.value.issues if i.where.split("key ")[1].split(",")[0] == key)
    assert issue.where.startswith(str(tmp_path / "config.yaml"))
    assert ", line " in issue.where
    assert found in issue.found
    assert expected in issue.expected
    assert fix in issue.fix


def test_the_line_is_the_one_of_the_key(tmp_path: Path) -> None:
    text = MINIMAL.replace("target_mu: 60", "target_mu: sixty")
    issue = only_issue(tmp_path, text)
    assert f"line {line_of(text, 'sixty')}," in issue.where


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    text = MINIMAL.replace("year: 1,", "year: x,").replace("id: code", "idd: code").replace("lo: 0", "lo: a")
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    assert {i.where.split("key ")[1] for i in caught.value.issues} == {
        "optimise.phases[0].year",
        "parcels.idd",
        "parcels.id",
        "scoring.criteria[0].normalise.lo",
    }


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("  id: code", "  id: [code", "syntax error"),
        ("  id: code", "\tid: code", "a tab"),
        ("  id: code", "  id: code\n  id: other", "'id' a second time"),
        ("  id: code", "  id: !!python/object/apply:os.system ls", "the tag"),
        ("  id: code", "  id: *nothing", "undefined alias"),
    ],
)
def test_yaml_mistakes_name_the_line(tmp_path: Path, old: str, new: str, found: str) -> None:
    text = MINIMAL.replace(old, new)
    issue = only_issue(tmp_path, text)
    assert found in issue.found
    line = int(issue.where.split("line ")[1].split(",")[0])
    assert abs(line - line_of(text, new.splitlines()[-1].strip())) <= 1


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "an empty file"),
        (b"- 1\n", "a list"),
        (b"hello", "a single value"),
        ("project: {name: 清溪}".encode("gbk"), "not UTF-8"),
        (("a: " + "[" * 500 + "]" * 500).encode(), "nested without end"),
    ],
    ids=["empty", "list", "value", "gbk", "deep"],
)
def test_files_that_are_no_configuration(tmp_path: Path, content: bytes, found: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert found in caught.value.issues[0].found


def test_aliases_that_multiply_are_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config_yaml, "_MAX_VALUES", 1000)
    lists = "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
    for before, name in zip("abc", "bcd", strict=True):
        lists += f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n"
    assert "more than 1000 values" in only_issue(tmp_path, lists).found


def test_a_missing_file_points_to_init(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="planner init"):
        load_config(tmp_path / "nothing.yaml")
    with pytest.raises(ConfigError, match="a folder"):
        load_config(tmp_path)


def test_bom_merge_keys_and_anchors_are_fine(tmp_path: Path) -> None:
    text = MINIMAL.replace("name: grid", "name: grid\n  synthetic: &yes true").replace(
        "    - {id: P2, year: 3, target_mu: 60}", "    - {<<: {target_mu: 60}, id: P2, year: 3}"
    )
    (tmp_path / "config.yaml").write_text(text, encoding="utf-8-sig")
    config = load_config(tmp_path / "config.yaml").config
    assert config.project.synthetic is True
    assert config.optimise.phases[1].target_mu == 60


# ------------------------------------------------------------------------------------------------ expressions


@pytest.mark.parametrize(
    ("section", "known"),
    [("{a: far * 2, b: a + 1}", True), ("{b: a + 1, a: far * 2}", False), ("{a: a + 1}", False)],
)
def test_a_derived_field_may_use_those_before_it(tmp_path: Path, section: str, known: bool) -> None:
    text = MINIMAL.replace("scoring:", f"scoring:\n  derived: {section}")
    if known:
        assert {"a", "b"} <= known_fields(load(tmp_path, text))
    else:
        assert "unknown field 'a'" in only_issue(tmp_path, text).found


@pytest.mark.parametrize("name", ["far", "area_mu", "score", "block_id", "zone", "two words", "class-a"])
def test_a_derived_field_needs_a_name_of_its_own(tmp_path: Path, name: str) -> None:
    issue = only_issue(tmp_path, MINIMAL.replace("scoring:", f"scoring:\n  derived: {{{name}: far}}"))
    assert f"scoring.derived.{name}" in issue.where


def test_two_rules_of_one_name(tmp_path: Path) -> None:
    rules = "  exclude: [{name: a, when: far > 2}, {name: a, when: far > 3}]\n"
    issue = only_issue(tmp_path, MINIMAL.replace("optimise:\n", rules + "optimise:\n"))
    assert "scoring.exclude[1].name" in issue.where


def test_every_expression_is_checked(tmp_path: Path) -> None:
    more = {
        "scoring": {
            "derived": {"d": "nope0"},
            "eligible": [{"name": "e", "when": "nope1 > 1"}],
            "exclude": [{"name": "x", "when": "nope2 > 1"}],
            "force_in": [{"name": "f", "when": "nope3 > 1"}],
        },
        "optimise": {
            "filler": {"where": "nope4 > 1"},
            "earliest": [{"name": "g", "year": "nope5"}],
            "cost": {"value": "nope6"},
        },
        "zones": {"field": "nope7"},
    }
    with pytest.raises(ConfigError) as caught:
        load_config(write_config(tmp_path, more))
    told = " ".join(i.found for i in caught.value.issues)
    assert [f"nope{k}" in told for k in range(8)] == [True] * 8


def test_score_may_be_used_where_it_is_known(tmp_path: Path) -> None:
    more = {
        "scoring": {"eligible": [{"name": "e", "when": "score > 0.1"}]},
        "optimise": {"cost": {"value": "score * 2"}},
    }
    config = load_config(write_config(tmp_path, more)).config
    assert ("optimise", "cost", "value") in {key for key, _, _ in expressions_of(config)}


# ------------------------------------------------------------------------------------------------ precedence


def test_config_then_scenario_then_override(tmp_path: Path) -> None:
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "more.yaml").write_text(
        "solve: {gap: 0.2, seed: 5}\nscoring:\n  criteria:\n    - {name: far, value: far, direction: low, "
        "normalise: {method: rank}}\n",
        encoding="utf-8",
    )
    text = MINIMAL + "solve: {gap: 0.1, time_limit_s: 7, seed: 3}\n"
    plain = load(tmp_path, text)
    assert (plain.solve.gap, plain.solve.time_limit_s, plain.solve.seed) == (0.1, 7, 3)
    config = load(tmp_path, text, "solve.seed=8", "solve.seed=9", scenario="more")
    assert (config.solve.gap, config.solve.time_limit_s, config.solve.seed) == (0.2, 7, 9)  # maps merge
    assert [c.name for c in config.scoring.criteria] == ["far"]  # lists replace


def test_a_scenario_is_a_name_or_a_path(tmp_path: Path) -> None:
    path = tmp_path / "elsewhere.yaml"
    path.write_text("solve: {seed: 4}\n", encoding="utf-8")
    assert load(tmp_path, MINIMAL, scenario=str(path)).solve.seed == 4
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "dry.yaml").write_text("solve: {seed: 6}\n", encoding="utf-8")
    issue = only_issue(tmp_path, MINIMAL, scenario="dri")
    assert issue.where == "--scenario"
    assert "dry" in issue.expected


def test_a_mistake_in_a_scenario_names_that_file(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text("\n\nsolve: {gap: wide}\n", encoding="utf-8")
    issue = only_issue(tmp_path, MINIMAL, scenario=str(path))
    assert issue.where == f"{path}, line 3, key solve.gap"


def test_what_a_scenario_replaced_is_not_sought_in_the_main_file(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text("optimise:\n  phases:\n    - {id: P1, target_mu: 5}\n", encoding="utf-8")
    issue = only_issue(tmp_path, MINIMAL, scenario=str(path))
    assert issue.where == f"{path}, line 3, key optimise.phases[0].year"


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("optimise.phases.1.target_mu=45", 45),
        ("optimise.phases.1={id: P2, year: 3, target_mu: 50}", 50),
        ("optimise.phases=[{id: A, year: 1}, {id: B, year: 2, target_mu: 55}]", 55),
    ],
)
def test_overrides_reach_into_lists(tmp_path: Path, override: str, expected: float) -> None:
    assert load(tmp_path, MINIMAL, override).optimise.phases[1].target_mu == expected


def test_an_override_makes_sections_that_were_not_there(tmp_path: Path) -> None:
    config = load(tmp_path, MINIMAL, "optimise.locks.in=[P00, '01']", "report.title=清溪")
    assert config.optimise.locks.in_ == ("P00", "01")
    assert config.report.title == "清溪"


@pytest.mark.parametrize(
    ("override", "where", "found"),
    [
        ("solve.gap", "--set", "'solve.gap'"),
        ("=1", "--set", "'=1'"),
        ("a..b=1", "--set", "'a..b=1'"),
        ("solve.gap=[", "--set solve.gap", "'['"),
        ("solve.gap=wide", "--set solve.gap", "'wide'"),
        ("solve.gapp=1", "--set solve.gapp", "unknown key"),
        ("optimise.phases.7.year=1", "--set optimise.phases.7.year", "item '7'"),
        ("optimise.phases.x.year=1", "--set optimise.phases.x.year", "item 'x'"),
        ("optimise.phases.0.id.x=1", "--set optimise.phases.0.id.x", "map"),
        ("project.name=2013-01-01", "", ""),
    ],
)
def test_overrides_that_cannot_be(tmp_path: Path, override: str, where: str, found: str) -> None:
    if not where:
        assert load(tmp_path, MINIMAL, override).project.name == "2013-01-01"
        return
    issue = only_issue(tmp_path, MINIMAL, override)
    assert issue.where == where or (found == "map" and "optimise.phases[0].id" in issue.where)
    assert found in issue.found


def test_labels_name_the_option(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(MINIMAL, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path / "config.yaml", None, ["solve.seed=-1"], {"solve.seed": "--seed"})
    assert caught.value.issues[0].where == "--seed"


# ------------------------------------------------------------------------------------------------ paths and copies


def test_paths_are_relative_to_the_file_they_stand_in(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "s.yaml").write_text(
        "zones: {path: z.gpkg}\nbarriers: [{name: river, path: ../r.gpkg}]\n", encoding="utf-8"
    )
    config = load(tmp_path, MINIMAL, scenario=str(tmp_path / "deep" / "s.yaml"))
    assert config.parcels.path == tmp_path / "parcels.gpkg"
    assert config.zones is not None
    assert config.zones.path == tmp_path / "deep" / "z.gpkg"
    assert config.barriers[0].path == tmp_path / "r.gpkg"
    assert load(tmp_path, MINIMAL, "parcels.path=other.gpkg").parcels.path == tmp_path / "other.gpkg"


@pytest.mark.parametrize("address", ["https://example.org/p.gpkg", "/vsicurl/https://example.org/p.gpkg"])
def test_addresses_are_left_for_the_reader_to_refuse(tmp_path: Path, address: str) -> None:
    config = load(tmp_path, MINIMAL, f"parcels.path={address}")
    assert config.parcels.path is not None
    assert "example.org" in str(config.parcels.path)
    assert not str(config.parcels.path).startswith(str(tmp_path))


def test_the_resolved_copy_says_the_same_from_another_folder(tmp_path: Path) -> None:
    more = {"tables": [{"path": "t.csv", "key": {"parcels": "code", "table": "k"}, "fields": {"v": {"column": "v"}}}]}
    config = load_config(write_config(tmp_path, more)).config
    out = tmp_path / "results" / "out"
    out.mkdir(parents=True)
    text = resolved_yaml(config, out)
    assert "path: ../../parcels.gpkg" in text
    (out / "config.resolved.yaml").write_text(text, encoding="utf-8")
    again = load_config(out / "config.resolved.yaml").config
    assert again == config
    assert config_hash(again) == config_hash(config)


def test_the_hash_is_that_of_the_content(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    hashes = []
    for folder in (first, second):
        folder.mkdir()
        hashes.append(config_hash(load(folder, MINIMAL)))
    assert hashes[0] == hashes[1]  # the same wherever it lies
    assert config_hash(load(first, MINIMAL, "solve.seed=1")) != hashes[0]
    commented = MINIMAL.replace("project:", "# a comment\nproject:")
    assert config_hash(load(first, commented)) == hashes[0]


# ------------------------------------------------------------------------------------------------ later errors


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("optimise.phases[1].target_mu", "line 18, key optimise.phases[1].target_mu"),
        ("expression 'tax_wan_yuan_per_mu'", "line 12, key scoring.criteria[0].value, 'tax_wan_yuan_per_mu'"),
        ("somewhere else", "somewhere else"),
    ],
)
def test_issues_of_later_stages_get_their_place(tmp_path: Path, where: str, expected: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(MINIMAL, encoding="utf-8")
    located = load_config(path).located(ConfigError(Issue(where, "a", "b", "c.")))
    assert located.issues[0].where.endswith(expected)
    assert (located.issues[0].found, located.issues[0].fix) == ("a", "c.")


def test_values_keep_their_kind(tmp_path: Path) -> None:
    """Quoted digits stay text, plain ones are numbers: an id with a leading zero survives only in quotes."""
    assert load(tmp_path, MINIMAL, "optimise.locks.in=['0012']").optimise.locks.in_ == ("0012",)
    issue = only_issue(tmp_path, MINIMAL, "optimise.locks.in=[0012]")
    assert issue.expected == "text"
    assert "quotes" in issue.fix


def test_unused_extras_do_not_pass(tmp_path: Path) -> None:
    extras: dict[str, Any] = {"optimise": {"contiguity": "rolling-ish"}}
    with pytest.raises(ConfigError) as caught:
        load_config(write_config(tmp_path, extras))
    assert "optimise.contiguity" in caught.value.issues[0].where
