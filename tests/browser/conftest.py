"""Headless Chromium without a network, and pages that must stay silent."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
)
VIEWPORT = {"width": 1400, "height": 900}


@dataclass
class Watch:
    """What a page did that it must not do."""

    offences: list[str] = field(default_factory=list)

    def follow(self, page: Page) -> None:
        page.on("console", lambda m: m.type in {"error", "warning"} and self.offences.append(f"{m.type}: {m.text}"))
        page.on("pageerror", lambda e: self.offences.append(f"uncaught: {e}"))
        page.on("requestfailed", lambda r: self.offences.append(f"failed request: {r.url[:200]}"))
        page.on("dialog", self._dialog)
        page.on("popup", lambda p: self.offences.append(f"window opened: {p.url[:200]}"))

    def _dialog(self, dialog) -> None:
        self.offences.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def refuse(self, route: Route) -> None:
        self.offences.append(f"request: {route.request.url[:200]}")
        route.abort()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The system's Chromium; skips without one, and fails where CI promises one."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        reason = "no Chromium found (Debian: apt-get install chromium)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def open_map(chromium: Browser) -> Iterator[Callable[[Path], Page]]:
    """Opens a map file with the network off; at the end, any error, request or dialog fails the test."""
    contexts: list[BrowserContext] = []
    watch = Watch()

    def open_(path: Path) -> Page:
        context = chromium.new_context(viewport=VIEWPORT, offline=True)
        contexts.append(context)
        address = path.as_uri()
        context.route(lambda url: url != address and not url.startswith("data:"), watch.refuse)
        page = context.new_page()
        watch.follow(page)
        page.goto(address)
        page.wait_for_selector("body[data-ready=true]", timeout=60_000)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert watch.offences == []
