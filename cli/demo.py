"""The demo: a trading day on private servers that lose a primary half-way, and an audit at the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from ..models.errors import Refused
from ..models.journal import JournalRequest
from ..models.order import Order
from ..models.position import Position
from ..repositories import Book
from ..topology.embedded import Deployment, Topology, start
from ..topology.embedded.takeover import primary_of, serves, wait_for
from ..topology.settings import Settings, read
from .day import trading_day
from .gateway import Gateway, wait_until_half
from .ledger import Audit, Ledger
from .output import JsonValue, fields_of

Say = Callable[[str], None]

_DEADLINE = 60.0
_BATCH = 500


@dataclass(frozen=True, slots=True)
class Failover:
    """A failover during the demo."""

    killed: str
    traders: tuple[str, ...]
    """The traders whose books the killed primary held."""
    successor: str
    seconds: float
    """From the kill to the successor's first answer as a primary."""

    def as_json(self) -> JsonValue:
        """Return the values that ``--json`` prints."""
        return {
            "killed": self.killed,
            "traders": self.traders,
            "took_over": self.successor,
            "seconds": round(self.seconds, 3),
        }


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a demo."""

    topology: Topology
    orders: int
    requests: int
    failover: Failover | None
    longest_wait: float
    """The longest call, in seconds."""
    brought_back: int
    """Changes that were acknowledged, lost in the failover, and applied again."""
    repeated: int
    """Requests of the second time that were recognised as repeats."""
    audit: Audit
    positions: tuple[Position, ...]
    seconds: float

    def as_json(self) -> dict[str, JsonValue]:
        """Return the values that ``--json`` prints."""
        return {
            "topology": self.topology,
            "orders": self.orders,
            "requests": self.requests,
            "failover": None if self.failover is None else self.failover.as_json(),
            "longest_wait": round(self.longest_wait, 3),
            "reapplied_after_failover": self.brought_back,
            "repeated": self.repeated,
            "fills": {
                "sent": self.audit.sent,
                "applied": self.audit.applied,
                "lost": self.audit.lost,
                "doubled": self.audit.doubled,
            },
            "differences": self.audit.differences,
            "positions": [fields_of(position) for position in self.positions],
            "seconds": round(self.seconds, 3),
        }


def run_demo(topology: Topology, say: Say) -> Outcome:
    """Play the day on private servers, which end with it.

    Args:
        topology: The servers to start.
        say: Called with each line of the story.

    Raises:
        SlotbookError: When a server cannot be started or a call fails.
    """
    started = time.monotonic()
    day = trading_day()
    requests = [request for requests in day.values() for request in requests]
    ledger = Ledger(requests)
    orders = sum(isinstance(request, Order) for request in requests)
    with _private_book(topology) as (deployment, book):
        say(f"started {_described(deployment)} in {time.monotonic() - started:.1f} s")
        say(
            f"{len(day)} traders send {len(requests):,} requests: {orders:,} orders, {ledger.fills:,} fills, "
            f"{len(requests) - orders - ledger.fills:,} replaces and cancels"
        )
        gateways = [Gateway(book, trader, requests) for trader, requests in day.items()]
        failover = _trade(deployment, gateways, say)
        longest = max(gateway.longest_wait for gateway in gateways)
        say(f"every request was answered; the longest wait of a caller was {longest:.2f} s")
        brought_back = sum(gateway.brought_back for gateway in gateways)
        if failover:
            say(_missed(brought_back))
        repeated = _send_again(book, requests)
        say(f"sent the whole day a second time, every fill included: {repeated:,} recognised as repeats")
        found = [outcome.result() for outcome in book.orders.get_many(ledger.order_ids)]
        positions = [outcome.result() for outcome in book.positions.get_many(ledger.position_ids)]
    return Outcome(
        topology,
        orders,
        len(requests),
        failover,
        longest,
        brought_back,
        repeated,
        ledger.audit(found, positions),
        tuple(positions),
        time.monotonic() - started,
    )


@contextmanager
def _private_book(topology: Topology) -> Generator[tuple[Deployment, Book], None, None]:
    # Of the environment only the server program is used: the users, the prefix and the lifetimes are another book's.
    server = read(f"embedded://{topology}").settings.server
    settings = Settings.model_construct(deadline=_DEADLINE)
    with start(topology, server=server) as deployment, Book.open(settings.at(deployment.url)) as book:
        yield deployment, book


def _trade(deployment: Deployment, gateways: Sequence[Gateway], say: Say) -> Failover | None:
    """Send the day through all gateways, and kill a primary when half of it is done."""
    failover = None
    try:
        for gateway in gateways:
            gateway.start()
        if deployment.topology == "standalone":
            say("one server, without a replica: no server could take over, so none is killed")
        else:
            wait_until_half(gateways)
            failover = _fail_over(deployment, gateways, say)
        for gateway in gateways:
            gateway.result()
    finally:
        for gateway in gateways:
            gateway.stop()
    return failover


def _fail_over(deployment: Deployment, gateways: Sequence[Gateway], say: Say) -> Failover:
    traders = [gateway.trader for gateway in gateways]
    primary = wait_for(lambda: primary_of(deployment, traders[0]), f"no primary serves {traders[0]}")
    held = tuple(trader for trader in traders if serves(primary, trader))
    at = time.monotonic()
    primary.kill()
    answered = sum(gateway.answered for gateway in gateways)
    say(f"killed {primary}, the primary that holds {_listed(held)}, {answered:,} requests into the day")
    successor = wait_for(lambda: primary_of(deployment, traders[0]), f"no server took over from {primary}")
    seconds = time.monotonic() - at
    meanwhile = sum(gateway.answered for gateway in gateways) - answered
    others = "" if held == tuple(traders) else f"; meanwhile the other primaries answered {meanwhile:,} requests"
    say(f"{successor} took over after {seconds:.1f} s{others}")
    return Failover(str(primary), held, str(successor), seconds)


def _send_again(book: Book, requests: Sequence[JournalRequest]) -> int:
    """Send everything again, as a gateway does that does not know what arrived; return how many were repeats."""
    repeated = 0
    for begin in range(0, len(requests), _BATCH):
        for outcome in book.orders.apply_many(requests[begin : begin + _BATCH]):
            with suppress(Refused):  # the audit shows if this was wrong
                repeated += not outcome.result().applied
    return repeated


def _missed(changes: int) -> str:
    if not changes:
        return "the new primary had every change that had been acknowledged"
    return f"acknowledged changes that the new primary had not: {changes:,}, applied again before anything else"


def _described(deployment: Deployment) -> str:
    data = sum(server.kind == "data" for server in deployment.servers)
    if deployment.topology == "cluster":
        return f"a cluster of 3 primaries and {data - 3} replicas"
    if deployment.topology == "sentinel":
        return f"a primary, {data - 1} replicas and {len(deployment.servers) - data} Sentinels"
    return "one server"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
