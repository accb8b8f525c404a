from planner.report.compare.settings import Setting, Value, differing
from tests.planner.report.compare.builders import settings

CRITERION = {"direction": "low", "normalise": {"method": "rank"}}


def found(*configs):
    return {setting.key: setting.values for setting in differing(configs)}


def text(value):
    return Value("text", value)


def test_only_settings_that_differ_are_told():
    assert differing([settings(), settings(), settings()]) == ()
    changed = settings(optimise__block__min_mu=40.5)
    assert differing([settings(), changed]) == (Setting("optimise.block.min_mu", (text("20"), text("40.5"))),)


def test_how_results_are_shown_and_notes_are_no_settings():
    assert found(settings(), settings(report__title="x", project__note="y")) == {}


def test_named_entries_of_lists_are_compared_by_name():
    both = [{"name": "tax", "value": "tax", **CRITERION}, {"name": "size", "value": "area_mu", **CRITERION}]
    one, two = settings(scoring__criteria=both[:1]), settings(scoring__criteria=both)
    values = found(one, two)["scoring.criteria.[size]"]
    assert values[0] == Value("absent")
    assert values[1].kind == "section"


def test_order_alone_is_a_difference():
    both = [{"name": "tax", "value": "tax", **CRITERION}, {"name": "size", "value": "area_mu", **CRITERION}]
    values = found(settings(scoring__criteria=both), settings(scoring__criteria=both[::-1]))
    assert set(values) == {"scoring.criteria"}


def test_a_section_that_one_plan_lacks_is_one_line():
    values = found(settings(), settings(optimise__cost=None))
    assert values == {"optimise.cost": (Value("section", count=3), Value("none"))}


def test_lists_tell_what_is_not_in_all():
    ids = [f"p{k:02d}" for k in range(14)]
    values = found(settings(optimise__locks__out=ids[:2]), settings(optimise__locks__out=ids))["optimise.locks.out"]
    assert values[0] == Value("list", "", 2)
    assert values[1] == Value("list", ", ".join(ids[2:12]), 14, 2)


def test_folders_of_the_machine_are_left_out_of_paths():
    values = found(settings(parcels__path="/home/li/a/land.gpkg"), settings(parcels__path="/home/li/b/land.gpkg"))
    assert values == {"parcels.path": (text("a/land.gpkg"), text("b/land.gpkg"))}
    values = found(settings(parcels__path="/home/li/a/x.gpkg"), settings(parcels__path="/home/li/b/y.gpkg"))
    assert values == {"parcels.path": (text("x.gpkg"), text("y.gpkg"))}


def test_remarks_and_secret_coordinates_are_told_to_differ_and_no_more():
    near = {"to": "EPSG:4547", "dx_m": 123.25, "dy_m": 7.5}
    first = settings(optimise__locks__notes={"p1": "Mr Li refuses"}, parcels__similarity=near)
    second = settings(optimise__locks__notes={}, parcels__similarity=near | {"dx_m": 99.0})
    told = str(differing([first, second]))
    assert "optimise.locks.notes" in told
    assert "parcels.similarity" in told
    assert not any(secret in told for secret in ("Li", "123.25", "99"))
