"""The cases of the scripts that look for records of an older schema, and that mark a trader."""

from __future__ import annotations

from collections.abc import Mapping

Words = tuple[str | int, ...]

KEYS = {
    "book": "{NAME}:book",
    "all": "{NAME}:lot_keys",
    "run": "{NAME}:lot_migrating:r",
}
WITH_EVENTS = {**KEYS, "events": "{NAME}:events"}
HEADER: Words = ("HSET", "{NAME}:book", "format", 1, "sequence", 1, "schema:lot", 1)
MARKED: Words = (*HEADER[:-1], 2)
OLD: Words = ("HSET", "{NAME}:lot:L1", "@schema", 1, "version", 1)
NEW: Words = ("HSET", "{NAME}:lot:L1", "@schema", 2, "version", 1)
LISTED: Words = ("ZADD", "{NAME}:lot_keys", 0, "L1")
EXPIRING: Words = ("ZADD", "{NAME}:lot_keys@expiry", 4 * 10**12, "L1")
EXPIRED: tuple[Words, ...] = (("ZADD", "{NAME}:lot_keys", 0, "L9"), ("ZADD", "{NAME}:lot_keys@expiry", 5, "L9"))
STEP: Words = ("SET", "{NAME}:lot_migrating:r", 1)
EVENTS: tuple[Words, ...] = (
    ("XADD", "{NAME}:events", "1-0", "kind", "lot", "key", "L1"),
    ("XADD", "{NAME}:events", "2-0", "kind", "lot", "key", "L9"),
)
GIVEN: Mapping[str, object] = {"kind": "lot", "schema": 2, "base": "{NAME}:lot:", "limit": 10}
FIRST = {**GIVEN, "number": 1, "after": "", "written": ["L9"]}
NEXT = {**GIVEN, "number": 2, "declared": "||", "since": 0, "written": ["L9"]}

SCHEMA_CASES: Mapping[str, tuple[str, Mapping[str, object], Mapping[str, object], tuple[Words, ...]]] = {
    "a page": ("records/older", KEYS, FIRST, (HEADER, OLD, LISTED)),
    "a page of what expires": ("records/older", KEYS, FIRST, (HEADER, OLD, LISTED, EXPIRING, *EXPIRED)),
    "marked by another": ("records/older", KEYS, {**FIRST, "number": 2}, (MARKED, OLD, LISTED, STEP)),
    "an older record": (
        "records/mark",
        WITH_EVENTS,
        {**NEXT, "after_all": "mark"},
        (HEADER, OLD, LISTED, STEP, *EVENTS),
    ),
    "the mark": ("records/mark", WITH_EVENTS, {**NEXT, "after_all": "mark"}, (HEADER, NEW, *EXPIRED, STEP, *EVENTS)),
    "the end": ("records/mark", WITH_EVENTS, {**NEXT, "after_all": "end"}, (HEADER, NEW, LISTED, STEP, *EVENTS)),
}
"""The script, its keys, the arguments and what is stored before, by the name of the case."""
