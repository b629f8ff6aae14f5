"""Groups of consumers: lost ones, traders who come later, dead letters that are put back, idle consumers, the lag."""

from __future__ import annotations

import contextlib
from typing import cast

import pytest
from slotbook.models import Lag
from slotbook.models.errors import HistoryTrimmed, InvalidArgument, StateLost
from slotbook.models.wire import encode
from slotbook.repositories import Consumer
from slotbook.repositories.events.group_calls import GroupCalls

from ...support.desk import Desk
from ...support.make import fresh, limit


def place(desk: Desk, count: int, kind: str = "A", trader: str | None = None) -> None:
    desk.book.orders.place_many([limit(trader or desk.trader, f"{kind}{number}") for number in range(count)])


def take(consumer: Consumer, count: int) -> list[tuple[str, str | None]]:
    """Take and acknowledge; return trader and order of each event."""
    found: list[tuple[str, str | None]] = []
    for _ in range(count):
        delivery = consumer.get(30)
        assert delivery is not None
        with delivery as event:
            found.append((event.trader, event.order_id))
    return found


def lose_everything(desk: Desk) -> None:
    """Remove the trader's book, as FLUSHALL does, or a primary that comes back empty."""
    for key in ("%:events", "%:book"):
        desk.vandalise("DEL", key)


# ------------------------------------------------------------------ what a group was given is lost


@pytest.mark.parametrize("since", [None, 0])
def test_a_stream_and_group_that_are_gone(desk: Desk, since: int | None) -> None:
    place(desk, 10)
    with desk.book.events.consume("risk", "one", desk.trader, since=since, poll=0.02) as consumer:
        if since == 0:
            take(consumer, 10)
        assert consumer.get(0.01) is None
        lose_everything(desk)
        desk.open().orders.place_many([limit(desk.trader, f"B{number}") for number in range(5)])
        with pytest.raises(StateLost) as caught:
            consumer.get(30)
        assert (caught.value.trader, caught.value.last) == (desk.trader, 10)
        assert take(consumer, 5) == [(desk.trader, f"B{number}") for number in range(5)]
        assert consumer.get(0.05) is None


def test_a_stream_is_gone_before_the_first_read(lone_desk: Desk) -> None:
    place(lone_desk, 10)
    with lone_desk.book.events.consume("risk", "one", lone_desk.trader, since=None) as consumer:
        lose_everything(lone_desk)
        lone_desk.open().orders.place_many([limit(lone_desk.trader, f"B{number}") for number in range(30)])
        with pytest.raises(StateLost) as caught:
            consumer.get(30)
        assert (caught.value.first, caught.value.last) == (1, 10)
        assert [order for _, order in take(consumer, 30)] == [f"B{number}" for number in range(30)]


def test_a_group_that_is_gone(lone_desk: Desk) -> None:
    place(lone_desk, 3)
    with lone_desk.book.events.consume("risk", "one", lone_desk.trader, since=None, poll=0.02) as consumer:
        place(lone_desk, 2, "B")
        take(consumer, 2)
        lone_desk.ask("XGROUP", "DESTROY", "%:events", "risk")
        with pytest.raises(StateLost):
            consumer.get(30)
        assert len(take(consumer, 5)) == 5


def test_numbers_that_were_used_again_do_not_hide_a_loss(lone_desk: Desk) -> None:
    place(lone_desk, 5)
    with lone_desk.book.events.consume("risk", "one", lone_desk.trader, poll=0.02) as consumer:
        take(consumer, 5)
        before = lone_desk.events()
        lone_desk.vandalise("DEL", "%:events")  # as if a replica had taken over that had only the first three
        others = [event.model_copy(update={"order_id": f"B{event.sequence}"}) for event in before[3:]]
        others.append(others[-1].model_copy(update={"sequence": 6, "order_id": "B6"}))
        for event in [*before[:3], *others]:
            fields = encode(event)
            del fields["trader"], fields["sequence"]
            words = [word for pair in fields.items() for word in pair]
            lone_desk.vandalise("XADD", "%:events", f"{event.sequence}-0", *words)
        lone_desk.vandalise("XGROUP", "CREATE", "%:events", "risk", "3-0")
        with pytest.raises(StateLost) as caught:
            consumer.get(30)
        assert caught.value.last == 5
        assert [order for _, order in take(consumer, 3)] == ["B4", "B5", "B6"]


def test_a_replica_without_the_last_events_takes_over(lone_desk: Desk) -> None:
    place(lone_desk, 5)
    with lone_desk.book.events.consume("risk", "one", lone_desk.trader, poll=0.02) as consumer:
        take(consumer, 5)
        for number in (4, 5):
            lone_desk.vandalise("XDEL", "%:events", f"{number}-0")
        with pytest.raises(StateLost) as caught:
            consumer.get(30)
        assert (caught.value.first, caught.value.last) == (4, 5)


def test_a_new_group_beyond_the_end(lone_desk: Desk) -> None:
    place(lone_desk, 3)
    with lone_desk.book.events.consume("risk", "one", lone_desk.trader, since=10) as consumer:
        with pytest.raises(StateLost) as caught:
            consumer.get(30)
        assert (caught.value.first, caught.value.last) == (4, 10)
        assert len(take(consumer, 3)) == 3


def test_an_event_that_is_trimmed_while_it_is_handled_is_reported(lone_desk: Desk) -> None:
    place(lone_desk, 3)
    with lone_desk.book.events.consume("risk", "one", lone_desk.trader, min_idle=0.05) as consumer:
        delivery = consumer.get(30)
        assert delivery is not None
        lone_desk.book.events.trim(lone_desk.trader, 3)
        second = consumer.get(30)  # read before it was trimmed
        assert second is not None
        with contextlib.suppress(ZeroDivisionError), second:
            raise ZeroDivisionError
        assert not delivery.give_up("no longer kept")
        take(consumer, 1)
        with pytest.raises(HistoryTrimmed) as caught:
            consumer.get(30)
        assert (caught.value.first, caught.value.last) == (2, 2)


# ------------------------------------------------------------------ all traders, or more and more


def test_all_traders_also_new_ones(lone_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("_sync", "_async"):
        monkeypatch.setattr(f"slotbook.repositories.events.{folder}.search.SCAN_INTERVAL", 0.02)
    book, first, second = lone_desk.open(prefix=fresh("g") + ":"), lone_desk.trader, lone_desk.another()
    book.orders.place(limit(first))
    with (
        book.events.consume("risk", "one", poll=0.02) as consumer,
        book.events.consume("audit", "one", since=None, poll=0.02) as later,
    ):
        assert take(consumer, 1) == [(first, "A1")]
        book.orders.place(limit(second))
        assert take(consumer, 1) == [(second, "A1")]
        assert take(later, 1) == [(second, "A1")]


def test_traders_are_added(desk: Desk) -> None:
    first, second, third = desk.trader, desk.another(), desk.another()
    for trader in (first, second):
        place(desk, 2, trader=trader)
    with desk.book.events.consume("risk", "one", first) as consumer, desk.book.events.follow(first, since=0) as follow:
        for reader in (consumer, follow):
            reader.add([second, first])
            reader.add(third)
        assert len(take(consumer, 4)) == 4
        place(desk, 1, trader=third)
        assert take(consumer, 1) == [(third, "A0")]
        followed = {(event.trader, event.sequence) for event in (follow.get(30) for _ in range(5)) if event}
        assert followed == {(first, 1), (first, 2), (second, 1), (second, 2), (third, 1)}
        nobody: list[str] = []
        for bad in ("", nobody, " ab"):
            with pytest.raises(InvalidArgument):
                consumer.add(bad)
            with pytest.raises(InvalidArgument):
                follow.add(bad)


@pytest.mark.parametrize(("traders", "batch"), [(3, 2), (2, 7), (12, 5)])
def test_no_more_is_read_ahead_than_a_batch(lone_desk: Desk, traders: int, batch: int) -> None:
    names = [lone_desk.trader, *(lone_desk.another() for _ in range(traders - 1))]
    for name in names:
        place(lone_desk, 6, trader=name)
    found: list[tuple[str, str | None]] = []
    with lone_desk.book.events.consume("risk", "one", names, batch=batch) as consumer:
        for _ in range(6 * traders):
            found += take(consumer, 1)
            ahead = sum(lag.pending for lag in consumer.lag().values())
            assert ahead < batch
    assert len(set(found)) == 6 * traders


# ------------------------------------------------------------------ dead letters, idle consumers, the lag


def test_dead_letters_are_put_back(desk: Desk) -> None:
    place(desk, 4)
    events = desk.book.events
    for group in ("risk", "audit"):
        with events.consume(group, "one", desk.trader, max_deliveries=1) as consumer:
            for _ in range(4):
                delivery = consumer.get(30)
                assert delivery is not None
                assert delivery.give_up("poison")
    assert events.requeue(desk.trader, "risk", sequences=[2, 3, 99]) == [2, 3]
    assert events.requeue(desk.trader, "risk", sequences=[2]) == []
    left = [(letter.group, letter.event.sequence) for letter in events.dead_letters(desk.trader)]
    assert left == [("risk", 1), ("risk", 4), ("audit", 1), ("audit", 2), ("audit", 3), ("audit", 4)]
    with events.consume("risk", "one", desk.trader, max_deliveries=1) as consumer:
        assert take(consumer, 2) == [(desk.trader, "A1"), (desk.trader, "A2")]
        assert consumer.get(0.01) is None
        events.trim(desk.trader, 3)
        assert events.requeue(desk.trader, "risk") == [4]  # the event of the first is no longer kept
        assert take(consumer, 1) == [(desk.trader, "A3")]
    assert [letter.event.sequence for letter in events.dead_letters(desk.trader)][:1] == [1]


@pytest.mark.parametrize("gone", ["event", "group"])
def test_a_dead_letter_whose_event_or_group_is_gone_stays(lone_desk: Desk, gone: str) -> None:
    place(lone_desk, 2)
    events = lone_desk.book.events
    with events.consume("risk", "one", lone_desk.trader) as consumer:
        delivery = consumer.get(30)
        assert delivery is not None
        assert delivery.give_up("poison")
    if gone == "group":
        lone_desk.ask("XGROUP", "DESTROY", "%:events", "risk")
    else:  # another one has its number
        lose_everything(lone_desk)
        lone_desk.open().orders.place_many([limit(lone_desk.trader, f"B{number}") for number in range(2)])
        lone_desk.ask("XGROUP", "CREATE", "%:events", "risk", "0")
    assert events.requeue(lone_desk.trader, "risk") == []
    assert [letter.event.order_id for letter in events.dead_letters(lone_desk.trader)] == ["A0"]


def test_what_cannot_be_put_back_is_refused(lone_desk: Desk) -> None:
    events = lone_desk.book.events
    for bad in ({"group": ""}, {"group": "g", "sequences": [-1]}, {"group": "g", "sequences": "12"}):
        with pytest.raises(InvalidArgument):
            events.requeue(lone_desk.trader, **bad)  # type: ignore[arg-type]


def test_idle_consumers_are_removed(lone_desk: Desk) -> None:
    place(lone_desk, 2)
    events, trader = lone_desk.book.events, lone_desk.trader
    killed = [events.consume("risk", f"killed-{number}", trader, batch=1).start() for number in range(2)]
    (held,) = [killed[0].get(30)]
    assert killed[1].get(30) is not None
    assert held is not None
    assert held.acknowledge()
    names = "XINFO", "CONSUMERS", "%:events", "risk"
    assert len(cast("list[object]", lone_desk.ask(*names))) == 2
    assert events.remove_consumers("risk", trader, idle=60) == 0
    assert events.remove_consumers("risk", idle=0) == 1  # the other has something to acknowledge
    assert events.remove_consumers("nobody", [trader, fresh()], idle=0) == 0
    (fields,) = cast("list[list[str]]", lone_desk.ask(*names))
    assert "killed-1" in fields
    with pytest.raises(InvalidArgument):
        events.remove_consumers("risk", trader, idle=-1)
    for consumer in killed:
        consumer.stop()


def test_the_lag(desk: Desk) -> None:
    other = desk.another()
    place(desk, 7)
    with desk.book.events.consume("risk", "one", [desk.trader, other], batch=3) as consumer:
        assert consumer.lag() == {desk.trader: Lag(7, 0), other: Lag(0, 0)}
        take(consumer, 1)
        assert consumer.lag()[desk.trader] == Lag(6, 0)  # the other stream took its part of what is read ahead
        held = consumer.get(30)
        assert held is not None
        lag = consumer.lag()[desk.trader]
        assert lag.undelivered + lag.pending == 6
        desk.book.events.trim(desk.trader, 7)
        assert consumer.lag()[desk.trader].undelivered == 1
    with desk.book.events.consume("late", "one", desk.trader, since=None) as late:
        assert late.lag() == {desk.trader: Lag(0, 0)}


def test_the_lag_of_a_group_ahead_of_its_stream_is_all_of_it(lone_desk: Desk) -> None:
    place(lone_desk, 3)
    lone_desk.ask("XGROUP", "CREATE", "%:events", "risk", "10")
    calls = GroupCalls(lone_desk.book.backend.settings, "risk")
    assert lone_desk.book.backend.run(calls.lag(lone_desk.trader, 0)) == Lag(3, 0)
