"""Hypothesis strategies for damage that is done by hand to any part of a book."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import cast

from hypothesis import strategies as st
from slotbook.models.numbers import EXACT, plain
from slotbook.repositories.changes.event_totals import whole_totals

from ..desk import Desk
from ..raw import Reply, mapping
from .corruption import Corruption, kind_of, name_of, near
from .image import Image, Part

POSITIONS = ("position", "account_position")
_OF_REQUESTS = ("client_order_id", "original_client_order_id", "venue_order_id", "reason", "reported_status")
"""The fields in which an event repeats what its request says beside."""


class Damage:
    """All the damage that can be done to one book, given its image."""

    def __init__(self, desk: Desk, image: Image) -> None:
        self._desk = desk
        self._image = image
        self._keys = sorted({key for key, _ in image})
        self._tag = f"{{{desk.trader}}}:"
        self._values: dict[tuple[str, str], set[str]] = {}
        for (key, name), value in image.items():
            self._values.setdefault((kind_of(key), name.partition(":")[0]), set()).add(value)
        self._events = self._entries()

    def any(self) -> st.SearchStrategy[Corruption]:
        """Return a strategy of damage of any kind."""
        return st.one_of(
            self.field_set(), self.field_set(), self.field_gone(), self.event_field(), self.event_field(),
            self.event_gone(), self.key_gone(), self.expiry(), self.entry(), self.symbol(), self.stray(),
            self.replaced(), self.event_whole(),
        )  # fmt: skip

    def _parts(self, *kinds: str) -> list[Part]:
        return sorted(part for part in self._image if kind_of(part[0]) in kinds and part[1] != "(expiry)")

    def _other(self, value: str, others: Sequence[str]) -> st.SearchStrategy[str]:
        """Return a strategy of values that might be stored in place of one."""
        near: list[str] = ["garbage", "", "0", "1", "-3"]
        if value.lstrip("-").isdecimal():
            near += [str(int(value) + 1), str(int(value) - 1), str(int(value) + 1000)]
        else:
            near += [value + "1", value[:-1]]
        return st.sampled_from([one for one in sorted({*others, *near}) if one != value])

    def field_set(self) -> st.SearchStrategy[Corruption]:
        parts = self._parts("order", *POSITIONS, "applied", "book", "request")

        def changed(part: Part) -> st.SearchStrategy[Corruption]:
            key, name = part
            others = sorted(self._values[kind_of(key), name.partition(":")[0]])
            return self._other(self._image[part], others).map(lambda value: self.set_field(part, value))

        return st.sampled_from(parts).flatmap(changed)

    def set_field(self, part: Part, value: str) -> Corruption:
        key, name = part
        if kind_of(key) == "request":
            return Corruption("set", part, [("SET", key, value, "KEEPTTL")])
        return Corruption("set", part, [("HSET", key, name, value)])

    def field_gone(self) -> st.SearchStrategy[Corruption]:
        parts = self._parts("order", *POSITIONS, "applied", "book")
        extra = sorted({key for key, _ in parts})
        return st.sampled_from(parts).map(lambda part: Corruption("gone", part, [("HDEL", *part)])) | st.sampled_from(
            extra
        ).map(lambda key: Corruption("set", (key, "another"), [("HSET", key, "another", "1")]))

    def key_gone(self) -> st.SearchStrategy[Corruption]:
        return st.sampled_from(self._keys).map(lambda key: Corruption("del", (key, ""), [("DEL", key)]))

    def expiry(self) -> st.SearchStrategy[Corruption]:
        def changed(key: str) -> st.SearchStrategy[Corruption]:
            times = [("PEXPIREAT", key, 9_999_999_999_999), ("PEXPIREAT", key, 8_888_888_888_888), ("PERSIST", key)]
            return st.sampled_from(times).map(lambda command: Corruption("ttl", (key, "(expiry)"), [command]))

        return st.sampled_from(self._keys).flatmap(changed)

    def entry(self) -> st.SearchStrategy[Corruption]:
        indexes = [key for key in self._keys if kind_of(key).startswith("orders_by")]
        ids = sorted({name_of(key) for key in self._keys if kind_of(key) == "order"} | {"ghost"})
        scores = sorted({value for (key, _), value in self._image.items() if key in indexes} - {"-1"})
        scores += ["9999999999999", "5"]
        listed = [(key, one) for key, one in self._parts("orders_by_status", "orders_by_symbol")]
        added = st.tuples(st.sampled_from(indexes), st.sampled_from(ids), st.sampled_from(scores)).map(
            lambda at: Corruption("entry", (at[0], at[1]), [("ZADD", at[0], at[2], at[1])])
        )
        gone = st.sampled_from(listed).map(lambda part: Corruption("entry gone", part, [("ZREM", *part)]))
        scored = st.tuples(st.sampled_from(listed), st.sampled_from(scores)).map(
            lambda at: Corruption("score", at[0], [("ZADD", at[0][0], at[1], at[0][1])])
        )
        return added | gone | scored

    def symbol(self) -> st.SearchStrategy[Corruption]:
        def of(kind: str, other: str) -> st.SearchStrategy[Corruption]:
            key, names = self._tag + kind, [name for _, name in self._parts(kind)]
            gone = st.sampled_from(names).map(lambda one: Corruption("symbol gone", (key, one), [("SREM", key, one)]))
            return gone | st.just(Corruption("symbol", (key, other), [("SADD", key, other)]))

        return of("positions", "IBM") | of("account_positions", "a%3Ab:IBM") | of("account_positions", "nothing")

    def stray(self) -> st.SearchStrategy[Corruption]:
        """Return a strategy of records under keys that no index lists."""
        copied = st.sampled_from([key for key in self._keys if kind_of(key) in ("order", *POSITIONS, "applied")])
        return copied.map(
            lambda key: Corruption(
                "copy",
                (f"{self._tag}{kind_of(key)}:{'Z:' if kind_of(key) == 'account_position' else ''}ZZ", ""),
                [("COPY", key, f"{self._tag}{kind_of(key)}:{'Z:' if kind_of(key) == 'account_position' else ''}ZZ")],
            )
        )

    def replaced(self) -> st.SearchStrategy[Corruption]:
        """Return a strategy of records that are replaced whole by another of their kind, in all their fields."""

        def by_another(key: str) -> st.SearchStrategy[Corruption]:
            others = [one for one in self._keys if kind_of(one) == kind_of(key) and one != key]
            return st.sampled_from(others).map(
                lambda one: Corruption("replaced", (key, ""), [("COPY", one, key, "REPLACE")])
            )

        kinds = ("order", *POSITIONS, "applied", "request", "orders_by_symbol", "orders_by_status")
        keys = [key for key in self._keys if kind_of(key) in kinds]
        return st.sampled_from([key for key in keys if sum(kind_of(one) == kind_of(key) for one in keys) > 1]).flatmap(
            by_another
        )

    def event_field(self) -> st.SearchStrategy[Corruption]:
        fields = [(number, name) for number, (_, event) in enumerate(self._events) for name in event]
        fields += [(number, name) for number in range(len(self._events)) for name in ("text", "late", "odd")]

        def changed(at: tuple[int, str]) -> st.SearchStrategy[Corruption]:
            number, name = at
            value = self._events[number][1].get(name, "")
            others = sorted({event[name] for _, event in self._events if name in event})
            gone = [None] if value else []
            return (self._other(value, others) | st.sampled_from(gone or ["1"])).map(
                lambda other: self.set_event(number, name, other)
            )

        return st.sampled_from(fields).flatmap(changed)

    def set_event(self, number: int, name: str, value: str | None) -> Corruption:
        """Return the damage to one field of the event at a place."""
        key, event_id = self._tag + "events", self._events[number][0]
        return Corruption("event", (key, f"{event_id} {name}"), [("rewrite", key, event_id, {name: value})])

    def event_whole(self) -> st.SearchStrategy[Corruption]:
        """Return a strategy of events that are changed in all that they say of a position."""
        last = {one["symbol"]: at for at, (_, one) in enumerate(self._events) if "position_quantity" in one}
        places = [at for at, (_, one) in enumerate(self._events) if "position_quantity" in one]
        places += [
            at for at in last.values() for _ in range(10)
        ]  # nothing comes after these that could contradict them
        return st.tuples(st.sampled_from(places), st.sampled_from([1, 7, 50])).map(lambda at: self._moved(*at))

    def _moved(self, number: int, more: int) -> Corruption:
        event_id, event = self._events[number]
        changes: dict[str, str | None] = {"position_quantity": _plus(event["position_quantity"], more)}
        if event["type"] == "POSITION":
            changes["position_change"] = _plus(event["position_change"], more)
        else:
            buys, amount = event["side"] == "BUY", Decimal(event["last_price"]) * more
            held = _plus(event["position_quantity"], more if buys else -more)
            version, notional, *totals = (whole_totals(event) or "").split(" ")
            at = 0 if buys else 1
            totals[at] = _plus(totals[at], more)
            totals[at + 2] = plain(Decimal(totals[at + 2]) + amount)
            changes = {
                "position_quantity": held,
                "last_quantity": _plus(event["last_quantity"], more),
                "filled_quantity": _plus(event["filled_quantity"], more),
                "quantity": _plus(event["quantity"], more),
                "totals": " ".join([version, plain(Decimal(notional) + amount), *totals]),
            }
        key = self._tag + "events"
        return Corruption("event whole", (key, event_id), [("rewrite", key, event_id, changes)])

    def event_gone(self) -> st.SearchStrategy[Corruption]:
        key = self._tag + "events"
        ids = [event_id for event_id, _ in self._events]
        following = f"{int(ids[-1].partition('-')[0]) + 1}-0"
        gone = st.sampled_from(ids).map(lambda one: Corruption("event gone", (key, one), [("XDEL", key, one)]))
        forged = st.sampled_from(self._events).map(
            lambda one: Corruption(
                "event forged",
                (key, following),
                [("XADD", key, following, *(word for pair in one[1].items() for word in pair))],
            )
        )
        return gone | forged

    def _entries(self) -> list[tuple[str, dict[str, str]]]:
        key = self._tag + "events"
        found = [(name, value.split("\n")) for (one, name), value in self._image.items() if one == key]
        entries = [(name, mapping(cast(Reply, words))) for name, words in found if name != "(expiry)"]
        return sorted(entries, key=lambda entry: int(entry[0].partition("-")[0]))

    def is_stored_once(self, corruption: Corruption) -> bool:
        """Return True for damage to what nothing else records, in a book with all events: see ``ONLY_ONCE``."""
        key, name = corruption.part
        match kind_of(key):
            case "request":
                return corruption.what in ("del", "ttl") or self._is_other_limit(corruption)
            case "orders_by_status" | "orders_by_symbol":
                return corruption.what == "entry" and corruption.commands[0][2] == "5"
            case "events" if corruption.what == "event":
                event_id, _, field = name.partition(" ")
                return self._is_event_field_stored_once(event_id, field)
            case _:
                return False

    def each_field(self) -> list[Corruption]:
        """Return one change of each field of each hash and each event, to a value that is well formed."""
        found = [
            self.set_field(part, near(self._image[part]))
            for part in self._parts("order", *POSITIONS, "applied", "book", "request")
        ]
        for number, (_, event) in enumerate(self._events):
            found += [self.set_event(number, name, near(value)) for name, value in event.items()]
        return found

    def all_stored_once(self) -> list[Corruption]:
        """Return one change of each part that nothing else records."""
        changes = [
            self.set_event(number, name, "1" if name in ("ts_ns", "count") else "odd")
            for number, (_, event) in enumerate(self._events)
            for name in ("ts_ns", "writer", "count")
            if name in event
        ]
        changes += [Corruption("del", (key, ""), [("DEL", key)]) for key in self._keys if kind_of(key) == "request"]
        return [one for one in changes if self.is_stored_once(one)]

    def _is_event_field_stored_once(self, event_id: str, field: str) -> bool:
        numbers = {one: number for number, (one, _) in enumerate(self._events)}
        number, last = numbers[event_id], len(self._events) - 1
        event = self._events[number][1]
        if field in ("writer", "count"):
            return number != last
        later = [one for _, one in self._events[number + 1 :]]
        order_id, symbol = event.get("order_id"), event["symbol"]
        is_placed_again = any(one.get("order_id") == order_id and one["type"] == "NEW" for one in later)
        is_stored = (
            order_id is not None and (self._order_key(order_id), "symbol") in self._image and not is_placed_again
        )
        if field == "ts_ns":
            is_last_of_order = is_stored and all(one.get("order_id") != order_id for one in later)
            has_position = "position_quantity" in event
            is_last_of_position = has_position and not any(
                one["symbol"] == symbol and "position_quantity" in one for one in later
            )
            is_last_of_position |= self._is_last_of_an_account(event, later)
            return not (is_last_of_order or is_last_of_position or (event["type"] == "NEW" and is_stored))
        if order_id is None:
            return False
        if field == "text" and event["type"] == "NEW":
            following = next((one["type"] for one in later if one.get("order_id") == order_id), "TRADE")
            return not is_stored or following != "TRADE"
        return not is_stored and field in (*_OF_REQUESTS, "text", "exec_id", "request_id", "price", "quantity")

    def _is_last_of_an_account(self, event: dict[str, str], later: Sequence[dict[str, str]]) -> bool:
        following = [_accounts_in(one) for one in later if one["symbol"] == event["symbol"]]
        return any(all(account not in accounts for accounts in following) for account in _accounts_in(event))

    def _is_other_limit(self, corruption: Corruption) -> bool:
        """Return True when all that is changed of a remembered request is its limit."""
        before, after = self._image[corruption.part], str(corruption.commands[0][2])
        return before.rpartition(" ")[0] == after.rpartition(" ")[0] and after.rpartition(" ")[2] != "garbage"

    def _order_key(self, order_id: str) -> str:
        return f"{self._tag}order:{order_id}"

    def together(self) -> st.SearchStrategy[tuple[Corruption, Corruption]]:
        """Return a strategy of two places of one fact that are changed to the same value."""
        return st.sampled_from([*self._of_orders(), *self._of_positions()])

    def _of_orders(self) -> list[tuple[Corruption, Corruption]]:
        pairs: list[tuple[Corruption, Corruption]] = []
        last = {event["order_id"]: number for number, (_, event) in enumerate(self._events) if "order_id" in event}
        for key in self._keys:
            if kind_of(key) != "order" or name_of(key) not in last:
                continue
            number = last[name_of(key)]
            for name, value in _FACTS:
                if name in self._events[number][1] and self._image.get((key, name)) not in (None, value):
                    pairs.append((self.set_field((key, name), value), self.set_event(number, name, value)))
        return pairs

    def _of_positions(self) -> list[tuple[Corruption, Corruption]]:
        pairs: list[tuple[Corruption, Corruption]] = []
        last = {event["symbol"]: at for at, (_, event) in enumerate(self._events) if "position_quantity" in event}
        for symbol, number in last.items():
            event = self._events[number][1]
            quantity, position = _plus(event["position_quantity"], 7), f"{self._tag}position:{symbol}"
            shifted = self.set_event(number, "position_quantity", quantity)
            pairs.append((shifted, self.set_field((position, "quantity"), quantity)))
            for name in ("position_change", "last_quantity"):
                if name in event:
                    pairs.append((shifted, self.set_event(number, name, _plus(event[name], 7))))
            totals = (whole_totals(event) or "").split(" ")
            for at, name in zip(range(-len(_TOTALS), 0), _TOTALS, strict=True):
                changed = " ".join([*totals[:at], str(int(float(totals[at])) + 7), *totals[len(totals) + at + 1 :]])
                value = str(int(float(totals[at])) + 7)
                rewritten = self.set_event(number, "totals", changed)
                pairs.append((rewritten, self.set_field((position, name), value)))
                for other in ("last_quantity", "last_price"):
                    if other in event:
                        pairs.append((rewritten, self.set_event(number, other, "7")))
            if "ts_ns" in event:
                times = self.set_event(number, "ts_ns", "77"), self.set_field((position, "updated_ns"), "77")
                pairs.append(times)
        return pairs


def _accounts_in(event: dict[str, str]) -> set[str]:
    found = json.loads(event.get("accounts", "{}"))
    return {*found, *([event["account"]] if "account" in event else [])}


def _plus(value: str, more: int) -> str:
    return plain(EXACT.add(Decimal(value), Decimal(more)))


_FACTS = (
    *(("symbol", "AAPL"), ("symbol", "MSFT"), ("side", "BUY"), ("side", "SELL"), ("quantity", "77")),
    *(("status", "FILLED"), ("status", "CANCELED"), ("status", "NEW"), ("price", "7.5"), ("filled_quantity", "7")),
)
_TOTALS = (
    *("bought_quantity", "sold_quantity", "bought_notional", "sold_notional", "version"),
    *("open_cost", "realized_profit"),
)
