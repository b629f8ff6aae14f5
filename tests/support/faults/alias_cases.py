"""The cases of the script that repairs other ids of orders."""

from __future__ import annotations

from typing import Any

_ALIAS = {"alias": "{NAME}:alias:C2"}

REPAIR_ALIAS: tuple[dict[str, Any], ...] = (
    {
        "keys": _ALIAS,
        "arguments": {"base": "{NAME}:", "id": "C2", "stored": "", "expected": "A1"},
        "before": (
            ("HSET", "{NAME}:applied:A1", "alias:C2", "1"),
            ("PEXPIREAT", "{NAME}:order:A1", 4 * 10**12),
        ),
    },
    {
        "keys": _ALIAS,
        "arguments": {"base": "{NAME}:", "id": "C2", "stored": "A9", "expected": ""},
        "before": (("SET", "{NAME}:alias:C2", "A9"),),
        "what": "of no order",
    },
)
