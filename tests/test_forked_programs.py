"""Programs that tests have forked end with the tests, however those end; see tests/support/forked.py."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from .support import forked
from .support.owners import read_line, state_and_parent
from .support.package import ROOT

TESTS = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from tests.support import forked
SLEEP = "import os, sys, time; print(os.getpid(), file=open(sys.argv[1], 'a'), flush=True); time.sleep(300)"
try:
    forked.run(SLEEP, sys.argv[1])
except KeyboardInterrupt:
    print("interrupted", flush=True)
left = forked.Piped(f"import sys; sys.argv[1:] = {{sys.argv[1:]!r}}; {{SLEEP}}")
sys.stdin.read()
"""
"""Stands for tests: one program is interrupted while they wait for it, another runs when they are killed."""


def started(file: Path, number: int) -> int:
    """Return the pid of a program when it has said it."""
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        lines = file.read_text(encoding="utf-8").splitlines(keepends=True) if file.exists() else []
        if len(lines) > number and lines[number].endswith("\n"):
            return int(lines[number])
        time.sleep(0.02)
    raise AssertionError("the program has not begun")


def is_gone(pid: int) -> bool:
    """Return True if a process ends within a while."""
    ends = time.monotonic() + 30
    while (found := state_and_parent(pid)) and found[0] != "Z":
        if time.monotonic() > ends:
            os.kill(pid, signal.SIGKILL)
            return False
        time.sleep(0.02)
    return True


def test_programs_end_with_the_tests_that_are_interrupted_or_killed(tmp_path: Path) -> None:
    file = tmp_path / "pids"
    tests = subprocess.Popen(
        [sys.executable, "-c", TESTS, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with tests:
        first = started(file, 0)
        tests.send_signal(signal.SIGINT)
        assert read_line(tests) == "interrupted"
        assert is_gone(first), "who is interrupted in a run leaves its program"
        second = started(file, 1)
        found = state_and_parent(second)
        tests.kill()
        assert is_gone(second), "who is killed leaves its programs"
        assert found is not None
        assert is_gone(found[1]), "who is killed leaves the process that forks"


def test_a_program_that_a_test_has_forgotten_ends_and_no_other_with_it() -> None:
    other = forked.Piped("print(input())")
    program = forked.fork("import time; time.sleep(300)", (0, 1, 2))
    pid = program.pid
    del program
    gc.collect()
    assert is_gone(pid), "who forgets a program leaves it"
    print("still here", file=other.stdin, flush=True)
    assert other.rest() == ("still here\n", "")
    assert [forked.run("print(1)").stdout for _ in range(3)] == ["1\n"] * 3


def test_programs_that_end_at_the_same_time_are_each_told() -> None:
    programs = [forked.Piped(f"input(); raise SystemExit({number})") for number in range(8)]
    for program in programs:
        print(file=program.stdin, flush=True)
    assert [(program.rest(60), program.process.returncode) for program in programs] == [(("", ""), n) for n in range(8)]
