"""Test which models of own records can do without a trader, and what the others are told."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Annotated

import pytest
from slotbook.models import Delete, Entity, Index, Insert, Key, Put, Unique, Update
from slotbook.models.errors import InvalidArgument
from slotbook.models.table import reference_model, table_model
from slotbook.models.types import Name


class Desk(Entity, kind="desk"):
    desk_id: Annotated[Name, Key]
    city: str = "London"


class Seat(Entity, kind="seat"):
    trader: Name
    seat_id: Annotated[Name, Key]


class Indexed(Entity, kind="indexed_seat"):
    seat_id: Annotated[Name, Key]
    city: Annotated[Name, Index]


class Sorted(Entity, kind="sorted_seat"):
    seat_id: Annotated[Name, Key]
    floor: Annotated[int, Index(sorted=True)]


class Only(Entity, kind="only_seat"):
    seat_id: Annotated[Name, Key]
    city: Annotated[Name | None, Unique] = None


class Keyless(Entity, kind="keyless"):
    city: str


class Nullable(Entity, kind="nullable"):
    city: Annotated[Name | None, Key]


@pytest.mark.parametrize(
    ("model", "problem"),
    [
        (Indexed, "Indexed.city is marked with Index: records without a trader are in many hash slots"),
        (Sorted, "Sorted.floor is marked with Index(sorted=True): records without a trader are in many hash slots"),
        (Only, "Only.city is marked with Unique: records without a trader are in many hash slots"),
        (Keyless, "Keyless has no key"),
        (Nullable, "Nullable.city cannot be a part of a key: it may be None"),
        (Seat, "Seat has a trader, to whose book a record belongs: keep its records with book.table(Seat)"),
    ],
)
def test_what_cannot_be_kept_is_refused_with_what_to_write(model: type[Entity], problem: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        reference_model(model)
    assert str(refused.value).startswith(problem)


def test_a_description_is_made_once_and_pickles() -> None:
    table = reference_model(Desk)
    assert reference_model(Desk) is table
    assert pickle.loads(pickle.dumps(table)) is table  # noqa: S301
    assert pickle.loads(pickle.dumps(table_model(Seat))) is table_model(Seat)  # noqa: S301
    assert (table.has_trader, table_model(Seat).has_trader) == (False, True)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Insert(Desk(desk_id="D1")),
        lambda: Put(Desk(desk_id="D1")),
        lambda: Update(Desk, "T001", "D1", {"city": "Paris"}),
        lambda: Delete(Desk, "T001", "D1"),
    ],
)
def test_a_unit_takes_no_change_of_a_record_without_a_trader(make: Callable[[], object]) -> None:
    with pytest.raises(InvalidArgument, match=r"Desk has no trader, .*book\.reference\(Desk\)"):
        make()


@pytest.mark.parametrize("kind", ["record_request", "symbol", "load_keys"])
def test_words_of_keys_are_no_kinds(kind: str) -> None:
    with pytest.raises(InvalidArgument, match="cannot be used"):
        type("Own", (Entity,), {}, kind=kind)
