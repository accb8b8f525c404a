from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.errors import DataError
from geodata.join import JoinReport, join_table
from geodata.spec import KeySpec, TableFieldSpec, TableSpec

KEYS = st.sampled_from(["a", "b", "c", "d", "e"])
VALUES = st.one_of(st.none(), st.integers(-1000, 1000))


def shown(values: pd.Series) -> list[Any]:
    return [None if pd.isna(value) else value for value in values]


def table_of(rows: list[tuple[str, Any]], **more: list[Any]) -> pd.DataFrame:
    data = {"key": [key for key, _ in rows], "v": ["" if v is None else str(v) for _, v in rows], **more}
    return pd.DataFrame(data, index=pd.RangeIndex(2, 2 + len(rows), name="row"))


def join(
    parcels: dict[str, str | None], table: pd.DataFrame, **fields: TableFieldSpec
) -> tuple[pd.DataFrame, JoinReport]:
    spec = TableSpec(path=Path("t.csv"), key=KeySpec(parcels="K", table="key"), fields=fields)
    keys = pd.Series(list(parcels.values()), index=pd.Index(list(parcels), name="parcel_id"), name="K")
    return join_table(keys, table, spec, "t.csv")


def agg(rule: str, **more: Any) -> TableFieldSpec:
    return TableFieldSpec(column="v", agg=rule, **more)


class TestJoin:
    TABLE: ClassVar[pd.DataFrame] = table_of(
        [("a", 5), ("a", None), ("b", 7), ("a", 3), ("z", 9), ("", 1)], by=["1", "9", "2", "9", "1", "1"]
    )
    PARCELS: ClassVar[dict[str, str | None]] = {"P1": "a", "P2": "b", "P3": "c", "P4": None, "P5": "a"}

    @pytest.mark.parametrize(
        ("spec", "values"),
        [
            (agg("sum"), [8.0, 7.0, None, None, 8.0]),
            (agg("max"), [5.0, 7.0, None, None, 5.0]),
            (agg("min"), [3.0, 7.0, None, None, 3.0]),
            (agg("count"), [3.0, 1.0, None, None, 3.0]),
            (agg("first"), ["5", "7", None, None, "5"]),
            (agg("first", type="number"), [5.0, 7.0, None, None, 5.0]),
            (agg("value_of_max", by="by"), [None, "7", None, None, None]),
        ],
    )
    def test_rules(self, spec: TableFieldSpec, values: list[Any]) -> None:
        fields, _ = join(self.PARCELS, self.TABLE, x=spec)
        assert shown(fields["x"]) == values
        assert list(fields.index) == list(self.PARCELS)

    def test_report(self) -> None:
        _, report = join(self.PARCELS, self.TABLE, total=agg("sum"), code=agg("value_of_max", by="by"))
        assert (report.n_rows, report.n_rows_without_key, report.n_rows_matched) == (6, 1, 4)
        assert report.keys_without_parcel == ("z",)
        assert report.n_parcels_matched == 3
        assert report.parcels_without_row == ("P3",)
        assert report.parcels_without_key == ("P4",)
        assert report.parcels_sharing_key == ("P1", "P5")
        assert (report.n_parcels_with_several_rows, report.max_rows_per_parcel) == (2, 3)
        assert report.partly_unknown_sums == {"total": ("P1", "P5")}
        assert report.ties == {"code": ("P1", "P5")}
        assert [note.field for note in report.notes] == ["total", "code"]

    def test_ties_that_agree_are_no_ties(self) -> None:
        table = table_of([("a", 1), ("a", 1), ("b", 1), ("b", 2)], by=["5", "5", "5", "5"])
        fields, report = join({"P": "a", "Q": "b"}, table, x=agg("value_of_max", by="by"))
        assert shown(fields["x"]) == ["1", "1"]
        assert report.ties == {"x": ("Q",)}

    def test_keys_are_compared_as_stripped_text(self) -> None:
        table = table_of([(" 441900001 ", 1), ("7.0", 2), ("007", 3)])
        keys = {"P": 441900001.0, "Q": 7.0, "R": 8.0}
        fields, report = join(keys, table, x=agg("first"))  # type: ignore[arg-type]
        assert shown(fields["x"]) == ["1", "2", None]
        assert report.keys_without_parcel == ("007",)

    def test_keys_that_only_look_like_one_are_told(self) -> None:
        table = table_of([("A1", 1), ("Ａ２", 2), ("A 3", 3), ("合计", 6)])
        fields, report = join({"P": "A1", "Q": "A2", "R": "A3"}, table, x=agg("sum"))
        assert shown(fields["x"]) == [1.0, None, None]
        assert report.keys_without_parcel == ("Ａ２", "A 3", "合计")
        assert report.lookalike_keys == ("Ａ２", "A 3")

    def test_declared_missing_and_units_count_before_the_sum(self) -> None:
        fields, _ = join({"P": "a"}, table_of([("a", 0), ("a", 100)]), x_m2=agg("max", unit="ft2", missing=(0,)))
        assert shown(fields["x_m2"]) == [pytest.approx(9.290304)]
        fields, _ = join({"P": "a"}, table_of([("a", 0)]), x_m2=agg("sum", missing=(0,)))
        assert shown(fields["x_m2"]) == [None]

    @pytest.mark.parametrize(
        ("table", "field", "match"),
        [
            (table_of([("a", "1,5")]), agg("sum"), r"column v: found text .* row 2 '1,5'"),
            (table_of([("a", 1)]), agg("sum", type="text"), "agg sum of text"),
            (table_of([("a", 1)], by=["x"]), agg("value_of_max", by="by"), r"column by.* row 2 'x'"),
            (table_of([("a", 1)]), agg("value_of_max", by="no"), "no column 'no'"),
            (table_of([("4.4E+17", 1)]), agg("sum"), r"row 2 '4.4E\+17'"),
            (table_of([("q", 1), ("r", 1)]), agg("sum"), r"keys of the table: q, r; keys of the parcels \(K\): a"),
        ],
    )
    def test_refusals(self, table: pd.DataFrame, field: TableFieldSpec, match: str) -> None:
        with pytest.raises(DataError, match=match):
            join({"P": "a"}, table, x=field)

    @settings(max_examples=40, deadline=None)
    @given(rows=st.lists(st.tuples(KEYS, VALUES), min_size=1), keys=st.sets(KEYS, min_size=1))
    def test_totals_reconcile_when_keys_are_unique(self, rows: list[tuple[str, Any]], keys: set[str]) -> None:
        table = table_of([*rows, ("must", 0)])
        parcels: dict[str, str | None] = {f"P{key}": key for key in sorted(keys)} | {"P": "must"}
        fields, report = join(parcels, table, total=agg("sum"), n=agg("count"))
        matched = [(key, value) for key, value in rows if key in keys]
        assert fields["total"].sum() == sum(value for _, value in matched if value is not None)
        assert fields["n"].sum() == len(matched) + 1 == report.n_rows_matched
        unmatched = {key for key, _ in rows} - keys
        assert set(report.keys_without_parcel) == unmatched
        assert report.n_parcels_matched + len(report.parcels_without_row) == len(parcels)

    @settings(max_examples=40, deadline=None)
    @given(rows=st.lists(st.tuples(KEYS, VALUES), min_size=1), data=st.data())
    def test_rules_agree_with_plain_python(self, rows: list[tuple[str, Any]], data: st.DataObject) -> None:
        by = data.draw(st.lists(st.integers(0, 3), min_size=len(rows), max_size=len(rows)))
        rules = {rule: agg(rule) for rule in ("sum", "max", "min", "count")}
        rules |= {"first": agg("first", type="number"), "top": agg("value_of_max", by="by", type="number")}
        table = table_of(rows, by=[str(b) for b in by])
        fields, _ = join({f"P{key}": key for key, _ in rows}, table, **rules)
        for key in {key for key, _ in rows}:
            group = [(value, b) for (k, value), b in zip(rows, by, strict=True) if k == key]
            known = [value for value, _ in group if value is not None]
            top = max(group, key=lambda pair: pair[1])[0]
            expected = [sum(known), max(known), min(known)] if known else [None] * 3
            row = shown(fields.loc[f"P{key}"])
            assert row == [*expected, len(group), known[0] if known else None, top]

    @settings(max_examples=40, deadline=None)
    @given(rows=st.lists(st.tuples(KEYS, VALUES), min_size=1, max_size=12), seed=st.randoms())
    def test_order_of_rows_does_not_change_a_sum(self, rows: list[tuple[str, Any]], seed: Any) -> None:
        shuffled = list(rows)
        seed.shuffle(shuffled)
        parcels = {f"P{key}": key for key in sorted({key for key, _ in rows})}
        a, _ = join(parcels, table_of(rows), x=agg("sum"))
        b, _ = join(parcels, table_of(shuffled), x=agg("sum"))
        assert shown(a["x"]) == shown(b["x"])
