"""The order state change matrices of FIX 4.4 as data, and a translator from their rows to the verbs of a book."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast

from slotbook import Book
from slotbook.models import EventType, Fill, Order, OrderStatus, TimeInForce
from slotbook.models.errors import DuplicateOrder

from .replays import DATA

FILE = DATA / "fix44-order-state.json"
Row: TypeAlias = "dict[str, Any]"
Path: TypeAlias = "list[Row]"

STATUSES = {status.fix: status for status in OrderStatus}
EVENTS = {kind.fix: kind for kind in EventType if kind.fix}
TIMES_IN_FORCE = {one.fix: one for one in TimeInForce}


def paths() -> dict[str, Path]:
    """Return every path of every scenario: the main one, and each that ends early."""
    found: dict[str, Path] = {}
    if not FILE.exists():
        return found
    for scenario in cast("list[Row]", json.loads(FILE.read_text(encoding="utf-8"))):
        rows = cast("Path", scenario["rows"])
        found[scenario["id"]] = [row for row in rows if "branch" not in row]
        for number, row in enumerate(rows):
            if "branch" in row:
                before = [one for one in rows[:number] if "branch" not in one]
                found[f"{scenario['id']}-ends-at-{row['time']}"] = [*before, row]
    return found


def codes_of(path: Path) -> set[str]:
    """Return the ExecTypes of a path."""
    return {row["sent"]["exec_type"] for row in path if "exec_type" in row.get("sent", {})}


@dataclass
class Translator:
    """Carries out the rows of one path in a book."""

    book: Book
    trader: str
    asked: dict[str, int] = field(default_factory=dict[str, int])
    """The quantities that requests to replace have asked for, by their ClOrdIDs."""
    current: str = ""
    executions: int = 0

    def order(self, name: str) -> Order:
        """Return the order that an id finds."""
        found = self.book.orders.get(self.trader, name)
        assert found is not None, name
        return found

    def receive(self, message: Row) -> None:
        """Carry out what the order's sender sends."""
        name: str = message["cl_ord_id"]
        match message["msg"]:
            case "D":
                terms = {
                    "quantity": message.get("order_qty", message.get("cash_order_qty")),
                    "price": message.get("price", "10"),
                    "time_in_force": TIMES_IN_FORCE[message.get("time_in_force", "0")],
                }
                about = {"trader": self.trader, "order_id": name, "symbol": "AAPL", "side": "BUY"}
                try:
                    self.book.orders.place(Order.model_validate({**about, **terms, "status": "PENDING_NEW"}))
                except DuplicateOrder:
                    assert message["poss_resend"] == "N"
                self.current = name
            case "G":
                self.asked[name] = message["order_qty"]
            case _:
                pass  # a request to cancel is recorded when the venue says that it is pending

    def send(self, message: Row) -> EventType | None:
        """Carry out what the venue answers, and return the type of the event that it has to leave."""
        orders, trader = self.book.orders, self.trader
        name = message.get("cl_ord_id", self.current)
        original = message.get("orig_cl_ord_id")
        order_id = original or name
        ids: dict[str, Any] = {"client_order_id": name, "original_client_order_id": original}
        status = STATUSES[message["ord_status"]]
        if message["msg"] == "9":
            orders.cancel_reject(trader, order_id, **ids, status=status, reason=text_of(message.get("cxl_rej_reason")))
            return EventType.CANCEL_REJECTED
        code, reason = message["exec_type"], text_of(message.get("exec_restatement_reason"))
        quantity = message.get("order_qty")
        if code not in "58" and quantity not in (None, self.order(original or name).quantity):
            orders.restate(trader, order_id, quantity=quantity, reason=reason)
            if code == "D":
                return EventType.RESTATED
        match code:
            case "0":
                orders.accept(trader, order_id, status=status)
            case "F":
                self.executions += 1
                values = {"exec_id": message.get("exec_id", f"X{self.executions}"), "quantity": message["last_qty"]}
                about = {"trader": trader, "order_id": order_id, "price": message.get("last_px", "10")}
                orders.fill(Fill.model_validate({**about, **values}))
            case "G" | "H":
                about = {"exec_id": message["exec_id"], "exec_ref_id": message["exec_ref_id"]}
                if code == "H":
                    orders.bust(trader, order_id, **about)
                else:
                    price = message.get("last_px", "10")
                    orders.correct(trader, order_id, **about, quantity=message["last_qty"], price=price)
            case "4":
                orders.cancel(trader, order_id, client_order_id=name if original else None, reason=reason)
            case "8" if status is not OrderStatus.REJECTED:
                return None  # it is not this order that is refused, but another with its id
            case "8":
                orders.reject(trader, order_id, reason=text_of(message.get("ord_rej_reason")))
            case "6":
                orders.pending_cancel(trader, order_id, **ids)
            case "E":
                orders.pending_replace(trader, order_id, **ids, quantity=self.asked[name])
            case "5":
                orders.replace(trader, order_id, **ids, quantity=self.asked[name])
            case "3":
                orders.done_for_day(trader, order_id)
            case "D":
                orders.restate(trader, order_id, reason=reason)
            case "I":
                return None
            case other:
                raise AssertionError(other)
        return EVENTS[code]


def text_of(code: object) -> str | None:
    return None if code is None else str(code)
