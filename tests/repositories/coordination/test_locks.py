"""Locks: one holder at a time, for a lease, with a fence that only grows, and changes that carry the fence.

Renewing a lease is in ``test_lock_renewal.py``.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeAlias, cast

import pytest
from slotbook import Book
from slotbook.models import Cancel, PositionChange
from slotbook.models.errors import (
    CorruptRecord,
    FenceRefused,
    InvalidArgument,
    LockLost,
    LockTimeout,
    OrderNotFound,
)
from slotbook.repositories import AcquiredLock, OrderRepository, PositionRepository
from slotbook.repositories.orders.verbs import ORDER_VERBS

from ...support.desk import Desk
from ...support.faults.verbs import BY_NAME
from ...support.make import execution, fresh, limit

TIMEOUT = 30.0
Change: TypeAlias = "Callable[[AcquiredLock, str], object]"


def _verb_of_orders(name: str) -> Change:
    return lambda held, trader: BY_NAME[name].call(cast(Book, held), trader)


CHANGES: dict[str, Change] = {
    **{f"orders.{verb.name}": _verb_of_orders(verb.name) for verb in ORDER_VERBS},
    "orders.place": lambda held, trader: held.orders.place(limit(trader, "A9")),
    "orders.place_many": lambda held, trader: held.orders.place_many([limit(trader, "A9")])[0].result(),
    "orders.fill": lambda held, trader: held.orders.fill(execution(trader, "X2", 5)),
    "orders.fill_many": lambda held, trader: held.orders.fill_many([execution(trader, "X2", 5)])[0].result(),
    "orders.accept": lambda held, trader: held.orders.accept(trader, "A2"),
    "orders.reject": lambda held, trader: held.orders.reject(trader, "A2"),
    "orders.cancel_all": lambda held, trader: held.orders.cancel_all(trader)[0].result(),
    "orders.replace": lambda held, trader: held.orders.replace(trader, "A1", quantity=50),
    "orders.apply": lambda held, trader: held.orders.apply(Cancel(trader=trader, order_id="A1")),
    "orders.apply_many": lambda held, trader: held.orders.apply_many([execution(trader, "X2", 5)])[0].result(),
    "orders.delete": lambda held, trader: held.orders.delete(trader, "A0"),
    "positions.adjust": lambda held, trader: held.positions.adjust(trader, "AAPL", 1),
    "positions.set": lambda held, trader: held.positions.set(trader, "AAPL", 1),
    "positions.check_and_update": lambda held, trader: held.positions.check_and_update(trader, "AAPL", 1, 500),
    "positions.split": lambda held, trader: held.positions.split(trader, "AAPL", 2, 1),
    "positions.roll": lambda held, trader: held.positions.roll(trader, "AAPL"),
    "positions.apply_many": lambda held, trader: held.positions.apply_many(
        [PositionChange(trader=trader, symbol="AAPL", quantity=1)]
    )[0].result(),
}
READS = {
    *(
        f"orders.{verb}"
        for verb in (
            "get",
            "get_many",
            "open",
            "by",
            "by_status",
            "by_symbol",
            "count",
            "find",
            "of",
            "fills",
            "in_flight",
        )
    ),
    *(f"positions.{verb}" for verb in ("get", "get_many", "all", "by_account", "net", "totals", "find")),
}


def prepare(desk: Desk) -> None:
    """Place an order A1 with a fill, a canceled order A0, and an order A2 that is not accepted yet."""
    new = limit(desk.trader, "A2", status="PENDING_NEW")
    desk.book.orders.place_many([limit(desk.trader, "A0"), limit(desk.trader, "A1"), new])
    desk.book.orders.cancel(desk.trader, "A0")
    desk.book.orders.fill(execution(desk.trader, "X1", 40))


def test_a_lock_has_one_holder_at_a_time(desk: Desk) -> None:
    book = desk.book
    with book.lock("L", trader=desk.trader) as held:
        assert 9 < held.remaining <= 10
        with pytest.raises(LockTimeout, match="held by someone else"), book.lock("L", trader=desk.trader, wait=0):
            raise AssertionError
        with book.lock("M", trader=desk.trader, wait=0), book.lock("L", trader=desk.another(), wait=0):
            pass
    with book.lock("L", trader=desk.trader, wait=0) as again:
        assert again.fence > held.fence
    assert again.remaining == 0


def test_a_lock_of_the_desk(desk: Desk) -> None:
    with desk.book.lock(desk.trader) as held:
        with pytest.raises(LockTimeout):
            desk.book.lock(desk.trader, wait=0).acquire()
        with pytest.raises(InvalidArgument, match="the whole desk's"):
            held.orders.place(limit(desk.trader))
    assert set(desk.contents()) == {f"{{{desk.trader}}}:lock"}


def test_acquire_waits_for_the_lock(lone_desk: Desk) -> None:
    begin = time.monotonic()
    lone_desk.book.lock("L", trader=lone_desk.trader, lease=0.3).acquire()
    lone_desk.book.lock("L", trader=lone_desk.trader, wait=TIMEOUT).acquire()
    assert 0.3 < time.monotonic() - begin < TIMEOUT
    begin = time.monotonic()
    with pytest.raises(LockTimeout):
        lone_desk.book.lock("L", trader=lone_desk.trader, wait=0.3).acquire()
    assert 0.3 <= time.monotonic() - begin < TIMEOUT


def test_fences_only_grow(desk: Desk) -> None:
    fences: list[int] = []
    for turn in range(20):
        lock = desk.book.lock("L", trader=desk.trader, lease=0.001 if turn % 3 else 60, wait=TIMEOUT)
        held = lock.acquire()
        fences.append(held.fence)
        if turn % 3 == 0:
            held.release()
        if turn == 10:
            desk.ask("DEL", "%:lock:L")
    assert fences == sorted(set(fences))


def test_a_fence_is_above_the_last_although_the_clock_is_behind(lone_desk: Desk) -> None:
    lock = lone_desk.book.lock("L", trader=lone_desk.trader, wait=0)
    held = lock.acquire()
    held.release()
    later = held.fence + 3_600_000_000
    lone_desk.ask("HSET", "%:lock:L", "fence", later)
    assert lock.acquire().fence == later + 1


def test_a_release_is_the_same_however_late_it_is_repeated(desk: Desk) -> None:
    lock = desk.book.lock("L", trader=desk.trader, lease=0.02, wait=TIMEOUT)
    released = desk.book.lock("L", trader=desk.trader, lease=60).acquire()
    released.release()
    lost = lock.acquire()
    others = [lock.acquire() for _ in range(3)]
    time.sleep(0.03)
    for _ in range(2):
        released.release()
        for held in (lost, *others):
            with pytest.raises(LockLost):
                held.release()
    current = desk.book.lock("L", trader=desk.trader, wait=0).acquire()
    released.release()
    with pytest.raises(LockLost):
        lost.release()
    current.renew()


def test_a_grant_that_was_lost_too_long_ago_to_be_remembered_counts_as_lost(lone_desk: Desk) -> None:
    lock = lone_desk.book.lock("L", trader=lone_desk.trader, lease=0.001, wait=TIMEOUT)
    grants = [lock.acquire() for _ in range(30)]
    time.sleep(0.01)
    for held in grants:
        with pytest.raises(LockLost):
            held.release()
    assert len(str(lone_desk.ask("HGET", "%:lock:L", "lost"))) == 16 * 17


def test_a_clock_that_goes_back_keeps_nobody_waiting_for_longer_than_a_lease(lone_desk: Desk) -> None:
    """The lease ends an hour from now, as it does after a failover to a server whose clock is an hour behind."""
    held = lone_desk.book.lock("L", trader=lone_desk.trader, lease=0.3).acquire()
    lone_desk.ask("HINCRBY", "%:lock:L", "ends_ms", 3_600_000)
    begin = time.monotonic()
    other = lone_desk.book.lock("L", trader=lone_desk.trader, lease=60, wait=TIMEOUT).acquire()
    assert 0.3 < time.monotonic() - begin < TIMEOUT
    assert other.fence > held.fence
    with pytest.raises(FenceRefused):
        held.positions.adjust(lone_desk.trader, "AAPL", 1)


def test_a_holder_that_lost_it_does_not_release_the_next_holder_s(desk: Desk) -> None:
    held = desk.book.lock("L", trader=desk.trader, lease=0.02).acquire()
    other = desk.book.lock("L", trader=desk.trader, lease=60, wait=TIMEOUT).acquire()
    for late in (held.renew, held.release):
        with pytest.raises(LockLost):
            late()
    other.renew()


def test_a_lost_lock_is_reported_at_the_end_but_hides_no_error(desk: Desk) -> None:
    with pytest.raises(LockLost), desk.book.lock("L", trader=desk.trader, lease=0.001):
        time.sleep(0.01)
    with pytest.raises(ZeroDivisionError), desk.book.lock("L", trader=desk.trader, lease=0.001):
        _ = 1 / (time.sleep(0.01) or 0)


def test_it_is_released_when_the_block_fails(desk: Desk) -> None:
    with pytest.raises(ZeroDivisionError), desk.book.lock("L", trader=desk.trader):
        raise ZeroDivisionError
    with desk.book.lock("L", trader=desk.trader, wait=0):
        pass


def test_one_object_is_entered_once_at_a_time(desk: Desk) -> None:
    lock = desk.book.lock("L", trader=desk.trader)
    with lock, pytest.raises(InvalidArgument, match="entered already"), lock:
        raise AssertionError
    with lock:
        pass


def test_a_holder_s_changes_are_made(desk: Desk) -> None:
    for change in CHANGES.values():
        trader = desk.trader = desk.another()
        prepare(desk)
        with desk.book.lock("L", trader=trader, lease=60) as held:
            before = desk.contents()
            change(held, trader)
            assert desk.contents() != before, change


def test_every_change_under_a_lost_lock_is_refused_and_changes_nothing(desk: Desk) -> None:
    prepare(desk)
    expired = desk.book.lock("L", trader=desk.trader, lease=0.01).acquire()
    taken = desk.book.lock("L", trader=desk.trader, lease=60, wait=TIMEOUT).acquire()
    for held in (expired, taken):
        if held is taken:
            held.release()
        before = desk.contents()
        for change in CHANGES.values():
            with pytest.raises(FenceRefused, match=str(held.fence)):
                change(held, desk.trader)
            assert desk.contents() == before


def test_no_method_that_changes_a_book_is_without_the_fence() -> None:
    """A method that is added carries the fence, or is named here as one that only reads."""
    verbs = {
        f"{part}.{name}"
        for part, repository in (("orders", OrderRepository), ("positions", PositionRepository))
        for name in dir(repository)
        if not name.startswith("_") and name not in {"from_url", "close"}
    }
    assert verbs == READS | set(CHANGES)


def test_an_expired_lease_refuses_a_change_even_if_nobody_else_took_the_lock(desk: Desk) -> None:
    desk.book.orders.place(limit(desk.trader))
    held = desk.book.lock("L", trader=desk.trader, lease=0.01).acquire()
    time.sleep(0.02)
    with pytest.raises(FenceRefused):
        held.orders.cancel(desk.trader, "A1")


def test_a_lock_that_the_server_lost_refuses_a_change(desk: Desk) -> None:
    held = desk.book.lock("L", trader=desk.trader).acquire()
    desk.ask("DEL", "%:lock:L")
    with pytest.raises(FenceRefused):
        held.orders.place(limit(desk.trader))
    with pytest.raises(LockLost):
        held.release()


def test_a_repeat_gets_its_first_result_whoever_holds_the_lock_by_now(desk: Desk) -> None:
    """The change was made while the lock was held: to refuse the repeat would say that it was not."""
    held = desk.book.lock("L", trader=desk.trader, lease=60).acquire()
    held.orders.place(limit(desk.trader))
    first = held.orders.fill(execution(desk.trader))
    replaced = held.orders.replace(desk.trader, "A1", quantity=90, request_id="R1").order
    adjusted = held.positions.adjust(desk.trader, "MSFT", 1, request_id="P1")
    held.orders.cancel(desk.trader, "A1")
    held.release()
    desk.book.lock("L", trader=desk.trader, wait=0).acquire()
    again = held.orders.fill(execution(desk.trader))
    assert (again.applied, again.order, again.position) == (False, first.order, first.position)
    assert held.orders.replace(desk.trader, "A1", quantity=90, request_id="R1").order == replaced
    assert held.positions.adjust(desk.trader, "MSFT", 1, request_id="P1").position == adjusted.position
    assert held.orders.cancel(desk.trader, "A1").order.status == "CANCELED"
    assert held.orders.place(limit(desk.trader)).order.quantity == 90


def test_reading_needs_no_lock(desk: Desk) -> None:
    desk.book.orders.place(limit(desk.trader))
    held = desk.book.lock("L", trader=desk.trader, lease=0.01).acquire()
    time.sleep(0.02)
    assert held.orders.get(desk.trader, "A1") == held.orders.open(desk.trader)[0]
    assert held.positions.all(desk.trader) == []


def test_a_fence_is_for_its_own_trader(desk: Desk) -> None:
    with desk.book.lock("L", trader=desk.trader) as held:
        for trader in (desk.another(), fresh()):
            with pytest.raises(InvalidArgument, match="cannot fence"):
                held.orders.place(limit(trader))
            with pytest.raises(InvalidArgument, match="cannot fence"):
                held.positions.apply_many([PositionChange(trader=trader, symbol="AAPL", quantity=1)])
        with pytest.raises(OrderNotFound):
            held.orders.cancel(desk.trader, "A1")


def test_a_change_of_another_trader_stops_a_long_batch_before_any_of_it_is_sent(desk: Desk) -> None:
    other = desk.another()
    orders = [*(limit(desk.trader, f"A{number}") for number in range(200)), limit(other)]
    with desk.book.lock("L", trader=desk.trader) as held:
        for send in (held.orders.place_many, held.orders.apply_many):
            with pytest.raises(InvalidArgument, match="cannot fence"):
                send(orders)
        with pytest.raises(InvalidArgument, match="cannot fence"):
            held.orders.delete(other, "A1")
    assert desk.book.orders.count(desk.trader) == desk.book.orders.count(other) == 0


def test_refusals(lone_desk: Desk) -> None:
    for lease in (0, -1, float("nan"), float("inf")):
        with pytest.raises(InvalidArgument, match="lease"):
            lone_desk.book.lock("L", lease=lease)
    for name in ("", " ab", "{x}"):
        with pytest.raises(InvalidArgument, match="lock"):
            lone_desk.book.lock(name)
        with pytest.raises(InvalidArgument, match="lock"):
            lone_desk.book.lock(name, trader=lone_desk.trader)
    with pytest.raises(InvalidArgument, match="token"):
        lone_desk.book.lock("L", trader=lone_desk.trader).acquire(token=" ab")  # noqa: S106
    assert lone_desk.contents() == {}


def test_a_field_that_cannot_be_read_is_named(lone_desk: Desk) -> None:
    held = lone_desk.book.lock("L", trader=lone_desk.trader).acquire()
    lone_desk.ask("HSET", "%:lock:L", "ends_ms", "soon")
    for ask in (held.renew, held.release, lone_desk.book.lock("L", trader=lone_desk.trader).acquire):
        with pytest.raises(CorruptRecord, match="ends_ms"):
            ask()
    with pytest.raises(FenceRefused):
        held.orders.place(limit(lone_desk.trader))
