"""A headless Chromium, and axe-core, which finds what keeps people from using a page."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.support.fetch_servers import CACHE, fetch

AXE = "axe-core@4.14.1"
NAMES = ("chromium", "chromium-browser", "google-chrome")
#: No sandbox, because tests run as root in containers; and nothing of its own on the network.
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Start the browser that is installed."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        raise RuntimeError("no Chromium is installed: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


def axe() -> str:
    """Return the script of axe-core, fetched from npm once."""
    installed = CACHE / AXE
    if not installed.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
            fetched = fetch(AXE, Path(scratch))
            try:
                fetched.rename(installed)
            except OSError:
                # Another worker was faster.
                if not installed.exists():
                    raise
    return (installed / "axe.min.js").read_text(encoding="utf-8")
