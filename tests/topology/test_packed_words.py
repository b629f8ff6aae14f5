"""Only text and bytes reach hiredis: for a number it calls ``str``, and crashes where a handler makes that fail."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from typing import cast

import hiredis
import pytest
from slotbook import Book
from slotbook.topology import call
from slotbook.topology.call import pack

from ..support.fleet import Fleets
from ..support.make import fresh

PROGRAM = """
import signal, time
from slotbook.topology.call import evaluate, pack
from slotbook.topology.durability import Durability
from slotbook.topology.scripts import Script

class Interrupted(BaseException): pass

def interrupt(*_):
    raise Interrupted

script, proof, hits = Script("return 1", "0" * 40), Durability(replicas=1), 0
signal.signal(signal.SIGALRM, interrupt)
while hits < 300:
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.0002)
        while True:
            evaluate("any", script, ("{a}:k", "{a}:l"), ("1", "2"), decode=len)
            proof.proof("{a}:k", "version", 1.0)
    except Interrupted:
        hits += 1
"""


def test_a_signal_handler_that_raises_while_a_call_is_packed_does_not_crash_the_process() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def packed(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Return the words of each command that hiredis packs, also for redis-py."""
    words: list[object] = []
    original = cast("Callable[[tuple[object, ...]], bytes]", vars(hiredis)["pack_command"])

    def watched(command: tuple[object, ...]) -> bytes:
        words.extend(command)
        return original(command)

    monkeypatch.setattr(hiredis, "pack_command", watched)
    monkeypatch.setattr(call, "_pack_command", watched)
    return words


def test_words_that_redis_py_sends(fleets: Fleets, packed: list[object]) -> None:
    """Logging in, listening for changes of what is cached near, and asking a private server."""
    fleet = fleets.of("standalone")
    cache = fresh("c")
    with Book.open(fleet.url({"prefix": f"{fresh()}:"})) as book:
        near = book.cache(str, cache)
        near.near(10)
        near.put("k", "v")
        ends_at = time.monotonic() + 5
        while "TRACKING" not in packed and time.monotonic() < ends_at:
            assert near.get("k") == "v"
            time.sleep(0.01)
    fleet.private.servers[0].ask("CONFIG", "SET", "maxclients", 10_000)
    assert {"HELLO", "TRACKING", "3", "10000"} <= set(packed)
    assert {type(word) for word in packed} <= {str, bytes}


def test_a_number_of_redis_pys_is_packed_as_text() -> None:
    (packed,) = call.CommandPacker().pack("CLIENT SETINFO", 3, b"x", "y")
    assert packed == pack(("CLIENT", "SETINFO", "3", b"x", "y"))
