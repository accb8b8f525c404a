import hashlib
import re
from importlib import metadata, resources
from pathlib import Path

import folium
import pytest

from planner.labels import label_table
from planner.report import assets

REPOSITORY = Path(__file__).resolve().parents[3]


def test_every_asset_is_the_file_its_authors_published():
    for asset in assets.ASSETS:
        assert hashlib.sha256(assets.asset_bytes(asset.name)).hexdigest() == asset.sha256, asset.name


def test_leaflet_is_the_version_folium_is_written_for():
    names = dict(folium.Map.default_js) | dict(folium.Map.default_css)
    assert f"leaflet@{assets.LEAFLET_VERSION}/" in names["leaflet"]
    assert f"leaflet@{assets.LEAFLET_VERSION}/" in names["leaflet_css"]
    assert f'version="{assets.LEAFLET_VERSION}"' in assets.leaflet_script()


def test_package_is_pinned_to_the_version_the_page_is_made_for():
    requirements = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    assert f'"{assets.DISTRIBUTION}=={assets.DISTRIBUTION_VERSION}"' in requirements


def test_third_party_list_names_exactly_what_is_inlined():
    rows = re.findall(
        r"^\| `([^`]+)` \|[^|]+\| ([^ |]+) \| ([^ |]+) \|[^|]+\| ([^|]+) \|$",
        (REPOSITORY / "THIRD_PARTY.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    package = f"{assets.DISTRIBUTION} {assets.DISTRIBUTION_VERSION}"
    assert sorted(rows) == sorted((a.name, assets.LEAFLET_VERSION, a.licence, package) for a in assets.ASSETS)


def test_style_sheet_uses_every_listed_image_and_no_other():
    css = assets.asset_bytes("leaflet.css").decode("utf-8")
    images = {url for url in re.findall(r"url\(([^)]+)\)", css) if not url.startswith("#")}
    assert images == {a.name for a in assets.ASSETS if a.name.startswith("images/")}
    inlined = re.findall(r"url\(([^)]{0,30})", assets.leaflet_style())
    assert len(inlined) == len(images) + 1
    assert all(url.startswith(("data:image/png;base64,", "#default#VML")) for url in inlined)


def test_script_carries_its_licence_and_no_source_map():
    script = assets.leaflet_script()
    assert script.index("BSD 2-Clause License") < script.index("function")
    assert "THIS SOFTWARE IS PROVIDED" in script
    assert "sourceMappingURL" not in script


def test_no_script_can_end_its_element():
    for script in (assets.leaflet_script(), *assets.own_scripts()):
        assert "</script" not in script.lower()
        assert "<!--" not in script


def test_every_own_script_is_loaded():
    static = resources.files("planner.report") / "static"
    assert sorted(assets.SCRIPTS) == sorted(f.name for f in static.iterdir() if f.name.endswith(".js"))


def test_file_that_is_not_listed_is_refused():
    with pytest.raises(assets.AssetError, match="marker-shadow"):
        assets.asset_bytes("images/marker-shadow.png")


def test_other_version_is_refused_with_the_remedy(monkeypatch):
    class Other:
        version = "1.9.4.0"

    monkeypatch.setattr(metadata, "distribution", lambda name: Other())
    with pytest.raises(assets.AssetError, match=r"found 1\.9\.4\.0: install XStatic-Leaflet==1\.9\.3\.0"):
        assets.asset_bytes("leaflet.js")


def test_missing_package_is_named_with_the_remedy(monkeypatch):
    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", missing)
    with pytest.raises(assets.AssetError, match=r"install XStatic-Leaflet==1\.9\.3\.0"):
        assets.asset_bytes("leaflet.js")


def test_labels_used_by_the_scripts_all_exist():
    defined = set(label_table("map", "page")["en"])
    used = {key for script in assets.own_scripts() for key in re.findall(r"\bt\(\s*\"(\w+)\"", script)}
    prefixes = {key for key in used if key.endswith("_")}
    assert used - prefixes <= defined
    assert len(used) > 50
    for prefix in prefixes:
        assert any(key.startswith(prefix) for key in defined), prefix


def test_style_sheets_are_all_there_and_joined():
    style = assets.own_style()
    assert all((resources.files("planner.report") / "static" / name).is_file() for name in assets.STYLES)
    assert "#plan-timeline" in style
