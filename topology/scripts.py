"""Load Lua scripts: they lie beside the code that calls them, and servers know them by their digest.

The comment at the top of a script declares what the script takes and which shared parts it uses::

    -- Take a lock that nobody holds.
    -- Uses changes/hashes, coordination/integers
    -- KEYS lock
    -- ARGV token
    --      lease        milliseconds
    -- Returns {'held', fence}

In the script, ``KEYS.lock`` and ``ARGV.lease`` stand for the places that these have among KEYS and ARGV. The last name of
either may end with ``?``, when it may be left out, or with ``...``, when it is a list: ``FIRST.name`` is the place where
the list begins. ``CONSTANTS.NAME`` stands for a value that Python gives, such as the names of an enum.
"""

from __future__ import annotations

import hashlib
import re
from collections import deque
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from importlib import resources
from itertools import pairwise
from operator import itemgetter
from typing import TypeAlias, cast

Constant: TypeAlias = "str | int | Sequence[str] | Set[str] | Mapping[str, Constant]"
"""A value that Python gives a script; a set becomes a table in which each of its members is true."""
Value: TypeAlias = "str | bytes | int"
_Packer: TypeAlias = "Callable[[Mapping[str, object]], tuple[object, ...]]"


@dataclass(frozen=True, slots=True)
class Script:
    """A script's source, its digest (EVALSHA), and the names of its keys and arguments, in order."""

    source: str
    digest: str
    key_names: tuple[str, ...] = ()
    argument_names: tuple[str, ...] = ()
    _pack_keys: _Packer = field(init=False, repr=False, compare=False)
    _pack_arguments: _Packer = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_pack_keys", _packer(self.key_names))
        object.__setattr__(self, "_pack_arguments", _packer(self.argument_names))

    def __repr__(self) -> str:
        return f"Script({self.digest[:8]})"

    def keys(self, **named: str | Sequence[str] | None) -> tuple[str, ...]:
        """Return the keys in the script's order; None leaves out the last one where the script allows it.

        Raises TypeError when a declared name is missing or another one is given.
        """
        return cast("tuple[str, ...]", self._pack_keys(named))

    def arguments(self, **named: Value | Sequence[Value]) -> tuple[Value, ...]:
        """Return the arguments in the script's order.

        Raises TypeError when a declared name is missing or another one is given.
        """
        return cast("tuple[Value, ...]", self._pack_arguments(named))


def _packer(declared: tuple[str, ...]) -> _Packer:
    """Return a function that puts named values in the declared order."""
    names = tuple(name.removesuffix("?").removesuffix("...") for name in declared)
    number = len(names)
    last = declared[-1] if declared else ""
    is_list, is_optional = last.endswith("..."), last.endswith("?")
    values_of = cast("Callable[[Mapping[str, object]], object]", itemgetter(*names) if names else tuple)

    def pack(named: Mapping[str, object]) -> tuple[object, ...]:
        if len(named) != number:
            raise TypeError(f"the script takes {', '.join(declared) or 'nothing'}, not {', '.join(named) or 'nothing'}")
        try:
            found = values_of(named)
        except KeyError as error:
            raise TypeError(f"the script takes {', '.join(declared)}: {error.args[0]} is missing") from None
        values = cast("tuple[object, ...]", found if number != 1 else (found,))
        if is_list:
            return (*values[:-1], *cast("Sequence[object]", values[-1]))
        return values[:-1] if is_optional and values[-1] is None else values

    return pack


_SECTION = re.compile(r"^-- (Uses|KEYS|ARGV) +(.*(?:\n--  .*)*)", re.MULTILINE)
_DECLARATION = re.compile(r"^local (?:function )?([\w, ]+)", re.MULTILINE)
_STATEMENT = re.compile(r"^(?!local |end|})\S", re.MULTILINE)
_COMMENT = re.compile(r"^ *--.*\n| +-- .*$", re.MULTILINE)
_PLACEHOLDER = re.compile(r"\b(KEYS|ARGV|FIRST|CONSTANTS)\.(\w+)")
_WORD = re.compile(r"\w+")


def load(package: str, name: str, constants: Mapping[str, Constant] | None = None) -> Script:
    """Load ``lua/<name>.lua`` of a package, with the shared parts that it uses.

    A server builds every function of a script anew for each call, so of the shared parts a script gets what it uses.
    Raises KeyError for a name that the script or ``constants`` does not have.
    """
    text = _read(package, name)
    declared = sections(text)
    places: dict[str, dict[str, str]] = {"FIRST": {}, "CONSTANTS": {}}
    for kind in ("KEYS", "ARGV"):
        names = declared.get(kind, ())
        places[kind] = {one.removesuffix("?"): f"{kind}[{at}]" for at, one in enumerate(names, 1)}
        places["FIRST"] |= {one.removesuffix("..."): str(at) for at, one in enumerate(names, 1) if one.endswith("...")}
    places["CONSTANTS"] = {key: _as_lua(value) for key, value in (constants or {}).items()}
    body = _COMMENT.sub("", text)
    shared = "\n".join(_COMMENT.sub("", part) for part in _parts(package, text))
    source = _PLACEHOLDER.sub(lambda found: places[found[1]][found[2]], used_by(body, shared) + body)
    digest = hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest()
    return Script(source, digest, declared.get("KEYS", ()), declared.get("ARGV", ()))


def sections(text: str) -> dict[str, tuple[str, ...]]:
    """Return what the comment at the top of a script declares, by section: ``Uses``, ``KEYS`` and ``ARGV``.

    >>> sections("-- Take it.\\n-- KEYS lock\\n-- ARGV token    of the holder\\n--      lease    in ms\\n\\nreturn 1")
    {'KEYS': ('lock',), 'ARGV': ('token', 'lease')}
    """
    found: dict[str, tuple[str, ...]] = {}
    for kind, written in _SECTION.findall(text.partition("\n\n")[0]):
        lines = [line.removeprefix("--").strip() for line in written.split("\n")]
        found[kind] = (
            tuple(one.strip() for line in lines for one in line.split(",") if one.strip())
            if kind == "Uses"
            else tuple(line.split()[0] for line in lines)
        )
    return found


def used_by(body: str, shared: str) -> str:
    """Return those declarations that a script uses, also by way of others; statements between them stay.

    A declaration begins a line with ``local``.

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


def _parts(package: str, text: str) -> list[str]:
    """Return the shared parts of a script, each after those that it uses itself."""
    room = package.rpartition(".")[0]
    parts: dict[str, str] = {}

    def add(used: Sequence[str]) -> None:
        for path in used:
            if path not in parts:
                folder, _, name = path.partition("/")
                part = _read(f"{room}.{folder}", name)
                add(sections(part).get("Uses", ()))
                parts.setdefault(path, part)

    add(sections(text).get("Uses", ()))
    return list(parts.values())


def _read(package: str, name: str) -> str:
    room, _, folder = package.rpartition(".")
    return (resources.files(room) / folder / "lua" / f"{name}.lua").read_text(encoding="utf-8")


def _as_lua(value: Constant) -> str:
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return f"'{value}'"
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{name} = {_as_lua(one)}" for name, one in value.items()) + " }"
    if isinstance(value, Set):
        return "{ " + ", ".join(f"{name} = true" for name in sorted(value)) + " }"
    return "{ " + ", ".join(f"'{name}'" for name in value) + " }"
