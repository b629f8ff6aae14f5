"""List what the user of a book has to be allowed, and what nobody should be who only uses a book.

``docker/server/users.acl`` has the same commands, which a test holds; so Slotbook calls each of them.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...models.enums import EventType, OrderStatus
from ...models.keys import Keys
from ...topology.settings import Settings

_KEY = "KEY"
_CHANNEL = "CHANNEL"
_DIGEST = "0" * 40

_NEEDED: dict[str, tuple[str, ...]] = {
    "every change": (
        *(f"EVAL return 1 {_KEY}", f"EVALSHA {_DIGEST} 1 {_KEY}", "GET KEY", "SET KEY 1", "UNLINK KEY", "EXISTS KEY"),
        *("TYPE KEY", "HGET KEY f", "HSET KEY f 1", "HDEL KEY f", "HLEN KEY", "HKEYS KEY", "HMGET KEY f"),
        *("HGETALL KEY", "SADD KEY m", "SCARD KEY", "SMEMBERS KEY", "ZADD KEY 1 m", "ZREM KEY m", "ZCARD KEY"),
        *("ZCOUNT KEY 0 1", "ZLEXCOUNT KEY - +", "ZMSCORE KEY m", "ZRANGE KEY 0 1", "ZRANGEBYSCORE KEY 0 1"),
        *("ZREMRANGEBYSCORE KEY 0 1", "ZSCORE KEY m", "XADD KEY * f 1", "XREVRANGE KEY + -", "XINFO STREAM KEY"),
        *("PEXPIRE KEY 1", "PEXPIREAT KEY 1", "PEXPIRETIME KEY", "PERSIST KEY", "PTTL KEY", "TIME"),
    ),
    "finding the primary": ("PING", "ROLE", "INFO", "CLUSTER SLOTS", "ASKING", "SELECT 0"),
    "verify, totals, forgetting by pattern, and all traders' events": (
        *("SCAN 0", "SSCAN KEY 0", "ZSCAN KEY 0", "SISMEMBER KEY m", "SREM KEY m", "XRANGE KEY - +"),
    ),
    "saying in CLIENT LIST whose a connection is (each leaves a line in ACL LOG without it)": (
        *("CLIENT SETNAME n", "CLIENT SETINFO LIB-NAME n"),
    ),
    "durability=replicated": ("WAIT 0 1",),
    "durability=fsynced": ("WAITAOF 0 0 1",),
    "search": (
        "COMMAND INFO",
        *("FT.AGGREGATE i q", "FT.ALIASUPDATE a i", "FT.CREATE i SCHEMA f TEXT", "FT.CURSOR READ i 1"),
        *("FT.DROPINDEX i", "FT.INFO i", "FT._LIST"),
    ),
    "near caches": ("CLIENT TRACKING ON",),
    "hearing and publishing events": (
        *("PUBLISH CHANNEL m", "SPUBLISH CHANNEL m", "SUBSCRIBE CHANNEL", "UNSUBSCRIBE", "PSUBSCRIBE CHANNEL"),
        *("PUNSUBSCRIBE", "SSUBSCRIBE CHANNEL", "SUNSUBSCRIBE"),
    ),
    "consumers": (
        *("XGROUP CREATE KEY g 0", "XGROUP SETID KEY g 0", "XGROUP DELCONSUMER KEY g c", "XINFO GROUPS KEY"),
        *("XINFO CONSUMERS KEY g", "XREADGROUP GROUP g c STREAMS KEY >", "XACK KEY g 0", "XAUTOCLAIM KEY g c 1 0"),
        *("XCLAIM KEY g c 1 0", "XPENDING KEY g", "XDEL KEY 0", "XLEN KEY", "XTRIM KEY MAXLEN 1"),
    ),
}
"""An example of each command that Slotbook calls, by what it is for."""

ESSENTIAL = frozenset({"every change", "finding the primary"})
"""The purposes that no book does without."""

_CONTAINERS = frozenset(
    {"ACL", "CLIENT", "CLUSTER", "COMMAND", "CONFIG", "DEBUG", "FUNCTION", "MODULE", "SCRIPT", "XGROUP", "XINFO"}
)
"""Commands whose second word says what they do."""

_UNNEEDED = (
    *("FLUSHALL", "FLUSHDB", "KEYS *", "CONFIG SET maxmemory 1", "SHUTDOWN", "ACL SETUSER u", "REPLICAOF NO ONE"),
    *("SCRIPT FLUSH", "FUNCTION FLUSH", "MODULE LOAD m", "DEBUG JMAP", "MONITOR", "CLIENT KILL ID 1", "SWAPDB 0 1"),
    *("CLUSTER RESET", "CLUSTER FAILOVER", "MIGRATE h 1 KEY 0 1", "RESTORE KEY 0 v", "RENAME KEY KEY", "BGSAVE"),
)
"""An example of each command by which a program could harm the book or its servers, and that no book needs."""


@dataclass(frozen=True, slots=True)
class Need:
    """Something that a user is to be allowed, or not to be."""

    words: tuple[str, ...]
    """An example of it, as a command."""
    name: str
    """The command as ACL rules name it, or the key or channel."""
    purpose: str


def _name_of(example: str) -> str:
    first, *others = example.split()
    return f"{first}|{others[0]}".lower() if first in _CONTAINERS else first.lower()


SINCE_7_2 = frozenset({"waitaof", "client|setinfo"})
"""Commands that a server of Redis 7.0 does not have."""
COMMAND_NAMES = tuple(
    name
    for examples in _NEEDED.values()
    for name in map(_name_of, examples)
    if not name.startswith("ft.") and name not in SINCE_7_2
)
"""The commands that every server has on which a book can be kept, as COMMAND INFO takes them."""


def commands_needed(settings: Settings, lacking: frozenset[str]) -> list[Need]:
    """Return every command that the user of a book needs, on its own keys and channels.

    Args:
        settings: The book's settings, which say its prefix.
        lacking: Commands that the server does not have.
    """
    keys = Keys(settings.prefix)
    place = {_KEY: keys.of(TRADER).book, _CHANNEL: keys.of(TRADER).events}
    found: list[Need] = []
    for purpose, examples in _NEEDED.items():
        for example in examples:
            if (name := _name_of(example)) not in lacking:
                found.append(Need(_words(example, place), name, purpose))
    return found


def _words(example: str, place: dict[str, str]) -> tuple[str, ...]:
    words = ["return 1", "1", _KEY] if example.startswith("EVAL ") else example.split()[1:]
    return tuple(place.get(word, word) for word in (example.split(maxsplit=1)[0], *words))


TRADER = "slotbook-doctor"
"""The trader of the examples; nothing is stored of one."""


def keys_needed(settings: Settings) -> list[Need]:
    """Return an example of each kind of key that a book has, with a command that reads and writes it."""
    keys = Keys(settings.prefix)
    of = keys.of(TRADER)
    record = keys.reference("venue", "K1")
    names = (
        *(
            of.book,
            of.events,
            of.positions,
            of.order("A1"),
            of.applied("A1"),
            of.alias("C1"),
            of.position("AAPL"),
            of.request("R1"),
        ),
        *(of.statuses[OrderStatus.NEW], of.symbol("AAPL"), of.own_order_index("strategy", "x"), of.dead_events),
        *(of.own_record("note", "K1"), of.own_keys("note"), of.own_index("note", "account", "x")),
        *(of.own_sorted("note", "size"), of.own_unique("note", "reference", "x"), of.own_deleted("note", "K1")),
        *(of.sessions, of.session("S1"), of.lock("L1"), keys.lock("L1"), keys.value("V1"), keys.value_version("V1")),
        *(keys.swapped("V1", "R1"), keys.limit("orders", "rule"), keys.permit("orders", "rule", "R1")),
        *(record, keys.reference_request(record, "R1"), keys.reference_deleted(record), f"{keys.prefix}symbol:AAPL"),
    )
    return [Need(("EVALSHA", _DIGEST, "1", name), name, "its keys") for name in names]


def channels_needed(settings: Settings) -> list[Need]:
    """Return an example of each channel on which changes of the book are announced, with the command that does it."""
    keys = Keys(settings.prefix)
    channels = {
        "traders": ("SPUBLISH", keys.of(TRADER).events),
        "order_events": ("PUBLISH", keys.order_events),
        "symbols": ("PUBLISH", keys.symbol_events("AAPL", EventType.TRADE.word)),
    }
    return [
        Need((command, channel, "m"), channel, f"publish={kind}")
        for kind, (command, channel) in channels.items()
        if kind in settings.publish
    ]


def not_needed(settings: Settings) -> list[Need]:
    """Return commands that the user of a book should not be allowed, and with a prefix the keys of other programs."""
    place = {_KEY: Keys(settings.prefix).of(TRADER).book}
    found = [Need(_words(example, place), _name_of(example), "") for example in _UNNEEDED]
    if settings.prefix:
        found.append(Need(("GET", "other-program:key"), "keys outside the prefix", ""))
    return found
