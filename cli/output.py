"""How commands speak: tables for people on a terminal or in a pipe, JSON for programs, one line for an error."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import TypeAlias

from rich.console import Console

from ..models.record import Record
from ..models.results import SymbolTotal
from ..models.types import plain

JsonValue: TypeAlias = "bool | int | float | str | Sequence[JsonValue] | Mapping[str, JsonValue] | None"


class BadUsage(Exception):
    """Options that make no sense together or here; nothing was done."""


_WIDE = 10_000
"""Columns of a pipe: a program that reads a table wants whole values on whole lines."""


def screen() -> Console:
    """Standard output, for people; names are shown as they are, never read as markup."""
    return Console(width=None if sys.stdout.isatty() else _WIDE, markup=False, emoji=False, highlight=False)


def notes() -> Console:
    """Standard error, for what is not a result, such as progress."""
    return Console(stderr=True, markup=False, emoji=False, highlight=False)


def complain(problem: object) -> None:
    """Say in one line on standard error what went wrong."""
    sys.stderr.write(f"slotbook: {' '.join(str(problem).split())}\n")


def json_text(value: JsonValue) -> str:
    """JSON as commands print it."""
    return json.dumps(value, indent=1) + "\n"


def print_json(value: JsonValue) -> None:
    """Print JSON on standard output."""
    sys.stdout.write(json_text(value))


def fields_of(record: Record | SymbolTotal, **derived: int | Decimal) -> dict[str, JsonValue]:
    """A record for JSON: decimals as exact plain strings, so that no reader takes them for floats."""
    fields = asdict(record) if isinstance(record, SymbolTotal) else dict(record)
    return {
        name: plain(value) if isinstance(value, Decimal) else value for name, value in {**fields, **derived}.items()
    }


def check_place(path: Path) -> Path:
    """The path a file will be saved at, links resolved; bad usage when it could not be."""
    place = path.resolve()
    if not place.parent.is_dir():
        raise BadUsage(f"there is no folder {place.parent}")
    if place.exists() and not place.is_file():
        raise BadUsage(f"{path} is not a regular file")
    return place


def save(path: Path, text: str) -> None:
    """Write a file so that a reader finds the old content or the new, never a part. Raises OSError."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with draft.open("x", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
