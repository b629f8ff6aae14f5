"""Take an image of everything that is stored of a trader, in its smallest parts, and put it back."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias, cast

from ..desk import Desk
from ..leaks import keys_of
from ..raw import Reply, mapping

Part: TypeAlias = tuple[str, str]
"""A key, and a field, member or entry of it; ``(expiry)`` for when it expires."""
Image: TypeAlias = dict[Part, str]


class Stored(NamedTuple):
    """The raw contents of a key and when it expires, in milliseconds since the epoch; 0 for never."""

    key: str
    dump: Reply
    expires: int


def image_of(desk: Desk) -> Image:
    """Return every part of what is stored of the desk's trader."""
    found: Image = {}
    for key in keys_of(desk.fleet, desk.trader):
        found[key, "(expiry)"] = str(desk.ask("PEXPIRETIME", key))
        match desk.ask("TYPE", key):
            case "hash":
                parts = mapping(desk.ask("HGETALL", key))
            case "zset":
                parts = mapping(desk.ask("ZRANGE", key, 0, -1, "WITHSCORES"))
            case "set":
                parts = dict.fromkeys(cast("list[str]", desk.ask("SMEMBERS", key)), "")
            case "stream":
                entries = cast("list[tuple[str, list[str]]]", desk.ask("XRANGE", key, "-", "+"))
                parts = {entry_id: "\n".join(fields) for entry_id, fields in entries}
            case _:
                parts = {"": str(desk.ask("GET", key))}
        found.update({(key, name): value for name, value in parts.items()})
    return found


def keep(desk: Desk) -> list[Stored]:
    """Return everything that is stored of the desk's trader, to be put back."""
    found: list[Stored] = []
    raw = desk.fleet.raw(f"{{{desk.trader}}}")
    for key in keys_of(desk.fleet, desk.trader):
        found.append(Stored(key, raw.ask("DUMP", key), max(0, cast(int, raw.ask("PEXPIRETIME", key)))))
    return found


def put_back(desk: Desk, kept: list[Stored]) -> None:
    """Remove everything of the desk's trader, and store again what was kept."""
    raw = desk.fleet.raw(f"{{{desk.trader}}}")
    for key in keys_of(desk.fleet, desk.trader):
        raw.ask("UNLINK", key)
    for key, dump, expires in kept:
        raw.ask("RESTORE", key, expires, cast(str, dump).encode("utf-8", "surrogateescape"), "ABSTTL")
