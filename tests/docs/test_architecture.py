"""The page on architecture knows every module."""

from __future__ import annotations

import tomllib

import pytest

from tests.docs.pages import REPOSITORY, bare, tables, text_of

PAGE = text_of("architecture.md")


PACKAGES = ("geodata", "planner", *(f"planner/{p}" for p in ("optimise", "modes", "check", "explain", "report")))


@pytest.mark.parametrize("package", [*PACKAGES, "benchmarks"])
def test_the_tables_list_the_modules_that_are_there(package: str) -> None:
    listed = {
        name
        for table in tables(PAGE)
        if "module" in table.header
        for cell in table.column("module")
        for name in bare(cell.split(", "))
    }
    there = {
        f"{package}/{path.name}" + ("/" if path.is_dir() else "")
        for path in (REPOSITORY / package).iterdir()
        if (path.suffix == ".py" and path.stem != "__init__") or (path.is_dir() and (path / "__init__.py").exists())
    }
    assert there <= listed
    assert {name for name in listed if name.startswith(f"{package}/") and name.endswith(".py")} <= {
        path.relative_to(REPOSITORY).as_posix() for path in (REPOSITORY / package).rglob("*.py")
    }


def test_the_layers_are_under_contract() -> None:
    settings = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    independent = next(c for c in contracts if c["type"] == "independence")
    assert all(f"`{module}`" in PAGE for module in independent["modules"])
