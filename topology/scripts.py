"""Lua scripts: read from beside the code that calls them, known to servers by their digest."""

from __future__ import annotations

import hashlib
import re
from collections import deque
from dataclasses import dataclass
from importlib import resources
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Script:
    """A script's source and its digest (EVALSHA)."""

    source: str
    digest: str

    def __repr__(self) -> str:
        return f"Script({self.digest[:8]})"


_DECLARATION = re.compile(r"^local (?:function )?([\w, ]+)", re.MULTILINE)
_STATEMENT = re.compile(r"^(?!local |end|})\S", re.MULTILINE)
_COMMENT = re.compile(r"^ *--.*\n| +-- .*$", re.MULTILINE)
_WORD = re.compile(r"\w+")


def load(package: str, *names: str) -> Script:
    """Join the named ``.lua`` files of a package's ``lua`` folder to one script; all but the last are shared parts.

    A server builds every function of a script anew for each call, so of the shared parts a script has what it uses.
    """
    folder = resources.files(package) / "lua"
    *shared, body = (_COMMENT.sub("", (folder / f"{name}.lua").read_text(encoding="utf-8")) for name in names)
    source = used_by(body, "\n".join(shared)) + body
    return Script(source, hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest())


def used_by(body: str, shared: str) -> str:
    """Of declarations that begin a line with ``local``, those that a script uses, also by way of others.

    Statements that stand between them stay.

    >>> used_by("return two()", "local function one() return 1 end\\nlocal function two() return 2 end\\n")
    'local function two() return 2 end\\n'
    """
    starts = [found.start() for found in _DECLARATION.finditer(shared)]
    declarations = [shared[start:end] for start, end in pairwise([*starts, len(shared)])]
    used, kept = set(_WORD.findall(body)), deque[str]()
    for declaration in reversed(declarations):
        found = _DECLARATION.match(declaration)
        if found and (used.intersection(_WORD.findall(found[1])) or _STATEMENT.search(declaration)):
            used.update(_WORD.findall(declaration))
            kept.appendleft(declaration)
    return "".join(kept)
