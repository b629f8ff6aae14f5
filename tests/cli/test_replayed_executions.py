"""``slotbook replay`` takes busts, corrections, fees and terms of orders, and no column that it does not know."""

from __future__ import annotations

import json
from pathlib import Path

import slotbook

from .conftest import Cli

HEADER = "seq,ts_ns,trader,event,order_id,symbol,side,quantity,price,exec_id"
MORE = "type,exec_ref_id,fee,fee_currency,account,client_order_id"
ROWS = (
    "T1,NEW,A1,ESH4,BUY,10,,,MARKET,,,,ACC1,",
    "T1,FILL,A1,ESH4,BUY,4,4799,X1,,,2.5,USD,,",
    "T1,REPLACE,A1,ESH4,BUY,8,,,,,,,,A2",
    "T1,CORRECT,A2,ESH4,BUY,3,4799,C1,,X1,2,USD,,",
    "T1,FILL,A2,ESH4,BUY,5,4800,X2,,,,,,",
    "T1,BUST,A2,ESH4,BUY,,,B1,,X2,,,,",
    "T1,CORRECT,A2,ESH4,BUY,1,1,C2,,X2,,,,",
)


def written(path: Path, more: str, *rows: str) -> Path:
    lines = [f"{HEADER},{more}", *(f"{number},{1_000 + number},{row}" for number, row in enumerate(rows, 1))]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def test_all_of_an_execution_is_replayed_once(cli: Cli, url: str, tmp_path: Path) -> None:
    path = written(tmp_path / "journal.csv", MORE, *ROWS)
    for fate in ("applied", "repeated"):
        done = cli("replay", path, "--url", url, "--json")
        report = json.loads(done.out)
        assert (done.code, report[fate], report["refused"], report["would_apply_if_run_again"]) == (3, 6, 1, 0)
        assert [(row["line"], row["fate"]) for row in report["named"]] == [(8, "refused")]
    with slotbook.connect(url) as book:
        order, position = book.orders.get("T1", "A2"), book.positions.get("T1", "ESH4")
        assert order is not None
        assert (order.order_id, order.type, order.account, order.filled_quantity) == ("A1", "MARKET", "ACC1", 3)
        assert (position.quantity, dict(position.fees)) == (3, {"USD": 2})


def test_a_column_that_is_not_known_changes_nothing(cli: Cli, url: str, tmp_path: Path) -> None:
    path = written(tmp_path / "journal.csv", f"{MORE},venue", *(f"{row}," for row in ROWS))
    done = cli("replay", path, "--url", url)
    assert (done.code, done.out) == (1, "")
    assert "'venue' is none; there are type" in done.err
    with slotbook.connect(url) as book:
        assert book.orders.get("T1", "A1") is None
