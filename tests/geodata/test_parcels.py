from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
from shapely.geometry import box

from geodata.errors import CrsError, DataError
from geodata.parcels import RawParcels, parcels_from_frame, read_parcels
from geodata.spec import FieldSpec, KeySpec, ParcelsSpec, SyntheticSpec, TableFieldSpec, TableSpec


def shown(values: pd.Series) -> list[Any]:
    return [None if pd.isna(value) else value for value in values]


def land(n: int = 3, crs: int | None = 4547) -> gpd.GeoDataFrame:
    boxes = [box(500_000 + 100 * i, 2_520_000, 500_090 + 100 * i, 2_520_080) for i in range(n)]
    data = {"code": [f"P{i}" for i in range(n)], "key": [f"k{i}" for i in range(n)], "yield": ["1", "", "3"][:n]}
    return gpd.GeoDataFrame(data, geometry=boxes, crs=crs)


def spec_of(**more: Any) -> ParcelsSpec:
    return ParcelsSpec(synthetic=SyntheticSpec(case="fabric"), id="code", **more)


class TestParcels:
    def test_fields_of_layer_and_tables_in_order(self, tmp_path: Path) -> None:
        (tmp_path / "t.csv").write_text("key,tax,name\nk0,5,x\nk0,6,y\nk9,1,z\n", encoding="utf-8")
        table = TableSpec(
            path=tmp_path / "t.csv",
            key=KeySpec(parcels="key", table="key"),
            fields={"tax_wan_yuan": TableFieldSpec(column="tax", agg="sum"), "firm": TableFieldSpec(column="name")},
        )
        frame = land()
        raw = parcels_from_frame(frame, spec_of(fields={"yield_yuan": FieldSpec(column="yield")}), [table])
        assert list(raw.gdf.columns) == ["yield_yuan", "tax_wan_yuan", "firm", "geometry"]
        assert raw.gdf.index.tolist() == ["P0", "P1", "P2"]
        assert raw.gdf.index.name == "parcel_id"
        assert raw.gdf.crs == frame.crs
        assert shown(raw.gdf["tax_wan_yuan"]) == [11.0, None, None]
        assert shown(raw.gdf["yield_yuan"]) == [1.0, None, 3.0]
        assert [note.field for note in raw.notes] == ["yield_yuan", "tax_wan_yuan", "firm"]
        assert raw.join_reports[0].keys_without_parcel == ("k9",)
        assert raw.input_files == (tmp_path / "t.csv",)
        assert list(frame.columns) == ["code", "key", "yield", "geometry"]

    def test_names_that_collide(self, tmp_path: Path) -> None:
        table = TableSpec(
            path=tmp_path / "none.csv",
            key=KeySpec(parcels="key", table="key"),
            fields={"tax": TableFieldSpec(column="tax"), "zone": TableFieldSpec(column="tax")},
        )
        fields = {"tax": FieldSpec(column="yield", type="number"), "area_mu": FieldSpec(column="yield")}
        with pytest.raises(DataError) as caught:
            parcels_from_frame(land(), spec_of(fields=fields), [table])
        text = str(caught.value)
        for part in ("field area_mu: found a name that the plan", "field zone", "2 fields of this name", "no file"):
            assert part in text

    def test_ids_and_fields_are_reported_together(self) -> None:
        frame = land().assign(code=["P0", "P0", ""])
        with pytest.raises(DataError) as caught:
            parcels_from_frame(frame, spec_of(fields={"far": FieldSpec(column="no")}))
        assert len(caught.value.issues) == 3

    def test_a_named_index_can_be_the_id(self) -> None:
        assert list(parcels_from_frame(land().set_index("code"), spec_of()).gdf.index) == ["P0", "P1", "P2"]

    def test_points_are_no_parcels_and_crs_is_needed(self) -> None:
        points = land().set_geometry(land().centroid)
        with pytest.raises(DataError, match="no polygon, only Point"):
            parcels_from_frame(points, spec_of())
        with pytest.raises(CrsError, match="no CRS"):
            parcels_from_frame(land(crs=None), spec_of())


@pytest.fixture(scope="module")
def cambridge(shared_data: Callable[[str], Path]) -> RawParcels:
    folder = shared_data("cambridge_fy13")
    spec = ParcelsSpec(
        path=folder / "ASSESSING_ParcelsFY2013.topojson",
        crs="EPSG:4326",
        id="id",
        fields={"map_lot": FieldSpec(column="ML")},
    )
    value = "TotalAppraisedParcelValue"
    tax = TableSpec(
        path=folder / "TaxFY13.csv",
        key=KeySpec(parcels="ML", table="ML"),
        fields={
            "use_code": TableFieldSpec(column="UseCode", agg="value_of_max", by=value),
            "gross_floor_area_m2": TableFieldSpec(column="GrossArea", unit="ft2", missing=(0,), agg="sum"),
            "total_value": TableFieldSpec(column=value, agg="sum"),
            "year_built": TableFieldSpec(column="AYBYrBuilt", missing=(0,), agg="max"),
        },
    )
    return read_parcels(spec, [tax])


class TestCambridge:
    def test_every_parcel_arrives_once(self, cambridge: RawParcels) -> None:
        assert len(cambridge.gdf) == 13_159
        assert cambridge.gdf.index.is_unique
        assert cambridge.gdf["map_lot"].nunique() < len(cambridge.gdf)

    def test_the_report_accounts_for_every_row_and_parcel(self, cambridge: RawParcels) -> None:
        report = cambridge.join_reports[0]
        assert report.max_rows_per_parcel == 438
        parts = (report.parcels_without_key, report.parcels_without_row)
        assert report.n_parcels_matched + sum(len(part) for part in parts) == len(cambridge.gdf)
        assert report.n_rows_matched + report.n_rows_without_key < report.n_rows
        assert len(report.parcels_sharing_key) > 0

    def test_totals_reconcile_with_the_file(self, cambridge: RawParcels, shared_data: Callable[[str], Path]) -> None:
        table = pd.read_csv(shared_data("cambridge_fy13/TaxFY13.csv"), dtype={"ML": "str", "UseCode": "str"})
        table["ML"] = table["ML"].str.strip()
        lots = cambridge.gdf["map_lot"]
        once = lots.drop_duplicates().dropna()
        matched = table[table["ML"].isin(once)]
        ours = cambridge.gdf.loc[once.index]
        assert ours["total_value"].sum() == pytest.approx(matched["TotalAppraisedParcelValue"].sum(), rel=1e-12)
        assert ours["gross_floor_area_m2"].sum() == pytest.approx(matched["GrossArea"].sum() * 0.09290304, rel=1e-9)
        assert ours["year_built"].min() > 0

    def test_industrial_parcels_by_their_largest_account(self, cambridge: RawParcels) -> None:
        industrial = cambridge.gdf["use_code"].str.startswith("4").fillna(False)
        assert 140 <= industrial.sum() <= 175  # the data's own notes count 157
