"""Where the bytes of a vector dataset lie: a file, a folder, or a member of a .zip that is read in place."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

import pyogrio

from geodata.errors import DataError, Issue

_IN_ZIP: Final = (".shp", ".gpkg", ".geojson", ".json", ".topojson", ".fgb", ".gml", ".kml", ".tab", ".mif", ".dxf")
_UTF8_NAME: Final = 0x800
"""Flag of a member whose name is UTF-8."""
_ENCRYPTED: Final = 0x1


@dataclass(frozen=True)
class Dataset:
    """One dataset.

    Attributes
    ----------
    address : str
        What GDAL opens.
    file : pathlib.PurePath
        Its name and ending; inside an archive as the archive stores it.
    archive : pathlib.Path or None
        The .zip it lies in.
    """

    address: str
    file: Path | PurePosixPath
    archive: Path | None = None

    @property
    def suffix(self) -> str:
        """Ending in lower case."""
        return self.file.suffix.lower()

    def read(self, size: int = -1) -> bytes:
        """Its first `size` bytes, or all."""
        if self.archive is None:
            with Path(self.file).open("rb") as file:
                return file.read(size)
        with zipfile.ZipFile(self.archive) as archive, archive.open(str(self.file)) as member:
            return member.read(size)

    def size(self) -> int:
        """Its length in bytes."""
        if self.archive is None:
            return Path(self.file).stat().st_size
        with zipfile.ZipFile(self.archive) as archive:
            return archive.getinfo(str(self.file)).file_size

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder of files (FileGDB)."""
        return Path(self.file).is_dir() if self.archive is None else self.suffix == ".gdb"

    def part(self, suffix: str) -> bytes | None:
        """Bytes of the file of the same name with another ending, in whatever case; None where there is none."""
        wanted = self.file.with_suffix(suffix).as_posix().lower()
        if self.archive is None:
            beside = Path(self.file).parent
            found = next((p for p in sorted(beside.iterdir()) if p.as_posix().lower() == wanted and p.is_file()), None)
            return found.read_bytes() if found else None
        with zipfile.ZipFile(self.archive) as archive:
            names = [n for n in archive.namelist() if n.lower() == wanted]
            return archive.read(names[0]) if names else None


def find_dataset(path: Path, layer: str | None) -> tuple[Dataset, str | None]:
    """The dataset behind a path, and the layer to read in it.

    Parameters
    ----------
    path : pathlib.Path
        Existing file or folder; a .zip is looked into.
    layer : str or None
        In an archive of several datasets: the name of one, without ending, or of a layer that only one of them has.

    Raises
    ------
    DataError
        If an archive is broken, encrypted, empty or leaves a choice.
    """
    if path.suffix.lower() != ".zip":
        return Dataset(str(path), path), layer
    if not zipfile.is_zipfile(path):
        raise DataError(Issue(path.name, "no ZIP archive", "a whole .zip file", "Download or pack it again."))
    members = _members(path)
    datasets = _datasets(members)
    chosen = _choose(path, datasets, layer)
    _check_whole(path, [m for m in members if _belongs(m, datasets[chosen])], chosen)
    found = _dataset(path, datasets[chosen])
    by_name = layer is not None and PurePosixPath(chosen).stem == layer and layer not in _layers(found)
    return found, None if by_name else layer


def _members(path: Path) -> dict[str, str]:
    """Name as stored → readable name, of all files but those that macOS adds."""
    with zipfile.ZipFile(path) as archive:
        members = {info.filename: _readable(info) for info in archive.infolist() if not info.is_dir()}
        locked = [members[i.filename] for i in archive.infolist() if i.flag_bits & _ENCRYPTED]
    if locked:
        raise DataError(Issue(path.name, f"an encrypted file, {locked[0]}", "no password", "Pack it without one."))
    return {
        stored: name
        for stored, name in members.items()
        if "__MACOSX" not in name and not PurePosixPath(name).name.startswith("._")
    }


def _readable(info: zipfile.ZipInfo) -> str:
    """Chinese names are stored in GBK, or in UTF-8 without saying so, by many packers."""
    if info.flag_bits & _UTF8_NAME or info.filename.isascii():
        return info.filename
    try:
        raw = info.filename.encode("cp437")  # what an archive without the flag is taken for
    except UnicodeEncodeError:
        return info.filename
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return info.filename


def _datasets(members: dict[str, str]) -> dict[str, str]:
    """Readable name → name as stored, of datasets."""
    found = {}
    for stored, name in members.items():
        parts = PurePosixPath(stored).parts
        inside = next((i for i, part in enumerate(parts[:-1]) if part.lower().endswith(".gdb")), None)
        if inside is not None:
            found["/".join(PurePosixPath(name).parts[: inside + 1])] = "/".join(parts[: inside + 1])
        elif name.lower().endswith(_IN_ZIP):
            found[name] = stored
    return dict(sorted(found.items()))


def _choose(path: Path, datasets: dict[str, str], layer: str | None) -> str:
    found = list(datasets)
    if len(found) > 1 and layer is not None:
        found = (
            [name for name in datasets if PurePosixPath(name).stem == layer]
            or [name for name in datasets if layer in _layers(_dataset(path, datasets[name]))]
            or found
        )
    if len(found) != 1:
        raise DataError(
            Issue(
                where=path.name,
                found=f"{len(found)} datasets: {', '.join(found)}" if found else "no vector file",
                expected="one",
                fix="Say which by its name without ending: `layer: ...`." if found else "Check the archive.",
            )
        )
    return found[0]


def _dataset(path: Path, stored: str) -> Dataset:
    return Dataset(f"/vsizip/{path.resolve().as_posix()}/{stored}", PurePosixPath(stored), path)


def _layers(dataset: Dataset) -> list[str]:
    return [str(title) for title, _ in pyogrio.list_layers(dataset.address)]


def _belongs(member: str, dataset: str) -> bool:
    """Whether a member is the dataset, one of its parts, or a file inside its folder."""
    stem = dataset[: -len(PurePosixPath(dataset).suffix)].lower()
    return member.startswith(f"{dataset}/") or member.lower().startswith(f"{stem}.")


def _check_whole(path: Path, members: Sequence[str], name: str) -> None:
    """GDAL does not compare the check sums of an archive."""
    with zipfile.ZipFile(path) as archive:
        for member in members:
            try:
                with archive.open(member) as file:
                    while file.read(1 << 20):
                        pass
            except zipfile.BadZipFile as error:
                raise DataError(
                    Issue(path.name, f"a damaged file, {name}", "a whole one", "Download or pack it again.")
                ) from error
