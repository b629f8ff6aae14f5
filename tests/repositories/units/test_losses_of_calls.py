"""A loss is told from the first event of the call that was lost, however many that call has written."""

from __future__ import annotations

from typing import cast

import pytest
from slotbook.models import Cancel, PositionChange
from slotbook.repositories.orders.verbs import OrderRequest

from ...support.desk import Desk
from ...support.make import limit
from ...support.raw import Reply, mapping


@pytest.mark.parametrize("form", ["batch", "unit"])
def test_a_lost_call_is_lost_from_its_first_event(desk: Desk, form: str) -> None:
    book = desk.open()
    desk.book.orders.place_many([limit(desk.trader, f"A{number}") for number in range(3)])
    orders = [limit(desk.trader, f"B{number}") for number in range(4)]
    if form == "batch":
        assert all(outcome.error is None for outcome in book.orders.place_many(orders))
    else:
        book.commit(orders)
    desk.vandalise("DEL", "%:events")
    desk.vandalise("HSET", "%:book", "sequence", 3, "writer", "00000000", "count", 1)
    (loss,) = book.losses()
    assert (loss.first, loss.last) == (4, 7)


@pytest.mark.parametrize("other", [{"writer": "00000000"}, {"count": "77"}], ids=str)
def test_an_event_that_is_not_quite_its_own_proves_nothing(lone_desk: Desk, other: dict[str, str]) -> None:
    """After a failover another writer's event may have the number, and by chance the count, of the one that is lost."""
    book = lone_desk.open()
    book.orders.place(limit(lone_desk.trader, "A1"))
    ((_, flat),) = cast("list[tuple[str, Reply]]", lone_desk.ask("XRANGE", "%:events", "-", "+"))
    fields = {**mapping(flat), **other}
    lone_desk.vandalise("DEL", "%:events")
    lone_desk.vandalise("XADD", "%:events", "1-0", *(word for pair in fields.items() for word in pair))
    lone_desk.vandalise("HSET", "%:book", "writer", fields["writer"], "count", fields["count"])
    (loss,) = book.losses()
    assert (loss.first, loss.last) == (1, 1)


@pytest.mark.parametrize("refused_at", [0, 1])
def test_a_batch_that_was_refused_in_part_is_missed(lone_desk: Desk, refused_at: int) -> None:
    book, trader = lone_desk.open(), lone_desk.trader
    requests: list[OrderRequest] = [limit(trader)]
    requests.insert(refused_at, Cancel(trader=trader, order_id="NONE"))
    outcomes = book.orders.apply_many(requests)
    assert [outcome.error is None for outcome in outcomes] == [number != refused_at for number in range(2)]
    lone_desk.vandalise("DEL", "%:events")
    lone_desk.vandalise("DEL", "%:book")
    (loss,) = book.losses()
    assert (loss.first, loss.last) == (1, 1)


@pytest.mark.parametrize("beyond_at", [0, 1])
def test_a_batch_of_which_a_part_was_beyond_its_limit_is_missed(lone_desk: Desk, beyond_at: int) -> None:
    book, trader = lone_desk.open(), lone_desk.trader
    changes = [PositionChange(trader=trader, symbol="AAPL", quantity=5)]
    changes.insert(beyond_at, PositionChange(trader=trader, symbol="MSFT", quantity=50, max_position=10))
    accepted = [outcome.result().accepted for outcome in book.positions.apply_many(changes)]
    assert accepted == [number != beyond_at for number in range(2)]
    lone_desk.vandalise("DEL", "%:events")
    lone_desk.vandalise("DEL", "%:book")
    (loss,) = book.losses()
    assert (loss.first, loss.last) == (1, 1)
