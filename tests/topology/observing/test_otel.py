"""Spans and metrics follow the semantic conventions for databases, and the dashboard asks for what there is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import cast

import pytest
from opentelemetry.sdk.metrics.export import Histogram
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind, StatusCode
from slotbook import Book, Notice, NoticeKind, errors
from slotbook.topology.observing.observer import NOWHERE, FailedTry, ObservedCall, ObservedServers
from slotbook.topology.observing.outcomes import CallOutcome

from ...support.callers import open_book
from ...support.desk import Desk
from ...support.make import execution, fresh, limit
from ...support.package import ROOT
from ...support.telemetry import Telemetry

DASHBOARD = ROOT / "docs" / "how-to" / "slotbook-dashboard.json"


@pytest.fixture
def told() -> Iterator[Telemetry]:
    found = Telemetry()
    yield found
    found.close()


@pytest.fixture
def book(desk: Desk, told: Telemetry) -> Iterator[Book]:
    """Yield a book that is observed and watched."""
    opened = open_book(desk.fleet.url({}), desk.caller, desk.runner, told.observer)
    told.observer.watch(opened)
    yield opened
    opened.close()


def attributes(span: ReadableSpan) -> dict[str, object]:
    return dict(span.attributes or {})


def test_a_call_is_a_client_span_below_the_callers(desk: Desk, book: Book, told: Telemetry) -> None:
    book.orders.place(limit(desk.trader, "A1"))
    told.clear()
    with told.tracers.get_tracer("desk").start_as_current_span("request") as request:
        book.orders.place(limit(desk.trader, "A1"))
        book.orders.get(desk.trader, "A1")
    place, get, _ = told.spans()
    for span in (place, get):
        assert span.kind is SpanKind.CLIENT
        assert span.parent is not None
        assert span.parent.span_id == request.get_span_context().span_id
        assert (span.end_time or 0) > (span.start_time or 0)
    found = attributes(place)
    peer = f"{found.pop('network.peer.address')}:{found.pop('network.peer.port')}"
    assert peer in {f"{server.host}:{server.port}" for server in desk.fleet.deployment.servers}
    found.pop("server.port", None)
    assert found == {
        "db.system.name": "redis",
        "db.operation.name": "EVALSHA",
        "db.query.summary": "place",
        "db.stored_procedure.name": "place",
        "db.namespace": "0",
        "server.address": "127.0.0.1",
        "slotbook.outcome": "repeated",
        "slotbook.tries": 1,
    }
    assert (get.name, attributes(get)["db.operation.name"]) == ("get", "HGETALL")
    assert "db.stored_procedure.name" not in attributes(get)


def test_a_batch_is_one_span_with_its_size(desk: Desk, book: Book, told: Telemetry) -> None:
    book.orders.place_many([limit(desk.trader, "A1"), limit(desk.another(), "A1")])
    told.clear()
    book.orders.place_many([limit(desk.trader, "A1"), limit(desk.another(), "A1")])
    (span,) = told.spans()
    found = attributes(span)
    assert (span.name, found["db.operation.name"]) == ("BATCH place", "PIPELINE EVALSHA")
    assert found["db.operation.batch.size"] == 2
    assert found["slotbook.outcome"] == "mixed"


def test_a_refusal_is_an_answer_and_a_failure_is_an_error(desk: Desk, book: Book, told: Telemetry) -> None:
    with pytest.raises(errors.OrderNotFound):
        book.orders.fill(execution(desk.trader, "X1", order_id="A9", quantity=1))
    desk.vandalise("SET", "%:order:A1", "x")
    told.clear()
    with pytest.raises(errors.OrderNotFound):
        book.orders.fill(execution(desk.trader, "X1", order_id="A9", quantity=1))
    with pytest.raises(errors.WrongType):
        book.orders.get(desk.trader, "A1")
    refused, failed = told.spans()
    assert attributes(refused)["slotbook.outcome"] == "refused"
    assert "error.type" not in attributes(refused)
    assert refused.status.status_code is StatusCode.UNSET
    assert failed.status.status_code is StatusCode.ERROR
    assert attributes(failed)["error.type"] == attributes(failed)["db.response.status_code"] == "WRONGTYPE"
    assert attributes(failed)["slotbook.outcome"] == "failed"
    assert desk.trader not in f"{failed.status.description} {attributes(failed)} {failed.events}"


def test_the_duration_has_the_buckets_of_the_conventions(desk: Desk, book: Book, told: Telemetry) -> None:
    book.orders.place_many([limit(desk.trader, "A1"), limit(desk.another(), "A1")])
    data = told.reader.get_metrics_data()
    assert data is not None
    found = [one for scope in data.resource_metrics[0].scope_metrics for one in scope.metrics]
    (duration,) = [one for one in found if one.name == "db.client.operation.duration"]
    assert duration.unit == "s"
    points = cast("Histogram", duration.data).data_points
    assert [tuple(point.explicit_bounds) for point in points] == [(0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10)]
    assert [point.count for point in points] == [1], "a batch is measured once"
    (span,) = told.spans()
    spanned = ((span.end_time or 0) - (span.start_time or 0)) / 1e9
    assert points[0].sum == pytest.approx(spanned, abs=1e-6), "in seconds, and the same as the span's"
    assert "db.operation.batch.size" not in dict(points[0].attributes or {}), "it would be a metric for each size"


def test_every_metric_of_the_dashboard_exists(desk: Desk, book: Book, told: Telemetry) -> None:
    cache = book.cache(str, f"shown-{fresh()}")
    cache.near(10)
    cache.get("sea")
    book.orders.place(limit(desk.trader, "A1"))
    told.observer.noticed(_notice())
    told.observer.calls_ended([_call_with_a_failed_try()])
    given = set(re.findall(r"^(\w+)\{", told.exposition(), re.MULTILINE))
    labels = set(re.findall(r"[{,](\w+)=", told.exposition())) | {"error_type"}
    asked: set[str] = set()
    used: set[str] = set()
    for panel in json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]:
        for target in panel["targets"]:
            asked |= set(re.findall(r"\b(?:db|slotbook)_\w+(?=[\[{)])", target["expr"]))
            used |= {name for group in re.findall(r"by \(([^)]*)\)", target["expr"]) for name in group.split(", ")}
            used |= set(re.findall(r"[{,](\w+)[=!]", target["expr"]))
    asked -= used
    assert len(asked) >= 10
    assert asked - given == set()
    assert used - labels == set()


def _call_with_a_failed_try() -> ObservedCall:
    servers = ObservedServers("standalone", (NOWHERE,), 0)
    failed = FailedTry("127.0.0.1:1", "NOSCRIPT", is_reply=True, seconds=0.01)
    return ObservedCall(servers, lambda: None, NOWHERE, 0.02, CallOutcome.APPLIED, tries=2, failures=[failed])


def _notice() -> Notice:
    return Notice(NoticeKind.PRIMARY_CHANGED, {"before": "a", "after": "b"})


def test_a_book_that_is_gone_is_not_measured(desk: Desk, told: Telemetry) -> None:
    book = open_book(desk.fleet.url({}), "sync", desk.runner, told.observer)
    told.observer.watch(book)
    book.orders.get(desk.trader, "A1")
    assert "db_client_connection_max{" in told.exposition()
    book.close()
    del book
    assert "db_client_connection_max{" not in told.exposition()
