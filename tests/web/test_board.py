"""The rows of a blotter: a reader that comes now and then has in the end what one has that came each time."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from slotbook.models import OrderEvent, Position
from slotbook.models.errors import StateLost, Unavailable
from slotbook.web.board import KEPT, Board, Rows
from slotbook.web.rows import Row

from ..support.make import TS, limit


class Reader:
    """A page, as web/page/store.js keeps the rows."""

    def __init__(self, trader: str | None = None, most: int | None = None) -> None:
        self.trader = trader
        self.most = most
        self.known = 0
        self.tables: dict[str, dict[object, Row]] = {name: {} for name in KEPT}

    def read(self, board: Board) -> None:
        self.known, document = board.after(self.known, self.trader, self.most)
        assert sum(map(len, document.values())) <= (self.most or 10_000)
        for name, rows in document.items():
            kept = self.tables[name]
            for row in rows:
                kept.pop(row["key"], None)
                if not row.get("gone"):
                    kept[row["key"]] = row
            while len(kept) > KEPT[name]:
                kept.pop(next(iter(kept)))

    def read_all(self, board: Board) -> None:
        while self.known < board.version:
            self.read(board)


def event(trader: str, sequence: int, order: str = "A1", **changes: object) -> OrderEvent:
    values = {
        **{"trader": trader, "sequence": sequence, "type": "TRADE", "ts_ns": TS + sequence, "symbol": "AAPL"},
        **{"order_id": order, "side": "BUY", "status": "PARTIALLY_FILLED", "quantity": 100, "filled_quantity": 5},
        **{"last_quantity": 5, "last_price": "187.5", "position_quantity": 5 * sequence, **changes},
    }
    return OrderEvent.model_validate(values)


STEPS = st.lists(
    st.tuples(st.sampled_from(["event", "position", "begin", "lose", "problem", "read"]), st.integers(1, 3)),
    max_size=40,
)


@given(STEPS)
def test_a_reader_that_comes_rarely_has_what_a_new_one_gets(steps: list[tuple[str, int]]) -> None:
    board, rare, limited = Board(), Reader(most=2), Reader("T2", most=1)
    for number, (step, which) in enumerate(steps, 1):
        trader = f"T{which}"
        if step == "event":
            board.take(event(trader, number, f"A{number % 3}"))
        elif step == "position":
            board.take_position(Position(trader=trader, symbol="AAPL", quantity=Decimal(number)))
        elif step == "begin":
            board.begin(trader, [limit(trader, f"A{number % 2}")], [])
        elif step == "lose":
            board.lose(trader, number - 1)
        elif step == "problem":
            board.take_problem(StateLost(trader, which, which, None), TS)
        else:
            rare.read(board)
            limited.read(board)
    rare.read_all(board)
    limited.read_all(board)
    anew = Reader()
    anew.read(board)
    assert anew.known == rare.known == limited.known == board.version
    assert rare.tables == anew.tables
    for name in ("orders", "positions", "events"):
        assert list(rare.tables[name]) == list(anew.tables[name])
        ours = {key: row for key, row in anew.tables[name].items() if row["trader"] == "T2"}
        assert limited.tables[name] == ours


def test_a_table_is_bounded_and_the_oldest_rows_go() -> None:
    rows = Rows(3)
    for number in range(5):
        rows.put((f"A{number}",), {"trader": "T1", "number": number}, number + 1)
    assert [key for key, _ in rows.items()] == [("A2",), ("A3",), ("A4",)]
    assert rows.left_out == 2
    assert [row["number"] for row in rows.after(3, None)] == [3, 4]
    assert rows.after(0, "T2") == []
    rows.put(("A2",), {"trader": "T1", "number": 9}, 6)
    assert [row["number"] for row in rows.after(0, None)] == [3, 4, 9]
    assert rows.left_out == 2


def test_however_many_events_the_rows_are_bounded() -> None:
    board = Board()
    for number in range(1, 4_000):
        board.take(event("T1", number, f"A{number}", symbol=f"S{number}"))
    found = board.after(0).rows
    assert {name: len(rows) for name, rows in found.items()} == {
        **{"orders": KEPT["orders"], "positions": 4_000 - 1 - KEPT["positions"], "marks": KEPT["marks"]},
        **{"events": KEPT["events"], "problems": 0},
    }
    assert len(board.changed_positions) == KEPT["positions"]
    assert board.tables["positions"].left_out == 3_999 - KEPT["positions"]


def test_what_was_lost_is_marked_and_what_is_gone_goes() -> None:
    board, reader = Board(), Reader()
    for number in (1, 2, 3):
        board.take(event("T1", number, f"A{number}"))
    board.take(event("T2", 3, "B3"))
    reader.read(board)
    board.lose("T1", 2)
    board.begin("T1", [limit("T1", "A1")], [])
    reader.read(board)
    lost = {(row["trader"], row["sequence"]) for row in reader.tables["events"].values() if row.get("lost")}
    assert lost == {("T1", 2), ("T1", 3)}
    assert {row["order"] for row in reader.tables["orders"].values()} == {"A1", "B3"}


def test_a_problem_that_comes_again_is_counted() -> None:
    board = Board()
    board.take_problem(StateLost("T1", 2, 3, None), TS)
    for number in range(1_000):
        board.take_problem(Unavailable("no server"), TS + number)
    lost, away = board.after(0).rows["problems"]
    assert (lost["kind"], lost["trader"], lost["times"]) == ("StateLost", "T1", 1)
    assert (away["kind"], away["times"], away["time"]) == ("Unavailable", 1_000, str(TS + 999))


def test_only_a_fill_makes_a_mark() -> None:
    board = Board()
    board.take(event("T1", 1))
    board.take(event("T1", 2, type="TRADE_CORRECT", last_price="999", exec_ref_id="X1"))
    board.take(event("T1", 3, type="TRADE_CANCEL", last_price=None, last_quantity=None, exec_ref_id="X1"))
    assert [(row["symbol"], row["price"]) for row in board.after(0).rows["marks"]] == [("AAPL", "187.5")]


def test_the_parts_of_accounts_are_rows_of_their_own() -> None:
    board, reader = Board(), Reader()
    for account in (None, "ACC1", "ACC2"):
        board.take_position(Position(trader="T1", symbol="AAPL", account=account, quantity=5))
    board.take(event("T1", 1, account="ACC1", account_quantity=5))
    assert [*board.changed_positions] == [("T1", "AAPL"), ("T1", "AAPL", "ACC1")]
    said = '{"ACC1":{"position_quantity":"10"},"ACC2":{"position_quantity":"10"}}'
    board.take(event("T1", 2, type="SPLIT", order_id=None, last_price=None, accounts=said))
    assert len(board.changed_positions) == 3
    board.mark_unread([("T1", "AAPL", "ACC2")])
    reader.read(board)
    rows = {key: (row["account"], row.get("old", False)) for key, row in reader.tables["positions"].items()}
    assert rows == {"T1\nAAPL": (None, False), "T1\nAAPL\nACC1": ("ACC1", False), "T1\nAAPL\nACC2": ("ACC2", True)}
    board.begin("T1", [], [Position(trader="T1", symbol="AAPL", account="ACC2", quantity=Decimal(7))])
    reader.read(board)
    assert [(row["account"], row["quantity"]) for row in reader.tables["positions"].values()] == [("ACC2", "7")]
    assert [*board.changed_positions] == [("T1", "AAPL"), ("T1", "AAPL", "ACC1")]


def test_an_event_whose_accounts_cannot_be_read_is_a_problem() -> None:
    board = Board()
    for number, said in enumerate(("", "[]", '{"A":5}', '{"A":{}}', '{"A":{"position_quantity":"x"}}', "[" * 100_000)):
        board.take(event("T1", number + 1, type="SPLIT", accounts=said))
    problems = board.after(0).rows["problems"]
    assert [row["kind"] for row in problems] == ["CorruptRecord"] * 6
    assert [*board.changed_positions] == [("T1", "AAPL")]


def test_an_event_from_before_changes_no_order() -> None:
    board = Board()
    board.take(event("T1", 1), is_new=False)
    assert (board.events, board.after(0).rows["orders"], len(board.after(0).rows["events"])) == (0, [], 1)
    assert not board.changed_positions
