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
from .raw import Word

LEFT = "left to the engine"


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
        self._short = f"{short.source}\nreturn '{LEFT}'\n"
        self._long = long_way(step).source
        self._listener = desk.fleet.one_more(f"{{{desk.trader}}}")
        self._listener.ask("SSUBSCRIBE", f"{{{desk.trader}}}:events")
        self.taken = 0
        """How many calls took the short way."""

    def close(self) -> None:
        """Stop listening."""
        self._listener.close()

    def state(self) -> State:
        """Return what is stored now."""
        keys = keys_of(self._desk.fleet, self._desk.trader)
        dumps = self._raw.ask_all([("DUMP", key) for key in keys])
        expiries = self._raw.ask_all([("PEXPIRETIME", key) for key in keys])
        return State(dict(zip(keys, dumps, strict=True)), dict(zip(keys, expiries, strict=True)))

    def left(self) -> State:
        """Return what is stored now, as it is compared."""
        state = self.state()
        if not self._in_order:
            return State(self._desk.contents(), state.expiries)
        # The fields of a hash that is large are in no order that would stay.
        keys = list(state.dumps)
        kinds = zip(
            keys,
            self._raw.ask_all([("TYPE", key) for key in keys]),
            self._raw.ask_all([("OBJECT", "ENCODING", key) for key in keys]),
            strict=True,
        )
        large = [key for key, kind, encoding in kinds if (kind, encoding) == ("hash", "hashtable")]
        flats = cast("list[list[Reply]]", self._raw.ask_all([("HGETALL", key) for key in large]))
        fields = {key: dict(zip(flat[::2], flat[1::2], strict=True)) for key, flat in zip(large, flats, strict=True)}
        return State({**state.dumps, **fields}, state.expiries)

    def restore(self, state: State) -> None:
        """Store a state, and nothing else."""
        commands: list[tuple[Word, ...]] = [("DEL", key) for key in keys_of(self._desk.fleet, self._desk.trader)]
        for key, dump in state.dumps.items():
            expiry = max(0, int(str(state.expiries[key])))
            commands.append(("RESTORE", key, expiry, str(dump).encode("utf-8", "surrogateescape"), "ABSTTL"))
        self._raw.ask_all(commands)

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
        by_engine = self._run(self._long, call, time), self.left(), self._listener.published()
        self.restore(before)
        reply = self._run(self._short, call, time)
        is_left = reply == LEFT
        if is_left:
            assert self.left() == was, "what is left to the engine has changed something"
            reply = self._run(self._long, call, time)
        found = reply, self.left(), self._listener.published()
        if not is_left:
            self.taken += 1
            assert not (differ := _differences(found, by_engine)), differ
        return reply

    def _time(self) -> str:
        """Return the time that scripts are to read, as Lua."""
        seconds, microseconds = (int(str(part)) for part in cast("list[Reply]", self._raw.ask("TIME")))
        now = seconds * 1_000_000 + microseconds + self.ahead * 1_000
        return f"({{ '{now // 1_000_000}', '{now % 1_000_000}' }})"

    def _run(self, source: str, call: Call[object], time: str) -> Reply:
        words = _words(call.packed)
        return self._raw.ask("EVAL", source.replace("redis.call('TIME')", time), *words[2:])


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
