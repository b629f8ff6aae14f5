"""Run what the README shows."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from slotbook import Settings
from slotbook.cli.commands import COMMANDS
from slotbook.repositories import (
    AcquiredLock,
    Auditor,
    Book,
    Find,
    LimitsRepository,
    Lock,
    OrderEventRepository,
    OrderRepository,
    PositionRepository,
    RateLimiter,
    ReferenceTable,
    SearchIndexes,
    SessionRepository,
    Table,
    ValueRepository,
)
from slotbook.repositories.records.ranges._sync import Ranges

from .support.package import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


VERBS = (
    Book,
    OrderRepository,
    PositionRepository,
    LimitsRepository,
    Table,
    Ranges,
    ReferenceTable,
    OrderEventRepository,
    ValueRepository,
    SessionRepository,
    RateLimiter,
    Lock,
    AcquiredLock,
    Find,
    SearchIndexes,
    Auditor,
    Table,
)


def blocks(language: str) -> list[str]:
    """Return the README's code blocks in one language."""
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


RUN = "import gc, sys; names = {'__name__': '__main__'}; exec(sys.stdin.read(), names); names.clear(); gc.collect()"
"""Runs a block and forgets all of it, so that Python tells what it did not close."""
SLOW = re.compile(r"Executing <.* took [\d.]+ seconds\n?")
"""What asyncio says in Python's development mode on a busy machine."""


def run(block: str) -> subprocess.CompletedProcess[str]:
    """Run a block in Python's development mode, where every warning is an error."""
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", RUN]
    return subprocess.run(command, input=block, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("block", blocks("python"), ids=[f"block-{n}" for n, _ in enumerate(blocks("python"), 1)])
def test_python_runs_and_prints_what_it_says_and_no_more(block: str) -> None:
    """Nothing is left open, and nothing used that is deprecated."""
    done = run(block)
    assert done.returncode == 0, done.stderr
    promised = re.findall(r"(?:^ +# |\) {2,}# )([A-Z0-9][A-Za-z0-9_ ]*)$", block, re.MULTILINE)
    assert done.stdout.split("\n")[:-1] == promised[-1:]
    assert SLOW.sub("", done.stderr) == ""


@pytest.mark.parametrize(
    "block",
    [
        "import socket\nleft = socket.socket()",
        "import asyncio\nfrom slotbook import aconnect\n\n\nasync def main() -> None:\n"
        "    await aconnect('embedded://standalone')\n\n\nasyncio.run(main())",
    ],
    ids=["a socket", "a book"],
)
def test_what_is_left_open_would_be_seen(block: str) -> None:
    assert "ResourceWarning: unclosed" in run(block).stderr


def test_every_setting_is_in_the_table() -> None:

    table = README.split("| setting | default | meaning |")[1].split("\n\n")[0]
    assert set(re.findall(r"`([a-z_]+)`", table)) >= set(Settings.model_fields) - {"url"}


def test_every_verb_is_in_the_table() -> None:

    table = README.split("| repository | verbs |")[1].split("\n\n")[0]
    named = set(re.findall(r"`([a-z_]+)`", table))
    verbs = {
        name
        for repository in VERBS
        for kind in repository.__mro__
        for name in vars(kind)
        if not name.startswith("_")
        and name not in {"from_url", "close", "remaining", "cache", "lock", "limiter", "table", "reference"}
    }
    assert named == verbs


def test_the_console_commands_are_those_that_exist() -> None:
    lines = [line for block in blocks("console") for line in block.splitlines()]
    assert {line.split()[1] for line in lines if line.startswith("slotbook ")} == {one.name for one in COMMANDS}


def test_ci_runs_the_readmes_test_command() -> None:
    assert len(re.findall(r"^python3 -m venv .* -m pytest.*$", README, re.MULTILINE)) == 1
