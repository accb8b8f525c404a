"""The plan before, as the configuration names it: its blocks as positions, and the price of changing each parcel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from geodata.errors import Issue, list_ids
from planner.config import Config
from planner.errors import ConfigError
from planner.modes.terms import Terms
from planner.problem import Block, Floats

_WHERE: Final = "optimise.keep.blocks"


@dataclass(frozen=True, eq=False)
class PlanBefore:
    """The plan before.

    Attributes
    ----------
    blocks : tuple of Block
        Without the parcels that the land does not have; blocks of which nothing is left are not among them.
    price : float64[n] or None
        Of changing each parcel, in currency; None without a plan before.
    lost : tuple of str
        Parcels of the plan before that the land does not have.
    """

    blocks: tuple[Block, ...]
    price: Floats | None
    lost: tuple[str, ...]


NOTHING_BEFORE: Final = PlanBefore((), None, ())


def plan_before(config: Config, fields: pd.DataFrame, terms: Terms | None = None) -> PlanBefore:
    """Blocks and prices of `optimise.keep`.

    Land changes between two plans: a parcel that was split or dropped has gone with its id. Such parcels are left out
    and told, so that the rest can be kept.

    Parameters
    ----------
    config : Config
    fields : pandas.DataFrame
        Fields by ``parcel_id``, among them ``area_mu``.
    terms : Terms, optional
        Where there are modes.

    Raises
    ------
    ConfigError
        The land has none of the parcels: the blocks belong to another layer.
    """
    keep = config.optimise.keep
    if keep is None:
        return NOTHING_BEFORE
    place = {str(i): k for k, i in enumerate(fields.index)}
    phases = [p.id for p in config.optimise.phases]
    named = [i for b in keep.blocks for i in b.parcels]
    lost = tuple(i for i in named if i not in place)
    if named and len(lost) == len(named):
        found = f"no parcel of the layer: {list_ids(list(lost))}"
        fix = "Give the blocks of a plan for this layer, or remove `keep`."
        raise ConfigError(Issue(_WHERE, found, "parcels of the layer; some of them may be gone, not all", fix))
    blocks = []
    for spec in keep.blocks:
        members = tuple(sorted(place[i] for i in spec.parcels if i in place))
        mode = 0 if terms is None or spec.mode is None else terms.timetable.modes.index(spec.mode)
        if members:
            blocks.append(Block(members, phases.index(spec.phase), mode))
    price = keep.price_per_parcel + keep.price_per_mu * fields["area_mu"].to_numpy(dtype=np.float64)
    return PlanBefore(tuple(blocks), price, lost)
