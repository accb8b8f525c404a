"""The ledger of areas, by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from planner.area_ledger import LEDGER, area_ledger


def _parcels() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "status": ["selected", "selected", "selected", "eligible"],
            "block_id": ["P1-01", "P1-01", "P2-01", None],
            "phase": pd.array([1, 1, 2, None], dtype="Int64"),
            "area_mu": [10.0, 20.0, 40.0, 80.0],
            "between_mu": [1.0, 0.0, 3.0, 5.0],
            "boundary_mu": [11.0, 20.0, 43.0, 85.0],
            "ellipsoidal_mu": [10.01, 20.02, 40.04, 80.08],
            "footprint_m2": [2000 / 3, 0.0, 4000 / 3, 9.0],
            "cleared_mu": [11.0, 20.0, np.nan, 85.0],
            "accepted_mu": [10.0, 19.0, 41.0, 80.0],
            "title_mu": [9.0, np.nan, 41.0, 80.0],
        }
    )


def test_blocks_phases_and_the_plan_add_up() -> None:
    rows = area_ledger(_parcels(), None)
    assert [(r["phase"], r["block_id"]) for r in rows] == [
        (1, "P1-01"), (2, "P2-01"), (1, None), (2, None), (None, None),
    ]  # fmt: skip
    first, second, _, _, whole = rows
    assert (first["net_mu"], first["boundary_mu"], first["between_mu"]) == (30.0, 31.0, 1.0)
    assert first["footprint_mu"] == pytest.approx(1.0)
    assert whole["net_mu"] == first["net_mu"] + second["net_mu"] == 70.0
    assert whole["accepted_mu"] == 70.0


def test_a_sum_over_unknown_figures_is_unknown() -> None:
    first, second, *_, whole = area_ledger(_parcels(), "title_mu")
    assert first["cleared_mu"] == 31.0
    assert second["cleared_mu"] is None
    assert whole["cleared_mu"] is None
    assert first["certificate_mu"] is None
    assert (first["unknown"], second["unknown"], whole["unknown"]) == (1, 1, 2)


def test_areas_that_nobody_gave_are_not_counted_as_unknown() -> None:
    parcels = _parcels().drop(columns=["footprint_m2", "cleared_mu"])
    for row in area_ledger(parcels, None):
        assert row["footprint_mu"] is None
        assert row["unknown"] == 0
    assert next(iter(LEDGER)) == "net_mu"
