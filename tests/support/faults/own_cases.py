"""The cases of the scripts that repair what own records and orders with own fields are found by."""

from __future__ import annotations

from typing import Any

_RECORD, _BY_ACCOUNT = "{NAME}:allocation:L1", "{NAME}:allocation_by_account:ACC1"
_REFERENCE, _LATER = "{NAME}:allocation_unique_reference:R1", 4 * 10**12
_STORED = ("HSET", _RECORD, "version", 1, "account", "ACC1", "reference", "R1")
_ENDS = ("PEXPIREAT", _RECORD, _LATER)
_ENTRY: dict[str, object] = {
    "kind": "allocation",
    "key": "L1",
    "is_unique": "0",
    "field": "account",
    "version": "1",
    "value": "=ACC1",
    "member": "L1",
    "beside": f"{_BY_ACCOUNT}@expiry",
    "stored": "",
    "stored_expiry": "",
    "expected": "1",
}
_UNIQUE: dict[str, object] = {**_ENTRY, "is_unique": "1", "field": "reference", "value": "=R1"}
_BOOK = "{NAME}:book"
_INDEX_KEYS = {"record": _RECORD, "place": _BY_ACCOUNT, "book": _BOOK}
_UNIQUE_KEYS = {"record": _RECORD, "place": _REFERENCE, "book": _BOOK}

REPAIR_OWN: tuple[dict[str, Any], ...] = (
    {"keys": _INDEX_KEYS, "arguments": _ENTRY, "before": (_STORED, _ENDS), "what": "entry that ends"},
    {
        "keys": _INDEX_KEYS,
        "arguments": _ENTRY,
        "before": (_STORED, _ENDS, ("HSET", _BOOK, "stay:allocation", "1")),
        "what": "entry that ends where all stayed",
    },
    {
        "keys": _INDEX_KEYS,
        "arguments": _ENTRY,
        "before": (
            _STORED,
            ("ZADD", _BY_ACCOUNT, 0, "L2"),
            ("ZADD", f"{_BY_ACCOUNT}@expiry", _LATER, "L2"),
            ("PEXPIREAT", _BY_ACCOUNT, _LATER),
        ),
        "what": "entry that stays",
    },
    {
        "keys": _INDEX_KEYS,
        "arguments": {**_ENTRY, "stored": "inf", "expected": "0"},
        "before": (_STORED, ("ZADD", _BY_ACCOUNT, 0, "L1", 0, "L2")),
        "what": "entry too many",
    },
    {"keys": _UNIQUE_KEYS, "arguments": _UNIQUE, "before": (_STORED, _ENDS), "what": "unique value"},
    {
        "keys": _UNIQUE_KEYS,
        "arguments": {**_UNIQUE, "stored": "L9", "stored_expiry": "-1"},
        "before": (_STORED, ("SET", _REFERENCE, "L9")),
        "what": "unique value of another",
    },
    {
        "keys": _UNIQUE_KEYS,
        "arguments": {**_UNIQUE, "stored": "L1", "stored_expiry": "-1", "expected": "0"},
        "before": (_STORED, ("SET", _REFERENCE, "L1")),
        "what": "unique value too many",
    },
)

_BY_STRATEGY, _BESIDE = "{NAME}:orders_by_+strategy:S1", "{NAME}:orders_by_+strategy@expiry:S1"
_OF_ORDER = {"base": "{NAME}:", "order_id": "A1", "stored": "nan", "expected": "inf"}
_OWN_FIELD = ("HSET", "{NAME}:order:A1", "@own", "strategy", "+strategy", "S1")

REPAIR_OWN_FIELD: tuple[dict[str, Any], ...] = (
    {
        "keys": {"index": _BY_STRATEGY},
        "arguments": _OF_ORDER,
        "before": (_OWN_FIELD, ("ZADD", _BESIDE, _LATER, "A1")),
        "what": "entry of an own field that stays",
    },
    {
        "keys": {"index": _BY_STRATEGY},
        "arguments": {**_OF_ORDER, "expected": str(_LATER)},
        "before": (_OWN_FIELD, ("PEXPIREAT", "{NAME}:order:A1", _LATER), ("ZADD", _BY_STRATEGY, 7, "A1")),
        "what": "entry of an own field that ends",
    },
    {
        "keys": {"index": _BY_STRATEGY},
        "arguments": {**_OF_ORDER, "order_id": "gone", "stored": str(_LATER), "expected": ""},
        "before": (
            ("ZADD", _BY_STRATEGY, 0, "gone", 0, "other"),
            ("ZADD", _BESIDE, _LATER, "gone", _LATER + 1, "other"),
        ),
        "what": "entry of an own field too many",
    },
)
"""The cases of ``audit/repair_entry`` for an index of an own field of orders."""
