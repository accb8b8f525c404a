"""A check of GeoJSON against RFC 7946, written from its text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.(\d+))?(?:[eE][+-]?\d+)?")
_DEPTH = {"Point": 0, "MultiPoint": 1, "LineString": 1, "MultiLineString": 2, "Polygon": 2, "MultiPolygon": 3}
_GEOMETRY = {"type", "coordinates", "bbox"}
_FEATURE = {"type", "properties", "geometry", "id", "bbox"}
_COLLECTION = {"type", "features", "bbox"}
DECIMALS = 7


class _Decimal(float):
    """A number that remembers how it was written."""

    text: str

    def __new__(cls, text: str) -> _Decimal:
        found = super().__new__(cls, text)
        found.text = text
        return found


def faults(path: Path) -> list[str]:
    """Everything in a file that RFC 7946 forbids or advises against; a FeatureCollection is asked for."""
    raw = path.read_bytes()
    if raw.startswith(b"\xef\xbb\xbf"):
        return ["a byte order mark"]
    try:
        content = json.loads(
            raw.decode("utf-8"), parse_float=_Decimal, parse_constant=_refuse, object_pairs_hook=_distinct
        )
    except (UnicodeDecodeError, ValueError) as error:
        return [f"no JSON in UTF-8: {error}"]
    if not isinstance(content, dict) or content.get("type") != "FeatureCollection":
        return ["no FeatureCollection"]
    found = [f"member {name!r} of the collection" for name in sorted(set(content) - _COLLECTION)]
    features = content.get("features")
    if not isinstance(features, list):
        return [*found, "features is no array"]
    ids = [json.dumps(f["id"]) for f in features if isinstance(f, dict) and "id" in f]
    if len(set(ids)) != len(ids):
        found.append("an id twice")
    for i, feature in enumerate(features):
        found.extend(f"feature {i}: {fault}" for fault in _feature(feature))
    return found


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no number of JSON")


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        raise ValueError(f"a name twice in {names}")
    return dict(pairs)


def _feature(feature: Any) -> Iterator[str]:
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        yield "no Feature"
        return
    yield from (f"member {name!r}" for name in sorted(set(feature) - _FEATURE))
    if "properties" not in feature or not isinstance(feature["properties"], dict | None):
        yield "properties is no object"
    if "id" in feature and (isinstance(feature["id"], bool) or not isinstance(feature["id"], str | int | float)):
        yield "the id is neither text nor number"
    if "geometry" not in feature:
        yield "no geometry member"
    elif feature["geometry"] is not None:
        yield from _geometry(feature["geometry"])


def _geometry(geometry: Any) -> Iterator[str]:
    kind = geometry.get("type")
    if kind not in _DEPTH:
        yield f"geometry of type {kind!r}"
        return
    yield from (f"member {name!r} of the geometry" for name in sorted(set(geometry) - _GEOMETRY))
    lists = _at_depth(geometry.get("coordinates"), _DEPTH[kind])
    if lists is None:
        yield f"coordinates of {kind} nested another way"
        return
    for position in lists:
        yield from _position(position)
    if kind in {"Polygon", "MultiPolygon"}:
        parts = [geometry["coordinates"]] if kind == "Polygon" else geometry["coordinates"]
        for part in parts:
            for number, ring in enumerate(part):
                yield from _ring(ring, outer=number == 0)
    if kind == "LineString" and len(lists) < 2:
        yield "a line of fewer than two positions"


def _at_depth(value: Any, depth: int) -> list[Any] | None:
    """Positions below so many levels of arrays; None where the nesting is another."""
    level = [value]
    for _ in range(depth):
        if not all(isinstance(item, list) for item in level):
            return None
        level = [inner for item in level for inner in item]
    return level


def _position(position: Any) -> Iterator[str]:
    good = isinstance(position, list) and len(position) in {2, 3}
    if not good or any(isinstance(v, bool) or not isinstance(v, int | float) for v in position):
        yield f"a position {position!r}"
        return
    if not (-180 <= position[0] <= 180 and -90 <= position[1] <= 90):
        yield f"a position off the globe {position!r}"
    for value in position:
        match = _NUMBER.fullmatch(value.text) if isinstance(value, _Decimal) else None
        if match is not None and len(match[1] or "") > DECIMALS:
            yield f"more than {DECIMALS} decimals: {value.text}"


def _ring(ring: list[Any], *, outer: bool) -> Iterator[str]:
    if len(ring) < 4:
        yield "a ring of fewer than four positions"
        return
    if ring[0] != ring[-1]:
        yield "a ring that is not closed"
    x0, y0 = ring[0][:2]
    doubled = sum((a[0] - x0) * (b[1] - y0) - (b[0] - x0) * (a[1] - y0) for a, b in pairwise(ring))
    if doubled == 0 or (doubled > 0) != outer:
        yield f"{'an outer ring clockwise' if outer else 'a hole counter-clockwise'}"
