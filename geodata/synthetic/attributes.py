"""What a planner's parcel file says about each parcel: drawn, correlated, some of it missing, some of it wrong.

Distributions are those of village industrial parks in the Pearl River Delta: partly published figures, partly
judgement. Money is in 万元 (10 000 yuan) and areas are in mu or m² as the column names say.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geodata.synthetic.land import PARCEL_ID
from geodata.units import M2_PER_MU

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

INDUSTRY: Final = "工业"
LOGISTICS: Final = "仓储物流"
IDLE: Final = "空置厂房"
HOUSING: Final = "住宅"
HALL: Final = "祠堂"
SHOPS: Final = "商业"
REMNANT: Final = "边角地"
VACANT: Final = "未建设用地"
WORKING_USES: Final = (INDUSTRY, LOGISTICS, IDLE)

COLUMNS: Final = (
    PARCEL_ID,
    "地名",
    "村(社区)",
    "村民小组",
    "用地现状",
    "权属",
    "证载面积_亩",
    "建筑类型",
    "建筑面积_m2",
    "容积率",
    "建成年份",
    "亩均税收_万元",
    "亩均产值_万元",
    "手续",
    "确权比例",
    "可动工年",
    "租约到期年",
    "入库",
    "签约率",
    "意愿",
    "权利人数",
    "企业数",
    "规上企业数",
    "环保安全否决",
    "拆迁补偿_万元",
)
"""Columns of the generated parcel file, before the geometry."""

_RATE_YUAN_PER_M2: Final = {"铁皮厂房": 450.0, "砖混厂房": 800.0, "框架厂房": 1500.0, "砖混住宅": 800.0, "无": 0.0}
_MOVING_YUAN_PER_M2 = 150.0
_DECANTING_YUAN_PER_M2 = 12.0 * 12
_UNPAPERED_FACTOR = 0.5


def attributes(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Draw all attributes.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per parcel: ``area_mu``, ``village``, ``group``, ``place`` (or None), ``use``, ``ready_year`` (year
        by which papers and leases of the estate are settled), ``lease_cap_year`` (last year a lease can end),
        ``designated`` (in an area designated as low-efficient: no star performers), ``good_firm``. Optional:
        ``shed_share`` (buildings that are sheds; Dongguan's mix else), ``full_papers_share`` (parcels whose papers are
        complete before the estate's year; 0.30 else).
    rng : numpy.random.Generator

    Returns
    -------
    pandas.DataFrame
        `COLUMNS`, same index.
    """
    out = pd.DataFrame(index=frame.index)
    state = rng.random(len(frame)) < 0.30
    out[PARCEL_ID] = _codes(frame, state)
    out["地名"] = frame["place"]
    out["村(社区)"] = frame["village"]
    out["村民小组"] = frame["group"]
    out["用地现状"] = frame["use"]
    out["权属"] = np.where(state, "国有", "集体")
    for part in (_buildings, _yields, _papers, _people):
        out = out.join(part(frame, rng))
    out["证载面积_亩"] = _certificates(frame, out["手续"], rng)
    out["拆迁补偿_万元"] = _compensation(out, rng)
    out["容积率"] = _with_wrong_ratios(frame, out["容积率"], rng)
    return out[list(COLUMNS)]


def _working(frame: pd.DataFrame) -> Bools:
    return np.asarray(frame["use"].isin(WORKING_USES), dtype=np.bool_)


def _codes(frame: pd.DataFrame, state: Bools) -> list[str]:
    """Parcel codes like the cadastre's: county, two districts, GB (state) or JC (collective), serial."""
    village = pd.factorize(frame["village"])[0]
    serial = frame.groupby("village", sort=False).cumcount() + 1
    right = np.where(state, "GB", "JC")
    return [
        f"441900{118 + v // 900:03d}{1 + v % 900:03d}{r}{i:05d}"
        for v, r, i in zip(village.tolist(), right.tolist(), serial.tolist(), strict=True)
    ]


def _buildings(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Type, floor area, FAR and year: sheds, low and high concrete in Dongguan's mix; 6 % of years unknown (0)."""
    n = len(frame)
    designated = frame["designated"].to_numpy(dtype=np.bool_)
    draw = rng.random(n)
    mix = np.where(designated, 0.55, 0.45)
    shed = draw < (frame["shed_share"].to_numpy() if "shed_share" in frame else mix)
    low = ~shed & (draw < np.where(designated, 0.95, 0.85))
    floors = np.where(shed, 1, np.where(low, rng.integers(2, 4, n), rng.integers(4, 7, n)))
    density = np.where(shed, rng.normal(0.55, 0.12, n), np.where(low, 0.40, 0.38) + rng.normal(0, 0.05, n))
    kind = np.where(shed, "铁皮厂房", np.where(low, "砖混厂房", "框架厂房"))
    use = frame["use"].to_numpy()
    homes = np.isin(use, [HOUSING, HALL, SHOPS])
    floors = np.where(homes, np.where(use == HALL, 1, rng.integers(2, 6, n)), floors)
    kind = np.where(homes, "砖混住宅", np.where(use == REMNANT, "无", kind))
    density = np.where(use == REMNANT, 0.0, np.clip(density, 0.15, 0.85))
    far = density * floors
    year = np.floor(rng.triangular(1985, 1998, 2013, n) + np.where(low | homes, 1, np.where(shed, 0, 3)))
    unknown = (rng.random(n) < 0.06) | (use == REMNANT)
    return pd.DataFrame(
        {
            "建筑类型": kind,
            "建筑面积_m2": np.round(far * frame["area_mu"].to_numpy() * M2_PER_MU, 1),
            "容积率": np.round(far, 2),
            "建成年份": np.where(unknown, 0, year).astype(np.int64),
        },
        index=frame.index,
    )


def _yields(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Tax and output per mu, lognormal, correlation 0.7 of their logarithms.

    3 % good firms at 20-60 万元; 12 % of tax missing, 8 % zero, 1 % negative (a refund entered as tax). Designated
    land is cut at 8 (tax) and 160 (output): it was designated for being low-efficient.
    """
    n = len(frame)
    designated = frame["designated"].to_numpy(dtype=np.bool_)
    common, own = rng.normal(size=n), rng.normal(size=n)
    tax = 2.5 * np.exp(common)
    output = 55.0 * np.exp(0.7 * common + np.sqrt(1 - 0.49) * own)
    tax = np.where(designated & (tax > 8), rng.uniform(4, 8, n), tax)
    output = np.where(designated & (output > 160), rng.uniform(80, 160, n), output)
    good = np.asarray(frame["good_firm"], dtype=np.bool_)
    tax = np.where(good, rng.uniform(20, 60, n), tax)
    output = np.where(good, tax * rng.uniform(12, 25, n), output)
    draw = rng.random(n)
    tax = np.where(good | (draw >= 0.21), tax, np.where(draw < 0.12, np.nan, np.where(draw < 0.20, 0.0, -0.2 * tax)))
    output = np.where(~good & (draw < 0.10), np.nan, output)
    idle = ~_working(frame) | ((frame["use"] == IDLE).to_numpy() & ~good)
    return pd.DataFrame(
        {
            "亩均税收_万元": np.round(np.where(idle, np.nan, tax), 2),
            "亩均产值_万元": np.round(np.where(idle, np.nan, output), 1),
        },
        index=frame.index,
    )


def _papers(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Papers, the year they allow work, lease end and entry in the renewal database.

    Regularisation goes estate by estate: parcels with full papers are ready in year 1, the others in the estate's
    ``ready_year`` or the year before. 15 % oral leases of unknown end; 4 % of the years of papers unknown.
    """
    n = len(frame)
    ready = frame["ready_year"].to_numpy(dtype=np.int64)
    cap = frame["lease_cap_year"].to_numpy(dtype=np.int64)
    draw = rng.random(n)
    before = frame["full_papers_share"].to_numpy() if "full_papers_share" in frame else np.full(n, 0.30)
    full = (ready <= 1) | (draw < before)
    historic = ~full & (draw < before + 0.25)
    can_start = np.where(full, 1, np.where(historic, np.maximum(ready - 1, 1), ready)).astype(np.float64)
    can_start = np.where(~full & (rng.random(n) < 0.04), np.nan, can_start)
    titled = np.where(full, 1.0, np.where(historic, rng.uniform(0.3, 0.8, n), rng.uniform(0.0, 0.2, n)))
    contract = rng.random(n)
    land_lease = np.maximum(cap - rng.integers(0, 2, n), 0)
    factory_lease = rng.integers(0, cap + 1, n)
    lease = np.where(contract < 0.15, np.nan, np.where(contract < 0.55, land_lease, factory_lease))
    registered = rng.random(n) < np.where(full, 0.85, np.where(historic, 0.55, 0.25))
    return pd.DataFrame(
        {
            "手续": np.where(full, "完善", np.where(historic, "历史用地", "无手续")),
            "确权比例": np.round(titled, 2),
            "可动工年": can_start,
            "租约到期年": np.where(_working(frame), lease, np.nan),
            "入库": np.where(registered, "是", "否"),
        },
        index=frame.index,
    )


def _counts(n: int, rng: np.random.Generator, bins: tuple[tuple[float, int, int], ...]) -> NDArray[np.int64]:
    """Draw counts from bins of (cumulative probability, least, most)."""
    draw = rng.random(n)
    counts = np.zeros(n, dtype=np.int64)
    below = 0.0
    for cumulative, least, most in bins:
        counts = np.where((draw >= below) & (draw < cumulative), rng.integers(least, most + 1, n), counts)
        below = cumulative
    return counts


def _people(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Right-holders, firms, willingness (0..1, with a village effect), signed share, veto."""
    n = len(frame)
    working = _working(frame)
    village, names = pd.factorize(frame["village"])
    effect = rng.normal(0.0, 0.06, len(names))[village]
    top = np.asarray(frame["good_firm"], dtype=np.bool_) | (rng.random(n) < 0.07)
    willing = np.clip(rng.beta(5, 2, n) + effect - 0.2 * top, 0, 1)
    signed = np.where(rng.random(n) < 0.25, rng.beta(8, 2, n), rng.beta(1, 12, n))
    firms = _counts(n, rng, ((0.50, 1, 1), (0.80, 2, 3), (0.97, 4, 10), (1.01, 11, 30)))
    large = (rng.random(n) < 0.03) | np.asarray(frame["good_firm"], dtype=np.bool_)
    idle = ~working | (frame["use"] == IDLE).to_numpy()
    return pd.DataFrame(
        {
            "签约率": np.round(signed, 2),
            "意愿": np.round(willing, 2),
            "权利人数": _counts(n, rng, ((0.70, 1, 1), (0.95, 2, 3), (1.01, 4, 6))),
            "企业数": np.where(idle, 0, firms),
            "规上企业数": np.where(idle, 0, large.astype(np.int64)),
            "环保安全否决": np.where(working & (rng.random(n) < 0.02), "是", "否"),
        },
        index=frame.index,
    )


def _certificates(frame: pd.DataFrame, papers: pd.Series, rng: np.random.Generator) -> Floats:
    """Certificate area: measured ± 2 %; none for half of the land without papers; 1 % typed in m² by mistake."""
    n = len(frame)
    value = frame["area_mu"].to_numpy() * (1 + rng.normal(0.0, 0.02, n))
    value = np.where(rng.random(n) < 0.01, value * M2_PER_MU, value)
    none = (papers == "无手续").to_numpy() & (rng.random(n) < 0.5)
    return np.asarray(np.round(np.where(none, np.nan, value), 2), dtype=np.float64)


def _compensation(out: pd.DataFrame, rng: np.random.Generator) -> Floats:
    """Compensation for buildings (half without papers), moving and twelve months of decanting; unknown for four."""
    n = len(out)
    floor = out["建筑面积_m2"].to_numpy()
    rate = out["建筑类型"].map(_RATE_YUAN_PER_M2).to_numpy(dtype=np.float64)
    rate = np.where((out["手续"] == "无手续").to_numpy(), _UNPAPERED_FACTOR * rate, rate)
    yuan = floor * (rate + _MOVING_YUAN_PER_M2 + _DECANTING_YUAN_PER_M2)
    unknown = np.zeros(n, dtype=np.bool_)
    unknown[rng.choice(n, size=min(4, n // 50), replace=False)] = True
    return np.asarray(np.round(np.where(unknown, np.nan, yuan / 10_000.0), 2), dtype=np.float64)


def _with_wrong_ratios(frame: pd.DataFrame, far: pd.Series, rng: np.random.Generator) -> Floats:
    """Two FARs of land that is not designated are typed in percent, as happens."""
    outside = np.flatnonzero(~frame["designated"].to_numpy(dtype=np.bool_) & (far > 0).to_numpy())
    wrong = rng.choice(outside, size=min(2, len(outside) // 50), replace=False)
    values = far.to_numpy(dtype=np.float64, copy=True)
    values[wrong] = np.round(values[wrong] * 100.0)
    return values
