"""Pictures for the documentation, of what the tests see."""

from __future__ import annotations

import os
from pathlib import Path

from playwright.sync_api import Locator, Page

#: The size of the window, and of the pictures.
WIDTH, HEIGHT = 1360, 780


def shot(page: Page, name: str, above: Locator | None = None) -> None:
    """Take a picture for the documentation, where SEQFIX_SCREENSHOTS names a folder for them."""
    folder = os.environ.get("SEQFIX_SCREENSHOTS")
    if folder:
        # What slides or fades in has come to rest.
        page.wait_for_timeout(1000)
        end = above.bounding_box() if above else None
        size = page.viewport_size or {"width": WIDTH, "height": HEIGHT}
        clip = {"x": 0, "y": 0, "width": size["width"], "height": end["y"] if end else size["height"]}
        page.screenshot(path=Path(folder) / f"{name}.png", clip=clip)
