"""Small sets of modes for tests on money, made by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from planner.modes.figures import figure_fields
from planner.modes.lines import money_lines
from planner.modes.terms import Lines, MoneyLine, Timetable
from planner.problem import Floats
from planner.spec_modes import MILESTONES, LineSpec, ModesSpec

STEPS = {"signed": 6.0, "demolished": 12.0, "levelled": 18.0, "supplied": 24.0, "built": 48.0}


def modes_of(*lines: dict[str, Any], limits: tuple[dict[str, Any], ...] = (), **figures: float) -> ModesSpec:
    """One mode with these payments."""
    return ModesSpec.model_validate(
        {
            "figures": {n: {"value": v, "source": "test", "date": "2024"} for n, v in figures.items()},
            "choices": [
                {"id": "buy", "name_zh": "收储", "name_en": "Buy", "months": STEPS, "far": 2.0, "lines": list(lines)}
            ],
            "limits": list(limits),
        }
    )


def pay(name: str, payer: str, payee: str, **more: Any) -> dict[str, Any]:
    """A payment, booked as compensation by the payer and as a grant by the payee."""
    booked = {} if payer == "outside" else {"outlay": "land_compensation"}
    booked |= {} if payee == "outside" else {"income": "grant"}
    return (
        {"name": name, "payer": payer, "payee": payee} | booked | ({} if "start" in more else {"at": "signed"}) | more
    )


def times(years: tuple[int, ...] = (1, 2), modes: int = 1, **months: float) -> Timetable:
    """Phases that end with these years and are launched when the one before ends."""
    row = [0.0, *((STEPS | months).get(m, np.nan) for m in MILESTONES[1:])]
    ends = np.array(years, dtype=np.float64)
    begins = np.concatenate([[ends[0] - 1.0], ends[:-1]])
    return Timetable(tuple(f"mode{m}" for m in range(modes)), begins, ends, np.array([row] * modes))


def frame(**columns: list[Any]) -> pd.DataFrame:
    n = len(next(iter(columns.values())))
    return pd.DataFrame(columns, index=pd.Index([f"p{i + 1}" for i in range(n)], name="parcel_id"))


def priced(modes: ModesSpec, timetable: Timetable, fields: pd.DataFrame, floor: Floats | None = None) -> Lines:
    """Payments of the modes; 100 m² of new floor and 1 mu of net land everywhere unless given."""
    shape = (len(fields), len(modes.choices))
    floor = np.full(shape, 100.0) if floor is None else floor
    return money_lines(modes, figure_fields(fields, modes.figures), timetable, floor, np.ones(shape))


def line(amounts: list[float], first: float, last: float, **more: Any) -> MoneyLine:
    """A payment by parcel, ready made."""
    spec = LineSpec.model_validate(pay("x", "town", "owner", amount="1") | more)
    return MoneyLine(spec, np.array(amounts, dtype=np.float64), first, last)
