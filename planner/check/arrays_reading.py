"""Problem and solution documents as the judge of arrays reads them: their form, and nothing of their sense."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import pydantic
from numpy.typing import NDArray

from geodata.errors import DataError, Issue
from geodata.spec import Spec

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

VERSION: Final = 2
COUNTED_UNITS: Final = {"boundary_mu": "mu", "cleared_mu": "mu", "accepted_mu": "mu", "floor_m2": "m²"}
"""What a target may count besides net land and blocks, with its unit."""


@dataclass(frozen=True, eq=False)
class Question:
    """The problem: arrays by parcel in the order of `ids`; modes always have a column each.

    Attributes
    ----------
    ids : tuple of str
        n parcels.
    area_mu, perimeter_m : float64[n]
    benefit, cost : float64[n, M]
        Undiscounted, by mode, in currency.
    selectable, filler : bool[n]
    zone, earliest, lock_by : int64[n]
    mode_open : bool[n, M]
    counted : dict of str to float64[n, M]
        What targets count, by measure (but blocks).
    village : int64[n] or None
    existing_from : int64[n]
    change_price : float64[n] or None
        Price of changing a parcel against the plan before.
    pairs, links : int64[m, 2]
    shared_m : float64[m]
    data : mapping
        The document, for everything that is no array by parcel.
    """

    ids: tuple[str, ...]
    area_mu: Floats
    perimeter_m: Floats
    benefit: Floats
    cost: Floats
    selectable: Bools
    filler: Bools
    zone: Ints
    earliest: Ints
    lock_by: Ints
    mode_open: Bools
    counted: Mapping[str, Floats]
    village: Ints | None
    existing_from: Ints
    change_price: Floats | None
    pairs: Ints
    shared_m: Floats
    links: Ints
    data: Mapping[str, Any]

    @property
    def n(self) -> int:
        """Number of parcels."""
        return len(self.ids)

    @property
    def phases(self) -> Sequence[Mapping[str, Any]]:
        """Phases in order."""
        return list(self.data["phases"])

    @property
    def modes(self) -> Sequence[Mapping[str, Any]]:
        """Ways to redevelop a block."""
        return list(self.data["modes"])

    def floats(self, values: Any, where: str) -> Floats:
        """An array by parcel from elsewhere in the document."""
        return np.asarray(_array(values, np.float64, where, (self.n,)))

    def ints(self, values: Any, where: str, shape: tuple[int | None, ...]) -> Ints:
        """Positions from elsewhere in the document; None = any length."""
        return np.asarray(_array(values, np.int64, where, shape))

    def cells(self, values: Any, where: str, shape: tuple[int | None, ...]) -> Floats:
        """An array of any shape from elsewhere in the document; None = any length."""
        return np.asarray(_array(values, np.float64, where, shape))

    def bools(self, values: Any, where: str) -> Bools:
        """Membership by parcel from elsewhere in the document."""
        return np.asarray(_array(values, np.bool_, where, (self.n,)))


class AnswerBlock(Spec):
    """One block as the solution lists it; `phase` counts from 1."""

    phase: int
    phase_id: str
    mode: str
    area_mu: float
    parcel_ids: list[str]


class TraceEntry(Spec):
    """Best plan and bound at one moment; null before the first."""

    seconds: float
    objective: float | None
    bound: float | None


class Answer(Spec):
    """The solution."""

    format: Literal["land-consolidation-solution"]
    version: Literal[2]
    status: Literal["optimal", "feasible"]
    stopped_by: str
    currency: str
    objective: float
    bound: float
    bound_proof: str
    gap: float | None
    gap_abs: float
    rounds: int
    repeatable: bool
    blocks: list[AnswerBlock]
    trace: list[TraceEntry]


def read_answer(data: Any) -> Answer:
    """Read a solution document.

    Raises
    ------
    DataError
        It is not of that form; everything wrong is listed.
    """
    try:
        return Answer.model_validate(data, strict=True)
    except pydantic.ValidationError as error:
        raise DataError(
            [
                Issue(
                    f"solution, {'.'.join(str(part) for part in fault['loc'])}",
                    repr(fault["input"])[:60],
                    fault["msg"],
                    "Use a solution.json written by this program; its form is documented in problem-format.md.",
                )
                for fault in error.errors()
            ]
        ) from error


def read_question(data: Any) -> Question:
    """Read a problem document.

    Raises
    ------
    DataError
        Wrong format or version, or an array that is missing or of another size.
    """
    form = "land-consolidation-problem"
    if not isinstance(data, Mapping) or data.get("format") != form or data.get("version") != VERSION:
        raise DataError(
            Issue("problem", "another document", f"format {form!r} version {VERSION}", "Give the problem.json solved.")
        )
    needed = ("parcels", "adjacency", "links", "zones", "phases", "modes", "targets", "block", "weights", "currency")
    missing = [key for key in (*needed, "groups", "resources", "block_rules", "fixed", "rolling") if key not in data]
    if missing:
        raise DataError([Issue("problem", f"no key {key!r}", "that key", "Write the file again.") for key in missing])
    parcels, n, m = data["parcels"], len(data["parcels"].get("id", ())), len(data["modes"])

    def column(name: str, dtype: Any, *, by_mode: bool = False) -> Any:
        return _array(parcels.get(name), dtype, f"parcels.{name}", (n, m) if by_mode else (n,))

    def spread(name: str) -> Floats:
        if f"mode_{name}" in parcels:
            return np.asarray(column(f"mode_{name}", np.float64, by_mode=True))
        return np.repeat(column(name, np.float64)[:, None], m, axis=1)

    pairs = _array(data["adjacency"].get("pairs"), np.int64, "adjacency.pairs", (None, 2))
    return Question(
        ids=tuple(str(i) for i in parcels["id"]),
        area_mu=column("area_mu", np.float64),
        perimeter_m=column("perimeter_m", np.float64),
        benefit=spread("benefit"),
        cost=spread("cost"),
        selectable=column("selectable", np.bool_),
        filler=column("filler", np.bool_),
        zone=column("zone", np.int64),
        earliest=column("earliest", np.int64),
        lock_by=column("lock_by", np.int64),
        mode_open=column("mode_open", np.bool_, by_mode=True)
        if "mode_open" in parcels
        else np.ones((n, m), dtype=bool),
        counted={"mu": np.repeat(column("area_mu", np.float64)[:, None], m, axis=1)}
        | {
            name: column(f"mode_{name}", np.float64, by_mode=True)
            for name in COUNTED_UNITS
            if f"mode_{name}" in parcels
        },
        village=column("village", np.int64) if "village" in parcels else None,
        existing_from=column("existing_from", np.int64)
        if "existing_from" in parcels
        else np.full(n, len(data["phases"]), dtype=np.int64),
        change_price=column("change_price", np.float64) if "change_price" in parcels else None,
        pairs=pairs,
        shared_m=_array(data["adjacency"].get("shared_m"), np.float64, "adjacency.shared_m", (len(pairs),)),
        links=_array(data["links"].get("pairs"), np.int64, "links.pairs", (None, 2)),
        data=data,
    )


def _array(values: Any, dtype: Any, where: str, shape: tuple[int | None, ...]) -> NDArray[Any]:
    """Values as an array of that shape (None = any length)."""
    wanted = tuple(0 if length is None else length for length in shape)
    try:
        array = np.asarray(values).reshape(wanted) if isinstance(values, list) and not values else np.asarray(values)
        kinds = {np.bool_: "b", np.int64: "iu"}.get(dtype, "iuf")
        fits = array.ndim == len(shape) and all(w is None or w == s for w, s in zip(shape, array.shape, strict=True))
        good = fits and (array.dtype.kind in kinds or array.size == 0)
    except ValueError:
        good = False
    if not good:
        expected = f"numbers of shape {shape}, {np.dtype(dtype).name}"
        raise DataError(Issue(f"problem, {where}", type(values).__name__, expected, "Write the file again."))
    return array.astype(dtype)
