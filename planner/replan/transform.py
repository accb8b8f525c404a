"""replanned_config(contents, changes) → the configuration of the new run, and what is told about it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from geodata.errors import Issue
from planner.config import Config
from planner.config_expressions import expression_issues, name_issues, without_idle_figures
from planner.config_file import LoadedConfig, make_paths_absolute, validated
from planner.config_yaml import Key, Origin, Origins, Tree, origin_of
from planner.contents import CONFIG, PlanContents
from planner.errors import ConfigError
from planner.mode_table import put_in_tables
from planner.monitoring.entries import Entries
from planner.replan import land_events, limit_events, project_events
from planner.replan.before import FormerBlock, FormerPlan
from planner.replan.changes_file import Changes
from planner.replan.draft import Draft, Place
from planner.replan.prices import ChangePrices, change_prices
from planner.replan.spec import EventSpec, KeepPrices
from planner.replan.told import EventTold, Note

_APPLY: Final[Mapping[str, Callable[[Draft, EventSpec, Place], None]]] = {
    "refused": land_events.refused,
    "refused_where": land_events.refused_where,
    "agreed": land_events.agreed,
    "lock": land_events.lock,
    "done": project_events.done,
    "running": project_events.running,
    "dropped": project_events.dropped,
    "budget": limit_events.budget,
    "target": limit_events.target,
}


@dataclass(frozen=True)
class ReplanConfig:
    """The configuration of a replan.

    Attributes
    ----------
    loaded : LoadedConfig
        Complete: with `optimise.keep`, locks, blocks that stand, gates, budgets and targets; and where they come from.
    fresh : Config
        The same without `optimise.keep`: planning anew.
    before : FormerPlan
    events : tuple of EventTold
        What happened and what it did, in order.
    prices : ChangePrices
    """

    loaded: LoadedConfig
    fresh: Config
    before: FormerPlan
    events: tuple[EventTold, ...]
    prices: ChangePrices

    @property
    def config(self) -> Config:
        """The configuration of the new run."""
        return self.loaded.config


def replanned_config(
    contents: PlanContents,
    changes: Changes | None = None,
    progress: Entries | None = None,
    folder: Path = Path(),
    *,
    solve: Mapping[str, Any] | None = None,
) -> ReplanConfig:
    """The configuration of the plan before → that of the replan.

    Settings of `set` come first, then what the progress says, then the other events in their order, `now` last.

    Parameters
    ----------
    contents : PlanContents
        The plan before.
    changes : Changes, optional
        What happened.
    progress : Entries, optional
        States of projects: done and running ones stand, dropped ones are given up.
    folder : pathlib.Path
        Folder of the plan before, for messages.
    solve : mapping, optional
        Keys of the section `solve` that win over all (of the command line).

    Raises
    ------
    ConfigError
        Unknown parcels, blocks, phases or zones, contradictions, and whatever makes the result no configuration; all
        that is found, each with its place.
    """
    before, main = FormerPlan.of(contents), folder / CONFIG
    tree = contents.config.model_dump(mode="json", by_alias=True)
    origins: Origins = {}
    placed = list(_places(changes))
    for event, place in placed:
        if event.set_ is not None:
            _set(tree, origins, event.set_, place, before)
    tree["solve"] |= dict(solve or {})
    config = _checked(tree, origins, main)
    tree = config.model_dump(mode="json", by_alias=True)
    draft = Draft(before, config, tree, _fields(contents), _standing(before, config), origins)
    if progress is not None:
        _progress(draft, progress)
    for event, place in placed:
        if event.kind == "set":
            assert event.set_ is not None
            draft.tell(place, event.reason, (), [Note("replan_set", (k, v)) for k, v in _flat(event.set_)])
        elif event.kind != "now":
            _APPLY[event.kind](draft, event, place)
    draft.issues += _held(draft)
    for event, place in placed:
        if event.now is not None:
            limit_events.now(draft, event.now, event.reason, place)
    if draft.issues:
        raise ConfigError(draft.issues)
    begins = next((e.now for e, _ in placed if e.now is not None), None)
    prices = change_prices(config, KeepPrices() if changes is None else changes.spec.keep)
    _write_blocks(draft, begins, prices)
    replanned = _checked(tree, origins, main)
    fresh = replanned.optimise.model_copy(update={"keep": None})
    return ReplanConfig(
        loaded=LoadedConfig(replanned, origins, main),
        fresh=replanned.model_copy(update={"optimise": fresh}),
        before=before,
        events=tuple(draft.events),
        prices=prices,
    )


def _places(changes: Changes | None) -> Iterator[tuple[EventSpec, Place]]:
    if changes is None:
        return
    for k, event in enumerate(changes.spec.changes or ()):
        key: Key = ("changes", k, event.kind)
        yield event, Place(key, lambda key: changes.where(*key), changes.origin)


def _set(tree: Tree, origins: Origins, given: dict[str, Any], place: Place, before: FormerPlan) -> None:
    """Merge as a scenario is merged; relative paths are relative to the file of changes."""
    if "keep" in (given.get("optimise") or {}):
        found, expected = "optimise.keep", "any other key: the plan to keep is the one before"
        raise ConfigError(Issue(place.at("optimise", "keep"), found, expected, "Use `keep` of the changes for prices."))
    value = copy.deepcopy(given)
    here: Origins = {(): place.origin(place.key)}
    make_paths_absolute(value, here, Path(here[()].source))
    _merge(tree, value, origins, place, ())


def _merge(into: Tree, other: Mapping[str, Any], origins: Origins, place: Place, key: Key) -> None:
    for name, value in other.items():
        here = (*key, name)
        if isinstance(value, dict) and isinstance(into.get(name), dict):
            _merge(into[name], value, origins, place, here)
        else:
            into[name] = value
            origins[here] = place.origin((*place.key, *here))


def _flat(value: Mapping[str, Any], key: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    for name, inner in value.items():
        if isinstance(inner, dict) and inner:
            yield from _flat(inner, (*key, name))
        else:
            text = str(inner)
            yield ".".join((*key, name)), text if len(text) <= 60 else f"{text[:59]}…"


def _checked(tree: Tree, origins: Origins, main: Path) -> Config:
    """Validate as a configuration file is."""
    tree = copy.deepcopy(tree)
    spare = put_in_tables(tree, dict(origins), main)
    config = validated(tree, origins, main)

    def where(*key: str | int) -> str:
        return origin_of(origins, key, main).at(key)

    config, issues = without_idle_figures(config, spare, where)
    issues += [*name_issues(config, where), *expression_issues(config, where)]
    if issues:
        raise ConfigError(issues)
    return config


def _fields(contents: PlanContents) -> pd.DataFrame:
    """Fields of the parcels, and the facts that reports show (owner, tenant) where no field has their name."""
    parcels = contents.tables.parcels
    frame = pd.DataFrame(parcels.drop(columns="geometry")).set_index(parcels["parcel_id"].astype(str))
    facts = contents.shown.set_axis(contents.shown.index.astype(str))
    return frame.join(facts[[c for c in facts.columns if c not in frame.columns]])


def _standing(before: FormerPlan, config: Config) -> dict[str, FormerBlock]:
    """Blocks of the plan that stood before, and still do."""
    held = {b.id for b in config.optimise.locks.blocks}
    return {b.standing: b for b in before.blocks if b.standing in held and b.standing is not None}


def _progress(draft: Draft, progress: Entries) -> None:
    """States of projects as events; the place of an issue is the file of the progress."""
    origin = Origin(progress.source, None, Path())
    apply = {"done": project_events.stand, "running": project_events.stand, "dropped": project_events.drop}
    for state, act in apply.items():
        names = sorted(code for code, entry in progress.by_code.items() if entry.state == state)
        if names:
            place = Place(("progress", state), origin.at, lambda _key: origin)
            act(draft, draft.blocks(names, place.at()), Path(progress.source).name, place)


def _held(draft: Draft) -> Iterator[Issue]:
    """Contradictions, those with projects that stood before among them."""
    named = {i for b in draft.standing.values() for i in b.parcels}
    for i in sorted(named):
        sides = {d.side for d in draft.decided.get(i, ())}
        if sides and "stands" not in sides:
            draft.decide([i], "stands", "optimise.locks.blocks of the plan before")
    yield from draft.contradictions()


def _write_blocks(draft: Draft, begins: str | None, prices: ChangePrices) -> None:
    """Blocks that stand, and the plan before with the price of changing it."""
    locks, phases = draft.locks, [p["id"] for p in draft.phases]
    planned = {(b.standing or b.name): b for b in draft.standing.values()}
    outside = [b for b in locks["blocks"] if b["id"] not in {x.standing for x in draft.before.blocks}]
    locks["blocks"] = [*outside, *({**b.spec(), "id": name} for name, b in sorted(planned.items()))]
    first = phases.index(begins) if begins is not None else 0
    kept = [b for b in draft.before.blocks if b.phase in phases]
    names = [b.name for b in kept]
    unique = len(set(names)) == len(names)
    blocks = []
    for block in kept:
        late = phases.index(block.phase) < first and block not in draft.standing.values()
        name = block.name if unique else block.block_id
        blocks.append({**block.spec(), "id": name} | ({"phase": begins} if late else {}))
    draft.tree["optimise"]["keep"] = {
        "blocks": blocks,
        "price_per_parcel": prices.per_parcel,
        "price_per_mu": prices.per_mu,
    }
