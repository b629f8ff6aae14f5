"""Judge a race at limits by the events that are left: fold orders, positions, limits and the switch, each by itself."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from slotbook.models import EventType, OrderEvent, Position

from .limit_racer import Call

IDENTITY = {"place": "order_id", "fill": "exec_id"}
"""The field of an event that has a call's id; else request_id."""
KIND = {
    **{"place": EventType.NEW, "fill": EventType.TRADE, "replace": EventType.REPLACED, "cancel": EventType.CANCELED},
    **{"trading": EventType.TRADING, "limits": EventType.LIMITS},
}
ONLY_COUNTED = "orders_per_second"


@dataclass
class Working:
    """An order as events leave it."""

    symbol: str
    buys: bool
    quantity: Decimal
    price: Decimal
    filled: Decimal = Decimal(0)
    is_open: bool = True
    account: str | None = None

    @property
    def left(self) -> Decimal:
        return max(Decimal(0), self.quantity - self.filled) if self.is_open else Decimal(0)


@dataclass
class Desk:
    """A trader's book as events leave it."""

    orders: dict[str, Working] = field(default_factory=dict[str, Working])
    held: Counter[str] = field(default_factory=Counter[str])
    accounts: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    """What orders that name an account have traded for it, by symbol and account."""
    limits: dict[str | None, dict[str, Decimal]] = field(default_factory=dict[str | None, dict[str, Decimal]])
    trading: str = "ACTIVE"

    def fold(self, event: OrderEvent) -> str:
        """Take one event; return what is wrong with it, '' for nothing."""
        problem = ""
        if event.type is EventType.TRADING:
            self.trading = str(event.trading)
        elif event.type is EventType.LIMITS:
            given = json.loads(event.limits or "{}")
            self.limits[event.symbol] = {name: Decimal(text) for name, text in given.items()}
        elif event.type in (EventType.NEW, EventType.REPLACED):
            problem = self._ordered(event)
        elif event.type is EventType.TRADE:
            problem = self._traded(event)
        elif event.type is EventType.CANCELED:
            self.orders[event.order_id or ""].is_open = False
        return problem

    def _traded(self, event: OrderEvent) -> str:
        order = self.orders[event.order_id or ""]
        last = Decimal(event.last_quantity or 0)
        signed = int(last) if order.buys else -int(last)
        order.filled += last
        self.held[order.symbol] += signed
        if order.account is not None:
            self.accounts[order.symbol, order.account] += signed
        expected = (order.account, order.account and self.accounts[order.symbol, order.account])
        said = (event.account, event.account_quantity)
        return "" if said == expected else f"{event.trader} {event.sequence}: says {said} of accounts, not {expected}"

    def _ordered(self, event: OrderEvent) -> str:
        name, symbol = event.order_id or "", event.symbol or ""
        was = self.orders.get(name)
        order = Working(symbol, str(event.side) == "BUY", Decimal(event.quantity or 0), Decimal(event.price or 0))
        order.filled = was.filled if was else Decimal(0)
        order.account = was.account if was else json.loads(event.terms or "{}").get("account")
        self.orders[name] = order
        problem = self.forbids(symbol, order, was)
        return f"{event.trader} {event.sequence} {event.type} {name}: {problem}" if problem else ""

    def forbids(self, symbol: str, order: Working, was: Working | None) -> str:
        """Return why an order, which is among those that work already, should have been refused; '' when it passes."""
        if self.trading == "HALTED":
            return "trading is halted"
        held, exposure = self.exposure(symbol, order.buys)
        if abs(exposure) <= abs(held):
            return ""
        if self.trading == "REDUCING":
            return f"does not reduce: {held} would become {exposure}"
        own, whole = self.limits.get(symbol, {}), self.limits.get(None, {})
        raises = was is None or order.quantity > was.quantity
        notional = abs(order.quantity * order.price)
        for limits, name in ((own, "symbol"), (whole, "trader")):
            if raises and order.quantity > limits.get("max_order", order.quantity):
                return f"max_order of the {name}"
            if notional > limits.get("max_notional", notional) and (
                was is None or notional > abs(was.quantity * was.price)
            ):
                return f"max_notional of the {name}"
        most = own.get("max_position", whole.get("max_position"))
        return f"max_position: {exposure}" if raises and most is not None and exposure > most else ""

    def exposure(self, symbol: str, buys: bool) -> tuple[Decimal, Decimal]:
        """Return the position, and what it would be with all filled that is open on a side; above 0 is that side."""
        held = Decimal(self.held[symbol] if buys else -self.held[symbol])
        working = [one.left for one in self.orders.values() if one.symbol == symbol and one.buys is buys]
        return held, held + sum(working, Decimal(0))

    def refuses(self, call: Call) -> bool:
        """Return True when a place or a replace may be refused now, as its caller was told."""
        if self.trading == "HALTED":
            return call.limit == "HALTED"
        was = self.orders.get(call.order_id)
        if call.verb == "replace" and (was is None or not was.is_open):
            return False
        left = was.left if was else Decimal(0)
        filled = was.filled if was else Decimal(0)
        held, exposure = self.exposure(call.symbol, call.side == "BUY")
        exposure += max(Decimal(0), Decimal(call.quantity) - filled) - left
        reduces = abs(exposure) <= abs(held)
        return not reduces and (self.trading == "REDUCING") == (call.limit == "REDUCING")


@dataclass
class Verdict:
    """The findings about a race, and its numbers."""

    calls: Counter[str] = field(default_factory=Counter[str])
    """By verb and what the caller was told."""
    refusals: Counter[str] = field(default_factory=Counter[str])
    """By limit, or the position of the switch."""
    events: int = 0
    lost: int = 0
    """Acknowledged, not there any more, and reported."""
    judged: int = 0
    """Refusals whose moment is known well enough to be judged."""
    desks: dict[str, Desk] = field(default_factory=dict[str, Desk])
    """The book of each trader as its events leave it."""
    accounts: int = 0
    """Positions of accounts that were compared with the orders that name them."""
    problems: list[str] = field(default_factory=list[str])

    @property
    def text(self) -> str:
        """For a reader."""
        lines = [f"{self.events} events, {self.lost} lost and reported, {self.judged} refusals judged"]
        lines += [f"{self.accounts} positions of accounts compared"]
        lines += [f"{name}: {count}" for name, count in sorted((self.calls + self.refusals).items())]
        return "\n".join(lines + self.problems[:40])


def judge(
    events: dict[str, list[OrderEvent]],
    processes: Sequence[tuple[Sequence[Call], Sequence[tuple[str, int, int]]]],
    rates: dict[str, tuple[int, float]],
) -> Verdict:
    """Compare the events that are left with what the processes were told.

    Args:
        events: All events of each trader.
        processes: For each process its calls in their order, and the losses that were reported to it.
        rates: For some traders the orders per second, and how many seconds the race took.
    """
    verdict = Verdict(events=sum(map(len, events.values())))
    for trader, some in events.items():
        numbers = [one.sequence for one in some]
        if numbers != list(range(1, len(numbers) + 1)):
            verdict.problems.append(f"{trader}: its events have gaps")
        desk = verdict.desks[trader] = Desk()
        verdict.problems += [problem for one in some if (problem := desk.fold(one))]
        if trader in rates:
            rate, seconds = rates[trader]
            ordered = sum(one.type in (EventType.NEW, EventType.REPLACED) for one in some)
            if ordered > rate * (seconds + 2):
                verdict.problems.append(f"{trader}: {ordered} orders in {seconds:.1f} s at {rate} per second")
    for calls, losses in processes:
        _judge_process(verdict, events, calls, losses)
    if not any(losses for _, losses in processes):  # else what a refusal was for may be lost, also to who saw no loss
        for trader, some in events.items():
            for calls, _ in processes:
                _judge_refusals(verdict, some, [call for call in calls if call.trader == trader])
    return verdict


def judge_positions(verdict: Verdict, trader: str, whole: Iterable[Position], parts: Iterable[Position]) -> None:
    """Compare a trader's positions, and those of its accounts, with what the orders in the events have traded."""
    desk = verdict.desks[trader]
    held = {one.symbol: one.quantity for one in whole}
    of_accounts = {(one.symbol, one.account or ""): one.quantity for one in parts}
    verdict.accounts += len(of_accounts)
    for found, folded in ((held, desk.held), (of_accounts, desk.accounts)):
        if found != folded:
            verdict.problems.append(f"{trader}: has {found}, its events say {dict(folded)}")


def _judge_process(
    verdict: Verdict,
    events: dict[str, list[OrderEvent]],
    calls: Sequence[Call],
    losses: Iterable[tuple[str, int, int]],
) -> None:
    lost: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for trader, first, last in losses:
        lost[trader].append((first, last))
    there = {(call.verb, call.id): _is_there(events[call.trader], call) for call in calls}
    for call in calls:
        verdict.calls[f"{call.verb} {call.told}"] += 1
        if call.told == "acknowledged" and call.sequence and not there[call.verb, call.id]:
            if any(first <= call.sequence <= last for first, last in lost[call.trader]):
                verdict.lost += 1
            else:
                verdict.problems.append(f"lost, and not reported: {call}, reported {lost[call.trader]}")
        elif call.told == "refused" and call.limit:
            verdict.refusals[f"refused for {call.limit}"] += 1
            if there[call.verb, call.id]:
                verdict.problems.append(f"refused, and there: {call}")


def _is_there(events: Sequence[OrderEvent], call: Call) -> bool:
    if call.told != "refused":
        if not 0 < call.sequence <= len(events):
            return False
        events = events[call.sequence - 1 : call.sequence]
    field_name, kind = IDENTITY.get(call.verb, "request_id"), KIND[call.verb]
    return any(one.type is kind and getattr(one, field_name) == call.id for one in events)


def _judge_refusals(verdict: Verdict, events: Sequence[OrderEvent], calls: Sequence[Call]) -> None:
    """Look for a moment at which each refusal was right: between what its process knew before and what it did next."""
    ends: list[int] = []
    end = len(events)
    for call in reversed(calls):
        ends.append(end)
        if call.told == "acknowledged" and call.sequence:
            end = min(end, call.sequence - 1)
    waiting = [(call, last) for call, last in zip(calls, reversed(ends), strict=True) if call.told == "refused"]
    waiting = [(call, last) for call, last in waiting if call.limit]
    right: set[str] = set()
    desk = Desk()
    for number in range(len(events) + 1):
        if number:
            desk.fold(events[number - 1])
        for call, last in waiting:
            if call.after <= number <= last and call.id not in right and desk.refuses(call):
                right.add(call.id)
    verdict.judged += len(waiting)
    verdict.problems += [f"refused without a reason: {call}" for call, _ in waiting if call.id not in right]
