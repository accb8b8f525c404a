"""Drawings (DXF, metres) of land: outlines, fills and labels on named, coloured layers.

Release 2004 with texts in the Chinese code page (ANSI_936): the oldest release with true colours, read by all that is
newer, by the surveying programs that run on AutoCAD 2004 to 2008, and by GDAL, which takes the UTF-8 of later releases
for Latin letters. Signs outside the code page are written by their number in Unicode.

Outlines are closed LWPOLYLINEs, a hole being one of its own; each carries what it belongs to as extended data of the
application `APPLICATION`. Fills are solid hatches with their holes, labels MTEXT in a font with Chinese glyphs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import ezdxf
import numpy as np
import numpy.typing as npt
import shapely
from ezdxf._options import options
from ezdxf.colors import DXF_DEFAULT_COLORS, int2rgb
from ezdxf.document import Drawing
from ezdxf.enums import MTextEntityAlignment
from ezdxf.layouts.layout import Modelspace
from ezdxf.units import M

from geodata.write import replacing

APPLICATION: Final = "LANDPLAN"
"""Name under which extended data is registered."""
FONT: Final = ("simsun.ttc", "SimSun")
"""File and family of the labels' font: it comes with Windows and has Chinese glyphs."""
TEXT_STYLE: Final = "LANDPLAN"

_XDATA_BYTES: Final = 250
_FORBIDDEN: Final = re.compile(r'[<>/\\":;?*|=`,\x00-\x1f]')
_LAYER_LENGTH: Final = 120
_DASHED: Final = "LANDPLAN_DASH"
_CONTRAST: Final = 7
_BY_LAYER: Final = 256


@dataclass(frozen=True)
class DrawingText:
    """A label: its lines, where its middle stands, the height of its letters in metres."""

    lines: tuple[str, ...]
    x: float
    y: float
    height_m: float


@dataclass(frozen=True)
class DrawingLayer:
    """A layer of the drawing.

    Attributes
    ----------
    name : str
        Signs that no layer's name may hold become ``_``.
    colour : str or None
        ``#RRGGBB``; programs without true colours take the nearest of the 255 indexed ones. None: black on a white
        ground, white on a black one.
    shapes : sequence of shapely geometry
        Areas and lines, in metres.
    data : sequence of tuple of str
        What goes with each shape as extended data, ``key=value``; as many as shapes, or none.
    texts : sequence of DrawingText
    fill : bool
        Areas are filled, half transparent, instead of outlined.
    width_mm : float
        Width of lines on paper.
    dashed : bool
    shown : bool
        False: switched off when the drawing opens.
    """

    name: str
    colour: str | None
    shapes: Sequence[Any] = ()
    data: Sequence[tuple[str, ...]] = ()
    texts: Sequence[DrawingText] = field(default=())
    fill: bool = False
    width_mm: float = 0.13
    dashed: bool = False
    shown: bool = True


def write_dxf(layers: Iterable[DrawingLayer], path: str | Path, comments: Sequence[str] = ()) -> None:
    """Write a drawing.

    Parameters
    ----------
    layers : iterable of DrawingLayer
        From the lowest to the topmost.
    path : str or pathlib.Path
        Replaced if it exists. The same layers give the same bytes.
    comments : sequence of str
        What the file says of itself (CRS, plan, synthetic land): kept among the custom properties of the drawing.

    Raises
    ------
    ValueError
        If a layer has data for another number of shapes.
    """
    before = options.write_fixed_meta_data_for_testing
    options.write_fixed_meta_data_for_testing = True  # no clock, no random identifiers
    try:
        document = _document(comments)
        taken: set[str] = set()
        extent: list[npt.NDArray[np.float64]] = []
        for layer in layers:
            name = _layer_name(layer.name, taken)
            _add_layer(document, name, layer)
            extent.extend(shapely.bounds(np.asarray(layer.shapes, dtype=object)).reshape(-1, 4))
        _show_all(document, extent)
        with replacing(Path(path)) as temporary:
            document.saveas(temporary)
    finally:
        options.write_fixed_meta_data_for_testing = before


def nearest_index(colour: str) -> int:
    """Index of the nearest of the fixed colours of CAD programs, 1 to 255, to ``#RRGGBB``."""
    wanted = np.array(list(bytes.fromhex(colour[1:])))
    known = np.array([int2rgb(value) for value in DXF_DEFAULT_COLORS[1:256]])
    return int(((known - wanted) ** 2).sum(axis=1).argmin()) + 1


def _document(comments: Sequence[str]) -> Drawing:
    document: Drawing = ezdxf.new("R2004", units=M)  # type: ignore[attr-defined]
    document.encoding = "gbk"
    document.appids.new(APPLICATION)
    document.linetypes.add(_DASHED, pattern=[12.0, 8.0, -4.0], description="- - - -")
    style = document.styles.new(TEXT_STYLE, dxfattribs={"font": FONT[0]})
    style.set_extended_font_data(FONT[1])
    document.header["$LTSCALE"] = 1.0
    document.header["$PSLTSCALE"] = 0
    for number, comment in enumerate(comments, start=1):
        document.header.custom_vars.append(f"{APPLICATION}{number}", _one_line(comment))
    return document


def _layer_name(wanted: str, taken: set[str]) -> str:
    plain = _FORBIDDEN.sub("_", wanted).strip()[:_LAYER_LENGTH] or "_"
    name, number = plain, 1
    while name.lower() in taken | {"0", "defpoints"}:
        number += 1
        name = f"{plain}_{number}"
    taken.add(name.lower())
    return name


def _add_layer(document: Drawing, name: str, layer: DrawingLayer) -> None:
    if layer.data and len(layer.data) != len(layer.shapes):
        raise ValueError(f"layer {layer.name!r}: {len(layer.data)} rows of data for {len(layer.shapes)} shapes")
    entry = document.layers.add(name, color=_CONTRAST, lineweight=_lineweight(layer.width_mm))
    if layer.colour is not None:
        red, green, blue = bytes.fromhex(layer.colour[1:])
        entry.color, entry.rgb = nearest_index(layer.colour), (red, green, blue)
    if layer.dashed:
        entry.dxf.linetype = _DASHED
    if not layer.shown:
        entry.off()
    space = document.modelspace()
    rows = layer.data or [()] * len(layer.shapes)
    for shape, data in zip(layer.shapes, rows, strict=True):
        for part in shapely.get_parts(shape):
            if shapely.is_empty(part):
                continue
            if layer.fill:
                _fill(space, name, part)
            else:
                _outline(space, name, part, data)
    for text in layer.texts:
        _label(space, name, text)


def _lineweight(width_mm: float) -> int:
    """The nearest width that CAD programs know, in hundredths of a millimetre."""
    known = (0, 5, 9, 13, 15, 18, 20, 25, 30, 35, 40, 50, 53, 60, 70, 80, 90, 100, 106, 120, 140, 158, 200, 211)
    return min(known, key=lambda width: abs(width - 100 * width_mm))


def _rings(part: Any) -> list[npt.NDArray[np.float64]]:
    """Corners of the outline, then of the holes, without the closing one."""
    return [shapely.get_coordinates(ring)[:-1] for ring in shapely.get_rings(part)]


def _outline(space: Modelspace, name: str, part: Any, data: tuple[str, ...]) -> None:
    lines = _lines_of(part)
    for coordinates, closed, role in lines:
        drawn = space.add_lwpolyline(coordinates.tolist(), format="xy", close=closed, dxfattribs={"layer": name})
        if data:
            drawn.set_xdata(APPLICATION, [(1000, text) for row in (*data, *role) for text in _pieces(row)])


def _lines_of(part: Any) -> Iterator[tuple[npt.NDArray[np.float64], bool, tuple[str, ...]]]:
    if part.geom_type == "Polygon":
        for number, ring in enumerate(_rings(part)):
            yield ring, True, ("ring=outer" if number == 0 else "ring=hole",)
    else:
        yield shapely.get_coordinates(part), False, ()


def _fill(space: Modelspace, name: str, part: Any) -> None:
    hatch = space.add_hatch(_BY_LAYER, dxfattribs={"layer": name, "hatch_style": 0})
    hatch.transparency = 0.5
    for number, ring in enumerate(_rings(part)):
        flags = ezdxf.const.BOUNDARY_PATH_EXTERNAL if number == 0 else ezdxf.const.BOUNDARY_PATH_DEFAULT
        hatch.paths.add_polyline_path(ring.tolist(), is_closed=True, flags=flags)


def _label(space: Modelspace, name: str, text: DrawingText) -> None:
    drawn = space.add_mtext(
        "\\P".join(_mtext(line) for line in text.lines),
        dxfattribs={"layer": name, "style": TEXT_STYLE, "char_height": text.height_m},
    )
    drawn.set_location((text.x, text.y), attachment_point=MTextEntityAlignment.MIDDLE_CENTER)


def _mtext(text: str) -> str:
    """Text with the signs that MTEXT takes as commands made plain."""
    plain = re.sub(r"([\\{}])", r"\\\1", _one_line(text))
    return plain.replace("^", "^ ").replace("%%", "%\u200b%")


def _one_line(text: str) -> str:
    return " ".join(re.sub(r"[\x00-\x1f\x7f]", " ", text).split())


def _pieces(text: str) -> Iterator[str]:
    """A text in pieces that fit into a string of extended data, whatever their encoding."""
    letters = _one_line(text)
    piece, size = "", 0
    for letter in letters:
        length = len(letter.encode("utf-8", "replace"))
        if size + length > _XDATA_BYTES:
            yield piece
            piece, size = "", 0
        piece, size = piece + letter, size + length
    yield piece


def _show_all(document: Drawing, extents: Sequence[npt.NDArray[np.float64]]) -> None:
    """Set extents and the first view, so that the drawing opens on the land."""
    bounds = np.array([e for e in extents if np.isfinite(e).all()])
    if not len(bounds):
        return
    (x0, y0), (x1, y1) = bounds[:, :2].min(axis=0), bounds[:, 2:].max(axis=0)
    document.header["$EXTMIN"], document.header["$EXTMAX"] = (x0, y0, 0.0), (x1, y1, 0.0)
    document.set_modelspace_vport(height=1.1 * max(y1 - y0, 0.6 * (x1 - x0)), center=((x0 + x1) / 2, (y0 + y1) / 2))
