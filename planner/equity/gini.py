"""The Gini coefficient of weighted values."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def gini(values: ArrayLike, weights: ArrayLike) -> float | None:
    """Gini coefficient: half the mean difference of two values drawn by weight, over the mean.

    G = Σ_i Σ_j w_i w_j |x_i − x_j| / (2 W² μ), with W = Σ w_i and μ = Σ w_i x_i / W. 0 = all alike; it does not change
    with the unit of the values or of the weights, nor with their order. Values below 0 can take it beyond 1.

    Source: C. Gini, *Variabilità e mutabilità* (1912); with weights as in R. I. Lerman and S. Yitzhaki, "Improving the
    accuracy of estimates of Gini coefficients", *Journal of Econometrics* 42 (1989) 43–47.

    Parameters
    ----------
    values : array_like of float, shape (k,)
        Such as incomes per mu; all known.
    weights : array_like of float, shape (k,)
        0 or more, such as land or members: a village counts as much as it has of them.

    Returns
    -------
    float or None
        None where nothing has weight or the mean is not above 0: there is no coefficient then.

    Raises
    ------
    ValueError
        Lengths that differ, unknown values, or weights below 0.
    """
    x, w = np.asarray(values, dtype=np.float64), np.asarray(weights, dtype=np.float64)
    if x.shape != w.shape or x.ndim != 1:
        raise ValueError(f"values and weights differ in shape: {x.shape} and {w.shape}")
    if not (np.isfinite(x).all() and np.isfinite(w).all()) or (w < 0).any():
        raise ValueError("values and weights must be known, and weights 0 or more")
    order = np.lexsort((w, x))  # sums must not depend on the order of villages, not in the last digit either
    x, w = x[order], w[order]
    total = w.sum()
    if total <= 0:
        return None
    share = w / total
    mean = float(share @ x)
    if mean <= 0:
        return None
    below = np.cumsum(share) - share  # Σ_ij s_i s_j |x_i − x_j| = 2 Σ_i s_i x_i (weight below i − weight above i)
    above = 1.0 - below - share
    return max(float((share * x) @ (below - above)) / mean, 0.0)
