"""Collect what a book tells of itself: log lines, spans and metrics."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import REGISTRY, generate_latest
from slotbook.topology.embedded import Topology, start
from slotbook.topology.otel import OpenTelemetryObserver

from .callers import Caller, open_book
from .faults.control import Control
from .make import execution, fresh, limit


class Telemetry:
    """An observer for OpenTelemetry, and what it has told."""

    def __init__(self) -> None:
        self._spans = InMemorySpanExporter()
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self._spans))
        self.prometheus = PrometheusMetricReader()
        self.reader = InMemoryMetricReader()
        self.meters = MeterProvider([self.prometheus, self.reader])
        self.observer = OpenTelemetryObserver(self.tracers, self.meters)

    def spans(self) -> Sequence[ReadableSpan]:
        """Return all spans that have ended."""
        return self._spans.get_finished_spans()

    def clear(self) -> None:
        """Forget the spans."""
        self._spans.clear()

    def exposition(self) -> str:
        """Return what Prometheus is given, without what the Python client tells of itself."""
        lines = generate_latest(REGISTRY).decode().splitlines()
        return "\n".join(line for line in lines if line.startswith(("db_", "slotbook_")))

    def close(self) -> None:
        """Give nothing more to Prometheus."""
        self.meters.shutdown()


@dataclass
class Kept(logging.Handler):
    """A handler that keeps the lines."""

    lines: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        logging.Handler.__init__(self)
        self.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))

    __hash__ = logging.Handler.__hash__

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@contextmanager
def logged() -> Generator[list[str]]:
    """Yield the lines under ``slotbook``, as they come."""
    handler, logger = Kept(), logging.getLogger("slotbook")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield handler.lines
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


@dataclass
class Story:
    """The lines, spans and metrics of a book whose primary was killed amid its calls."""

    lines: list[str]
    spans: Sequence[ReadableSpan]
    """The spans of the calls, the first of them from before the kill."""
    exposition: str
    was: str
    """The primary that was killed."""
    heir: str
    secrets: tuple[str, ...]
    """What may be nowhere: the password, and names of traders and orders."""

    @property
    def told(self) -> str:
        """All of it as text."""
        spans = [f"{span.name} {dict(span.attributes or {})} {span.events}" for span in self.spans]
        return "\n".join([*self.lines, *spans, self.exposition])


def primary_killed(topology: Topology, caller: Caller, runner: asyncio.Runner) -> Story:
    """Kill the primary of a trader amid the trader's calls, and return what the book has told."""
    telemetry, trader = Telemetry(), fresh()
    with start(topology) as deployment, Control(deployment) as control, logged() as lines:
        book = open_book(control.url(deadline=20), caller, runner, telemetry.observer)
        telemetry.observer.watch(book)
        with book.events.follow(trader, since=0) as follow:
            book.orders.place(limit(trader, "SECRET-1", quantity=10), durability="replicated=1")
            assert follow.get(10)
            was = control.primary(f"{{{trader}}}")
            control.kill(was)
            with telemetry.tracers.get_tracer("desk").start_as_current_span("fill from the venue"):
                book.orders.fill(execution(trader, "SECRET-2", order_id="SECRET-1", quantity=4))
            heir = control.promoted(was, f"{{{trader}}}")
            book.orders.get(trader, "SECRET-1")
            ends_at = time.monotonic() + 20
            while not any("again" in line and "listening" in line for line in lines) and time.monotonic() < ends_at:
                follow.get(0.2)
        exposition = telemetry.exposition()
        book.close()
    telemetry.close()
    names = [f"{server.host}:{server.port}" for server in (was, heir)]
    spans = [span for span in telemetry.spans() if span.name in ("place", "fill", "get", "fill from the venue")]
    return Story(lines, spans, exposition, names[0], names[1], (deployment.password, trader, "SECRET"))
