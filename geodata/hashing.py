"""Fingerprints of input files: the same land, the same hash."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

_CHUNK: Final = 1 << 20
_WITH_SIDECARS: Final = frozenset({".shp", ".tab", ".mif"})
_LOCKS: Final = frozenset({".lock", ".tmp"})


def file_sha256(path: str | Path) -> str:
    """SHA-256 of one file's bytes, in hexadecimal."""
    digest = hashlib.sha256()
    with Path(path).open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def source_files(path: str | Path) -> tuple[Path, ...]:
    """All files that make up one source, sorted by name.

    A shapefile and a MapInfo table come with their sidecars (same name, other endings), a FileGDB is all files in its
    folder, a GeoPackage may have a write-ahead log; anything else is itself.
    """
    path = Path(path)
    if path.is_dir():
        found = [file for file in path.rglob("*") if file.is_file()]
    elif path.suffix.lower() in _WITH_SIDECARS:
        found = [file for file in path.parent.iterdir() if file.is_file() and _is_sidecar(file, path)]
    elif path.suffix.lower() == ".gpkg":
        log = path.with_name(path.name + "-wal")
        found = [path, log] if log.exists() and log.stat().st_size else [path]
    else:
        found = [path]
    return tuple(
        sorted((file for file in found if file.suffix.lower() not in _LOCKS), key=lambda file: file.as_posix())
    )


def hash_files(paths: Iterable[str | Path]) -> str:
    """One SHA-256 over several sources: names and bytes of all their files, in the order given.

    Folders above a source do not count, so that a copy elsewhere has the same hash.
    """
    digest = hashlib.sha256()
    for path in map(Path, paths):
        for file in source_files(path):
            digest.update(file.relative_to(path.parent).as_posix().encode("utf-8") + b"\0")
            digest.update(bytes.fromhex(file_sha256(file)))
    return digest.hexdigest()


def _is_sidecar(file: Path, shp: Path) -> bool:
    return file == shp or file.stem == shp.stem or file.name.startswith(f"{shp.name}.")
