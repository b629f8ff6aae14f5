"""Names and codes are those of FIX, and the tree of errors in the documentation is the real one."""

from __future__ import annotations

import inspect
import re
from typing import cast

import pytest
from pydantic import ValidationError
from slotbook.models import EventType, ExecType, Liquidity, Order, OrderStatus, OrderType, Side, TimeInForce, errors
from slotbook.models.enums import OUTLIVE_THE_DAY
from slotbook.models.errors import SlotbookError
from slotbook.models.keys import Keys
from slotbook.models.results import Outcome

from ..support.make import fresh

FIX = {
    Side: {"BUY": "1", "SELL": "2", "SELL_SHORT": "5", "SELL_SHORT_EXEMPT": "6"},
    OrderType: {
        "MARKET": "1", "LIMIT": "2", "STOP": "3", "STOP_LIMIT": "4", "MARKET_ON_CLOSE": "5", "LIMIT_ON_CLOSE": "B",
        "MARKET_IF_TOUCHED": "J", "LIMIT_IF_TOUCHED": "", "MARKET_TO_LIMIT": "K", "TRAILING_STOP": "",
        "TRAILING_STOP_LIMIT": "", "PEGGED": "P",
    },
    TimeInForce: {"DAY": "0", "GTC": "1", "OPG": "2", "IOC": "3", "FOK": "4", "GTD": "6", "GTX": "5", "AT_CLOSE": "7"},
    OrderStatus: {
        "NEW": "0", "PARTIALLY_FILLED": "1", "FILLED": "2", "CANCELED": "4", "REJECTED": "8", "EXPIRED": "C",
        "DONE_FOR_DAY": "3", "PENDING_CANCEL": "6", "STOPPED": "7", "SUSPENDED": "9", "PENDING_NEW": "A",
        "CALCULATED": "B", "PENDING_REPLACE": "E",
    },
    EventType: {
        "NEW": "0", "TRADE": "F", "REPLACED": "5", "CANCELED": "4", "REJECTED": "8", "EXPIRED": "C", "POSITION": "",
        "PENDING_NEW": "A", "PENDING_CANCEL": "6", "PENDING_REPLACE": "E", "CANCEL_REJECTED": "", "DONE_FOR_DAY": "3",
        "STOPPED": "7", "SUSPENDED": "9", "CALCULATED": "B", "RESTATED": "D", "INSERT": "", "PUT": "",
        "UPDATE": "", "DELETE": "", "TRADE_CANCEL": "H", "TRADE_CORRECT": "G", "LIMITS": "", "TRADING": "",
        "SPLIT": "", "ROLL": "", "TRADE_DETAILS": "", "LIMIT_REFUSED": "",
    },
    ExecType: {
        "NEW": "0", "DONE_FOR_DAY": "3", "CANCELED": "4", "REPLACED": "5", "PENDING_CANCEL": "6", "STOPPED": "7",
        "REJECTED": "8", "SUSPENDED": "9", "PENDING_NEW": "A", "CALCULATED": "B", "EXPIRED": "C", "RESTATED": "D",
        "PENDING_REPLACE": "E", "TRADE": "F", "TRADE_CORRECT": "G", "TRADE_CANCEL": "H", "ORDER_STATUS": "I",
        "TRIGGERED": "L",
    },
    Liquidity: {
        "NEITHER": "0", "ADDED": "1", "REMOVED": "2", "ROUTED_OUT": "3", "AUCTION": "4", "TRIGGERED_STOP": "5",
        "TRIGGERED_CONTINGENCY": "6", "TRIGGERED_MARKET": "7",
    },
}  # fmt: skip


@pytest.mark.parametrize("vocabulary", FIX, ids=lambda kind: kind.__name__)
def test_codes_are_those_of_fix_4_4(vocabulary: type[Side]) -> None:
    assert {member.value: member.fix for member in vocabulary} == FIX[vocabulary]
    assert all(str(member) == member.name == member.value for member in vocabulary)


@pytest.mark.parametrize("vocabulary", FIX, ids=lambda kind: kind.__name__)
def test_a_code_of_fix_says_its_member_and_any_other_is_refused(vocabulary: type[Side]) -> None:
    for name, code in FIX[vocabulary].items():
        if code:
            assert vocabulary.from_fix(code) is vocabulary[name]
    for wrong in ("", "Z", "11", " 1", 1, None, b"1", list[str](), "BUY"):
        with pytest.raises(
            errors.InvalidArgument, match=rf"^{vocabulary.__name__} .* is no code that is known; there are"
        ):
            vocabulary.from_fix(cast("str", wrong))
    with pytest.raises(errors.InvalidArgument, match="0 DAY, 1 GTC, 2 OPG, 3 IOC, 4 FOK"):
        TimeInForce.from_fix("Z")


NEEDED, ALLOWED, REFUSED = "needs", "may have", "takes no"
PRICES = {
    "MARKET": (REFUSED, REFUSED),
    "LIMIT": (NEEDED, REFUSED),
    "STOP": (REFUSED, NEEDED),
    "STOP_LIMIT": (NEEDED, NEEDED),
    "MARKET_ON_CLOSE": (REFUSED, REFUSED),
    "LIMIT_ON_CLOSE": (NEEDED, REFUSED),
    "MARKET_IF_TOUCHED": (REFUSED, NEEDED),
    "LIMIT_IF_TOUCHED": (NEEDED, NEEDED),
    "MARKET_TO_LIMIT": (ALLOWED, REFUSED),
    "TRAILING_STOP": (REFUSED, ALLOWED),
    "TRAILING_STOP_LIMIT": (ALLOWED, ALLOWED),
    "PEGGED": (ALLOWED, REFUSED),
}


@pytest.mark.parametrize("kind", OrderType)
@pytest.mark.parametrize("at", [0, 1])
def test_each_type_carries_the_prices_that_it_needs_or_may_have(kind: OrderType, at: int) -> None:
    rules = dict(zip(("price", "stop_price"), PRICES[kind], strict=True))
    name = ("price", "stop_price")[at]
    others = {one: 5 for one, rule in rules.items() if rule == NEEDED and one != name}
    for prices, refused_by in (({name: 5}, REFUSED), ({}, NEEDED)):
        about = {"trader": "T", "order_id": "A", "symbol": "S", "side": "BUY", "quantity": 1, "type": kind}
        if rules[name] == refused_by:
            with pytest.raises(ValidationError, match=f"a {kind} order {refused_by} {name}"):
                Order.model_validate({**about, **others, **prices})
        else:
            assert getattr(Order.model_validate({**about, **others, **prices}), name) == prices.get(name)


def test_every_side_but_one_sells() -> None:
    assert [side for side in Side if side.is_buy] == [Side.BUY]


def test_open_statuses_are_those_that_are_no_end() -> None:
    ends = {"FILLED", "CANCELED", "REJECTED", "CALCULATED", "EXPIRED"}
    assert {status.value for status in OrderStatus if not status.is_open} == ends


def test_precedence_is_that_of_fix_4_4() -> None:
    assert {status.value: status.precedence for status in OrderStatus} == {
        **{"PENDING_CANCEL": 12, "PENDING_REPLACE": 11, "DONE_FOR_DAY": 10, "CALCULATED": 9, "FILLED": 8, "STOPPED": 7},
        **{"SUSPENDED": 6, "CANCELED": 5, "EXPIRED": 5, "PARTIALLY_FILLED": 4, "NEW": 2, "REJECTED": 2},
        "PENDING_NEW": 2,
    }


def test_the_tree_of_errors_is_the_one_in_the_docstring() -> None:
    drawn: dict[str, str] = {}
    path: list[str] = []
    for line in cast(str, errors.__doc__).splitlines():
        match = re.match(r"^    ([│ ]*(?:[├└]── )?)([A-Z]\w+)", line)
        if match:
            depth = len(match[1]) // 4
            path[depth:] = [match[2]]
            drawn[match[2]] = path[depth - 1] if depth else ""
    real = {
        name: kind.__bases__[0].__name__ if kind is not SlotbookError else ""
        for name, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, SlotbookError)
    }
    assert drawn == real


def test_an_invalid_argument_is_a_value_error() -> None:
    assert issubclass(errors.InvalidArgument, ValueError)


def test_an_outcome_is_a_value_or_an_error() -> None:
    assert Outcome(value=5).result() == 5
    with pytest.raises(errors.Overfill):
        Outcome(error=errors.Overfill("too much")).result()


def test_an_outcome_may_be_made_with_its_type() -> None:
    assert Outcome[int](value=5) == Outcome(value=5)


@pytest.mark.parametrize("prefix", ["", "p:", "a*[b]?\\^$.+()|"])
def test_the_trader_is_found_in_the_key_of_the_header(prefix: str) -> None:
    keys = Keys(prefix)
    for trader in ("T001", "a:b", "日本", fresh()):
        assert keys.trader_of(keys.of(trader).book) == trader
        assert keys.trader_of(keys.of(trader).events) is None
        assert keys.trader_of("x" + keys.of(trader).book) is None
        assert Keys("other:").trader_of(keys.of(trader).book) is None


def test_the_names_of_keys_do_not_pile_up() -> None:
    keys = Keys()
    first = keys.of("T0")
    for number in range(100_001):
        keys.of(f"T{number}")
    assert keys.of("T0").base == first.base
    assert keys.of("T0") is not first


def test_what_an_event_is_about() -> None:
    """Executions change an order and its position, own changes a record of the desk's, limits neither of them."""
    assert {kind.value for kind in EventType if kind.is_execution} == {
        *("TRADE", "TRADE_CANCEL", "TRADE_CORRECT", "TRADE_DETAILS"),
    }
    assert {kind.value for kind in EventType if kind.is_own} == {"INSERT", "PUT", "UPDATE", "DELETE"}
    assert {kind.value for kind in EventType if kind.is_of_limits} == {"LIMITS", "TRADING"}


def test_an_order_until_a_date_or_its_cancel_outlives_the_day() -> None:
    assert {TimeInForce.GTC, TimeInForce.GTD} == OUTLIVE_THE_DAY
