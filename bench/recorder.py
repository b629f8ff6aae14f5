"""Record changes as Slotbook makes them: the bytes that it sends, and the writes that its script makes of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import cast

import hiredis

from ..models.results import Outcome
from ..repositories.changes.loss_detector import LossDetector
from ..repositories.changes.scripts import engine
from ..repositories.orders.calls import OrderCalls
from ..repositories.orders.verbs import ORDER_VERBS, OrderRequest
from ..topology.address import Address
from ..topology.call import Call, Reply, pack
from ..topology.settings import Settings
from .floor import BareSocket, Raw
from .material import batch_of
from .monitor import Monitor

_EMPTY = pack(("FLUSHALL", "SYNC"))
_RUN_ALL = """local at, size = 1, #ARGV
while at <= size do
  local last = at + ARGV[at]
  redis.call(unpack(ARGV, at + 1, last))
  at = last + 1
end"""
"""Runs the commands that it is given as arguments, each after the number of its words."""
_INFO_CPU = pack(("INFO", "cpu"))
_MAIN_THREAD = re.compile(r"^used_cpu_(?:sys|user)_main_thread:([\d.]+)", re.MULTILINE)


@dataclass(slots=True)
class Recording:
    """Some changes of a book, in their order, as bytes that can be sent again to a server in the same state."""

    calls: list[bytes] = field(default_factory=list[bytes])
    """Slotbook's own calls."""
    writes: list[list[bytes]] = field(default_factory=list["list[bytes]"])
    """The same as plain commands: for each call, what its script has written and published."""

    @property
    def all_writes(self) -> list[bytes]:
        """The plain commands of all calls."""
        return [command for commands in self.writes for command in commands]


class Recorder:
    """A private server that changes are recorded on, and sent to again; each recording begins with an empty server."""

    def __init__(self, address: Address, password: str, settings: Settings) -> None:
        self._settings = settings
        self._login = address, password
        self._markers = count(1)
        self._server = BareSocket(address, password)
        for script in (engine(), *(engine(verb.step) for verb in ORDER_VERBS)):
            self._server.ask(pack(("SCRIPT", "LOAD", script.source)))
        self._run_all = str(self._server.ask(pack(("SCRIPT", "LOAD", _RUN_ALL))))
        commands = cast("list[list[Reply]]", self._server.ask(pack(("COMMAND",))))
        self._writing = {
            str(name).upper().encode()
            for name, _, flags, *_ in commands
            if isinstance(flags, list) and ("write" in flags or "pubsub" in flags)
        }

    def one_by_one(self, *stages: Sequence[OrderRequest]) -> list[Recording]:
        """Record the changes of each stage, one call after the other."""
        calls = self._begin()
        monitor = Monitor(*self._login)
        try:
            return [self._recorded(monitor, calls, requests) for requests in stages]
        finally:
            monitor.close()

    def batches(self, *stages: Sequence[OrderRequest]) -> list[Recording]:
        """Record the changes of each stage as ``apply_many`` makes them. What they write is not recorded."""
        calls = self._begin()
        recordings: list[Recording] = []
        for requests in stages:
            built = batch_of(calls, requests)
            recordings.append(Recording([call.packed for call in built]))
            for call, answer in zip(built, self.send(recordings[-1].calls), strict=True):
                for outcome in cast("list[Outcome[object]]", call.decode(answer)):
                    outcome.result()
        return recordings

    def in_a_script(self, commands: Sequence[bytes]) -> bytes:
        """Return a call of a script that runs some commands, and does nothing else."""
        reader = hiredis.Reader()
        reader.feed(b"".join(commands))
        words: list[str | bytes] = ["EVALSHA", self._run_all, "0"]
        for _ in commands:
            command = cast("list[bytes]", reader.gets())
            words += [str(len(command)), *command]
        return pack(words)

    def empty(self) -> None:
        """Remove every key of the server."""
        self._server.ask(_EMPTY)

    def send(self, commands: Sequence[bytes]) -> list[Reply]:
        """Send commands in one write, and return the replies. Raises ReplyError for the first that is an error."""
        return [_answer(raw) for raw in self._server.ask_all(b"".join(commands), len(commands))]

    def main_thread_seconds(self) -> float:
        """Return the processor time that the server's main thread has used; 0 where the server cannot tell."""
        return sum(float(seconds) for seconds in _MAIN_THREAD.findall(str(self._server.ask(_INFO_CPU))))

    def close(self) -> None:
        """Close the connection."""
        self._server.close()

    def _begin(self) -> OrderCalls:
        self.empty()
        return OrderCalls(self._settings, LossDetector())

    def _recorded(self, monitor: Monitor, calls: OrderCalls, requests: Sequence[OrderRequest]) -> Recording:
        recording = Recording()
        for request in requests:
            call: Call[object] = calls.change(request)
            recording.calls.append(call.packed)
            call.decode(*self.send((call.packed,)))
        marker = f"recorded {next(self._markers)}"
        self.send([pack(("ECHO", marker))])
        for by_script, words in monitor.until(marker):
            if not by_script:
                recording.writes.append([])
            elif words[0].upper() in self._writing:
                recording.writes[-1].append(pack(words))
        return recording


def _answer(raw: Raw) -> Reply:
    if isinstance(raw, hiredis.ReplyError):
        raise raw
    return raw
