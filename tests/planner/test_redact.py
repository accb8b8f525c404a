"""A redacted plan holds no sensitive value, wherever it may have come to stand."""

from __future__ import annotations

import io
import sqlite3
import zipfile
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from geodata.write import write_gpkg
from planner.config import Config
from planner.config_expressions import expression_issues
from planner.contents import PlanContents, read_contents
from planner.errors import ConfigError
from planner.redact import LEFT_OUT, Redaction, redacted, sensitive_fields
from planner.report.gis import write_gis
from planner.report.workbook import write_workbook
from planner.tables import PlanTables
from tests.planner.land_builders import EAST, NORTH, WIDTH_M, case, grid_land, merged, planner
from tests.planner.mode_land import WITH_MODES, config_of, figure

OWNERS = ("王小明", "李四方")
CODE = "91441900MA4UKXYZ9K"
RENT = 424242.0
HAMLET = "石鼓"
TENURE = "陈氏祖业"
REMARK = "ask Ms Chen"
SECRETS = (*OWNERS, CODE, "424242", TENURE, REMARK)


def text_field(column: str) -> dict[str, str]:
    """A text of the parcels."""
    return {"column": column, "type": "text"}


SENSITIVE: dict[str, Any] = {
    "parcels": {
        "fields": {
            "owner": text_field("owner"),
            "payee": text_field("owner"),  # a second field of the same column
            "hamlet": text_field("hamlet"),
            "floor": {"column": "floor"},
            "papers": {"column": "papers"},
        }
    },
    "tables": [
        {
            "path": "rents.csv",
            "key": {"parcels": "code", "table": "code"},
            "fields": {
                "credit": text_field("credit"),
                "firm_code": text_field("credit"),
                "rent": {"column": "rent", "type": "number"},
                "highest_rent": {"column": "rent", "type": "number", "agg": "max"},
                "contracts": {"column": "rent", "agg": "count"},
            },
        }
    ],
    "overlays": [{"name": "tenure", "path": "tenure.gpkg", "effect": "tag", "attribute": "kind"}],
    "scoring": {
        "derived": {"double_rent": "rent * 2", "more_rent": "double_rent + 1"},
        "criteria": [
            {
                "name": "tax",
                "value": "tax_wan_yuan_per_mu",
                "direction": "low",
                "normalise": {"method": "minmax", "lo": 0, "hi": 20},
            },
            {
                "name": "rent",
                "value": "coalesce(rent, 424242)",
                "direction": "low",
                "normalise": {"method": "rank"},
            },
        ],
        "exclude": [
            {"name": "housing", "when": "land_use == 'housing'"},
            {"name": "kept back", "when": "owner == '李四方' and tenure == '陈氏祖业' and far < 0"},
        ],
    },
    "optimise": {
        "earliest": [{"name": "lease", "year": "0 * rent"}],
        "filler": {"where": "owner == '李四方'"},
        "village": "hamlet",
        "locks": {"notes": {"P00": REMARK}},
        "groups": [{"name": "some", "where": "owner == '王小明'", "phases": {"P1": {"target_mu": 0}}}],
        "block": {"rules": [{"name": "any", "amount": "1 + 0 * coalesce(rent, 424242)", "least": 0}]},
        "contiguity": "rolling",
        "existing": "owner == '王小明' and far < 0.35",
    },
    "modes": {
        "figures": {
            "share_of": {"by": "owner", "values": {"王小明": 0.5, "李四方": 0.25}, "source": "made up", "date": "2026"},
            "land_price": figure(1000),
        },
        "consent": {"holders": "1", "signed": "share_of"},
        "decant": {"floor_m2": "floor", "firms": "0 * rent", "sites": [{"name": "s", "floor_m2": 1e6, "from_year": 0}]},
    },
    "report": {
        "show": {
            "owner": "owner",
            "credit_code": "credit",
            "rent_yuan": "rent",
            "far": "far",
            "tax_yuan": "highest_rent",
        },
        "sensitive": ["tenure"],
    },
}
"""Changes of the grid that carry sensitive values into every part of the configuration that can take them."""


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> PlanContents:
    """A run on land with two owners."""
    folder = tmp_path_factory.mktemp("redact")
    land = grid_land()
    land["owner"] = [OWNERS[k % 2] for k in range(len(land))]
    land["hamlet"], land["floor"], land["papers"] = HAMLET, 100.0, 1.0
    rents = pd.DataFrame({"code": land["code"], "credit": CODE, "rent": RENT})
    rents.to_csv(folder / "rents.csv", index=False, encoding="utf-8")
    shape = shapely.box(EAST, NORTH - 100, EAST + 2 * WIDTH_M, NORTH)
    write_gpkg({"tenure": gpd.GeoDataFrame({"kind": [TENURE]}, geometry=[shape], crs=land.crs)}, folder / "tenure.gpkg")
    config = case(folder, WITH_MODES, SENSITIVE, land=land)
    result = planner("run", config, "--out", folder / "out", "--quiet")
    assert result.exit_code == 0, result.output
    return read_contents(folder / "out")


def everything(contents: PlanContents) -> Iterator[tuple[str, str]]:
    """Where → text, for every part that a writer may read."""
    for field in fields(PlanTables):
        layer = getattr(contents.tables, field.name)
        yield field.name, pd.DataFrame(layer.drop(columns="geometry", errors="ignore")).to_csv()
    yield "summary", str(contents.summary)
    yield from ((f"modes {name}", table.to_csv()) for name, table in contents.modes.items())
    yield "config", str(contents.config.model_dump(mode="json"))
    yield "shown", contents.shown.to_csv()


def holding(contents: PlanContents, words: tuple[str, ...]) -> set[str]:
    """Parts in which one of the words stands."""
    return {where for where, text in everything(contents) if any(word in text for word in words)}


def test_no_part_of_a_redacted_plan_holds_a_sensitive_value(plan: PlanContents) -> None:
    quoted = {
        "what": f"rule: no parcel has '李四方' in owner, which holds '王小明'; it begins: P00,{CODE}",
        "count": 2,
        "area_mu": None,
        "parcel_ids": ["P00", CODE],
        "to_fix": True,
    }
    found = plan.tables.data_quality.copy()
    assert len(found)
    found["finding"] = quoted["what"]
    judged = {**plan.summary["check"], "findings": [{"message": f"{OWNERS[0]} holds it"}]}
    told = replace(
        plan,
        tables=replace(plan.tables, data_quality=found),
        summary={**plan.summary, "data_quality": [quoted], "check": judged},
    )
    assert holding(told, SECRETS) >= {"parcels", "overlaps", "summary", "config", "shown", "data_quality"}
    kept, left = redacted(told)
    assert holding(kept, SECRETS) == set()
    assert list(kept.tables.data_quality.columns) == list(found.columns)
    (row,) = kept.summary["data_quality"]
    assert row == {
        "what": "1 findings about the data are left out of this package",
        "count": 1,
        "area_mu": None,
        "parcel_ids": [],
        "to_fix": False,
    }
    assert left.findings == 1
    assert holding(told, SECRETS) >= {"parcels", "summary", "config"}  # what was given is as it was


def test_without_findings_nothing_is_said_of_them(plan: PlanContents) -> None:
    kept, left = redacted(replace(plan, summary={**plan.summary, "data_quality": []}))
    assert kept.summary["data_quality"] == []
    assert left.findings == 0


def test_fields_of_one_column_share_their_fate(plan: PlanContents) -> None:
    assert sensitive_fields(plan.config) == {
        *("owner", "payee", "credit", "firm_code", "rent", "highest_rent", "tenure"),
        *("double_rent", "more_rent"),
    }
    kept, left = redacted(plan)
    assert {"payee", "firm_code", "highest_rent"} <= set(left.fields)
    assert "contracts" in kept.tables.parcels  # a number of rows is no rent
    assert set(left.facts) == {"owner", "credit_code", "rent_yuan", "tax_yuan", "signed_share", "firms"}
    assert not set(left.facts) & set(kept.shown.columns)
    pd.testing.assert_frame_equal(kept.shown, plan.shown[kept.shown.columns])


def test_a_sensitive_derived_field_takes_what_it_is_made_of_along() -> None:
    changes = {
        "scoring": {"derived": {"a": "far * 2", "b": "a + area_mu", "c": "tax_wan_yuan_per_mu + 1"}},
        "report": {"sensitive": ["b"]},
    }
    assert sensitive_fields(config_of(changes)) == {"a", "b", "far"}


def test_the_key_of_a_table_is_its_column_of_the_parcels(plan: PlanContents) -> None:
    """A field of the key's column names the parcels themselves."""
    table = {"path": "t.csv", "key": {"parcels": "code", "table": "nr"}, "fields": {"nr": text_field("nr")}}
    config = Config.model_validate(merged(plan.config.model_dump(by_alias=True), {"tables": [table], "report": ...}))
    config = config.model_copy(update={"report": config.report.model_copy(update={"sensitive": ("nr",)})})
    with pytest.raises(ConfigError, match=r"parcels\.id"):
        redacted(replace(plan, config=config))


def test_attributes_of_a_sensitive_overlay_are_blank_and_its_measure_takes_all_of_it(plan: PlanContents) -> None:
    assert set(plan.tables.overlaps["attribute"]) == {TENURE}
    kept, _ = redacted(plan)
    assert len(kept.tables.overlaps) == len(plan.tables.overlaps)
    assert kept.tables.overlaps["attribute"].isna().all()
    report = plan.config.report.model_copy(update={"sensitive": ("tenure_m2",)})
    kept, _ = redacted(replace(plan, config=plan.config.model_copy(update={"report": report})))
    assert len(kept.tables.overlaps) == len(kept.tables.overlays) == len(kept.config.overlays) == 0


def named(plan: PlanContents, *names: str) -> PlanContents:
    """The plan with other fields named as sensitive."""
    report = plan.config.report.model_copy(update={"sensitive": names})
    return replace(plan, config=plan.config.model_copy(update={"report": report}))


def test_zones_named_by_a_sensitive_field_are_refused(plan: PlanContents) -> None:
    with pytest.raises(ConfigError) as caught:
        redacted(named(plan, "village"))
    (issue,) = caught.value.issues
    assert issue.where == "zones.field"
    assert "'village'" in issue.found
    assert "zones.path" in issue.fix


def test_a_sensitive_village_leaves_neither_fact_nor_table(plan: PlanContents) -> None:
    assert {"modes villages", "summary", "shown"} <= holding(plan, (HAMLET,))
    assert HAMLET in redacted(plan)[0].modes["villages"].to_csv()
    kept, left = redacted(named(plan, "hamlet"))
    assert holding(kept, (HAMLET,)) == set()
    assert "village" in left.facts
    assert "villages" not in kept.modes
    assert "villages" not in kept.summary


def test_expressions_and_figures_that_use_sensitive_fields_are_left_out(plan: PlanContents) -> None:
    config = redacted(plan)[0].config
    assert [c.value for c in config.scoring.criteria] == ["tax_wan_yuan_per_mu", LEFT_OUT]
    assert [r.when for r in config.scoring.exclude] == ["land_use == 'housing'", LEFT_OUT]
    assert set(config.scoring.derived.values()) == {LEFT_OUT}
    assert config.optimise.filler.where == LEFT_OUT
    assert config.optimise.earliest[0].year == config.optimise.groups[0].where == LEFT_OUT
    assert config.optimise.block.rules[0].amount == LEFT_OUT
    assert config.report.show.owner == LEFT_OUT
    assert config.report.show.far == "far"
    assert config.modes is not None
    assert config.modes.figures["share_of"].values is None
    assert config.modes.figures["land_price"].value == 1000
    assert config.modes.choices[0].lines == plan.config.modes.choices[0].lines  # type: ignore[union-attr]


def test_land_cleared_already_is_known_without_the_field_that_tells(plan: PlanContents) -> None:
    kept = redacted(plan)[0]
    column = kept.config.optimise.existing
    assert column is not None
    parcels = plan.tables.parcels
    assert kept.tables.parcels[column].tolist() == ((parcels["owner"] == OWNERS[0]) & (parcels["far"] < 0.35)).tolist()


def test_what_can_be_worked_back_is_named(plan: PlanContents) -> None:
    left: Redaction = redacted(plan)[1]
    assert set(left.worked_out) == {
        *("scoring.criteria.1.value", "scoring.exclude.1.when", "optimise.filler.where", "optimise.earliest.0.year"),
        *("optimise.existing", "optimise.groups.0.where", "optimise.block.rules.0.amount"),
        *("modes.consent.signed", "modes.decant.firms"),
    }


def test_firms_by_parcel_go_where_their_number_is_sensitive(plan: PlanContents) -> None:
    assert "firm_moves" in plan.modes
    assert "firm_moves" not in redacted(plan)[0].modes


def unpacked(data: bytes, name: str) -> Iterator[str]:
    """All texts in a file, archives in archives included."""
    if zipfile.is_zipfile(io.BytesIO(data)):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for part in archive.namelist():
                yield from unpacked(archive.read(part), part)
    elif name.endswith(".gpkg"):
        connection = sqlite3.connect(":memory:")
        connection.deserialize(data)
        yield "\n".join(connection.iterdump())
        connection.close()
    else:
        yield from (data.decode(code, errors="ignore") for code in ("utf-8", "gb18030", "utf-16-le"))


def words_in(folder: Path, words: tuple[str, ...]) -> set[str]:
    """Which of the words stand in the files of a folder."""
    texts = [t for p in sorted(folder.rglob("*")) if p.is_file() for t in unpacked(p.read_bytes(), p.name)]
    return {word for word in words if any(word in text for text in texts)}


@pytest.mark.parametrize("redact", [True, False])
def test_files_hold_no_sensitive_value(plan: PlanContents, tmp_path: Path, redact: bool) -> None:
    contents = redacted(named(plan, "tenure", "hamlet"))[0] if redact else plan
    write_workbook(contents, tmp_path / "plan.xlsx", day=date(2026, 1, 1))
    write_gis(contents, tmp_path)
    words = (*SECRETS, HAMLET)
    assert words_in(tmp_path, words) == (set() if redact else set(words))  # the second proves the search


def test_measured_names_and_the_score_are_no_sensitive_fields() -> None:
    config = config_of({"report": {"sensitive": ["area_mu", "score", "zone", "far", "nothing", "twice"]}})
    config = config.model_copy(update={"scoring": config.scoring.model_copy(update={"derived": {"twice": "far * 2"}})})
    found = {i.where: i.found for i in expression_issues(config, lambda *key: ".".join(map(str, key)))}
    wrong = {where: text for where, text in found.items() if where.startswith("report.sensitive")}
    assert set(wrong) == {f"report.sensitive.{k}" for k in (0, 1, 2, 4)}
    assert "every plan" in wrong["report.sensitive.0"]
    assert "unknown" in wrong["report.sensitive.4"]
