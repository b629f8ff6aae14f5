"""What a client of the service sees, on real servers."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator

import httpx
import pytest
from slotbook import Book, Limits
from slotbook.testing.servers import ServerFactory

ORDER = {"trader": "T001", "order_id": "A1", "symbol": "AAPL", "side": "BUY", "quantity": "100", "price": "187.23"}
FILL = {"trader": "T001", "order_id": "A1", "exec_id": "X1", "quantity": 40, "price": "187.22"}


def test_an_order_is_placed_once_however_often_it_is_sent(client: httpx.Client, book: Book) -> None:
    first, again = client.post("/orders", json=ORDER), client.post("/orders", json=ORDER)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json() == client.get("/traders/T001/orders/A1").json()
    assert first.json()["open_quantity"] == "100"
    assert len(book.events.history("T001")) == 1
    other = client.post("/orders", json={**ORDER, "quantity": 200})
    assert (other.status_code, other.json()["title"]) == (409, "DuplicateOrder")
    back = client.post("/orders", json=first.json())  # an order that is there is no order to place
    assert (back.status_code, back.json()["title"]) == (422, "InvalidArgument")


def test_a_fill_is_booked_once(client: httpx.Client) -> None:
    client.post("/orders", json=ORDER)
    first, again = client.post("/fills", json=FILL).json(), client.post("/fills", json=FILL).json()
    assert (first["applied"], again["applied"]) == (True, False)
    assert first["order"]["average_price"] == "187.22"
    [position] = client.get("/traders/T001/positions").json()
    assert (position["quantity"], position["cash"]) == ("40", "-7488.8")
    [execution] = client.get("/traders/T001/orders/A1/fills").json()
    assert (execution["exec_id"], execution["notional"]) == ("X1", "7488.80")
    missing = client.post("/fills", json={**FILL, "order_id": "A9", "exec_id": "X2"})
    assert (missing.status_code, missing.headers["content-type"]) == (404, "application/problem+json")
    over = client.post("/fills", json={**FILL, "exec_id": "X3", "quantity": 61})
    assert (over.status_code, over.json()["title"]) == (409, "Overfill")


def test_a_cancel_is_known_by_its_key(client: httpx.Client, book: Book) -> None:
    client.post("/orders", json=ORDER)
    for _ in range(2):
        done = client.delete("/traders/T001/orders/A1", headers={"Idempotency-Key": "C1"})
        assert (done.status_code, done.json()["status"], done.json()["open_quantity"]) == (200, "CANCELED", "0")
    assert [event.type for event in book.events.history("T001")] == ["NEW", "CANCELED"]
    none = client.delete("/traders/T001/orders/A9")
    assert (none.status_code, none.json()["title"]) == (404, "OrderNotFound")
    assert client.get("/traders/T001/orders").json() == []


BAD = [
    {**ORDER, "quantity": -1},
    {**ORDER, "quantity": "1e"},
    {**ORDER, "price": None},
    {**ORDER, "order_id": "a{b}"},
    {**ORDER, "side": "HOLD"},
    {**ORDER, "ts_ns": 1_703_422_805},
    {**ORDER, "open_quantity": "5"},
    {**ORDER, "pric": "1"},
    {name: ORDER[name] for name in ORDER if name != "trader"},
    [ORDER],
    None,
]


@pytest.mark.parametrize("body", BAD, ids=str)
def test_bad_input_is_422_and_says_where(client: httpx.Client, book: Book, body: object) -> None:
    answer = client.post("/orders", json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["errors"][0]["msg"]
    assert book.events.history("T001") == []


@pytest.mark.parametrize("text", ["{", '{"quantity": NaN}', '{"quantity": 1e999}', "\x00", '"\\ud800"', "[" * 10_000])
def test_what_is_hardly_json_is_no_fault_of_the_service(client: httpx.Client, text: str) -> None:
    answer = client.post("/orders", content=text, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)


@pytest.mark.parametrize("path", ["/traders/a%7Bb/orders", "/traders/%20/positions", "/traders/T001/orders/%00/fills"])
def test_a_bad_name_in_a_path_is_422(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 422


def test_a_limit_is_named(client: httpx.Client, book: Book) -> None:
    book.limits.set(Limits(trader="T001", max_order=50))
    answer = client.post("/orders", json=ORDER)
    told = answer.json()
    assert (answer.status_code, told["title"]) == (409, "LimitExceeded")
    assert (told["limit"], told["symbol"], told["value"], told["asked"]) == ("max_order", None, "50", "100")
    book.trading("T001", "halted")
    assert client.post("/orders", json=ORDER).json()["trading"] == "HALTED"


def test_an_unknown_outcome_keeps_the_id_and_the_same_request_settles_it(
    client: httpx.Client, book: Book, slotbook_server: ServerFactory
) -> None:
    client.post("/orders", json=ORDER)
    deployment = slotbook_server().deployment
    assert deployment is not None
    [server] = deployment.servers
    server.freeze()
    try:
        unknown = client.delete("/traders/T001/orders/A1")
        ready, live = client.get("/ready"), client.get("/live")
    finally:
        server.thaw()
    assert (unknown.status_code, unknown.json()["title"], unknown.headers["retry-after"]) == (
        503,
        "OutcomeUnknown",
        "1",
    )
    assert (ready.status_code, ready.json()["ready"], live.status_code) == (503, False, 200)
    request_id = unknown.json()["request_id"]
    done = client.delete("/traders/T001/orders/A1", headers={"Idempotency-Key": request_id})
    assert (done.status_code, done.json()["status"]) == (200, "CANCELED")
    assert [event.request_id for event in book.events.history("T001")][1:] == [request_id]
    assert client.get("/ready").json()["ready"] is True


def received(
    client: httpx.Client, count: int, last: str | None = None, since: int | None = None
) -> list[dict[str, str]]:
    """Return some server-sent events, as their fields."""

    def parts(lines: Iterator[str]) -> Iterator[dict[str, str]]:
        found: dict[str, str] = {}
        for line in lines:
            name, _, value = line.partition(": ")
            if name:
                found[name] = value
            elif "data" in found:
                yield found
                found = {}

    query = {} if since is None else {"since": since}
    headers = {} if last is None else {"Last-Event-ID": last}
    with client.stream("GET", "/traders/T001/events", params=query, headers=headers) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        return list(itertools.islice(parts(answer.iter_lines()), count))


def test_a_client_that_comes_back_misses_no_event(client: httpx.Client) -> None:
    client.post("/orders", json=ORDER)
    client.post("/fills", json=FILL)
    client.delete("/traders/T001/orders/A1")
    first, second = received(client, 2, since=0)
    assert [(one["id"], one["event"]) for one in (first, second)] == [("1", "NEW"), ("2", "TRADE")]
    assert json.loads(second["data"])["last_quantity"] == "40"
    [third] = received(client, 1, last=second["id"], since=0)
    assert (third["id"], third["event"]) == ("3", "CANCELED")
    assert client.get("/traders/T001/events", headers={"Last-Event-ID": "x"}).status_code == 422


def test_openapi_describes_an_order(client: httpx.Client) -> None:
    told = client.get("/openapi.json").json()
    assert told["openapi"].startswith("3.1")
    parts = told["components"]["schemas"]
    [emitted] = [parts[name] for name in parts if name in ("Order", "Order-Output")]
    assert emitted["properties"]["open_quantity"]["readOnly"] is True
