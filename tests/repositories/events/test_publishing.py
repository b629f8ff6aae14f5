"""Publishing: the same document on every channel, in the same script as the change, which it never makes fail."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import cast

import pytest
from slotbook import Book
from slotbook.models import Message, OrderEvent
from slotbook.models.errors import AccessDenied, InvalidArgument, InvalidSettings
from slotbook.models.event import document
from slotbook.models.wire import encode
from slotbook.repositories.changes.scripts import engine
from slotbook.topology.settings import read

from ...support.desk import Desk
from ...support.make import TS, execution, fresh, limit

EVERYWHERE = "traders,order_events,symbols"


def everything(book: Book, trader: str) -> None:
    """Make one change of each kind, with every field and some awkward text."""
    for order_id, side in [("A1", "BUY"), ("A2", "SELL"), ("A3", "BUY")]:
        book.orders.place(limit(trader, order_id, side=side, text='a/b\\/c "quoted" \\ é 日本 \U0001f600 </script>'))
    book.orders.fill(execution(trader, "X1", 40, "-0.000000001"))
    book.orders.replace(trader, "A1", quantity=90, price="188.5", request_id="R1")
    book.orders.cancel(trader, "A1", text="enough")
    book.orders.fill(execution(trader, "X2", 10, "187"))
    book.orders.reject(trader, "A2")
    book.orders.expire(trader, "A3")
    book.positions.adjust(trader, "AAPL", -7, request_id="R2")


def drain(subscription: object, count: int) -> list[Message]:
    get = subscription.get  # type: ignore[attr-defined]
    return [cast(Message, get(30)) for _ in range(count)]


def test_every_channel_has_the_document_of_the_stream(desk: Desk) -> None:
    prefix = fresh("p") + ":"
    book, trader = desk.open(publish=EVERYWHERE, prefix=prefix), desk.trader
    with book.events.subscribe("order_events") as all_of_them, book.events.psubscribe("events.*") as by_symbol:
        everything(book, trader)
        events = desk.events(prefix=prefix)
        texts = [document(encode(event)) for event in events]
        assert [message.text for message in drain(all_of_them, 10)] == texts
        received = drain(by_symbol, 10)
    assert [message.text for message in received] == texts
    words = ["new", "new", "new", "fill", "replaced", "canceled", "fill", "rejected", "expired", "position"]
    assert [message.channel for message in received] == [f"{prefix}events.AAPL.{word}" for word in words]
    assert [message.event for message in received] == events


@pytest.mark.parametrize("account", ['a "1"', None])
def test_what_is_published_of_an_order_whose_day_is_over_is_what_the_stream_has(
    lone_desk: Desk, account: str | None
) -> None:
    prefix, trader = fresh("p") + ":", lone_desk.trader
    orders = (book := lone_desk.open(publish="order_events", prefix=prefix)).orders
    with book.events.subscribe("order_events") as subscription:
        orders.place(limit(trader, status="PENDING_NEW", account=account, text="new"))
        orders.fill(execution(trader, "X1", 40))
        orders.done_for_day(trader, "A1")
        orders.fill(execution(trader, "X2", 10))
        orders.replace(trader, "A1", quantity=90, text="why")
        orders.bust(trader, "A1", "X2")
        orders.correct(trader, "A1", "X1", quantity=41, price="187")
        orders.pending_replace(trader, "A1", client_order_id="C1", quantity=7)
        orders.replace(trader, "A1", quantity=7, client_order_id="C1")
        orders.restate(trader, "A1", quantity=95)
        orders.cancel(trader, "A1", client_order_id="C2", reason="1")
        events = lone_desk.events(prefix=prefix)
        assert [event.open_quantity for event in events[2:7]] == [0] * 5
        received = drain(subscription, 11)
    assert [json.loads(message.text) for message in received] == [json.loads(document(encode(one))) for one in events]
    assert [message.event for message in received] == events


def test_the_document_is_flat_and_exact(lone_desk: Desk) -> None:
    book, trader = lone_desk.open(publish="order_events", prefix=fresh("p") + ":"), lone_desk.trader
    with book.events.subscribe("order_events") as subscription:
        book.orders.place(limit(trader, quantity=2**53 - 1, price="0.000000001", ts_ns=2**63 - 1))
        (message,) = drain(subscription, 1)
    assert json.loads(message.text) == {
        "writer": lone_desk.events(prefix=book.backend.settings.prefix)[0].writer,
        "trader": trader,
        "sequence": "1",
        "type": "NEW",
        "ts_ns": str(2**63 - 1),
        "symbol": "AAPL",
        "order_id": "A1",
        "side": "BUY",
        "status": "NEW",
        "quantity": str(2**53 - 1),
        "price": "0.000000001",
    }


@pytest.mark.parametrize("text", ['a"b/c', "a\\b"])
@pytest.mark.parametrize("of", ["trader", "symbol", "order_id", "exec_id", "request_id", "text"])
def test_a_document_is_json_whatever_the_names_are(lone_desk: Desk, of: str, text: str) -> None:
    prefix = fresh("p") + ":"
    book, odd = lone_desk.open(publish="order_events", prefix=prefix), {of: text}
    trader, symbol, order_id = odd.get("trader", "T"), odd.get("symbol", "AAPL"), odd.get("order_id", "A1")
    with book.events.subscribe("order_events") as subscription:
        book.orders.place(limit(trader, order_id, symbol=symbol, text=odd.get("text", "x")))
        book.orders.fill(execution(trader, odd.get("exec_id", "X1"), order_id=order_id))
        book.orders.cancel(trader, order_id, request_id=odd.get("request_id", "R1"), text=odd.get("text", "x"))
        book.positions.adjust(trader, symbol, 1, request_id=odd.get("request_id", "R2"))
        events = lone_desk.events(trader, prefix)
        assert [message.text for message in drain(subscription, 4)] == [document(encode(event)) for event in events]
    assert any(text in event.model_dump().values() for event in events)
    for key in cast("list[str]", lone_desk.fleet.ask(prefix, "KEYS", f"{prefix}*")):
        lone_desk.fleet.ask(key, "DEL", key)


ESCAPED = {"terms", "period"}
"""Fields whose JSON is always made with escapes."""
OF_ACCOUNTS = {
    *("account", "account_quantity", "account_cost", "account_cost_basis", "accounts"),
    "position_cost_change",
}
"""Fields of what moves an account's position: they are added to an event, whose document is then made of them all."""
OF_FEW = {
    "open_quantity",
    "client_order_id",
    "original_client_order_id",
    "venue_order_id",
    "reason",
    "reversed_details",
    "cost_basis",
    "overfilled",
    "multiplier",
}
"""Fields of changes whose whole document is made anew, as few have them."""


def test_scripts_write_every_field_of_an_event_in_its_order() -> None:
    source = engine().source
    order = [name for name in OrderEvent.model_fields if name not in ("trader", "sequence", "writer")]
    written: set[str] = set()
    appended = re.findall(r"append\(\{([^{}]*)\}, ([^{}]*?)'(\",\"ts_ns[^{}]*?),\s+symbol \.\.", source)
    assert len(appended) == 5
    placed = re.findall(
        r"local event = \{([^{}]*)\}\s+local document = '(\",\"ts_ns.*?)\n  local size", source, re.DOTALL
    )
    assert len(placed) == 1  # of a new order, whose price and text are added where it has them
    names, in_json = (
        [one for one in re.findall(how, text) if one in order]
        for how, text in zip((r"'(\w+)',", r"\"(\w+)\":"), placed[0], strict=True)
    )
    assert names == sorted(names, key=order.index) == ["type", *in_json, "price"]
    written |= {*names, *re.findall(r"event\[(?:size|#event) \+ 1\], event\[[^]]*\](?:, \w+)? = '(\w+)'", source)}
    for entry, condition, in_document in appended:
        names = [name for name in re.findall(r"'(\w+)',", entry) if name in order]
        assert names == sorted(names, key=order.index)
        in_json = ["type", *(one or other for one, other in re.findall(r"\"(\w+)\":|json_part\('(\w+)'", in_document))]
        assert in_json == [name for name in names if name in in_json]
        assert set(names) - set(in_json) <= (OF_FEW if condition else ESCAPED)
        written.update(names)
    plain = re.findall(r"append\(\{([^{}]*)\}, (?:false|ARGV\[8\] ~= '' and document_of\([\w, ]*\)), ''\)", source)
    others = {name for entry in plain for name in re.findall(r"'(\w+)',", entry)}
    assert {"kind", "key", "version", "changed", "request_id"} <= others
    of_few_orders = {"own", "refused", "overfilled"}
    assert written | others >= set(order) - of_few_orders - OF_ACCOUNTS


@pytest.mark.parametrize("whose", ["a fill", "a bust", "an adjustment", "a set", "a split", "a roll"])
def test_an_event_that_moves_an_account_s_position_is_published_whole(lone_desk: Desk, whose: str) -> None:
    prefix = fresh("p") + ":"
    book, trader = lone_desk.open(publish="order_events", prefix=prefix), lone_desk.trader
    changes: dict[str, Callable[[], object]] = {
        "a fill": lambda: book.orders.fill(execution(trader, "X2")),
        "a bust": lambda: book.orders.bust(trader, "A1", "X1", exec_id="B1", text="b"),
        "an adjustment": lambda: book.positions.adjust(trader, "AAPL", 1, request_id="R1", account='AC"C/1'),
        "a set": lambda: book.positions.set(trader, "AAPL", 9, cost=900, request_id="R1", account='AC"C/1'),
        "a split": lambda: book.positions.split(trader, "AAPL", 2, request_id="R1"),
        "a roll": lambda: book.positions.roll(trader, "AAPL", request_id="R1"),
    }
    book.orders.place(limit(trader, account='AC"C/1', multiplier=50))
    book.orders.fill(execution(trader, "X1"))
    with book.events.subscribe("order_events") as subscription:
        changes[whose]()
        (message,) = drain(subscription, 1)
    event = lone_desk.events(trader, prefix)[-1]
    assert message.text == document(encode(event))
    assert 'AC"C/1' in (event.account, *json.loads(event.accounts or "{}"))


@pytest.mark.parametrize(
    ("publish", "expected"),
    [
        ("none", {}),
        ("traders", {"spublish": 10}),
        ("order_events", {"publish": 10}),
        ("symbols", {"publish": 10}),
        (EVERYWHERE, {"spublish": 10, "publish": 20}),
    ],
)
def test_nothing_is_published_that_is_not_wanted(lone_desk: Desk, publish: str, expected: dict[str, int]) -> None:
    book = lone_desk.open(publish=publish)
    before = lone_desk.fleet.calls()
    everything(book, lone_desk.trader)
    after = lone_desk.fleet.calls()
    published = {name: after.get(name, 0) - before.get(name, 0) for name in ("spublish", "publish")}
    assert {name: count for name, count in published.items() if count} == expected


def test_repeats_and_refusals_are_not_published(lone_desk: Desk) -> None:
    book, trader = lone_desk.open(publish="order_events", prefix=fresh("p") + ":"), lone_desk.trader
    with book.events.subscribe("order_events") as subscription:
        for _ in range(3):
            book.orders.place(limit(trader))
            book.orders.fill(execution(trader))
        assert [message.event.type for message in drain(subscription, 2)] == ["NEW", "TRADE"]
        assert subscription.get(0.1) is None


def test_an_event_that_a_caller_publishes(desk: Desk) -> None:
    book = desk.open(prefix=fresh("p") + ":")
    event = OrderEvent(trader=desk.trader, sequence=7, type="NEW", ts_ns=TS, symbol="BRK.B")  # type: ignore[arg-type]
    with book.events.subscribe("order_events") as all_of_them, book.events.psubscribe("events.BRK.B.*") as of_symbol:
        book.events.publish(event)
        assert [drain(one, 1)[0].event for one in (all_of_them, of_symbol)] == [event, event]
    with pytest.raises(InvalidArgument):
        book.events.publish("nonsense")  # type: ignore[arg-type]


@pytest.fixture
def restricted(lone_desk: Desk) -> Iterator[Book]:
    """Yield a book of a user who may do everything, but use no channel."""
    user = fresh("u")
    lone_desk.ask("ACL", "SETUSER", user, "on", ">secret", "~*", "+@all", "resetchannels")
    book = lone_desk.open(publish=EVERYWHERE, username=user, password="secret")  # noqa: S106 (a user of this test)
    yield book
    book.close()
    lone_desk.ask("ACL", "DELUSER", user)


def test_a_user_without_channels_changes_the_book_all_the_same(lone_desk: Desk, restricted: Book) -> None:
    everything(restricted, lone_desk.trader)
    assert len(lone_desk.events()) == 10
    with pytest.raises(AccessDenied, match="publish event 1"):
        restricted.events.publish(lone_desk.events()[0])
    with pytest.raises(AccessDenied, match="channel"):
        restricted.events.follow(lone_desk.trader).start()
    with pytest.raises(AccessDenied, match="channel"):
        restricted.events.subscribe("order_events").start()


@pytest.mark.parametrize("nonsense", ["everything", "traders,nobody", "TRADERS"])
def test_an_unknown_channel_is_refused(nonsense: str) -> None:
    with pytest.raises(InvalidSettings, match="traders, order_events, symbols"):
        Book.open(f"redis://127.0.0.1:1/?publish={nonsense}")


def test_the_environment_may_set_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLOTBOOK_PUBLISH", "order_events, symbols")
    monkeypatch.setenv("SLOTBOOK_DURABILITY", "replicated=1")
    monkeypatch.setenv("SLOTBOOK_EVENTS_KEPT", "all")
    settings = read("redis://localhost").settings
    assert settings.publish == {"order_events", "symbols"}
    assert settings.durability.replicas == 1
    assert settings.events_kept is None
