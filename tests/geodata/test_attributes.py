from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.attributes import get_column, map_fields, parcel_ids
from geodata.errors import DataError
from geodata.spec import FieldSpec


def one(values: Any, **spec: Any) -> pd.Series:
    """One column through one field called `name` (default ``x``)."""
    name = spec.pop("name", "x")
    column = values if isinstance(values, pd.Series) else pd.Series(values)
    frame = column.rename("c").to_frame()
    return map_fields(frame, {name: FieldSpec(column="c", **spec)}, "file")[0][name]


def shown(values: pd.Series) -> list[Any]:
    return [None if pd.isna(value) else value for value in values]


class TestNumbers:
    def test_units_are_converted_to_the_name(self) -> None:
        assert one([15.0, None], name="area_mu", unit="ha").tolist()[0] == 225.0
        assert shown(one(["2", "", " 3.5 "], name="tax_wan_yuan_per_mu", unit="yuan/m2")) == [
            pytest.approx(2 / 15),
            None,
            pytest.approx(3.5 / 15),
        ]

    def test_without_a_unit_the_column_is_in_that_of_the_name(self) -> None:
        assert shown(one(["7"], name="land_m2")) == [7.0]

    def test_money_without_a_unit_in_the_name_is_whole_currency(self) -> None:
        assert shown(one([2, 3], name="price", unit="wan_yuan")) == [20_000.0, 30_000.0]
        assert shown(one([2], name="price_million", unit="wan_yuan")) == [0.02]

    def test_dtypes(self) -> None:
        assert str(one([1, 2]).dtype) == "Float64"
        assert str(one(["a"]).dtype) == "string"
        assert str(one([True, False]).dtype) == "boolean"
        assert str(one([True, False], type="number").dtype) == "Float64"
        assert shown(one([1, 2], type="text")) == ["1", "2"]

    @pytest.mark.parametrize(
        ("values", "missing"),
        [
            ([0, 5], (0,)),
            ([0.0, 5.0], ("0",)),
            (["0", "5"], (0,)),
            (["0.0", "5"], (0,)),
            ([" 0 ", "5"], ("0",)),
            (["n/a", "5"], ("n/a",)),
            (["-", "5"], ("-", 0)),
            ([None, 5], ()),
            (["", "5"], ()),
            (["\u3000", "5"], ()),
            (pd.array([None, 5], dtype="Int64"), ()),
        ],
    )
    def test_unknown_is_never_zero(self, values: Any, missing: tuple[Any, ...]) -> None:
        assert shown(one(values, type="number", missing=missing)) == [None, 5.0]

    def test_zero_stays_zero_unless_declared(self) -> None:
        assert shown(one(["0", "0.0", "-1"], type="number")) == [0.0, 0.0, -1.0]

    @pytest.mark.parametrize(
        "text", ["1,234", "１２", "12 mu", "1_000", "inf", "nan", "0x1f", "1.2.3", "--1", "1e999", "⅓", "1 2", "true"]
    )
    def test_text_in_a_number_column_is_refused_with_its_row(self, text: str) -> None:
        with pytest.raises(DataError) as caught:
            one(["1", text, "3"], type="number")
        assert len(caught.value.issues) == 1
        issue = caught.value.issues[0]
        assert issue.where == "file, column c"
        assert f"row 2 {text!r}" in issue.found

    def test_infinite_and_nodata_numbers_are_refused_unless_declared(self) -> None:
        with pytest.raises(DataError, match="row 1 inf"):
            one([np.inf, 1.0])
        with pytest.raises(DataError, match="row 2"):
            one([1.0, -1.7976931348623157e308])
        assert shown(one([1.0, -1.7976931348623157e308], missing=(-1.7976931348623157e308,))) == [1.0, None]

    def test_first_five_and_a_count(self) -> None:
        with pytest.raises(DataError, match=r"row 1 'a', row 2 'a', row 3 'a', row 4 'a', row 5 'a' and 3 more"):
            one(["a"] * 8, type="number")

    @settings(max_examples=40, deadline=None)
    @given(st.lists(st.one_of(st.none(), st.floats(-1e15, 1e15)), min_size=1))
    def test_numbers_written_as_text_are_the_same_numbers(self, numbers: list[float | None]) -> None:
        texts = ["" if number is None else repr(number) for number in numbers]
        assert shown(one(texts, type="number")) == numbers


class TestTexts:
    def test_codes_keep_their_zeros_and_their_digits(self) -> None:
        assert shown(one(["007", " A-1 ", ""])) == ["007", "A-1", None]
        assert shown(one(pd.array([441900001, None], dtype="Int64"), type="text")) == ["441900001", None]
        assert shown(one([4.419e8, np.nan, 1.5], type="text")) == ["441900000", None, "1.5"]

    def test_floats_that_lost_digits_are_refused(self) -> None:
        with pytest.raises(DataError, match="last digits are gone: row 2"):
            one([1.0, 4.41900000000123e17], type="text")

    def test_missing_text_is_compared_as_text(self) -> None:
        assert shown(one(["00", "0", "x"], missing=(0, "x"))) == ["00", None, None]
        assert shown(one([0, 10], type="text", missing=(0,))) == [None, "10"]

    def test_dates_and_lists(self) -> None:
        assert shown(one([datetime.date(2007, 6, 6), None])) == ["2007-06-06", None]
        assert shown(one(pd.to_datetime(["2007-06-06 12:30", None]))) == ["2007-06-06T12:30:00", None]
        assert shown(one([[1, 2], {"a": "亩"}])) == ["[1, 2]", '{"a": "亩"}']
        assert shown(one(pd.Series(["a", None], dtype="category"))) == ["a", None]


class TestFields:
    def test_notes_count_what_was_done(self) -> None:
        frame = pd.DataFrame({"GROSS": ["100", "0", "", "50"], "USE": ["401", "", "402", "x"]})
        fields = {
            "gross_floor_area_m2": FieldSpec(column="GROSS", unit="ft2", missing=(0,)),
            "use_code": FieldSpec(column="USE", missing=("x",)),
        }
        mapped, notes = map_fields(frame, fields, "tax.csv")
        assert list(mapped.columns) == ["gross_floor_area_m2", "use_code"]
        area, use = notes
        assert (area.kind, area.source_unit, area.unit, area.factor) == ("number", "ft2", "m2", 0.09290304)
        assert (area.n_rows, area.n_missing, area.n_declared_missing) == (4, 2, 1)
        assert (use.kind, use.unit, use.n_missing, use.n_declared_missing) == ("text", None, 2, 1)
        assert list(frame["GROSS"]) == ["100", "0", "", "50"]

    def test_all_issues_are_gathered(self) -> None:
        frame = pd.DataFrame({"a": ["x"], "b": ["1"]})
        fields = {
            "n_m2": FieldSpec(column="a"),
            "none": FieldSpec(column="c"),
            "size": FieldSpec(column="b", unit="mu"),
            "length_m": FieldSpec(column="b", unit="mu"),
            "odd_m": FieldSpec(column="b", unit="acre"),
            "code": FieldSpec(column="b", unit="mu", type="text"),
        }
        with pytest.raises(DataError) as caught:
            map_fields(frame, fields, "file")
        texts = [str(issue) for issue in caught.value.issues]
        assert len(texts) == 6
        for text, part in zip(
            texts,
            ["row 1 'x'", "no column 'c'", "such as size_mu", "mu measures area", "'acre' is not known", "type text"],
            strict=True,
        ):
            assert part in text

    def test_ambiguous_column(self) -> None:
        with pytest.raises(DataError, match="2 columns called 'a'"):
            get_column(pd.DataFrame([[1, 2]], columns=["a", "a"]), "a", "file")


class TestIssues:
    def test_percentages_as_text_are_told_apart(self) -> None:
        with pytest.raises(DataError, match=r"row 1 '35%'.*35% is 0\.35"):
            one(["35%", "12.5％", "0.4"], type="number")
        with pytest.raises(DataError, match="missing"):
            one(["35%", "12 mu"], type="number")

    def test_negative_numbers_stay_and_are_counted(self) -> None:
        frame = pd.DataFrame({"tax": ["-5", "0", "", "3", "-9999"]})
        spec = FieldSpec(column="tax", missing=(-9999,))
        mapped, (note,) = map_fields(frame, {"tax_yuan": spec}, "file")
        assert shown(mapped["tax_yuan"]) == [-5.0, 0.0, None, 3.0, None]
        assert (note.n_negative, note.n_missing) == (1, 2)


class TestIds:
    @pytest.mark.parametrize(
        ("stored", "ids"),
        [
            (pd.Series([441900001, 441900002]), ["441900001", "441900002"]),
            (pd.Series([4.41900001e8, 4.41900002e8]), ["441900001", "441900002"]),
            (pd.Series(["441900001.0", " 2 "]), ["441900001", "2"]),
            (pd.Series(["007", "7"]), ["007", "7"]),
            (pd.Series(["12E3", "地块1"]), ["12E3", "地块1"]),
            (pd.Series([1.5, 2.0]), ["1.5", "2"]),
        ],
    )
    def test_ids_are_text(self, stored: pd.Series, ids: list[str]) -> None:
        index = parcel_ids(stored.rename("id").to_frame(), "id", "file")
        assert list(index) == ids
        assert index.name == "parcel_id"

    @pytest.mark.parametrize(
        ("stored", "match"),
        [
            (["a", "", None], "no id in row 2, row 3"),
            (["a", "b", " a"], "more than once: a"),
            ([1, 1, 2], "more than once: 1"),
            (["1", "1.0"], "more than once: 1"),
            (["4.419E+17", "5"], r"row 1 '4.419E\+17'"),
            ([4.419e17, 5.0], "digits are gone: row 1"),
            (["A1", "Ａ１", "B"], "only by spaces or full-width characters: row 1 'A1', row 2 'Ａ１'; expected"),
            (["村 1", "x", "村1"], "row 1 '村 1', row 3 '村1'"),
            (pd.array([16777217.0, 1.0], dtype="Float32"), "digits are gone: row 1"),
        ],
    )
    def test_bad_ids(self, stored: Any, match: str) -> None:
        with pytest.raises(DataError, match=match):
            parcel_ids(pd.DataFrame({"id": stored}), "id", "file")

    def test_missing_id_column_lists_those_there_are(self) -> None:
        with pytest.raises(DataError, match="there are: ML, LOT"):
            parcel_ids(pd.DataFrame({"ML": [], "LOT": []}), "id", "file")
