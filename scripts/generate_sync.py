"""Generate the version for threads of every module that is written for asyncio.

``python scripts/generate_sync.py`` writes ``_sync.py`` beside each ``_async.py``, and a folder ``_sync`` beside each
folder ``_async``. With ``--check`` it writes nothing and exits with 1 when a generated file is missing or differs, when
one has no source any more, or when a rule changes nothing in any source.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("topology", "repositories")
HEADER = "# Generated from {source} by scripts/generate_sync.py: edit that one.\n"

RULES = (
    (r"\bawait connection\.run_sync\(self\._rows\.table\.create, ", "self._rows.table.create(connection, "),
    (r"\bawait connection\.run_sync\(self\._rows\.check_own\)", "self._rows.check_own(connection)"),
    (r"\bsqlalchemy\.ext\.asyncio\b", "sqlalchemy"),
    (r"\bcreate_async_engine\b", "create_engine"),
    (r"\bopen_async_backend\b", "open_backend"),
    (r"\basync def\b", "def"),
    (r"\basync (for|with)\b", r"\1"),
    (r"\bawait ", ""),
    (r"\b_async\b", "_sync"),
    (r"\basync_(?=[a-z])", ""),
    (r"\baconnect\b", "connect"),
    (r"\bAsync([A-Z]\w*)", r"\1"),
    (r"\b__aiter__\b", "__iter__"),
    (r"\b__anext__\b", "__next__"),
    (r"\bStopAsyncIteration\b", "StopIteration"),
    (r"\b__aenter__\b", "__enter__"),
    (r"\b__aexit__\b", "__exit__"),
    (r"\basyncio\b", "threads"),
)
"""The replacements, in this order. Hand-written twins have the same name without ``Async`` or ``async_``."""


def sources() -> Iterator[Path]:
    """Yield every module that is written for asyncio: ``_async.py``, and all modules of a folder ``_async``."""
    for room in ROOMS:
        yield from sorted(path for path in (ROOT / room).rglob("*.py") if "_async" in _names(path))


def outputs() -> Iterator[Path]:
    """Yield every module that should have been generated: ``_sync.py``, and all modules of a folder ``_sync``."""
    for room in ROOMS:
        yield from sorted(path for path in (ROOT / room).rglob("*.py") if "_sync" in _names(path))


def target_of(source: Path) -> Path:
    """Return the path of the version for threads of a module."""
    if source.stem == "_async":
        return source.with_stem("_sync")
    return source.parent.with_name("_sync") / source.name


def generated() -> dict[Path, str]:
    """Return the version for threads of every module, formatted, by its source; ruff is started once for all."""
    with TemporaryDirectory() as folder:
        written = {source: Path(folder) / _shown(target_of(source)) for source in sources()}
        for source, target in written.items():
            text = source.read_text(encoding="utf-8")
            for pattern, replacement in RULES:
                text = re.sub(pattern, replacement, text)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(HEADER.format(source=_shown(source)) + text, encoding="utf-8")
        for arguments in (["check", "--fix-only", "--select", "I"], ["format"]):
            command = [sys.executable, "-m", "ruff", *arguments, "--quiet", "--no-cache"]
            subprocess.run([*command, "--config", str(ROOT / "pyproject.toml"), folder], check=True)
        return {source: target.read_text(encoding="utf-8") for source, target in written.items()}


def unused_rules() -> list[str]:
    """Return the pattern of every rule that changes nothing in any source."""
    texts = [source.read_text(encoding="utf-8") for source in sources()]
    unused: list[str] = []
    for pattern, replacement in RULES:
        changed = [re.sub(pattern, replacement, text) for text in texts]
        if changed == texts:
            unused.append(pattern)
        texts = changed
    return unused


def orphans() -> list[Path]:
    """Return every generated module whose source is gone."""
    expected = {target_of(source) for source in sources()}
    return [path for path in outputs() if path not in expected]


def main() -> int:
    """Write, or with ``--check`` compare, every generated module."""
    problems = [f"the rule {pattern!r} changes nothing: remove it" for pattern in unused_rules()]
    problems += [f"{_shown(path)} has no source any more: remove it" for path in orphans()]
    for source, text in generated().items():
        target = target_of(source)
        if target.exists() and target.read_text(encoding="utf-8") == text:
            continue
        if "--check" in sys.argv:
            problems.append(f"{_shown(target)} is not what {_shown(source)} generates")
        else:
            target.parent.mkdir(exist_ok=True)
            target.write_text(text, encoding="utf-8")
            print(f"wrote {_shown(target)}")
    print("".join(f"{problem}\n" for problem in problems), end="")
    return int(bool(problems))


def _names(path: Path) -> tuple[str, ...]:
    return path.relative_to(ROOT).with_suffix("").parts


def _shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


if __name__ == "__main__":
    sys.exit(main())
