"""Payments of the plan by year and party, from the lines of the modes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property
from math import ceil, floor, isnan
from typing import Final

import numpy as np
from numpy.typing import NDArray

from planner.check.mode_facts import ModeFacts
from planner.check.mode_terms import MONTHS, Payment
from planner.check.tolerances import YEAR
from planner.spec_modes import Party

AT_ONCE: Final = 1e-9
"""Months between the first and the last of a payment below which it is paid at once."""
Flows = dict[Party, dict[int, float]]
"""Party → year → yuan."""


def shares_by_year(launch: float, first: float, last: float) -> dict[int, float]:
    """Year → share of a payment between two months after `launch`; year y is the time from y − 1 to y, its end in it.

    What is paid at the very launch falls in the year that begins then. Without known months there are no years.
    """
    start, end = launch + first / MONTHS, launch + last / MONTHS
    if isnan(start) or isnan(end):
        return {}
    if last - first <= AT_ONCE:
        return {max(ceil(start - YEAR), floor(launch + YEAR) + 1): 1.0}
    found = {}
    for year in range(floor(start) + 1, ceil(end) + 1):
        within = min(end, year) - max(start, year - 1)
        if within > 0:
            found[year] = within / (end - start)
    return found


@dataclass(frozen=True, eq=False)
class Cash:
    """What every party pays and receives in each year, undiscounted, in the blocks of the plan.

    A parcel whose part of a payment is unknown brings nothing to it; see `unknown`.
    """

    modes: ModeFacts

    def _payments(self) -> Iterator[tuple[Payment, int, float]]:
        """Every line of every mode in every phase with blocks: the line, the year, the yuan."""
        plan = self.modes.plan
        for t, launch in enumerate(self.modes.launch, start=1):
            blocks = [block for block, phase in plan.block_phase.items() if phase == t]
            for m, terms in enumerate(self.modes.terms):
                parts = [plan.members[block] for block in blocks if self.modes.block_mode[block] == m]
                if not parts:
                    continue
                mine = np.concatenate(parts)
                for payment in terms.payments:
                    total = float(np.nansum(payment.amount[mine]))
                    for year, share in shares_by_year(launch, payment.first, payment.last).items():
                        yield payment, year, total * share

    @cached_property
    def _flows(self) -> tuple[Flows, Flows]:
        paid: Flows = defaultdict(lambda: defaultdict(float))
        received: Flows = defaultdict(lambda: defaultdict(float))
        for payment, year, yuan in self._payments():
            paid[payment.spec.payer][year] += yuan
            received[payment.spec.payee][year] += yuan
        return paid, received

    def outlay(self, party: Party, phase: int) -> float:
        """Yuan that a party pays in the years of a phase (1-based); the first takes all years before it as well."""
        years = [p.year for p in self.modes.plan.config.optimise.phases]
        after = -np.inf if phase == 1 else years[phase - 2]
        return sum(yuan for year, yuan in self._of(party)[0].items() if after < year <= years[phase - 1])

    def gaps(self, parties: Collection[Party]) -> dict[int, float]:
        """Year → what the parties together have paid less what they have received by its end; years with payments."""
        flows = [self._of(party) for party in parties]
        years = sorted({year for sides in flows for side in sides for year in side})
        net = [sum(paid.get(y, 0.0) - received.get(y, 0.0) for paid, received in flows) for y in years]
        return dict(zip(years, np.cumsum(net).tolist(), strict=True))

    def peak(self, parties: Collection[Party]) -> float:
        """Most yuan by which all that was paid by the end of a year exceeds all that was received; at least 0."""
        return max([0.0, *self.gaps(parties).values()])

    def entries(self, parties: Collection[Party]) -> int:
        """How many payments of single blocks the parties pay or receive: each may be rounded by itself."""
        own = [
            sum(line.payer in parties or line.payee in parties for line in mode.lines)
            for mode in self.modes.spec.choices
        ]
        return sum(own[m] for m in self.modes.block_mode.values() if m >= 0)

    def unknown(self, party: Party) -> NDArray[np.bool_]:
        """Parcels of the plan of which a payment of the party, or to it, is unknown."""
        found = np.zeros(self.modes.plan.n, dtype=bool)
        for m, terms in enumerate(self.modes.terms):
            for payment in terms.payments:
                if party in (payment.spec.payer, payment.spec.payee):
                    found |= (self.modes.mode == m) & np.isnan(payment.amount)
        return found

    def _of(self, party: Party) -> tuple[dict[int, float], dict[int, float]]:
        paid, received = self._flows
        return paid.get(party, {}), received.get(party, {})
