"""Every relative link, and every file or module of this project that the pages name, exists."""

from __future__ import annotations

import importlib.util
import re
import unicodedata
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, REPOSITORY, outside_code, pages

_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"`([^`\n]+)`")
_FILE = re.compile(r"^(?:planner|geodata|docs|tests|examples|scenarios|benchmarks)/[\w./-]*$|^[\w-]+\.(?:yaml|toml)$")
_MODULE = re.compile(r"^(?:planner|geodata)(?:\.\w+)+$")
_WRITTEN_BY_RUNS = {"config.resolved.yaml"}


def _anchors(path: Path) -> set[str]:
    """Anchors of the headings as GitHub makes them."""
    titles = re.findall(r"^#{1,6} +(.*?) *$", outside_code(path.read_text(encoding="utf-8")), flags=re.MULTILINE)
    return {_anchor(title) for title in titles}


def _anchor(title: str) -> str:
    kept = [c for c in title.replace("`", "").lower() if c in " -_" or unicodedata.category(c)[0] in "LNM"]
    return "".join(kept).replace(" ", "-")


@pytest.mark.parametrize("page", pages(), ids=lambda p: p.relative_to(REPOSITORY).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for target in _LINK.findall(outside_code(page.read_text(encoding="utf-8"))):
        if re.match(r"^[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        if not file.exists() or (anchor and anchor not in _anchors(file)):
            broken.append(target)
    assert not broken


@pytest.mark.parametrize("page", pages(), ids=lambda p: p.relative_to(REPOSITORY).as_posix())
def test_files_and_modules_that_are_named_exist(page: Path) -> None:
    names = set(_CODE.findall(outside_code(page.read_text(encoding="utf-8"))))
    files = {n for n in names if _FILE.match(n) and n not in _WRITTEN_BY_RUNS and "NAME" not in n}
    missing = sorted(n for n in files if not (REPOSITORY / n).exists())
    missing += sorted(n for n in names if _MODULE.match(n) and not _is_known(n))
    assert not missing


def _is_known(dotted: str) -> bool:
    """A module, or a public name of one (``planner.problem.Problem``)."""
    module, name = dotted, None
    try:
        if importlib.util.find_spec(module) is not None:
            return True
    except ModuleNotFoundError:
        pass
    module, _, name = dotted.rpartition(".")
    try:
        return hasattr(importlib.import_module(module), name)
    except ModuleNotFoundError:
        return False


def test_every_page_is_in_the_table_of_contents() -> None:
    contents = (DOCS / "README.md").read_text(encoding="utf-8")
    linked = {(DOCS / t.partition("#")[0]).resolve() for t in _LINK.findall(contents)}
    missing = [p.relative_to(DOCS).as_posix() for p in DOCS.rglob("*.md") if p.resolve() not in linked]
    assert missing == ["README.md"]
