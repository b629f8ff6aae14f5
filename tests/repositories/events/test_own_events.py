"""Events of a desk's own records: each reader goes on with them, in one sequence with those of orders."""

from __future__ import annotations

import json
from typing import cast

import pytest
from slotbook.models import Delete, Insert, Lag, Message, Put, Update
from slotbook.models.errors import FenceRefused, HistoryTrimmed, StateLost
from slotbook.models.event import document
from slotbook.models.wire import encode
from slotbook.repositories import Book

from ...support.desk import Desk
from ...support.life import day, fates
from ...support.make import fresh, limit
from ...support.raw import Reply
from ..records.conftest import Allocation

ODD = 'a/b\\/c "quoted" \\ é 日本 \U0001f600 \x1b[31m\r\n\x00 %:{}'
TYPES = ["INSERT", "NEW", "PUT", "UPDATE", "DELETE"]


def allocation(trader: str, key: str = "L1", **fields: object) -> Allocation:
    return Allocation.model_validate({"trader": trader, "allocation_id": key, **fields})


def own_and_orders(book: Book, trader: str, key: str = "L1") -> None:
    """Make a change of each kind of an own record, and place an order between."""
    table = book.table(Allocation)
    table.insert(allocation(trader, key, note=ODD))
    book.orders.place(limit(trader, f"O{key}"))
    table.put(allocation(trader, key, quantity=7))
    table.update(trader, key, {"note": ODD, "quantity": 8})
    table.delete(trader, key)


def only_own(book: Book, trader: str, key: str = "L1") -> None:
    table = book.table(Allocation)
    table.insert(allocation(trader, key))
    table.delete(trader, key)


@pytest.mark.parametrize("publish", ["traders", "traders,order_events,symbols", "order_events", "symbols", ""])
def test_a_follower_gets_them_whatever_is_published(desk: Desk, publish: str) -> None:
    trader, other = desk.trader, desk.another()
    book = desk.open(publish=publish) if publish else desk.open(publish="none")
    with book.events.follow([trader, other], poll=0.05) as follow:
        own_and_orders(book, trader)
        found = [follow.get(30) for _ in TYPES]
        assert found == desk.events()
        assert [one and one.type for one in found] == TYPES
        only_own(book, other)
        assert [follow.get(30) for _ in range(2)] == desk.events(other)
        assert follow.get(0.01) is None
        known = follow.positions
    own_and_orders(book, trader, "L2")
    with book.events.follow([trader, other], since=known, poll=0.05) as follow:
        assert [follow.get(30) for _ in TYPES] == desk.events()[5:] == book.events.history(trader, since=5)
        assert follow.get(0.01) is None


def test_each_channel_that_has_them_has_the_document_of_the_stream(desk: Desk) -> None:
    prefix, trader = fresh("p") + ":", desk.trader
    book = desk.open(publish="traders,order_events,symbols", prefix=prefix)
    events = book.events
    with (
        events.subscribe("order_events") as of_all,
        events.subscribe(f"{{{trader}}}:events") as of_trader,
        events.psubscribe("events.*") as by_symbol,
    ):
        own_and_orders(book, trader)
        texts = [document(encode(event)) for event in desk.events(prefix=prefix)]
        for subscription in (of_all, of_trader):
            received = [cast(Message, subscription.get(30)) for _ in TYPES]
            assert [one.text for one in received] == texts
            assert [one.event for one in received] == desk.events(prefix=prefix)
        symbols = by_symbol.get(30)
        assert symbols is not None
        assert (symbols.channel, symbols.text) == (f"{prefix}events.AAPL.new", texts[1])
        assert by_symbol.get(0.05) is None
    assert json.loads(json.loads(texts[0])["changed"])["note"] == ODD


def test_an_event_is_published_by_hand_on_the_channel_of_all_alone(lone_desk: Desk) -> None:
    prefix, trader = fresh("p") + ":", lone_desk.trader
    book = lone_desk.open(publish="none", prefix=prefix)
    only_own(book, trader)
    with book.events.subscribe("order_events") as of_all, book.events.psubscribe("events.*") as by_symbol:
        for event in book.events.history(trader):
            assert book.events.publish(event) == 1
            received = of_all.get(30)
            assert received is not None
            assert received.event == event
        assert by_symbol.get(0.05) is None


def test_a_group_of_consumers_takes_them_with_dead_letters_and_puts_them_back(desk: Desk) -> None:
    trader = desk.trader
    own_and_orders(desk.book, trader)
    events = desk.book.events
    with events.consume("risk", "one", trader, since=0, max_deliveries=1, poll=0.05) as consumer:
        for kind in TYPES:
            delivery = consumer.get(30)
            assert delivery is not None
            assert delivery.event.type == kind
            if delivery.event.kind:
                assert delivery.give_up("no handler for own records")
            else:
                delivery.acknowledge()
        letters = list(events.dead_letters(trader))
        assert [one.event for one in letters] == [one for one in desk.events() if one.kind]
        assert events.requeue(trader, "risk") == [1, 3, 4, 5]
        again = [consumer.get(30) for _ in range(4)]
        assert [one and one.event for one in again] == [one.event for one in letters]
        for one in again:
            assert one is not None
            one.acknowledge()
        assert consumer.lag() == {trader: Lag(undelivered=0, pending=0)}
    assert list(events.dead_letters(trader)) == []


def test_events_that_were_trimmed_are_said_to_a_follower(desk: Desk) -> None:
    own_and_orders(desk.book, desk.trader)
    desk.book.events.trim(desk.trader, 4)
    with desk.book.events.follow(desk.trader, since=0) as follow:
        with pytest.raises(HistoryTrimmed) as caught:
            follow.get(30)
        assert (caught.value.first, caught.value.last) == (1, 3)
        assert [follow.get(30) for _ in range(2)] == desk.events()


def test_a_journal_is_applied_beside_own_records_and_a_second_time_changes_nothing(desk: Desk) -> None:
    trader, table = desk.trader, desk.book.table(Allocation)
    journal = day(trader)
    for number, row in enumerate(journal):
        table.insert(allocation(trader, f"L{number}", reference=f"R{number}", order_id=journal[0].order_id))
        assert fates(desk.book.reconcile([row])) == (1, 0, 0, 0, 0)
        table.update(trader, f"L{number}", {"quantity": number + 1})
    for order in [one.order_id for one in desk.book.orders.by_status(trader, "CANCELED")]:
        desk.book.orders.delete(trader, order)
    before = desk.contents()
    for batch in (1, 1_000):
        done = desk.open().reconcile(journal, batch=batch)
        assert fates(done) == (0, len(journal), 0, 0, 0)
        assert done.is_complete
    assert desk.contents() == before
    assert len(table.all(trader)) == len(journal)


def test_a_snapshot_is_followed_on_from_an_own_event(desk: Desk) -> None:
    trader = desk.trader
    own_and_orders(desk.book, trader)
    found = desk.book.snapshot(trader)
    assert (found.sequence, [one.order_id for one in found.orders]) == (5, ["OL1"])
    only_own(desk.book, trader, "L2")
    with desk.book.events.follow(trader, since=found.sequence) as follow:
        assert [follow.get(30) for _ in range(2)] == desk.events()[5:]
    alone = desk.another()
    only_own(desk.book, alone)
    assert desk.book.snapshot(alone).sequence == 2


def changed_and_dumped(desk: Desk, book: Book) -> dict[str, Reply]:
    """Make four own changes, and return what was stored after the first."""
    trader, table = desk.trader, book.table(Allocation)
    table.insert(allocation(trader))
    before = desk.dumps()
    table.put(allocation(trader, quantity=2))
    table.update(trader, "L1", {"quantity": 3})
    table.insert(allocation(trader, "L2"))
    return before


def restore(desk: Desk, dumped: dict[str, Reply]) -> None:
    """Bring the trader's keys back to what they were, as a server does that loads an old dump."""
    for key in desk.contents():
        desk.vandalise("DEL", key)
    for key, dump in dumped.items():
        desk.vandalise("RESTORE", key, 0, cast(str, dump).encode("utf-8", "surrogateescape"))


def test_a_restored_dump_is_noticed_by_the_next_change(desk: Desk) -> None:
    book, trader = desk.open(), desk.trader
    restore(desk, changed_and_dumped(desk, book))
    table = book.table(Allocation)
    with pytest.raises(StateLost) as caught:
        table.update(trader, "L1", {"quantity": 9})
    assert (caught.value.trader, caught.value.first, caught.value.last) == (trader, 2, 4)
    again = table.get(trader, "L1")
    assert again is not None
    assert (again.quantity, again.version) == (9, 2)
    assert book.losses() == []


def test_a_restored_dump_is_noticed_by_a_follower_a_consumer_and_losses(desk: Desk) -> None:
    book, trader = desk.open(), desk.trader
    events = book.events
    with events.follow(trader, since=0) as follow, events.consume("risk", "one", trader, since=0) as consumer:
        dumped = changed_and_dumped(desk, book)
        assert [follow.get(30) for _ in range(4)] == desk.events()
        for _ in range(4):
            delivery = consumer.get(30)
            assert delivery is not None
            delivery.acknowledge()
        restore(desk, dumped)
        only_own(desk.open(), trader, "L9")
        for reader in (follow, consumer):
            with pytest.raises(StateLost) as caught:
                reader.get(30)
            assert (caught.value.trader, caught.value.last) == (trader, 4)
    (loss,) = book.losses()
    assert (loss.first, loss.last) == (2, 4)


def test_a_stale_fence_refuses_a_unit_of_own_changes_and_says_nothing_was_done(desk: Desk) -> None:
    trader, table = desk.trader, desk.book.table(Allocation)
    lock = desk.book.lock("close", trader=trader)
    held = lock.acquire()
    done = [
        limit(trader),
        Insert(allocation(trader, reference="R1")),
        Update(Allocation, trader, "L1", {"quantity": 40}),
    ]
    held.commit(done)
    held.release()
    newer = desk.book.lock("close", trader=trader).acquire()
    before = desk.contents()
    for steps in (
        [Insert(allocation(trader, "L2"))],
        [Put(allocation(trader, quantity=5)), Delete(Allocation, trader, "L1")],
        [limit(trader, "A2"), Delete(Allocation, trader, "L1")],
    ):
        with pytest.raises(FenceRefused):
            held.commit(steps)
    assert [one.applied for one in held.commit(done)] == [False] * 3
    assert desk.contents() == before
    assert [one.applied for one in newer.commit([Delete(Allocation, trader, "L1")])] == [True]
    assert table.all(trader) == []
    newer.release()
