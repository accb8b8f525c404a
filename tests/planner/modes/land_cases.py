"""Small sets of modes for tests on consent, space and firms, made by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from planner.modes.figures import figure_fields
from planner.modes.terms import Timetable
from planner.spec_modes import MILESTONES, ModesSpec


def modes_of(*choices: dict[str, Any], figures: dict[str, float] | None = None, **sections: Any) -> ModesSpec:
    """Modes a, b, … with a plot ratio of 2 unless said otherwise."""
    usual = {"name_zh": "模式", "name_en": "Mode", "months": {"demolished": 6, "built": 24}, "far": 2.0}
    return ModesSpec.model_validate(
        {
            "figures": {n: {"value": v, "source": "test", "date": "2024"} for n, v in (figures or {}).items()},
            "choices": [usual | {"id": "abcd"[k]} | mode for k, mode in enumerate(choices)],
            **sections,
        }
    )


def times(modes: ModesSpec, *ends: float) -> Timetable:
    """Phases that end at these times, each launched when the one before ends; the first at 0."""
    months = [[0.0, *(float(m.months.get(step, np.nan)) for step in MILESTONES[1:])] for m in modes.choices]
    return Timetable(tuple(m.id for m in modes.choices), np.array([0.0, *ends[:-1]]), np.array(ends), np.array(months))


def land(modes: ModesSpec | None = None, **columns: list[Any]) -> pd.DataFrame:
    """Fields of parcels p000, p001, … of 15 mu (1 ha) unless `area_mu` is given, with the figures of the modes."""
    n = len(next(iter(columns.values())))
    ids = pd.Index([f"p{i:03d}" for i in range(n)], name="parcel_id")
    fields = pd.DataFrame({"area_mu": [15.0] * n} | columns, index=ids)
    return fields if modes is None else figure_fields(fields, modes.figures)
