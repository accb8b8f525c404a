from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.credit_code import check_character, code_fault, tidy_code
from geodata.errors import CrsError, DataError
from geodata.firms import FirmResult, firm_fields
from geodata.spec_land import FirmsSpec
from tests.geodata.shapes import CRS, box, walls

MU = 10_000 / 15
CODES = [f"{head}{check_character(head)}" for head in (f"91440101MA5{k:06d}" for k in range(12))]
A, B, C, D = CODES[:4]


def land(**shapes: Any) -> gpd.GeoDataFrame:
    index = pd.Index(list(shapes), name="parcel_id", dtype="str")
    return gpd.GeoDataFrame(geometry=list(shapes.values()), index=index, crs=CRS)


PARCELS = land(p=box(0, 0, 10, 10), q=box(10, 0, 30, 10), r=box(40, 0, 10, 10))  # 100, 300, 100 m²
SUM = {"tax_yuan": {"column": "tax"}}


def table_spec(**more: Any) -> FirmsSpec:
    return FirmsSpec.model_validate(
        {"table": Path("firms.csv"), "id": "code", "parcel": "parcel", "fields": SUM} | more
    )


def point_spec(**more: Any) -> FirmsSpec:
    return FirmsSpec.model_validate({"path": Path("firms.gpkg"), "id": "code", "fields": SUM} | more)


def rows(*data: tuple[Any, ...], columns: tuple[str, ...] = ("code", "parcel", "tax")) -> pd.DataFrame:
    """As a table is read: all text, rows counted from 2."""
    cells = [["" if v is None else str(v) for v in row] for row in data]
    index = pd.RangeIndex(2, 2 + len(data), name="row")
    return pd.DataFrame(cells, columns=list(columns), index=index, dtype="str")


def points(*data: tuple[Any, ...]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {"code": [d[0] for d in data], "tax": [d[1] for d in data]}, geometry=[d[2] for d in data], crs=CRS
    )


def shown(result: FirmResult, field: str = "tax_yuan") -> list[float | None]:
    return [None if pd.isna(v) else float(v) for v in result.fields[field]]


def noted(result: FirmResult, words: str) -> tuple[str, ...]:
    found = [n for n in result.notes if words in n.what]
    assert len(found) == 1, [n.what for n in result.notes]
    assert found[0].count == len(found[0].items)
    return found[0].items


class TestCreditCode:
    @pytest.mark.parametrize(
        "code", ["914403001922038216", "9144030071526726XG", "91330100799655058B", "91350100M000100Y43"]
    )
    def test_codes_of_well_known_firms_are_sound(self, code: str) -> None:
        assert code_fault(code) is None

    def test_by_hand(self) -> None:
        """Only the second value counts: 1 · 3 = 3, and 31 − 3 = 28 is W."""
        assert check_character("0" + "1" + "0" * 15) == "W"
        assert check_character("0" * 17) == "0"

    @pytest.mark.parametrize(
        ("code", "fault"),
        [
            ("914403001922038217", "its check character is 6"),
            ("91440300192203821", "17 characters"),
            ("91440300I92203821O", "holds I, O"),
        ],
    )
    def test_faults(self, code: str, fault: str) -> None:
        assert fault in str(code_fault(code))

    @given(st.integers(0, 17), st.integers(1, 30))
    def test_every_single_wrong_character_is_found(self, at: int, by: int) -> None:
        alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
        wrong = alphabet[(alphabet.index(A[at]) + by) % 31]
        assert code_fault(A[:at] + wrong + A[at + 1 :]) is not None

    def test_full_width_and_small_letters(self) -> None:
        assert (
            tidy_code(" 9144030071526726xg ")
            == tidy_code("９１４４０３００７１５２６７２６ＸＧ")
            == "9144030071526726XG"
        )


class TestTable:
    def test_many_firms_on_one_parcel_and_one_on_many(self) -> None:
        result = firm_fields(PARCELS, rows((A, "p", 8), (B, "p、q", 100), (C, "q; p ;q", 4)), table_spec())
        assert shown(result) == [8 + 25 + 1, 75 + 3, None]
        assert noted(result, "on several parcels") == (B, C)
        assert noted(result, "several firms on one parcel") == ("p", "q")
        assert noted(result, "without a known firm") == ("r",)
        assert result.firms["share"].tolist() == [1.0, 0.25, 0.75, 0.25, 0.75]
        assert result.firms["how"].tolist() == ["table"] * 5

    def test_rows_of_one_code_are_one_firm(self) -> None:
        data = rows((A, "p", 40), (A.lower(), "q", 40), (A, "r", None))
        result = firm_fields(PARCELS, data, table_spec(fields=SUM | {"n_firms": {"agg": "count"}}))
        assert shown(result) == [8.0, 24.0, 8.0]
        assert shown(result, "n_firms") == [1, 1, 1]
        assert list(result.firms["credit_code"]) == [A, A, A]

    def test_figures_that_disagree_are_unknown_and_listed(self) -> None:
        result = firm_fields(PARCELS, rows((A, "p", 40), (A, "q", 41), (B, "p", 5)), table_spec())
        assert shown(result) == [5.0, None, None]
        assert noted(result, "disagree") == (A,)
        assert noted(result, "sum is partly unknown") == ("p",)
        assert noted(result, "sum is unknown") == ("q",)

    def test_unknown_and_negative_amounts(self) -> None:
        data = rows((A, "p", -3), (B, "p", None), (C, "q", "-"), (D, "r", 0))
        result = firm_fields(PARCELS, data, table_spec(fields={"tax_yuan": {"column": "tax", "missing": ["-"]}}))
        assert shown(result) == [-3.0, None, 0.0]
        assert noted(result, "negative tax") == (A,)
        assert noted(result, "whose tax is unknown") == (B, C)
        assert noted(result, "sum is partly unknown") == ("p",)

    def test_maxima_minima_counts_and_rates(self) -> None:
        fields = {
            "most_yuan": {"column": "tax", "agg": "max"},
            "least_yuan": {"column": "tax", "agg": "min"},
            "n_firms": {"agg": "count"},
            "n_firms_per_mu": {"agg": "count", "per_mu": True},
            "tax_yuan_per_mu": {"column": "tax", "unit": "wan_yuan", "per_mu": True},
        }
        result = firm_fields(PARCELS, rows((A, "p;q", 4), (B, "q", 6), (C, "q", None)), table_spec(fields=fields))
        assert shown(result, "most_yuan") == [4, 6, None]
        assert shown(result, "least_yuan") == [4, 4, None]
        assert shown(result, "n_firms") == [1, 3, 0]
        assert shown(result, "n_firms_per_mu") == pytest.approx([MU / 100, 3 * MU / 300, 0])
        expected = [1 * 1e4 / (100 / MU), 9 * 1e4 / (300 / MU)]
        assert shown(result, "tax_yuan_per_mu")[:2] == pytest.approx(expected)

    def test_only_firms_that_say_yes(self) -> None:
        fields = {
            "big_yuan": {"column": "tax", "where": "big"},
            "n_big": {"agg": "count", "where": "big"},
        }
        data = rows(
            (A, "p", 7, "是"),
            (B, "p", 9, "否"),
            (C, "q", 5, "no"),
            (D, "r", 5, None),
            columns=("code", "parcel", "tax", "big"),
        )
        result = firm_fields(PARCELS, data, table_spec(fields=fields))
        assert shown(result, "big_yuan") == [7.0, 0.0, None]
        assert shown(result, "n_big") == [1, 0, 0]
        unsure = [n for n in result.notes if "unknown whether they count" in n.what]
        assert [(n.source, n.items) for n in unsure] == [
            ("firms.csv → big_yuan", (D,)),
            ("firms.csv → n_big", (D,)),
        ]
        with pytest.raises(DataError, match="neither yes nor no: row 2 '大'"):
            firm_fields(
                PARCELS, rows((A, "p", 7, "大"), columns=("code", "parcel", "tax", "big")), table_spec(fields=fields)
            )

    def test_loose_ends_are_listed_and_kept(self) -> None:
        data = rows((A, "p;x", 8), (B, "x", 4), (None, "q", 2), (C, "", 1), ("9144", "r", 3))
        result = firm_fields(PARCELS, data, table_spec())
        assert shown(result) == [8.0, 2.0, 3.0]
        assert noted(result, "that no parcel has") == ("x",)
        assert noted(result, "rows without a parcel id") == ("row 5",)
        assert noted(result, "on no parcel: they count nowhere") == (B, C)
        assert noted(result, "fail their check") == ("9144 (4 characters instead of 18)",)
        assert noted(result, "without a credit code") == ("row 4",)
        balance = next(n.what for n in result.notes if "in all" in n.what)
        assert balance == "5 firms with 18 in all: 13 on parcels, 5 on none"
        loose = result.firms[result.firms["parcel_id"].isna()]
        assert list(loose["credit_code"]) == [B, C]

    def test_names(self) -> None:
        data = rows((A, "p", 1, "甲"), (A, "q", 1, "乙"), (B, "q", 1, None), columns=("code", "parcel", "tax", "name"))
        result = firm_fields(PARCELS, data, table_spec(name="name"))
        assert noted(result, "several names") == (A,)
        assert [None if pd.isna(v) else v for v in result.firms["name"]] == ["乙", "乙", None]

    @pytest.mark.parametrize(
        ("data", "more", "message"),
        [
            (rows((A, "p", "many")), {}, "text where numbers stand"),
            (rows((A, "x", 1)), {}, "no id that a parcel has: x"),
            (rows(("9.14403E+17", "p", 1)), {}, "last digits are gone"),
            (rows((A, "p", 1)), {"id": "uscc"}, "no column 'uscc'"),
            (rows((A, "p", 1)), {"fields": {"tax_wan_yuan_per_mu": {"column": "tax"}}}, "a sum of rates"),
            (rows((A, "p", 1)), {"fields": {"tax_yuan": {"column": "tax", "per_mu": True}}}, "ends in _per_mu"),
            (rows((A, "p", 1)), {"fields": {"tax_yuan": {"column": "tax", "unit": "ha"}}}, "unit ha"),
        ],
    )
    def test_refusals(self, data: pd.DataFrame, more: dict[str, Any], message: str) -> None:
        with pytest.raises(DataError, match=message):
            firm_fields(PARCELS, data, table_spec(**more))

    def test_all_that_is_wrong_is_said_at_once(self) -> None:
        with pytest.raises(DataError) as caught:
            firm_fields(PARCELS, rows((A, "x", "many")), table_spec(fields=SUM | {"b_yuan": {"column": "none"}}))
        assert len(caught.value.issues) == 3


class TestPoints:
    def test_inside_boundary_nearest_and_lost(self) -> None:
        firms = points(
            (A, 1.0, shapely.Point(5, 5)),
            (B, 2.0, shapely.Point(10, 5)),  # between p and q: p is first by id
            (C, 4.0, shapely.Point(52, 5)),
            (D, 8.0, shapely.Point(90, 5)),
            (CODES[5], 16.0, None),
        )
        result = firm_fields(PARCELS, firms, point_spec(nearest_m=2))
        assert shown(result) == [3.0, None, 4.0]
        assert noted(result, "boundary of several") == ("row 2",)
        assert noted(result, "the nearest within 2 m") == ("row 3",)
        assert noted(result, "nor within 2 m") == ("row 4",)
        assert noted(result, "without a point") == ("row 5",)
        assert result.firms["how"].dropna().tolist() == ["inside", "boundary", "nearest"]
        assert shown(firm_fields(PARCELS, firms, point_spec()))[2] is None

    def test_the_boundary_rule_does_not_depend_on_the_order_of_parcels(self) -> None:
        firms = points((A, 1.0, shapely.Point(10, 5)), (B, 1.0, shapely.Point(25, 12)))
        back = firm_fields(PARCELS.iloc[::-1], firms, point_spec(nearest_m=5))
        assert shown(back) == [None, 1.0, 1.0]

    def test_equally_near_parcels(self) -> None:
        apart = land(z=box(0, 0, 10, 10), a=box(12, 0, 10, 10))
        assert shown(firm_fields(apart, points((A, 1.0, shapely.Point(11, 5))), point_spec(nearest_m=1))) == [None, 1.0]

    def test_several_points_of_a_firm(self) -> None:
        spots = [shapely.Point(1, 1), shapely.Point(2, 2), shapely.Point(20, 5)]
        one = firm_fields(PARCELS, points((A, 8.0, shapely.MultiPoint(spots))), point_spec())
        many = firm_fields(PARCELS, points(*[(A, 8.0, spot) for spot in spots]), point_spec())
        assert shown(one) == shown(many) == [2.0, 6.0, None]

    def test_refusals(self) -> None:
        with pytest.raises(DataError, match="Polygon in row 1; expected points"):
            firm_fields(PARCELS, points((A, 1.0, box(0, 0, 1, 1))), point_spec())
        with pytest.raises(CrsError):
            firm_fields(PARCELS, points((A, 1.0, shapely.Point(0, 0))).to_crs(4326), point_spec())


AMOUNTS = st.one_of(st.none(), st.integers(-50, 50))


class TestProperties:
    @settings(max_examples=25, deadline=None)
    @given(
        walls(),
        st.lists(st.tuples(st.sampled_from(CODES), st.integers(-20, 200), st.integers(-20, 140), AMOUNTS), max_size=12),
        st.randoms(),
    )
    def test_parcels_add_up_to_the_firms_placed(
        self, shapes: list[Any], drawn: list[tuple[str, int, int, int | None]], random: Any
    ) -> None:
        parcels = land(**{f"p{k}": s for k, s in enumerate(shapes)})
        firms = points(*[(c, t, shapely.Point(500_000 + x, 2_500_000 + y)) for c, x, y, t in drawn])
        firms["tax"] = firms["tax"].astype("Float64")
        spec = point_spec(nearest_m=5, fields=SUM | {"n_firms": {"agg": "count"}})
        result = firm_fields(parcels, firms, spec)

        known: dict[str, set[int]] = {}
        for code, _, _, tax in drawn:
            known.setdefault(code, set()).update([] if tax is None else [tax])
        long = result.firms
        placed = set(long["credit_code"][long["parcel_id"].notna()])
        assert set(long["credit_code"]) == set(known)
        expected = sum(next(iter(taxes)) for code, taxes in known.items() if code in placed and len(taxes) == 1)
        assert result.fields["tax_yuan"].sum() == pytest.approx(expected, abs=1e-9)
        assert result.fields["n_firms"].sum() == long["parcel_id"].notna().sum()
        on = long.dropna(subset=["parcel_id"]).groupby("credit_code")["share"].sum()
        np.testing.assert_allclose(on.astype(float), 1.0)

        order = list(range(len(firms)))
        random.shuffle(order)
        other = firm_fields(parcels, firms.iloc[order].reset_index(drop=True), spec)
        pd.testing.assert_frame_equal(result.firms, other.firms)
        pd.testing.assert_frame_equal(result.fields, other.fields)
