"""The program's help, version and completion, and what is loaded for them."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
from importlib import import_module

import pytest
from slotbook import __version__
from slotbook.cli.commands import COMMANDS, Command

from .conftest import Cli


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_help_of_a_command(cli: Cli, command: Command) -> None:
    done = cli(command.name, "--help")
    assert (done.code, done.err) == (0, "")
    assert f"Usage: slotbook {command.name} " in done.out
    words = " ".join(done.out.split())
    for example in command.examples:
        assert f"slotbook {example}" in words
        assert example.split()[0] == command.name
        for option in re.findall(r"--[a-z-]+", example):
            assert re.search(rf"\s{option}\s", done.out), f"{command.name} has no {option}"


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_the_summary_is_the_first_paragraph_of_the_docstring(command: Command) -> None:
    module = import_module(f"slotbook.cli.{command.module}")
    if hasattr(module, "app"):
        assert module.app.info.help == command.summary
    else:
        first, *_ = (inspect.getdoc(getattr(module, command.name)) or "").split("\n\n")
        assert " ".join(first.split()) == command.summary


def test_help_lists_every_command_under_its_heading(cli: Cli) -> None:
    done = cli("--help")
    assert (done.code, done.err) == (0, "")
    heading, found = "", dict[str, str]()
    for line in done.out.splitlines():
        if begins := re.match(r"╭─ (.+?) ─", line):
            heading = begins[1]
        elif names := re.match(r"│ ([a-z]+) ", line):
            found[names[1]] = heading
    assert found == {command.name: command.panel for command in COMMANDS}


def test_help_loads_no_model_and_no_client() -> None:
    source = (
        "import sys; from slotbook.cli import main; main(['--help']); "
        "print([name for name in ('slotbook.models', 'slotbook.topology', 'redis') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.splitlines()[-1], done.stderr) == (0, "[]", "")


@pytest.mark.parametrize(
    "program", [("-m", "slotbook"), ("-c", "import sys; from slotbook.cli import main; sys.exit(main())")]
)
def test_version(program: tuple[str, ...]) -> None:
    done = subprocess.run([sys.executable, *program, "--version"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"slotbook {__version__}\n", "")


@pytest.mark.parametrize(
    ("typed", "offered"),
    [("slotbook fil", "fills"), ("slotbook orders --st", "--status"), ("slotbook index cr", "create")],
)
def test_a_shell_completes(typed: str, offered: str) -> None:
    words = typed.split()
    environment = {
        "_SLOTBOOK_COMPLETE": "complete_bash",
        "_TYPER_COMPLETE_ARGS": typed,
        "COMP_WORDS": typed,
        "COMP_CWORD": str(len(words) - 1),
    }
    done = subprocess.run(
        [sys.executable, "-m", "slotbook"], capture_output=True, text=True, check=False, env=os.environ | environment
    )
    assert (done.stdout.split(), done.stderr) == ([offered], "")
