"""Run what the README shows, and hold it short."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from slotbook.cli.commands import COMMANDS

from .support.pages import README, blocks_of, promised_by, run

TEXT = README.read_text(encoding="utf-8")
BLOCKS = blocks_of(TEXT)


@pytest.mark.parametrize("block", BLOCKS, ids=[f"block-{n}" for n, _ in enumerate(BLOCKS, 1)])
def test_python_runs_and_prints_what_it_says_and_no_more(block: str, tmp_path: Path) -> None:
    """Nothing is left open, and nothing used that is deprecated."""
    done = run(block, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert promised_by(block) != []
    assert done.stdout.splitlines() == promised_by(block)


@pytest.mark.parametrize(
    "block",
    [
        "import socket\nleft = socket.socket()",
        "import asyncio\nfrom slotbook import aconnect\n\n\nasync def main() -> None:\n"
        "    await aconnect('embedded://standalone')\n\n\nasyncio.run(main())",
    ],
    ids=["a socket", "a book"],
)
def test_what_is_left_open_would_be_seen(block: str, tmp_path: Path) -> None:
    assert "ResourceWarning: unclosed" in run(block, tmp_path).stderr


def test_it_is_read_in_a_few_minutes() -> None:
    assert len(TEXT.splitlines()) <= 200


def test_the_commands_it_shows_exist() -> None:
    lines = [line for block in blocks_of(TEXT, "console") for line in block.splitlines()]
    shown = {line.split()[1] for line in lines if line.startswith("slotbook ")}
    assert "demo" in shown
    assert shown <= {one.name for one in COMMANDS}


def test_ci_runs_the_readmes_test_command() -> None:
    assert len(re.findall(r"^python3 -m venv .* -m pytest.*$", TEXT, re.MULTILINE)) == 1
