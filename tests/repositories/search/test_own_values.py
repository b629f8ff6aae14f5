"""Each odd text and number of a record of one's own is found by itself, and by nothing that a server takes for it."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

import pytest
from slotbook import Entity, Key
from slotbook.models.conditions import searchable
from slotbook.models.errors import CorruptRecord
from slotbook.models.stored import ORDERS
from slotbook.models.stored_entity import stored_entity
from slotbook.models.types import Name
from slotbook.models.wire import encode
from slotbook.repositories.search.calls import SearchCalls
from slotbook.topology.call import Reply
from slotbook.topology.settings import Settings

from ...support.make import limit
from ...support.search.server import searching
from ...support.search.tickets import NOTES, RATES, RATIOS
from .conftest import OpenBook


class Odd(Entity, kind="odd"):
    trader: Name
    number: Annotated[int, Key]
    text: str | None = None
    rate: Decimal | None = None
    ratio: float | None = None


O = searchable(Odd)  # noqa: E741


@searching
def test_every_text_is_found_by_itself_alone(opened: OpenBook) -> None:
    book = opened(indexed=False)
    book.indexes.create(Odd)
    table = book.table(Odd)
    table.insert_many([Odd(trader="T1", number=number, text=text) for number, text in enumerate(NOTES)])
    for number, text in enumerate(NOTES):
        assert [found.number for found in table.find(O.text == text).all()] == [number]
        assert table.find(O.text == text).count() == 1
        assert table.find(O.text != text).count() == len(NOTES) - 1
        assert [found.number for found in table.find(O.text << [text, "nobody"]).page()] == [number]
    assert table.find(O.text << ["S", "q" * 4_094, "x" * 4_096, "x"]).all() == []
    in_order = [found.text for found in table.find().sort_by("text").all()]
    assert in_order == sorted(NOTES)
    assert [found.text for found in table.find().sort_by("-text").page(2, 5)] == sorted(NOTES, reverse=True)[2:7]


@searching
def test_texts_that_a_server_sorts_as_one_come_in_their_order(opened: OpenBook) -> None:
    book = opened(indexed=False)
    book.indexes.create(Odd)
    table = book.table(Odd)
    texts = [f"S\0{number * 37 % 100:02}" for number in range(50)]  # a server reads each to the NUL
    table.insert_many([Odd(trader="T1", number=number + 10, text=text) for number, text in enumerate(texts)])
    for names, wanted in (("text", sorted(texts)), ("-text", sorted(texts, reverse=True))):
        query = table.find().sort_by(names)
        assert [found.text for found in query.page(0, 5)] == wanted[:5]
        assert [found.text for found in query.page(10, 10)] == wanted[10:20]


@searching
def test_every_number_is_found_by_itself_alone(opened: OpenBook) -> None:
    book = opened(indexed=False)
    book.indexes.create(Odd)
    table = book.table(Odd)
    for number, rate in enumerate(RATES):
        table.insert(Odd(trader="T1", number=number, rate=rate))
    for number, ratio in enumerate(RATIOS):
        table.insert(Odd(trader="T2", number=number, ratio=ratio))
    for number, rate in enumerate(RATES):
        assert [found.number for found in table.find(O.rate == rate).all()] == [number]
        assert table.find(O.rate == rate).count() == 1
        assert table.find(O.rate > rate).count() == len([one for one in RATES if one > rate])
        assert table.find(O.rate <= rate).count() == len([one for one in RATES if one <= rate])
    for number, ratio in enumerate(RATIOS[:-1]):  # without infinity
        assert [found.number for found in table.find(O.ratio == ratio).all()] == [number]
        assert table.find(O.ratio >= ratio).count() == len([one for one in RATIOS if one >= ratio])
    assert table.find(O.ratio == Decimal("0.1")).count() == 0  # which is no double
    assert table.find(O.ratio > Decimal("0.1")).count() == 4
    assert table.find(O.ratio == "0.1").count() == 1


def test_the_record_of_another_key_is_refused() -> None:
    odd = stored_entity(Odd)
    written = odd.table.encode(Odd(trader="T1", number=5))
    stored = {**written, "version": "1", "updated_ns": "1", "@schema": "1", "@digest": "x"}
    flat: list[Reply] = [word for pair in stored.items() for word in pair]
    calls = SearchCalls(Settings(), odd)
    found = calls.record(("T1", "5")).decode(flat)
    assert found is not None
    assert found.number == 5
    for identity in (("T2", "5"), ("T1", "6")):
        with pytest.raises(CorruptRecord, match="it is the record of another key"):
            calls.record(identity).decode(flat)
    order: list[Reply] = [word for pair in encode(limit("T1", "A1", version=1)).items() for word in pair]
    with pytest.raises(CorruptRecord, match="it is the record of another key"):
        SearchCalls(Settings(), ORDERS).record(("T1", "A2")).decode(order)
