"""The latency of events: from ``fill`` returning to ``follow`` yielding, beside a bare PUBLISH and SUBSCRIBE."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from secrets import token_hex
from typing import ParamSpec, cast

import hiredis

from ..models.fill import Fill
from ..models.order import Order
from ..repositories import Book
from ..topology.address import Address
from ..topology.call import pack, slot_of

WARM_UP = 100
PAUSE = 0.001
"""The seconds between two events, so that no queue builds up and only the delay is measured."""
TIMEOUT = 10.0
"""The seconds to wait for an event."""

P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class Spread:
    """Delays in microseconds.

    A message may arrive before the reply to the call that caused it; its delay is negative then.
    """

    p50: float
    p99: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Spread:
        """Return the spread of delays in seconds."""
        ranked = sorted(seconds)
        return cls(ranked[len(ranked) // 2] * 1e6, ranked[len(ranked) * 99 // 100] * 1e6)


@dataclass(frozen=True, slots=True)
class Latency:
    """The figures of one run, in which Slotbook and the bare sockets took turns."""

    events: int
    follow: Spread
    """The delay from ``fill`` returning to ``follow`` yielding its event."""
    follow_since_sent: Spread
    """The delay from ``fill`` being called to the same."""
    bare: Spread
    """The delay from PUBLISH returning to its message being read, both on bare sockets."""
    bare_since_sent: Spread
    """The delay from PUBLISH being sent to the same."""


def latency(url: str, events: int = 2_000) -> Latency:
    """Measure the latency on the servers of a URL, with a new trader, whose keys expire or are few."""
    trader, channel = f"latency-{token_hex(4)}", f"latency-{token_hex(4)}"
    with Book.open(url) as book:
        total = WARM_UP + events
        terms = {"symbol": "AAPL", "side": "BUY", "quantity": total, "price": "1"}
        book.orders.place(Order.model_validate({"trader": trader, "order_id": "A1", **terms}))
        key = f"{{{trader}}}:events"
        address = cast(Address, book.backend.locate(slot_of((book.backend.settings.prefix + key,))))
        password = book.backend.settings.password
        secret = password.get_secret_value() if password else ""
        with (
            book.events.follow(trader) as follow,
            _Bare(address, secret) as publisher,
            _Bare(address, secret) as subscriber,
        ):
            subscriber.ask("SUBSCRIBE", channel)
            followed = _Clock(lambda: follow.get(TIMEOUT))
            received = _Clock(subscriber.read)
            filled: list[tuple[float, float]] = []
            published: list[tuple[float, float]] = []
            for number in range(total):
                fill = {"trader": trader, "order_id": "A1", "exec_id": f"X{number}", "quantity": 1, "price": "1"}
                filled.append(_timed(book.orders.fill, Fill.model_validate(fill)))
                followed.wait_for(number + 1)
                time.sleep(PAUSE)
                published.append(_timed(publisher.ask, "PUBLISH", channel, str(number)))
                received.wait_for(number + 1)
                time.sleep(PAUSE)
            followed.stop()
            received.stop()
            follow.stop()
            subscriber.close()
    return Latency(events, *_spreads(filled, followed.times), *_spreads(published, received.times))


def _timed(work: Callable[P, object], *given: P.args, **named: P.kwargs) -> tuple[float, float]:
    began = time.perf_counter()
    work(*given, **named)
    return began, time.perf_counter()


def _spreads(spans: Sequence[tuple[float, float]], arrived: Sequence[float]) -> tuple[Spread, Spread]:
    pairs = list(zip(spans, arrived, strict=False))[WARM_UP:]
    return Spread.of([at - ended for (_, ended), at in pairs]), Spread.of([at - began for (began, _), at in pairs])


class _Clock:
    """A thread that notes the time of each event or message that it receives."""

    def __init__(self, receive: Callable[[], object]) -> None:
        self.times: list[float] = []
        self._receive = receive
        self._over = False
        self._failure: Exception | None = None
        self._came = threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def wait_for(self, count: int) -> None:
        """Wait until ``count`` have arrived; raise TimeoutError when the next one takes longer than ``TIMEOUT``.

        Raises what receiving has raised.
        """
        while len(self.times) < count:
            if not self._came.acquire(timeout=TIMEOUT):
                raise TimeoutError(f"event {count} did not come within {TIMEOUT:g} s")
            if self._failure is not None:
                raise self._failure

    def stop(self) -> None:
        """Receive no more."""
        self._over = True

    def _run(self) -> None:
        while not self._over:
            try:
                came = self._receive()
            except Exception as error:  # raised by whoever waits; at the end nobody does
                self._failure = error
                self._came.release()
                return
            if came is not None:
                self.times.append(time.perf_counter())
                self._came.release()


class _Bare:
    """One connection on a bare socket, with hiredis to parse replies."""

    def __init__(self, address: Address, password: str) -> None:
        self._socket = socket.create_connection(address)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._reader = hiredis.Reader()
        if password:
            self.ask("AUTH", password)

    def __enter__(self) -> _Bare:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(self, *words: str) -> object:
        """Send one command and return its reply."""
        self._socket.sendall(pack(words))
        return self.read()

    def read(self) -> object:
        """Return the next reply or message."""
        while (found := cast(object, self._reader.gets())) is False:
            received = self._socket.recv(65_536)
            if not received:
                raise ConnectionError("the server closed the connection")
            self._reader.feed(received)
        return found

    def close(self) -> None:
        """Close the connection, even while another thread reads from it."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            return
        finally:
            self._socket.close()
