"""Tell OpenTelemetry of a book: spans and metrics by its semantic conventions for databases (extra ``otel``).

::

    observer = OpenTelemetryObserver()
    book = slotbook.connect(url, observer=observer)
    observer.watch(book)  # its connections and near caches, too

See https://opentelemetry.io/docs/specs/semconv/db/ and, for Redis, https://opentelemetry.io/docs/specs/semconv/db/redis/.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol, TypeAlias

from ..models.errors import MissingExtra
from ..models.health import BookStats, PoolStats
from .observing import CallOutcome, Notice, ObservedCall, ObservedServers, Observer

try:
    from opentelemetry import metrics, trace
    from opentelemetry.metrics import CallbackOptions, Meter, MeterProvider, Observation
    from opentelemetry.trace import SpanKind, Status, StatusCode, TracerProvider
except ImportError:
    raise MissingExtra("OpenTelemetry is not installed: pip install 'slotbook[otel]'") from None

SCOPE = "slotbook"
"""The name of the instrumentation."""
SCHEMA = "https://opentelemetry.io/schemas/1.33.0"
SECONDS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10)
"""The bounds of the buckets of ``db.client.operation.duration``, as the conventions have them."""
REDIS_PORT = 6379

Attributes: TypeAlias = dict[str, str | int]

_NO_ERROR = frozenset({CallOutcome.READ, CallOutcome.APPLIED, CallOutcome.REPEATED, CallOutcome.REFUSED})
"""The outcomes that are answers: a refusal is what the book decides, and no failure of the database."""


class HasStats(Protocol):
    """A book, for threads or for asyncio."""

    def stats(self) -> BookStats:
        """Return its state."""
        ...


class OpenTelemetryObserver(Observer):
    """An observer that makes a span of each call or batch, child of the caller's span, and measures it.

    Args:
        tracer_provider: Where spans go; by default the global provider.
        meter_provider: Where metrics go; by default the global provider.
    """

    def __init__(
        self, tracer_provider: TracerProvider | None = None, meter_provider: MeterProvider | None = None
    ) -> None:
        self._tracer = trace.get_tracer(SCOPE, tracer_provider=tracer_provider, schema_url=SCHEMA)
        meter = metrics.get_meter(SCOPE, meter_provider=meter_provider, schema_url=SCHEMA)
        self._duration = meter.create_histogram(
            "db.client.operation.duration",
            unit="s",
            description="Duration of database client operations.",
            explicit_bucket_boundaries_advisory=SECONDS,
        )
        self._calls = meter.create_counter(
            "slotbook.client.calls", unit="{call}", description="Calls that have ended, by verb and outcome."
        )
        self._failed_tries = meter.create_counter(
            "slotbook.client.failed_tries", unit="{try}", description="Tries of calls that brought no value, by reason."
        )
        self._notices = meter.create_counter(
            "slotbook.client.notices", unit="{notice}", description="Notices, such as primary_changed and state_lost."
        )
        self._books: weakref.WeakSet[HasStats] = weakref.WeakSet()
        self._watching = threading.Lock()  # metrics are read by a thread of their own
        _observe(meter, self._all_stats)

    def watch(self, book: HasStats) -> None:
        """Measure the connections and near caches of a book too, for as long as it is there."""
        with self._watching:
            self._books.add(book)

    def calls_ended(self, calls: Sequence[ObservedCall]) -> None:
        """Make a span of one call, or of one batch, and measure it."""
        ended_at = time.time_ns()
        attributes = _attributes_of(calls)
        failed = next((call for call in calls if call.outcome not in _NO_ERROR), None)
        if failed is not None:
            attributes |= _error_of(failed)
        of_spans: Attributes = {"db.operation.batch.size": len(calls)} if len(calls) != 1 else {}
        seconds = calls[0].seconds if calls else 0.0
        self._duration.record(seconds, attributes)
        for call in calls:
            self._calls.add(1, {"slotbook.verb": call.verb, "slotbook.outcome": call.outcome.value})
            for one in call.failures:
                self._failed_tries.add(1, {"slotbook.verb": call.verb, "slotbook.reason": one.reason})
        started_at = ended_at - int(seconds * 1e9)
        name = str(attributes["db.query.summary"])
        span = self._tracer.start_span(
            name, kind=SpanKind.CLIENT, attributes={**attributes, **of_spans}, start_time=started_at
        )
        if span.is_recording():
            span.set_attribute("slotbook.outcome", _together([call.outcome.value for call in calls], "mixed"))
            span.set_attribute("slotbook.tries", max((call.tries for call in calls), default=0))
            if failed is not None:
                span.set_status(Status(StatusCode.ERROR, str(attributes["error.type"])))
            for one in (one for call in calls for one in call.failures):
                about: Attributes = {"slotbook.node": one.node, "slotbook.reason": one.reason}
                span.add_event("slotbook.failed_try", about, timestamp=started_at + int(one.seconds * 1e9))
        span.end(ended_at)

    def noticed(self, notice: Notice) -> None:
        """Count a notice, and add it to the caller's span as an event."""
        self._notices.add(1, {"slotbook.event": notice.kind.value})
        fields = {f"slotbook.{name}": value for name, value in notice.fields.items()}
        trace.get_current_span().add_event(f"slotbook.{notice.kind.value}", fields)

    def _all_stats(self) -> list[BookStats]:
        with self._watching:
            books = list(self._books)
        return [book.stats() for book in books]


def _attributes_of(calls: Sequence[ObservedCall]) -> Attributes:
    """Return the attributes of a call, or of a batch, by the conventions."""
    verb, command = (_together(values, "") for values in ([c.verb for c in calls], [c.command for c in calls]))
    found: Attributes = {"db.system.name": "redis", "db.operation.name": command, "db.query.summary": verb}
    if len(calls) != 1:
        found["db.operation.name"] = f"PIPELINE {command}".strip()
        found["db.query.summary"] = f"BATCH {verb}".strip()
    if verb and all(call.is_script for call in calls):
        found["db.stored_procedure.name"] = verb
    if calls:
        found["db.namespace"] = str(calls[0].servers.database)
        found |= _configured(calls[0].servers)
    peers = {call.address for call in calls}
    if len(peers) == 1 and (peer := peers.pop()).host:
        found["network.peer.address"] = peer.host
        if peer.port:
            found["network.peer.port"] = peer.port
    return found


def _configured(servers: ObservedServers) -> Attributes:
    """Return the address of the servers as the book's URL has it; of several, all hosts, and the port if they share it.

    >>> from slotbook.topology.address import Address
    >>> _configured(ObservedServers("cluster", (Address("10.0.0.1", 7001), Address("10.0.0.2", 7001)), 0))
    {'server.address': '10.0.0.1,10.0.0.2', 'server.port': 7001}
    """
    hosts = dict.fromkeys(address.host for address in servers.addresses)
    ports = {address.port for address in servers.addresses}
    found: Attributes = {"server.address": ",".join(hosts)} if hosts else {}
    if hosts and len(ports) == 1 and (port := ports.pop()) not in (0, REDIS_PORT):
        found["server.port"] = port
    return found


def _error_of(call: ObservedCall) -> Attributes:
    """Return what a call failed with: the code of the server's error if that was the last, else the error's class."""
    if call.failures and call.failures[-1].is_reply:
        code = call.failures[-1].reason
        return {"error.type": code, "db.response.status_code": code}
    return {"error.type": type(call.error).__name__ if call.error is not None else "_OTHER"}


def _together(values: Sequence[str], different: str) -> str:
    return values[0] if len(set(values)) == 1 else different


def _observe(meter: Meter, stats: Callable[[], list[BookStats]]) -> None:
    """Measure connections and near caches whenever metrics are read."""
    pool, state = "db.client.connection.pool.name", "db.client.connection.state"

    def of_pools(values: Callable[[PoolStats], Iterable[tuple[int, Attributes]]]) -> Callable[..., list[Observation]]:
        def observe(_: CallbackOptions) -> list[Observation]:
            return _summed(
                (number, {pool: f"{one.node}{' for replicas' if one.for_replicas else ''}", **more})
                for book in stats()
                for one in book.pools
                for number, more in values(one)
            )

        return observe

    def of_caches(attribute: str) -> Callable[..., list[Observation]]:
        def observe(_: CallbackOptions) -> list[Observation]:
            return _summed(
                (getattr(one, attribute), {"slotbook.cache": one.name}) for book in stats() for one in book.near_caches
            )

        return observe

    gauge = meter.create_observable_up_down_counter
    states = of_pools(lambda one: [(one.idle, {state: "idle"}), (one.in_use, {state: "used"})])
    connection = "db.client.connection"
    gauge(f"{connection}.count", [states], unit="{connection}", description="Open connections, by state.")
    most = of_pools(lambda one: [(one.size, {})])
    gauge(f"{connection}.max", [most], unit="{connection}", description="Connections that may be open.")
    waiting = of_pools(lambda one: [(one.waiting, {})])
    gauge(f"{connection}.pending_requests", [waiting], unit="{request}", description="Calls that wait for a place.")
    flying = of_pools(lambda one: [(one.in_flight, {})])
    gauge("slotbook.client.in_flight", [flying], unit="{call}", description="Calls that are on their way.")
    gauge("slotbook.near_cache.size", [of_caches("size")], unit="{value}", description="Values that are kept.")
    for counted in ("hits", "misses", "invalidations"):
        name, about = f"slotbook.near_cache.{counted}", f"The {counted} of values in this process."
        meter.create_observable_counter(name, [of_caches(counted)], unit="{value}", description=about)


def _summed(values: Iterable[tuple[int, Mapping[str, str | int]]]) -> list[Observation]:
    """Return one observation for each set of attributes: several books may use one server."""
    totals: dict[tuple[tuple[str, str | int], ...], int] = {}
    for number, attributes in values:
        key = tuple(sorted(attributes.items()))
        totals[key] = totals.get(key, 0) + number
    return [Observation(number, dict(key)) for key, number in totals.items()]


__all__ = ["OpenTelemetryObserver"]
