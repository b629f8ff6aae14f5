"""Names and codes are those of FIX, and the tree of errors in the documentation is the real one."""

from __future__ import annotations

import inspect
import re
from typing import cast

import pytest
from slotbook.models import EventType, OrderStatus, OrderType, Side, TimeInForce, errors
from slotbook.models.errors import SlotbookError
from slotbook.models.keys import Keys
from slotbook.models.results import Outcome

from ..support.make import fresh

FIX = {
    Side: {"BUY": "1", "SELL": "2"},
    OrderType: {"MARKET": "1", "LIMIT": "2", "STOP": "3", "STOP_LIMIT": "4"},
    TimeInForce: {"DAY": "0", "GTC": "1", "OPG": "2", "IOC": "3", "FOK": "4"},
    OrderStatus: {
        "NEW": "0", "PARTIALLY_FILLED": "1", "FILLED": "2", "CANCELED": "4", "REJECTED": "8", "EXPIRED": "C",
    },
    EventType: {
        "NEW": "0", "TRADE": "F", "REPLACED": "5", "CANCELED": "4", "REJECTED": "8", "EXPIRED": "C", "POSITION": "",
        "INSERT": "", "PUT": "", "UPDATE": "", "DELETE": "",
    },
}  # fmt: skip


@pytest.mark.parametrize("vocabulary", FIX, ids=lambda kind: kind.__name__)
def test_codes_are_those_of_fix_4_4(vocabulary: type[Side]) -> None:
    assert {member.value: member.fix for member in vocabulary} == FIX[vocabulary]
    assert all(str(member) == member.name == member.value for member in vocabulary)


def test_open_statuses_are_the_two_that_can_still_be_filled() -> None:
    assert {status for status in OrderStatus if status.is_open} == {OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED}


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
