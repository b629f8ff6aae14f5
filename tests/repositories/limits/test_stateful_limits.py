"""Test that limits and the switch decide on any history as a plain Python book does, and leave what it leaves."""

from __future__ import annotations

from typing import cast

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test
from slotbook.models import LimitsChange, Order, Replace, Trading, TradingChange

from ...support.desk import Desk
from ...support.histories import SECOND, SYMBOLS, TIMES, drafts
from ...support.reference import Request
from ..test_stateful import PLACES, BookMachine, asked, is_quantity

BOUNDS = st.sampled_from([None, None, None, 0, 1, 5, 10, 15, 2**53 - 1])
IDS = st.sampled_from([f"L{number}" for number in range(9)])
changes = drafts(
    LimitsChange,
    symbol=st.none() | SYMBOLS,
    max_order=BOUNDS,
    max_position=BOUNDS,
    max_notional=st.sampled_from([None, None, "0", "374.46", "1000", "936.15", "1685884063577.5"]),
    orders_per_second=st.sampled_from([None, None, None, 0, 1_000_000]),
    request_id=IDS,
    ts_ns=TIMES,
)
turns = drafts(
    TradingChange,
    trading=st.sampled_from([*Trading, Trading.ACTIVE, Trading.REDUCING]),
    request_id=IDS,
    ts_ns=TIMES,
)


class LimitedMachine(BookMachine):
    """Two books under limits."""

    more_ids = tuple(f"N{number}" for number in range(12))

    @rule(draft=changes, second=SECOND)
    def limit(self, draft: tuple[type[LimitsChange], dict[str, object]], second: bool) -> None:
        self.check(self.made(draft, second))

    @rule(draft=turns, second=SECOND)
    def turn(self, draft: tuple[type[TradingChange], dict[str, object]], second: bool) -> None:
        self.check(self.made(draft, second))

    @precondition(lambda self: self.reference.limits)
    @rule(data=st.data(), number=st.integers(0, 11), ts_ns=TIMES)
    def place_near_a_limit(self, data: st.DataObject, number: int, ts_ns: int) -> None:
        quantity = data.draw(st.sampled_from([1, 2, 4, 5, 6, 9, 10, 11, 14, 15, 16]))
        side, symbol = data.draw(st.sampled_from(["BUY", "SELL"])), data.draw(SYMBOLS)
        prices = st.sampled_from(["187.23", "-187.23", "187.230000001", "100", "0"])
        kind = data.draw(st.sampled_from(["LIMIT", "LIMIT", "LIMIT", "MARKET"]))
        price = data.draw(prices) if kind == "LIMIT" else None
        name = f"N{number}"
        values = {"order_id": name, "side": side, "symbol": symbol, "quantity": quantity, "type": kind, "price": price}
        self.check(self.made((Order, {**values, "ts_ns": ts_ns})))

    @precondition(lambda self: self.reference.limits)
    @rule(data=st.data(), number=st.integers(0, 999), more=st.integers(-6, 6), ts_ns=TIMES)
    def replace_near_a_limit(self, data: st.DataObject, number: int, more: int, ts_ns: int) -> None:
        order = self.some_order(data)
        price = data.draw(st.sampled_from([None, "187.23", "93.615", "187.25"])) if order.type.takes_price else None
        if is_quantity(order.quantity + more):
            values = {**asked(order), "quantity": order.quantity + more, "price": price, "request_id": f"M{number}"}
            self.check(self.made((Replace, {**values, "ts_ns": ts_ns})))

    def check(self, request: Request) -> None:
        if not isinstance(request, (LimitsChange, TradingChange)):
            super().check(request)
            return

        def ask() -> object:
            return self.desk.book.commit([request])[0]

        self.compare(request, ask)


@pytest.mark.parametrize("desk", PLACES[:1] + PLACES[2:], indirect=True, ids="-".join)
def test_any_history_under_limits_is_decided_as_by_a_plain_book(desk: Desk) -> None:
    run_state_machine_as_test(
        cast("type[RuleBasedStateMachine]", lambda: LimitedMachine(desk)),
        settings=settings(
            max_examples=15,
            stateful_step_count=30,
            phases=[Phase.reuse, Phase.generate, Phase.shrink],
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )
