"""README's pictures: the dashboard's first page as it is, light and dark, drawn by Chromium (`make pictures`)."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "images"
WIDTH, HEIGHT = 1280, 1260
COLOURS = 128
WAIT = 120_000
"""Milliseconds."""


def main() -> None:
    """Open the dashboard on a port of its own, and write both pictures."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        raise SystemExit("There is no Chromium here to draw the page with.")
    with closing(socket.create_server(("localhost", 0))) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "bertnesia.cli", "app", "--port", str(port)]
    environment = {**os.environ, "STREAMLIT_SERVER_HEADLESS": "true"}
    with (
        subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, start_new_session=True) as server,  # noqa: S603
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        try:
            for scheme in ("light", "dark"):
                save(draw(browser, f"http://localhost:{port}", scheme), FOLDER / f"overview-{scheme}.png")
        finally:
            browser.close()
            os.killpg(server.pid, signal.SIGTERM)


def draw(browser: Browser, address: str, scheme: Literal["light", "dark"]) -> bytes:
    """The page as a PNG, once the figure stands and nothing runs any more."""
    page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme=scheme)
    deadline = time.monotonic() + WAIT / 1000
    while True:
        try:
            page.goto(address)
            break
        except Exception:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)
    page.locator(".js-plotly-plot .barlayer path").first.wait_for(timeout=WAIT)
    page.locator("[data-testid=stStatusWidget]").wait_for(state="detached", timeout=WAIT)
    page.wait_for_timeout(2000)
    return page.screenshot()


def save(picture: bytes, path: Path) -> None:
    """With a palette, which makes the file a third as large."""
    image = Image.open(BytesIO(picture)).convert("RGB").quantize(COLOURS)
    image.save(path, optimize=True)
    sys.stdout.write(f"{path}: {path.stat().st_size // 1000} KB\n")


if __name__ == "__main__":
    main()
