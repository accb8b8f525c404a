"""Sums, means and texts of the parcels of each block; what is unknown is counted, never taken as 0."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from planner.report.workbook.text import plain

Numbers = pd.Series


class BlockSums:
    """What reports tell of blocks, from a value per parcel.

    Parameters
    ----------
    parcels : pandas.DataFrame
        Layer of parcels: ``parcel_id``, ``area_mu``, ``block_id``.
    blocks : list of str
        In the order of the results.
    """

    def __init__(self, parcels: pd.DataFrame, blocks: list[str]) -> None:
        mine = parcels[parcels["block_id"].notna()].sort_values("parcel_id")
        self._block = pd.Series(mine["block_id"].astype(str).to_numpy(), index=mine["parcel_id"].astype(str))
        self._area = pd.Series(mine["area_mu"].to_numpy(dtype=float), index=self._block.index)
        self._blocks = blocks

    def area(self) -> Numbers[Any]:
        """Net area of each parcel in a block, mu, by ``parcel_id``."""
        return self._area

    def sum(self, values: Numbers[Any]) -> tuple[Numbers[Any], Numbers[Any]]:
        """Sum of what is known (NaN where nothing is) and how many parcels are unknown, by block."""
        known = self._aligned(values)
        return self._grouped(known, min_count=1), self._unknown(known)

    def mean(self, values: Numbers[Any], weights: Numbers[Any]) -> tuple[Numbers[Any], Numbers[Any]]:
        """Σ value · weight / Σ weight over parcels where both are known, and how many are left out, by block."""
        value, weight = self._aligned(values), self._aligned(weights)
        value, weight = value.where(weight.notna()), weight.where(value.notna())
        total = self._grouped(weight, min_count=1)
        return self._grouped(value * weight, min_count=1) / total.where(total > 0), self._unknown(value)

    def texts(self, values: Numbers[Any], between: str) -> tuple[Numbers[Any], Numbers[Any]]:
        """The different texts of a block, those on most land first, and how many parcels are unknown."""
        known = values.set_axis(values.index.astype(str)).reindex(self._block.index)
        frame = pd.DataFrame({"block": self._block, "text": known, "mu": self._area}).dropna(subset=["text"])
        sums = frame.assign(text=frame["text"].map(plain)).groupby(["block", "text"])["mu"].sum().reset_index()
        ordered = sums.sort_values(["block", "mu", "text"], ascending=[True, False, True])
        joined = ordered.groupby("block")["text"].agg(between.join).reindex(self._blocks)
        return joined.astype(object).where(joined.notna(), None), self._unknown(known)

    def count(self) -> Numbers[Any]:
        """Parcels of each block."""
        return self._block.groupby(self._block.to_numpy()).size().reindex(self._blocks)

    def _aligned(self, values: Numbers[Any]) -> Numbers[Any]:
        by_id = values.set_axis(values.index.astype(str))
        return pd.Series(by_id.reindex(self._block.index).to_numpy(dtype=float, na_value=np.nan), self._block.index)

    def _grouped(self, values: Numbers[Any], min_count: int) -> Numbers[Any]:
        return values.groupby(self._block.to_numpy()).sum(min_count=min_count).reindex(self._blocks)

    def _unknown(self, values: Numbers[Any]) -> Numbers[Any]:
        return values.isna().groupby(self._block.to_numpy()).sum().reindex(self._blocks).astype(int)
