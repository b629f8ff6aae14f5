"""Check that a set of sentinels can replace the primary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from .config import MASTER_NAME
from .readiness import Pending
from .server import Server


def sentinels_pending(sentinels: Sequence[Server], replicas: int) -> Pending | None:
    """Return the first sign that a sentinel does not see the primary, its replicas and the other sentinels yet."""
    for sentinel in sentinels:
        # Asked first, because it comes last, a second after the rest: until then nothing else is asked.
        others = _records(sentinel.ask("SENTINEL", "SENTINELS", MASTER_NAME))
        reached = sum(each.get("flags") == "sentinel" for each in others)
        if reached < len(sentinels) - 1:
            return Pending(sentinel, f"reaches {reached} of {len(sentinels) - 1} other sentinels")
        (primary,) = _records([sentinel.ask("SENTINEL", "MASTER", MASTER_NAME)])
        if primary.get("flags") != "master":
            return Pending(sentinel, "does not reach the primary")
        seen = _records(sentinel.ask("SENTINEL", "REPLICAS", MASTER_NAME))
        linked = sum(each.get("flags") == "slave" and each.get("master-link-status") == "ok" for each in seen)
        if linked < replicas:
            return Pending(sentinel, f"sees {linked} of {replicas} replicas linked")
    return None


def _records(reply: object) -> list[dict[str, str]]:
    # Each record is a flat list of names and values in turn.
    rows = cast("list[list[str]]", reply)
    return [dict(zip(row[::2], row[1::2], strict=True)) for row in rows]
