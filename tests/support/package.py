"""Find the files of the package without importing them, and check each in one test."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

import pytest

T = TypeVar("T")

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("models", "topology", "repositories", "bench", "web", "cli", "testing")


def _modules() -> dict[str, Path]:
    files = [
        ROOT / "__init__.py",
        *(file for room in ROOMS for file in sorted((ROOT / room).rglob("*.py"))),
    ]
    found: dict[str, Path] = {}
    for file in files:
        parts = file.relative_to(ROOT).with_suffix("").parts
        found[".".join(("slotbook", *(part for part in parts if part != "__init__")))] = file
    return found


MODULES = _modules()
"""Every module of the package: its name and its file."""

SCRIPTS = sorted(ROOT.glob("repositories/*/lua/*.lua"))
"""Every file of Lua."""


def each(values: Iterable[T]) -> Callable[[Callable[[T], None]], Callable[[], None]]:
    """Make a test of all values from a check of one; it fails for all that the check fails for, and names each."""
    found = list(values)
    assert found, "nothing would be checked"

    def decorate(check: Callable[[T], None]) -> Callable[[], None]:
        def test() -> None:
            failures: list[str] = []
            for value in found:
                try:
                    check(value)
                except (AssertionError, pytest.fail.Exception) as error:
                    failures.append(f"{value}: {error}")
            if failures:
                pytest.fail("\n".join(failures), pytrace=False)

        test.__name__, test.__doc__, test.__module__ = check.__name__, check.__doc__, check.__module__
        return test

    return decorate
