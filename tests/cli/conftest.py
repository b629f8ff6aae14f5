"""The command line, run in this process or in one of its own."""

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

Reply = dict[str, object]


@dataclass(frozen=True)
class Done:
    """What a command left behind."""

    code: int
    out: str
    err: str

    def json(self) -> Reply:
        """Its standard output, all of it, as one JSON object."""
        assert (self.code, self.err) == (0, "")
        return cast(Reply, json.loads(self.out))

    def rows(self) -> list[Reply]:
        """Its standard output, all of it, as a JSON list."""
        return cast("list[Reply]", self.json())


class Cli(Protocol):
    def __call__(self, *arguments: object) -> Done: ...


Journal = Callable[..., Path]


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Run a command in this process."""
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: object) -> Done:
        capfd.readouterr()
        code = main([str(argument) for argument in arguments])
        captured = capfd.readouterr()
        return Done(code, captured.out, captured.err)

    return run


@pytest.fixture
def process(tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """Start a command in a process group of its own, with ``tmp_path`` as its temporary folder."""

    def start(*arguments: object) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "slotbook.cli", *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env=os.environ | {"TMPDIR": str(tmp_path)},
        )

    return start


@pytest.fixture
def url(fleets: Fleets) -> str:
    """A book of this test's own on a standalone server."""
    return fleets.of("standalone").url({"prefix": fresh("cli") + ":"})


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """Write a journal from its rows without ``seq`` and ``ts_ns``, which are counted."""

    def write(*rows: str, name: str = "journal.csv") -> Path:
        lines = [",".join(COLUMNS), *(f"{number},{1_000 + number},{row}" for number, row in enumerate(rows, 1))]
        data = "".join(f"{line}\n" for line in lines).encode()
        path = tmp_path / name
        path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        return path

    return write
