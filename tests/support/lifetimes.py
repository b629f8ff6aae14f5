"""Read when own records and their entries expire, and let time pass for them without waiting for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from .desk import Desk
from .raw import Reply, mapping


def expiry_of(desk: Desk, key: str) -> str:
    """Return when a key expires, '' for never."""
    return str(desk.ask("PEXPIRETIME", key)).replace("-1", "")


def held(desk: Desk, index: str) -> dict[str, str]:
    """Return the members of an index, each with when it expires: '' for never.

    With the last of them the index ends, and the set beside it with it; neither does while a member stays for good.
    """
    head, colon, value = index.removeprefix("%:").partition(":")
    beside = f"%:{head}@expiry{colon}{value}"
    expiries = mapping(desk.ask("ZRANGE", beside, 0, -1, "WITHSCORES"))
    members = mapping(desk.ask("ZRANGE", index, 0, -1, "WITHSCORES"))
    assert expiries.keys() <= members.keys()
    ends = max(expiries.values(), key=int) if members and expiries.keys() == members.keys() else ""
    assert not members or expiry_of(desk, index) == ends
    assert not expiries or expiry_of(desk, beside) == ends
    return {member: expiries.get(member, "") for member in members}


def let_pass(ask: Callable[..., Reply], trader: str, kind: str, seconds: int) -> None:
    """Let the records of a kind, and all that names them, expire so many seconds earlier than they would.

    What is remembered of deleted records is left as it is.
    """
    keys = cast("list[str]", ask("KEYS", f"{{{trader}}}:{kind}*"))
    for key in keys:
        if key.partition("}:")[2].partition(":")[0].endswith("@expiry"):
            for member, expiry in mapping(ask("ZRANGE", key, "0", "-1", "WITHSCORES")).items():
                ask("ZADD", key, str(int(expiry) - 1000 * seconds), member)
    for key in keys:
        expiry = int(str(ask("PEXPIRETIME", key)))
        if expiry > 0 and not key.startswith(f"{{{trader}}}:{kind}_deleted:"):
            ask("PEXPIREAT", key, str(expiry - 1000 * seconds))
