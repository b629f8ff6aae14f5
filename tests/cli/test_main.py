"""The program as a whole: exit codes, errors in one line, Ctrl-C, pipes and terminals."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Cli, Journal
from .test_replay import DAY

Process = Callable[..., "subprocess.Popen[str]"]


@pytest.mark.parametrize("library", ["typer", "rich"])
def test_without_its_libraries_it_says_what_to_install(library: str) -> None:
    source = f"import sys; sys.modules[{library!r}] = None; from slotbook.cli import main; sys.exit(main(['demo']))"
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith("slotbook: ")
    assert "pip install 'slotbook[cli]'" in done.stderr


def test_another_missing_module_is_not_hidden() -> None:
    source = "import sys; sys.modules['tenacity'] = None; from slotbook.cli import main; main(['demo'])"
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=False)
    assert "tenacity" in done.stderr
    assert "slotbook[cli]" not in done.stderr


@pytest.mark.parametrize("command", [(), ("replay",), ("demo",), ("orders",), ("positions",), ("migrate",)])
def test_help(cli: Cli, command: tuple[str, ...]) -> None:
    done = cli(*command, "--help")
    assert (done.code, done.err) == (0, "")
    assert f"Usage: slotbook {' '.join(command)}" in done.out


@pytest.mark.parametrize(
    ("url", "part"),
    [
        ("redis://desk:hunter2@127.0.0.1:1/0", "127.0.0.1"),
        ("postgres://desk:hunter2@127.0.0.1/0", "does not begin with one of redis://"),
        ("redis+cluster://desk:hunter2@127.0.0.1:1/9", "a cluster has database 0 only"),
        ("redis://desk:hunter2@127.0.0.1?dedline=5", "did you mean 'deadline'"),
    ],
)
def test_an_error_is_one_line_without_a_secret(cli: Cli, journal: Journal, url: str, part: str) -> None:
    for command in (("replay", journal(*DAY)), ("orders", "--trader", "T001"), ("positions",)):
        done = cli(*command, "--url", url, "--json")
        assert (done.code, done.out, done.err.count("\n")) == (1, "", 1)
        assert done.err.startswith("slotbook: ")
        assert part in done.err
        assert "hunter2" not in done.err


@pytest.mark.parametrize("deadline", ["nan", "-1", "0"])
def test_a_deadline_that_makes_no_sense(cli: Cli, url: str, journal: Journal, deadline: str) -> None:
    done = cli("replay", journal(*DAY), "--url", url, "--deadline", deadline)
    assert (done.code, done.out, done.err.count("\n")) == (1, "", 1)
    assert done.err.startswith(f"slotbook: --deadline {deadline}: ")


@pytest.fixture(params=["", "1"], ids=["buffered", "unbuffered"])
def buffering(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the buffering of standard output: a write fails when it is flushed, or at once."""
    monkeypatch.setenv("PYTHONUNBUFFERED", str(request.param))


@pytest.mark.usefixtures("buffering")
@pytest.mark.parametrize("options", [("--json",), ()], ids=["json", "table"])
def test_a_reader_that_goes_away(url: str, options: tuple[str, ...]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "slotbook", "positions", "--url", url, *options]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.usefixtures("buffering")
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk(url: str) -> None:
    command = [sys.executable, "-m", "slotbook", "positions", "--url", url, "--json"]
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "slotbook: [Errno 28] No space left on device\n")


def test_progress_is_for_terminals_only(journal: Journal, url: str) -> None:
    command = [sys.executable, "-m", "slotbook", "replay", str(journal(*DAY)), "--url", url, "--json"]
    quiet = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (quiet.returncode, quiet.stderr) == (0, "")
    ours, theirs = pty.openpty()
    shown = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=theirs, text=True, check=False, env=os.environ | {"TERM": "xterm"}
    )
    os.close(theirs)
    bar = os.read(ours, 100_000).decode()
    os.close(ours)
    assert shown.returncode == 0
    assert shown.stdout.startswith("{")
    assert "applying" in bar
    assert "7/7" in bar


def servers_of(folder: Path) -> set[int]:
    """Return the ids of the processes that write their output to a folder."""
    found: set[int] = set()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            log = str(entry.joinpath("fd/1").readlink())
        except OSError:
            continue
        if log.startswith(str(folder)):
            found.add(int(entry.name))
    return found


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")
@pytest.mark.parametrize(("command", "seconds"), [("replay", 0.0), ("replay", 4.0), ("demo", 3.0)])
def test_ctrl_c_leaves_no_server(
    process: Process, journal: Journal, tmp_path: Path, command: str, seconds: float
) -> None:
    rows = [f"T{number % 50:03},NEW,A{number},ESH4,BUY,1,4799," for number in range(80_000)]
    arguments = ("replay", journal(*rows), "--url", "embedded://cluster") if command == "replay" else ("demo",)
    running = process(*arguments)
    try:
        until = time.monotonic() + 30
        while len(servers_of(tmp_path)) < 6:
            assert running.poll() is None
            assert time.monotonic() < until
            time.sleep(0.02)
        time.sleep(seconds)
        assert running.poll() is None, running.communicate()
        os.killpg(running.pid, signal.SIGINT)
        _, errors = running.communicate(timeout=100)
        assert (running.returncode, errors) == (130, "")
        assert servers_of(tmp_path) == set()
    finally:
        if running.poll() is None:
            os.killpg(running.pid, signal.SIGKILL)
        running.communicate()
