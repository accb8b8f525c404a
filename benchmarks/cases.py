"""Named cases → problems, kept on disk once built."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from benchmarks.brcmwcs import brcmwcs_problem, split_name
from benchmarks.fabric import FABRICS, fabric_problem
from benchmarks.mwcs import Published, mwcs_problem, read_published
from benchmarks.places import builders_digest, cache_folder, instances
from benchmarks.real import cambridge, padova, qingxi, thiene
from planner.problem import Problem
from planner.problem_checks import check_problem
from planner.problem_json import problem_from_dict, problem_to_dict


@dataclass(frozen=True)
class Case:
    """A problem and what is asked of its solve.

    Attributes
    ----------
    name : str
    kind : str
        'generated', 'real', 'mwcs' or 'brcmwcs'.
    build : callable
        Makes the problem; may raise `benchmarks.places.MissingDataError`.
    seconds : float
        Time limit.
    gap : float
        Relative gap at which the solve may stop.
    quick : bool
        Belongs to the quick suite.
    """

    name: str
    kind: str
    build: Callable[[], Problem]
    seconds: float
    gap: float = 0.0
    quick: bool = False


PLANNING: Final = (
    Case("generated-300", "generated", partial(fabric_problem, FABRICS["generated-300"]), 60, 0.001, quick=True),
    Case("generated-300-tight", "generated", partial(fabric_problem, FABRICS["generated-300-tight"]), 60, 0.001),
    Case("generated-1000", "generated", partial(fabric_problem, FABRICS["generated-1000"]), 20, 0.001, quick=True),
    Case("generated-3000", "generated", partial(fabric_problem, FABRICS["generated-3000"]), 60, 0.002, quick=True),
    Case("generated-10000", "generated", partial(fabric_problem, FABRICS["generated-10000"]), 300, 0.005),
    Case("generated-50000", "generated", partial(fabric_problem, FABRICS["generated-50000"]), 600, 0.01),
    Case("qingxi", "real", qingxi, 60, 0.001),
    Case("cambridge", "real", cambridge, 60, 0.001),
    Case("thiene", "real", thiene, 120, 0.005),
    Case("padova", "real", padova, 600, 0.01),
)
MWCS_NAMES: Final = (
    *(f"MWCS-I-D-n-{n}-a-{a}-d-{d}-e-{e}"
      for n, a in ((500, 0.62), (750, 0.647), (1000, 0.6), (1500, 0.6))
      for d, e in ((0.25, 0.25), (0.25, 0.75), (0.5, 0.5), (0.75, 0.25), (0.75, 0.75))),
    "lymphoma",
    "metabol_expr_mice_3",
)  # fmt: skip
MWCS_QUICK: Final = ("MWCS-I-D-n-500-a-0.62-d-0.5-e-0.5", "MWCS-I-D-n-1000-a-0.6-d-0.5-e-0.5", "lymphoma")
BRCMWCS_NAMES: Final = ("i-111", "i-114", "i-141", "i-144", "i-14c2", "i-171", "i-174", "i-17c4")


def _mwcs(name: str) -> Problem:
    return mwcs_problem(instances("mwcs") / f"{name}.stp")


def _brcmwcs(name: str) -> Problem:
    stem, digit = split_name(name)
    return brcmwcs_problem(instances("brcmwcs") / f"{stem}.json", digit)


CASES: Final[dict[str, Case]] = {
    case.name: case
    for case in (
        *PLANNING,
        *(Case(f"mwcs/{n}", "mwcs", partial(_mwcs, n), 10, 1e-9, n in MWCS_QUICK) for n in MWCS_NAMES),
        *(Case(f"brcmwcs/{n}", "brcmwcs", partial(_brcmwcs, n), 60, 1e-6) for n in BRCMWCS_NAMES),
    )
}


def load(name: str) -> Problem:
    """The problem of a case: from the cache, or built and put there.

    Raises
    ------
    KeyError
        No such case.
    MissingDataError
        Its files are not on this machine.
    """
    case = CASES[name]
    if case.kind in ("mwcs", "brcmwcs"):
        return case.build()  # reading is as quick as the cache would be
    path = cache_folder() / f"{name}-{builders_digest()[:16]}.json"
    if path.exists():
        return problem_from_dict(json.loads(path.read_text(encoding="utf-8")))
    problem = case.build()
    check_problem(problem)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    unfinished.write_text(json.dumps(problem_to_dict(problem), ensure_ascii=False), encoding="utf-8")
    unfinished.replace(path)
    return problem


def published(name: str) -> Published | None:
    """Published optimum and seconds of an ``mwcs/…`` case."""
    if not name.startswith("mwcs/"):
        return None
    return read_published(instances("mwcs") / "optima.csv").get(f"{name.removeprefix('mwcs/')}.stp")
