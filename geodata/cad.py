"""Parcels from a DXF drawing: closed polylines of one layer, numbered by the texts of another.

The rules:

- An outline is a polyline of the layer `polygons` whose end is its beginning and that encloses some area; arcs in it
  come as chords, heights are left out, and what lies in paper space counts for nothing.
- Of outlines that are equal (same corners, whatever the start and direction) the one whose handle comes first as text
  is kept.
- A text belongs to the smallest outline that contains it, so that a parcel inside another keeps its own number.
- Of several texts in one outline the one nearest to a point well inside it (`shapely.point_on_surface`) is its number;
  of texts equally near, the one that comes first.
- An outline without a text is named after its handle, left out, or an error, as `unnumbered` says.

Open polylines, separate lines, equal outlines, outlines without area, further texts and texts in no outline are
listed by handle: all entities of the two layers are accounted for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geodata.errors import DataError, Issue, list_ids
from geodata.notes import SourceNote
from geodata.spec_source import CadSpec

_LINES: Final = shapely.GeometryType.LINESTRING
_POINTS: Final = shapely.GeometryType.POINT
_JOIN: Final = "Outlines drawn as separate lines are not parcels: join them to closed polylines in the CAD program"


@dataclass(frozen=True)
class Drawing:
    """The entities of a drawing.

    Attributes
    ----------
    layer, handle, text : numpy.ndarray of object
        Of each entity; text None where it has none.
    geometry : numpy.ndarray of shapely geometry
        Plane.
    paper : numpy.ndarray of bool
        Whether it lies in paper space (frame, title).
    name : str
        File, for messages.
    """

    layer: npt.NDArray[Any]
    handle: npt.NDArray[Any]
    text: npt.NDArray[Any]
    geometry: npt.NDArray[Any]
    paper: npt.NDArray[np.bool_]
    name: str


@dataclass(frozen=True)
class Outlines:
    """Parcels of a drawing.

    Attributes
    ----------
    frame : pandas.DataFrame
        Columns ``text``, ``handle``, ``cad_layer``; in the order of the drawing.
    geometry : numpy.ndarray of shapely.Polygon
        Their outlines, not repaired.
    notes : tuple of SourceNote
        What was left out, and which number was chosen among several; items are handles.
    """

    frame: pd.DataFrame
    geometry: npt.NDArray[Any]
    notes: tuple[SourceNote, ...]


def drawing(frame: pd.DataFrame, geometry: npt.NDArray[Any], name: str) -> Drawing:
    """A drawing from GDAL's table of entities.

    Parameters
    ----------
    frame : pandas.DataFrame
        Columns ``Layer``, ``EntityHandle``, ``Text``, ``PaperSpace``.
    geometry : numpy.ndarray of shapely geometry
        One per row.
    name : str
        File, for messages.
    """
    numbers = pd.Series([f"entity {i + 1}" for i in range(len(frame))], frame.index, dtype="object")
    handles = frame["EntityHandle"].astype("object").where(frame["EntityHandle"].notna(), numbers)
    text = frame["Text"].astype("object").where(frame["Text"].notna(), None)
    return Drawing(
        layer=frame["Layer"].fillna("").astype("object").to_numpy(),
        handle=handles.to_numpy(),
        text=np.array([None if t is None else " ".join(t.split()) for t in text], dtype=object),
        geometry=geometry,
        paper=frame["PaperSpace"].fillna(False).astype(bool).to_numpy(),
        name=name,
    )


def undeclared(found: Drawing) -> Issue:
    """Why a drawing cannot be read without `cad`, with what its layers hold."""
    return Issue(
        where=found.name,
        found=f"a drawing with the layers {_layers_in_words(found)}",
        expected="to be told which layer holds the parcels' outlines",
        fix=f"Declare it beside `path`: `cad: {{polygons: LAYER, ids: LAYER}}`. {_JOIN}.",
    )


def outlines(found: Drawing, spec: CadSpec) -> Outlines:
    """Parcels by the rules of this module.

    Raises
    ------
    DataError
        If a layer is missing, none of its polylines is closed, or outlines without a number are refused.
    """
    _refuse_wrong_layers(found, spec)
    notes: list[SourceNote] = []
    kept = _closed(found, spec.polygons, notes)
    polygons = _polygons(found.geometry[kept])
    enclosing = shapely.area(polygons) > 0
    _list(notes, found, kept[~enclosing], "closed polyline without area, left out")
    kept, polygons = kept[enclosing], polygons[enclosing]
    first = _first_of_equals(polygons, found.handle[kept])
    _list(notes, found, kept[~first], "outline equal to another, left out")
    kept, polygons = kept[first], polygons[first]
    if not kept.size:
        raise DataError(_no_outline(found, spec.polygons))
    text = _number(found, spec, kept, polygons, notes)
    numbered = np.array([t is not None for t in text], dtype=bool)
    keep = numbered | (spec.unnumbered != "drop") | (spec.ids is None)
    if spec.ids is not None:
        _report_unnumbered(found, spec, kept[~numbered], notes)
    text[~numbered] = found.handle[kept[~numbered]]
    frame = pd.DataFrame(
        {
            "text": pd.Series(text[keep], dtype="str"),
            "handle": pd.Series(found.handle[kept[keep]], dtype="str"),
            "cad_layer": pd.Series(np.full(int(keep.sum()), spec.polygons), dtype="str"),
        }
    )
    return Outlines(frame, polygons[keep], tuple(notes + _not_read(found, spec)))


def _closed(found: Drawing, layer: str, notes: list[SourceNote]) -> npt.NDArray[np.intp]:
    """Closed polylines of a layer; all other entities of it are listed."""
    mine = (found.layer == layer) & ~found.paper
    is_line = shapely.get_type_id(found.geometry) == _LINES
    corners = shapely.get_num_coordinates(found.geometry)
    closed = mine & is_line & shapely.is_closed(found.geometry) & (corners >= 4)
    flat = mine & is_line & ~closed & shapely.is_closed(found.geometry)
    single = mine & is_line & ~closed & ~flat & (corners == 2)
    _list(notes, found, np.flatnonzero(mine & is_line & ~closed & ~flat & ~single), "open polyline, left out")
    _list(notes, found, np.flatnonzero(flat), "closed polyline without area, left out")
    _list(notes, found, np.flatnonzero(single), "separate line, no outline, left out")
    _list(notes, found, np.flatnonzero(mine & ~is_line & (~_has_text(found))), "entity that is no polyline, left out")
    return np.flatnonzero(closed)


def _polygons(lines: npt.NDArray[Any]) -> npt.NDArray[Any]:
    coordinates, of_line = shapely.get_coordinates(lines, return_index=True)
    rings = shapely.linearrings(coordinates, indices=of_line) if len(lines) else lines
    return np.asarray(shapely.polygons(rings), dtype=object)


def _first_of_equals(polygons: npt.NDArray[Any], handles: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Whether a polygon is the only one of its kind or has the first handle among them."""
    table = pd.DataFrame({"ring": shapely.to_wkb(shapely.normalize(polygons)), "handle": handles.astype(str)})
    first = table.sort_values("handle", kind="stable").drop_duplicates("ring").index
    return np.isin(np.arange(len(table)), first)


def _number(
    found: Drawing, spec: CadSpec, kept: npt.NDArray[np.intp], polygons: npt.NDArray[Any], notes: list[SourceNote]
) -> npt.NDArray[Any]:
    """Text of each outline; None where there is none."""
    numbers = np.full(len(kept), None, dtype=object)
    if spec.ids is None:
        return numbers
    texts = np.flatnonzero(_is_text(found) & (found.layer == spec.ids) & ~found.paper)
    pairs = _inside(found, texts, polygons)
    outside = np.setdiff1d(np.arange(len(texts)), pairs["text"].to_numpy())
    _list(notes, found, texts[outside], "text in no outline", shown=found.text)
    pairs["words"] = found.text[texts[pairs["text"]]]
    pairs["handle"] = found.handle[texts[pairs["text"]]]
    ranked = pairs.sort_values(["outline", "distance", "words", "handle"])
    chosen = ranked.drop_duplicates("outline")
    numbers[chosen["outline"].to_numpy()] = chosen["words"].to_numpy()
    several = ranked[ranked["outline"].duplicated(keep=False)]
    words = several.groupby("outline", sort=True)["words"].agg(list)
    items = [
        f"{found.handle[kept[outline]]} (took {first}, not {', '.join(others)})"
        for outline, (first, *others) in zip(words.index.to_numpy(), words, strict=True)
    ]
    if items:
        what = f"outline with several texts ({len(several)} in all): the one nearest to its inner point is its number"
        notes.append(SourceNote.of(found.name, what, items))
    return numbers


def _inside(found: Drawing, texts: npt.NDArray[np.intp], polygons: npt.NDArray[Any]) -> pd.DataFrame:
    """For each text the smallest outline that contains it: columns text, outline (positions), distance."""
    points = found.geometry[texts]
    solid = np.where(shapely.is_valid(polygons), polygons, shapely.make_valid(polygons))
    text, outline = shapely.STRtree(solid).query(points, predicate="within")
    pairs = pd.DataFrame({"text": text, "outline": outline, "area": shapely.area(solid)[outline]})
    pairs["first"] = shapely.to_wkb(shapely.normalize(polygons))[outline] if len(pairs) else None
    pairs = pairs.sort_values(["text", "area", "first"]).drop_duplicates("text")
    inner = shapely.point_on_surface(solid[pairs["outline"].to_numpy()])
    return pairs.assign(distance=shapely.distance(points[pairs["text"].to_numpy()], inner)).drop(
        columns=["area", "first"]
    )


def _report_unnumbered(found: Drawing, spec: CadSpec, missing: npt.NDArray[np.intp], notes: list[SourceNote]) -> None:
    if not missing.size:
        return
    handles = sorted(found.handle[missing].astype(str))
    if spec.unnumbered == "refuse":
        raise DataError(
            Issue(
                where=f"{found.name}, layer {spec.polygons}",
                found=f"{len(handles)} outlines without a text of layer {spec.ids} inside: {list_ids(handles)}",
                expected="a number in each",
                fix="Add the numbers in the drawing, or set `cad.unnumbered` to name or drop.",
            )
        )
    what = "named after its handle" if spec.unnumbered == "name" else "left out"
    notes.append(SourceNote.of(found.name, f"outline without a text inside, {what}", handles))


def _not_read(found: Drawing, spec: CadSpec) -> list[SourceNote]:
    """The rest of the drawing, counted by layer; entities of the two layers in paper space, or of the wrong kind."""
    notes: list[SourceNote] = []
    ours = np.isin(found.layer, [spec.polygons] if spec.ids is None else [spec.polygons, spec.ids])
    _list(notes, found, np.flatnonzero(ours & found.paper), "entity in paper space, left out")
    unread_text = (found.layer == spec.polygons) & _has_text(found) & ~found.paper & (spec.ids != spec.polygons)
    _list(notes, found, np.flatnonzero(unread_text), "text on the layer of the outlines, not read")
    if spec.ids is not None and spec.ids != spec.polygons:
        no_text = (found.layer == spec.ids) & ~_is_text(found) & ~found.paper
        _list(notes, found, np.flatnonzero(no_text), "entity without text on the layer of the texts, not read")
    names, counts = np.unique(found.layer[~ours].astype(str), return_counts=True)
    if names.size:
        items = [f"{name} ({n})" for name, n in zip(names, counts, strict=True)]
        notes.append(
            SourceNote(found.name, "entity on another layer, not read", int(counts.sum()), tuple(items), warning=False)
        )
    return notes


def _refuse_wrong_layers(found: Drawing, spec: CadSpec) -> None:
    present = set(found.layer)
    issues = [
        Issue(
            where=f"{found.name}, cad.{key}",
            found=f"no layer {layer!r}",
            expected=f"one of {_layers_in_words(found)}",
            fix=f"Correct `cad.{key}`.",
        )
        for key, layer in (("polygons", spec.polygons), ("ids", spec.ids))
        if layer is not None and layer not in present
    ]
    if issues:
        raise DataError(issues)


def _no_outline(found: Drawing, layer: str) -> Issue:
    mine = (found.layer == layer) & (shapely.get_type_id(found.geometry) == _LINES)
    single = int((mine & (shapely.get_num_coordinates(found.geometry) == 2)).sum())
    return Issue(
        where=f"{found.name}, layer {layer}",
        found=f"no closed outline, but {single} separate lines and {int(mine.sum()) - single} other polylines",
        expected=f"closed polylines, as on one of {_layers_in_words(found)}",
        fix=f"Correct `cad.polygons`. {_JOIN}.",
    )


def _layers_in_words(found: Drawing) -> str:
    closed = (shapely.get_type_id(found.geometry) == _LINES) & shapely.is_closed(found.geometry)
    table = pd.DataFrame({"layer": found.layer, "closed": closed, "texts": _is_text(found)})
    counts = table.groupby("layer", sort=True).sum()
    shown = [
        f"{name} ({_counted(int(row.closed), 'closed outline')}, {_counted(int(row.texts), 'text')})"
        for name, row in counts.iterrows()
        if row.closed or row.texts
    ]
    rest = len(counts) - len(shown)
    return ", ".join(shown) + (f" and {rest} with neither closed outlines nor texts" if rest else "")


def _counted(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def _has_text(found: Drawing) -> npt.NDArray[np.bool_]:
    return np.array([bool(t) for t in found.text], dtype=bool)


def _is_text(found: Drawing) -> npt.NDArray[np.bool_]:
    is_point: npt.NDArray[np.bool_] = shapely.get_type_id(found.geometry) == _POINTS
    return _has_text(found) & is_point


def _list(
    notes: list[SourceNote],
    found: Drawing,
    positions: npt.NDArray[np.intp],
    what: str,
    shown: npt.NDArray[Any] | None = None,
) -> None:
    """Add a note with the handles of these entities, and what else is shown of them."""
    if positions.size:
        items = sorted(str(found.handle[i]) if shown is None else f"{found.handle[i]} ({shown[i]})" for i in positions)
        notes.append(SourceNote.of(found.name, what, items))
