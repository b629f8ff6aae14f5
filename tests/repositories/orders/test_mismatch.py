"""Test that a request which says what its order is not is refused, and changes nothing."""

from __future__ import annotations

import pytest
from slotbook.models import Accept, Bust, Cancel, Correct, Expire, Fill, Reject, Replace, Side
from slotbook.models.errors import OrderMismatch, OrderNotFound, Refused
from slotbook.repositories.orders.verbs import ORDER_VERBS, PLACE, OrderRequest

from ...support.desk import Desk
from ...support.make import TS, example, execution, limit

about_an_order = pytest.mark.parametrize(
    "kind", [verb.request for verb in ORDER_VERBS if verb is not PLACE], ids=lambda kind: kind.__name__
)
RIGHT: list[dict[str, object]] = [{"symbol": "AAPL"}, {"side": "BUY"}, {"symbol": "AAPL", "side": Side.BUY}]
WRONG: list[dict[str, object]] = [
    {"symbol": "MSFT"},
    {"symbol": "AAP"},
    {"symbol": "AAPLE"},
    {"side": "SELL"},
    {"symbol": "AAPL", "side": "SELL"},
    {"symbol": "MSFT", "side": "BUY"},
]


def saying(request: OrderRequest, said: dict[str, object]) -> OrderRequest:
    return type(request).model_validate({**request.model_dump(), **said})


@about_an_order
@pytest.mark.parametrize("said", WRONG, ids=str)
def test_what_contradicts_the_order_is_refused(desk: Desk, kind: type[OrderRequest], said: dict[str, object]) -> None:
    desk.book.orders.place(limit(desk.trader))
    before = desk.contents()
    wanted = " ".join(str(said[name]) for name in ("side", "symbol") if name in said)
    with pytest.raises(OrderMismatch, match=rf"of {desk.trader}/A1|{desk.trader}/A1") as refused:
        desk.book.orders.apply(saying(example(kind, desk.trader), said))
    assert str(refused.value).endswith(f": it says {wanted}, but the order is BUY AAPL")
    assert isinstance(refused.value, Refused)
    assert desk.contents() == before


@about_an_order
@pytest.mark.parametrize("said", RIGHT, ids=str)
def test_what_agrees_with_the_order_changes_nothing_of_the_request(
    desk: Desk, kind: type[OrderRequest], said: dict[str, object]
) -> None:
    desk.book.orders.place(limit(desk.trader, status="PENDING_NEW" if kind is Accept else "NEW"))
    request = example(kind, desk.trader)
    if isinstance(request, Bust | Correct):
        desk.book.orders.fill(execution(desk.trader))
    elif not isinstance(request, Fill):
        request = type(request).model_validate({**request.model_dump(), "request_id": "R1"})
    first = desk.book.orders.apply(saying(request, said))
    again = desk.book.orders.apply(request)  # the same request, which says nothing of its order
    assert (first.applied, again.applied, again.order) == (True, False, first.order)


@about_an_order
@pytest.mark.parametrize("said", [{"symbol": "MSFT"}, {"side": "SELL"}], ids=str)
def test_a_repeat_that_contradicts_its_order_is_refused(
    desk: Desk, kind: type[OrderRequest], said: dict[str, object]
) -> None:
    desk.book.orders.place(limit(desk.trader))
    request = example(kind, desk.trader)
    if isinstance(request, Bust | Correct):
        desk.book.orders.fill(execution(desk.trader))
    desk.book.orders.apply(request)
    before = desk.contents()
    with pytest.raises(OrderMismatch):
        desk.book.orders.apply(saying(request, said))
    assert desk.contents() == before


def test_an_id_used_again_for_another_order_books_nothing_on_the_first(desk: Desk) -> None:
    orders = desk.book.orders
    orders.place(limit(desk.trader, "1"))
    orders.cancel(desk.trader, "1")
    _, fill = orders.apply_many(
        [
            limit(desk.trader, "1", symbol="MSFT", side="SELL"),
            saying(execution(desk.trader, order_id="1", quantity=50), {"symbol": "MSFT", "side": "SELL"}),
        ]
    )
    assert isinstance(fill.error, OrderMismatch)
    assert desk.book.positions.all(desk.trader) == []


def test_the_order_is_looked_for_first(desk: Desk) -> None:
    with pytest.raises(OrderNotFound):
        desk.book.orders.apply(Cancel(trader=desk.trader, order_id="A1", symbol="AAPL"))


def test_a_request_sees_the_order_that_its_unit_has_placed(desk: Desk) -> None:
    order = limit(desk.trader, symbol='A"\\%-S:é', side="SELL")
    right = Replace(trader=desk.trader, order_id="A1", quantity=7, symbol=order.symbol, side=order.side)
    wrong = Expire(trader=desk.trader, order_id="A1", side=Side.BUY)
    with pytest.raises(OrderMismatch) as refused:
        desk.book.commit([order, right, wrong])
    assert (refused.value.index, desk.contents()) == (2, {})
    desk.book.commit([order, right])
    stored = desk.book.orders.get(desk.trader, "A1")
    assert stored is not None
    assert stored.quantity == 7


def test_a_contradiction_outranks_every_other_refusal(desk: Desk) -> None:
    desk.book.orders.place(limit(desk.trader))
    desk.book.orders.cancel(desk.trader, "A1")
    for request in (
        Replace(trader=desk.trader, order_id="A1", quantity=7, side=Side.SELL),
        Reject(trader=desk.trader, order_id="A1", side=Side.SELL),
        Cancel(trader=desk.trader, order_id="A1", side=Side.SELL),
        saying(execution(desk.trader, quantity=101), {"side": "SELL"}),
    ):
        with pytest.raises(OrderMismatch):
            desk.book.orders.apply(request)


def test_under_a_lock_and_as_a_batch_too(desk: Desk) -> None:
    orders = [limit(desk.trader, f"A{number}", ts_ns=TS) for number in range(40)]
    desk.book.orders.place_many(orders)
    fills = [saying(execution(desk.trader, order_id=one.order_id), {"symbol": "X"}) for one in orders]
    assert {type(one.error) for one in desk.book.orders.apply_many(fills)} == {OrderMismatch}
    with desk.book.lock("L", trader=desk.trader, lease=60) as held, pytest.raises(OrderMismatch):
        held.orders.apply(fills[0])
