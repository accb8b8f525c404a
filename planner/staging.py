"""Folders of results: written whole or not at all, and never over a stranger's files."""

from __future__ import annotations

import errno
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from geodata.errors import Issue
from planner.errors import ConfigError


@dataclass(frozen=True)
class Kind:
    """A kind of folder that the program writes.

    Attributes
    ----------
    what : str
        In words, as in "an earlier run".
    marker, format : str
        File whose key ``format`` says that a folder is of this kind, and that value.
    names : sequence of str
        Everything that such a folder may hold; the rest is somebody else's.
    kept : mapping of str to str
        Files in which people write → the name under which the last one stays when a new folder takes its place.
    """

    what: str
    marker: str
    format: str
    names: Sequence[str]
    kept: Mapping[str, str] = field(default_factory=dict)

    def made(self, folder: Path) -> bool:
        """Whether a folder is of this kind."""
        try:
            content = json.loads((folder / self.marker).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False
        return isinstance(content, dict) and content.get("format") == self.format


def require_free(folder: Path, force: bool, kind: Kind) -> None:
    """Raise `ConfigError` when `folder` cannot take results: better told before the work than after it.

    It must be a folder that is new, empty or of that kind already, or with `force` any folder; and it must be writable.
    With `force` the files of others stay; only files of the kind's names are replaced.
    """
    if folder.exists() and not folder.is_dir():
        raise ConfigError(Issue(f"--out {folder}", "a file", "a folder", "Name another folder."))
    if folder.is_dir() and any(folder.iterdir()) and not kind.made(folder) and not force:
        raise ConfigError(
            Issue(
                f"--out {folder}",
                f"a folder with files that are no {kind.what}",
                f"a new or empty folder, or that of an {kind.what}",
                "Name another folder, or add --force: files of the same names are then replaced, others stay.",
            )
        )
    above = next(p for p in folder.absolute().parents if p.exists())
    if not above.is_dir() or not os.access(above, os.W_OK) or (folder.is_dir() and not os.access(folder, os.W_OK)):
        found = f"no right to write into {above}" if above.is_dir() else f"{above}, which is a file"
        raise ConfigError(Issue(f"--out {folder}", found, "a folder that can be written", "Name another folder."))


@contextmanager
def staged(folder: Path, kind: Kind) -> Iterator[Path]:
    """A new folder beside `folder` to write to; its files are moved there when the block ends without an error.

    Whole or not at all: on any error, an interrupt included, `folder` is left as it was. Files of an earlier time go,
    files of other names stay untouched. `folder` itself stays the same one (it may be a link, a mount, or the place
    where a shell stands).
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{folder.resolve().name}-", dir=folder.resolve().parent))
    except OSError as error:
        raise ConfigError(
            Issue(
                f"--out {folder}",
                f"a place that takes no folder ({error})",
                "a folder that can be written",
                "Name another folder.",
            )
        ) from error
    try:
        new = beside / "new"
        new.mkdir()
        yield new
        if folder.exists():
            _swap(new, folder, beside / "old", kind)
        else:
            new.rename(folder)
    finally:
        shutil.rmtree(beside)


def _swap(new: Path, folder: Path, old: Path, kind: Kind) -> None:
    """Replace the files of a kind in `folder` by those in `new`, or put everything back."""
    old.mkdir()
    moved: list[tuple[Path, Path]] = []

    def move(source: Path, target: Path) -> None:
        moved.append((source, target))
        _move(source, target)

    try:
        for name in kind.names:
            if (folder / name).exists():
                move(folder / name, old / name)
        for name, kept in kind.kept.items():
            if (old / name).exists():
                if (folder / kept).exists():
                    move(folder / kept, old / kept)
                move(old / name, folder / kept)
        for item in sorted(new.iterdir()):
            move(item, folder / item.name)
    except BaseException:
        for source, target in reversed(moved):
            if target.exists() and not source.exists():
                _move(target, source)
        raise


def _move(source: Path, target: Path) -> None:
    """Rename, whole or not at all; only onto another disk (`target` is a mount) is it copied.

    A plain `shutil.move` copies and then removes where a rename is refused, as Windows does for a folder with an open
    file in it, and leaves half of both behind.
    """
    try:
        source.rename(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        shutil.move(source, target)
