"""The models of the tests of records without a trader, under a kind that no other test has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import new_class
from typing import Annotated, Any, cast

import pytest
from slotbook.models import Entity, Key
from slotbook.models.types import Name, Text

from ...support.desk import Desk
from ...support.make import fresh
from ...support.raw import Raw, Reply


class Venue(Entity):
    mic: Annotated[Name, Key]
    name: Text = "Nasdaq"
    timezone: str = "UTC"
    note: str | None = None
    lots: int = 1


class Fee(Entity):
    venue: Annotated[str, Key]
    symbol: Annotated[str, Key]
    rate: int = 1


@dataclass
class Kind:
    """A model of a kind that nothing else has, and what is stored of it."""

    desk: Desk
    model: type[Any]
    table: Any
    """The records, not typed: a test may ask for what a type checker would refuse."""

    @property
    def name(self) -> str:
        """The kind."""
        return str(self.model.entity_kind)

    def make(self, key: str = "XNAS", **fields: object) -> Any:
        """Return a record."""
        return self.model.model_validate({"mic": key, **fields})

    def stored(self) -> list[str]:
        """Return every key that the kind has anywhere."""
        return sorted(key for raw in self.desk.fleet.raws.values() for key in scan(raw, f"*{self.name}:*"))

    def contents(self) -> dict[str, Reply]:
        """Return everything that is stored of the kind, to compare before and after."""
        return {key: self.desk.fleet.ask(key, "DUMP", key) for key in self.stored()}

    def ask(self, verb: str, key: str, *words: str | int) -> Reply:
        """Ask the server of a record."""
        hash_key = f"{self.name}:{key}"
        return self.desk.fleet.ask(hash_key, verb, hash_key, *words)


def scan(raw: Raw, pattern: str) -> set[str]:
    """Return the keys of one server that match a pattern."""
    cursor, found = "0", set[str]()
    while True:
        cursor, page = cast("tuple[str, list[str]]", raw.ask("SCAN", cursor, "MATCH", pattern, "COUNT", 1_000))
        found.update(page)
        if cursor == "0":
            return found


def kind_of(desk: Desk, model: type[Entity] = Venue, **keywords: Any) -> Kind:
    """Return a model of a new kind, and its records in the desk's book."""
    own = new_class(model.__name__, (model,), {"kind": fresh("k").replace("-", "_"), **keywords})
    return Kind(desk, own, desk.book.reference(own))


@pytest.fixture
def venues(desk: Desk) -> Iterator[Kind]:
    """Yield a model and its records, on every topology, for threads and for asyncio."""
    kind = kind_of(desk)
    yield kind
    remove(kind)


@pytest.fixture
def lone_venues(lone_desk: Desk) -> Iterator[Kind]:
    """Yield a model and its records, on one server."""
    kind = kind_of(lone_desk)
    yield kind
    remove(kind)


def remove(kind: Kind) -> None:
    """Remove all that is stored of a kind; fail for what is remembered of its changes for ever."""
    for key in kind.stored():
        left = cast("int", kind.desk.fleet.ask(key, "PTTL", key))
        kind.desk.fleet.ask(key, "DEL", key)
        assert left > 0 or not key.startswith("{"), f"{key} never expires"
