"""The documentation as a site, built and looked at in Debian's Chromium: in light and dark, on a screen and a phone."""

from __future__ import annotations

import contextlib
import functools
import http.server
import json
import os
import subprocess
import sys
import threading
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from .support.browser import chromium
from .support.package import ROOT

PHONE = 390
"""The width of a phone in CSS pixels."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site, strictly; a link or an anchor that leads nowhere is a failure."""
    place = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", place],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return place


@pytest.fixture(scope="module")
def site(folder: Path) -> Iterator[str]:
    """Serve the site on loopback, and return its address."""
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


class Quiet(http.server.SimpleHTTPRequestHandler):
    """A server of files that says nothing, and of which a browser asks for what all pages share once."""

    def end_headers(self) -> None:
        """Let scripts and styles be kept: their names say which they are."""
        if self.path.startswith("/assets/"):
            self.send_header("Cache-Control", "max-age=3600")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@contextlib.contextmanager
def no_words_to_find(index: Path) -> Generator[None, None, None]:
    """Empty the index of words for a while, which else each page reads whole; the browser keeps what it knows."""
    whole = index.read_text(encoding="utf-8")
    index.write_text(json.dumps({**json.loads(whole), "docs": []}), encoding="utf-8")
    yield
    index.write_text(whole, encoding="utf-8")


def test_every_page_loads_whole_and_asks_nobody_else(folder: Path, site: str, browser: Browser) -> None:
    pages = [path.parent.relative_to(folder).as_posix() for path in sorted(folder.rglob("index.html"))]
    shown = [page for page in pages if not page.startswith("source/")]
    assert len(shown) > 40
    said: list[str] = []
    page = browser.new_page(viewport={"width": PHONE, "height": 844}, color_scheme="dark")
    page.on("console", lambda message: said.append(f"{page.url}: {message.text}"))
    page.on("pageerror", lambda error: said.append(f"{page.url}: {error}"))
    page.on(
        "request", lambda asked: said.extend([] if asked.url.startswith(site) else [f"{page.url} asks {asked.url}"])
    )
    page.on("response", lambda found: said.extend([] if found.status < 400 else [f"{found.url}: {found.status}"]))
    wider: list[str] = []
    with no_words_to_find(folder / "search/search_index.json"):
        for name in shown:
            page.goto(f"{site}{name}/" if name != "." else site, wait_until="load")
            assert page.locator("h1").count() == 1, name
            if int(page.evaluate("document.documentElement.scrollWidth")) > PHONE:
                wider.append(name)
        page.close()
    assert said == []
    assert wider == []


def test_a_reader_finds_a_setting_by_searching(site: str, browser: Browser) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(site)
    page.keyboard.press("s")
    page.keyboard.type("replication_wait", delay=5)
    found = page.locator(".md-search-result__link[href*='reference/settings']").first
    found.wait_for(timeout=20_000)
    page.close()


@pytest.mark.parametrize(("scheme", "brightness"), [("light", 255), ("dark", 60)])
def test_it_follows_the_scheme_of_the_system(site: str, browser: Browser, scheme: str, brightness: int) -> None:
    page = browser.new_page(color_scheme="dark" if scheme == "dark" else "light")
    page.goto(f"{site}tutorial/")
    color = str(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    page.close()
    red = int(color.removeprefix("rgba(").removeprefix("rgb(").split(",")[0])
    assert red == brightness if scheme == "light" else red < brightness
