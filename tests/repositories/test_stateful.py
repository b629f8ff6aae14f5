"""Test that any history of requests, repeats and conflicts leaves the store as it leaves a plain Python book."""

from __future__ import annotations

import decimal
from collections.abc import Callable
from decimal import Decimal
from typing import cast

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from pydantic import ValidationError
from slotbook.models import (
    Correct,
    Fill,
    Order,
    OrderStatus,
    PositionChange,
    Replace,
    Roll,
    Split,
)
from slotbook.models.errors import SlotbookError
from slotbook.models.numbers import EXACT, plain
from slotbook.repositories.orders.verbs import OrderRequest

from ..support.desk import Desk
from ..support.histories import (
    DETAILS,
    EXEC_IDS,
    LARGEST,
    NAMES,
    OVERFILL,
    PRICES,
    QUANTITIES,
    SECOND,
    TIMES,
    Draft,
    as_answer,
    closings,
    moves,
    of_orders,
    placings,
    replacings,
    reports,
    revisions,
    with_fitting_fee,
)
from ..support.make import TS, limit
from ..support.raw import mapping
from ..support.reference import Answer, ReferenceBook, Request
from ..support.totals import fold, open_quantities


def asked(order: Order) -> dict[str, object]:
    return {"trader": order.trader, "order_id": order.order_id}


LEAST = Decimal("1E-18")


def is_quantity(number: Decimal | int) -> bool:
    """Return True for what an order or a fill can have."""
    return 0 < number <= LARGEST


class BookMachine(RuleBasedStateMachine):
    """Two books side by side: the one of the servers and the one of plain Python."""

    more_ids: tuple[str, ...] = ()
    """Ids of orders beside those that all histories have."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk
        self.traders = [desk.another(), desk.another()]
        self.reference = ReferenceBook()
        self.history: list[Request] = []
        self.applied: list[Request] = []
        self.touched: set[str] = set()
        self.compared: dict[str, object] = {}

    def made(self, draft: Draft, second: bool = False) -> Request:
        kind, values = with_fitting_fee(draft)
        return cast(Request, kind.model_validate({"trader": self.traders[second], **values}))

    @initialize(quantity=st.sampled_from([5, 10, LARGEST]))
    def begin(self, quantity: int) -> None:
        self.check(limit(self.traders[0], "A1", quantity=10))
        self.check(limit(self.traders[0], "A2", side="SELL", symbol="MSFT", quantity=quantity))

    # A rule of its own for each kind of request: Hypothesis leaves some rules out of each history, so that there are
    # long ones in which no order ends. Those that change an order mostly ask for what is just possible, or just not.
    @rule(draft=placings, second=SECOND)
    def place(self, draft: Draft, second: bool) -> None:
        self.check(self.made(draft, second))

    @rule(data=st.data(), exec_id=EXEC_IDS, price=PRICES, ts_ns=TIMES, overfill=OVERFILL)
    def fill(self, data: st.DataObject, exec_id: str, price: str, ts_ns: int, overfill: str | None) -> None:
        order = self.some_order(data)
        with decimal.localcontext(EXACT):
            left = Decimal(order.quantity) - order.filled_quantity
            some = [1, 2, left, left - 1, left + 1, left // 2, left - LEAST, left + LEAST, LEAST]
        quantity = data.draw(st.sampled_from(some).filter(is_quantity))
        self.check(
            self.made(
                (
                    Fill,
                    {
                        **{**asked(order), "exec_id": exec_id, "price": price, "quantity": quantity, "ts_ns": ts_ns},
                        "overfill": overfill,
                    },
                )
            )
        )

    @rule(data=st.data(), draft=replacings)
    def replace(self, data: st.DataObject, draft: Draft) -> None:
        order = self.some_order(data)
        with decimal.localcontext(EXACT):
            filled = Decimal(order.filled_quantity)
            some = [filled, filled - 1, filled + 1, filled + LEAST, order.quantity + 5, order.quantity + LEAST]
        quantity = data.draw(st.sampled_from(some).filter(is_quantity))
        prices = {"price": draft[1]["price"] if order.type.takes_price else None, "stop_price": None}
        self.check(self.made((Replace, {**draft[1], **asked(order), **prices, "quantity": quantity})))

    @rule(data=st.data(), draft=closings)
    def close(self, data: st.DataObject, draft: Draft) -> None:
        self.check(self.made((draft[0], {**draft[1], **asked(self.some_order(data))})))

    @precondition(lambda self: any(isinstance(one, Fill | Correct) for one in self.applied))
    @rule(data=st.data(), details=st.fixed_dictionaries({}, optional=DETAILS))
    def complete(self, data: st.DataObject, details: dict[str, object]) -> None:
        report = data.draw(st.sampled_from([one for one in self.applied if isinstance(one, Fill | Correct)]))
        try:
            completed = type(report).model_validate({**dict(report), **details})
        except ValidationError:  # a currency without a fee
            return
        self.check(completed)

    @precondition(lambda self: any(entry.live for entry in self.reference.orders.values()))
    @rule(data=st.data(), draft=revisions)
    def revise(self, data: st.DataObject, draft: Draft) -> None:
        keys = sorted(key for key, entry in self.reference.orders.items() if entry.live)
        keys.sort(key=lambda key: (self.traders.index(key[0]), key[1]))
        entry = self.reference.orders[data.draw(st.sampled_from(keys))]
        ref = data.draw(st.sampled_from(sorted({*entry.live, *entry.roots} - {draft[1]["exec_id"]}) or ["X9"]))
        changed: dict[str, object] = {**asked(entry.now), "exec_ref_id": ref}
        if "quantity" in draft[1]:
            with decimal.localcontext(EXACT):
                known = Decimal(entry.live.get(entry.roots.get(ref, ref), (0, 0))[0])
                most = known + entry.now.quantity - entry.now.filled_quantity
                some = [1, known, most, most + 1, most + LEAST, known - 1, known - LEAST]
            changed["quantity"] = data.draw(st.sampled_from(some).filter(is_quantity))
        self.check(self.made((draft[0], {**draft[1], **changed})))

    @rule(data=st.data(), draft=reports)
    def report(self, data: st.DataObject, draft: Draft) -> None:
        order = self.some_order(data)
        prices = {name: None for name in ("price", "stop_price") if name in draft[1]}
        self.check(self.made((draft[0], {**draft[1], **asked(order), **prices})))

    @rule(draft=of_orders | moves, second=SECOND)
    def ask(self, draft: Draft, second: bool) -> None:
        self.check(self.made(draft, second))

    @rule(draft=moves, second=SECOND)
    def move(self, draft: Draft, second: bool) -> None:
        self.check(self.made(draft, second))

    def some_order(self, data: st.DataObject) -> Order:
        keys = sorted(self.reference.orders, key=lambda key: (self.traders.index(key[0]), key[1]))  # names are random
        return self.reference.orders[data.draw(st.sampled_from(keys))].now

    @precondition(lambda self: self.history)
    @rule(data=st.data())
    def ask_again(self, data: st.DataObject) -> None:
        self.check(data.draw(st.sampled_from(self.applied) | st.sampled_from(self.history)))

    @precondition(lambda self: self.history)
    @rule(data=st.data(), quantity=QUANTITIES, later=st.booleans())
    def ask_again_for_something_else(self, data: st.DataObject, quantity: Decimal | int, later: bool) -> None:
        request = data.draw(st.sampled_from(self.applied) | st.sampled_from(self.history))
        changed: dict[str, object] = {"ts_ns": TS + 9} if later else {}
        if "quantity" in type(request).model_fields:
            changed["quantity"] = quantity
        self.check(request.model_copy(update=changed))

    @rule(some=st.lists(of_orders, max_size=8), second=SECOND)
    def ask_for_many(self, some: list[Draft], second: bool) -> None:
        requests = [cast(OrderRequest, self.made(draft, second)) for draft in some]
        outcomes = self.desk.book.orders.apply_many(requests)
        for request, outcome in zip(requests, outcomes, strict=True):
            self.compare(request, outcome.result)

    def check(self, request: Request) -> None:
        def ask() -> object:
            if isinstance(request, (PositionChange, Split, Roll)):
                return self.desk.book.positions.apply_many([request])[0].result()
            return self.desk.book.orders.apply(cast(OrderRequest, request))

        self.compare(request, ask)

    def compare(self, request: Request, ask: Callable[[], object]) -> None:
        self.history.append(request)
        self.touched.add(request.trader)
        try:
            expected: Answer | type[SlotbookError] = self.reference.apply(request)
        except SlotbookError as error:
            expected = type(error)
        try:
            answer: Answer | type[SlotbookError] = as_answer(ask())
        except SlotbookError as error:
            answer = type(error)
        assert answer == expected
        if isinstance(answer, Answer) and answer.applied:
            self.applied.append(request)

    @invariant()
    def the_store_is_as_it_should_be(self) -> None:
        for trader in self.touched:
            book = self.reference
            expected = self.orders_of(trader), dict(book.positions), dict(book.accounts), len(book.events[trader])
            state = self.desk.contents(trader), expected
            if state != self.compared.get(trader):  # what is refused, or repeated, has changed nothing
                self.compare_orders(trader)
                self.compare_positions(trader)
                self.compared[trader] = state
        self.touched.clear()

    def compare_orders(self, trader: str) -> None:
        orders, expected = self.desk.book.orders, self.orders_of(trader)
        ids = ("A1", "A2", "A3", *NAMES, "C4", "C5", "V3", *self.more_ids)
        got = orders.get_many([(trader, order_id) for order_id in ids])
        found = {name: entry.now for name in ids if (entry := self.reference.find(trader, name)) is not None}
        assert {name: one for name, outcome in zip(ids, got, strict=True) if (one := outcome.result())} == found
        assert {one.order_id: one for one in found.values()} == expected
        assert by_id(orders.open(trader)) == {
            order_id: order for order_id, order in expected.items() if order.status.is_open
        }
        for status in OrderStatus:
            among = {order_id: order for order_id, order in expected.items() if order.status is status}
            assert by_id(orders.by_status(trader, status)) == among
            assert orders.count(trader, status=status) == len(among)
        for symbol in ("AAPL", "MSFT"):
            among = {order_id: order for order_id, order in expected.items() if order.symbol == symbol}
            assert by_id(orders.by_symbol(trader, symbol)) == among
            assert orders.count(trader, symbol=symbol) == len(among)
        assert orders.count(trader) == len(expected)

    def compare_positions(self, trader: str) -> None:
        held = self.desk.book.positions.all(trader)
        assert held == [
            position for (whose, _), position in sorted(self.reference.positions.items()) if whose == trader
        ]
        parts = [one for (whose, _, _), one in self.reference.accounts.items() if whose == trader]
        parts.sort(key=lambda one: (one.symbol, str(one.account)))
        assert self.desk.book.positions.by_account(trader) == parts
        events = [event.model_copy(update={"writer": None}) for event in self.desk.events(trader)]
        assert events == self.reference.events[trader]
        assert [event.sequence for event in events] == list(range(1, len(events) + 1))
        for symbol, (buy, sell) in open_quantities(self.orders_of(trader).values()).items():
            stored = mapping(self.desk.fleet.ask(f"{{{trader}}}", "HGETALL", f"{{{trader}}}:position:{symbol}"))
            assert (stored["open_buy_quantity"], stored["open_sell_quantity"]) == (plain(buy), plain(sell))
        with decimal.localcontext(decimal.Context(prec=200)):
            assert fold(events) == {
                one.symbol: (
                    *(one.quantity, one.bought_quantity, one.sold_quantity),
                    *(one.bought_notional, one.sold_notional),
                )
                for one in held
            }

    def orders_of(self, trader: str) -> dict[str, Order]:
        return {order_id: entry.now for (whose, order_id), entry in self.reference.orders.items() if whose == trader}


def by_id(orders: list[Order]) -> dict[str, Order]:
    found = {order.order_id: order for order in orders}
    assert len(found) == len(orders)
    return found


PLACES = [("standalone", "sync"), ("standalone", "asyncio"), ("cluster", "sync")]
EXAMPLES = {"standalone": 20, "cluster": 10}


@pytest.mark.parametrize("desk", PLACES, indirect=True, ids="-".join)
def test_any_history_leaves_the_store_as_it_leaves_a_plain_book(desk: Desk) -> None:
    def machine() -> BookMachine:
        return BookMachine(desk)

    run_state_machine_as_test(
        cast("type[RuleBasedStateMachine]", machine),
        settings=settings(
            max_examples=EXAMPLES[desk.fleet.topology],
            stateful_step_count=30,
            phases=[Phase.reuse, Phase.generate, Phase.shrink],
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )
