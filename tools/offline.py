"""Builds a folder that installs the planner on a machine without a network: wheels, a start script, fingerprints.

``python -m tools.offline --out dist/offline`` for machines like this one;
``python -m tools.offline --out dist/windows --platform win_amd64 --python 3.12`` for Windows.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from email.parser import Parser
from pathlib import Path
from typing import Any, Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT: Final = Path(__file__).resolve().parent.parent
DISTRIBUTION: Final = "land-consolidation-planner"
_SCRIPTS: Final = Path(__file__).resolve().parent / "offline_files"
_WINDOWS: Final = {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt", "platform_machine": "AMD64"}
_LINUX: Final = {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix", "platform_machine": "x86_64"}

Fetch = Callable[[Requirement], None]
"""Puts the wheel of one requirement, without what it needs in turn, into the folder of wheels."""


class OfflineError(RuntimeError):
    """The folder cannot be built."""


def environment(platform: str, python: str) -> dict[str, str]:
    """What markers of dependencies are held against: names and values of PEP 508.

    Parameters
    ----------
    platform : str
        Tag of the target, e.g. ``'win_amd64'`` or ``'manylinux_2_28_x86_64'``.
    python : str
        Its Python, e.g. ``'3.12'``.

    Raises
    ------
    OfflineError
        Another system than Windows or Linux on x86-64.
    """
    if platform.startswith("win"):
        system = _WINDOWS
    elif "linux" in platform and platform.endswith("x86_64"):
        system = _LINUX
    else:
        raise OfflineError(f"platform {platform!r}: give win_amd64, or a tag of Linux on x86_64")
    return {
        **system,
        "python_version": python,
        "python_full_version": f"{python}.0",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "implementation_version": f"{python}.0",
        "platform_release": "",
        "platform_version": "",
        "extra": "",
    }


def requirements_of(wheel: Path) -> list[Requirement]:
    """What a wheel says it needs."""
    with zipfile.ZipFile(wheel) as archive:
        name = next(n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        metadata = Parser().parsestr(archive.read(name).decode("utf-8"))
    return [Requirement(text) for text in metadata.get_all("Requires-Dist") or []]


def needed(wheel: Path, target: Mapping[str, str], extras: frozenset[str] = frozenset()) -> Iterator[Requirement]:
    """What a wheel needs on the target, its extras of that name included."""
    for requirement in requirements_of(wheel):
        environments = [{**target, "extra": extra} for extra in ("", *sorted(extras))]
        if requirement.marker is None or any(requirement.marker.evaluate(e) for e in environments):
            yield requirement


def gather(wheels: Path, first: str, target: Mapping[str, str], fetch: Fetch) -> list[Path]:
    """Fetch whatever `first`, which is there, needs on the target, and what that needs, until nothing is missing.

    pip itself holds the markers of dependencies against the machine it runs on, so that a folder for Windows made on
    Linux would lack what only Windows needs.

    Returns
    -------
    list of Path
        All wheels, by name.
    """
    open_ends: list[tuple[str, frozenset[str]]] = [(canonicalize_name(first), frozenset())]
    done: set[tuple[str, frozenset[str]]] = set()
    while open_ends:
        item = open_ends.pop()
        if item in done:
            continue
        done.add(item)
        name, extras = item
        for requirement in needed(_wheel_of(wheels, name), target, extras):
            wanted = canonicalize_name(requirement.name)
            if wanted not in _names(wheels):
                fetch(requirement)
            open_ends.append((wanted, frozenset(requirement.extras)))
    return sorted(wheels.glob("*.whl"))


def _names(wheels: Path) -> dict[str, Path]:
    return {canonicalize_name(path.name.split("-")[0]): path for path in wheels.glob("*.whl")}


def _wheel_of(wheels: Path, name: str) -> Path:
    found = _names(wheels).get(name)
    if found is None:
        raise OfflineError(f"no wheel of {name} came into {wheels}: there may be none for this platform and Python")
    return found


def build(out: Path, platform: str | None, python: str) -> list[Path]:
    """Write the folder; it is complete or not there.

    Parameters
    ----------
    out : pathlib.Path
        New folder.
    platform : str or None
        Tag of the target; that of this machine when None.
    python : str
        Python of the target, e.g. ``'3.12'``.

    Raises
    ------
    OfflineError
        `out` is there already, or a wheel cannot be had.
    """
    if out.exists():
        raise OfflineError(f"{out} is there already: name a new folder, or remove it first")
    out.parent.mkdir(parents=True, exist_ok=True)
    target = environment(platform or _own_platform(), python)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as beside:
        new = Path(beside) / "new"
        wheels = new / "wheels"
        wheels.mkdir(parents=True)
        _pip("wheel", "--no-deps", "--wheel-dir", str(wheels), str(ROOT))
        gather(wheels, DISTRIBUTION, target, lambda r: _download(r, wheels, platform, python))
        for path in sorted(_SCRIPTS.iterdir()):
            text = path.read_text(encoding="utf-8").replace("{PYTHON}", python).replace("{PLATFORM}", platform or "")
            ends = "\r\n" if path.suffix == ".bat" else "\n"
            (new / path.name).write_text(text, encoding="utf-8", newline=ends)
        (new / "run.sh").chmod(0o755)
        shutil.copy(ROOT / "constraints.txt", new / "constraints.txt")
        files = sorted(p for p in new.rglob("*") if p.is_file())
        sums = [f"{hashlib.sha256(p.read_bytes()).hexdigest()}  {p.relative_to(new).as_posix()}\n" for p in files]
        (new / "SHA256SUMS").write_text("".join(sums), encoding="utf-8", newline="\n")
        new.rename(out)
    return sorted(p for p in out.rglob("*") if p.is_file())


def _own_platform() -> str:
    return sysconfig.get_platform().replace("-", "_").replace(".", "_")


def _download(requirement: Requirement, wheels: Path, platform: str | None, python: str) -> None:
    """One wheel of the pinned version, for the target."""
    foreign = [] if platform is None else ["--platform", platform]
    if platform is not None and platform.startswith("manylinux"):
        foreign += ["--platform", "manylinux2014_x86_64", "--platform", "manylinux_2_17_x86_64"]
    version = [] if not foreign and python == _own_python() else ["--python-version", python]
    plain = f"{requirement.name}{requirement.specifier}"  # extras are other wheels, fetched on their own
    pins = ["--constraint", str(ROOT / "constraints.txt")]
    _pip("download", "--no-deps", "--only-binary=:all:", *foreign, *version, *pins, "--dest", str(wheels), plain)


def _own_python() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def _pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *arguments]
    result = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False, env={**os.environ})
    if result.returncode != 0:
        raise OfflineError(f"pip {' '.join(arguments)} failed:\n{result.stderr.strip()}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point of ``python -m tools.offline``."""
    parser = argparse.ArgumentParser(prog="python -m tools.offline", description="Folder for an offline installation.")
    parser.add_argument("--out", type=Path, required=True, help="new folder")
    parser.add_argument("--platform", help="target, e.g. win_amd64 or manylinux_2_28_x86_64; this machine if absent")
    parser.add_argument("--python", default=_own_python(), help="Python of the target, e.g. 3.12")
    given: Any = parser.parse_args(arguments)
    try:
        files = build(given.out, given.platform, given.python)
    except OfflineError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    size = sum(p.stat().st_size for p in files) / 1e6
    sys.stdout.write(f"{given.out}: {len(files)} files, {size:.0f} MB; start with run.sh or run.bat\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
