"""Damage that is done by hand to one part of a book."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, cast

from ..desk import Desk
from ..raw import Reply, mapping
from .image import Part


class Corruption(NamedTuple):
    """Damage to one part of a book."""

    what: str
    part: Part
    """The part that is damaged; for an event its key, its id and the field, after a blank."""
    commands: Sequence[tuple[object, ...]]
    """Commands that do the damage; for an event those that write the stream anew."""

    def __repr__(self) -> str:
        return f"{self.what} {self.part}: {self.commands}" if len(self.commands) < 3 else f"{self.what} {self.part}"


_OTHER = {
    **{"BUY": "SELL", "SELL": "BUY", "NEW": "FILLED", "DAY": "IOC", "IOC": "DAY", "GTC": "DAY"},
    **{"LIMIT": "LIMIT_ON_CLOSE", "STOP": "MARKET_IF_TOUCHED", "MARKET": "MARKET_ON_CLOSE"},
}


def near(value: str) -> str:
    """Return another value of the form of one: the next number, another word, or the same text with one more letter."""
    words = value.split(" ")
    at = next((at for at in range(len(words) - 1, -1, -1) if words[at].lstrip("-").isdecimal()), None)
    if at is None:
        return _OTHER.get(value, value + "1")
    return " ".join([*words[:at], str(int(words[at]) + 1), *words[at + 1 :]])


def kind_of(key: str) -> str:
    """Return the kind of a trader's key: ``order``, ``position``, ``events`` and so on."""
    return key.partition("}:")[2].partition(":")[0]


def name_of(key: str) -> str:
    """Return what a key is of: an order's id, a symbol and so on."""
    return key.partition("}:")[2].partition(":")[2]


def carry_out(desk: Desk, corruption: Corruption) -> None:
    """Do the damage."""
    for command in corruption.commands:
        if command[0] != "rewrite":
            desk.vandalise(*cast("tuple[str, ...]", command))
            continue
        _, key, event_id, changes = cast("tuple[str, str, str, dict[str, str | None]]", command)
        entries = cast("list[tuple[str, list[str]]]", desk.ask("XRANGE", key, "-", "+"))
        desk.vandalise("DEL", key)
        for one, words in entries:
            fields = mapping(cast(Reply, words))
            for name, value in changes.items() if one == event_id else ():
                fields[name] = value or ""
                if value is None:
                    del fields[name]
            desk.vandalise("XADD", key, one, *(word for pair in fields.items() for word in pair))
