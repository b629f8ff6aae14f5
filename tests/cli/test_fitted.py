"""Tables on screens of every width: nothing of a number is lost, and no line is longer than the screen."""

from __future__ import annotations

from decimal import Decimal
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console
from slotbook.cli.fitted import Cell, Fitted, shortened, table
from slotbook.cli.tables import orders_table
from slotbook.models import OrderStatus, Side

from ..support.make import limit

NAMES = st.text(st.sampled_from("ABC 字-09é"), max_size=30).map(str.strip)
NUMBERS = st.decimals(-(10**9), 10**9, places=4) | st.integers(0, 10**12) | st.none()


def printed(shown: Fitted, width: int) -> list[str]:
    """Return the lines of a table on a screen."""
    file = StringIO()
    Console(file=file, width=width, markup=False, emoji=False, highlight=False).print(shown)
    return file.getvalue().splitlines()


@given(
    st.lists(st.tuples(NAMES, NAMES, NUMBERS, NUMBERS, st.text("word ", max_size=80)), min_size=1, max_size=5),
    st.integers(60, 200),
)
def test_a_table_fits_and_has_its_numbers_whole(rows: list[tuple[Cell, ...]], width: int) -> None:
    shown = table(("trader", "order"), ("quantity", "a number with a heading"), rows, prose=("why",))
    lines = printed(shown, width)
    assert all(cell_len(line) <= width for line in lines)
    for column in shown.columns:
        if column.kind == "number":
            for cell in filter(None, column.cells):
                assert any(cell in line.split() for line in lines), (cell, lines)


@given(NAMES, st.integers(1, 40))
def test_a_name_is_cut_in_the_middle(name: str, width: int) -> None:
    short = shortened(name, width)
    assert cell_len(short) <= width
    if short != name:
        head, tail = short.split("…")
        assert name.startswith(head)
        assert name.endswith(tail)


ORDERS = [
    limit("T001", f"ORDER-20231225-{number:06}", symbol="ESH4", price="4799.25", quantity=1_000 + number)
    for number in range(3)
]


def test_a_wide_screen_shows_everything() -> None:
    lines = printed(orders_table(ORDERS), 200)
    assert "ORDER-20231225-000002" in lines[-1]
    assert "stop price" not in lines[0]


@pytest.mark.parametrize("width", [80, 100])
def test_what_all_rows_share_is_said_once_where_it_is_narrow(width: int) -> None:
    lines = printed(orders_table(ORDERS), width)
    assert ("trader T001" in lines[0]) == (width == 80)
    assert [line.split()[-5:] for line in lines[-3:]][2] == ["NEW", "1002", "4799.25", "0", "1002"]


def test_columns_are_closer_together_before_a_row_becomes_a_block() -> None:
    states = (OrderStatus.PARTIALLY_FILLED, OrderStatus.NEW, OrderStatus.PENDING_CANCEL)
    sides = (Side.BUY, Side.SELL, Side.BUY)
    rows = [
        order.model_copy(update={"order_id": f"T001-010{side}", "status": status, "side": side})
        for order, status, side in zip(ORDERS, states, sides, strict=True)
    ]
    bought = {"filled_quantity": Decimal(100), "filled_notional": Decimal(479925)}
    filled = [order.model_copy(update=bought) for order in rows]
    lines = printed(orders_table(filled), 60)
    assert [len(line.split()) for line in lines[-3:]] == [8, 8, 8]
    assert len(lines) == 3 + len(filled)
    assert lines[2] == "─" * 60  # nothing is cut more than it has to be
    assert all(cell_len(line) <= 60 for line in lines)
    assert lines[-1].split()[-5:] == ["1002", "4799.25", "100", "4799.25", "902"]


def test_a_number_in_prose_stays_whole() -> None:
    time = "2024-01-02T14:36:42.506615040Z"
    shown = table(
        ("group",),
        ("deliveries",),
        [("risk", 1, "no mark for this symbol", f"{time} NEW 0/500 at 371.27 " * 2)] * 2,
        prose=("error", "event"),
    )
    for width in range(60, 201, 5):
        assert " ".join(printed(shown, width)).split().count(time) == 4, width


def test_a_row_is_a_block_where_a_table_is_too_wide() -> None:
    rows = [(f"{number}" * 20, 10**18, 10**18, 10**18) for number in range(2)]
    lines = printed(table(("order",), ("quantity", "filled", "open"), rows), 60)
    assert [line.split() for line in lines[:4]] == [
        ["order", "0" * 20],
        ["quantity", str(10**18)],
        ["filled", str(10**18)],
        ["open", str(10**18)],
    ]
    assert lines[4].strip() == ""
    assert len(lines) == 9
