"""Writes the blocking colour of every module that is written for asyncio.

``python scripts/generate_sync.py`` writes; with ``--check`` it only compares and exits with 1 on a difference.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

SOURCES = {
    ROOT / "topology/_async": ("backend.py",),
    ROOT / "repositories/_async": (
        "__init__.py",
        "audit.py",
        "book.py",
        "cache.py",
        "find.py",
        "indexes.py",
        "limits.py",
        "locks.py",
        "lookup.py",
        "orders.py",
        "positions.py",
        "reference.py",
        "sessions.py",
        "sql.py",
        "symbols.py",
        "values.py",
    ),
}

HEADER = "# Generated from {source} by scripts/generate_sync.py: edit that one.\n"

REPLACEMENTS = (
    (r"\bawait connection\.run_sync\(self\._rows\.table\.create, ", "self._rows.table.create(connection, "),
    (r"\bsqlalchemy\.ext\.asyncio\b", "sqlalchemy"),
    (r"\bcreate_async_engine\b", "create_engine"),
    (r"\basync def\b", "def"),
    (r"\basync (for|with)\b", r"\1"),
    (r"\bawait ", ""),
    (r"\b_async\b", "_sync"),
    (r"\baconnect\b", "connect"),
    (r"\bopen_async_backend\b", "open_backend"),
    (r"\bAsync([A-Z]\w*)", r"\1"),
    (r"\b__aenter__\b", "__enter__"),
    (r"\b__aexit__\b", "__exit__"),
    (r"\basyncio\b", "threads"),
)


def blocking(source: Path) -> str:
    """The blocking colour of one module."""
    text = source.read_text(encoding="utf-8")
    for pattern, replacement in REPLACEMENTS:
        text = re.sub(pattern, replacement, text)
    text = HEADER.format(source=source.relative_to(ROOT).as_posix()) + text
    for arguments in (["check", "--fix-only", "--quiet", "--select", "I"], ["format", "--quiet"]):
        command = [sys.executable, "-m", "ruff", *arguments, "--config", str(ROOT / "pyproject.toml")]
        name = str(target_of(source))
        text = subprocess.run(
            [*command, "--stdin-filename", name, "-"], input=text, capture_output=True, text=True, check=True
        ).stdout
    return text


def target_of(source: Path) -> Path:
    """Where the blocking colour of a module is kept."""
    return source.parent.with_name("_sync") / source.name


def main() -> int:
    """Write or compare every generated module."""
    differing = 0
    for folder, names in SOURCES.items():
        for name in names:
            source = folder / name
            target, text = target_of(source), blocking(source)
            if target.exists() and target.read_text(encoding="utf-8") == text:
                continue
            differing += 1
            if "--check" in sys.argv:
                print(f"{target.relative_to(ROOT)} is not what {source.relative_to(ROOT)} generates")
            else:
                target.write_text(text, encoding="utf-8")
                print(f"wrote {target.relative_to(ROOT)}")
    return int("--check" in sys.argv and differing > 0)


if __name__ == "__main__":
    sys.exit(main())
