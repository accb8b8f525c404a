import geopandas as gpd
import pandas as pd
import pytest

from planner.report.exports import blocks_geojson, gpkg_layers, parcels_geojson
from planner.tables import BLOCK_COLUMNS, PARCEL_COLUMNS
from tests.planner.report.plan_builders import CRS, grid_plan


@pytest.fixture(scope="module")
def plan():
    return grid_plan(columns=6, rows=6)


def test_geojson_layers_have_exactly_the_documented_columns(plan):
    parcels, blocks = parcels_geojson(plan), blocks_geojson(plan)
    assert list(parcels.columns) == [*PARCEL_COLUMNS, "geometry"]
    assert list(blocks.columns) == [*BLOCK_COLUMNS, "geometry"]
    assert len(parcels) == len(plan.parcels)
    assert len(blocks) == len(plan.blocks)
    assert parcels.crs == blocks.crs == CRS


def test_geojson_follows_the_geometry_column_whatever_its_name(plan):
    renamed = plan.__class__(**{**vars(plan), "parcels": plan.parcels.rename_geometry("shape")})
    assert parcels_geojson(renamed).geometry.name == "shape"


def test_phase_is_an_integer_or_missing(plan):
    phase = parcels_geojson(plan)["phase"]
    assert str(phase.dtype) == "Int64"
    assert phase.isna().any()
    assert set(phase.dropna()) <= {1, 2, 3}


def test_geopackage_has_all_layers_with_all_columns(plan):
    layers = gpkg_layers(plan)
    further = ["between", "overlays", "overlaps", "cut_links", "data_quality", "holdouts", "leftovers"]
    assert list(layers) == ["parcels", "blocks", "zones", "links", "barriers", "repair_log", *further]
    for name, layer in layers.items():
        assert isinstance(layer, gpd.GeoDataFrame)
        pd.testing.assert_frame_equal(pd.DataFrame(layer), pd.DataFrame(getattr(plan, name)))


def test_layers_are_copies(plan):
    for parcels in (gpkg_layers(plan)["parcels"], parcels_geojson(plan)):
        parcels["status"] = "changed"
    assert "changed" not in set(plan.parcels["status"])
