"""Fixtures that run the command line, in this process or in one of its own."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

import pytest
from slotbook.cli import main
from slotbook.models.journal import COLUMNS

from ..support.fleet import Fleets
from ..support.make import fresh

JsonObject = dict[str, object]


@dataclass(frozen=True)
class Done:
    """The exit code and the output of a command."""

    code: int
    out: str
    err: str

    def json(self) -> JsonObject:
        """Return the whole standard output as one JSON object."""
        assert (self.code, self.err) == (0, "")
        return cast(JsonObject, json.loads(self.out))

    def rows(self) -> list[JsonObject]:
        """Return the whole standard output as a JSON list."""
        return cast("list[JsonObject]", self.json())


class Cli(Protocol):
    def __call__(self, *arguments: object) -> Done: ...


Journal = Callable[..., Path]


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Return a function that runs a command in this process."""
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: object) -> Done:
        capfd.readouterr()
        code = main([str(argument) for argument in arguments])
        captured = capfd.readouterr()
        return Done(code, captured.out, captured.err)

    return run


@pytest.fixture
def process(tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """Return a function that starts a command in a new process group, with ``tmp_path`` as its temporary folder."""

    def start(*arguments: object) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "slotbook", *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env=os.environ | {"TMPDIR": str(tmp_path)},
        )

    return start


@pytest.fixture
def url(fleets: Fleets) -> str:
    """Return the URL of a book with a new prefix on a standalone server."""
    return fleets.of("standalone").url({"prefix": fresh("cli") + ":"})


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """Return a function that writes a journal from rows without ``seq`` and ``ts_ns``, which it numbers."""

    def write(*rows: str, name: str = "journal.csv") -> Path:
        lines = [",".join(COLUMNS), *(f"{number},{1_000 + number},{row}" for number, row in enumerate(rows, 1))]
        data = "".join(f"{line}\n" for line in lines).encode()
        path = tmp_path / name
        path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        return path

    return write
