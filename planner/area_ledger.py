"""The ledger of areas: what each block and phase has of each kind of area, kept apart and never mixed."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd

from geodata.units import M2_PER_MU

LEDGER: Final = {
    "net_mu": "area_mu",
    "between_mu": "between_mu",
    "boundary_mu": "boundary_mu",
    "ellipsoidal_mu": "ellipsoidal_mu",
    "footprint_mu": "footprint_m2",
    "cleared_mu": "cleared_mu",
    "accepted_mu": "accepted_mu",
    "certificate_mu": None,
}
"""Column of the ledger → column of the parcels (m² are turned into mu); the certificate's is configured."""


def area_ledger(parcels: pd.DataFrame, certificate: str | None) -> list[dict[str, Any]]:
    """Areas of every block, then of every phase, then of the whole plan.

    Parameters
    ----------
    parcels : pandas.DataFrame
        The table of parcels (`planner.tables.PlanTables.parcels`).
    certificate : str or None
        Column with the certificates' areas, mu.

    Returns
    -------
    list of dict
        ``phase`` (from 1; None = all), ``block_id`` (None = the sum), the columns of `LEDGER` in mu, and
        ``unknown``: how many parcels lack one of the figures. A sum over partly unknown figures is None: unknown is not
        zero. Kinds of area that no parcel has (no buildings given, no certificates) are None throughout.
    """
    chosen = parcels[parcels["status"] == "selected"]
    values = pd.DataFrame({name: _in_mu(chosen, name, source, certificate) for name, source in LEDGER.items()})
    given = [name for name in LEDGER if values[name].notna().any()]
    rows = [
        _row(values[(chosen["block_id"] == block).to_numpy(dtype=bool)], given, phase, block)
        for block, phase in dict(zip(chosen["block_id"], chosen["phase"].astype(int), strict=True)).items()
    ]
    rows.sort(key=lambda row: (row["phase"], row["block_id"]))
    rows += [
        _row(values[(chosen["phase"] == phase).to_numpy(dtype=bool)], given, phase, None)
        for phase in sorted(set(chosen["phase"].astype(int).tolist()))
    ]
    return [*rows, _row(values, given, None, None)]


def _in_mu(parcels: pd.DataFrame, name: str, source: str | None, certificate: str | None) -> pd.Series[Any]:
    column = certificate if name == "certificate_mu" else source
    if column is None or column not in parcels:
        return pd.Series(np.nan, index=parcels.index)
    found = pd.to_numeric(parcels[column], errors="coerce").astype(float)
    return found / M2_PER_MU if column.endswith("_m2") else found


def _row(values: pd.DataFrame, given: list[str], phase: int | None, block: str | None) -> dict[str, Any]:
    sums = {name: float(values[name].sum(skipna=False)) if name in given else np.nan for name in LEDGER}
    return {
        "phase": phase,
        "block_id": block,
        **{name: None if np.isnan(total) else total for name, total in sums.items()},
        "unknown": int(values[given].isna().any(axis=1).sum()),
    }
