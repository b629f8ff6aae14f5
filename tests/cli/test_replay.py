"""The command ``slotbook replay``: however often it is run, each row of the journal is applied once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast

import pytest
import slotbook
from slotbook.models import Order
from slotbook.models.journal import COLUMNS

from ..support.fleet import Fleets
from ..support.make import fresh
from ..support.raw import Reply
from ..support.replays import REAL, ends_as_expected, needs_data
from .conftest import Cli, Journal

DAY = (
    "T001,NEW,A1,ESH4,BUY,10,4799.25,",
    "T001,NEW,A2,ESH4,SELL,5,4801,",
    "T002,NEW,B1,ESH4,SELL,4,4799,",
    "T001,FILL,A1,ESH4,BUY,4,4799.25,X1",
    "T002,FILL,B1,ESH4,SELL,4,4799.1,X2",
    "T001,REPLACE,A1,ESH4,BUY,8,4799.5,",
    "T001,CANCEL,A2,ESH4,SELL,5,4801,",
)
DAY_STATE = {
    "orders_by_status": {"PARTIALLY_FILLED": 1, "FILLED": 1, "CANCELED": 1},
    "open_orders": {"T001": 1},
    "positions": {
        "T001": {"quantity": "4", "bought": "4", "sold": "0", "cash": "-19197"},
        "T002": {"quantity": "-4", "bought": "0", "sold": "4", "cash": "19196.4"},
    },
}
LATER_FATES = ("repeated", "out_of_date", "refused", "would_apply_if_run_again")


@needs_data
def test_the_real_order_flow_ends_as_expected_and_a_second_run_changes_nothing(cli: Cli, url: str) -> None:
    first = cli("replay", REAL, "--url", url, "--json").json()
    ends_as_expected(first)
    assert (first["applied"], first["repeated"], first["refused"], first["named"]) == (30_000, 0, 0, [])
    again = cli("replay", REAL, "--url", url, "--json").json()
    assert (again["applied"], again["repeated"], again["refused"]) == (0, 30_000, 0)
    timeless = first.keys() - {"applied", "repeated", "seconds"}
    assert {name: again[name] for name in timeless} == {name: first[name] for name in timeless}


@pytest.mark.parametrize("topology", ["standalone", "sentinel", "cluster"])
@pytest.mark.parametrize("batch", [1, 3, 1_000])
def test_a_small_day(cli: Cli, fleets: Fleets, journal: Journal, topology: str, batch: int) -> None:
    assert topology in ("standalone", "sentinel", "cluster")
    url = fleets.of(topology).url({"prefix": fresh("cli") + ":"})
    report = cli("replay", journal(*DAY), "--url", url, "--batch", batch, "--json").json()
    seconds = report.pop("seconds")
    counts = {"rows": 7, "applied": 7, **dict.fromkeys(LATER_FATES, 0), "applied_out_of_order": 0}
    assert report == {**counts, "named": [], "under_replicated": 0, "reapplied": 0, **DAY_STATE}
    assert isinstance(seconds, float)
    assert 0 <= seconds < 60


def test_a_run_that_came_half_way_is_completed_by_the_next(cli: Cli, url: str, journal: Journal) -> None:
    assert cli("replay", journal(*DAY[:5]), "--url", url, "--json").json()["applied"] == 5
    report = cli("replay", journal(*DAY, name="whole.csv.gz"), "--url", url, "--json").json()
    assert (report["applied"], report["repeated"]) == (2, 5)
    assert {name: report[name] for name in DAY_STATE} == DAY_STATE


def test_private_servers_and_what_people_see(cli: Cli, journal: Journal) -> None:
    done = cli("replay", journal(*DAY), "--url", "embedded://standalone")
    assert (done.code, done.err) == (0, "")
    cells = {tuple(line.rsplit(maxsplit=1)) for line in done.out.splitlines() if line.strip()}
    assert {("rows", "7"), ("applied", "7"), ("orders PARTIALLY_FILLED", "1"), ("positions", "2")} <= cells
    assert "nothing is kept" in done.out
    assert "\x1b" not in done.out


def test_events_tell_the_journals_story_of_a_trader(cli: Cli, fleets: Fleets, journal: Journal) -> None:
    prefix = fresh("cli") + ":"
    rows = (
        "T001,NEW,A1,ESH4,BUY,10,4799,",
        "T001,CANCEL,A1,ESH4,BUY,10,4799,",
        "T001,NEW,A2,ESH4,BUY,10,4799,",
        "T001,NEW,A3,ESH4,BUY,10,4799,",
        "T001,CANCEL,A3,ESH4,BUY,10,4799,",
        "T001,CANCEL,A2,ESH4,BUY,10,4799,",
    )
    fleet = fleets.of("standalone")
    assert cli("replay", journal(*rows), "--url", fleet.url({"prefix": prefix}), "--json").json()["applied"] == 6
    key = f"{prefix}{{T001}}:events"
    found: list[tuple[object, object]] = []
    for entry in cast("list[list[Reply]]", fleet.ask(key, "XRANGE", key, "-", "+")):
        flat = cast("list[str]", entry[1])
        fields = dict(zip(flat[::2], flat[1::2], strict=True))
        found.append((fields["type"], fields["order_id"]))
    assert found == [
        ("NEW", "A1"),
        ("CANCELED", "A1"),
        ("NEW", "A2"),
        ("NEW", "A3"),
        ("CANCELED", "A3"),
        ("CANCELED", "A2"),
    ]


def test_times_are_the_journals(cli: Cli, url: str, journal: Journal) -> None:
    cli("replay", journal(*DAY), "--url", url, "--json").json()
    with slotbook.connect(url) as book:
        order = book.orders.get("T001", "A1")
    assert order is not None
    assert (order.ts_ns, order.updated_ns, order.revision, str(order.price)) == (1_001, 1_006, 6, "4799.5")


def test_several_symbols_are_told_apart(cli: Cli, url: str, journal: Journal) -> None:
    rows = (*DAY, "T002,NEW,B2,NQH4,BUY,3,0.000000001,", "T002,FILL,B2,NQH4,BUY,2,0.000000001,X3")
    report = cli("replay", journal(*rows), "--url", url, "--json").json()
    assert report["positions"] == {
        "T001": {"ESH4": DAY_STATE["positions"]["T001"]},
        "T002": {
            "ESH4": DAY_STATE["positions"]["T002"],
            "NQH4": {"quantity": "2", "bought": "2", "sold": "0", "cash": "-0.000000002"},
        },
    }


def test_positions_of_accounts_are_with_the_trader_s(cli: Cli, url: str, tmp_path: Path) -> None:
    """The column ``account`` of a NEW says whose part of the position its fills make; that of a FILL does not."""
    rows = (
        "T001,NEW,A1,ESH4,BUY,10,4799,,ACC1",
        "T001,FILL,A1,ESH4,BUY,4,4799,X1,other",
        "T001,NEW,A2,ESH4,SELL,5,4800,,a:b",
        "T001,FILL,A2,ESH4,SELL,5,4800,X2,",
        "T001,NEW,A3,ESH4,BUY,2,4800,,",
        "T001,FILL,A3,ESH4,BUY,2,4800,X3,",
        "T002,NEW,B1,NQH4,BUY,2,4800,,ACC1",
        "T002,FILL,B1,NQH4,BUY,2,4800,Y1,",
        "T001,NEW,A4,NQH4,SELL,1,4800,,ACC1",
        "T001,FILL,A4,NQH4,SELL,1,4800,X4,",
    )
    path = tmp_path / "accounts.csv"
    lines = [f"{number},{1_000 + number},{row}" for number, row in enumerate(rows)]
    path.write_text("\n".join([",".join((*COLUMNS, "account")), *lines, ""]), encoding="utf-8")
    with slotbook.connect(url) as book:
        book.positions.adjust("T001", "AAPL", 100, account="ACC1")  # a symbol that the journal does not have
    first, again = (cli("replay", path, "--url", url, "--json").json() for _ in range(2))
    parts = {
        "ACC1": {"quantity": "4", "bought": "4", "sold": "0", "cash": "-19196"},
        "a:b": {"quantity": "-5", "bought": "0", "sold": "5", "cash": "24000"},
    }
    whole = {"quantity": "1", "bought": "6", "sold": "5", "cash": "-4796"}
    sold = {"quantity": "-1", "bought": "0", "sold": "1", "cash": "4800"}
    bought = {"quantity": "2", "bought": "2", "sold": "0", "cash": "-9600"}
    expected = {
        "T001": {"ESH4": {**whole, "accounts": parts}, "NQH4": {**sold, "accounts": {"ACC1": sold}}},
        "T002": {"NQH4": {**bought, "accounts": {"ACC1": bought}}},
    }
    assert first["positions"] == again["positions"] == expected
    cells = {tuple(line.rsplit(maxsplit=1)) for line in cli("replay", path, "--url", url).out.splitlines() if line}
    assert ("positions of accounts", "4") in cells


def test_positions_in_other_symbols_do_not_change_the_shape(cli: Cli, url: str, journal: Journal) -> None:
    with slotbook.connect(url) as book:
        book.positions.adjust("T001", "AAPL", 100)
    report = cli("replay", journal(*DAY), "--url", url, "--json").json()
    assert report["positions"] == DAY_STATE["positions"]


def test_each_fate_has_a_line_and_each_refused_row_is_named(cli: Cli, url: str, journal: Journal) -> None:
    overfills = [f"T002,FILL,B1,ESH4,SELL,1,4799,Y{number}" for number in range(30)]
    rows = (*DAY, "T009,CANCEL,Z9,ESH4,BUY,,,", *overfills, "T002,NEW,B2,ESH4,SELL,0,4799,")
    first = cli("replay", journal(*rows), "--url", url, "--json")
    report = json.loads(first.out)
    assert (first.code, first.err) == (3, "")
    assert (report["rows"], report["applied"], report["repeated"], report["refused"]) == (39, 7, 0, 32)
    assert [(row["line"], row["fate"]) for row in report["named"]] == [(line, "refused") for line in range(9, 41)]
    reasons = [row["reason"] for row in report["named"]]
    assert reasons[0].startswith("cancel T009/Z9: there is no such order")
    assert reasons[1].startswith("fill Y0 of T002/B1: 1 is more than the 0 left")
    assert reasons[31] == "quantity '0': Input should be greater than 0"
    done = cli("replay", journal(*rows), "--url", url)
    assert done.code == 3
    cells = {tuple(line.rsplit(maxsplit=1)) for line in done.out.splitlines() if line.strip()}
    fates = {"applied": "0", "repeated": "7", "out of date": "0", "refused": "32", "would apply if run again": "0"}
    assert fates.items() <= cells
    shown = [line for line in done.out.splitlines() if line.startswith("refused: ")]
    assert (len(shown), shown[-1]) == (6, "refused: and 27 more; --json names them all")


def test_positions_are_saved_whole(cli: Cli, url: str, journal: Journal, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    out = folder / "positions.json"
    out.write_text("old")
    with out.open(encoding="utf-8") as old:
        report = cli("replay", journal(*DAY), "--url", url, "--out", out, "--json").json()
        assert old.read() == "old"
    assert json.loads(out.read_text(encoding="utf-8")) == report["positions"] == DAY_STATE["positions"]
    assert [path.name for path in folder.iterdir()] == ["positions.json"]


def test_a_place_where_nothing_can_be_saved_is_refused_first(
    cli: Cli, url: str, journal: Journal, tmp_path: Path
) -> None:
    for out in (tmp_path, tmp_path / "missing" / "positions.json", Path("/dev/null")):
        done = cli("replay", journal(*DAY), "--url", url, "--out", out)
        assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    with slotbook.connect(url) as book:
        assert book.orders.count("T001") == 0


def test_a_book_in_disorder_stops_the_replay_and_says_how_far_it_came(
    cli: Cli, fleets: Fleets, journal: Journal
) -> None:
    prefix = fresh("cli") + ":"
    fleet = fleets.of("standalone")
    url = fleet.url({"prefix": prefix})
    cli("replay", journal(*DAY[:3]), "--url", url, "--json").json()
    key = f"{prefix}{{T001}}:order:A1"
    fleet.ask(key, "HSET", key, "filled_quantity", "many")
    done = cli("replay", journal(*DAY), "--url", url, "--batch", 4, "--json")
    assert (done.code, done.out, done.err.count("\n")) == (1, "", 1)
    assert done.err.startswith("slotbook: ")
    assert "filled_quantity" in done.err
    assert "of 7 rows settled: running the same command again goes on from here and doubles nothing" in done.err
    fleet.ask(key, "HSET", key, "filled_quantity", "0")
    report = cli("replay", journal(*DAY), "--url", url, "--json").json()
    assert {name: report[name] for name in DAY_STATE} == DAY_STATE


def test_an_empty_journal(cli: Cli, url: str, journal: Journal) -> None:
    report = cli("replay", journal(), "--url", url, "--json").json()
    assert (report["rows"], report["positions"], report["orders_by_status"]) == (0, {}, {})
    assert cli("replay", journal(), "--url", url).code == 0


def test_slotbook_url_is_where_the_book_is(
    cli: Cli, url: str, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLOTBOOK_URL", url)
    assert cli("replay", journal(*DAY), "--json").json()["applied"] == 7
    with slotbook.connect(url) as book:
        found = book.orders.get("T001", "A1")
        assert isinstance(found, Order)
