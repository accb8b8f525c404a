"""Third-party web assets, read from installed packages and put into the page as text.

What is inlined, from where and under which licence stands in `ASSETS`; ``THIRD_PARTY.md`` lists the same.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from importlib import metadata, resources
from pathlib import Path, PurePosixPath
from typing import Final

DISTRIBUTION: Final = "XStatic-Leaflet"
DISTRIBUTION_VERSION: Final = "1.9.3.0"
LEAFLET_VERSION: Final = "1.9.3"
_FOLDER: Final = PurePosixPath("xstatic/pkg/leaflet/data")
_STATIC: Final = resources.files(__package__) / "static"

_CSS_URL = re.compile(r"""url\(\s*['"]?([^'")]+)['"]?\s*\)""")
_SOURCE_MAP = re.compile(r"^//# sourceMappingURL=.*$", re.MULTILINE)


@dataclass(frozen=True)
class Asset:
    """One third-party file that ends up in the page.

    Attributes
    ----------
    name : str
        Path below the package's data folder.
    licence : str
        SPDX identifier.
    sha256 : str
        Of the file as the upstream project published it.
    """

    name: str
    licence: str
    sha256: str


ASSETS: Final = (
    Asset("leaflet.js", "BSD-2-Clause", "5819285cec137b229c94e1ee5ad73e8b6b84345a4367d60f75fe477fe0fb7b03"),
    Asset("leaflet.css", "BSD-2-Clause", "90b693d86392a4779c861b28cf307e7e59c3fb35328c4d8b95f58f814d38c722"),
    Asset("images/layers.png", "BSD-2-Clause", "1dbbe9d028e292f36fcba8f8b3a28d5e8932754fc2215b9ac69e4cdecf5107c6"),
    Asset("images/layers-2x.png", "BSD-2-Clause", "066daca850d8ffbef007af00b06eac0015728dee279c51f3cb6c716df7c42edf"),
    Asset("images/marker-icon.png", "BSD-2-Clause", "574c3a5cca85f4114085b6841596d62f00d7c892c7b03f28cbfa301deb1dc437"),
)
"""Everything of others that the page holds: Leaflet, and the images its style sheet names."""

SCRIPTS: Final = (
    "labels.js",
    "base.js",
    "hatch.js",
    "colours.js",
    "details.js",
    "layer_details.js",
    "search.js",
    "controls.js",
    "measure.js",
    "names.js",
    "base_map.js",
    "layers.js",
    "chart.js",
    "timeline.js",
    "locks.js",
    "panel.js",
    "main.js",
)
"""Our own scripts, in the order in which they build on each other."""

STYLES: Final = ("map.css", "locks.css")
"""Our own style sheets; the later ones may refine the former."""


class AssetError(RuntimeError):
    """A third-party asset is missing, or of a version the page was not made for."""


def asset_bytes(name: str) -> bytes:
    """Content of a third-party file named in `ASSETS`.

    Raises
    ------
    AssetError
        If the package is absent, has another version, or lacks the file.
    """
    if name not in {asset.name for asset in ASSETS}:
        raise AssetError(f"{name} is not listed in planner.report.assets.ASSETS")
    remedy = f"install {DISTRIBUTION}=={DISTRIBUTION_VERSION}"
    try:
        distribution = metadata.distribution(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        raise AssetError(f"the map needs the package {DISTRIBUTION}: {remedy}") from None
    if distribution.version != DISTRIBUTION_VERSION:
        raise AssetError(f"the map needs {DISTRIBUTION} {DISTRIBUTION_VERSION}, found {distribution.version}: {remedy}")
    path = Path(str(distribution.locate_file(_FOLDER / name)))
    if not path.is_file():
        raise AssetError(f"{DISTRIBUTION} {distribution.version} lacks {_FOLDER / name}: {remedy} again")
    return path.read_bytes()


def leaflet_script() -> str:
    """Leaflet with its licence above it and without the pointer to a source map (which tools would try to load)."""
    licence = (_STATIC / "leaflet-LICENSE.txt").read_text(encoding="utf-8").strip()
    code = _SOURCE_MAP.sub("", asset_bytes("leaflet.js").decode("utf-8")).strip()
    return f"/*! Leaflet {LEAFLET_VERSION}\n{licence}\n*/\n{code}\n"


def leaflet_style() -> str:
    """Leaflet's style sheet with its images as data URIs."""
    css = asset_bytes("leaflet.css").decode("utf-8").replace("\r\n", "\n")
    return _CSS_URL.sub(_data_uri, css)


def own_style() -> str:
    """Our style sheets, one after the other."""
    return "\n".join((_STATIC / name).read_text(encoding="utf-8") for name in STYLES)


def own_scripts() -> tuple[str, ...]:
    """Our scripts, in loading order."""
    return tuple((_STATIC / name).read_text(encoding="utf-8") for name in SCRIPTS)


def _data_uri(match: re.Match[str]) -> str:
    target = match.group(1)
    if target.startswith("#"):  # a reference into the page itself
        return match.group(0)
    encoded = base64.b64encode(asset_bytes(target)).decode("ascii")
    return f"url(data:image/png;base64,{encoded})"
