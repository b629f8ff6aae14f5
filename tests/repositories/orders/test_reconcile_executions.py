"""A journal of busts, corrections, details and ids of the chain, applied again when its orders are gone."""

from __future__ import annotations

import pytest
from slotbook.models import Bust, Cancel, Correct, Fill, Replace
from slotbook.models.errors import DuplicateRequest, OrderMismatch, OrderNotFound, Refused
from slotbook.repositories.orders.verbs import OrderRequest

from ...support.desk import Desk
from ...support.life import BRIEF, fates, forget
from ...support.make import TS, execution, limit


def about(trader: str, order_id: str, at: int, **more: object) -> dict[str, object]:
    return {"trader": trader, "order_id": order_id, "ts_ns": TS + at, **more}


def life(trader: str) -> list[OrderRequest]:
    """Return a life in which an order is named by four ids, and its executions are completed, corrected and busted."""
    ref = {"exec_ref_id": "X1", "exec_id": "C1", "quantity": 30, "price": "187.3", "fee": "0.2", "account": "ACC1"}
    names = {"client_order_id": "A2", "original_client_order_id": "A1", "reason": "3"}
    first = execution(trader, "X1", 40, ts_ns=TS + 1)
    return [
        limit(trader, ts_ns=TS),
        first.model_copy(update={"venue_order_id": "V1"}),
        Fill.model_validate({**first.model_dump(exclude_none=True), "fee": "0.5", "fee_currency": "USD"}),
        Replace.model_validate(about(trader, "A1", 2, request_id="R1", quantity=80, **names)),
        Correct.model_validate(about(trader, "A2", 3, **ref)),
        execution(trader, "X2", 10, order_id="V1", ts_ns=TS + 4),
        Bust.model_validate(about(trader, "A2", 5, exec_ref_id="X2", exec_id="B1")),
        Cancel.model_validate(about(trader, "A2", 6, request_id="C9", client_order_id="A3")),
        execution(trader, "X3", 5, order_id="A3", ts_ns=TS + 7),
    ]


@pytest.mark.parametrize("how", ["expired", "deleted"])
def test_once_more_after_the_order_is_gone_changes_nothing(desk: Desk, how: str) -> None:
    book, journal = desk.open(**(BRIEF if how == "expired" else {})), life(desk.trader)
    assert fates(book.reconcile(journal)) == (9, 0, 0, 0, 0)
    held = book.positions.get(desk.trader, "AAPL")
    assert (held.quantity, dict(held.fees)) == (35, {"": held.fees[""]})
    assert fates(book.reconcile(journal)) == (0, 9, 0, 0, 0)
    forget(desk, book, how)
    before = desk.contents()
    for batch in (1, 1_000):
        assert fates(book.reconcile(journal, batch=batch)) == (0, 9, 0, 0, 0)
    assert desk.contents() == before


def test_other_content_of_what_is_gone_is_named(desk: Desk) -> None:
    journal = life(desk.trader)
    placed, filled, detailed, replaced, corrected, late, busted, canceled, last = journal
    book = desk.book
    book.reconcile(journal)
    forget(desk, book, "deleted")
    before = desk.contents()

    def other(request: OrderRequest, **changes: object) -> OrderRequest:
        return type(request).model_validate(
            {**request.model_dump(exclude_none=True, exclude_computed_fields=True), **changes}
        )

    rows: list[tuple[OrderRequest, type[Exception], str]] = [
        (other(detailed, fee="0.6"), DuplicateRequest, "with fee 0.5, not 0.6"),
        (other(detailed, fee_currency="EUR"), DuplicateRequest, "fee_currency USD, not EUR"),
        (other(detailed, liquidity="ADDED"), Refused, "without its liquidity, ADDED, which cannot be added"),
        (other(corrected, fee="0.3"), DuplicateRequest, "with fee 0.2, not 0.3"),
        (other(corrected, account="ACC2"), DuplicateRequest, "account ACC1, not ACC2"),
        (other(corrected, exec_ref_id="X2"), DuplicateRequest, "its event says TRADE_CORRECT 30 187.3 of X1"),
        (other(corrected, quantity=31), DuplicateRequest, "TRADE_CORRECT 30 187.3"),
        (other(busted, exec_ref_id="X1"), DuplicateRequest, "its event says TRADE_CANCEL of X2"),
        (other(busted, exec_id="C1"), DuplicateRequest, "TRADE_CORRECT"),
        (other(busted, exec_id="B2"), OrderNotFound, "no"),
        (other(replaced, client_order_id="A7"), DuplicateRequest, "client_order_id A2"),
        (other(replaced, reason="4"), DuplicateRequest, "reason 3"),
        (other(canceled, client_order_id="A7"), DuplicateRequest, "client_order_id A3"),
        (other(last, quantity=6), DuplicateRequest, "TRADE 5"),
        (other(late, symbol="MSFT"), OrderMismatch, "it was BUY AAPL"),
        (other(last, order_id="A9"), OrderNotFound, "A9"),
    ]
    done = book.reconcile([request for request, *_ in rows])
    assert [(one.place, type(one.error)) for one in done.refusals] == [(n, kind) for n, (_, kind, _) in enumerate(rows)]
    for refusal, (_, _, reason) in zip(done.refusals, rows, strict=True):
        assert reason in refusal.reason
    same = [other(busted, symbol="AAPL"), other(corrected, exec_ref_id="X1", order_id="V1"), filled, placed]
    assert fates(book.reconcile(same)) == (0, 4, 0, 0, 0)
    assert desk.contents() == before


def test_a_line_of_corrections_is_followed_to_its_execution(lone_desk: Desk) -> None:
    trader, book = lone_desk.trader, lone_desk.book
    terms = {"quantity": 20, "price": "187"}
    journal: list[OrderRequest] = [
        limit(trader),
        execution(trader, "X1", 40),
        execution(trader, "X2", 60),
        Correct.model_validate(about(trader, "A1", 3, exec_ref_id="X1", exec_id="C1", **terms)),
        Correct.model_validate(about(trader, "A1", 4, exec_ref_id="C1", exec_id="C2", **terms)),
        Bust.model_validate(about(trader, "A1", 5, exec_ref_id="C2", exec_id="B1")),
        Cancel.model_validate(about(trader, "A1", 6, request_id="C9")),
    ]
    assert fates(book.reconcile(journal)) == (7, 0, 0, 0, 0)
    by_the_first = journal[5].model_copy(update={"exec_ref_id": "X1"})
    assert fates(book.reconcile([by_the_first])) == (0, 1, 0, 0, 0)
    forget(lone_desk, book, "deleted")
    assert fates(book.reconcile([*journal, by_the_first])) == (0, 8, 0, 0, 0)
    of_another = journal[5].model_copy(update={"exec_ref_id": "X2"})
    assert [type(one.error) for one in book.reconcile([of_another]).refusals] == [DuplicateRequest]


def test_another_bust_of_what_is_busted_is_out_of_date(lone_desk: Desk) -> None:
    trader, book = lone_desk.trader, lone_desk.book
    bust = Bust.model_validate(about(trader, "A1", 3, exec_ref_id="X1", exec_id="B1"))
    done = book.reconcile([limit(trader), execution(trader), bust, bust.model_copy(update={"exec_id": "B2"})])
    assert fates(done) == (3, 0, 1, 0, 0)
    assert "another report has busted the execution already" in done.outdated[0].reason


def test_an_id_that_a_run_has_brought_is_known_when_its_order_is_gone(lone_desk: Desk) -> None:
    book, journal = lone_desk.open(**BRIEF), life(lone_desk.trader)

    def slowly(done: object) -> None:
        if getattr(done, "rows", 0) == len(journal):
            forget(lone_desk, book, "expired")

    done = book.reconcile([*journal, *journal], batch=len(journal), progress=slowly)
    assert fates(done) == (9, 9, 0, 0, 0)


def test_an_id_that_was_an_alias_and_is_an_order_since(lone_desk: Desk) -> None:
    trader, book = lone_desk.trader, lone_desk.book
    first = [limit(trader), Cancel.model_validate(about(trader, "A1", 1, request_id="C1", client_order_id="A2"))]
    assert fates(book.reconcile(first)) == (2, 0, 0, 0, 0)
    forget(lone_desk, book, "deleted")
    again = [limit(trader, "A2", ts_ns=TS + 2), execution(trader, "X1", 5, order_id="A2", ts_ns=TS + 3)]
    assert fates(book.reconcile([*first, *again])) == (2, 2, 0, 0, 0)
    forget_id = Cancel.model_validate(about(trader, "A2", 4, request_id="C2"))
    assert fates(book.reconcile([*first, *again, forget_id])) == (1, 4, 0, 0, 0)
    forget(lone_desk, book, "deleted", "A2")
    assert fates(book.reconcile([*first, *again, forget_id])) == (0, 5, 0, 0, 0)
