"""Tables of modes and figures: what goes over what, what comes out, and every mistake with file, line and key."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from geodata.errors import Issue
from planner.config_file import LoadedConfig, config_hash, load_config, resolved_yaml
from planner.errors import ConfigError
from planner.expressions import parse
from planner.modes.timetable import timetable
from planner.spec_modes import MILESTONES, FigureSpec, ModesSpec
from tests.planner.land_builders import planner
from tests.planner.test_config_file import MINIMAL, line_of

FIELDS = "tax_wan_yuan_per_mu: {column: tax}"
LAND = MINIMAL.replace(
    FIELDS,
    FIELDS
    + "".join(f"\n    {name}: {{column: {name}, type: text}}" for name in ("building_type", "ownership", "papers"))
    + "".join(
        f"\n    {name}: {{column: {name}, type: number}}" for name in ("floor_area_m2", "holders", "signed", "workers")
    ),
)
CONSENT = "  consent: {holders: holders, signed: signed}\n"
NINE = (
    "government_acquisition",
    "deferred_payment",
    "collective_led",
    "partnership",
    "collective_land_market",
    "owner_led",
    "single_entity_tender",
    "master_lease",
    "upgrade",
)
TABLE = """\
choices:
  - id: buy
    name_zh: 收储
    name_en: Buy
    months: {levelled: wait}
    far: ratio
    lines:
      - {name: pay, payer: town, payee: owner, outlay: land_compensation, income: compensation, at: levelled,
         amount: price * area_mu}
  - id: let
    name_zh: 统租
    name_en: Let
    months: {built: wait}
    far: ratio
"""
CSV = """\
figure,value,by,key,unit,source,date,note
wait,18,,,months,guess,2023,
ratio,2.5,,,,guess,2023,
price,450,building_type,shed,yuan/mu,survey,2024-05,By type
price,800,building_type,hall,,,,
"""


def load(folder: Path, modes: str, *overrides: str, scenario: str | None = None) -> LoadedConfig:
    path = folder / "config.yaml"
    path.write_text(f"{LAND}modes:{modes}", encoding="utf-8")
    return load_config(path, scenario, overrides)


def modes_of(folder: Path, modes: str, *overrides: str, scenario: str | None = None) -> ModesSpec:
    spec = load(folder, modes, *overrides, scenario=scenario).config.modes
    assert spec is not None
    return spec


def issues(folder: Path, modes: str, *overrides: str) -> tuple[Issue, ...]:
    with pytest.raises(ConfigError) as caught:
        load(folder, modes, *overrides)
    return caught.value.issues


def only_issue(folder: Path, modes: str, *overrides: str) -> Issue:
    (issue,) = issues(folder, modes, *overrides)
    return issue


def write_tables(folder: Path, table: str = TABLE, figures: str = CSV) -> str:
    """A table of modes and one of figures; the section that names them."""
    (folder / "mine").mkdir()
    (folder / "mine" / "m.yaml").write_text(table, encoding="utf-8")
    (folder / "mine" / "f.csv").write_text(figures, encoding="utf-8")
    return "\n  table: mine/m.yaml\n  figures_table: mine/f.csv\n"


# ---------------------------------------------------------------------------------------------- the bundled tables


@pytest.fixture(scope="module")
def bundled(tmp_path_factory: pytest.TempPathFactory) -> LoadedConfig:
    return load(tmp_path_factory.mktemp("bundled"), "\n" + CONSENT)


def _numbers(text: str) -> list[Any]:
    return [n.value for n in ast.walk(parse(text).tree) if isinstance(n, ast.Constant) and not isinstance(n.value, str)]


def _values(tree: Any) -> list[Any]:
    if isinstance(tree, dict | list):
        return [v for inner in (tree.values() if isinstance(tree, dict) else tree) for v in _values(inner)]
    return [tree]


def test_the_nine_modes_hold_no_number(bundled: LoadedConfig) -> None:
    spec = bundled.config.modes
    assert spec is not None
    assert tuple(m.id for m in spec.choices) == NINE
    path = Path(str(bundled.origins[("modes", "choices", 0, "id")].source))
    tree = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    assert [v for v in _values(tree) if not isinstance(v, str)] == []
    for mode in spec.choices:
        quantities = [*mode.months.values(), mode.far, mode.net_share, mode.displaces, mode.decant_share, mode.benefit]
        quantities += [t.least for t in mode.consent]
        quantities += [q for line in mode.lines for q in (line.amount, line.share, line.months) if q is not None]
        assert [n for q in quantities for n in _numbers(str(q))] == []


def test_every_bundled_figure_has_a_unit_a_source_and_a_date(bundled: LoadedConfig) -> None:
    from planner.mode_table import _bundled_figures  # noqa: PLC0415 - all of them, used or not

    figures = {name: FigureSpec.model_validate(f) for name, f in _bundled_figures().figures.items()}
    assert len(figures) > 150
    assert [name for name, f in figures.items() if not (f.unit and f.source and f.date)] == []
    units = {"_yuan_per_mu": "yuan/mu", "_yuan_per_m2": "yuan/m2", "_months": "months", "_years": "years"}
    for ending, unit in units.items():
        assert [n for n, f in figures.items() if n.endswith(ending) and not f.unit.startswith(unit)] == []


def test_bundled_figures_are_those_of_the_design(bundled: LoadedConfig) -> None:
    spec = bundled.config.modes
    assert spec is not None
    figures = spec.figures
    assert figures["building_compensation_yuan_per_m2"].values == {
        "铁皮厂房": 450,
        "砖混厂房": 800,
        "框架厂房": 1500,
        "砖混住宅": 800,
        "无": 0,
    }
    plain = {name: f.value for name, f in figures.items()}
    assert plain["land_compensation_yuan_per_mu"] == 450_000
    assert plain["land_price_yuan_per_mu"] == 1_000_000
    assert plain["site_and_roads_yuan_per_mu"] == 150_000
    assert plain["soil_survey_yuan_per_mu"] + plain["preliminary_yuan_per_mu"] == 20_000  # type: ignore[operator]
    times = timetable(bundled.config)
    levelled, built = (times.months[:, MILESTONES.index(m)] for m in ("levelled", "built"))
    # cleared / built of domain figures; the second counts from the first
    for mode, cleared, months in (
        ("government_acquisition", 18, 24),
        ("deferred_payment", 18, 24),
        ("collective_led", 15, 24),
        ("owner_led", 9, 18),
        ("single_entity_tender", 24, 24),
    ):
        m = NINE.index(mode)
        assert (levelled[m], built[m] - levelled[m]) == (cleared, months), mode
    lease = NINE.index("master_lease")
    assert times.time(0, lease, "signed") - times.begins[0] == 3 / 12
    assert built[lease] == 3 + 12


def test_who_pays_for_land_and_who_has_the_price(bundled: LoadedConfig) -> None:
    spec = bundled.config.modes
    assert spec is not None
    flows = {m.id: {(x.payer, x.payee, x.outlay) for x in m.lines} for m in spec.choices}
    assert ("town", "collective", "land_compensation") in flows["government_acquisition"]
    assert ("developer", "town", "land_price") in flows["deferred_payment"]
    before_sale = [x for x in spec.choices[1].lines if x.outlay == "land_compensation"]
    assert {x.at for x in before_sale} == {"supplied"}  # nothing for land before it is sold
    assert ("collective", "town", "levy") in flows["collective_led"]
    assert ("owner", "town", "levy") in flows["owner_led"]
    assert ("developer", "collective", "land_price") in flows["collective_land_market"]
    assert ("developer", "owner", "building_compensation") in flows["single_entity_tender"]
    assert ("town", "owner", "rent") in flows["master_lease"]
    for mode in spec.choices:
        assert {"city"} <= {x.payer for x in mode.lines if x.outlay == "grant"}
    still = [m for m in spec.choices if m.id in {"master_lease", "upgrade"}]
    assert all("levelled" not in m.months and "demolished" not in m.months for m in still)


def test_values_of_tables_know_their_line(bundled: LoadedConfig) -> None:
    where = bundled.where("modes", "figures", "demolition_yuan_per_m2", "value")
    path, line = where.split(", ")[:2]
    text = Path(path).read_text(encoding="utf-8-sig")
    assert path.endswith("figures.csv")
    assert line == f"line {line_of(text, 'demolition_yuan_per_m2,60')}"
    where = bundled.where("modes", "choices", 5, "id")
    path, line = where.split(", ")[:2]
    assert line == f"line {line_of(Path(path).read_text(encoding='utf-8'), 'id: owner_led')}"


# ------------------------------------------------------------------------------------------- what goes over what


def test_use_selects_and_orders_and_figures_without_use_go(tmp_path: Path) -> None:
    spec = modes_of(tmp_path, "\n  use: [upgrade, owner_led]\n" + CONSENT)
    assert [m.id for m in spec.choices] == ["upgrade", "owner_led"]
    assert "owner_led_far" in spec.figures
    assert "land_price_zhongshan_yuan_per_mu" not in spec.figures
    assert "partnership_far" not in spec.figures


def test_figures_that_other_expressions_use_stay(tmp_path: Path) -> None:
    space = "  space: {new_tax_yuan_per_mu: target_tax_yuan_per_mu, ramp_months: full_output_months}\n"
    spec = modes_of(tmp_path, "\n  use: [upgrade]\n" + CONSENT + space)
    assert spec.figures["target_tax_yuan_per_mu"].value == 310_000
    assert spec.figures["full_output_months"].value == 24


def test_a_new_number_keeps_the_unit_and_has_its_own_source(tmp_path: Path) -> None:
    own = "  figures: {demolition_yuan_per_m2: {value: 80, source: tender, date: 2024}}\n"
    figure = modes_of(tmp_path, "\n  use: [owner_led]\n" + own + CONSENT).figures["demolition_yuan_per_m2"]
    assert figure == FigureSpec(value=80, unit="yuan/m2", source="tender", date="2024")


def test_a_remark_leaves_the_number(tmp_path: Path) -> None:
    own = "  figures: {demolition_yuan_per_m2: {note: look again}}\n"
    figure = modes_of(tmp_path, "\n  use: [owner_led]\n" + own + CONSENT).figures["demolition_yuan_per_m2"]
    assert (figure.value, figure.source, figure.note) == (60, "judgement", "look again")


def test_single_texts_of_a_figure_or_all_of_them(tmp_path: Path) -> None:
    name = "present_rent_yuan_per_m2_month"
    some = f"  figures: {{{name}: {{values: {{铁皮厂房: 9, villa: 20}}, source: mine, date: '2024'}}}}\n"
    values = modes_of(tmp_path, "\n  use: [owner_led]\n" + some + CONSENT).figures[name].values
    assert values == {"铁皮厂房": 9, "砖混厂房": 14, "框架厂房": 14, "砖混住宅": 14, "无": 0, "villa": 20}
    new = f"  figures: {{{name}: {{by: papers, values: {{完善: 9}}, source: mine, date: '2024'}}}}\n"
    figure = modes_of(tmp_path, "\n  use: [owner_led]\n" + new + CONSENT).figures[name]
    assert (figure.by, figure.values, figure.unit) == ("papers", {"完善": 9}, "yuan/m2 a month")
    flat = f"  figures: {{{name}: {{value: 12, source: mine, date: '2024'}}}}\n"
    figure = modes_of(tmp_path, "\n  use: [owner_led]\n" + flat + CONSENT).figures[name]
    assert (figure.value, figure.by, figure.values) == (12, None, None)


def test_the_command_line_goes_over_the_tables(tmp_path: Path) -> None:
    new = "modes.figures.demolition_yuan_per_m2={value: 70, source: me, date: 2024}"
    spec = modes_of(tmp_path, "\n" + CONSENT, "modes.use=[owner_led]", new)
    assert [m.id for m in spec.choices] == ["owner_led"]
    assert spec.figures["demolition_yuan_per_m2"].value == 70


def test_own_tables_and_a_scenario_with_another_one(tmp_path: Path) -> None:
    section = write_tables(tmp_path)
    spec = modes_of(tmp_path, section)
    assert [m.id for m in spec.choices] == ["buy", "let"]
    assert spec.figures["price"] == FigureSpec(
        by="building_type",
        values={"shed": 450, "hall": 800},
        unit="yuan/mu",
        source="survey",
        date="2024-05",
        note="By type",
    )
    folder = tmp_path / "scenarios"
    folder.mkdir()
    (folder / "dear.csv").write_text(CSV.replace("450", "900"), encoding="utf-8-sig")
    (folder / "dear.yaml").write_text("modes: {figures_table: dear.csv, use: [buy]}\n", encoding="utf-8")
    spec = modes_of(tmp_path, section, scenario="dear")  # its path is relative to the scenario
    assert [m.id for m in spec.choices] == ["buy"]
    assert spec.figures["price"].values == {"shed": 900, "hall": 800}


def test_figures_in_yaml_are_the_same(tmp_path: Path) -> None:
    section = write_tables(tmp_path)
    before = modes_of(tmp_path, section)
    (tmp_path / "mine" / "m.yaml").write_text(
        TABLE
        + "figures:\n"
        + "  wait: {value: 18, unit: months, source: guess, date: 2023}\n"
        + "  ratio: {value: 2.5, source: guess, date: 2023}\n"
        + "  price: {by: building_type, values: {shed: 450, hall: 800}, unit: yuan/mu, source: survey, "
        + "date: 2024-05, note: By type}\n",
        encoding="utf-8",
    )
    assert modes_of(tmp_path, "\n  table: mine/m.yaml\n  figures_table: mine/m.yaml\n") == before


OWN_MODE = """
  choices:
    - {id: mine, name_zh: 我, name_en: Mine, months: {built: owner_led_months_built}, far: my_far}
  figures:
    my_far: {value: 3, source: me, date: '2024'}
"""


def test_own_modes_beside_those_of_the_table(tmp_path: Path) -> None:
    spec = modes_of(tmp_path, OWN_MODE + "  use: [upgrade, mine]\n" + CONSENT)
    assert [m.id for m in spec.choices] == ["upgrade", "mine"]
    assert spec.figures["owner_led_months_built"].value == 27
    mine = OWN_MODE.replace("id: mine", "id: upgrade") + "  use: [upgrade]\n"
    assert [m.name_en for m in modes_of(tmp_path, mine).choices] == ["Mine"]
    (tmp_path / "t.csv").write_text("figure,value,source,date\nowner_led_months_built,9,me,2024\n", encoding="utf-8")
    alone = modes_of(tmp_path, OWN_MODE + "  figures_table: t.csv\n")  # without `use`: the modes written there
    assert [m.id for m in alone.choices] == ["mine"]
    assert alone.figures["owner_led_months_built"].value == 9


def test_a_complete_section_reads_no_table(tmp_path: Path) -> None:
    (issue,) = issues(tmp_path, OWN_MODE)
    assert "the unknown field or figure 'owner_led_months_built'" in issue.found


def test_a_figure_for_a_mode_that_is_not_in_use_may_stay(tmp_path: Path) -> None:
    spec = modes_of(tmp_path, OWN_MODE + "  use: [upgrade]\n" + CONSENT)
    assert "my_far" not in spec.figures


def test_no_section_and_an_empty_one(tmp_path: Path) -> None:
    assert load(tmp_path, "").config.modes is None
    (issue,) = issues(tmp_path, " {}")
    assert "`consent` must say who has agreed" in issue.found


@pytest.mark.parametrize("use", ["", "  use: [owner_led, upgrade]\n"])
def test_a_resolved_configuration_repeats_without_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, use: str
) -> None:
    own = "  figures: {demolition_yuan_per_m2: {value: 80, source: tender, date: 2024}}\n"
    config = load(tmp_path, "\n" + use + own + CONSENT).config
    text = resolved_yaml(config, tmp_path)
    assert "table" not in YAML(typ="safe", pure=True).load(text)["modes"]
    (tmp_path / "again.yaml").write_text(text, encoding="utf-8")
    with monkeypatch.context() as patch:
        patch.setattr("planner.mode_table.bundled", lambda name: Path("nowhere") / name)
        again = load_config(tmp_path / "again.yaml").config
    assert again == config
    assert config_hash(again) == config_hash(config)
    if use:  # also where one of its modes is chosen afterwards, over the tables
        one = load_config(tmp_path / "again.yaml", overrides=["modes.use=[owner_led]"]).config.modes
        assert one is not None
        assert one.figures["demolition_yuan_per_m2"].value == 80


def test_the_hash_tells_figures_apart_but_not_where_tables_lie(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    for folder in (first, second):
        folder.mkdir()
    section = write_tables(first)
    other = write_tables(second).replace("mine/m.yaml", "mine/n.yaml")
    (second / "mine" / "m.yaml").rename(second / "mine" / "n.yaml")
    hashes = [config_hash(load(first, section).config), config_hash(load(second, other).config)]
    assert hashes[0] == hashes[1]
    assert config_hash(load(first, section + "  use: [let, buy]\n").config) != hashes[0]


def test_the_order_of_rows_does_not_matter(tmp_path: Path) -> None:
    section = write_tables(tmp_path)
    config = load(tmp_path, section).config
    head, wait, ratio, shed, hall = CSV.splitlines()
    swapped = [head, ratio, shed, hall, "", wait]
    (tmp_path / "mine" / "f.csv").write_text("\n".join(swapped) + "\n", encoding="utf-8")
    assert config_hash(load(tmp_path, section).config) == config_hash(config)


# ---------------------------------------------------------------------------------------------------- mistakes


@pytest.mark.parametrize(
    ("old", "new", "line", "found", "fix"),
    [
        ("wait,18", "wait,many", 2, "'many'", "digits"),
        ("wait,18", "wait,", 2, "no number", "digits"),
        ("wait,18", "wait,nan", 2, "'nan'", "digits"),
        ("wait,18", 'wait,"1,800"', 2, "'1,800'", "thousands"),
        ("months,guess,2023", "months,,2023", 2, "nothing", "judgement"),
        ("months,guess,2023", "months,guess,", 2, "nothing", "of when"),
        ("months,guess,2023", "months,guess,2023/5/1", 2, "'2023/5/1'", "year first"),
        ("ratio,2.5", "wait,2.5", 3, "the figure a second time", "Merge"),
        ("building_type,hall", "building_type,shed", 5, "a second time for shed", "Merge"),
        ("800,building_type,hall", "800,,", 5, "a second time", "Merge"),
        ("building_type,hall", "papers,hall", 5, "'papers'", "two figures"),
        ("building_type,hall", ",hall", 5, "nothing, beside `key`", "`by` is the field"),
        ("450,building_type,shed", "450,building_type,", 4, "nothing, beside `by`", "`key` the text"),
        ("hall,,,,", "hall,,other,,", 5, "'other'", "two figures"),
        ("ratio,2.5", ",2.5", 3, "a row without a figure", "remove the row"),
        ("wait,18,,,months", "wait,18,,,months,more", 2, "9 cells, but 8 columns", "quotes"),
        ("figure,value,by", "figure,value,buy", 1, "the unknown column 'buy'", "'by'"),
        ("unit,source,date,note", "unit,source,date,unit", 1, "'unit' a second time", "Remove"),
        (",note\n", ",\n", 1, "the unknown column ''", "Remove"),
        ('wait,18,,,months', 'wait,18,,,"months', 5, "no CSV", "quotes"),
    ],
)  # fmt: skip
def test_mistakes_in_a_table_of_figures(
    tmp_path: Path, old: str, new: str, line: int, found: str, fix: str
) -> None:  # fmt: skip
    assert CSV.count(old) == 1
    section = write_tables(tmp_path, figures=CSV.replace(old, new))
    issue = issues(tmp_path, section)[0]
    assert issue.where.startswith(f"{tmp_path / 'mine' / 'f.csv'}, line {line}"), issue
    assert found in issue.found
    assert fix in issue.fix


def test_a_missing_column_and_all_mistakes_at_once(tmp_path: Path) -> None:
    section = write_tables(tmp_path, figures=CSV.replace(",source", ",sauce"))
    assert [i.found for i in issues(tmp_path, section)] == ["the unknown column 'sauce'", "no column 'source'"]
    (tmp_path / "mine" / "f.csv").write_text(CSV.replace("18", "x").replace("2.5", "y"), encoding="utf-8")
    (tmp_path / "mine" / "m.yaml").write_text("chioces: []\n", encoding="utf-8")
    assert len(issues(tmp_path, section)) == 4  # two of either file


@pytest.mark.parametrize(
    ("key", "value", "found"),
    [
        ("figures_table", "mine/none.csv", "no such file"),
        ("figures_table", "mine", "a file ending in ''"),
        ("figures_table", "mine/f.xlsx", "a file ending in '.xlsx'"),
        ("figures_table", "mine/gbk.csv", "text that is not UTF-8"),
        ("figures_table", "mine/m.yaml", "no key 'figures'"),
        ("figures_table", "mine/list.yaml", "a list"),
        ("table", "mine/none.yaml", "no such file"),
        ("table", "mine/list.yaml", "no key 'choices'"),
        ("table", "mine/empty.yaml", "no list of modes"),
        ("table", "mine/twice.yaml", "the mode 'buy' a second time"),
        ("table", "7", "7"),
    ],
)
def test_tables_that_cannot_be_read(tmp_path: Path, key: str, value: str, found: str) -> None:
    section = write_tables(tmp_path)
    folder = tmp_path / "mine"
    (folder / "gbk.csv").write_bytes(CSV.replace("guess", "估计").encode("gbk"))
    (folder / "list.yaml").write_text("figures: [1]\n", encoding="utf-8")
    (folder / "empty.yaml").write_text("choices: []\n", encoding="utf-8")
    (folder / "twice.yaml").write_text(TABLE.replace("id: let", "id: buy"), encoding="utf-8")
    kept = "\n".join(line for line in section.splitlines() if not line.strip().startswith(f"{key}:"))
    issue = issues(tmp_path, f"{kept}\n  {key}: {value}\n")[0]
    assert found in issue.found, issue


def test_mistakes_in_a_table_of_modes_have_its_lines(tmp_path: Path) -> None:
    table = TABLE.replace("far: ratio", "fair: ratio", 1).replace("payer: town", "payer: twon")
    issues_ = issues(tmp_path, write_tables(tmp_path, table))
    place = tmp_path / "mine" / "m.yaml"
    lines = {line_of(table, piece) for piece in ("fair: ratio", "payer: twon", "id: buy")}
    assert {i.where.split(", key")[0] for i in issues_} == {f"{place}, line {line}" for line in lines}
    assert any("'town'" in i.fix for i in issues_)


MISTAKES = [
    ("\n  use: [owner_lead]\n" + CONSENT, "modes.use[0]", "the unknown mode 'owner_lead'", "'owner_led'"),
    ("\n  use: [owner_led, owner_led]\n", "modes.use", "a second time", "Remove"),
    ("\n  use: owner_led\n", "modes.use", "'owner_led'", "[owner_led]"),
    ("\n  use: []\n", "modes.use", "[]", "at least one"),
    ("\n  tabel: x.yaml\n", "modes.tabel", "the unknown key 'tabel'", "'table'"),
    (
        "\n  figures: {demolition_yuan_per_m2: {value: 80, date: 2024}}\n" + CONSENT,
        "modes.figures.demolition_yuan_per_m2",
        "a new number without `source`",
        "Add `source`",
    ),
    (
        "\n  figures: {demolition_yuan_per_mu: {value: 80, source: me, date: 2024}}\n" + CONSENT,
        "modes.figures.demolition_yuan_per_mu",
        "which nothing uses",
        "'demolition_yuan_per_m2'",
    ),
    (
        "\n  figures: {demolition_yuan_per_m2: {value: many, source: me, date: 2024}}\n" + CONSENT,
        "modes.figures.demolition_yuan_per_m2.value",
        "'many'",
        "Correct",
    ),
    (
        "\n  figures: {present_rent_yuan_per_m2_month: {by: paper, values: {a: 1}, source: me, date: 2024}}\n"
        + CONSENT,
        "modes.figures.present_rent_yuan_per_m2_month.by",
        "the unknown field 'paper'",
        "'papers'",
    ),
    ("\n  consent: {holders: holder, signed: signed}\n", "modes.consent.holders", "'holder'", "'holders'"),
]


@pytest.mark.parametrize(("section", "key", "found", "fix"), MISTAKES)
def test_mistakes_in_the_section(tmp_path: Path, section: str, key: str, found: str, fix: str) -> None:
    issue = only_issue(tmp_path, section)
    assert issue.where.endswith(f"key {key}"), issue
    assert str(tmp_path / "config.yaml") in issue.where
    assert found in issue.found
    assert fix in issue.fix


# what is written instead of TABLE → the key, and what is found; all on the line of the table that says so
EXPRESSIONS = [
    ("price * area_mu", "prise * area_mu", "lines[0].amount", "the unknown field or figure 'prise'"),
    ("price * area_mu", "price * * area_mu", "lines[0].amount", "a syntax error"),
    ("{levelled: wait}", "{levelled: price}", "months.levelled", "'price', which differs by parcel"),
    ("{levelled: wait}", "{levelled: workers}", "months.levelled", "'workers', which differs by parcel"),
    ("{levelled: wait}", "{levelled: weight}", "months.levelled", "the unknown field or figure 'weight'"),
    ("far: ratio\n    lines", "far: ratio * new_floor_m2\n    lines", "far", "'new_floor_m2'"),
    ("far: ratio\n    lines", "far: ratio\n    open: opened\n    lines", "open", "'opened'"),
]


@pytest.mark.parametrize(("old", "new", "key", "found"), EXPRESSIONS)
def test_expressions_with_wrong_names(tmp_path: Path, old: str, new: str, key: str, found: str) -> None:
    assert TABLE.count(old) == 1
    issue = only_issue(tmp_path, write_tables(tmp_path, TABLE.replace(old, new)))
    assert issue.where.startswith(str(tmp_path / "mine" / "m.yaml") + ", line ")
    assert f"key modes.choices[0].{key}" in issue.where
    assert found in issue.found


def test_what_later_stages_find_is_located_in_the_table(tmp_path: Path) -> None:
    loaded = load(tmp_path, write_tables(tmp_path, figures=CSV.replace("wait,18", "wait,-18")))
    with pytest.raises(ConfigError) as caught:
        timetable(loaded.config)
    wheres = [i.where for i in loaded.located(caught.value).issues]
    lines = [line_of(TABLE, f"{{{milestone}: wait}}") for milestone in ("levelled", "built")]
    keys = [f"modes.choices[{k}].months.{milestone}" for k, milestone in enumerate(("levelled", "built"))]
    path = tmp_path / "mine" / "m.yaml"
    assert wheres == [f"{path}, line {line}, key {key}" for line, key in zip(lines, keys, strict=True)]


def test_payments_know_what_the_mode_builds_and_fields(tmp_path: Path) -> None:
    table = TABLE.replace("price * area_mu", "price * new_floor_m2 + ratio * net_area_mu + workers * score")
    assert modes_of(tmp_path, write_tables(tmp_path, table)).choices[0].lines[0].amount is not None


def test_a_figure_has_no_name_of_a_field(tmp_path: Path) -> None:
    section = write_tables(tmp_path, TABLE.replace("price", "workers"), CSV.replace("price", "workers"))
    issue = only_issue(tmp_path, section)
    assert issue.where.startswith(f"{tmp_path / 'mine' / 'f.csv'}, line 4")
    assert "also a field" in issue.found


def test_json_tables_need_no_yaml_of_their_own(tmp_path: Path) -> None:
    section = write_tables(tmp_path)
    before = modes_of(tmp_path, section)
    tree = YAML(typ="safe", pure=True).load(TABLE)
    (tmp_path / "mine" / "m.yaml").write_text(json.dumps(tree), encoding="utf-8")
    assert modes_of(tmp_path, section) == before


# ------------------------------------------------------------------------------------------------- planner tables


def test_written_tables_give_the_same_configuration(tmp_path: Path, bundled: LoadedConfig) -> None:
    result = planner("tables", "--out", tmp_path / "new" / "mine")
    assert result.exit_code == 0, result.output
    assert "modes.table" in result.output
    section = "\n  table: new/mine/modes.yaml\n  figures_table: new/mine/figures.csv\n" + CONSENT
    loaded = load(tmp_path, section)
    assert loaded.config.modes == bundled.config.modes
    assert loaded.where("modes", "choices", 0, "id").startswith(str(tmp_path / "new" / "mine" / "modes.yaml"))


def test_tables_are_not_replaced(tmp_path: Path) -> None:
    kept = tmp_path / "figures.csv"
    kept.write_text("mine", encoding="utf-8")
    result = planner("tables", "--out", tmp_path)
    assert result.exit_code == 2
    assert str(kept) in result.output.replace("\n", "")
    assert kept.read_text(encoding="utf-8") == "mine"
    assert not (tmp_path / "modes.yaml").exists()
    assert planner("tables", "--out", kept).exit_code == 2
