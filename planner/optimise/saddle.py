"""First-order steps on the Lagrangian of the relaxation: primal–dual steps with reflection and restarts.

The relaxation is a saddle point: maximise over x (each parcel's options ≥ 0, sum ≤ 1, or = 1 where locked), minimise
over the multipliers y of the rows and the split θ of each saved boundary,

    Σ c·x + Σ_e [θ_e·x_i + (w_e − θ_e)·x_j] − Σ_r y_r·(A·x)_r + Σ_r (y_r⁺·hi_r − y_r⁻·lo_r),   0 ≤ θ_e ≤ w_e,

because the least of θ·x_i + (w − θ)·x_j is w·min(x_i, x_j). Steps need memory for the arrays only. Any y, θ they end
at give a valid bound, so nothing here has to be exact. (Chambolle, Pock 2011, doi:10.1007/s10851-010-0251-1, with
diagonal steps; reflected Halpern iteration with restarts after Lu, Yang 2024, arXiv:2407.16144.)
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from planner.problem import Floats, Ints


@njit(cache=True, nogil=True)
def reduced_worth(
    c: Floats,
    edge_i: Ints,
    edge_j: Ints,
    w: Floats,
    theta: Floats,
    pointer: Ints,
    column: Ints,
    value: Floats,
    y: Floats,
) -> Any:
    """Reduced worth of each column, c + boundary shares − Aᵀy."""
    g = c.copy()
    for e in range(len(edge_i)):
        g[edge_i[e]] += theta[e]
        g[edge_j[e]] += w[e] - theta[e]
    for r in range(len(y)):
        if y[r] != 0.0:
            for p in range(pointer[r], pointer[r + 1]):
                g[column[p]] -= value[p] * y[r]
    return g


@njit(cache=True, nogil=True)
def _project(v: Floats, start: Ints, locked: Any, out: Floats) -> None:
    """Nearest point of each parcel's part of `v` with entries ≥ 0 and sum ≤ 1 (= 1 where locked)."""
    for i in range(len(start) - 1):
        a, b = start[i], start[i + 1]
        total = 0.0
        for k in range(a, b):
            out[k] = v[k] if v[k] > 0.0 else 0.0
            total += out[k]
        if total <= 1.0 and not locked[i]:
            continue
        # shift so that the positive parts add up to 1
        shift = 0.0
        lowest = -np.inf
        if b > a:
            for _ in range(b - a):
                count = 0
                sum_ = 0.0
                for k in range(a, b):
                    if v[k] > lowest:
                        count += 1
                        sum_ += v[k]
                shift = (sum_ - 1.0) / count
                same = True
                for k in range(a, b):
                    if lowest < v[k] <= shift:
                        same = False
                if same:
                    break
                lowest = shift
            for k in range(a, b):
                out[k] = max(0.0, v[k] - shift)


@njit(cache=True, nogil=True)
def run(
    n_steps: int,
    c: Floats,
    start: Ints,
    locked: Any,
    edge_i: Ints,
    edge_j: Ints,
    w: Floats,
    pointer: Ints,
    column: Ints,
    value: Floats,
    lo: Floats,
    hi: Floats,
    y_min: Floats,
    y_max: Floats,
    x: Floats,
    theta: Floats,
    y: Floats,
    weight: float,
) -> Any:
    """`n_steps` steps from (x, theta, y), which are changed in place; returns (primal weight, x, theta, y) of the end.

    Money is measured so that worths are about 1, coefficients of rows are at most about 1; `weight` is the primal
    weight (> 0). An edge counts w in the step sizes: its multiplier is that much smaller than those of rows.
    """
    n_columns, n_edges, n_rows = len(c), len(edge_i), len(y)
    sums = np.full(n_columns, 1e-9)
    for e in range(n_edges):
        sums[edge_i[e]] += w[e]
        sums[edge_j[e]] += w[e]
    row_step = np.empty(n_rows)
    for r in range(n_rows):
        total = 1e-12
        for p in range(pointer[r], pointer[r + 1]):
            sums[column[p]] += abs(value[p])
            total += abs(value[p])
        row_step[r] = 0.99 / total
    step = np.empty(n_columns)
    for i in range(len(start) - 1):
        most = 1e-9
        for k in range(start[i], start[i + 1]):
            most = max(most, sums[k])
        for k in range(start[i], start[i + 1]):
            step[k] = 0.99 / most
    g = reduced_worth(c, edge_i, edge_j, w, theta, pointer, column, value, y)
    x0, theta0, y0, g0 = x.copy(), theta.copy(), y.copy(), g.copy()
    x1, theta1, y1 = x.copy(), theta.copy(), y.copy()
    g1 = np.empty(n_columns)
    v = np.empty(n_columns)
    bar = np.empty(n_columns)
    first = 0.0
    last = 0.0
    k = 0
    for it in range(n_steps):
        tau, sigma = 1.0 / weight, weight
        for j in range(n_columns):
            v[j] = x[j] + tau * step[j] * g[j]
        _project(v, start, locked, x1)
        moved = 0.0
        for j in range(n_columns):
            bar[j] = 2.0 * x1[j] - x[j]
            d = x1[j] - x[j]
            moved += d * d / (tau * step[j])
            g1[j] = c[j]
        for e in range(n_edges):
            a, b = edge_i[e], edge_j[e]
            s = 0.495 * sigma * w[e]
            t = theta[e] - s * (bar[a] - bar[b])
            t = 0.0 if t < 0.0 else (w[e] if t > w[e] else t)
            d = t - theta[e]
            theta1[e] = t
            if s > 0.0:
                moved += d * d / s
            g1[a] += t
            g1[b] += w[e] - t
        for r in range(n_rows):
            total = 0.0
            for p in range(pointer[r], pointer[r + 1]):
                total += value[p] * bar[column[p]]
            s = sigma * row_step[r]
            t = y[r] + s * total
            level = t / s
            if level > hi[r]:
                t -= s * hi[r]
            elif level < lo[r]:
                t -= s * lo[r]
            else:
                t = 0.0
            t = max(y_min[r], min(y_max[r], t))
            d = t - y[r]
            y1[r] = t
            moved += d * d / s
            if t != 0.0:
                for p in range(pointer[r], pointer[r + 1]):
                    g1[column[p]] -= value[p] * t
        if k == 0:
            first = moved
        restart = k > 0 and (
            moved <= 0.04 * first or (moved <= 0.64 * first and moved > last) or k >= 0.36 * (it + 1) + 30
        )
        last = moved
        if it == n_steps - 1:
            break
        if restart:
            far_x, far_y = 0.0, 0.0
            for j in range(n_columns):
                d = x1[j] - x0[j]
                far_x += d * d / step[j]
            for e in range(n_edges):
                if w[e] > 0.0:
                    d = theta1[e] - theta0[e]
                    far_y += d * d / (0.495 * w[e])
            for r in range(n_rows):
                d = y1[r] - y0[r]
                far_y += d * d / row_step[r]
            if far_x > 1e-16 and far_y > 1e-16:
                weight = np.exp(0.5 * np.log(np.sqrt(far_y / far_x)) + 0.5 * np.log(weight))
            for j in range(n_columns):
                x[j] = x0[j] = x1[j]
                g[j] = g0[j] = g1[j]
            for e in range(n_edges):
                theta[e] = theta0[e] = theta1[e]
            for r in range(n_rows):
                y[r] = y0[r] = y1[r]
            k = 0
            continue
        f = (k + 1.0) / (k + 2.0)
        h = 1.0 / (k + 2.0)
        for j in range(n_columns):
            x[j] = f * (2.0 * x1[j] - x[j]) + h * x0[j]
            g[j] = f * (2.0 * g1[j] - g[j]) + h * g0[j]
        for e in range(n_edges):
            theta[e] = f * (2.0 * theta1[e] - theta[e]) + h * theta0[e]
        for r in range(n_rows):
            y[r] = f * (2.0 * y1[r] - y[r]) + h * y0[r]
        k += 1
    return weight, x1, theta1, y1
