"""``slotbook watch`` on terminals of many sizes: it fits, says what it leaves out, and follows a window's size."""

from __future__ import annotations

import pytest
import slotbook
from rich.cells import cell_len
from slotbook.cli.blotter import Blotter
from slotbook.models import OrderEvent

from ..faults.conftest import Deploy, deploy
from ..support.make import TS, execution, fresh, limit
from ..support.terminal import Terminal
from .conftest import Cli

__all__ = ["deploy"]
SYMBOLS = [f"SYM{number}" for number in range(40)]


@pytest.fixture
def trader(url: str) -> str:
    """Return a trader with many open orders and positions: of 40 bought at 187.22 each, 10 were sold at 200."""
    name = fresh()
    with slotbook.connect(url) as book:
        for number, symbol in enumerate(SYMBOLS):
            book.orders.place(limit(name, f"A{number}", symbol=symbol, ts_ns=TS + number))
            book.orders.fill(execution(name, f"X{number}", order_id=f"A{number}"))
        book.orders.place(limit(name, "S1", symbol=SYMBOLS[-1], side="SELL"))
        book.orders.fill(execution(name, "Y1", 10, "200", order_id="S1"))
    return name


def fits(lines: list[str], columns: int, rows: int) -> bool:
    return len(lines) <= rows and all(cell_len(line.rstrip()) <= columns for line in lines)


@pytest.mark.parametrize(("columns", "rows"), [(60, 20), (80, 30), (200, 60), (100, 24)])
def test_it_fits_and_says_what_it_leaves_out(url: str, trader: str, columns: int, rows: int) -> None:
    with Terminal(["watch", "--trader", trader, "--url", url], columns, rows) as terminal:
        with slotbook.connect(url) as book:
            terminal.until(lambda lines: lines[0].startswith("live"))
            book.orders.place(limit(trader, "LAST", symbol="SYM39"))
            book.orders.fill(execution(trader, "Z1", 5, "201", order_id="LAST"))
        lines = terminal.until(lambda lines: any("last events" in line for line in lines) and "LAST" in str(lines))
        assert fits(lines, columns, rows), "\n".join(lines)
        shown = sum(line.split()[:1] == [trader] or "SYM" in line for line in lines)
        assert shown >= rows // 3
        left_out = [line for line in lines if line.startswith("… ")]
        assert [line.split()[2:] for line in left_out] == [["more", "positions"], ["more", "orders"]]
        at = [lines.index(line) for line in left_out]
        for (begin, end), total in zip(((0, at[0]), (at[0], at[1])), (40, 42), strict=True):
            drawn = sum("SYM" in line for line in lines[begin:end])
            assert int(lines[end].split()[1]) == total - drawn
        assert terminal.end() == 130


def test_the_profit_of_a_position_is_at_the_last_fill_or_at_a_mark_that_is_given(url: str, trader: str) -> None:
    command = ["watch", "--trader", trader, "--mark", "SYM1=190", "--url", url]
    with Terminal(command, 200, 120) as terminal:
        lines = terminal.until(lambda lines: sum("187.22 last" in line for line in lines) > 30)
        assert terminal.end() == 130
    positions = [line.split() for line in lines if " last" in line or " given" in line]
    found = {word: words for words in positions for word in words if word.startswith("SYM")}
    assert found["SYM1"][-7:] == ["40", "187.22", "7488.8", "0", "190", "given", "111.2"]
    assert found["SYM2"][-7:] == ["40", "187.22", "7488.8", "0", "187.22", "last", "0"]
    assert found["SYM39"][-7:] == ["30", "187.22", "5616.6", "127.8", "200", "last", "511.2"]


def test_the_parts_of_accounts_have_rows_of_their_own(url: str) -> None:
    """They follow fills, changes for an account, splits and rolls, as the trader's position does."""
    trader = fresh()
    with slotbook.connect(url) as book:
        book.positions.set(trader, "AAPL", 6, cost=600, account="ACC1")
        book.positions.set(trader, "MSFT", 9, account="ACC1")
        with Terminal(["watch", "--trader", trader, "--symbol", "AAPL", "--url", url], 160, 40) as terminal:
            terminal.until(lambda lines: rows_of(lines, "AAPL") == [["6", "100"], ["ACC1", "6", "100"]])
            book.orders.place(limit(trader, "A1", account="ACC2"))
            book.orders.fill(execution(trader, "X1", 4, "110", order_id="A1"))
            whole, first, second = ["10", "104"], ["ACC1", "6", "100"], ["ACC2", "4", "110"]
            terminal.until(lambda lines: rows_of(lines, "AAPL") == [whole, second, first])
            book.positions.split(trader, "AAPL", 2)
            lines = terminal.until(lambda lines: ["ACC1", "12", "50"] in rows_of(lines, "AAPL"))
            assert sorted(rows_of(lines, "AAPL")) == [["20", "52"], ["ACC1", "12", "50"], ["ACC2", "8", "55"]]
            assert rows_of(lines, "MSFT") == []
            assert terminal.end() == 130


def test_an_event_whose_accounts_cannot_be_read_is_a_problem() -> None:
    blotter = Blotter()
    values = {"trader": "T1", "sequence": 7, "type": "SPLIT", "ts_ns": TS, "symbol": "AAPL", "position_quantity": 8}
    blotter.take(OrderEvent.model_validate({**values, "accounts": "[]"}))
    assert [*blotter.positions] == [("T1", "AAPL", None)]
    assert list(blotter.problems) == ["event 7 of T1, field 'accounts': '[]' does not say what became of accounts"]


def rows_of(lines: list[str], symbol: str) -> list[list[str]]:
    """Return account, quantity and average price of the positions that are shown; the account of the whole is empty."""
    end = next((at for at, line in enumerate(lines) if line.split()[:1] == ["order"] or " order " in line), len(lines))
    shown = [line.split() for line in lines[:end]]
    return [
        words[words.index(symbol) + 1 :][: 3 if "ACC" in " ".join(words) else 2] for words in shown if symbol in words
    ]


def test_what_the_servers_have_lost_is_said_and_gone(deploy: Deploy) -> None:
    control, name = deploy("sentinel"), fresh()
    with slotbook.connect(control.url(deadline=30)) as book:
        primary = control.primary()
        kept = limit(name, "KEPT")
        book.orders.place(kept, durability=f"replicated={len(control.replicas(primary))}")
        with Terminal(["watch", "--trader", name, "--url", control.url(deadline=30)], 120, 40) as terminal:
            terminal.until(lambda lines: "KEPT" in str(lines))
            replicas = control.strand(primary)
            book.orders.place(limit(name, "GONE"))
            book.orders.fill(execution(name, "X1", order_id="GONE"))
            terminal.until(lambda lines: "187.22 last" in str(lines) and "GONE" in str(lines))
            control.kill(primary)
            for replica in replicas:
                control.thaw(replica)
            control.take_over(primary)
            lines = terminal.until(lambda lines: "has lost changes 2 to 3" in str(lines) and "GONE" not in str(lines))
            assert "KEPT" in str(lines)
            assert "187.22 last" not in str(lines)
            assert terminal.end() == 130


def test_a_window_may_be_resized(url: str, trader: str) -> None:
    with Terminal(["watch", "--trader", trader, "--url", url], 120, 50) as terminal:
        tall = terminal.until(lambda lines: lines[0].startswith("live"))
        terminal.resize(70, 22)
        small = terminal.until(lambda lines: fits(lines, 70, 22))
        terminal.resize(160, 60)
        wide = terminal.until(lambda lines: len(lines) > len(tall))
        assert fits(wide, 160, 60)
        assert len(small) < len(tall) < len(wide)
        assert terminal.end() == 130


@pytest.mark.parametrize(
    ("given", "said"), [("AAPL", "say SYMBOL=PRICE"), ("AAPL=x", "'AAPL=x'"), ("=5", "symbol ''"), ("A=1e40", "A=1e40")]
)
def test_a_mark_that_is_none(cli: Cli, url: str, given: str, said: str) -> None:
    done = cli("watch", "--mark", given, "--url", url)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
