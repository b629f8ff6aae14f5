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
