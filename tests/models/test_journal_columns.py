"""A journal has the words of busts and corrections, and a column for each field that a request of it may have."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from slotbook.models import Bust, Cancel, Correct, Fill, Order, Replace
from slotbook.models.journal import (
    COLUMNS,
    MORE_COLUMNS,
    JournalEntry,
    JournalError,
    JournalEvent,
    JournalRequest,
    RefusedRow,
    read_journal,
)

ABOUT = {"trader": "T1", "order_id": "A1", "symbol": "ESH4", "side": "BUY", "ts_ns": 11}
FIRST = {
    **dict.fromkeys(COLUMNS, ""),
    **{"seq": "1", "trader": "T1", "order_id": "A1", "symbol": "ESH4", "side": "BUY", "ts_ns": "11"},
}
STATE = {
    *("filled_quantity", "filled_notional", "placed_quantity", "placed_price", "placed_stop_price", "revision"),
    *("version", "client_order_id", "venue_order_id", "aliases", "marks", "pending", "updated_ns"),
}
"""The fields that the book sets, and no order is placed with."""


def read(event: str, **values: str) -> JournalEntry | RefusedRow:
    row = {**FIRST, "event": event, **values}
    [entry] = read_journal([",".join(row) + "\n", ",".join(row.values()) + "\n"])
    return entry


def request(event: str, **values: str) -> JournalRequest:
    entry = read(event, **values)
    assert isinstance(entry, JournalEntry), entry
    return entry.request


def test_bust_and_correct_have_an_execution_and_an_id_of_their_own() -> None:
    assert request("BUST", exec_id="B1", exec_ref_id="X1", text="error") == Bust.model_validate(
        {**ABOUT, "exec_id": "B1", "exec_ref_id": "X1", "text": "error"}
    )
    given = {"exec_id": "C1", "exec_ref_id": "X1", "quantity": "3", "price": "4799.5", "fee": "-0.25"}
    assert request("CORRECT", **given, fee_currency="USD") == Correct.model_validate(
        {**ABOUT, **given, "fee_currency": "USD"}
    )


def test_a_fill_has_its_details() -> None:
    details = {"fee": "0.1", "fee_currency": "BTC", "liquidity": "REMOVED", "settlement_date": "2026-11-30"}
    more = {"account": "ACC1", "venue_order_id": "V1", "overfill": "record", "cumulative_quantity": "3"}
    given = {"exec_id": "X1", "quantity": "3", "price": "5", "open_quantity": "0", **details, **more}
    assert request("FILL", **given) == Fill.model_validate({**ABOUT, **given})


def test_an_order_has_its_terms() -> None:
    terms = {"time_in_force": "GTD", "expire_at": "1703422805243925307", "currency": "EUR", "multiplier": "50"}
    more = {"account": "ACC1", "display_quantity": "1", "execution_instructions": "G 6", "text": "a basket"}
    given = {"type": "STOP", "quantity": "3", "stop_price": "5", "reference_price": "4", **terms, **more}
    assert request("NEW", **given) == Order.model_validate({**ABOUT, **given})
    assert request("NEW", quantity="3", price="2", status="PENDING_NEW").model_dump()["status"] == "PENDING_NEW"


def test_requests_have_their_ids_and_reason() -> None:
    said = {"client_order_id": "A2", "venue_order_id": "V1", "reason": "99", "text": "late"}
    known = {**ABOUT, "request_id": "1"}
    assert request("CANCEL", **said) == Cancel.model_validate({**known, **said})
    more = {"original_client_order_id": "A1", "stop_price": "4", "quantity": "3", "price": "5"}
    assert request("REPLACE", **said, **more) == Replace.model_validate({**known, "revision": 1, **said, **more})


@pytest.mark.parametrize("event", JournalEvent)
def test_there_is_a_column_for_each_field_of_a_request(event: JournalEvent) -> None:
    of_the_row = {"request_id", "revision", *(STATE if event is JournalEvent.NEW else ())}
    assert {*event.columns, *event.more} == event.request.model_fields.keys() - of_the_row
    assert event.more <= {*MORE_COLUMNS}
    assert not {*MORE_COLUMNS} & {*COLUMNS}


def test_an_order_without_a_price_needs_the_column_of_types() -> None:
    placed = request("NEW", type="MARKET", quantity="3")
    assert isinstance(placed, Order)
    assert placed.price is None
    replaced = request("REPLACE", type="", quantity="3")
    assert isinstance(replaced, Replace)
    assert (replaced.quantity, replaced.price) == (Decimal(3), None)


@pytest.mark.parametrize(
    ("event", "values", "problem"),
    [
        (
            "NEW",
            {"quantity": "1", "price": "2", "fee": "1"},
            "fee '1': only a FILL or a CORRECT has one, this",
        ),
        ("CANCEL", {"account": "A"}, "account 'A': only a NEW, a FILL or a CORRECT has one, this is a CANCEL"),
        ("BUST", {"exec_id": "B", "exec_ref_id": "X", "quantity": "1"}, "a BUST takes back all of its execution"),
        ("BUST", {"exec_id": "B", "exec_ref_id": "X", "price": "1"}, "a BUST takes back all of its execution"),
        ("BUST", {"exec_id": "B", "exec_ref_id": ""}, "exec_ref_id is empty"),
        ("CORRECT", {"exec_id": "B", "quantity": "1", "price": "2"}, "exec_ref_id is empty"),
        ("BUST", {"exec_ref_id": "X"}, "exec_id is empty"),
        ("BUST", {"exec_id": "X", "exec_ref_id": "X"}, "the report needs an exec_id other than the exec_ref_id"),
        (
            "FILL",
            {"quantity": "1", "price": "2", "exec_id": "X", "exec_ref_id": "Y"},
            "exec_ref_id 'Y': only a BUST",
        ),
        ("FILL", {"quantity": "1", "price": "2", "exec_id": "X", "fee": "one"}, "fee 'one': 'one' is not a decimal"),
        ("FILL", {"quantity": "1", "price": "", "exec_id": "X", "type": ""}, "price is empty"),
        ("FILL", {"quantity": "1", "price": "2", "exec_id": "X", "fee_currency": "USD"}, "fee_currency 'USD': .*needs"),
        ("FILL", {"quantity": "1", "price": "2", "exec_id": "X", "overfill": "yes"}, "overfill 'yes': "),
        ("NEW", {"quantity": "1", "type": "LIMIT"}, "a LIMIT order needs price"),
        ("NEW", {"quantity": "1", "price": "1", "type": "MARKET"}, "a MARKET order takes no price"),
        ("REPLACE", {"quantity": "", "price": "", "type": ""}, "quantity is empty"),
    ],
)
def test_a_value_that_a_request_has_no_field_for_refuses_the_row(
    event: str, values: dict[str, str], problem: str
) -> None:
    refused = read(event, **values)
    assert isinstance(refused, RefusedRow)
    assert re.match(problem, refused.error.problem), refused.error.problem


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ("venue", "columns that are known: 'venue' is none; there are type, .*overfill$"),
        ("request_id", "'request_id' is none"),
        ("filled_quantity", "'filled_quantity' is none"),
        ("fee,account,fee", "fee is there twice"),
        ("fee,exec_id", "'exec_id' is none"),
    ],
)
def test_a_column_that_is_not_known_makes_the_file_no_journal(more: str, problem: str) -> None:
    with pytest.raises(JournalError, match=f"^line 1: the header must be .*{problem}"):
        list(read_journal([f"{','.join(COLUMNS)},{more}\n"]))
