"""A book in order is found in order, however busy it is meanwhile."""

from __future__ import annotations

import threading
import time

import pytest
from slotbook import Book
from slotbook.models import Replace
from slotbook.repositories import Auditor
from slotbook.repositories.audit import calls as audit_calls
from slotbook.repositories.audit import steps as audit_steps
from slotbook.repositories.audit.findings import Finding, FindingKind
from slotbook.repositories.orders.verbs import OrderRequest

from ...support.desk import Desk
from ...support.make import TS, execution, limit


def differences(findings: list[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.is_difference]


def test_a_book_with_everything_in_it_is_in_order(busy: Desk, auditor: Auditor) -> None:
    assert auditor.verify(busy.trader) == []


def test_verifying_and_a_repair_of_nothing_change_nothing(busy: Desk, auditor: Auditor) -> None:
    before = busy.contents()
    auditor.verify(busy.trader)
    assert auditor.repair(busy.trader) == []
    assert busy.contents() == before


def test_a_trader_of_whom_nothing_is_stored_is_reported(desk: Desk, auditor: Auditor) -> None:
    (note,) = auditor.verify(desk.trader)
    assert (note.kind, note.message) == (FindingKind.UNCHECKED, "nothing is stored of this trader")


def test_orders_that_expired_or_were_deleted_are_no_difference(desk: Desk, auditor: Auditor) -> None:
    book, trader = desk.open(order_ttl=0.05, deadline=1, socket_timeout=0.1), desk.trader
    for order_id in ("A1", "A2"):
        book.orders.place(limit(trader, order_id))
        book.orders.fill(execution(trader, order_id=order_id, quantity=100))
    book.orders.delete(trader, "A2")
    while desk.ask("EXISTS", "%:order:A1"):
        time.sleep(0.01)
    (note,) = auditor.verify(trader)
    assert note.kind is FindingKind.UNCHECKED
    assert note.message.startswith("2 orders that the events name expired or were deleted")


def test_what_is_open_is_in_order_when_other_orders_expire(desk: Desk, auditor: Auditor) -> None:
    book, trader = desk.open(order_ttl=0.2, deadline=1, socket_timeout=0.1), desk.trader
    book.orders.place(limit(trader, "A1"))
    book.orders.place(limit(trader, "A2"))
    book.orders.cancel(trader, "A2")
    assert auditor.verify(trader) == []
    while desk.ask("EXISTS", "%:order:A2"):
        time.sleep(0.01)
    assert differences(auditor.verify(trader)) == []
    assert desk.ask("HGET", "%:position:AAPL", "open_buy_quantity") == "100"


def test_a_large_book_is_read_page_by_page(desk: Desk, auditor: Auditor) -> None:
    trader = desk.trader
    orders = [limit(trader, f"A{number}", symbol=f"SYM{number % 250}") for number in range(1_200)]
    fills = [execution(trader, order_id=order.order_id) for order in orders]
    for outcome in desk.book.orders.apply_many([*orders, *fills]):
        outcome.result()
    assert auditor.verify(trader) == []
    desk.vandalise("ZREM", "%:orders_by_symbol:SYM199", "A1199")
    desk.vandalise("HSET", "%:position:SYM0", "bought_quantity", 1)
    found = auditor.verify(trader)
    assert {finding.key.partition(":")[2] for finding in found} == {"orders_by_symbol:SYM199", "position:SYM0"}


def test_pages_of_any_size_give_the_same_findings(
    busy: Desk, auditor: Auditor, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy.vandalise("ZADD", "%:orders_by_symbol:MSFT", "inf", "A1")
    busy.vandalise("XDEL", "%:events", "9-0")
    found = auditor.verify(busy.trader)
    assert len(found) == 3
    for size in (1, 2, 3):
        for module in (audit_calls, audit_steps):
            for name in ("EVENTS_AT_ONCE", "ORDERS_AT_ONCE", "POSITIONS_AT_ONCE", "INDEXES_AT_ONCE", "FIELDS_AT_ONCE"):
                monkeypatch.setattr(module, name, size, raising=False)
        assert auditor.verify(busy.trader) == found


def test_a_book_is_in_order_while_it_is_written_to(busy: Desk, auditor: Auditor) -> None:
    trader, over = busy.trader, threading.Event()
    failures: list[BaseException] = []

    def write(name: str) -> None:
        try:
            # Few events are kept, so the stream is trimmed under the reader; orders end and are deleted under it too.
            brief = {"events_kept": 300, "order_ttl": 0.3, "deadline": 2, "socket_timeout": 1}
            with Book.open(busy.fleet.url(brief)) as book:
                number = 0
                while not over.is_set():
                    number += 1
                    order_id = f"{name}{number % 40}"
                    side = "SELL" if number % 2 else "BUY"
                    requests: list[OrderRequest] = [limit(trader, order_id, quantity=20, side=side)]
                    requests += [execution(trader, f"{number}.{part}", 5, order_id=order_id) for part in range(2)]
                    requests.append(Replace(trader=trader, order_id=order_id, quantity=10 + number % 20))
                    book.orders.apply_many(requests)
                    book.positions.adjust(trader, "AAPL", -10)
                    order = book.orders.get(trader, order_id)
                    if number % 3 == 0 and order and order.status.is_open:
                        book.orders.cancel(trader, order_id)
                        book.orders.delete(trader, order_id)
        except BaseException as error:
            failures.append(error)

    writers = [threading.Thread(target=write, args=(name,)) for name in ("W", "V")]
    for writer in writers:
        writer.start()
    try:
        until = time.monotonic() + 1.5
        rounds = 0
        while time.monotonic() < until or rounds < 2:
            assert differences(auditor.verify(trader)) == []
            rounds += 1
    finally:
        over.set()
        for writer in writers:
            writer.join()
    assert not failures


def test_every_trader_of_the_store_is_found(desk: Desk, auditor: Auditor) -> None:
    whole, *damaged = desk.trader, desk.another(), desk.another(), desk.another(), desk.another()
    found_by = ("%:book", "%:events", "%:positions", "%:orders_by_status:NEW")
    desk.book.positions.set(whole, "AAPL", 1, ts_ns=TS)
    for trader, left in zip(damaged, found_by, strict=True):
        desk.book.orders.place(limit(trader))
        desk.trader = trader
        desk.vandalise("DEL", *(key for key in found_by if key != left))
    foreign = f"{{{whole}\tx}}:events"
    desk.fleet.ask(foreign, "SET", foreign, "not a book's: no trader has such a name")
    traders = auditor.traders()
    desk.fleet.ask(foreign, "DEL", foreign)
    assert {whole, *damaged} <= set(traders)
    assert f"{whole}\tx" not in traders
    assert traders == sorted(traders)


def test_books_behind_another_prefix_are_not_seen(desk: Desk, auditor: Auditor) -> None:
    prefixed = desk.open(prefix="a[b]*:")
    prefixed.orders.place(limit(desk.trader))
    assert desk.trader not in auditor.traders()
    assert prefixed.audit.traders() == [desk.trader]
