"""Make a call in its short way and, from the same state, by the engine: compare what both leave, publish and answer."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple, cast

import hiredis
from slotbook.models.errors import SlotbookError
from slotbook.repositories.changes.scripts import SHORT_WAYS, load, long_way
from slotbook.topology.call import Call, Reply

from .desk import Desk
from .leaks import keys_of
from .raw import Word, mapping

LEFT = "left to the engine"
_AT_A_TIME = "ARGV.time = {table.remove(ARGV, #ARGV - 1), table.remove(ARGV)} "
"""Begins a script whose time is its last two arguments: it is compiled once, as its text does not change."""
_READ = """
local found = {}
for _, key in ipairs(KEYS) do
  local encoding = redis.call('TYPE', key).ok == 'hash' and redis.call('OBJECT', 'ENCODING', key)
  local in_fields = encoding and (ARGV[1] == 'fields' or (ARGV[1] == 'compared' and encoding == 'hashtable'))
  found[#found + 1] = redis.call(in_fields and 'HGETALL' or 'DUMP', key)
  found[#found + 1] = redis.call('PEXPIRETIME', key)
end
return found
"""
"""Read all keys in one command: hashes as fields, or those that are large, which are in no order that would stay."""
_RESTORE = """
for at, key in ipairs(KEYS) do
  redis.call('RESTORE', key, ARGV[2 * at - 1], ARGV[2 * at], 'ABSTTL')
end
"""


class State(NamedTuple):
    """A trader's keys: for each what RESTORE takes or, of a hash, its values by field, and when it expires."""

    dumps: Mapping[str, object]
    expiries: dict[str, Reply]


class TwoWays:
    """The two ways of a step on a desk's server, for one trader.

    ``in_order`` is False where the fields of a hash may be stored in another order: then its contents are compared.
    Both read the same time, the server's when the call is made, which ``ahead`` milliseconds may be added to.
    """

    ahead = 0

    def __init__(self, desk: Desk, step: str, *, in_order: bool = True) -> None:
        self._desk = desk
        self._in_order = in_order
        self._raw = desk.fleet.raw(f"{{{desk.trader}}}")
        short = load("slotbook.repositories.changes", SHORT_WAYS[step], guarded=False)
        self._short = self._loaded(f"{short.source}\nreturn '{LEFT}'\n")
        self._long = self._loaded(long_way(step).source)
        self._listener = desk.fleet.one_more(f"{{{desk.trader}}}")
        self._listener.ask("SSUBSCRIBE", f"{{{desk.trader}}}:events")
        self.taken = 0
        """How many calls took the short way."""

    def close(self) -> None:
        """Stop listening."""
        self._listener.close()

    def state(self) -> State:
        """Return what is stored now."""
        return self._read("dumps")

    def left(self) -> State:
        """Return what is stored now, as it is compared."""
        return self._read("compared" if self._in_order else "fields")

    def _read(self, form: str) -> State:
        keys = keys_of(self._desk.fleet, self._desk.trader)
        flat = cast("list[Reply]", self._raw.ask("EVAL", _READ, len(keys), *keys, form))
        found = [mapping(one) if isinstance(one, list) else one for one in flat[::2]]
        return State(dict(zip(keys, found, strict=True)), dict(zip(keys, flat[1::2], strict=True)))

    def restore(self, state: State) -> None:
        """Store a state, and nothing else."""
        if keys := keys_of(self._desk.fleet, self._desk.trader):
            self._raw.ask("DEL", *keys)
        given: list[Word] = []
        for key, dump in state.dumps.items():
            given += max(0, int(str(state.expiries[key]))), str(dump).encode("utf-8", "surrogateescape")
        self._raw.ask("EVAL", _RESTORE, len(state.dumps), *state.dumps, *given)

    def make(self, call: Call[object]) -> None:
        """Make a call both ways, and read its answer, which may be that it is refused."""
        with contextlib.suppress(SlotbookError):
            call.decode(self.check(call))

    def check(self, call: Call[object]) -> Reply:
        """Make a call both ways, and return its reply. Raises AssertionError where they differ."""
        before, time = self.state(), self._time()
        self._listener.published()
        self.restore(before)
        was = self.left()  # what is restored may be encoded otherwise
        found = self._run(self._short, call, time), self.left(), self._listener.published()
        if found[0] == LEFT:
            assert found[1:] == (was, []), "what is left to the engine has changed or published something"
            return self._run(self._long, call, time)
        self.taken += 1
        self.restore(before)
        by_engine = self._run(self._long, call, time), self.left(), self._listener.published()
        assert not (differ := _differences(found, by_engine)), differ
        return found[0]

    def _time(self) -> tuple[int, int]:
        """Return the time that scripts are to read."""
        seconds, microseconds = (int(str(part)) for part in cast("list[Reply]", self._raw.ask("TIME")))
        return divmod(seconds * 1_000_000 + microseconds + self.ahead * 1_000, 1_000_000)

    def _loaded(self, source: str) -> str:
        """Return what EVALSHA calls a script that reads the time it is given."""
        return str(self._raw.ask("SCRIPT", "LOAD", _AT_A_TIME + source.replace("redis.call('TIME')", "ARGV.time")))

    def _run(self, script: str, call: Call[object], time: tuple[int, int]) -> Reply:
        return self._raw.ask("EVALSHA", script, *_words(call.packed)[2:], *time)


def _differences(
    short: tuple[Reply, State, Sequence[object]], long: tuple[Reply, State, Sequence[object]]
) -> list[object]:
    """Return what two ways have left, published and answered otherwise."""
    (answer, state, seen), (other_answer, other, other_seen) = short, long
    pairs: list[tuple[object, object]] = [(answer, other_answer), *zip(seen, other_seen, strict=False)]
    pairs.append((state.dumps.keys(), other.dumps.keys()))
    pairs += [((key, dump), (key, other.dumps.get(key))) for key, dump in state.dumps.items()]
    pairs += [((key, expiry), (key, other.expiries.get(key))) for key, expiry in state.expiries.items()]
    pairs.append((len(seen), len(other_seen)))
    return [pair for pair in pairs if pair[0] != pair[1]]


def _words(packed: bytes) -> list[bytes]:
    """Return the words of a packed command."""
    reader = hiredis.Reader()
    reader.feed(packed)
    return cast("list[bytes]", reader.gets())
