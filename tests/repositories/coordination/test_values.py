"""Values, changed by compare-and-swap of their version or of the value itself."""

from __future__ import annotations

import threading
import time
from typing import cast

import pytest
from slotbook.models import Swap, Versioned
from slotbook.models.errors import CorruptRecord, DuplicateRequest, InvalidArgument, WrongType

from ...support.callers import open_book
from ...support.desk import Desk


def test_a_value_is_swapped_by_the_version_that_was_read(desk: Desk) -> None:
    values = desk.book.values
    assert values.get(desk.trader) == Versioned(None, 0)
    first = values.swap(desk.trader, 0, "one")
    assert first == Swap(swapped=True, version=first.version, value="one")
    assert values.get(desk.trader) == Versioned("one", first.version)
    second = values.swap(desk.trader, first.version, "")
    assert (second.swapped, second.version > first.version) == (True, True)
    assert values.get(desk.trader) == Versioned("", second.version)


def test_another_version_is_returned_and_nothing_changes(desk: Desk) -> None:
    values = desk.book.values
    assert values.swap(desk.trader, 7, "x") == Swap(swapped=False, version=0, value=None)
    version = values.swap(desk.trader, 0, "one").version
    for expected in (0, version - 1, version + 1):
        assert values.swap(desk.trader, expected, "x") == Swap(swapped=False, version=version, value="one")
    assert values.get(desk.trader) == Versioned("one", version)


def test_a_value_is_swapped_by_the_value_that_was_read(desk: Desk) -> None:
    values = desk.book.values
    assert values.swap_value(desk.trader, "nothing", "x") == Swap(swapped=False, version=0, value=None)
    assert values.swap_value(desk.trader, None, "open").swapped
    assert not values.swap_value(desk.trader, None, "open").swapped
    assert values.swap_value(desk.trader, "open", "0").swapped
    assert values.swap_value(desk.trader, "0", "closed").value == "closed"
    refused = values.swap_value(desk.trader, "open", "x")
    assert (refused.swapped, refused.value) == (False, "closed")


def test_a_repeat_returns_the_first_result(desk: Desk) -> None:
    values = desk.book.values
    first = values.swap(desk.trader, 0, "one", request_id="R1")
    values.swap(desk.trader, first.version, "two")
    before = values.get(desk.trader)
    assert values.swap(desk.trader, 0, "one", request_id="R1") == first
    assert values.get(desk.trader) == before
    for expected, value, ttl in ((first.version, "one", None), (0, "other", None), (0, "one", 9.0)):
        with pytest.raises(DuplicateRequest, match="R1"):
            values.swap(desk.trader, expected, value, ttl=ttl, request_id="R1")


def test_a_request_is_remembered_for_its_own_time_however_long_the_value_lives(lone_desk: Desk) -> None:
    values = lone_desk.open(request_ttl=60).values
    for ttl, request_id in ((0.05, "R1"), (600, "R2"), (None, "R3")):
        values.swap(lone_desk.trader, values.get(lone_desk.trader).version, "one", ttl=ttl, request_id=request_id)
        remembered = cast(int, lone_desk.ask("PTTL", f"%:swapped:{request_id}"))
        assert 30_000 < remembered <= 60_000


def test_the_version_of_a_value_is_known_for_a_day_longer_than_the_value(lone_desk: Desk) -> None:
    values, version = lone_desk.book.values, 0
    for ttl in (60, 0.5):
        version = values.swap(lone_desk.trader, version, "one", ttl=ttl).version
        left = int(str(lone_desk.ask("PTTL", "%:value:version")))
        assert 86_390_000 < left - ttl * 1_000 <= 86_400_000
        assert lone_desk.ask("GET", "%:value:version") == str(version)


def test_a_version_never_comes_again(desk: Desk) -> None:
    values = desk.book.values
    first = values.swap(desk.trader, 0, "one", ttl=0.02)
    time.sleep(0.03)
    assert values.get(desk.trader) == Versioned(None, 0)
    second = values.swap(desk.trader, 0, "two")
    assert second.version > first.version
    assert not values.swap(desk.trader, first.version, "x").swapped


def test_a_version_does_not_go_down_with_the_clock(lone_desk: Desk) -> None:
    """The version of a value that has expired, or of one that is there, is from a time that has yet to come."""
    values, later = lone_desk.book.values, 2 * time.time_ns() // 1_000
    lone_desk.ask("SET", "%:value:version", str(later), "EX", 60)
    assert values.swap(lone_desk.trader, 0, "one").version == later + 1
    lone_desk.ask("DEL", "%:value:version")
    assert values.swap(lone_desk.trader, later + 1, "two").version == later + 2


def test_the_last_swap_sets_how_long_it_lives(desk: Desk) -> None:
    values = desk.book.values
    version = values.swap(desk.trader, 0, "one", ttl=60).version
    version = values.swap(desk.trader, version, "two").version
    assert desk.ask("PTTL", "%:value") == -1
    assert values.get(desk.trader) == Versioned("two", version)
    values.swap(desk.trader, version, "three", ttl=60)
    assert 0 < int(str(desk.ask("PTTL", "%:value"))) <= 60_000


@pytest.mark.parametrize("value", ["äöü 日本", "a\nb\r\n", "x" * 1_000_000, "{}", "-1"])
def test_any_text_comes_back_as_it_was(lone_desk: Desk, value: str) -> None:
    lone_desk.book.values.swap(lone_desk.trader, 0, value)
    assert lone_desk.book.values.get(lone_desk.trader).value == value
    assert lone_desk.book.values.swap_value(lone_desk.trader, value, "next").swapped


def test_of_many_swaps_at_a_time_one_wins(lone_desk: Desk) -> None:
    """Eight threads count to 50 each; no count is lost."""

    def count() -> None:
        with open_book(lone_desk.fleet.url(), "sync", lone_desk.runner) as book:
            for _ in range(50):
                done = Swap(swapped=False, version=0, value=None)
                while not done.swapped:
                    seen = book.values.get(lone_desk.trader)
                    done = book.values.swap(lone_desk.trader, seen.version, str(int(seen.value or 0) + 1))

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert lone_desk.book.values.get(lone_desk.trader).value == "400"


def test_refusals(lone_desk: Desk) -> None:
    values = lone_desk.book.values
    for expected in (-1, 2**53, True):
        with pytest.raises(InvalidArgument, match="version"):
            values.swap(lone_desk.trader, expected, "x")
    with pytest.raises(InvalidArgument, match="string"):
        values.swap(lone_desk.trader, 0, 5)  # pyright: ignore[reportArgumentType]
    for ttl in (0, -1, float("inf")):
        with pytest.raises(InvalidArgument, match="ttl"):
            values.swap(lone_desk.trader, 0, "x", ttl=ttl)
    with pytest.raises(InvalidArgument, match="key"):
        values.get(" ab")
    assert lone_desk.contents() == {}


@pytest.mark.parametrize(("change", "field"), [(("HDEL", "value"), "value"), (("HSET", "version", "x"), "version")])
def test_a_field_that_cannot_be_read_is_named(lone_desk: Desk, change: tuple[str, ...], field: str) -> None:
    values = lone_desk.book.values
    version = values.swap(lone_desk.trader, 0, "one").version
    lone_desk.ask(change[0], "%:value", *change[1:])
    for ask in (lambda: values.get(lone_desk.trader), lambda: values.swap(lone_desk.trader, version, "x")):
        with pytest.raises(CorruptRecord) as caught:
            ask()
        assert caught.value.field == field
    lone_desk.ask("DEL", "%:value")
    lone_desk.ask("SADD", "%:value", "x")
    with pytest.raises(WrongType):
        values.get(lone_desk.trader)
