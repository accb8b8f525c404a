"""Two plans compared by blocks: kept exactly, grown, shrunk, moved to another phase, new, dropped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from planner.replan.before import FormerBlock, FormerPlan
from planner.replan.prices import Taken, changed

Fate = Literal["kept", "grown", "shrunk", "reshaped", "new", "dropped"]
FATES: Final[tuple[Fate, ...]] = ("kept", "grown", "shrunk", "reshaped", "new", "dropped")
_MORE: Final = 1e-9


@dataclass(frozen=True)
class BlockFate:
    """What became of a block.

    Attributes
    ----------
    fate : Fate
        ``kept`` the same parcels, ``grown`` more of them, ``shrunk`` fewer, ``reshaped`` some came and some went.
    name, block_id, phase, mode, area_mu
        Of the block before; of the new one where there was none.
    new_block_id, new_phase, new_mode, new_area_mu
        Of the block now; None where it is dropped.
    came_mu, went_mu : float
        Land that came to it and that left it.
    moved : bool
        It comes in another phase or mode.
    standing : bool
        It is a project that stands.
    """

    fate: Fate
    name: str
    block_id: str
    phase: str
    mode: str | None
    area_mu: float
    new_block_id: str | None
    new_phase: str | None
    new_mode: str | None
    new_area_mu: float | None
    came_mu: float
    went_mu: float
    moved: bool
    standing: bool


@dataclass(frozen=True)
class Diff:
    """A plan against the plan before.

    Attributes
    ----------
    blocks : tuple of BlockFate
        By phase and name.
    parcels : tuple of str
        Parcels changed: in one plan only, or in another phase or mode.
    area_mu : float
        Their net area.
    entered_mu, left_mu, moved_mu : float
        Of it land that came into the plan, that left it, that comes in another phase or mode.
    common_mu : float
        Land of the plan before that is as it was.
    """

    blocks: tuple[BlockFate, ...]
    parcels: tuple[str, ...]
    area_mu: float
    entered_mu: float
    left_mu: float
    moved_mu: float
    common_mu: float

    def count(self, fate: Fate) -> int:
        """Blocks of a fate."""
        return sum(b.fate == fate for b in self.blocks)

    def as_dict(self) -> dict[str, Any]:
        """For ``replan.json``."""
        return {
            "parcels_changed": len(self.parcels),
            "changed_mu": self.area_mu,
            "entered_mu": self.entered_mu,
            "left_mu": self.left_mu,
            "moved_mu": self.moved_mu,
            "unchanged_mu": self.common_mu,
            "blocks_by_fate": {fate: self.count(fate) for fate in FATES},
            "blocks_moved": sum(b.moved for b in self.blocks),
            "parcels": list(self.parcels),
            "blocks": [asdict(b) for b in self.blocks],
        }


def taken_by(plan: FormerPlan) -> Taken:
    """Phase and mode of every parcel of a plan."""
    return {i: (b.phase, b.mode) for b in plan.blocks for i in b.parcels}


def difference(before: FormerPlan, after: FormerPlan) -> Diff:
    """Compare two plans of the same land.

    Blocks are matched one to one: the pair with the most land in common first, if it is more than half of the smaller.
    """
    was, now = taken_by(before), taken_by(after)
    area = {**before.area_mu, **after.area_mu}
    parcels = changed(was, now)

    def mu(ids: Sequence[str]) -> float:
        return float(sum(area[i] for i in ids))

    return Diff(
        blocks=_fates(before.blocks, after.blocks, area),
        parcels=tuple(parcels),
        area_mu=mu(parcels),
        entered_mu=mu([i for i in parcels if i not in was]),
        left_mu=mu([i for i in parcels if i not in now]),
        moved_mu=mu([i for i in parcels if i in was and i in now]),
        common_mu=mu([i for i in was if was[i] == now.get(i)]),
    )


def _fates(
    before: Sequence[FormerBlock], after: Sequence[FormerBlock], area: Mapping[str, float]
) -> tuple[BlockFate, ...]:
    pairs = _matched(before, after, area)
    partner = dict(pairs)
    fates = [_fate(b, after[partner[k]] if k in partner else None, area) for k, b in enumerate(before)]
    met = set(partner.values())
    return (*fates, *(_new(b) for j, b in enumerate(after) if j not in met))


def _matched(
    before: Sequence[FormerBlock], after: Sequence[FormerBlock], area: Mapping[str, float]
) -> list[tuple[int, int]]:
    owner = {i: j for j, b in enumerate(after) for i in b.parcels}
    shared: dict[tuple[int, int], float] = {}
    for k, block in enumerate(before):
        for i in block.parcels:
            if i in owner:
                shared[k, owner[i]] = shared.get((k, owner[i]), 0.0) + area[i]
    enough = [(-mu, k, j) for (k, j), mu in shared.items() if mu > min(before[k].area_mu, after[j].area_mu) / 2]
    used_before: set[int] = set()
    used_after: set[int] = set()
    found = []
    for _, k, j in sorted(enough):
        if k not in used_before and j not in used_after:
            found.append((k, j))
            used_before.add(k)
            used_after.add(j)
    return found


def _fate(was: FormerBlock, now: FormerBlock | None, area: Mapping[str, float]) -> BlockFate:
    mine = set(was.parcels)
    theirs = set() if now is None else set(now.parcels)
    came, went = (float(sum(area[i] for i in sorted(x))) for x in (theirs - mine, mine - theirs))
    if now is None:
        fate: Fate = "dropped"
    elif came > _MORE:
        fate = "reshaped" if went > _MORE else "grown"
    else:
        fate = "shrunk" if went > _MORE else "kept"
    return BlockFate(
        fate=fate,
        name=was.name,
        block_id=was.block_id,
        phase=was.phase,
        mode=was.mode,
        area_mu=was.area_mu,
        new_block_id=None if now is None else now.block_id,
        new_phase=None if now is None else now.phase,
        new_mode=None if now is None else now.mode,
        new_area_mu=None if now is None else now.area_mu,
        came_mu=came,
        went_mu=went,
        moved=now is not None and (was.phase, was.mode) != (now.phase, now.mode),
        standing=now is not None and now.standing is not None,
    )


def _new(now: FormerBlock) -> BlockFate:
    return BlockFate(
        fate="new",
        name=now.name,
        block_id=now.block_id,
        phase=now.phase,
        mode=now.mode,
        area_mu=now.area_mu,
        new_block_id=now.block_id,
        new_phase=now.phase,
        new_mode=now.mode,
        new_area_mu=now.area_mu,
        came_mu=now.area_mu,
        went_mu=0.0,
        moved=False,
        standing=now.standing is not None,
    )
