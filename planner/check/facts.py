"""What the judge works out for itself from the written layers and the configuration, before any rule is applied."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from planner.check import shapes
from planner.check.cash import Cash
from planner.check.columns import measurable, texts
from planner.check.mode_facts import ModeFacts
from planner.check.tolerances import shared_slack_m
from planner.check.worth_facts import WorthFacts


@dataclass(frozen=True)
class Facts(WorthFacts):
    """A plan as the judge sees it. Arrays of length n are by position in the layer ``parcels``."""

    # --- modes -----------------------------------------------------------------------------------------------------

    @cached_property
    def modes(self) -> ModeFacts | None:
        """Payments, times and floor by mode; None without modes."""
        spec = self.config.modes
        return None if spec is None else ModeFacts(self, spec)

    @cached_property
    def cash(self) -> Cash | None:
        """Payments by year and party; None without modes."""
        return None if self.modes is None else Cash(self.modes)

    @property
    def priced(self) -> bool:
        """Whether land has a cost in this plan: by the expression, or by the payments of the modes."""
        return self.config.optimise.cost is not None or self.modes is not None

    @cached_property
    def cost(self) -> shapes.Floats:
        """Cost of each parcel, in currency, NaN where it has none; 0 in a plan without costs.

        By the expression, after its policy for unknown ones; with modes the net cost in the mode of the parcel's block.
        """
        return self.expression_cost if self.modes is None else self.modes.cost

    @cached_property
    def is_ineligible(self) -> NDArray[np.bool_]:
        """Land that is filler in a block: ineligible, or unmeasured."""
        return self.not_eligible

    # --- boundaries ------------------------------------------------------------------------------------------------

    @cached_property
    def barrier(self) -> shapes.Geometries:
        """Barriers, fit for measuring."""
        return measurable(self.tables.barriers)

    @cached_property
    def slack_m(self) -> float:
        """Uncertainty of a shared length, m."""
        return shared_slack_m(self.config.adjacency)

    @property
    def least_adjacent_m(self) -> float:
        """Shared boundary from which two parcels may count as adjacent, m: `min_shared_m` less the slack."""
        return self.config.adjacency.min_shared_m - self.slack_m

    @property
    def barrier_tolerance_m(self) -> float:
        """Reach of a barrier, m: never less than the touch tolerance, for boundaries are not known better than that."""
        spec = self.config.adjacency
        return max(spec.barrier_tolerance_m, spec.touch_tolerance_m)

    def shared(self, pairs: shapes.Ints, *, cut: bool = True) -> shapes.Floats:
        """Least and most boundary that pairs share, m, ``float64[m, 2]``; a barrier's reach is cut out on demand."""
        return shapes.shared_lengths(
            self.shape,
            pairs,
            self.barrier if cut else self.barrier[:0],
            touch_tolerance_m=self.config.adjacency.touch_tolerance_m,
            barrier_tolerance_m=self.barrier_tolerance_m,
        )

    @cached_property
    def link_ends(self) -> shapes.Ints:
        """Ends of the listed links by position, i < j, ``int64[links, 2]``; −1 where an id is unknown."""
        position = {parcel: i for i, parcel in enumerate(self.ids)}
        links = self.tables.links
        ends = [[position.get(p or "", -1) for p in texts(links[end])] for end in ("parcel_a", "parcel_b")]
        return np.sort(np.array(ends, dtype=np.int64).reshape(2, -1).T, axis=1)

    @cached_property
    def seams(self) -> shapes.Seams:
        """Parcels of one block that touch, and what they share."""
        return self.seams_within(list(self.members.values()))

    def seams_within(self, groups: Sequence[shapes.Ints]) -> shapes.Seams:
        """Parcels of one group that touch, and what they share."""
        pairs = shapes.close_pairs(self.shape, groups, self.config.adjacency.touch_tolerance_m)
        shared = self.shared(pairs)
        return shapes.Seams(pairs, shared[:, 0], shared[:, 1])

    @cached_property
    def saved_m(self) -> tuple[shapes.Floats, shapes.Floats]:
        """Least and most boundary, m, by which each seam shortens its block's perimeter on one side.

        A seam within the slack of ``min_shared_m`` may or may not count as adjacency, so its least is 0.
        """
        seams, slack, limit = self.seams, self.slack_m, self.config.adjacency.min_shared_m
        least = np.where(seams.least_m >= limit + slack, seams.least_m - slack, 0.0)
        most = np.where(seams.most_m >= limit - slack, seams.most_m + slack, 0.0)
        return least, most

    @cached_property
    def block_perimeter_m(self) -> dict[str, tuple[float, float]]:
        """Block → least and most perimeter, m: Σ parcel perimeters − 2 · shared boundary."""
        block_at_seam = np.array([self.block_of[i] for i in self.seams.pairs[:, 0]], dtype=object)
        least, most = self.saved_m
        found = {}
        for block, positions in self.members.items():
            total, inside = float(self.perimeter_m[positions].sum()), block_at_seam == block
            found[block] = (total - 2 * float(most[inside].sum()), total - 2 * float(least[inside].sum()))
        return found
