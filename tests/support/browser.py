"""Start ``slotbook web``, and look at it with Debian's Chromium."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Dialog, Page, sync_playwright

from .forked import Piped, module

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
_QUIET = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)


class Document(TypedDict):
    """The rows that a stream has in one message."""

    begins: bool
    state: dict[str, object]
    orders: list[dict[str, object]]
    positions: list[dict[str, object]]
    events: list[dict[str, object]]
    problems: list[dict[str, object]]


@dataclass(frozen=True)
class Answer:
    """The answer of a server."""

    status: int
    headers: Mapping[str, str]
    body: str


class Blotter:
    """A process of ``slotbook web`` on a free port."""

    def __init__(self, url: str, *options: str) -> None:
        program = module("slotbook", "web", "--port", "0", "--json", "--url", url, *options)
        self._piped = Piped(program, is_leader=True)
        self.process = self._piped.process
        line = self._piped.stdout.readline()
        assert line, self._piped.rest()[1]
        self.link = str(json.loads(line)["url"])
        parts = urlsplit(self.link)
        self.port = int(parts.port or 0)
        self.origin = f"http://127.0.0.1:{self.port}"
        self.token = parse_qs(parts.query).get("token", [""])[0]

    def ask(self, path: str, *, method: str = "GET", token: bool = True, **headers: str) -> Answer:
        """Ask it, with the token unless told otherwise; headers by their names with ``_`` for ``-``."""
        said = {"Authorization": f"Bearer {self.token}"} if token else {}
        said |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        with contextlib.closing(connection):
            connection.request(method, path, headers=said)
            answer = connection.getresponse()
            names = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, names, answer.read().decode())

    def rows(self, path: str = "/rows", **headers: str) -> Iterator[tuple[str, Document]]:
        """Yield what the stream says: the id of each document, and the document."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        said = {name.replace("_", "-"): value for name, value in headers.items()}
        with contextlib.closing(connection):
            connection.request("GET", path, headers={"Authorization": f"Bearer {self.token}", **said})
            answer = connection.getresponse()
            assert answer.status == 200
            number = ""
            while line := answer.readline().decode().strip("\n") or " ":
                name, _, value = line.partition(": ")
                if name == "id":
                    number = value
                elif name == "data":
                    yield number, json.loads(value)

    def end(self) -> str:
        """Press Ctrl-C; return what it said on standard error."""
        self.process.send_signal(signal.SIGINT)
        _, said = self._piped.rest(30)
        assert self.process.returncode == 130, said
        return said

    def kill(self) -> None:
        """Leave nothing behind, whatever has happened."""
        if not self._piped.stdout.closed:
            self.process.kill()
            self._piped.rest(30)


@contextlib.contextmanager
def blotter(url: str, *options: str) -> Generator[Blotter, None, None]:
    """Run ``slotbook web`` for a while; in the end it says nothing on standard error."""
    running = Blotter(url, *options)
    try:
        yield running
        if running.process.poll() is None:
            said = running.end()
            assert not said, said
    finally:
        running.kill()


@contextlib.contextmanager
def chromium() -> Generator[Browser, None, None]:
    """Run a browser without a window."""
    if not Path(CHROMIUM).exists():
        if os.environ.get("CI"):
            pytest.fail("chromium is not installed: apt-get install chromium")
        pytest.skip("needs Debian's package chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(_QUIET))
        try:
            yield browser
        finally:
            browser.close()


class Sight:
    """A page of a blotter, and what the browser said about it."""

    def __init__(
        self, browser: Browser, link: str, *, width: int = 1280, height: int = 900, dark: bool = False
    ) -> None:
        self.page: Page = browser.new_page(
            viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light"
        )
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.said.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("dialog", self._dismiss)
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(link)
        self.page.wait_for_selector("#state[data-state=live]")

    def _dismiss(self, dialog: Dialog) -> None:
        self.said.append(f"dialog {dialog.message}")
        dialog.dismiss()

    def cells(self, table: str, column: str) -> list[str]:
        """Return the texts of a column of the tables ``positions``, ``orders`` or ``events``."""
        return self.page.locator(f"#{table} tbody td[data-label='{column}']").all_inner_texts()

    def wait_for(self, table: str, column: str, text: str) -> None:
        """Return when a column has a text in some row."""
        self.until(lambda: text in self.cells(table, column), f"{text} in {column} of {table}")

    def until(self, condition: Callable[[], bool], what: str, seconds: float = 20.0) -> None:
        """Return when a condition holds. The page's policy forbids the browser to wait for an expression."""
        ends_at = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < ends_at, f"not within {seconds:g} s: {what}; {self.said}"
            self.page.wait_for_timeout(50)

    def rows(self, table: str) -> int:
        """Return how many rows a table has."""
        return self.page.locator(f"#{table} tbody tr").count()
