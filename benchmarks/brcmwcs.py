"""Rooted connected subgraph with weight bounds and colour balance: the shape of the search for one good block.

Files: GraphML; nodes have ``profit``, ``weight`` and ``color`` (1 or -1), the graph has ``root`` and ``delta``. Names:
``i-11`` + digit 1 … 4 of the weight bounds.

What our problem has: profit as benefit, weight as area, the root as a lock, at most one block, the weight bounds as
block sizes, and the balance as two block rules.

What is read into it, because the published description leaves it open: the greatest weight U is 40, 51.7, 63.3 or 75 %
of the diameter (only the range is published), where the diameter is the largest of the smallest node weights of a path
between two nodes, ends included; the least weight is U/2 (published); balance means that neither colour has less than
(1 - delta)/2 of the weight. So plans are not comparable with the published ones, only sizes and seconds.

What is changed: nodes of weight 0 get `LEAST_SIZE`, since every parcel has an area.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from benchmarks.mwcs import FormatError, WeightedGraph, graph_problem
from planner.problem import BlockRule, Floats, Ints, Problem

NAMESPACE: Final = "{http://graphml.graphdrawing.org/xmlns}"
LEAST_SIZE: Final = 1e-6
UPPER_SHARES: Final = (0.40, 0.40 + 0.35 / 3, 0.40 + 0.70 / 3, 0.75)
"""Greatest weight as a share of the diameter, by the last digit of the name."""

_NAME: Final = re.compile(r"(i-\d\dc?)([1-4])")


@dataclass(frozen=True, eq=False)
class ColouredGraph:
    """An instance without its weight bounds.

    Attributes
    ----------
    profit, size : float64[n]
        ``profit`` has either sign; ``size`` is the weight of the file, 0 or more.
    colour : int64[n]
        1 or -1.
    edges : int64[m, 2]
        i < j.
    root : int
    delta : float
    """

    profit: Floats
    size: Floats
    colour: Ints
    edges: Ints
    root: int
    delta: float


def read_graphml(path: Path) -> ColouredGraph:
    """Read an instance; its nodes keep the order of the file.

    Raises
    ------
    FormatError
        A file that is not GraphML, or lacks one of the attributes.
    """
    try:
        tree = ElementTree.parse(path).getroot()
    except ElementTree.ParseError as error:
        raise FormatError(f"{path.name}: no GraphML ({error})") from error
    graph = tree.find(f"{NAMESPACE}graph")
    names = {str(k.get("id")): str(k.get("attr.name")) for k in tree.findall(f"{NAMESPACE}key")}
    if graph is None:
        raise FormatError(f"{path.name}: no graph in it")

    def values(element: ElementTree.Element, *wanted: str) -> list[str]:
        found = {names[str(d.get("key"))]: d.text or "" for d in element.findall(f"{NAMESPACE}data")}
        if not set(wanted) <= set(found):
            raise FormatError(f"{path.name}: without {', '.join(sorted(set(wanted) - set(found)))}")
        return [found[name] for name in wanted]

    nodes = graph.findall(f"{NAMESPACE}node")
    number = {str(node.get("id")): i for i, node in enumerate(nodes)}
    table = np.array([values(node, "profit", "weight", "color") for node in nodes], dtype=np.float64)
    edges = np.array(
        [[number[str(e.get("source"))], number[str(e.get("target"))]] for e in graph.findall(f"{NAMESPACE}edge")],
        dtype=np.int64,
    )
    root, delta = values(graph, "root", "delta")
    return ColouredGraph(
        profit=table[:, 0],
        size=table[:, 1],
        colour=table[:, 2].astype(np.int64),
        edges=np.unique(np.sort(edges, axis=1), axis=0),
        root=number[root],
        delta=float(delta),
    )


def diameter(graph: ColouredGraph) -> float:
    """Largest, over pairs of nodes, of the smallest node weights of a path between them, both ends included."""
    i, j = graph.edges.T
    n = len(graph.size)
    half = (graph.size[i] + graph.size[j]) / 2
    # Explicit zeros would be read as absent: lengths are moved up by a constant that is far below any weight.
    steps = np.maximum(half, 1e-12)
    lengths = dijkstra(coo_array((steps, (i, j)), shape=(n, n)).tocsr(), directed=False)
    ends = (graph.size[:, None] + graph.size[None, :]) / 2
    return float((lengths + ends - np.diag(graph.size / 2)).max())


def split_name(name: str) -> tuple[str, int]:
    """``'i-11c3'`` → ``('i-11c', 3)``."""
    match = _NAME.fullmatch(name)
    if match is None:
        raise FormatError(f"{name}: no name of an instance, such as i-113 or i-11c3")
    return match[1], int(match[2])


def brcmwcs_problem(path: Path, digit: int) -> Problem:
    """The instance of a file and a digit of weight bounds."""
    graph = read_graphml(path)
    most = UPPER_SHARES[digit - 1] * diameter(graph)
    size = np.maximum(graph.size, LEAST_SIZE)
    weighted = WeightedGraph(graph.profit, graph.edges)
    problem = graph_problem(weighted, size, least=most / 2, most=most, root=graph.root)
    share = (1 - graph.delta) / 2
    balance = tuple(
        BlockRule(f"colour {colour}", "weight", np.where(graph.colour == colour, size, 0.0), share, share_of=size)
        for colour in (1, -1)
    )
    return replace(problem, block_rules=balance)
