"""How large the parcels are, and which lie together: sizes → estates → street blocks → order of cutting."""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from geodata.units import M2_PER_MU

MEDIAN_MU = 5.0
SIGMA = 1.32
SMALLEST_MU = 0.3
LARGEST_MU = 120.0
MEAN_LANE_M = 7.5

Tree: TypeAlias = "int | tuple[Tree, Tree]"
"""Order of cutting: a leaf is the index of a piece, a node is one cut."""


def parcel_sizes(n: int, rng: np.random.Generator, largest_mu: float = LARGEST_MU) -> NDArray[np.float64]:
    """Draw ``n`` parcel sizes in mu: lognormal, median 5, sigma 1.32, cut at 0.3 and ``largest_mu``; shuffled.

    Stratified (one draw in each of ``n`` equal slices of probability), so that even a few hundred parcels follow
    the distribution closely; free draws of so heavy a tail would miss its mean by a tenth.
    """
    low, high = (ndtr(math.log(edge / MEDIAN_MU) / SIGMA) for edge in (SMALLEST_MU, largest_mu))
    share = low + (high - low) * (np.arange(n) + rng.random(n)) / n
    sizes = MEDIAN_MU * np.exp(SIGMA * ndtri(share))
    return np.asarray(rng.permutation(sizes), dtype=np.float64)


def deal_out(sizes: Sequence[float], wanted: Sequence[float], largest: Sequence[float]) -> list[list[float]]:
    """Deal sizes to groups so that each group's sum comes close to what is wanted.

    Largest first, each to the group that lacks most and admits it (``largest``): the last, tiny sizes even it out.

    Raises
    ------
    ValueError
        A size that no group admits.
    """
    lacking = list(wanted)
    groups: list[list[float]] = [[] for _ in wanted]
    for size in sorted((float(s) for s in sizes), reverse=True):
        open_groups = [g for g in range(len(groups)) if size <= largest[g]]
        if not open_groups:
            admitted = f"the largest that one admits is {max(largest):.2f} mu" if groups else "there is no group"
            raise ValueError(f"a parcel of {size:.2f} mu fits in no group: {admitted}")
        group = max(open_groups, key=lambda g: lacking[g])
        groups[group].append(size)
        lacking[group] -= size
    return groups


def street_blocks(sizes: Sequence[float], rng: np.random.Generator) -> list[list[float]]:
    """Group the parcels of an estate into street blocks of about six parcels of like size.

    Workshops sit among workshops and large plants among large plants; the noise keeps some mixture.
    """
    values = np.asarray(sizes, dtype=np.float64)
    order = np.argsort(np.log(values) + rng.normal(0.0, 0.3, len(values)), kind="stable")
    blocks: list[list[float]] = []
    block: list[float] = []
    for size in values[order].tolist():
        block.append(size)
        if sum(block) >= min(max(6.0 * sum(block) / len(block), 4.0), 20.0):
            blocks.append(block)
            block = []
    if block:
        if blocks and sum(block) < 4.0:
            blocks[-1] += block
        else:
            blocks.append(block)
    return blocks


def gross_m2(block: Sequence[float]) -> float:
    """Area of a street block of these parcels (mu) with its half of the lanes around it, m²."""
    return (math.sqrt(sum(block) * M2_PER_MU) + MEAN_LANE_M) ** 2


def cutting_order(weights: Sequence[float], rng: np.random.Generator) -> Tree:
    """Tree that joins the two lightest pieces again and again (Huffman), so that no cut is very lopsided.

    A lopsided cut would make a ribbon; which side a piece falls on is drawn.
    """
    heap: list[tuple[float, int, Tree]] = [(float(w), i, i) for i, w in enumerate(weights)]
    heapq.heapify(heap)
    swaps = rng.random(len(weights)) < 0.5
    serial = len(weights)
    while len(heap) > 1:
        w0, _, first = heapq.heappop(heap)
        w1, _, second = heapq.heappop(heap)
        pair = (second, first) if swaps[serial % len(weights)] else (first, second)
        heapq.heappush(heap, (w0 + w1, serial, pair))
        serial += 1
    return heap[0][2]


def tree_weight(tree: Tree, weights: Sequence[float]) -> float:
    """Sum of the weights of a tree's leaves."""
    if isinstance(tree, int):
        return weights[tree]
    return tree_weight(tree[0], weights) + tree_weight(tree[1], weights)
