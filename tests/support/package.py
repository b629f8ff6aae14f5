"""Find the files of the package without importing them."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("models", "topology", "repositories", "bench", "cli")


def _modules() -> dict[str, Path]:
    files = [ROOT / "__init__.py", *(file for room in ROOMS for file in sorted((ROOT / room).rglob("*.py")))]
    found: dict[str, Path] = {}
    for file in files:
        parts = file.relative_to(ROOT).with_suffix("").parts
        found[".".join(("slotbook", *(part for part in parts if part != "__init__")))] = file
    return found


MODULES = _modules()
"""Every module of the package: its name and its file."""

SCRIPTS = sorted(ROOT.glob("repositories/*/lua/*.lua"))
"""Every file of Lua."""
