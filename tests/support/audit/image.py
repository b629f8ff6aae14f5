"""Take an image of everything that is stored of a trader, in its smallest parts, and put it back."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias, cast

from ..desk import Desk
from ..leaks import keys_of
from ..raw import Reply, mapping

Part: TypeAlias = tuple[str, str]
"""A key, and a field, member or entry of it; ``(expiry)`` for when it expires."""
Image: TypeAlias = dict[Part, str]


_READ = {
    "hash": ("HGETALL", "{}"),
    "zset": ("ZRANGE", "{}", "0", "-1", "WITHSCORES"),
    "set": ("SMEMBERS", "{}"),
    "stream": ("XRANGE", "{}", "-", "+"),
    "string": ("GET", "{}"),
}
"""The command that reads a key of each type."""


class Stored(NamedTuple):
    """The raw contents of a key and when it expires, in milliseconds since the epoch; 0 for never."""

    key: str
    dump: bytes
    expires: int


def image_of(desk: Desk) -> Image:
    """Return every part of what is stored of the desk's trader."""
    found: Image = {}
    raw, keys = desk.fleet.raw(f"{{{desk.trader}}}"), keys_of(desk.fleet, desk.trader)
    expiries = raw.ask_all([("PEXPIRETIME", key) for key in keys])
    kinds = [str(kind) for kind in raw.ask_all([("TYPE", key) for key in keys])]
    contents = raw.ask_all(
        [[word.replace("{}", key) for word in _READ[kind]] for key, kind in zip(keys, kinds, strict=True)]
    )
    for key, expiry, kind, content in zip(keys, expiries, kinds, contents, strict=True):
        found[key, "(expiry)"] = str(expiry)
        found.update({(key, name): value for name, value in _parts(kind, content).items()})
    return found


def _parts(kind: str, content: Reply) -> dict[str, str]:
    match kind:
        case "hash" | "zset":
            return mapping(content)
        case "set":
            return dict.fromkeys(cast("list[str]", content), "")
        case "stream":
            entries = cast("list[tuple[str, list[str]]]", content)
            return {entry_id: "\n".join(fields) for entry_id, fields in entries}
        case _:
            return {"": str(content)}


def keep(desk: Desk) -> list[Stored]:
    """Return everything that is stored of the desk's trader, to be put back."""
    raw, keys = desk.fleet.raw(f"{{{desk.trader}}}"), keys_of(desk.fleet, desk.trader)
    dumps = raw.ask_all([("DUMP", key) for key in keys])
    expiries = raw.ask_all([("PEXPIRETIME", key) for key in keys])
    return [
        Stored(key, cast(str, dump).encode("utf-8", "surrogateescape"), max(0, cast(int, expiry)))
        for key, dump, expiry in zip(keys, dumps, expiries, strict=True)
    ]


def put_back(desk: Desk, kept: list[Stored]) -> None:
    """Remove everything of the desk's trader, and store again what was kept."""
    raw = desk.fleet.raw(f"{{{desk.trader}}}")
    removed = [("UNLINK", key) for key in keys_of(desk.fleet, desk.trader)]
    raw.ask_all([*removed, *[("RESTORE", key, expires, dump, "ABSTTL") for key, dump, expires in kept]])
