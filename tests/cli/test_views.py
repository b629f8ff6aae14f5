"""The commands ``slotbook orders`` and ``slotbook positions``, in tables and as JSON."""

from __future__ import annotations

from pathlib import Path

import pytest
import slotbook
from slotbook.models import Order, OrderType

from ..support.make import execution, fresh, limit
from .conftest import Cli


@pytest.fixture
def trader(url: str) -> str:
    """Return a trader with four orders in two symbols."""
    name = fresh()
    with slotbook.connect(url) as book:
        for number, order in enumerate(
            (
                limit(name, "A3", ts_ns=3),
                limit(name, "A1", ts_ns=1),
                limit(name, "A2", ts_ns=2, symbol="[red]MSFT", side="SELL", price="0.000000001"),
                limit(name, "A4", ts_ns=4, type=OrderType.MARKET, price=None),
            )
        ):
            book.orders.place(order)
            book.orders.fill(execution(name, f"X{number}", 30, "187.2200", order.order_id))
        book.orders.cancel(name, "A3")
    return name


def ids(rows: list[dict[str, object]]) -> list[object]:
    return [row["order_id"] for row in rows]


def test_orders_are_the_open_ones_by_time(cli: Cli, url: str, trader: str) -> None:
    rows = cli("orders", "--trader", trader, "--url", url, "--json").rows()
    assert ids(rows) == ["A1", "A2", "A4"]
    with slotbook.connect(url) as book:
        order = book.orders.get(trader, "A2")
    assert order is not None
    assert rows[1].pop("open_quantity") == "70"
    assert (rows[1]["price"], rows[1]["filled_notional"]) == ("0.000000001", "5616.6")
    assert Order.model_validate(rows[1]) == order


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--status", "canceled"), ["A3"]),
        (("--status", "PARTIALLY_FILLED", "--symbol", "AAPL"), ["A1", "A4"]),
        (("--symbol", "[red]MSFT"), ["A2"]),
        (("--symbol", "NVDA"), []),
        (("--status", "NEW"), []),
    ],
)
def test_orders_chosen(cli: Cli, url: str, trader: str, options: tuple[str, ...], expected: list[str]) -> None:
    assert ids(cli("orders", "--trader", trader, *options, "--url", url, "--json").rows()) == expected


def test_orders_table(cli: Cli, url: str, trader: str) -> None:
    done = cli("orders", "--trader", trader, "--url", url)
    lines = [line.split() for line in done.out.splitlines() if line.strip()]
    assert (done.code, done.err) == (0, "")
    assert lines[0][:6] == ["trader", "order", "symbol", "side", "type", "status"]
    assert lines[3] == [
        trader, "A2", "[red]MSFT", "SELL", "LIMIT", "PARTIALLY_FILLED", "100", "0.000000001", "30", "187.22", "70"
    ]  # fmt: skip
    assert len(lines) == 5
    assert "\x1b" not in done.out


def test_orders_table_has_what_few_orders_have_only_where_one_has_it(cli: Cli, url: str) -> None:
    name = fresh()
    with slotbook.connect(url) as book:
        book.orders.place(limit(name, "A1", account="ACC1", currency="USDT"))
        book.orders.place(limit(name, "A2"))
    done = cli("orders", "--trader", name, "--url", url)
    lines = [line.split() for line in done.out.splitlines() if line.strip()]
    assert lines[0][5:9] == ["status", "account", "currency", "quantity"]
    assert [line[5:9] for line in lines if name in line] == [
        ["NEW", "ACC1", "USDT", "100"],
        ["NEW", "100", "187.23", "0"],
    ]


def test_positions_of_a_trader(cli: Cli, url: str, trader: str) -> None:
    rows = cli("positions", "--trader", trader, "--url", url, "--json").rows()
    assert [(row["symbol"], row["quantity"], row["cash"]) for row in rows] == [
        ("AAPL", "90", "-16849.8"),
        ("[red]MSFT", "-30", "5616.6"),
    ]
    table = cli("positions", "--trader", trader, "--url", url).out
    assert [line.split() for line in table.splitlines() if trader in line] == [
        [trader, "AAPL", "90", "187.22", "16849.8", "0", "90", "0"],
        [trader, "[red]MSFT", "-30", "187.22", "-5616.6", "0", "0", "30"],
    ]


def test_positions_of_a_symbol_and_of_all(cli: Cli, url: str, trader: str) -> None:
    other = fresh()
    with slotbook.connect(url) as book:
        book.positions.adjust(other, "AAPL", 10)
    quantities = {"quantity": "100", "bought_quantity": "90", "sold_quantity": "0"}
    aapl = {"symbol": "AAPL", "traders": 2, **quantities, "cash": "-16849.8"}
    assert cli("positions", "--symbol", "AAPL", "--url", url, "--json").rows() == [aapl]
    assert [row["symbol"] for row in cli("positions", "--url", url, "--json").rows()] == ["AAPL", "[red]MSFT"]
    assert cli("positions", "--symbol", "NVDA", "--url", url, "--json").rows() == []
    table = [line.split() for line in cli("positions", "--url", url).out.splitlines()]
    assert ["AAPL", "2", "100", "90", "0", "-16849.8"] in table


@pytest.mark.parametrize("command", [("orders", "--trader", "T001"), ("positions",)])
@pytest.mark.parametrize("options", [(), ("--url", "embedded://cluster")])
def test_an_embedded_book_has_nothing_to_show(cli: Cli, command: tuple[str, ...], options: tuple[str, ...]) -> None:
    done = cli(*command, *options, "--json")
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert "set --url or SLOTBOOK_URL" in done.err


def test_bad_usage(cli: Cli, url: str, tmp_path: Path) -> None:
    assert cli("positions", "--trader", "T001", "--symbol", "AAPL", "--url", url).code == 2
    assert cli("orders", "--url", url).code == 2
    assert cli("orders", "--trader", "T001", "--status", "OPEN", "--url", url).code == 2
    assert cli("replay", tmp_path / "x.csv", "--batch", "0").code == 2
    assert cli("nothing").code == 2


def test_a_name_that_no_key_can_have(cli: Cli, url: str) -> None:
    done = cli("orders", "--trader", "T{1}", "--url", url)
    assert (done.code, done.err.count("\n")) == (1, 1)
    assert done.err.startswith("slotbook: trader 'T{1}' cannot be used")
