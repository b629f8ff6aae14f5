"""Find own records that do not agree with their indexes and unique values, by what the trader's header says of them.

What is compared here is written by hand: of the product's code only the tests' own words for keys are shared.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any, cast

from .fleet import Fleet
from .raw import Reply, mapping

KeyAndExpiry = tuple[str, str]


def kinds_among(trader: str, keys: Sequence[str]) -> set[str]:
    """Return the kinds of own records that a trader has, or has had and remembers."""
    heads = {key.partition(f"{{{trader}}}:")[2].partition(":")[0] for key in keys}
    return {head.removesuffix(end) for end in ("_keys", "_deleted") for head in heads if head.endswith(end)}


def is_own(head: str, kinds: set[str]) -> bool:
    """Return True for the first part of a key of an own record, or of an index or a unique value."""
    ends = ("_by_", "_sorted_", "_unique_", "_keys", "_deleted")
    return any(head == kind or head.startswith(tuple(kind + end for end in ends)) for kind in kinds)


def own_disagreements(fleet: Fleet, trader: str, keys: Sequence[str]) -> list[str]:
    """Return a line for each index, set beside one, or unique value that is not what the records make of it."""
    kinds = kinds_among(trader, keys)
    bases = {key.partition(f"{{{trader}}}:")[0] + f"{{{trader}}}:" for key in keys}
    return [
        line for base in sorted(bases) for kind in sorted(kinds) for line in _disagreements(fleet, base, kind, keys)
    ]


def own_order_disagreements(fleet: Fleet, wanted: dict[str, set[KeyAndExpiry]]) -> list[str]:
    """Return a line for each index of an own field of orders, or set beside one, that is not as the orders make it.

    Args:
        fleet: The servers.
        wanted: By index, the ids of its orders and when they expire; a set beside one that is there may be among them.
    """
    found: list[str] = []
    for key in sorted(wanted):
        base, tag, rest = key.partition("}:")
        head, _, value = rest.partition(":")
        index = f"{base}{tag}{head.removesuffix('@expiry')}:{value}"
        if key == index or index not in wanted:
            found += _index_disagreements(fleet, index, wanted.get(index, set()), {})
    return found


def _disagreements(fleet: Fleet, base: str, kind: str, keys: Sequence[str]) -> list[str]:
    header = mapping(fleet.ask(base, "HGETALL", base + "book"))
    wanted: dict[str, set[KeyAndExpiry]] = {}
    uniques: dict[str, KeyAndExpiry] = {}
    records: dict[str, dict[str, str]] = {}
    own, raw = [key for key in keys if key.startswith(f"{base}{kind}:")], fleet.raw(base)
    expiries = raw.ask_all([("PEXPIRETIME", key) for key in own])  # first: what expires meanwhile has no fields then
    stored = raw.ask_all([("HGETALL", key) for key in own])
    for key, flat, at in zip(own, stored, expiries, strict=True):
        if fields := mapping(flat):
            name, expiry = key.removeprefix(f"{base}{kind}:"), _ending(at)
            indexes, single, ordered = header[f"fields:{kind}:{fields['@schema']}"].split("|")
            records[name] = fields
            for index in [
                f"{base}{kind}_keys",
                *_by(base, kind, fields, indexes),
                *_sorted(base, kind, fields, ordered),
            ]:
                wanted.setdefault(index, set()).add((name, expiry))
            for field in single.split():
                if field in fields:
                    uniques[f"{base}{kind}_unique_{field}:{fields[field]}"] = (name, expiry)
    found: list[str] = []
    for key in {*wanted, *uniques, *(key for key in keys if _is_index(key, base, kind))}:
        if f"{kind}_unique_" in key.partition(base)[2].partition(":")[0]:
            owner = fleet.ask(key, "GET", key)
            held = None if owner is None else (str(owner), _expiry(fleet, key))
            has = uniques.get(key)
            ends = has is not None and has[1] != "inf" and int(has[1]) <= _milliseconds(fleet, key) + 50
            if held != has and not ends:
                found.append(f"{key} is of {held}, not of {uniques.get(key)}")
        else:
            found += _index_disagreements(fleet, key, wanted.get(key, set()), records)
    return found


def _index_disagreements(
    fleet: Fleet, key: str, wanted: set[KeyAndExpiry], records: dict[str, dict[str, str]]
) -> list[str]:
    """Return what is wrong with an index and the set beside it; what has expired may still be in both."""
    head, colon, value = key.partition("}:")[2].partition(":")
    field = head.partition("_sorted_")[2]
    beside = key.partition("}:")[0] + "}:" + head + "@expiry" + colon + value
    members = cast("list[str]", fleet.ask(key, "ZRANGE", key, 0, -1))
    expiries = mapping(fleet.ask(key, "ZRANGE", beside, 0, -1, "WITHSCORES"))
    names = {member: member.partition(":")[2] if field else member for member in members}
    now = _milliseconds(fleet, key)
    live = {member for member in members if member not in expiries or int(expiries[member]) > now}
    listed = {(names[member], expiries.get(member, "inf")) for member in live}
    found = [f"{key} has {one}, and should not" for one in sorted(listed - wanted)]
    found += [
        f"{key} does not have {one}" for one in sorted(wanted - listed) if one[1] == "inf" or int(one[1]) > now + 50
    ]
    found += [f"{beside} has {one}, which {key} does not" for one in sorted(expiries.keys() - names.keys())]
    scores = set(mapping(fleet.ask(key, "ZRANGE", key, 0, -1, "WITHSCORES")).values())
    lasts = max(map(int, expiries.values()), default=-1)
    if scores - {"0"}:
        found.append(f"{key} has the scores {scores}")
    ends = str(lasts) if members and len(expiries) == len(members) else "inf"
    for one in [*([beside] if expiries else []), *([key] if members else [])]:
        at = _expiry(fleet, one)
        has_expired = at == "-2" and ends != "inf" and _milliseconds(fleet, one) >= int(ends)
        if at != ends and not has_expired:
            found.append(f"{one} expires at {at}, not at {ends}")
    order = [
        (_value(records[name][field]), name.encode())
        for name in (names[member] for member in members if field and member in live)
        if name in records
    ]
    found += [f"{key} has {one} before {other}" for one, other in pairwise(order) if not one < other]
    return found


def _by(base: str, kind: str, fields: dict[str, str], indexes: str) -> list[str]:
    return [f"{base}{kind}_by_{field}:{fields[field]}" for field in indexes.split() if field in fields]


def _sorted(base: str, kind: str, fields: dict[str, str], ordered: str) -> list[str]:
    names = [one.partition(":")[0] for one in ordered.split()]
    return [f"{base}{kind}_sorted_{name}" for name in names if name in fields]


def _value(written: str) -> Any:
    """Return the number or time that a text says, in a form in which all of a field can be compared."""
    try:
        return Decimal(written)
    except ArithmeticError:
        moment = datetime.fromisoformat(written) if "T" in written else date.fromisoformat(written)
        return (written.endswith("Z"), moment)


def _is_index(key: str, base: str, kind: str) -> bool:
    head = key.removeprefix(base).partition(":")[0]
    starts = (f"{kind}_by_", f"{kind}_sorted_", f"{kind}_unique_")
    return key.startswith(base) and "@" not in head and (head == f"{kind}_keys" or head.startswith(starts))


def _expiry(fleet: Fleet, key: str) -> str:
    """Return when a key expires, in milliseconds since the epoch; ``inf`` for never."""
    return _ending(fleet.ask(key, "PEXPIRETIME", key))


def _ending(at: Reply) -> str:
    return str(at).replace("-1", "inf")


def _milliseconds(fleet: Fleet, key: str) -> int:
    seconds, micros = cast("list[str]", fleet.ask(key, "TIME"))
    return int(seconds) * 1000 + int(micros) // 1000
