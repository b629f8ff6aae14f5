"""The fates of a journal's rows as ``slotbook replay`` reports them, and its exit codes."""

from __future__ import annotations

import json
import time
from decimal import Decimal
from pathlib import Path
from typing import cast

import pytest
import slotbook
from slotbook.cli.replay import _together as together  # pyright: ignore[reportPrivateUsage]
from slotbook.models import Order, OrderType, Side
from slotbook.repositories.orders.reconciliation import Reconciliation

from ..support.fleet import Fleet, Fleets
from ..support.make import fresh
from .conftest import Cli, Journal, JsonObject
from .test_replay import DAY, DAY_STATE

ROWS_LEFT = 3
FATES = ("applied", "repeated", "out_of_date", "refused", "would_apply_if_run_again")


@pytest.fixture(params=["standalone", "sentinel", "cluster"])
def fleet(request: pytest.FixtureRequest, fleets: Fleets) -> Fleet:
    """Return the servers of each topology."""
    return fleets.of(request.param)


def book_of(fleet: Fleet, **settings: object) -> str:
    return fleet.url({"prefix": fresh("cli") + ":", **settings})


def replay(cli: Cli, path: Path, url: str, *options: object, code: int) -> JsonObject:
    """Replay a journal and return its report; the code is the one that it has to exit with."""
    done = cli("replay", path, "--url", url, "--json", *options)
    assert (done.code, done.err) == (code, "")
    return cast(JsonObject, json.loads(done.out))


def fates(report: JsonObject) -> list[int]:
    return [cast(int, report[name]) for name in FATES]


def named(report: JsonObject) -> list[tuple[int, str]]:
    return [(cast(int, row["line"]), cast(str, row["fate"])) for row in cast("list[JsonObject]", report["named"])]


def test_a_journal_again_after_its_orders_have_expired(cli: Cli, fleet: Fleet, journal: Journal) -> None:
    url = book_of(fleet, order_ttl=0.1, socket_timeout=0.3)
    ended = (*DAY, "T001,CANCEL,A1,ESH4,BUY,,,")
    path = journal(*ended)
    first = replay(cli, path, url, "--deadline", 0.7, code=0)
    with slotbook.connect(url) as book:
        until = time.monotonic() + 10
        while book.orders.count("T001") + book.orders.count("T002"):
            assert time.monotonic() < until
            time.sleep(0.05)
    again = replay(cli, path, url, "--deadline", 0.7, code=0)
    assert (fates(first), fates(again)) == ([8, 0, 0, 0, 0], [0, 8, 0, 0, 0])
    assert first["positions"] == again["positions"] == DAY_STATE["positions"]
    assert (again["named"], again["orders_by_status"]) == ([], {})


def test_an_id_that_is_used_for_another_symbol_and_side_books_nothing(cli: Cli, fleet: Fleet, journal: Journal) -> None:
    rows = (
        "T1,NEW,1,AAPL,BUY,100,187,",
        "T1,CANCEL,1,AAPL,BUY,,,",
        "T1,NEW,1,MSFT,SELL,100,370,",
        "T1,FILL,1,MSFT,SELL,50,370,X1",
        "T1,REPLACE,1,AAPL,SELL,90,187,",
        "T1,CANCEL,1,MSFT,BUY,,,",
    )
    url = book_of(fleet)
    for number in range(2):
        report = replay(cli, journal(*rows), url, code=ROWS_LEFT)
        assert fates(report) == ([2, 0, 0, 4, 0] if number == 0 else [0, 2, 0, 4, 0])
        reasons = {row["line"]: row["reason"] for row in cast("list[JsonObject]", report["named"])}
        assert "the id is taken by an order that was placed as BUY 100 AAPL LIMIT at 187" in cast(str, reasons[4])
        for line, said in ((5, "SELL MSFT"), (6, "SELL AAPL"), (7, "BUY MSFT")):
            assert f"it says {said}, but the order is BUY AAPL" in cast(str, reasons[line])
        assert report["positions"] == {}


def test_a_price_for_a_market_order_does_not_stop_the_rest(cli: Cli, fleet: Fleet, journal: Journal) -> None:
    url = book_of(fleet)
    with slotbook.connect(url) as book:
        market = Order(trader="T001", order_id="M", symbol="ESH4", side=Side.BUY, type=OrderType.MARKET, quantity=9)
        book.orders.place(market)
    report = replay(cli, journal("T001,REPLACE,M,ESH4,BUY,8,5,", *DAY), url, code=ROWS_LEFT)
    assert (fates(report), named(report)) == ([7, 0, 0, 1, 0], [(2, "refused")])
    assert report["positions"] == DAY_STATE["positions"]


def test_rows_in_the_wrong_order_need_one_run(cli: Cli, fleet: Fleet, journal: Journal) -> None:
    rows = (
        "T1,FILL,1,AAPL,BUY,150,187,X1",
        "T1,NEW,1,AAPL,BUY,100,187,",
        "T1,FILL,2,AAPL,BUY,4,187,X2",
        "T1,REPLACE,1,AAPL,BUY,200,187,",
        "T1,NEW,2,AAPL,BUY,4,187,",
    )
    url = book_of(fleet)
    report = replay(cli, journal(*rows), url, code=0)
    late = [(line, "applied out of order") for line in (2, 4)]
    assert (fates(report), named(report), report["applied_out_of_order"]) == ([5, 0, 0, 0, 0], late, 2)
    again = replay(cli, journal(*rows), url, code=0)
    assert (fates(again), named(again)) == ([0, 5, 0, 0, 0], [])
    assert again["positions"] == report["positions"]


def test_a_second_day_whose_seq_begins_again_is_out_of_date(cli: Cli, fleet: Fleet, journal: Journal) -> None:
    """Its REPLACE has a number below the one of the first day's."""
    url = book_of(fleet)
    first = ("T1,NEW,1,AAPL,BUY,100,187,", "T1,NEW,2,AAPL,BUY,1,1,", "T1,REPLACE,1,AAPL,BUY,90,188,")
    assert fates(replay(cli, journal(*first), url, code=0)) == [3, 0, 0, 0, 0]
    second = ("T1,REPLACE,1,AAPL,BUY,80,189,", "T1,CANCEL,2,AAPL,BUY,,,", "T1,CANCEL,2,AAPL,BUY,,,")
    report = replay(cli, journal(*second, name="second.csv"), url, code=ROWS_LEFT)
    assert (fates(report), named(report)) == ([1, 0, 2, 0, 0], [(2, "out of date"), (4, "out of date")])
    with slotbook.connect(url) as book:
        order = book.orders.get("T1", "1")
    assert order is not None
    assert (order.quantity, order.price) == (90, Decimal(188))


def test_what_waits_when_the_passes_end_is_named(
    cli: Cli, url: str, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("slotbook.repositories.orders.journal_run.MOST_PASSES", 2)
    rows = (
        "T1,FILL,1,AAPL,BUY,150,187,X1",
        "T1,REPLACE,1,AAPL,BUY,200,187,",
        "T1,NEW,1,AAPL,BUY,100,187,",
    )
    report = replay(cli, journal(*rows), url, code=ROWS_LEFT)
    assert (fates(report), named(report)[0]) == ([2, 0, 0, 0, 1], (2, "would apply if run again"))
    assert fates(replay(cli, journal(*rows), url, code=0)) == [1, 2, 0, 0, 0]


def test_the_help_says_the_exit_codes_and_the_fates(cli: Cli) -> None:
    words = " ".join(cli("replay", "--help").out.split())
    for part in ("0 every row", "3 the journal was gone through", "1 not finished", "2 bad usage", "130 Ctrl-C"):
        assert part in words
    for fate in FATES:
        assert f"{fate.replace('_', ' ')}:" in words


@pytest.mark.parametrize(
    ("first", "last", "counted"),
    [
        ((5, 2, 3), (1, 6, 1), (5, 2, 4)),  # one was lost, and applied again
        ((5, 2, 0), (0, 1, 0), (0, 1, 0)),  # of seven only one is not refused by then
        ((0, 7, 0), (7, 0, 0), (0, 7, 0)),  # all were there before, and were lost
    ],
)
def test_rows_of_several_runs_are_counted_once(
    first: tuple[int, int, int], last: tuple[int, int, int], counted: tuple[int, int, int]
) -> None:
    """The last run says what has become of them, and the first what was there before; copies are missed in each."""
    runs = [
        Reconciliation(rows=7, applied=applied, repeated=repeated, under_replicated=under)
        for applied, repeated, under in (first, last)
    ]
    found = together(runs)
    assert (found.applied, found.repeated, found.under_replicated) == counted
