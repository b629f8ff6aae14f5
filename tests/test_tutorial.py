"""The tutorial, from its first line to its last, as a newcomer pastes it: two terminals, files, and what they print."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from .support.pages import text_of

PAGE = text_of("tutorial/index")
BLOCK = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$', re.DOTALL | re.MULTILINE)
INSTALLS = "python3 -m venv"
"""Begins the block that installs: CI runs that for the README's command, and the tests stand on its result."""
PATIENCE = 60.0


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminals]:
    terminals = Terminals(tmp_path)
    yield terminals
    terminals.close()


class Terminals:
    """The reader's two terminals: in the first the servers run, in the second one command after the other."""

    def __init__(self, folder: Path) -> None:
        own = {name: value for name, value in os.environ.items() if not name.startswith("SLOTBOOK_")}
        path = f"{Path(sys.executable).parent}:{own['PATH']}"
        self._environment = {**own, "PATH": path, "COLUMNS": "120"}
        self._folder = folder
        self._servers: subprocess.Popen[str] | None = None
        self._said = folder / "said by the servers"
        self._shown = folder / "shown last"
        self._running: subprocess.Popen[bytes] | None = None

    def in_the_first(self, text: str) -> None:
        """Start the servers, press Enter, or end what is typed, as the page says."""
        if self._servers is None:
            with self._said.open("w") as said:
                self._servers = subprocess.Popen(
                    text.split(), cwd=self._folder, env=self._environment, stdin=subprocess.PIPE, stdout=said, text=True
                )
            return
        assert self._servers.stdin is not None
        if text == "^D\n":
            self._servers.stdin.close()
            assert self._servers.wait(PATIENCE) == 0
            return
        time.sleep(3)  # the reader changes to the other terminal
        self._servers.stdin.write("\n")
        self._servers.stdin.flush()

    def in_the_second(self, text: str) -> None:
        """Run commands, after those before have ended; what is exported is kept for the next."""
        self.shown()
        if (pasted := re.fullmatch(r"export (SLOTBOOK_URL)='.*…'\n", text)) is not None:
            self._environment[pasted[1]] = self._url()
            return
        for assigned in re.findall(r"^export (.*)$", text, re.MULTILINE):
            self._environment.update(word.split("=", 1) for word in assigned.split())
        with self._shown.open("w") as shown:
            self._running = subprocess.Popen(
                ["bash", "-ec", text], cwd=self._folder, env=self._environment, stdout=shown, stderr=shown
            )

    def shown(self) -> str:
        """Return what the last commands have printed, once they have ended."""
        if self._running is None:
            return ""
        code = self._running.wait(PATIENCE)
        text = self._shown.read_text(encoding="utf-8")
        assert code == 0, text
        return text

    def said_by_the_servers(self) -> str:
        """Return what the first terminal shows."""
        return self._said.read_text(encoding="utf-8")

    def close(self) -> None:
        """End what still runs."""
        for process in (self._running, self._servers):
            if process is not None and process.poll() is None:
                process.terminate()
                process.wait(PATIENCE)

    def _url(self) -> str:
        for _ in range(int(PATIENCE * 10)):
            if (
                found := re.search(r"^export SLOTBOOK_URL='(.+)'$", self.said_by_the_servers(), re.MULTILINE)
            ) is not None:
                return found[1]
            time.sleep(0.1)
        pytest.fail("the servers did not say where they are")


def as_it_may_be(text: str) -> list[str]:
    """Return the lines of an output, with times that are different each time left out."""
    return [re.sub(r"\b\d+\.\d s$", "… s", line.rstrip()) for line in text.strip().splitlines()]


def test_every_step_does_what_the_page_says(tmp_path: Path, terminal: Terminals) -> None:
    steps = BLOCK.findall(PAGE)
    assert [text for _, _, text in steps if text.startswith(INSTALLS)] == [steps[0][2]]
    for language, title, text in steps[1:]:
        match language, title:
            case "python", file:
                (tmp_path / file).write_text(text, encoding="utf-8")
            case "console", "terminal 1":
                terminal.in_the_first(text)
            case "console", _:
                terminal.in_the_second(text)
            case _:
                assert as_it_may_be(terminal.shown()) == as_it_may_be(text)
    assert terminal.said_by_the_servers().count("killed the primary") == 1
