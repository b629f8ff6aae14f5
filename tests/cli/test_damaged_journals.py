"""A journal with damaged rows: an oracle says the state, each refused row is named, another run changes nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import cast

import pytest
import slotbook
from slotbook.models.errors import (
    DuplicateOrder,
    DuplicateRequest,
    OrderClosed,
    OrderMismatch,
    OrderNotFound,
    Overfill,
    SlotbookError,
)
from slotbook.topology.embedded import Topology

from ..support.fleet import Fleet, Fleets
from ..support.journal_oracle import Fates, Unusable, fold, state_of
from ..support.journals import Row, damaged, made_up_day, market_orders, read_rows, write_rows
from ..support.leaks import keys_of_all
from ..support.make import NIGHTLY, fresh
from ..support.reference import ReferenceBook
from ..support.replays import REAL, needs_data
from .conftest import Cli, JsonObject

WORDS: dict[type[SlotbookError], tuple[str, ...]] = {
    DuplicateOrder: ("the id is taken by an order that was placed as",),
    DuplicateRequest: ("was used for",),
    OrderClosed: ("too late, the order is",),
    OrderMismatch: ("but the order is", "a MARKET order takes no price"),
    OrderNotFound: ("there is no such order",),
    Overfill: ("more than the",),
}
"""What the reason of each refusal may say."""

READ = {
    "events": ("XRANGE",),
    "positions": ("SMEMBERS",),
    "orders_by_status": ("ZRANGE",),
    "orders_by_symbol": ("ZRANGE",),
}
"""How a key of each kind is read; the others are hashes."""
RANGE = {"events": ("-", "+"), **dict.fromkeys(("orders_by_status", "orders_by_symbol"), (0, -1, "WITHSCORES"))}
PAIRS = {"book", "order", "applied", "position", "orders_by_status", "orders_by_symbol"}


def check(cli: Cli, fleet: Fleet, path: Path, rows: Sequence[Row], batch: int) -> Fates:
    """Replay a journal twice, and compare all that is said and stored with the oracle; return its fates.

    The second run leaves everything as it was, so that a third would be the second again.
    """
    url = fleet.url({"prefix": fresh("cli") + ":"})
    traders = {row.trader for row in rows if row.trader}
    oracle = ReferenceBook()
    with slotbook.connect(url) as book:
        for order in market_orders(traders):
            book.orders.place(order)
            oracle.apply(order)
    write_rows(path, rows)
    first = fold(oracle, rows)
    stored: dict[str, object] = {}
    for number, fates in enumerate([first, fold(oracle, rows)]):
        done = cli("replay", path, "--url", url, "--batch", batch, "--json")
        assert (done.code, done.err) == (3, "")
        report = cast(JsonObject, json.loads(done.out))
        as_the_oracle_says(report, fates, len(rows))
        assert state_in(report) == state_of(oracle)
        assert (report["applied"] == 0) is (number > 0)
        found = everything_of(fleet, traders)
        assert number == 0 or found == stored
        stored = found
    return first


def as_the_oracle_says(report: JsonObject, fates: Fates, rows: int) -> None:
    """Assert that each row has the fate that it has in the oracle, and that those not in the book are named."""
    lines: dict[str, dict[int, str]] = {}
    for row in cast("list[JsonObject]", report["named"]):
        lines.setdefault(cast(str, row["fate"]), {})[cast(int, row["line"])] = cast(str, row["reason"])
    refused = lines.get("refused", {})
    assert sorted(refused) == sorted(fates.refused)
    for line, error in fates.refused.items():
        words = error.columns if isinstance(error, Unusable) else WORDS[type(error)]
        assert any(word in refused[line] for word in words), (line, error, refused[line])
    assert sorted(lines.get("out of date", {})) == sorted(fates.out_of_date)
    assert list(lines.get("applied out of order", {})) == fates.out_of_order
    assert "would apply if run again" not in lines
    counts = [report[name] for name in ("rows", "applied", "repeated", "out_of_date", "refused")]
    assert counts == [rows, fates.applied, fates.repeated, len(fates.out_of_date), len(fates.refused)]
    assert report["would_apply_if_run_again"] == 0
    assert sum(cast("list[int]", counts[1:])) == rows


def state_in(report: JsonObject) -> dict[str, object]:
    """Return the state in a report, without positions of nothing."""
    positions: dict[str, dict[str, object]] = {}
    for trader, held in cast("dict[str, dict[str, dict[str, object]]]", report["positions"]).items():
        found = {
            symbol: {**one, "cash": Decimal(cast(str, one["cash"]))}
            for symbol, one in held.items()
            if one["bought"] or one["sold"]
        }
        if found:
            positions[trader] = cast("dict[str, object]", found)
    return {
        "orders_by_status": report["orders_by_status"],
        "open_orders": report["open_orders"],
        "positions": positions,
    }


def everything_of(fleet: Fleet, traders: set[str]) -> dict[str, object]:
    """Return everything that is stored of some traders, and when each key expires."""
    found: dict[str, object] = {}
    for trader, keys in keys_of_all(fleet, sorted(traders)).items():
        raw, kinds = fleet.raw(f"{{{trader}}}"), [key.partition("}:")[2].partition(":")[0] for key in keys]
        reads = [
            (*READ.get(kind, ("HGETALL",)), key, *RANGE.get(kind, ())) for key, kind in zip(keys, kinds, strict=True)
        ]
        replies = cast("list[list[str]]", raw.ask_all(reads))
        expiries = raw.ask_all([("PEXPIRETIME", key) for key in keys])
        for key, kind, reply, expiry in zip(keys, kinds, replies, expiries, strict=True):
            pairs = list(zip(reply[::2], reply[1::2], strict=True)) if kind in PAIRS else reply
            found[key] = (pairs if kind == "events" else sorted(pairs), expiry)
    return found


@pytest.mark.parametrize("topology", ["standalone", "sentinel", "cluster"])
@pytest.mark.parametrize(("seed", "share", "batch"), [(1, 0.01, 500), (2, 0.05, 100), (3, 0.3, 7)])
def test_a_made_up_day(
    cli: Cli, fleets: Fleets, tmp_path: Path, topology: Topology, seed: int, share: float, batch: int
) -> None:
    rows = damaged(made_up_day(seed, [fresh() for _ in range(6)], 400 if NIGHTLY else 250), seed, share)
    fates = check(cli, fleets.of(topology), tmp_path / "damaged.csv", rows, batch)
    assert len(fates.refused) > 10


ROWS = None if NIGHTLY else 16_000


@needs_data
def test_the_real_day(cli: Cli, fleets: Fleets, tmp_path: Path) -> None:
    begin = fresh()
    rows = read_rows(REAL)[:ROWS]
    for row in rows:
        row.trader = f"{begin}-{row.trader}"
    fates = check(cli, fleets.of("standalone"), tmp_path / "damaged.csv", damaged(rows, 7, 0.01), 1_000)
    kinds = {type(error) for error in fates.refused.values()}
    assert kinds >= {Unusable, OrderMismatch, DuplicateOrder, DuplicateRequest, OrderNotFound}
    assert len(fates.refused) > len(rows) / 200
    assert fates.out_of_order
