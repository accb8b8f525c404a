"""A plan without what must not leave the building: right-holders, credit codes, rents, and fields named sensitive."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any, Final

import geopandas as gpd
import pandas as pd
from pydantic import BaseModel

from geodata.errors import Issue
from planner.config import Config
from planner.config_expressions import expressions_of
from planner.config_yaml import Key
from planner.contents import PlanContents
from planner.errors import ConfigError
from planner.expressions import evaluate_condition, parse
from planner.land_fields import MEASURED
from planner.shown import shown_expressions
from planner.spec_report import SENSITIVE_FACTS
from planner.tables import PlanTables

NOTES: Final = "note"
"""Column of the planner's own remarks on parcels: they name people more often than not."""
LEFT_OUT: Final = "left out"
"""Stands in the configuration for every expression that uses a sensitive field."""
CLEARED: Final = "cleared_already"
"""Column of the parcels that holds what ``optimise.existing`` says, where that uses a sensitive field."""
_OF_FIRMS: Final = ("floor_m2", "firms", "large_firms")
"""Expressions of ``modes.decant`` whose values stand parcel by parcel in the table of firm moves."""


@dataclass(frozen=True)
class Redaction:
    """What was left out, and what can still be worked back.

    Attributes
    ----------
    fields : tuple of str
        Columns of the layer of parcels.
    facts : tuple of str
        Facts of ``report.show``.
    findings : int
        Findings about the data; all are left out, since their words quote values, and their keys may be credit codes.
    worked_out : tuple of str
        Keys of expressions that use a sensitive field and whose results stay, such as ``optimise.cost.value`` (cost) or
        ``scoring.criteria.0.value`` (score): who knows the expression can work the field back.
    """

    fields: tuple[str, ...]
    facts: tuple[str, ...]
    findings: int
    worked_out: tuple[str, ...]


def sensitive_fields(config: Config) -> frozenset[str]:
    """Parcel fields that a redacted package leaves out.

    Those named in ``report.sensitive`` and those that owner, credit code and rent are shown from; what such a derived
    field is made of; fields from the same column of the same source; every derived field made of one of them. Scores,
    costs and worth stay, see `Redaction`.
    """
    shown = shown_expressions(config)
    found = {*config.report.sensitive}
    for fact in SENSITIVE_FACTS:
        if fact in shown:
            found |= parse(shown[fact]).names - {"score", *MEASURED}
    for name, text in reversed(config.scoring.derived.items()):  # each may use those before it
        if name in found:
            found |= parse(text).names - set(MEASURED)
    found |= _sharing(config, found)[0]
    for name, text in config.scoring.derived.items():
        if found & parse(text).names:
            found.add(name)
    return frozenset(found)


def _sharing(config: Config, fields: Set[str]) -> tuple[set[str], set[Hashable]]:
    """Fields from the same source columns as `fields`, and those columns; a table's key is a column of the parcels."""
    columns = list(_columns(config))
    same = [
        ((_table(t), t.key.table), ("parcels", t.key.parcels)) for t in config.tables
    ]  # what is known of one column is known of the other
    found, places = set(fields), set[Hashable]()
    while True:
        grown = places | {place for name, place in columns if name in found}
        grown |= {b for a, b in same if a in grown} | {a for a, b in same if b in grown}
        if grown == places:
            return found, places
        places = grown
        found |= {name for name, place in columns if place in places}


def _columns(config: Config) -> Iterator[tuple[str, Hashable]]:
    """Fields and the source column whose values they hold; a count holds none."""
    for name, spec in config.parcels.fields.items():
        yield name, ("parcels", spec.column)
    for table in config.tables:
        yield from ((name, (_table(table), f.column)) for name, f in table.fields.items() if f.agg != "count")
    for overlay in config.overlays:
        if overlay.attribute is not None:
            yield overlay.name, (("overlay", overlay.path, overlay.layer), overlay.attribute)
    if config.firms is not None:
        yield from ((name, ("firms", f.column)) for name, f in config.firms.fields.items() if f.column is not None)


def _table(table: Any) -> Hashable:
    return ("table", table.path, table.sheet)


def redacted(contents: PlanContents) -> tuple[PlanContents, Redaction]:
    """The plan without what is sensitive, and what was left out.

    Left out are sensitive fields, facts made of them, remarks of the planner, findings about the data, tables and rows
    that hold sensitive values parcel by parcel, and in the configuration every expression and figure that uses a
    sensitive field. Facts are worked out before their fields go.

    Raises
    ------
    ConfigError
        Zones or parcels are named by a sensitive field: no package could do without the names.
    """
    config = contents.config
    fields = sensitive_fields(config)
    _refuse_names(config, fields)
    names = fields | _figures_by(config, fields)
    used = [(key, text) for key, text, _ in expressions_of(config) if parse(text).names & names]
    hidden = {n for n, text in shown_expressions(config).items() if n in SENSITIVE_FACTS or parse(text).names & names}
    facts = contents.shown.drop(columns=[n for n in contents.shown.columns if n in hidden])
    tables, cleared = _parcels_without(contents.tables, config, fields, {key for key, _ in used})
    findings = list(contents.summary.get("data_quality") or ())
    kept = replace(
        contents,
        config=_config_without(config, fields, used, cleared),
        tables=_layers_without(tables, config, fields),
        summary=_summary_without(contents.summary, findings, config.optimise.village in fields),
        modes=_modes_without(contents.modes, config, fields, {key for key, _ in used}),
        facts=facts,
        beside={n: t for n, t in contents.beside.items() if n != "equity" or config.optimise.village not in fields},
    )
    before = contents.tables.parcels.columns
    return kept, Redaction(
        fields=tuple(n for n in before if n in fields or n == NOTES),
        facts=tuple(sorted(hidden)),
        findings=len(findings),
        worked_out=tuple(".".join(map(str, key)) for key, _ in used if _stays(key)),
    )


def _refuse_names(config: Config, fields: Set[str]) -> None:
    """Refuse what would leave zones or parcels without a name."""
    issues = []
    if config.zones is not None and config.zones.field in fields:
        found = f"the field {config.zones.field!r}, which is sensitive and whose values are the names of the zones"
        fix = (
            "Take zones from polygons (`zones.path`) or from another field, run again, or name it no longer sensitive."
        )
        issues.append(Issue("zones.field", found, "zones whose names may leave the building", fix))
    if ("parcels", config.parcels.id) in _sharing(config, fields)[1]:
        found = f"the column {config.parcels.id!r}, which a sensitive field holds and whose values are the parcel ids"
        fix = "Give the parcels ids of another column and run again, or name the field no longer sensitive."
        issues.append(Issue("parcels.id", found, "ids that may leave the building", fix))
    if issues:
        raise ConfigError(issues)


def _figures_by(config: Config, fields: Set[str]) -> set[str]:
    """Figures whose values are listed by the texts of a sensitive field."""
    return set() if config.modes is None else {n for n, f in config.modes.figures.items() if f.by in fields}


def _stays(key: Key) -> bool:
    """Whether results of an expression stay: derived fields and facts go, all others are part of the plan."""
    return key[0] != "report" and key[:2] != ("scoring", "derived")


def _config_without(config: Config, fields: Set[str], used: Sequence[tuple[Key, str]], cleared: str | None) -> Config:
    """The configuration without expressions and figures that use sensitive fields, remarks and base map; not validated.

    The key of a base map, or the path of its raster, is nobody's.
    """
    for key, _ in used:
        config = _put(config, key, cleared if key == ("optimise", "existing") else LEFT_OUT)
    config = _put(config, ("report", "base_map"), None)
    config = _put(config, ("optimise", "locks", "notes"), {})
    for name in sorted(_figures_by(config, fields)):
        for part, value in (("values", None), ("note", LEFT_OUT)):
            config = _put(config, ("modes", "figures", name, part), value)
    if config.optimise.village in fields:
        config = _put(config, ("equity",), None)
    overlays = tuple(o for o in config.overlays if o.name not in _unmeasured(config, fields))
    return config.model_copy(update={"overlays": overlays})


def _put(tree: Any, key: Key, value: Any) -> Any:
    """A copy of models, maps and tuples in which something else stands at `key`."""
    if not key:
        return value
    first, rest = key[0], key[1:]
    if isinstance(tree, BaseModel):
        return tree.model_copy(update={str(first): _put(getattr(tree, str(first)), rest, value)})
    if isinstance(tree, Mapping):
        return {name: _put(part, rest, value) if name == first else part for name, part in tree.items()}
    return tuple(_put(part, rest, value) if k == first else part for k, part in enumerate(tree))


def _parcels_without(
    tables: PlanTables, config: Config, fields: Set[str], used: Set[Key]
) -> tuple[PlanTables, str | None]:
    """Parcels without sensitive columns, and the column that stands for ``optimise.existing`` where one is needed."""
    parcels, cleared = tables.parcels, None
    kept = parcels.drop(columns=[n for n in parcels.columns if n in fields or n == NOTES])
    if config.optimise.existing is not None and ("optimise", "existing") in used:
        cleared = CLEARED
        while cleared in parcels.columns:
            cleared += "_"
        plain = pd.DataFrame(parcels.drop(columns="geometry"))
        values = evaluate_condition(config.optimise.existing, plain).fillna(False).astype(bool)
        kept = gpd.GeoDataFrame(kept)
        kept.insert(kept.columns.get_loc("geometry"), cleared, values.to_numpy())
    return replace(tables, parcels=kept), cleared


def _unmeasured(config: Config, fields: Set[str]) -> set[str]:
    """Overlays whose overlap with the parcels is sensitive."""
    return {o.name for o in config.overlays if {f"{o.name}_m2", f"{o.name}_share"} & fields}


def _layers_without(tables: PlanTables, config: Config, fields: Set[str]) -> PlanTables:
    """No findings, no attributes of sensitive overlays, no sensitive overlays at all."""
    overlaps, overlays, gone = tables.overlaps, tables.overlays, _unmeasured(config, fields)
    if "overlay" in overlaps:
        overlaps = overlaps[~overlaps["overlay"].isin(gone)].reset_index(drop=True)
        named = {o.name for o in config.overlays if o.name in fields}
        overlaps["attribute"] = overlaps["attribute"].mask(overlaps["overlay"].isin(named), None)
    if "overlay" in overlays:
        overlays = overlays[~overlays["overlay"].isin(gone)].reset_index(drop=True)
    return replace(tables, overlaps=overlaps, overlays=overlays, data_quality=tables.data_quality.iloc[:0])


def _summary_without(summary: Mapping[str, Any], findings: Sequence[Any], villages: bool) -> dict[str, Any]:
    """Content of the summary without words that quote data; of the findings only how many there are."""
    what = f"{len(findings)} findings about the data are left out of this package"
    row = {"what": what, "count": len(findings), "area_mu": None, "parcel_ids": [], "to_fix": False}
    kept = {**summary, "data_quality": [row] if findings else []}
    if kept.get("check"):
        kept["check"] = {**kept["check"], "findings": []}
    if villages:
        kept.pop("villages", None)
        kept.pop("equity", None)
    return kept


def _modes_without(
    modes: Mapping[str, pd.DataFrame], config: Config, fields: Set[str], used: Set[Key]
) -> dict[str, pd.DataFrame]:
    """Tables without that of the villages and that of the firm moves, where they hold sensitive values."""
    gone = {"villages"} if config.optimise.village in fields else set()
    if any(("modes", "decant", name) in used for name in _OF_FIRMS):
        gone.add("firm_moves")
    return {name: table for name, table in modes.items() if name not in gone}
