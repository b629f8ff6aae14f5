"""Books come and go while the metrics of others are read, by a thread of its own."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from slotbook.models.health import BookStats
from slotbook.topology.otel import OpenTelemetryObserver


class Watched:
    """A book as an observer sees it."""

    def stats(self) -> BookStats:
        """Return nothing: there are no connections."""
        return BookStats((), ())


@pytest.fixture
def quick_turns() -> Iterator[None]:
    """Let threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("quick_turns")
def test_books_come_and_go_while_metrics_are_read(caplog: pytest.LogCaptureFixture) -> None:
    reader = InMemoryMetricReader()
    meters = MeterProvider([reader])
    observer = OpenTelemetryObserver(meter_provider=meters)
    books = [Watched() for _ in range(2_000)]
    for book in books:
        observer.watch(book)
    enough = threading.Event()

    def come_and_go() -> None:
        while not enough.is_set():
            observer.watch(Watched())

    coming = threading.Thread(target=come_and_go)
    coming.start()
    for _ in range(40):
        reader.get_metrics_data()
    enough.set()
    coming.join()
    meters.shutdown()
    assert caplog.records == []  # the SDK logs what an instrument raises
