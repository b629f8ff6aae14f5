"""Find keys that a test must not leave in the store: every key either expires, or belongs to a lasting record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias, cast

from slotbook.models.enums import OrderStatus

from .aliases import alias_disagreements
from .fleet import Fleet
from .own_records import is_own, kinds_among, own_disagreements, own_order_disagreements
from .raw import Raw, mapping

Lasts: TypeAlias = Callable[[Fleet, str, str], bool]
"""Return True if a key may lack an expiry; given the fleet, the base of the trader's keys, and the rest of the key."""

_OPEN = {status.value for status in OrderStatus if status.is_open}


def _always(fleet: Fleet, base: str, rest: str) -> bool:
    return True


def _never(fleet: Fleet, base: str, rest: str) -> bool:
    return False


def _while_its_order_is_open(fleet: Fleet, base: str, rest: str) -> bool:
    order_id = rest.partition(":")[2]
    return fleet.ask(base, "HGET", f"{base}order:{order_id}", "status") in _OPEN


def _while_it_names_an_open_order(fleet: Fleet, base: str, rest: str) -> bool:
    return fleet.ask(base, "HGET", f"{base}order:{fleet.ask(base, 'GET', base + rest)}", "status") in _OPEN


def _while_it_lists_an_open_order(fleet: Fleet, base: str, rest: str) -> bool:
    return fleet.ask(base, "ZCOUNT", base + rest, "+inf", "+inf") != 0


def _while_it_lists_an_order_that_stays(fleet: Fleet, base: str, rest: str) -> bool:
    head, _, value = rest.partition(":")
    head = head.removesuffix("@expiry")
    index, beside = f"{base}{head}:{value}", f"{base}{head}@expiry:{value}"
    return fleet.ask(base, "ZCARD", index) != fleet.ask(base, "ZCARD", beside)


LASTING: Mapping[str, Lasts] = {
    "order": _while_its_order_is_open,
    "applied": _while_its_order_is_open,
    "alias": _while_it_names_an_open_order,
    "orders_by_status": _while_it_lists_an_open_order,
    "orders_by_symbol": _while_it_lists_an_open_order,
    "book": _always,
    "position": _always,
    "positions": _always,
    "account_position": _always,
    "account_positions": _always,
    "events": _always,
    "request": _never,
    "limit": _never,
    "limits": _always,
    "lock": _always,
    "permit": _never,
    "session": _never,
    "sessions": _never,
    "swapped": _never,
    "value": _always,
}


def keys_of(fleet: Fleet, trader: str) -> list[str]:
    """Return every key that carries a trader's tag, whatever its prefix."""
    return sorted(_scan(fleet.raw(f"{{{trader}}}"), f"*{{{trader}}}*"))


def keys_of_all(fleet: Fleet, traders: Sequence[str]) -> dict[str, list[str]]:
    """Return the keys of many traders at once."""
    if len(traders) < 5:
        return {trader: keys_of(fleet, trader) for trader in traders}
    found: dict[str, list[str]] = {trader: [] for trader in traders}
    for raw in fleet.raws.values():
        for key in _scan(raw, "*{*}*"):
            trader = key.partition("{")[2].partition("}")[0]
            if trader in found:
                found[trader].append(key)
    return found


def _scan(raw: Raw, pattern: str) -> set[str]:
    cursor, found = "0", set[str]()
    while True:
        reply = raw.ask("SCAN", cursor, "MATCH", pattern, "COUNT", 10_000)
        cursor, page = cast("tuple[str, list[str]]", tuple(cast("list[object]", reply)))
        found.update(page)
        if cursor == "0":
            return found


def leaks_of(fleet: Fleet, trader: str, keys: Sequence[str]) -> list[str]:
    """Return a line for each of the trader's keys that nothing will ever remove, or that is of no known kind."""
    leaking: list[str] = []
    own = kinds_among(trader, keys)
    left = fleet.raw(f"{{{trader}}}").ask_all([("PTTL", key) for key in keys])
    for key, milliseconds in zip(keys, left, strict=True):
        prefix, _, rest = key.partition(f"{{{trader}}}:")
        head = rest.partition(":")[0]
        lasts = _while_it_lists_an_order_that_stays if head.startswith("orders_by_+") else LASTING.get(head)
        if lasts is None and is_own(head, own):
            lasts = _never if head.endswith("_deleted") else _always
        if lasts is None:
            leaking.append(f"{key} is of no known kind")
        elif milliseconds == -1 and not lasts(fleet, f"{prefix}{{{trader}}}:", rest):
            leaking.append(f"{key} never expires")
    return leaking


def disagreements_of(fleet: Fleet, trader: str, keys: Sequence[str]) -> list[str]:
    """Return a line for each index entry that is missing, has another expiry than its order, or should not be there."""
    now = _server_milliseconds(fleet, trader)
    stored: set[tuple[str, str, str]] = set()
    listed: set[tuple[str, str, str]] = set()
    wanted: dict[str, set[tuple[str, str]]] = {key: set() for key in keys if "}:orders_by_+" in key}
    for key in keys:
        prefix, _, rest = key.partition(f"{{{trader}}}:")
        kind, _, name = rest.partition(":")
        if kind == "order":
            order = mapping(fleet.ask(key, "HGETALL", key))
            expiry = cast(int, fleet.ask(key, "PEXPIRETIME", key))
            score = "inf" if expiry == -1 else str(expiry)
            for one in (one for one in order.get("@own", "").split() if f"+{one}" in order):
                index = f"{prefix}{{{trader}}}:orders_by_+{one}:{order[f'+{one}']}"
                wanted.setdefault(index, set()).add((name, score))
            if order and (expiry == -1 or expiry > now + 50):
                stored.add((f"{prefix}orders_by_status:{order['status']}", name, score))
                stored.add((f"{prefix}orders_by_symbol:{order['symbol']}", name, score))
        elif kind in {"orders_by_status", "orders_by_symbol"}:
            entries = mapping(fleet.ask(key, "ZRANGE", key, 0, -1, "WITHSCORES"))
            listed.update((prefix + rest, name, score) for name, score in entries.items() if float(score) > now + 50)
    return (
        alias_disagreements(fleet, keys, now)
        + own_disagreements(fleet, trader, keys)
        + own_order_disagreements(fleet, wanted)
        + [f"stored but not listed: {one}" for one in sorted(stored - listed)]
        + [f"listed but not stored: {one}" for one in sorted(listed - stored)]
    )


def _server_milliseconds(fleet: Fleet, trader: str) -> int:
    seconds, micros = cast("list[str]", fleet.ask(f"{{{trader}}}", "TIME"))
    return int(seconds) * 1000 + int(micros) // 1000


def wipe(fleet: Fleet, trader: str, keys: Sequence[str] | None = None) -> None:
    """Remove a trader's keys."""
    keys = keys_of(fleet, trader) if keys is None else keys
    if keys:
        fleet.ask(keys[0], "UNLINK", *keys)
