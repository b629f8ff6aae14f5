"""Test the parts of a call that each one makes or reads: what it tells, its keys, its digest, and copies of records."""

from __future__ import annotations

from decimal import Decimal
from time import monotonic
from typing import Annotated, Any, cast

import pytest
from slotbook import Order
from slotbook.models import Entity, Insert, Key, Put, Unique
from slotbook.models.numbers import plain
from slotbook.models.record import copied
from slotbook.models.table import table_model
from slotbook.models.types import Name
from slotbook.repositories.changes import answers
from slotbook.repositories.changes.digest import digest_of
from slotbook.repositories.changes.loss_detector import LossDetector, Tip, Told
from slotbook.repositories.records.calls import TableCalls
from slotbook.repositories.replies import fields
from slotbook.topology.connections.places import Place, Places
from slotbook.topology.settings import Settings

ORDER = Order(trader="T1", order_id="A1", symbol="AAPL", side="BUY", quantity=100, price="187.23")  # type: ignore[arg-type]


class Badge(Entity, kind="badge_of_parts"):
    trader: Name
    badge_id: Annotated[Name, Key]
    number: Annotated[Name | None, Unique] = None


@pytest.mark.parametrize("tips", [(), (5,), (2, 9, 5), (9, 2)], ids=str)
def test_the_highest_number_that_is_told(tips: tuple[int, ...]) -> None:
    assert Told("T1", "m", 1, tuple([Tip(number, "m 1") for number in tips])).highest == max(tips, default=0)


@pytest.mark.parametrize("word", ["applied", "repeat", "outdated", "refused", ""])
def test_an_answer_that_says_that_the_change_is_there_proves_it(word: str) -> None:
    tip_of = cast("Any", answers)._tip_of
    tip = Tip(7, "m 1")
    assert tip_of([word, "7", []], tip) == (tip if word in ("applied", "repeat", "outdated") else None)
    assert tip_of([], tip) is None


def test_a_caller_waits_no_longer_than_until_its_deadline() -> None:
    places: Places[Place] = Places(1)
    assert places.enter(Place())
    late = Place()
    assert not places.enter(late)
    began = monotonic()
    assert not places.wait(late, 9, began - 1)
    assert monotonic() - began < 8


def test_orders_that_are_valued_by_other_prices_have_other_digests() -> None:
    valued = [ORDER, *[ORDER.model_copy(update={"reference_price": Decimal(price)}) for price in (187, 188)]]
    stopped = ORDER.model_copy(update={"stop_price": Decimal(187), "price": None})
    assert len({digest_of(order) for order in (*valued, stopped)}) == 4


def test_what_is_no_text_is_no_field() -> None:
    assert fields(["a", "1"]) == {"a": "1"}
    wrong: list[Any] = [["a", 1], ["a", None], ["a", ["b"]], [1, "a"]]
    for flat in wrong:
        with pytest.raises(ValueError, match="a"):
            fields(flat)


def test_a_copy_knows_which_fields_were_set() -> None:
    copy = copied(ORDER, version=1)
    assert copy.model_fields_set == ORDER.model_copy(update={"version": 1}).model_fields_set
    assert "version" not in ORDER.model_fields_set


def test_a_unique_value_is_among_the_keys_of_the_change() -> None:
    calls = TableCalls(table_model(Badge), Settings(), LossDetector())
    numbered, plain_one = (Badge(trader="T1", badge_id="B1", number=number) for number in ("7", None))
    for given, without in ((Insert(numbered), Insert(plain_one)), (Put(numbered), Put(plain_one))):
        assert "{T1}:badge_of_parts_unique_number:7" in calls.change(given).keys
        assert not [key for key in calls.change(without).keys if "unique" in key]


@pytest.mark.parametrize(
    ("given_as", "text"),
    [
        ("1.5E-7", "0.00000015"), ("1.5E+20", f"15{'0' * 19}"), ("1.50", "1.5"),
        ("-1.5", "-1.5"), ("-0.0", "0"), ("0E+3", "0"),
    ],
)  # fmt: skip
def test_a_number_has_one_text(given_as: str, text: str) -> None:
    assert plain(Decimal(given_as)) == text
