"""Where the names of villages are sensitive, equity between them does not leave the building."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from planner.contents import PlanContents
from planner.redact import redacted
from planner.spec_equity import EquitySpec
from tests.planner.test_redact import HAMLET, everything, named, plan

__all__ = ["plan"]


def with_equity(contents: PlanContents) -> PlanContents:
    """The plan as if its hamlet had been compared with another."""
    classes = [{"name": "weak", "villages": [HAMLET]}, {"name": "strong", "villages": ["other"]}]
    spec = EquitySpec.model_validate({"source": "made up", "classes": classes})
    return replace(
        contents,
        config=contents.config.model_copy(update={"equity": spec}),
        summary={**contents.summary, "equity": {"in_no_class": [HAMLET]}},
        beside={"equity": pd.DataFrame({"village": [HAMLET]}), "demand": pd.DataFrame({"project_id": ["x"]})},
    )


def test_a_sensitive_village_takes_equity_along(plan: PlanContents) -> None:
    kept, _ = redacted(named(with_equity(plan), "hamlet"))
    assert set(kept.beside) == {"demand"}
    assert "equity" not in kept.summary
    assert kept.config.equity is None
    assert not [where for where, text in everything(kept) if HAMLET in text]


def test_a_village_that_may_be_named_keeps_it(plan: PlanContents) -> None:
    before = with_equity(plan)
    kept, _ = redacted(before)
    assert set(kept.beside) == {"demand", "equity"}
    assert kept.summary["equity"] == {"in_no_class": [HAMLET]}
    assert kept.config.equity == before.config.equity
