"""The command ``slotbook web``: what it takes, what it may do, and readers that are slow, late or many."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import slotbook
from slotbook.models.errors import AccessDenied
from slotbook.web.app import MOST_STREAMS

from ..cli.conftest import Cli, cli
from ..support.browser import Blotter, Document, blotter
from ..support.fleet import Fleets
from ..support.make import execution, fresh, limit

__all__ = ["cli"]

READS = "-@all +@read +@connection +@pubsub -publish -spublish +role +info +hello +cluster|slots +cluster|shards"
"""The permissions of a user who may only look."""


@pytest.fixture
def reader(fleets: Fleets, url: str) -> Iterator[str]:
    """Return the URL of a book whose user may not change anything."""
    raw, name, password = fleets.of("standalone").raw("any"), fresh("reader"), "p" * 20
    raw.ask("ACL", "SETUSER", name, "on", f">{password}", "~*", "&*", *READS.split())
    place = urlsplit(url)
    yield (
        place._replace(netloc=f"{name}:{password}@{place.hostname}:{place.port}")
        .geturl()
        .replace("username=slotbook&", "")
    )
    raw.ask("ACL", "DELUSER", name)


def test_a_user_who_may_not_write_sees_everything(url: str, reader: str) -> None:
    trader = fresh()
    with slotbook.connect(reader) as own, pytest.raises(AccessDenied):
        own.orders.place(limit(trader))
    with slotbook.connect(url) as book, blotter(reader) as running:
        book.orders.place(limit(trader))
        book.orders.fill(execution(trader))
        document = next(document for _, document in running.rows() if document["positions"])
        assert [row["realized"] for row in document["positions"]] == ["0"]
        day = json.loads(running.ask(f"/day?trader={trader}&symbol=AAPL").body)
        assert [point[1:] for point in day["points"]] == [["40", "0", "0"]]


def test_what_accounts_had_before_it_began_is_there(url: str) -> None:
    trader = fresh()
    with slotbook.connect(url) as book:
        book.positions.set(trader, "AAPL", 9, account="ACC1")
    with blotter(url) as running:
        document = next(document for _, document in running.rows() if document["positions"])
        assert [(row["key"], row["account"]) for row in document["positions"]] == [
            (f"{trader}\nAAPL", None),
            (f"{trader}\nAAPL\nACC1", "ACC1"),
        ]
        day = json.loads(running.ask(f"/day?trader={trader}&symbol=AAPL&account=ACC1").body)
        assert [point[1] for point in day["points"]] == ["9"]
        assert running.ask(f"/day?trader={trader}&symbol=AAPL&account=a%7Bb").status == 403


def test_a_position_that_cannot_be_read_is_old_and_read_again(fleets: Fleets, url: str, reader: str) -> None:
    raw, name, trader = fleets.of("standalone").raw("any"), urlsplit(reader).username or "", fresh()
    with slotbook.connect(url) as book, blotter(reader) as running:
        documents = running.rows()
        book.orders.place(limit(trader))
        book.orders.fill(execution(trader))
        assert positions_until(documents, lambda row: row["quantity"] == "40")
        raw.ask("ACL", "SETUSER", name, "-hgetall")
        book.orders.fill(execution(trader, "X2", 20))
        assert positions_until(documents, lambda row: row.get("old"))["quantity"] == "40"
        raw.ask("ACL", "SETUSER", name, "+hgetall")
        assert "old" not in positions_until(documents, lambda row: row["quantity"] == "60")


def positions_until(
    documents: Iterator[tuple[str, Document]], condition: Callable[[dict[str, object]], object]
) -> dict[str, object]:
    """Return the first row of a position for which a condition holds."""
    return next(row for _, document in documents for row in document["positions"] if condition(row))


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--host", "0.0.0.0"], 2, "--allow-host"),  # noqa: S104
        (["--host", "10.0.0.1", "--no-token"], 2, "leave the token on"),
        (["--trader", "T{"], 1, "trader 'T{'"),
        (["--host", "192.0.2.1"], 2, "cannot listen on 192.0.2.1"),
        (["--url", "redis://127.0.0.1:1?deadline=1"], 1, "127.0.0.1:1"),
        (["--url", "embedded://standalone"], 2, "new and empty"),
    ],
)
def test_what_is_refused(cli: Cli, url: str, options: list[str], code: int, said: str) -> None:
    done = cli("web", "--port", 0, "--url", url, *options)
    assert (done.code, done.out) == (code, "")
    assert said in done.err


def test_a_port_that_is_taken(cli: Cli, url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = cli("web", "--port", taken.getsockname()[1], "--url", url)
    assert (done.code, done.out) == (2, "")
    assert "in use; give another --port" in done.err


def test_without_a_token_for_a_server_in_front_that_asks(url: str) -> None:
    with blotter(url, "--no-token", "--allow-host", "Desk.Example") as running:
        assert running.token == ""
        assert running.ask("/", token=False).status == 200
        assert running.ask("/", token=False, Host="desk.example").status == 200
        assert running.ask("/", token=False, Host="other.example").status == 421


def test_a_reader_that_comes_back_gets_what_it_missed(url: str) -> None:
    with slotbook.connect(url) as book, blotter(url) as running:
        book.orders.place(limit("T1", "A1"))
        number, document = next((number, one) for number, one in running.rows() if one["orders"])
        assert document["begins"] in (True, False)
        book.orders.place(limit("T1", "A2"))
        for again in (number, number):
            missed = next(one for _, one in running.rows(Last_Event_ID=again) if one["orders"])
            assert (missed["begins"], [row["order"] for row in missed["orders"]]) == (False, ["A2"])
        for strange in ("", "x", "00000000.1", number.partition(".")[0] + ".99999999", f"{number}x", "." * 9):
            _, document = next(running.rows(Last_Event_ID=strange))
            assert document["begins"] is True
            assert len(document["orders"]) == 2


def memory(running: Blotter) -> int:
    """Return the memory that a process has, in KiB."""
    lines = Path(f"/proc/{running.process.pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def settled(running: Blotter) -> int:
    """Return the memory of a process that has done what it was given, in KiB."""
    ends_at, last, now = time.monotonic() + 60, 0, memory(running)
    while now > last + 500 and time.monotonic() < ends_at:
        time.sleep(1)
        last, now = now, memory(running)
    return now


def test_readers_that_take_nothing_cost_nothing_and_are_not_too_many(url: str) -> None:
    with slotbook.connect(url) as book, blotter(url) as running:
        sockets: list[socket.socket] = []
        for _ in range(MOST_STREAMS):
            one = socket.create_connection(("127.0.0.1", running.port))
            one.sendall(
                f"GET /rows HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {running.token}\r\n\r\n".encode()
            )
            assert one.recv(12) == b"HTTP/1.1 200"
            sockets.append(one)
        assert running.ask("/rows").status == 503
        book.orders.place_many([limit("T1", f"W{number}", text="x" * 200) for number in range(3_000)])
        before = settled(running)
        for turn in range(4):
            book.orders.place_many([limit("T1", f"A{turn}-{number}", text="x" * 200) for number in range(3_000)])
            time.sleep(0.5)
        assert settled(running) - before < 50_000  # what 32 readers have not taken would be 100 MB
        for one in sockets:
            one.close()
        ends_at = time.monotonic() + 30
        while True:
            try:
                next(running.rows())
                break
            except AssertionError:
                assert time.monotonic() < ends_at
