"""Short sales sell: they count and fill as SELL does, and are told apart from it wherever a side is named."""

from __future__ import annotations

import pytest
from slotbook.models import Cancel, Fill, Replace, Side
from slotbook.models.errors import DuplicateOrder, OrderMismatch

from ...support.desk import Desk
from ...support.make import execution, limit

SHORT = [Side.SELL_SHORT, Side.SELL_SHORT_EXEMPT]


def open_quantities(desk: Desk) -> list[str | None]:
    reply = desk.ask("HMGET", "%:position:AAPL", "open_buy_quantity", "open_sell_quantity")
    assert isinstance(reply, list)
    return [str(one) for one in reply]


@pytest.mark.parametrize("side", SHORT)
def test_a_short_sale_goes_its_way_on_the_selling_side(desk: Desk, side: Side) -> None:
    orders = desk.book.orders
    orders.place(limit(desk.trader, side=side))
    assert open_quantities(desk) == ["0", "100"]
    filled = orders.fill(execution(desk.trader).model_copy(update={"side": side}))
    assert (filled.order.side, filled.position.quantity, filled.position.sold_quantity) == (side, -40, 40)
    assert open_quantities(desk) == ["0", "60"]
    orders.replace(desk.trader, "A1", quantity=150)
    assert open_quantities(desk) == ["0", "110"]
    orders.place(limit(desk.trader, "A2", side="SELL", quantity=7))
    orders.cancel(desk.trader, "A1")
    assert open_quantities(desk) == ["0", "7"]
    assert [event.side for event in desk.events() if event.order_id == "A1"] == [side] * 4
    assert orders.get(desk.trader, "A1") == orders.by_status(desk.trader, "CANCELED")[0]


@pytest.mark.parametrize("side", SHORT)
def test_sell_on_a_short_sale_is_a_contradiction(desk: Desk, side: Side) -> None:
    desk.book.orders.place(limit(desk.trader, side=side))
    about = {"trader": desk.trader, "order_id": "A1", "side": "SELL"}
    requests = [
        Cancel.model_validate(about),
        Replace.model_validate({**about, "quantity": 90}),
        Fill.model_validate({**about, "exec_id": "X1", "quantity": 1, "price": 1}),
    ]
    before = desk.contents()
    for request in requests:
        with pytest.raises(OrderMismatch, match=f"it says SELL, but the order is {side} AAPL"):
            desk.book.orders.apply(request)
    with pytest.raises(DuplicateOrder):
        desk.book.orders.place(limit(desk.trader, side="SELL"))
    assert desk.contents() == before


def test_a_replace_gives_a_price_only_where_the_type_may_have_one(desk: Desk) -> None:
    orders = desk.book.orders
    kinds = {
        "MARKET_TO_LIMIT": (True, False),
        "TRAILING_STOP": (False, True),
        "PEGGED": (True, False),
        "STOP": (False, True),
    }
    kinds |= {"TRAILING_STOP_LIMIT": (True, True), "MARKET_ON_CLOSE": (False, False), "MARKET": (False, False)}
    for kind, takes in kinds.items():
        stop_price = "180" if kind == "STOP" else None
        orders.place(limit(desk.trader, kind, type=kind, price=None, stop_price=stop_price))
        for name, is_taken in zip(("price", "stop_price"), takes, strict=True):
            if is_taken:
                changed = orders.replace(desk.trader, kind, request_id=name, **{name: "5"}).order  # type: ignore[arg-type]
                assert str(getattr(changed, name)) == "5"
                assert not orders.replace(desk.trader, kind, request_id=name, **{name: "5"}).applied  # type: ignore[arg-type]
            else:
                with pytest.raises(OrderMismatch):
                    orders.replace(desk.trader, kind, request_id=name, **{name: "5"})  # type: ignore[arg-type]
