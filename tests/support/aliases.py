"""Compare the keys of orders' other ids with what is recorded with the orders, by plain commands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from .fleet import Fleet
from .raw import mapping


def alias_disagreements(fleet: Fleet, keys: Sequence[str], now: int) -> list[str]:
    """Return a line for each other id that is missing, names another order, or lives longer or shorter than its order.

    Args:
        fleet: The servers.
        keys: All keys of a trader.
        now: The server's time in milliseconds; what expires within 50 is left out.
    """
    named: set[tuple[str, str, int]] = set()
    recorded: set[tuple[str, str, int]] = set()
    for key in keys:
        base, _, rest = key.partition("}:")
        kind, _, name = rest.partition(":")
        if kind == "alias":
            expiry = cast(int, fleet.ask(key, "PEXPIRETIME", key))
            if expiry == -1 or expiry > now + 50:
                named.add((key, str(fleet.ask(key, "GET", key)), expiry))
        elif kind == "applied":
            order = f"{base}}}:order:{name}"
            expiry = cast(int, fleet.ask(order, "PEXPIRETIME", order))
            ids = [field for field in mapping(fleet.ask(key, "HGETALL", key)) if field.startswith("alias:")]
            count = fleet.ask(order, "HGET", order, "aliases")
            if expiry == -1 or expiry > now + 50:
                recorded.update((f"{base}}}:{field}", name, expiry) for field in ids)
                if count != (str(len(ids)) if ids else None):
                    return [f"{order} says that it has {count} other ids, and has {ids}"]
    return [f"recorded, but no key: {one}" for one in sorted(recorded - named)] + [
        f"a key, but not recorded: {one}" for one in sorted(named - recorded)
    ]
