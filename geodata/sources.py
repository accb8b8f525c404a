"""Input files: which paths are allowed, and how their readers' warnings reach the log."""

from __future__ import annotations

import logging
import re
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from geodata.errors import DataError, Issue

_REMOTE = re.compile(r"^(?:[a-z][a-z0-9+.-]+:/|/vsi[a-z0-9_]+(?:/|$))", re.IGNORECASE)
_ONE_SLASH = re.compile(r"\b([a-z][a-z0-9+.-]+:)/(?!/)", re.IGNORECASE)
"""What a path makes of the two slashes of an address."""
_SCHEME_PART = re.compile(r"^[a-z][a-z0-9+.-]+:$", re.IGNORECASE)


def check_input_path(path: str | Path, what: str) -> Path:
    """Path of an existing local file or folder.

    Parameters
    ----------
    path : str or pathlib.Path
        What the user wrote, possibly joined to the folder of the configuration.
    what : str
        What it is for, e.g. ``'parcels'``; opens the message.

    Raises
    ------
    DataError
        If it is a URL or a virtual file system of GDAL, which could reach the network, or does not exist.
    """
    path = Path(path)
    if _REMOTE.match(path.as_posix()) or any(_SCHEME_PART.match(part) for part in path.parts):
        address = _ONE_SLASH.sub(r"\1//", path.as_posix())
        raise DataError(
            Issue(
                where=what,
                found=f"the address {address}",
                expected="a file on this computer",
                fix="Download it first: nothing is read over a network, and /vsi paths are not opened "
                "(a .zip is read in place by its own path).",
            )
        )
    try:
        exists = path.exists()
    except (OSError, ValueError):  # a name the file system cannot hold
        exists = False
    if not exists:
        raise DataError(
            Issue(
                where=what,
                found=f"no file {path}",
                expected="an existing file",
                fix="Check the path: it is relative to the configuration file.",
            )
        )
    return path


@contextmanager
def logged_warnings(logger: logging.Logger, source: str) -> Iterator[None]:
    """Send the warnings raised inside to `logger`, each text once with its count."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            yield
        finally:
            counts = Counter(str(warning.message) for warning in caught)
    for text, times in counts.items():
        logger.warning("%s: %s%s", source, text, f" ({times} times)" if times > 1 else "")
