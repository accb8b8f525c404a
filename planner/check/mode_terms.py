"""What one mode means for every parcel: when it pays what, what it builds, and which parcels allow it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from planner.check import shapes
from planner.check.figures import Figures, product
from planner.check.mode_demands import Demands
from planner.expressions import evaluate_condition
from planner.spec_modes import MILESTONES, LineSpec, Milestone, ModeSpec, Party

Bools = NDArray[np.bool_]
MONTHS: Final = 12.0


@dataclass(frozen=True, eq=False)
class Payment:
    """One line of a mode.

    Attributes
    ----------
    spec : LineSpec
        Who pays whom.
    amount : float64[n]
        Yuan of each parcel, NaN where unknown.
    first, last : float
        Months after the launch; the same when it is paid at once.
    """

    spec: LineSpec
    amount: shapes.Floats
    first: float
    last: float


@dataclass(frozen=True, eq=False)
class ModeTerms:
    """A mode, worked out for all parcels; n parcels, by position in the layer ``parcels``.

    Parameters
    ----------
    spec : ModeSpec
    figures : Figures
        Fields and figures.
    demands : Demands
        Consent and decanting, and whether a target counts floor.
    """

    spec: ModeSpec
    figures: Figures
    demands: Demands

    @cached_property
    def months(self) -> dict[Milestone, float]:
        """Milestone → months after the launch; one that is never reached is absent."""
        found: dict[Milestone, float] = {"launched": 0.0}
        return found | {step: self.figures.number(value) for step, value in self.spec.months.items()}

    @cached_property
    def months_fault(self) -> str | None:
        """What is wrong with the months: unknown, below 0, falling from one milestone to the next, or in a payment."""
        last, before = 0.0, "launched"
        for step in MILESTONES:
            if step in self.months:
                value = self.months[step]
                if not value >= last:
                    return f"{step} after {value:g} months, {before} after {last:g}"
                last, before = value, step
        for payment in self.payments:
            if not payment.first <= payment.last:
                return f"the payment {payment.spec.name} from month {payment.first:g} to {payment.last:g}"
        return None

    @cached_property
    def net_share(self) -> shapes.Floats:
        """Share of the land that is built on."""
        return self.figures.by_parcel(self.spec.net_share)

    @cached_property
    def new_floor_m2(self) -> shapes.Floats:
        """Floor area built: area · net share · plot ratio, m²."""
        area = self.figures.frame["area_m2"].to_numpy(dtype=float)
        return product(product(self.net_share, area), self.figures.by_parcel(self.spec.far))

    @cached_property
    def decant_m2(self) -> shapes.Floats:
        """New floor that takes displaced firms in, m², NaN where unknown."""
        return product(self.figures.by_parcel(self.spec.decant_share), self.new_floor_m2)

    @cached_property
    def displaced_m2(self) -> shapes.Floats:
        """Present floor whose firms must move, m², NaN where unknown."""
        return product(self.figures.by_parcel(self.spec.displaces), self.demands.floor_in_use)

    @cached_property
    def benefit_share(self) -> shapes.Floats:
        """Share of the worth of low-efficient land that the mode brings."""
        return self.figures.by_parcel(self.spec.benefit)

    @cached_property
    def payments(self) -> tuple[Payment, ...]:
        """The lines, in order; a share is one of lines before it."""
        net_area_mu = self.figures.frame["area_mu"].to_numpy(dtype=float) * self.net_share
        amounts: dict[str, shapes.Floats] = {}
        found = []
        for line in self.spec.lines:
            if line.amount is not None:
                amount = self.figures.by_parcel(line.amount, new_floor_m2=self.new_floor_m2, net_area_mu=net_area_mu)
            else:
                share = self.figures.by_parcel(1.0 if line.share is None else line.share)
                amount = share * np.sum([amounts[name] for name in line.of], axis=0)
            amounts[line.name] = amount
            found.append(Payment(line, amount, *self._when(line)))
        return tuple(found)

    def _when(self, line: LineSpec) -> tuple[float, float]:
        """First and last month of a line."""
        if line.at is not None:
            return self.months[line.at], self.months[line.at]
        first = self.months[line.start or "launched"]
        if line.end is not None:
            return first, self.months[line.end]
        return first, first + self.figures.number(0.0 if line.months is None else line.months)

    def net_cost(self, parties: tuple[Party, ...]) -> shapes.Floats:
        """What `parties` pay others less what they receive from others, yuan by parcel, NaN where unknown."""
        total = np.zeros(len(self.figures.frame))
        for payment in self.payments:
            factor = (payment.spec.payer in parties) - (payment.spec.payee in parties)
            if factor:
                total = total + factor * payment.amount
        return total

    @cached_property
    def consent_tests(self) -> tuple[tuple[str, float], ...]:
        """What is counted, holders or area, and the least share of it that must agree."""
        return tuple((test.of, self.figures.number(test.least)) for test in self.spec.consent)

    @cached_property
    def closed(self) -> dict[str, Bools]:
        """Why parcels do not allow the mode → which; something needed is unknown, or `open` does not hold."""
        return {reason: where for reason, where in self._reasons() if where.any()}

    @cached_property
    def open(self) -> Bools:
        """Parcels that allow the mode."""
        shut = np.zeros(len(self.figures.frame), dtype=bool)
        for where in self.closed.values():
            shut |= where
        return ~shut

    def _reasons(self) -> Iterator[tuple[str, Bools]]:
        if self.spec.open is not None:
            holds = evaluate_condition(self.spec.open, self.figures.frame).fillna(False).to_numpy(dtype=bool)
            yield "the mode is not open to them", ~holds
        yield "the share of their worth is unknown", np.isnan(self.benefit_share)
        for payment in self.payments:
            yield f"the payment {payment.spec.name} is unknown", np.isnan(payment.amount)
        if self.demands.counts_floor:
            yield "their new floor area is unknown", np.isnan(self.new_floor_m2)
        if self.demands.decant is not None:
            yield "the floor area that they displace is unknown", np.isnan(self.displaced_m2)
        for of, _ in self.consent_tests:
            yield f"consent ({of}) is unknown", self.demands.undecided(of)
