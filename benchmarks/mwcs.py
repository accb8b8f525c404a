"""Maximum-weight connected subgraph: STP files as one-phase, one-block problems, with their published optima."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from planner.problem import Floats, Ints, Phase, Problem

HEADER: Final = "33D32945 STP File, STP Format Version 1.0"


class FormatError(ValueError):
    """A file that is not in the form its name promises."""


@dataclass(frozen=True, eq=False)
class WeightedGraph:
    """Nodes 0 … n - 1 with a weight of either sign.

    Attributes
    ----------
    weight : float64[n]
    edges : int64[m, 2]
        i < j, each once, sorted.
    """

    weight: Floats
    edges: Ints


@dataclass(frozen=True)
class Published:
    """What is known of an instance: the optimum, and the seconds of the method that found it."""

    optimum: float
    seconds: float


def read_stp(path: Path) -> WeightedGraph:
    """Read nodes (``T node weight``) and edges (``E node node``), counted from 1.

    Raises
    ------
    FormatError
        Wrong header, another problem, a number of nodes or edges other than announced, a node without weight.
    """
    lines = [line.split() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    if not lines or " ".join(lines[0]).lower() != HEADER.lower():
        raise FormatError(f"{path.name}: no STP file, version 1.0")
    said = {row[0].lower(): int(row[1]) for row in lines if row[0].lower() in ("nodes", "edges", "terminals")}
    weights = {int(row[1]) - 1: float(row[2]) for row in lines if row[0] == "T"}
    edges = np.array([[int(row[1]), int(row[2])] for row in lines if row[0] == "E"], dtype=np.int64).reshape(-1, 2) - 1
    n = said.get("nodes", 0)
    if len(edges) != said.get("edges"):
        raise FormatError(f"{path.name}: {len(edges)} edges, {said.get('edges')} announced")
    if sorted(weights) != list(range(n)):
        raise FormatError(f"{path.name}: weights of {len(weights)} nodes, {n} announced")
    if len(edges) and (edges.min() < 0 or edges.max() >= n):
        raise FormatError(f"{path.name}: an edge to a node that does not exist")
    distinct = np.unique(np.sort(edges[edges[:, 0] != edges[:, 1]], axis=1), axis=0)
    return WeightedGraph(np.array([weights[i] for i in range(n)]), distinct)


def read_published(path: Path) -> dict[str, Published]:
    """Optimum and seconds by file name."""
    with path.open(encoding="utf-8", newline="") as file:
        return {r["file"]: Published(float(r["optimum"]), float(r["published_seconds"])) for r in csv.DictReader(file)}


def graph_problem(graph: WeightedGraph, size: Floats, *, least: float, most: float, root: int | None = None) -> Problem:
    """At most one connected block of size `least` … `most` and greatest weight; with a `root`, one that holds it.

    Perimeters are as if every edge were one metre of shared boundary; they have no price.
    """
    n = len(graph.weight)
    lock = np.full(n, -1, dtype=np.int64)
    if root is not None:
        lock[root] = 0
    return Problem(
        parcel_ids=tuple(f"{i:06d}" for i in range(n)),
        area_mu=size,
        benefit=graph.weight,
        cost=np.zeros(n),
        perimeter_m=np.bincount(graph.edges.ravel(), minlength=n).astype(np.float64),
        selectable=np.ones(n, dtype=np.bool_),
        filler=np.zeros(n, dtype=np.bool_),
        zone=np.full(n, -1, dtype=np.int64),
        earliest=np.zeros(n, dtype=np.int64),
        lock_by=lock,
        pairs=graph.edges,
        shared_m=np.ones(len(graph.edges)),
        link_pairs=np.empty((0, 2), dtype=np.int64),
        gap_m=np.empty(0),
        zones=(),
        phases=(Phase("P1", 0, 1.0, max_blocks=1),),
        targets=(),
        block_min_mu=least,
        block_max_mu=most,
        currency="XXX",
    )


def mwcs_problem(path: Path) -> Problem:
    """Every node one mu; sizes bind nothing."""
    graph = read_stp(path)
    n = len(graph.weight)
    return graph_problem(graph, np.ones(n), least=0.0, most=float(n))
