"""Fault "interrupted": the caller is interrupted or cancelled while it reads its reply."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager

import pytest
from slotbook import AsyncBook, Book
from slotbook.topology.address import Address
from slotbook.topology.call import pack
from slotbook.topology.connections.async_pool import AsyncConnectionPool
from slotbook.topology.embedded import Topology
from slotbook.topology.error_mapping import Unsent
from slotbook.topology.settings import read

from ..support.faults.control import wait_until
from ..support.faults.rules import WRITES, Do, Rule
from ..support.faults.stand import Stand, Stands
from ..support.interrupts import alarm_handler
from ..support.make import execution, limit


class Interrupted(BaseException):
    """The exception that the signal raises."""


@pytest.fixture(params=["standalone", "sentinel", "cluster"])
def any_stand(request: pytest.FixtureRequest, stands: Stands, runner: asyncio.Runner) -> Iterator[Stand]:
    """Yield a deployment behind proxies."""
    topology: Topology = request.param
    with Stand(stands.of(topology), "sync", runner) as stand:
        yield stand


@pytest.fixture
def alarm() -> Iterator[None]:
    """SIGALRM raises in the main thread."""
    if threading.current_thread() is not threading.main_thread():
        pytest.fail("signals reach the main thread only: run pytest in it")

    def interrupt(_: int, __: object) -> None:
        raise Interrupted

    with alarm_handler(interrupt):
        yield


def test_a_signal_handler_may_write_while_its_thread_writes(any_stand: Stand) -> None:
    """The same book, the same trader: nobody waits for the other, and nothing is taken for lost."""
    with Book.open(any_stand.veil.url({"deadline": 5})) as book:
        trader, handled = any_stand.trader, list[int]()

        def write(_: int, __: object) -> None:
            book.orders.place(limit(trader, f"H{len(handled)}"))
            handled.append(1)
            signal.setitimer(signal.ITIMER_REAL, 0.001)

        with alarm_handler(write):
            signal.setitimer(signal.ITIMER_REAL, 0.001)
            for number in range(300):
                book.orders.place(limit(trader, f"M{number}"))
        assert len(handled) > 20
        assert book.orders.count(trader) == 300 + len(handled)
        assert book.losses() == []


@contextmanager
def _interrupted_once_answered(stand: Stand) -> Generator[None]:
    """Interrupt the block as soon as a server has answered a change, which is on its way."""
    answered = stand.veil.replies(*WRITES)

    def interrupt() -> None:
        wait_until(lambda: stand.veil.replies(*WRITES) > answered, "a server has answered")
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGALRM)

    waiting = threading.Thread(target=interrupt)
    waiting.start()
    yield
    waiting.join()


@pytest.mark.usefixtures("alarm")
def test_by_a_signal_the_socket_is_dropped(any_stand: Stand) -> None:
    stand = any_stand
    with Book.open(stand.veil.url({"pool_size": 1})) as book:
        book.orders.place(limit(stand.trader))
        book.orders.place(limit(stand.trader, "B1", quantity=7))
        other = book.orders.fill(execution(stand.trader, "W1", 1, order_id="B1")).order  # the server has the script now
        for turn in range(5):
            stand.veil.add(Rule(Do.HOLD))
            with _interrupted_once_answered(stand), pytest.raises(Interrupted):
                book.orders.fill(execution(stand.trader, f"X{turn}", 1))
            assert book.orders.get(stand.trader, "B1") == other
            assert not book.orders.fill(execution(stand.trader, f"X{turn}", 1)).applied
    assert stand.kinds() == ["NEW", "NEW", *["TRADE"] * 6]


def test_a_cancelled_task_leaves_its_reply_to_nobody(any_stand: Stand) -> None:
    stand = any_stand

    async def scenario() -> None:
        book = await AsyncBook.open(stand.veil.url())
        other = (await book.orders.place(limit(stand.trader, "B1", quantity=7))).order
        await book.orders.place(limit(stand.trader))
        for turn in range(5):
            stand.veil.add(Rule(Do.FORWARD, delay=1.0))  # far longer than what is done before it comes
            filling = asyncio.create_task(book.orders.fill(execution(stand.trader, f"X{turn}", 1)))
            await asyncio.sleep(0.05)
            reading = asyncio.create_task(book.orders.get(stand.trader, "B1"))
            await asyncio.sleep(0.01)
            filling.cancel()
            with pytest.raises(asyncio.CancelledError):
                await filling
            assert await reading == other
            assert not (await book.orders.fill(execution(stand.trader, f"X{turn}", 1))).applied
        await book.close()

    asyncio.run(scenario())
    assert stand.kinds() == ["NEW", "NEW", *["TRADE"] * 5]


def test_cancelled_before_it_was_sent_or_while_it_connects(any_stand: Stand) -> None:
    stand = any_stand

    async def scenario() -> None:
        book = await AsyncBook.open(stand.veil.url({"pool_size": 1}))
        other = (await book.orders.place(limit(stand.trader, "B1", quantity=7))).order
        for turn in range(70):  # more than there are places: a cancelled caller gives its place back
            for proxy in stand.veil.data:
                proxy.reset()
            placing = asyncio.create_task(book.orders.place(limit(stand.trader, f"A{turn}")))
            for _ in range(turn % 7):
                await asyncio.sleep(0)
            placing.cancel()
            await asyncio.gather(placing, return_exceptions=True)
        assert await asyncio.gather(*(book.orders.get(stand.trader, "B1") for _ in range(64))) == [other] * 64
        await book.close()

    asyncio.run(scenario())


def test_who_waits_for_a_connection_is_not_cancelled_by_another_who_retires_it(any_stand: Stand) -> None:
    stand = any_stand
    server = stand.control.primary()
    proxy = stand.veil.of(server)
    password = stand.control.deployment.password

    async def scenario() -> None:
        link = AsyncConnectionPool(
            read(f"redis://:{password}@{proxy.host}:{proxy.port}"), Address(proxy.host, proxy.port)
        )
        assert await link.exchange(pack(("PING",)), 1, 2.0) == ["PONG"]
        proxy.reset()
        await asyncio.sleep(0.05)
        proxy.latency = 0.2
        waiting = asyncio.create_task(link.exchange(pack(("PING",)), 1, 2.0))
        await asyncio.sleep(0.05)
        await link.retire()
        (answer,) = await waiting
        assert answer == "PONG" or isinstance(answer, Unsent)
        await link.close()

    asyncio.run(scenario())
