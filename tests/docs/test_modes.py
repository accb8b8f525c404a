"""The page on modes says what the bundled tables hold."""

from __future__ import annotations

import importlib.util
from types import ModuleType

import pytest

from tests.docs.pages import DOCS, tables, text_of


@pytest.fixture(scope="module")
def builder() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_modes", DOCS / "build_modes.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_up_to_date(builder: ModuleType) -> None:
    page = text_of("modes.md")
    assert page == builder.modes_page(page), "run: python docs/build_modes.py"


def test_every_mode_payment_and_figure_is_listed(builder: ModuleType) -> None:
    modes, figures = builder.tables()
    found = tables(text_of("modes.md"))
    (ids,) = [t.column("id") for t in found if "open to" in t.header]
    assert ids == [f"`{m.id}`" for m in modes]
    assert sum(len(t.rows) for t in found if t.header[0] == "who pays") == sum(len(m.lines) for m in modes)
    (names,) = [t.column("figure") for t in found if t.header[0] == "figure"]
    assert names == [f"`{name}`" for name in figures]
