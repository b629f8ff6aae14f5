"""Read what is remembered of the details of an execution: its fee, liquidity, settlement and account. No I/O here.

The field ``details:<exec_id>`` of the hash ``{trader}:applied:<order_id>`` has a line for the report itself, where that
gave some, and one for each change that has added what was absent. A line has the number of the event, the values that
it adds as a JSON object, and the fields of the order that few orders have, with a tab between them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import NamedTuple, cast

from ...models.errors import CorruptRecord, never_written
from ...models.fill_details import DETAILS, FillDetails

PREFIX = "details:"
"""The beginning of the names of such fields."""


class DetailsLine(NamedTuple):
    """One line of what is remembered of the details of an execution."""

    sequence: int
    """The number of the event of the report, or of the change that has added the values."""
    written: str
    """The values, as a JSON object."""
    rare: str
    """The fields that few orders have after that change; '' for none, and for the report itself."""


def read_details(key: str, name: str, value: str) -> list[DetailsLine]:
    """Return the lines of a field of the hash ``key``. Raises CorruptRecord for what no change has written."""
    lines: list[DetailsLine] = []
    try:
        for line in value.split("\n"):
            number, written, rare = line.split("\t")
            if not number.isdecimal() or number[0] == "0" or (lines and int(number) <= lines[-1].sequence):
                raise ValueError(line)
            FillDetails.read(written, key)
            lines.append(DetailsLine(int(number), written, rare))
        if not all(one.written for one in lines):
            raise ValueError(value)
        together(lines)
    except (ValueError, CorruptRecord):
        raise never_written(key, name, value) from None
    return lines


def together(lines: Iterable[DetailsLine]) -> str:
    """Return all values of some lines as a JSON object, '' for none. Raises ValueError when two have the same one.

    >>> together([DetailsLine(2, '{"account":"A"}', ""), DetailsLine(5, '{"fee":"0.2"}', "")])
    '{"fee":"0.2","account":"A"}'
    """
    values: dict[str, str] = {}
    for line in lines:
        added = cast("dict[str, str]", json.loads(line.written))
        if added.keys() & values.keys():
            raise ValueError(line)
        values |= added
    found = {name: values[name] for name in DETAILS if name in values}
    return json.dumps(found, ensure_ascii=False, separators=(",", ":")) if found else ""
