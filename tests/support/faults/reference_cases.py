"""The cases of the script that changes records without a trader: what is stored before, and the arguments."""

from __future__ import annotations

from collections.abc import Mapping

Words = tuple[str | int, ...]

KEYS = {"record": "venue:NAME", "deleted": "{venue:NAME}:record_deleted", "request": "{venue:NAME}:record_request:R1"}
STORED: Words = ("HSET", "venue:NAME", "@digest", "d", "@schema", 1, "version", 1, "updated_ns", 1, "name", "a")
EXPIRES: Words = ("PEXPIRE", "venue:NAME", 9_000)
DELETED: Words = ("SET", "{venue:NAME}:record_deleted", "1 e", "PX", 9_000)
GIVEN: Mapping[str, object] = {
    **{"ts_ns": 2, "ttl": "", "expected": "", "digest": "", "content": "c", "remembered": 9_000},
    **{"schema": 1, "upgraded": "", "upgrade": ""},
    "written": '{"name":null,"zone":"UTC"}',
}

REWRITE: Mapping[str, object] = {"upgraded": "1 1", "upgrade": '{"name":null,"zone":"UTC"}', "schema": 2}
"""The arguments of the script that brings such a record to another schema."""

REFERENCE_CASES: Mapping[str, tuple[Mapping[str, object], Mapping[str, object], tuple[Words, ...]]] = {
    "insert": ({**KEYS, "request": None}, {**GIVEN, "verb": "INSERT", "digest": "d"}, (DELETED,)),
    "insert what expires": ({**KEYS, "request": None}, {**GIVEN, "verb": "INSERT", "digest": "x", "ttl": 9_000}, ()),
    "put": (KEYS, {**GIVEN, "verb": "PUT", "digest": "d"}, (STORED, EXPIRES)),
    "put what expires": (KEYS, {**GIVEN, "verb": "PUT", "digest": "d", "ttl": 9_000}, (STORED,)),
    "update": (KEYS, {**GIVEN, "verb": "UPDATE"}, (STORED,)),
    "delete": (KEYS, {**GIVEN, "verb": "DELETE", "written": ""}, (STORED, DELETED)),
    "delete nothing": (KEYS, {**GIVEN, "verb": "DELETE", "written": ""}, ()),
}
"""The keys, the arguments and what is stored before, by the name of the case."""
