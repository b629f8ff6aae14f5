"""The audit of accounts' positions: each is compared with its events, and repaired by what they say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import pytest
from slotbook.models import OrderEvent, Roll, Split
from slotbook.models.account_quantities import AccountQuantities
from slotbook.repositories.audit.findings import FindingKind

from ...support.audit.corruption import Corruption, carry_out
from ...support.audit.damage import Command, Expected, damage, differences_of
from ...support.audit.image import image_of, keep, put_back
from ...support.desk import Desk, on_one_server
from ...support.make import TS, execution, limit

HELD = "%:account_position:a b:AAPL"
KEY = "%account_position:a b:AAPL"
POSITION, LISTING, CORRUPT, EXPIRY = (
    *(FindingKind.POSITION, FindingKind.LISTING, FindingKind.CORRUPT, FindingKind.EXPIRY),
)

DAMAGES: dict[str, tuple[Sequence[Command], Sequence[Expected]]] = {
    "a quantity": ([("HSET", HELD, "quantity", 41)], [Expected(POSITION, KEY, "quantity", "41", "64")]),
    "a cost": ([("HSET", HELD, "open_cost", "1")], [Expected(POSITION, KEY, "open_cost", "1", "640")]),
    "fees": ([("HDEL", HELD, "fees")], [Expected(POSITION, KEY, "fees", None, '{"":"1"}')]),
    "a field missing": ([("HDEL", HELD, "version")], [Expected(POSITION, KEY, "version", None, "5")]),
    "the account": ([("HSET", HELD, "account", "b")], [Expected(POSITION, KEY, "account", "b", "a b")]),
    "another symbol": ([("HSET", HELD, "symbol", "MSFT")], [Expected(POSITION, KEY, "symbol", "MSFT", "AAPL")]),
    "garbage": ([("HSET", HELD, "sold_quantity", "1e3")], [Expected(POSITION, KEY, "sold_quantity", "1e3", "0")]),
    "all of it": ([("DEL", HELD)], [Expected(POSITION, KEY, None, None, "64")]),
    "one that nothing was booked into": (
        [("DEL", "%:account_position:idle:AAPL")],
        [Expected(POSITION, "%account_position:idle:AAPL", None, None, "0")],
    ),
    "not listed": (
        [("SREM", "%:account_positions", "a b:AAPL")],
        [Expected(LISTING, "%account_positions", "a b:AAPL", None, "a b:AAPL")],
    ),
    "listed, and never there": (
        [("SADD", "%:account_positions", "a b:TSLA")],
        [Expected(LISTING, "%account_positions", "a b:TSLA", "a b:TSLA", None)],
    ),
    "listed under no name": (
        [("SADD", "%:account_positions", "nothing")],
        [Expected(LISTING, "%account_positions", "nothing", "nothing", None)],
    ),
    "expiring": (
        [("PEXPIREAT", HELD, "9999999999999"), ("PEXPIREAT", "%:account_positions", "9999999999999")],
        [
            Expected(EXPIRY, "%account_positions", None, "9999999999999", "inf"),
            Expected(EXPIRY, KEY, None, "9999999999999", "inf"),
        ],
    ),
    "an account in the trader's position": (
        [("HSET", "%:position:AAPL", "account", "a b")],
        [Expected(POSITION, "%position:AAPL", "account", "a b", None)],
    ),
}


@pytest.fixture
def accounts(desk: Desk) -> Desk:
    """Return a desk with two accounts, one of which has traded nothing."""
    orders, positions, trader = desk.book.orders, desk.book.positions, desk.trader
    orders.place(limit(trader, account="a b"))
    orders.place(limit(trader, "A2", account="idle"))
    orders.fill(execution(trader, "X1", 40, "10").model_copy(update={"fee": 1}))
    orders.fill(execution(trader, "X2", 20, "10"))
    orders.fill(execution(trader, "X3", 2, "20"))
    orders.bust(trader, "A1", "X3", ts_ns=TS + 3)
    positions.set(trader, "AAPL", 64, cost=640, account="a b", ts_ns=TS + 4)
    return desk


@on_one_server
@pytest.mark.parametrize("what", DAMAGES)
def test_damage_is_found_and_repaired(accounts: Desk, what: str) -> None:
    desk, (commands, expected) = accounts, DAMAGES[what]
    assert desk.book.audit.verify(desk.trader) == []
    before = image_of(desk)
    damage(desk, commands)
    found = desk.book.audit.verify(desk.trader)
    assert differences_of(desk.trader, found) == expected
    repairs = desk.book.audit.repair(desk.trader)
    assert all(repair.outcome.is_settled for repair in repairs), repairs
    assert image_of(desk) == before
    assert desk.book.audit.verify(desk.trader) == []


@on_one_server
def test_what_no_event_proves_is_left(accounts: Desk) -> None:
    desk = accounts
    desk.vandalise("HSET", "%:account_position:stranger:AAPL", "quantity", "5", "trader", desk.trader)
    found = desk.book.audit.verify(desk.trader)
    assert found
    assert not any(one.repairable for one in found if one.key.endswith("stranger:AAPL"))
    before = image_of(desk)
    desk.book.audit.repair(desk.trader)
    assert image_of(desk) == before


@on_one_server
@pytest.mark.parametrize(
    ("number", "name", "value"),
    [
        (3, "account", None),
        (3, "account", "other"),
        (3, "account_quantity", "41"),
        (3, "account_totals", None),
        (3, "account_totals", "40 0 400 0 1 401 0"),
        (6, "account_cost_basis", "approximate"),
        (7, "account_cost", "641"),
        (7, "position_cost_change", "41"),
        (7, "account_quantity", "65"),
    ],
)
def test_an_event_that_says_otherwise_is_found(accounts: Desk, number: int, name: str, value: str | None) -> None:
    desk = accounts
    entries = cast("list[tuple[str, list[str]]]", desk.ask("XRANGE", "%:events", "-", "+"))
    desk.vandalise("DEL", "%:events")
    for event_id, flat in entries:
        fields = dict(zip(flat[::2], flat[1::2], strict=True))
        if event_id == f"{number}-0":
            assert fields.pop(name, None) is not None or name == "account_cost_basis"
            fields |= {} if value is None else {name: value}
        desk.vandalise("XADD", "%:events", event_id, *(word for pair in fields.items() for word in pair))
    assert [one for one in desk.book.audit.verify(desk.trader) if one.is_difference]


@on_one_server
def test_an_event_that_contradicts_itself_of_an_account_proves_nothing_of_the_trader(accounts: Desk) -> None:
    desk, key = accounts, f"{{{accounts.trader}}}:events"
    changed = {"account_totals": "40 0 400 0 1 401 0"}
    carry_out(desk, Corruption("event", (key, "3-0"), [("rewrite", key, "3-0", changed)]))
    desk.vandalise("HSET", "%:position:AAPL", "quantity", "5")
    found = [one for one in desk.book.audit.verify(desk.trader) if one.kind is POSITION]
    assert [(one.entry, one.repairable) for one in found] == [("quantity", False)]


@on_one_server
def test_trimmed_events_prove_what_follows_from_them(accounts: Desk) -> None:
    desk = accounts
    desk.book.orders.fill(execution(desk.trader, "X4", 3, "20"))
    desk.vandalise("XTRIM", "%:events", "MINID", "7-0")
    assert [one for one in desk.book.audit.verify(desk.trader) if one.is_difference] == []
    desk.vandalise("HSET", HELD, "quantity", "1")
    found = differences_of(desk.trader, desk.book.audit.verify(desk.trader))
    assert found == [Expected(POSITION, KEY, "quantity", "1", "67")]


@on_one_server
@pytest.mark.parametrize("is_trimmed", [False, True], ids=["all events", "one event"])
def test_no_position_is_made_of_an_event_whose_symbol_was_changed(accounts: Desk, *, is_trimmed: bool) -> None:
    desk, key = accounts, f"{{{accounts.trader}}}:events"
    desk.book.orders.place(limit(desk.trader, "A9", account="late"))
    whole = keep(desk)
    for number in (1, 2, 3, 4, 5, 6, 8):  # 7 is of no order: nothing else says its symbol
        put_back(desk, whole)
        carry_out(desk, Corruption("event", (key, ""), [("rewrite", key, f"{number}-0", {"symbol": "NVDA"})]))
        if is_trimmed:
            desk.vandalise("XTRIM", "%:events", "MINID", f"{number}-0")
        damaged = image_of(desk)
        assert [one for one in desk.book.audit.verify(desk.trader) if one.is_difference], number
        desk.book.audit.repair(desk.trader)
        assert [part for part in image_of(desk).keys() - damaged.keys() if "NVDA" in "".join(part)] == [], number
    put_back(desk, whole)


@on_one_server
@pytest.mark.parametrize("last", ["set for an account", "split", "split into", "split of accounts", "roll"])
def test_a_request_proves_only_what_it_says(accounts: Desk, last: str) -> None:
    """The last event, which nothing follows, is proven by its request, but not where quantity and change say more."""
    desk, positions, trader = accounts, accounts.book.positions, accounts.trader
    changes = {
        "split": Split(trader=trader, symbol="AAPL", new=3, old=2),
        "split into": Split(
            trader=trader, symbol="AAPL", new=1, old=3, quantity=20, accounts=AccountQuantities({"a b": 20})
        ),
        "split of accounts": Split(trader=trader, symbol="AAPL", new=1, old=3, accounts=AccountQuantities({"a b": 20})),
        "roll": Roll(trader=trader, symbol="AAPL"),
    }
    for change in [changes[last]] if last in changes else []:
        positions.apply_many([change])[0].result()
    before = image_of(desk)
    desk.vandalise("HSET", "%:position:AAPL", "quantity", "5")
    desk.book.audit.repair(trader)
    assert (image_of(desk) == before) == (last != "split of accounts")  # then nothing says it but the event
    desk.vandalise("HSET", "%:position:AAPL", "quantity", before[f"{{{trader}}}:position:AAPL", "quantity"])

    [(event_id, flat)] = cast("list[tuple[str, list[str]]]", desk.ask("XREVRANGE", "%:events", "+", "-", "COUNT", "1"))
    event = dict(zip(flat[::2], flat[1::2], strict=True))
    changed = {name: str(int(event[name]) + 7) for name in ("position_quantity", "position_change")}
    key = f"{{{trader}}}:events"
    carry_out(desk, Corruption("event", (key, event_id), [("rewrite", key, event_id, changed)]))
    damaged = image_of(desk)
    assert [one for one in desk.book.audit.verify(trader) if one.is_difference]
    desk.book.audit.repair(trader)
    assert image_of(desk) == damaged


def test_an_event_has_the_fields(accounts: Desk) -> None:
    names = {"account", "account_quantity", "account_cost", "account_cost_basis", "accounts", "position_cost_change"}
    assert names <= OrderEvent.model_fields.keys()
    assert [event.account for event in accounts.events()] == [None, None, *["a b"] * 5]
