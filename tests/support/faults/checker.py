"""The judgement after healing: does what is stored agree with what callers were told?"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol, TypeAlias, cast

from .history import CallOutcome, History, Operation

Fields: TypeAlias = dict[str, str]

_KIND_OF = {"NEW": "place", "TRADE": "fill", "REPLACED": "replace", "CANCELED": "cancel", "POSITION": "adjust"}
_ID_OF = {"place": "order_id", "fill": "exec_id", "replace": "request_id", "cancel": "order_id", "adjust": "request_id"}


class Asks(Protocol):
    """A way to ask the primary of a key."""

    def ask(self, key: str, /, *command: str | bytes | int | float) -> object: ...


@dataclass
class Judgement:
    """The result of a check."""

    operations: int = 0
    acknowledged: int = 0
    under_replicated: int = 0
    unknown: int = 0
    not_applied: int = 0
    lost: list[str] = field(default_factory=list[str])
    """Acknowledged, without an effect, and nobody said so."""
    reported: list[str] = field(default_factory=list[str])
    """Acknowledged, without an effect, and reported as lost."""
    doubled: list[str] = field(default_factory=list[str])
    ghosts: list[str] = field(default_factory=list[str])
    """Said to be not applied, but with an effect."""
    disorder: list[str] = field(default_factory=list[str])
    """Gaps in sequences, and records that are not the fold of their events."""
    surprises: list[str] = field(default_factory=list[str])

    @property
    def violations(self) -> list[str]:
        """Everything that must not be."""
        named = {"lost": self.lost, "doubled": self.doubled, "ghost": self.ghosts, "surprise": self.surprises}
        return [f"{name}: {one}" for name, found in named.items() for one in found] + self.disorder


def judge(store: Asks, history: History) -> Judgement:
    """Compare the store with the history; every server must be whole and every caller done."""
    found = Judgement(
        operations=len(history.operations),
        acknowledged=history.count(CallOutcome.ACKNOWLEDGED),
        under_replicated=history.count(CallOutcome.UNDER_REPLICATED),
        unknown=history.count(CallOutcome.UNKNOWN),
        not_applied=history.count(CallOutcome.NOT_APPLIED),
        surprises=list(history.surprises),
    )
    by_trader: defaultdict[str, list[Operation]] = defaultdict(list)
    for operation in history.operations:
        by_trader[operation.trader].append(operation)
    for trader, operations in by_trader.items():
        events = _events(store, trader)
        effects = Counter((_KIND_OF.get(event["type"], "?"), _id(event)) for event in events)
        for operation in operations:
            _judge_one(operation, effects[operation.kind, operation.id], history, found)
        asked = {(operation.kind, operation.id) for operation in operations}
        found.ghosts += [
            f"{trader} {kind} {name} was never asked for" for kind, name in effects if (kind, name) not in asked
        ]
        found.disorder += _disorder(store, trader, events, operations) + _halves(trader, effects, operations)
    return found


def _halves(trader: str, effects: Counter[tuple[str, str]], operations: list[Operation]) -> list[str]:
    """Return the units of which a part is there and a part is not."""
    of: defaultdict[str, list[Operation]] = defaultdict(list)
    for operation in operations:
        if operation.unit:
            of[operation.unit].append(operation)
    there = {name: [one.id for one in parts if effects[one.kind, one.id]] for name, parts in of.items()}
    return [
        f"{trader} unit {name}: of {len(parts)} changes only {there[name]} are there"
        for name, parts in of.items()
        if 0 < len(there[name]) < len(parts)
    ]


def _judge_one(operation: Operation, effects: int, history: History, found: Judgement) -> None:
    name = (
        f"{operation.trader} {operation.kind} {operation.id} ({operation.told}, {operation.error!r}): {effects} effects"
    )
    if effects > 1:
        found.doubled.append(name)
    elif effects == 1 and operation.told in (CallOutcome.NOT_APPLIED, CallOutcome.NOTHING):
        found.ghosts.append(name)
    elif effects == 0 and operation.told is CallOutcome.ACKNOWLEDGED:
        reported = any(
            loss.trader == operation.trader
            and (not operation.sequence or loss.first <= operation.sequence <= loss.last)
            for loss in history.losses
        )
        (found.reported if reported else found.lost).append(name)


def _events(store: Asks, trader: str) -> list[Fields]:
    key = f"{{{trader}}}:events"
    entries = cast("list[tuple[str, list[str]]]", store.ask(key, "XRANGE", key, "-", "+"))
    return [{"id": entry[0], **_fields(entry[1])} for entry in entries]


def _id(event: Fields) -> str:
    return event.get(_ID_OF.get(_KIND_OF.get(event["type"], ""), ""), "?")


def _disorder(store: Asks, trader: str, events: list[Fields], operations: list[Operation]) -> list[str]:
    """Gaps, and records that are not what their events add up to."""
    wrong = [
        f"{trader}: event {event['id']} in place of {number}-0"
        for number, event in enumerate(events, 1)
        if event["id"] != f"{number}-0"
    ][:3]
    deltas = {operation.id: operation.delta for operation in operations if operation.kind == "adjust"}
    orders: dict[str, Fields] = {}
    held: dict[str, list[int]] = {}
    notional: defaultdict[str, Decimal] = defaultdict(Decimal)
    for event in events:
        if order_id := event.get("order_id"):
            was = orders.get(order_id, {})
            orders[order_id] = {**was, **event, "version": str(int(was.get("version", "0")) + 1)}
        if event["type"] not in ("TRADE", "POSITION"):
            continue
        position = held.setdefault(event["symbol"], [0, 0])
        last = int(event.get("last_quantity", "0"))
        change = deltas.get(event.get("request_id", ""), 0)
        position[0] += change if event["type"] == "POSITION" else last if event["side"] == "BUY" else -last
        position[1] += 1
        notional[event["symbol"]] += last * Decimal(event.get("last_price", "0"))
        if int(event["position_quantity"]) != position[0]:
            wrong.append(f"{trader}: event {event['id']} says {event['position_quantity']}, its fold is {position[0]}")
    for order_id, told in orders.items():
        stored = _hash(store, f"{{{trader}}}:order:{order_id}")
        for name in ("status", "quantity", "version", "price"):
            if stored.get(name) != told.get(name):
                wrong.append(f"{trader} order {order_id}: {name} {stored.get(name)}, by its events {told.get(name)}")
        if stored.get("filled_quantity") != told.get("filled_quantity", "0"):
            wrong.append(f"{trader} order {order_id}: filled {stored.get('filled_quantity')}, by its events {told}")
    for symbol, (quantity, version) in held.items():
        stored = _hash(store, f"{{{trader}}}:position:{symbol}")
        traded = Decimal(stored.get("bought_notional", "0")) + Decimal(stored.get("sold_notional", "0"))
        is_there = stored.get("quantity"), stored.get("version"), traded
        if is_there != (str(quantity), str(version), notional[symbol]):
            wrong.append(f"{trader} {symbol}: stored {is_there}, its fold is {quantity, version, notional[symbol]}")
    return wrong


def _hash(store: Asks, key: str) -> Fields:
    return _fields(cast("list[str]", store.ask(key, "HGETALL", key)))


def _fields(flat: list[str]) -> Fields:
    return dict(zip(flat[::2], flat[1::2], strict=True))
