"""The program as a whole: exit codes, errors in one line, Ctrl-C, pipes and terminals."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from ..support.forked import fork, module, run
from ..support.raw import Raw, Refusal
from .conftest import Cli, Journal
from .test_replay import DAY

Process = Callable[..., "subprocess.Popen[str]"]


@pytest.mark.parametrize("library", ["typer", "rich"])
def test_without_its_libraries_it_says_what_to_install(library: str) -> None:
    source = f"import sys; sys.modules[{library!r}] = None; from slotbook.cli import main; sys.exit(main(['demo']))"
    done = run(source)
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


UNBUFFERED = "import io, sys; sys.stdout = io.TextIOWrapper(io.FileIO(1, 'w', closefd=False), write_through=True)\n"
"""What PYTHONUNBUFFERED does to standard output: a write fails at once, and not when it is flushed."""


def ended(code: str, out: int, err: int, **environment: str) -> int:
    """Return how a program ends that writes to two files."""
    with Path(os.devnull).open(encoding="utf-8") as nothing:
        process = fork(code, (nothing.fileno(), out, err), environment=os.environ | environment)
    return process.wait(60)


@pytest.mark.parametrize("begin", ["", UNBUFFERED], ids=["buffered", "unbuffered"])
@pytest.mark.parametrize("options", [("--json",), ()], ids=["json", "table"])
def test_a_reader_that_goes_away(url: str, tmp_path: Path, options: tuple[str, ...], begin: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with (tmp_path / "errors").open("w+", encoding="utf-8") as errors:
        code = ended(begin + module("slotbook", "positions", "--url", url, *options), writer, errors.fileno())
        os.close(writer)
        errors.seek(0)
        assert (code, errors.read()) == (1, "")


@pytest.mark.parametrize("begin", ["", UNBUFFERED], ids=["buffered", "unbuffered"])
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk(url: str, tmp_path: Path, begin: str) -> None:
    with (
        Path("/dev/full").open("w", encoding="utf-8") as full,
        (tmp_path / "errors").open("w+", encoding="utf-8") as errors,
    ):
        command = module("slotbook", "positions", "--url", url, "--json")
        code = ended(begin + command, full.fileno(), errors.fileno())
        errors.seek(0)
        assert (code, errors.read()) == (1, "slotbook: [Errno 28] No space left on device\n")


def test_progress_is_for_terminals_only(journal: Journal, url: str, tmp_path: Path) -> None:
    command = module("slotbook", "replay", str(journal(*DAY)), "--url", url, "--json")
    quiet = run(command)
    assert (quiet.returncode, quiet.stderr) == (0, "")
    ours, theirs = pty.openpty()
    with (tmp_path / "out").open("w+", encoding="utf-8") as out:
        code = ended(command, out.fileno(), theirs, TERM="xterm")
        out.seek(0)
        assert (code, out.read(1)) == (0, "{")
    os.close(theirs)
    bar = os.read(ours, 100_000).decode()
    os.close(ours)
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


def stores_anything(server: Path) -> bool:
    """Return True if the server with a configuration file has keys."""
    said = dict(line.split(" ", 1) for line in server.read_text(encoding="utf-8").splitlines() if " " in line)
    try:
        with closing(Raw("127.0.0.1", int(said["port"]), said["requirepass"])) as raw:
            return raw.ask("DBSIZE") != 0
    except (OSError, Refusal):  # it starts, or loads what another server has
        return False


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")
@pytest.mark.parametrize("moment", ["replay starts", "replay applies", "demo goes on"])
def test_ctrl_c_leaves_no_server(process: Process, journal: Journal, tmp_path: Path, moment: str) -> None:
    rows = [f"T{number % 50:03},NEW,A{number},ESH4,BUY,1,4799," for number in range(40_000)]
    is_replay = moment.startswith("replay")
    arguments = ("replay", journal(*rows), "--url", "embedded://cluster") if is_replay else ("demo",)
    running = process(*arguments)
    try:
        until = time.monotonic() + 30
        while len(servers_of(tmp_path)) < 6 or (
            moment == "replay applies" and not any(map(stores_anything, tmp_path.rglob("server.conf")))
        ):
            assert running.poll() is None
            assert time.monotonic() < until
            time.sleep(0.02)
        time.sleep(0 if is_replay else 3)
        assert running.poll() is None, running.communicate()
        os.killpg(running.pid, signal.SIGINT)
        _, errors = running.communicate(timeout=100)
        assert (running.returncode, errors) == (130, "")
        assert servers_of(tmp_path) == set()
    finally:
        if running.poll() is None:
            os.killpg(running.pid, signal.SIGKILL)
        running.communicate()
