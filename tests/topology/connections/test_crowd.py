"""Many callers at once: each gets its own reply, and when there are too many, PoolExhausted is raised."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from slotbook import AsyncBook, aconnect, connect
from slotbook.models import Order
from slotbook.models.errors import PoolExhausted

from ...conftest import TOPOLOGIES
from ...support.desk import Desk
from ...support.faults.control import wait_until
from ...support.fleet import Fleet, Fleets
from ...support.leaks import wipe
from ...support.make import execution, fresh, limit
from ...support.relay import Relay


@pytest.fixture(params=TOPOLOGIES)
def fleet(request: pytest.FixtureRequest, fleets: Fleets) -> Fleet:
    return fleets.of(request.param)


@pytest.fixture
def lone(fleets: Fleets) -> Fleet:
    return fleets.of("standalone")


@pytest.fixture
def relay(lone: Fleet) -> Iterator[Relay]:
    with Relay(lone) as running:
        yield running


def test_fifty_threads_each_get_their_own_replies(fleet: Fleet) -> None:
    with connect(fleet.url({"pool_size": 8, "pool_wait": 10})) as book:

        def work(trader: str) -> None:
            for number in range(12):
                order = limit(trader, f"A{number}", quantity=100 + number)
                assert book.orders.place(order).order.quantity == 100 + number
                result = book.orders.fill(execution(trader, "X1", 1, order_id=order.order_id))
                assert (result.order.trader, result.order.quantity) == (trader, 100 + number)
                assert result.position.quantity == number + 1
            assert len(book.orders.open(trader)) == 12

        traders = [fresh() for _ in range(50)]
        with ThreadPoolExecutor(50) as pool:
            list(pool.map(work, traders))
        for trader in traders:
            wipe(fleet, trader)


def test_five_hundred_tasks_each_get_their_own_replies(fleet: Fleet) -> None:
    traders = [fresh() for _ in range(25)]

    async def work(book: AsyncBook, number: int) -> None:
        trader = traders[number % 25]
        order = limit(trader, f"A{number}", quantity=100 + number)
        assert (await book.orders.place(order)).order.quantity == 100 + number
        result = await book.orders.fill(execution(trader, "X1", 1, order_id=order.order_id))
        assert (result.order.order_id, result.order.quantity) == (order.order_id, 100 + number)
        assert await book.orders.get(trader, order.order_id) == result.order

    async def crowd() -> list[Decimal | int]:
        async with aconnect(fleet.url()) as book:
            await asyncio.gather(*(work(book, number) for number in range(500)))
            outcomes = await book.positions.get_many([(trader, "AAPL") for trader in traders])
            return [outcome.result().quantity for outcome in outcomes]

    assert asyncio.run(crowd()) == [20] * 25
    for trader in traders:
        wipe(fleet, trader)


def test_threads_that_race_for_one_order_fill_it_exactly(fleet: Fleet) -> None:
    trader = fresh()
    with connect(fleet.url()) as book:
        book.orders.place(limit(trader))

        def work(number: int) -> bool:
            # every execution is sent by two threads
            return book.orders.fill(execution(trader, f"X{number // 2}", 1)).applied

        with ThreadPoolExecutor(16) as pool:
            applied = list(pool.map(work, range(200)))
        order = book.orders.get(trader, "A1")
        assert order is not None
        assert (sum(applied), order.filled_quantity, order.status) == (100, 100, "FILLED")
    wipe(fleet, trader)


def test_calls_of_one_turn_of_the_loop_share_a_round_trip(lone: Fleet, relay: Relay) -> None:
    async def crowd() -> int:
        async with aconnect(relay.url) as book:
            relay.quiet_time, relay.bursts = 0.02, 0
            await asyncio.gather(*(book.positions.get("T", f"S{number}") for number in range(100)))
            return relay.bursts

    assert asyncio.run(crowd()) == 1


def test_a_canceled_task_takes_no_reply_from_another(lone: Fleet, relay: Relay) -> None:
    trader = fresh()

    async def crowd() -> None:
        async with aconnect(relay.url) as book:
            await asyncio.gather(*(book.orders.place(limit(trader, f"A{number}")) for number in range(60)))
            relay.replies.clear()
            tasks = [asyncio.create_task(book.orders.get(trader, f"A{number}")) for number in range(60)]
            await asyncio.sleep(0.05)
            for task in tasks[::3]:
                task.cancel()
            await asyncio.sleep(0.01)
            late = asyncio.create_task(book.orders.get(trader, "A7"))
            relay.replies.set()
            answers: list[Order | BaseException | None] = await asyncio.gather(*tasks, late, return_exceptions=True)
            connections = relay.connections
            assert await book.orders.get(trader, "A8") == limit(trader, "A8", version=1)
            assert relay.connections == connections
        for number, answer in enumerate(answers[:60]):
            if number % 3 == 0:
                assert isinstance(answer, asyncio.CancelledError)
            else:
                assert answer == limit(trader, f"A{number}", version=1)
        assert answers[60] == limit(trader, "A7", version=1)

    asyncio.run(crowd())
    wipe(lone, trader)


def test_a_canceled_fill_is_applied_once_or_not_at_all(lone: Fleet, relay: Relay) -> None:
    trader, other = fresh(), fresh()

    async def crowd() -> None:
        async with aconnect(relay.url) as book:
            for each in (trader, other):
                await book.orders.place(limit(each))
            await book.orders.fill(
                execution(other)
            )  # from now on the server has the script, so the next is one request
            relay.replies.clear()
            task = asyncio.create_task(book.orders.fill(execution(trader)))
            await asyncio.sleep(0.05)
            task.cancel()
            relay.replies.set()
            with pytest.raises(asyncio.CancelledError):
                await task
            again = await book.orders.fill(execution(trader))
            assert (again.order.filled_quantity, again.applied) == (40, False)

    asyncio.run(crowd())
    wipe(lone, trader)
    wipe(lone, other)


def test_a_thread_that_waits_too_long_for_a_connection_gets_pool_exhausted(lone: Fleet, relay: Relay) -> None:
    with connect(f"{relay.url}?pool_size=2&pool_wait=0.1") as book:
        relay.replies.clear()
        with ThreadPoolExecutor(2) as pool:
            busy = [pool.submit(book.orders.get, "T", "A1") for _ in range(2)]
            until = time.monotonic() + 30
            while relay.connections < 2:
                assert time.monotonic() < until
                time.sleep(0.005)
            time.sleep(0.05)
            began = time.monotonic()
            with pytest.raises(PoolExhausted, match="pool_size"):
                book.orders.place(limit("T"))
            assert 0.09 < time.monotonic() - began < 8  # and not the deadline
            relay.replies.set()
            assert [one.result() for one in busy] == [None, None]
        assert book.orders.get("T", "A1") is None


def test_a_task_that_waits_too_long_for_its_turn_gets_pool_exhausted(lone: Fleet, relay: Relay) -> None:
    async def crowd() -> None:
        async with aconnect(f"{relay.url}?pool_size=1&pool_wait=0.1") as book:
            relay.replies.clear()
            busy = [asyncio.create_task(book.orders.get("T", f"A{number}")) for number in range(64)]
            await asyncio.sleep(0.05)
            began = time.monotonic()
            with pytest.raises(PoolExhausted, match="pool_size"):
                await book.orders.place(limit("T"))
            assert 0.09 < time.monotonic() - began < 8  # and not the deadline
            relay.replies.set()
            assert await asyncio.gather(*busy) == [None] * 64
            assert await book.orders.get("T", "A1") is None

    asyncio.run(crowd())


def test_a_forked_child_opens_a_connection_of_its_own(lone: Fleet, relay: Relay) -> None:
    trader = fresh()
    with connect(f"{relay.url}?socket_timeout={REPLY_TIMEOUT}") as book:
        book.orders.place(limit(trader))
        connections = relay.connections

        def child() -> bool:
            return all(
                book.orders.place(limit(trader, f"C{number}")).order.order_id == f"C{number}" for number in range(50)
            )

        def parent() -> None:
            for number in range(50):
                assert book.orders.get(trader, "A1") == limit(trader, version=1)
                assert book.orders.place(limit(trader, f"P{number}")).order.order_id == f"P{number}"

        _while_forked(child, parent)
        assert relay.connections == connections + 1
        assert book.orders.count(trader) == 101
        assert relay.connections == connections + 1
    wipe(lone, trader)


def test_a_forked_child_of_asyncio_opens_a_connection_of_its_own(lone: Fleet, relay: Relay) -> None:
    trader = fresh()
    with asyncio.Runner() as runner:
        book = runner.run(AsyncBook.open(f"{relay.url}?socket_timeout={REPLY_TIMEOUT}"))
        runner.run(book.orders.place(limit(trader)))
        connections = relay.connections

        async def crowd(name: str) -> bool:
            placed = await asyncio.gather(*(book.orders.place(limit(trader, f"{name}{n}")) for n in range(50)))
            return [result.order.order_id for result in placed] == [f"{name}{n}" for n in range(50)]

        def parent() -> None:
            assert runner.run(crowd("P"))

        _while_forked(lambda: asyncio.run(crowd("C")), parent)
        assert relay.connections == connections + 1
        assert runner.run(book.orders.count(trader)) == 101
        runner.run(book.close())
    wipe(lone, trader)


REPLY_TIMEOUT = 8
"""The seconds after which a call gives up on a reply: far more than the work takes, even on a busy machine."""


def _while_forked(child: Callable[[], bool], parent: Callable[[], None]) -> None:
    """Run both at once, and the parent's part again when the child has ended.

    Before it ends, the child collects its garbage, so that whatever it does to inherited connections is done.
    """
    pid = os.fork()
    if pid == 0:
        try:
            done = child()
            gc.collect()
            os._exit(0 if done else 1)
        except BaseException:  # a child must never run on into pytest
            os._exit(2)
    began = time.monotonic()
    try:
        parent()
    finally:
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    parent()
    assert time.monotonic() - began < REPLY_TIMEOUT - 1, "someone waited for a reply that never came"


def test_one_book_works_in_two_loops_one_after_the_other(fleet: Fleet) -> None:
    trader = fresh()
    book = asyncio.run(AsyncBook.open(fleet.url()))
    placed = asyncio.run(book.orders.place(limit(trader))).order
    assert asyncio.run(book.orders.get(trader, "A1")) == placed

    async def crowd() -> list[Order | None]:
        return await asyncio.gather(*(book.orders.get(trader, "A1") for _ in range(20)))

    assert asyncio.run(crowd()) == [placed] * 20
    asyncio.run(book.close())
    wipe(fleet, trader)


def test_a_thread_that_is_interrupted_in_mid_call_leaves_no_reply_behind(lone: Fleet, relay: Relay) -> None:
    """Interrupt a call like Ctrl-C does, while it waits for its reply."""
    trader = fresh()
    with connect(f"{relay.url}?pool_size=1") as book:
        book.orders.place(limit(trader, "A1"))
        book.orders.place(limit(trader, "A2"))
        relay.replies.clear()
        interrupting = threading.Thread(target=_interrupt, args=(relay, relay.bursts))
        interrupting.start()
        with pytest.raises(KeyboardInterrupt):
            book.orders.get(trader, "A1")
        interrupting.join()
        assert book.orders.get(trader, "A2") == limit(trader, "A2", version=1)
    wipe(lone, trader)


def _interrupt(relay: Relay, bursts: int) -> None:
    wait_until(lambda: relay.bursts > bursts, "the call is under way")
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
    threading.Timer(0.05, relay.replies.set).start()


def test_a_closed_book_can_be_closed_again(desk: Desk) -> None:
    book = desk.open()
    book.orders.get(desk.trader, "A1")
    book.close()
    book.close()
