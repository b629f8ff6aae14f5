"""Numbers of other libraries are taken as arguments, and what is sent and answered is the same as for Python's own."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeAlias

import numpy as np
import pytest
from slotbook.models.errors import InvalidArgument, VersionConflict
from slotbook.models.guards import Expect
from slotbook.repositories import CachePolicy

from ...support.desk import Desk
from ...support.make import execution, limit

Form: TypeAlias = Callable[[int], Any]
FORMS: list[Form] = [int, np.int64, np.float64, Decimal, np.float32]
NS = 1_703_422_805_243_925_307


@pytest.fixture(params=FORMS, ids=lambda form: form.__name__)
def form(request: pytest.FixtureRequest) -> Form:
    """Return a function that makes a number of one kind."""
    made: Form = request.param
    return made


def test_changes_of_orders_and_positions(lone_desk: Desk, form: Form) -> None:
    book, trader = lone_desk.book, lone_desk.trader
    times = {"ts_ns": Decimal(NS)}
    book.orders.place(limit(trader, quantity=form(100), **times))
    assert book.orders.fill(execution(trader, quantity=form(40), price=form(187))).position.quantity == 40
    replaced = book.orders.replace(trader, "A1", quantity=form(90), price=form(186), revision=form(1), **times).order  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    assert (replaced.quantity, replaced.price, replaced.revision, replaced.updated_ns) == (90, 186, 1, NS)
    assert book.positions.adjust(trader, "AAPL", form(5), request_id="R1").position.quantity == 45
    assert not book.positions.adjust(trader, "AAPL", 5, request_id="R1").applied
    assert book.positions.set(trader, "AAPL", form(7)).position.quantity == 7
    assert not book.positions.check_and_update(trader, "AAPL", form(5), form(10)).accepted
    assert book.positions.get(trader, "AAPL").profit(form(100)) == Decimal(7 * 100 - 40 * 187)


def test_units(lone_desk: Desk, form: Form) -> None:
    book, trader = lone_desk.book, lone_desk.trader
    book.orders.place(limit(trader))
    book.commit([Expect("A1", form(1)), execution(trader)], expected_sequence=form(1))
    with pytest.raises(VersionConflict):
        book.commit([Expect("A1", form(1)), execution(trader, "X2")])
    with pytest.raises(VersionConflict):
        book.commit([execution(trader, "X2")], expected_sequence=form(1))


def test_events(lone_desk: Desk, form: Form) -> None:
    book, trader = lone_desk.book, lone_desk.trader
    for number in range(5):
        book.orders.place(limit(trader, f"A{number}"))
    found = book.events.history(trader, since=form(1), until=form(4), limit=form(2))
    assert [event.sequence for event in found] == [2, 3]
    follower = book.events.follow(trader, since=form(3), maxsize=form(10), poll=form(1))
    with follower:
        assert [follower.get(timeout=30).sequence for _ in range(2)] == [4, 5]  # pyright: ignore[reportOptionalMemberAccess]
    options = {"since": form(3), "batch": form(2), "poll": form(1), "min_idle": form(30), "max_deliveries": form(3)}
    with book.events.consume("g", "c", trader, **options) as consumer:
        delivery = consumer.get(timeout=30)
        assert delivery is not None
        assert delivery.event.sequence == 4
    assert book.events.dead_letters(trader, limit=form(5)) == []
    assert book.events.trim(trader, before=form(3)) == 2
    book.events.subscribe("order_events", maxsize=form(5))


def test_coordination(lone_desk: Desk, form: Form) -> None:
    book, trader = lone_desk.book, lone_desk.trader
    first = book.values.swap(trader, form(0), "one", ttl=form(60))
    assert first.swapped
    assert book.values.swap(trader, np.int64(first.version), "two", ttl=form(60)).swapped  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    assert not book.values.swap(trader, first.version, "three").swapped
    with book.lock("desk", trader=trader, lease=form(5), wait=form(1)) as held:
        assert 4 < held.remaining <= 5
        held.positions.adjust(trader, "AAPL", form(5))
    for algorithm in ("fixed_window", "sliding_window", "token_bucket"):
        limiter = book.limiter(form(10), form(60), algorithm)
        assert limiter.acquire(trader, form(3)).remaining == 7
    assert book.limiter(form(10), form(60), "token_bucket", form(20)).acquire(trader, 1).remaining == 19
    session = book.sessions.create(trader, form(60))
    assert session.expires_ms - session.created_ms == 60_000


def test_caches(lone_desk: Desk, form: Form) -> None:
    book = lone_desk.open(prefix="numbers:")
    policy = CachePolicy(ttl=form(60), stale=form(1))
    cache: Any = book.cache(int, f"c{lone_desk.trader}", policy=policy)
    near = cache.near(form(10), bound=form(5))
    near.put("k", 5)
    assert near.get("k") == 5
    near.invalidate("k")


@pytest.mark.parametrize("version", ["1", "one", True, 1.5, None, -1], ids=repr)
def test_a_version_is_a_number_and_a_value_is_a_text(lone_desk: Desk, version: Any) -> None:
    values, name = lone_desk.book.values, lone_desk.trader
    with pytest.raises(InvalidArgument, match="version"):
        values.swap(name, version, "v")
    if version is not None and not isinstance(version, str):
        with pytest.raises(InvalidArgument, match="string"):
            values.swap_value(name, version, "v")
