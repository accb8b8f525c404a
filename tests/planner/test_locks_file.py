"""Files of locks: ``locks.json`` and an edited GeoPackage are read in full or refused with every reason."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import jsonschema
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.errors import DataError, Issue
from geodata.write import write_gpkg, write_json
from planner.config import Config
from planner.config_file import load_config, resolved_yaml
from planner.errors import ConfigError
from planner.locks_file import load_with_locks, read_locks, refuse_both, with_locks
from tests.conftest import REPOSITORY
from tests.planner.land_builders import BASE, CRS, case, merged

SCHEMA = json.loads((REPOSITORY / "docs" / "schemas" / "locks.schema.json").read_text(encoding="utf-8"))

FILE: dict[str, Any] = {
    "format": "land-consolidation-locks",
    "version": 1,
    "project": "清溪",
    "config_hash": "c0",
    "input_hash": "1a",
    "locks": [
        {"parcel_id": "P05", "lock": "at", "phase": "p2", "note": None},
        {"parcel_id": "P00", "lock": "in", "phase": None, "note": "村里同意"},
        {"parcel_id": "P02", "lock": "out", "phase": None, "note": None},
        {"parcel_id": "P03", "lock": "by", "phase": "P1", "note": ""},
        {"parcel_id": "P07", "lock": None, "phase": None, "note": "ask again"},
    ],
    "plan": {"P1": ["P00", "P04"], "P2": ["P05"]},
}


def _config(*changes: dict[str, Any]) -> Config:
    return Config.model_validate(merged(BASE, *changes))


def _written(folder: Path, data: Any) -> Path:
    path = folder / "locks.json"
    write_json(data, path)
    return path


def _issues(path: Path, config: Config | None = None) -> tuple[Issue, ...]:
    with pytest.raises(DataError) as error:
        read_locks(path, config)
    return error.value.issues


# ------------------------------------------------------------------------------------------------ locks.json


def test_the_file_of_the_map_is_read(tmp_path: Path) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(FILE, SCHEMA)
    file = read_locks(_written(tmp_path, FILE))
    assert [(e.parcel_id, e.text, e.note) for e in file.entries] == [
        ("P00", "in", "村里同意"),
        ("P02", "out", None),
        ("P03", "by P1", None),
        ("P05", "at p2", None),
        ("P07", "", "ask again"),
    ]
    assert file.plan == {"P00": "P1", "P04": "P1", "P05": "P2"}
    assert file.hashes == {"config_hash": "c0", "input_hash": "1a"}
    assert file.told == "1 in, 1 out, 1 by a phase, 1 at a phase, 2 notes"


def test_the_least_file(tmp_path: Path) -> None:
    least = {"format": FILE["format"], "version": 1, "locks": [{"parcel_id": "P00"}]}
    jsonschema.validate(least, SCHEMA)
    file = read_locks(_written(tmp_path, least))
    assert (file.plan, file.hashes) == (None, {})
    assert with_locks(_config(), file) == _config()


def test_the_file_replaces_all_locks_but_standing_blocks(tmp_path: Path) -> None:
    old = {"in": ["P06"], "out": ["P08"], "by": {"P11": "P1"}, "at": {"P04": "P2"}, "notes": {"P06": "old"}}
    blocks = [{"id": "done", "parcels": ["P09"], "phase": "P1"}]
    config = _config({"optimise": {"locks": {**old, "blocks": blocks}}})
    locks = with_locks(config, read_locks(_written(tmp_path, FILE), config)).optimise.locks
    assert (locks.in_, locks.out) == (("P00",), ("P02",))
    assert (locks.by, locks.at) == ({"P03": "P1"}, {"P05": "P2"})  # the phase as the configuration writes it
    assert locks.notes == {"P00": "村里同意", "P07": "ask again"}
    assert locks.blocks == config.optimise.locks.blocks
    assert config.optimise.locks.in_ == ("P06",)


def test_the_order_of_entries_does_not_matter(tmp_path: Path) -> None:
    turned = {**FILE, "locks": FILE["locks"][::-1]}
    one = with_locks(_config(), read_locks(_written(tmp_path, FILE)))
    assert with_locks(_config(), read_locks(_written(tmp_path, turned))).model_dump_json() == one.model_dump_json()


Change = Callable[[dict[str, Any]], object]
_WRONG: dict[str, tuple[Change, str, str]] = {
    "another format": (lambda d: d.update(format="land-consolidation-summary"), "format", "land-consolidation-locks"),
    "no format": (lambda d: d.pop("format"), "format", "no such key"),
    "a later version": (lambda d: d.update(version=2), "version", "found 2; expected 1"),
    "true for a version": (lambda d: d.update(version=True), "version", "found True"),
    "no locks": (lambda d: d.pop("locks"), "locks", "found nothing; expected a list"),
    "locks as a map": (lambda d: d.update(locks={"P00": "in"}), "locks", "found a map"),
    "an unknown key": (lambda d: d.update(lock=[]), "lock", "an unknown key"),
    "a number for a hash": (lambda d: d.update(input_hash=7), "input_hash", "found 7"),
    "an entry as text": (lambda d: d["locks"].append("P00"), "entry 6", "found text"),
    "an id as a number": (lambda d: d["locks"][0].update(parcel_id=4419), "entry 1, parcel_id", "found 4419"),
    "no id": (lambda d: d["locks"][0].pop("parcel_id"), "entry 1, parcel_id", "no such key"),
    "an empty id": (lambda d: d["locks"][0].update(parcel_id=""), "entry 1, parcel_id", "''"),
    "an unknown lock": (lambda d: d["locks"][1].update(lock="maybe"), "entry 2 (parcel P00), lock", "'maybe'"),
    "a list for a lock": (lambda d: d["locks"][1].update(lock=["in"]), "entry 2 (parcel P00), lock", "['in']"),
    "by without a phase": (lambda d: d["locks"][3].update(phase=None), "entry 4 (parcel P03), phase", "None"),
    "at a blank phase": (lambda d: d["locks"][0].update(phase=" "), "entry 1 (parcel P05), phase", "' '"),
    "in with a phase": (lambda d: d["locks"][1].update(phase="P1"), "entry 2 (parcel P00), phase", "'P1'"),
    "a phase without a lock": (lambda d: d["locks"][4].update(phase="P1"), "entry 5 (parcel P07), phase", "'P1'"),
    "a misspelt key": (lambda d: d["locks"][0].update(fase="P1"), "entry 1 (parcel P05), fase", "an unknown key"),
    "a note as a number": (lambda d: d["locks"][0].update(note=3), "entry 1 (parcel P05), note", "found 3"),
    "a plan as a list": (lambda d: d.update(plan=["P00"]), "plan", "found a list"),
    "a phase as text": (lambda d: d["plan"].update(P1="P00"), "plan, P1", "found text"),
    "ids as numbers": (lambda d: d["plan"].update(P1=[1]), "plan, P1", "a list of parcel ids"),
}


@pytest.mark.parametrize("wrong", _WRONG)
def test_what_is_wrong_is_named_with_its_place(tmp_path: Path, wrong: str) -> None:
    change, place, text = _WRONG[wrong]
    data = copy.deepcopy(FILE)
    change(data)
    assert list(jsonschema.Draft202012Validator(SCHEMA).iter_errors(data)), "the schema accepts it"
    path = _written(tmp_path, data)
    (issue,) = _issues(path)
    assert issue.where.startswith(f"{path}, ")
    assert place in issue.where
    assert text in str(issue)


def test_everything_wrong_is_told_at_once(tmp_path: Path) -> None:
    data = copy.deepcopy(FILE)
    data["locks"] += [{"parcel_id": "P00", "lock": "out"}, {"parcel_id": "P01", "lock": "at", "phase": "P7"}]
    data["locks"][2]["lock"] = "no"
    data["plan"]["P2"].append("P00")
    config = _config({"optimise": {"locks": {"blocks": [{"id": "done", "parcels": ["P03"], "phase": "P1"}]}}})
    places = [(i.where.partition("locks.json, ")[2], i.found) for i in _issues(_written(tmp_path, data), config)]
    assert [place for place, _ in places] == [
        "locks, entry 3 (parcel P02), lock",
        "plan, P2",
        "locks, entry 6 (parcel P00)",
        "locks, entry 4 (parcel P03)",
        "locks, entry 7 (parcel P01)",
    ]
    assert "entry 2 (parcel P00)" in places[2][1]  # where it stands first


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "no JSON"),
        (b'{"format": ', "no JSON"),
        (b"[]", "a list"),
        (b"3", "a number"),
        (b"\xff\xfe{}", "not UTF-8"),
        (b'{"format": 1, "format": 2}', "'format' twice"),
        (b"[" * 100_000, "no JSON"),
        (json.dumps(FILE).replace("ask again", "\\ud83d").encode(), "no JSON"),
    ],
)
def test_files_that_cannot_be_read(tmp_path: Path, content: bytes, found: str) -> None:
    path = tmp_path / "locks.json"
    path.write_bytes(content)
    (issue,) = _issues(path)
    assert issue.where == str(path)
    assert found in issue.found


def test_a_byte_order_mark_is_fine(tmp_path: Path) -> None:
    path = tmp_path / "LOCKS.JSON"
    path.write_text(json.dumps(FILE), encoding="utf-8-sig")
    assert len(read_locks(path).entries) == 5


@pytest.mark.parametrize("name", ["locks.json", "plan.gpkg"])
def test_no_such_file(tmp_path: Path, name: str) -> None:
    assert _issues(tmp_path / name)[0].found == "no such file"
    (tmp_path / name).mkdir()
    assert _issues(tmp_path / name)[0].found == "no such file"


def test_files_of_another_kind(tmp_path: Path) -> None:
    assert "ends in .csv" in _issues(tmp_path / "locks.csv")[0].found


# ------------------------------------------------------------------------------------------------ GeoPackage


def _layer(folder: Path, name: str = "plan.gpkg", layer: str = "parcels", **columns: list[Any]) -> Path:
    n = len(next(iter(columns.values())))
    squares = [shapely.box(500_000 + 10 * k, 2_520_000, 500_010 + 10 * k, 2_520_010) for k in range(n)]
    write_gpkg({layer: gpd.GeoDataFrame(columns, geometry=squares, crs=CRS)}, folder / name)
    return folder / name


def test_an_edited_layer_is_read(tmp_path: Path) -> None:
    path = _layer(
        tmp_path,
        parcel_id=["P03", "P00", "P01", "P02", "P04", "P05"],
        locked=["By p1", " in ", None, "OUT", "ａｔ　Ｐ２", ""],
        note=[None, "村里同意", "ask", " ", None, None],
        status=["selected", "eligible", "selected", "excluded", "selected", "ineligible"],
        block_id=["P1-01", None, "P1-02", None, "一期-a-01", None],
    )
    file = read_locks(path, _config())
    assert [(e.parcel_id, e.kind, e.note) for e in file.entries] == [
        ("P00", "in", "村里同意"),
        ("P01", None, "ask"),
        ("P02", "out", None),
        ("P03", "by", None),
        ("P04", "at", None),
    ]
    locks = with_locks(_config(), file).optimise.locks
    assert (locks.by, locks.at) == ({"P03": "P1"}, {"P04": "P2"})
    assert file.plan == {"P03": "P1", "P01": "P1", "P04": "一期-a"}
    assert file.hashes == {}


def test_hashes_come_from_the_summary_beside_it(tmp_path: Path) -> None:
    path = _layer(tmp_path, parcel_id=["P00"], locked=["in"])
    write_json({"config_hash": "c0", "input_hash": "1a", "status": "optimal"}, tmp_path / "summary.json")
    file = read_locks(path)
    assert file.other_land("1a") is None
    warning = file.other_land("2b")
    assert warning is not None
    assert str(path) in warning
    (tmp_path / "summary.json").write_text("[]", encoding="utf-8")
    assert read_locks(path).other_land("2b") is None


def test_without_a_column_of_notes_those_of_the_configuration_stay(tmp_path: Path) -> None:
    config = _config({"optimise": {"locks": {"in": ["P05"], "notes": {"P05": "ours"}}}})
    file = read_locks(_layer(tmp_path, parcel_id=["P00", "P01"], locked=["in", None]))
    assert with_locks(config, file).optimise.locks.notes == {"P05": "ours"}
    assert with_locks(config, file).optimise.locks.in_ == ("P00",)
    other = read_locks(_layer(tmp_path, "new.gpkg", parcel_id=["P00"], locked=["in"], note=[None]))
    assert with_locks(config, other).optimise.locks.notes == {}
    assert file.plan is None


def test_cells_that_are_no_lock_are_all_named_by_row(tmp_path: Path) -> None:
    path = _layer(
        tmp_path,
        parcel_id=["P00", "P01", "P02", "P03", "P04"],
        locked=["yes", "in", "by P9", "at", "yes"],
        status=["selected", "eligible", "eligible", "eligible", "selected"],
        block_id=["mine", None, None, None, None],
    )
    assert [(i.where, i.found) for i in _issues(path)] == [
        (f"{path}, layer parcels, column locked", "'yes' in row 1 (parcel P00), row 5 (parcel P04)"),
        (f"{path}, layer parcels, column locked", "'at' in row 4 (parcel P03)"),
        (f"{path}, layer parcels, column block_id", "'mine' (parcel P00), '' (parcel P04)"),
    ]


def test_phases_that_were_renamed_do_not_fill_pages(tmp_path: Path) -> None:
    path = _layer(tmp_path, parcel_id=["P02", "P03", "P04"], locked=["by P9", "by P9", "at P2"])
    (issue,) = _issues(path, _config())
    assert "row 1 (parcel P02)" in issue.where
    assert issue.found == "the lock 'by P9' with an unknown phase, and 1 more like it"


def test_numbers_are_no_locks(tmp_path: Path) -> None:
    path = _layer(tmp_path, parcel_id=["P00", "P01"], locked=[1, 0])
    assert [i.found for i in _issues(path)] == ["'1' in row 1 (parcel P00)", "'0' in row 2 (parcel P01)"]


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        ({"parcel_id": ["P00"]}, "the columns parcel_id"),
        ({"locked": ["in"]}, "no column 'parcel_id'"),
        ({"parcel_id": ["P00", "P00"], "locked": ["in", "out"]}, "more than once: P00"),
        ({"parcel_id": ["P00", None], "locked": ["in", "out"]}, "no id in row 2"),
    ],
)
def test_layers_that_do_not_name_parcels(tmp_path: Path, columns: dict[str, list[Any]], found: str) -> None:
    (issue,) = _issues(_layer(tmp_path, **columns))
    assert found in issue.found


def test_geopackages_of_others(tmp_path: Path) -> None:
    assert "the layers roads" in _issues(_layer(tmp_path, layer="roads", street=["A 1"]))[0].found
    (tmp_path / "broken.gpkg").write_text("no database", encoding="utf-8")
    assert "cannot be read" in _issues(tmp_path / "broken.gpkg")[0].found


# ------------------------------------------------------------------------------------------------ places and options


def test_later_mistakes_name_the_file(tmp_path: Path) -> None:
    loaded = load_config(case(tmp_path, {"optimise": {"locks": {"in": ["P01"], "blocks": []}}}))
    assert "line " in loaded.where("optimise", "locks", "in", 0)
    file = read_locks(_written(tmp_path, FILE), loaded.config)
    changed = load_with_locks(loaded, file)
    for name, words in {"in": "locked in", "at": "locked at", "notes": "notes"}.items():
        issue = Issue(f"optimise.locks.{name}", "a", "b", "c")
        assert changed.located(ConfigError(issue)).issues[0].where == f"--locks {file.path}, {words}"
    assert "line " in changed.where("optimise", "locks", "blocks")
    assert changed.config.optimise.locks.in_ == ("P00",)


@pytest.mark.parametrize("text", ["optimise.locks.in=[P00]", "optimise.locks={}", " optimise.locks.notes.P00=x"])
def test_locks_come_from_one_place(text: str) -> None:
    with pytest.raises(ConfigError, match="--locks"):
        refuse_both(["solve.seed=1", text])


def test_other_options_stand_beside_the_file() -> None:
    refuse_both(["optimise.locks.blocks=[]", "optimise.locksmith=1", "solve.seed=1"])


@settings(deadline=None, max_examples=20)
@given(
    st.dictionaries(
        st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=6),
        st.tuples(st.sampled_from(["in", "out", "by P1", "at P2", ""]), st.text(max_size=20)),
        max_size=4,
    )
)
def test_locks_and_notes_survive_the_resolved_configuration(
    tmp_path_factory: pytest.TempPathFactory, state: dict[str, tuple[str, str]]
) -> None:
    folder = tmp_path_factory.mktemp("resolved")
    rows = [
        {"parcel_id": i, "lock": text.split(" ")[0] or None, "phase": [*text.split(" "), None][1], "note": note}
        for i, (text, note) in state.items()
    ]
    config = with_locks(_config(), read_locks(_written(folder, {**FILE, "locks": rows})))
    (folder / "config.yaml").write_text(resolved_yaml(config, folder), encoding="utf-8", newline="\n")
    assert load_config(folder / "config.yaml").config.optimise.locks == config.optimise.locks


def test_edited_by_pandas_as_by_hand(tmp_path: Path) -> None:
    """A column of text of the newer kind, with missing cells."""
    path = _layer(tmp_path, parcel_id=["P00", "P01"], locked=list(pd.array(["in", None], dtype="str")))
    assert [e.text for e in read_locks(path).entries] == ["in"]
