"""Read and write the limits that lie as doubles beside what an order reads: in the header, and in a position."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from math import inf

from .desk import Desk

NO_LIMIT = inf


def read(desk: Desk, key: str) -> list[float]:
    """Return the doubles in a key's field, without the mark that may be behind them."""
    found = str(desk.ask("HGET", key, "limits")).encode("utf-8", "surrogateescape")
    return [*struct.unpack(f"<{len(found) // 8}d", found[: len(found) // 8 * 8])]


def packed(values: Sequence[float], mark: str = "") -> bytes:
    """Return doubles, and the mark of a header behind them."""
    return struct.pack(f"<{len(values)}d", *values) + mark.encode()
