"""The output of commands: tables for people on a terminal or in a pipe, JSON for programs, one line for an error."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TypeAlias, cast

from rich.console import Console

from ..models.errors import printable
from ..models.fees import Fees
from ..models.numbers import plain
from ..models.record import Record
from ..models.results import SymbolTotal

JsonValue: TypeAlias = "bool | int | float | str | Sequence[JsonValue] | Mapping[str, JsonValue] | None"


class BadUsage(Exception):
    """Options that cannot be used together, or not with this command; nothing was done."""


_WIDE = 10_000
"""The width of a pipe in columns, so that a program that reads a table gets whole values on whole lines."""


def screen() -> Console:
    """Return a console on standard output, for people; names are shown as they are and not read as markup."""
    return Console(width=None if sys.stdout.isatty() else _WIDE, markup=False, emoji=False, highlight=False)


def error_console() -> Console:
    """Return a console on standard error, for progress and other output that is not a result."""
    return Console(stderr=True, markup=False, emoji=False, highlight=False)


def print_error(problem: object) -> None:
    """Print one line on standard error that describes a problem."""
    sys.stderr.write(f"slotbook: {printable(' '.join(str(problem).split()))}\n")


def json_text(value: JsonValue) -> str:
    """Return a value as JSON in the form that commands print."""
    return json.dumps(value, indent=1) + "\n"


def json_line(value: JsonValue) -> str:
    """Return a value as JSON on one line, in the form of commands that go on."""
    return json.dumps(value, separators=(",", ":")) + "\n"


def print_json(value: JsonValue) -> None:
    """Print a value as JSON on standard output."""
    sys.stdout.write(json_text(value))


def fields_of(record: Record | SymbolTotal) -> dict[str, JsonValue]:
    """Return a record's fields for JSON, and the values that follow from them, which are its computed fields.

    Decimals become strings in their shortest form, so that they stay exact and have one type, as in the JSON of the
    models and of messages; counts stay numbers.
    """
    if isinstance(record, SymbolTotal):
        fields: dict[str, object] = asdict(record)
    else:
        fields = {**dict(record), **{name: getattr(record, name) for name in type(record).model_computed_fields}}
    return {name: _as_json(value) for name, value in fields.items()}


def _as_json(value: object) -> JsonValue:
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, Fees):
        return {currency: plain(amount) for currency, amount in value.items()}
    return str(value) if isinstance(value, date) else cast("JsonValue", value)


def check_place(path: Path) -> Path:
    """Return the path that a file will be saved at, with links resolved; raise BadUsage when it cannot be saved."""
    place = path.resolve()
    if not place.parent.is_dir():
        raise BadUsage(f"there is no folder {place.parent}")
    if place.exists() and not place.is_file():
        raise BadUsage(f"{path} is not a regular file")
    return place


def save(path: Path, text: str) -> None:
    """Write a file so that a reader finds the old content or the new one, never a part. Raises OSError."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with draft.open("x", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
