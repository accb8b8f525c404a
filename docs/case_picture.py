"""Photographs the review map of a run for the documentation, in headless Chromium without a network."""

from __future__ import annotations

import io
import shutil
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.sync_api import Page, Route, ViewportSize, sync_playwright

from geodata.write import replacing

BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")
MOST_BYTES: Final = 350_000
_SIZE: Final[ViewportSize] = {"width": 1400, "height": 900}
_ARGUMENTS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
)
_COLOURS: Final = (256, 128, 64, 32)


def photograph(page_file: Path, picture: Path) -> None:
    """Write a picture of a map page: the last phase, the whole land.

    Parameters
    ----------
    page_file : pathlib.Path
        ``map.html`` of a run.
    picture : pathlib.Path
        PNG to write.

    Raises
    ------
    FileNotFoundError
        No Chromium on this machine, or no such page.
    ValueError
        The picture is too large even with few colours.
    """
    browser_path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser_path is None:
        raise FileNotFoundError(f"no Chromium found (tried {', '.join(BROWSERS)})")
    if not page_file.is_file():
        raise FileNotFoundError(page_file)
    address = page_file.resolve().as_uri()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=list(_ARGUMENTS))
        context = browser.new_context(viewport=_SIZE, offline=True, locale="en-GB")
        context.route(lambda url: url != address and not url.startswith("data:"), _refuse)
        shot = _shot(context.new_page(), address)
        browser.close()
    with replacing(picture) as temporary:
        temporary.write_bytes(_small(shot))


def _refuse(route: Route) -> None:
    route.abort()


def _shot(page: Page, address: str) -> bytes:
    page.goto(address)
    page.wait_for_selector("body[data-ready=true]", timeout=60_000)
    page.wait_for_timeout(1_000)  # canvas and labels are drawn in frames after the page says that it is ready
    return page.screenshot()


def _small(shot: bytes) -> bytes:
    """The picture with as many colours as fit into the bytes that a page of the documentation may weigh."""
    image = Image.open(io.BytesIO(shot)).convert("RGB")
    for colours in _COLOURS:
        out = io.BytesIO()
        image.quantize(colours, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
        if out.tell() <= MOST_BYTES:
            return out.getvalue()
    raise ValueError(f"the picture takes more than {MOST_BYTES} bytes with {_COLOURS[-1]} colours")
