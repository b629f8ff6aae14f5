"""Lua scripts: read from beside the code that calls them, known to servers by their digest."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib import resources


@dataclass(frozen=True, slots=True)
class Script:
    """A script's source and its digest (EVALSHA)."""

    source: str
    digest: str

    def __repr__(self) -> str:
        return f"Script({self.digest[:8]})"


def load(package: str, *names: str) -> Script:
    """Join the named ``.lua`` files of a package's ``lua`` folder, shared parts first, to one script."""
    folder = resources.files(package) / "lua"
    source = "\n".join((folder / f"{name}.lua").read_text(encoding="utf-8") for name in names)
    return Script(source, hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest())
