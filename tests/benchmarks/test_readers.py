"""Published instances are read as they are: counts, weights, sums of known solutions."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from benchmarks.brcmwcs import LEAST_SIZE, ColouredGraph, brcmwcs_problem, diameter, read_graphml, split_name
from benchmarks.cases import BRCMWCS_NAMES, MWCS_NAMES, published
from benchmarks.mwcs import HEADER, FormatError, mwcs_problem, read_published, read_stp
from benchmarks.places import MissingDataError, instances
from planner.optimise.evaluate import objective, plan_faults
from planner.optimise.graph import build_graph
from planner.optimise.options import availability
from planner.problem import Block
from planner.problem_checks import check_problem

STP = f"""{HEADER}

SECTION Graph
Nodes 4
Edges 4
E 1 2
E 2 3
E 3 4
E 4 3
END

SECTION Terminals
Terminals 4
T 1 5
T 2 -2
T 4 -1.5
T 3 3
END
EOF
"""


def folder(name: str) -> Path:
    try:
        return instances(name)
    except MissingDataError as missing:
        pytest.skip(str(missing))


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "x.stp"
    path.write_text(text, encoding="utf-8")
    return path


def test_stp_by_hand(tmp_path: Path) -> None:
    graph = read_stp(written(tmp_path, STP))
    assert graph.weight.tolist() == [5.0, -2.0, 3.0, -1.5]
    assert graph.edges.tolist() == [[0, 1], [1, 2], [2, 3]]  # 3-4 was there twice


def test_the_best_block_of_the_graph_by_hand(tmp_path: Path) -> None:
    problem = mwcs_problem(written(tmp_path, STP))
    check_problem(problem)
    graph, open_ = build_graph(problem), availability(problem)
    best = [Block((0, 1, 2), 0)]
    assert not plan_faults(problem, graph, best, open_)
    assert objective(problem, graph, best) == pytest.approx(6.0)
    assert plan_faults(problem, graph, [Block((0, 2), 0)], open_)  # in two pieces
    assert plan_faults(problem, graph, [Block((0,), 0), Block((2,), 0)], open_)  # two blocks


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (HEADER, "something else", "no STP file"),
        ("Edges 4", "Edges 5", "5 announced"),
        ("T 4 -1.5\n", "", "3 nodes, 4 announced"),
        ("E 2 3", "E 2 9", "does not exist"),
    ],
)
def test_stp_that_is_wrong(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(FormatError, match=said):
        read_stp(written(tmp_path, STP.replace(old, new)))


def test_every_published_instance_has_its_counts() -> None:
    path = folder("mwcs")
    with (path / "optima.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {f"{n}.stp" for n in MWCS_NAMES} == {r["file"] for r in rows}
    for row in rows:
        graph = read_stp(path / row["file"])
        assert (len(graph.weight), len(graph.edges)) == (int(row["nodes"]), int(row["edges"])), row["file"]
        positive = graph.weight[graph.weight > 0]
        assert positive.max() - 1e-6 <= float(row["optimum"]) <= positive.sum() + 1e-6
        assert published(f"mwcs/{row['file'].removesuffix('.stp')}") == read_published(path / "optima.csv")[row["file"]]


def test_coloured_graphs() -> None:
    path = folder("brcmwcs")
    graphs = {f.stem: read_graphml(f) for f in sorted(path.glob("*.json"))}
    assert len(graphs) == 12
    for graph in graphs.values():
        assert (len(graph.profit), len(graph.edges)) == (569, 885)
        assert set(graph.colour.tolist()) == {1, -1}
        assert graph.delta == 0.11
        assert graph.size.sum() == pytest.approx(2291.53)
        assert graph.root == 217
    assert graphs["i-11"].profit.sum() == pytest.approx(14081.0135)
    assert np.array_equal(graphs["i-11"].profit, graphs["i-11c"].profit)
    assert not np.array_equal(graphs["i-11"].colour, graphs["i-11c"].colour)


@pytest.mark.parametrize("name", BRCMWCS_NAMES)
def test_coloured_problems(name: str) -> None:
    stem, digit = split_name(name)
    problem = brcmwcs_problem(folder("brcmwcs") / f"{stem}.json", digit)
    check_problem(problem)
    assert problem.area_mu.min() == LEAST_SIZE
    assert problem.block_min_mu == pytest.approx(problem.block_max_mu / 2)
    assert np.flatnonzero(problem.lock_by >= 0).tolist() == [217]
    assert [r.limit for r in problem.block_rules] == [0.0, 0.0]
    # Weights of the two rules add up to delta times the weight: neither can take more than that from the other.
    assert np.allclose(sum(r.weight for r in problem.block_rules), 0.11 * problem.area_mu)


def test_diameter_counts_both_ends() -> None:
    path = np.array([[0, 1], [1, 2]])
    line = ColouredGraph(np.zeros(3), np.array([1.0, 10.0, 2.0]), np.ones(3, dtype=np.int64), path, 0, 0.1)
    assert diameter(line) == pytest.approx(13.0)
    sizes, edges = np.array([1.0, 10.0, 2.0, 0.0]), np.array([[0, 1], [1, 2], [0, 3], [2, 3]])
    square = ColouredGraph(np.zeros(4), sizes, np.ones(4, dtype=np.int64), edges, 0, 0.1)
    assert diameter(square) == pytest.approx(12.0)  # from 1 to 2; from 0 to 2 it is 3 by way of 3


@pytest.mark.parametrize("name", ["i-11", "i-115", "lymphoma", "i-11c"])
def test_names_without_bounds(name: str) -> None:
    with pytest.raises(FormatError, match="no name"):
        split_name(name)
