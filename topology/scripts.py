"""Load Lua scripts, each of which lies beside the code that calls it and is known to servers by its digest.

The comment at the top of a script declares what the script takes and which shared parts it uses::

    -- Take a lock that is free.
    -- Uses changes/hashes, coordination/integers
    -- KEYS lock
    -- ARGV token
    --      lease        milliseconds
    -- Returns {'held', fence}

In the script, ``KEYS.lock`` and ``ARGV.lease`` are replaced by ``KEYS[1]`` and ``ARGV[2]``. The last name of either may
end with ``?``, when it may be left out, or with ``...``, when it is a list: ``FIRST.name`` is replaced by the number of
the list's first place. ``CONSTANTS.NAME`` is replaced by a value that Python provides, such as the names of an enum.
``RARE.name(…)`` calls a shared function that is seldom needed: a server builds every function of a script anew for each
call, but these only when the first of them is called. A script that an error stops after its first write, because the
user lacks a permission, says so: its reply begins with ``UNFINISHED``. Python packs keys and arguments by their names::

    call = evaluate("take", TAKE, TAKE.keys(lock=key), TAKE.arguments(token=token, lease="5000"), decode=held)
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cache, partial
from importlib import resources
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, cast

from .script_assembly import assembled


class Function(str):
    """The name of a function of a script, which a script gets as the function itself and not as text."""

    __slots__ = ()


Constant: TypeAlias = "str | int | Function | Sequence[str] | Set[str] | Mapping[str, Constant]"
"""A value that Python provides for a script; a set becomes a table in which each of its members is true."""
Value: TypeAlias = "str | bytes"
"""A key or an argument of a script; a number is given as text."""


class Packer(Protocol):
    """Return values that are given by name, in the script's order; a list is given as a sequence."""

    def __call__(self, **values: Value | Sequence[Value] | None) -> tuple[Value, ...]:
        """Return the values. Raises TypeError when a declared name is missing or another one is given."""
        ...


@dataclass(frozen=True, slots=True)
class Script:
    """A script's source, its digest (EVALSHA), and the declared names of its keys and arguments, in order.

    One that is loaded is read and put together when the first of these is asked for.

    >>> script = Script("return ARGV[1]", "0" * 40, key_names=("lock",), argument_names=("token", "lease?"))
    >>> script.keys(lock="{T1}:lock"), script.arguments(token="t", lease=None)
    (('{T1}:lock',), ('t',))
    """

    source: str
    digest: str
    key_names: tuple[str, ...] = ()
    argument_names: tuple[str, ...] = ()
    keys: Callable[..., tuple[str, ...]] = field(init=False, repr=False, compare=False)
    """Return the keys, given by name, in the script's order.

    None leaves out the last one where the script allows it; a list is given as a sequence. Raises TypeError when a
    declared name is missing or another one is given.
    """
    arguments: Packer = field(init=False, repr=False, compare=False)
    """Return the arguments, given by name, in the script's order; see ``keys``."""
    _read: Callable[[], Script] = field(init=False, repr=False, compare=False)

    @classmethod
    def read_later(cls, read: Callable[[], Script]) -> Script:
        """Return the script that a function returns, which is called when something of it is asked for."""
        script = cls.__new__(cls)
        object.__setattr__(script, "_read", read)
        return script

    if not TYPE_CHECKING:  # to a type checker a wrong name is a mistake

        def __getattr__(self, name: str) -> object:
            """Read a script of which nothing was asked yet; threads that do so together set the same."""
            if name not in _OF_A_SCRIPT:
                raise AttributeError(f"a script has no {name}")
            script = self._read()
            for each in _OF_A_SCRIPT:
                object.__setattr__(self, each, getattr(script, each))
            return getattr(script, name)

    def __post_init__(self) -> None:
        object.__setattr__(self, "keys", _packer(self.key_names))
        object.__setattr__(self, "arguments", _packer(self.argument_names))

    def __repr__(self) -> str:
        return f"Script({self.digest[:8]})"


_OF_A_SCRIPT = frozenset(("source", "digest", "key_names", "argument_names", "keys", "arguments"))


def _packer(declared: Sequence[str]) -> Callable[..., Any]:
    """Return a function that takes values by name and returns them in the declared order.

    It is compiled from the names, as a named tuple is: every change calls it twice, and putting a dictionary of its
    arguments in order would take five times as long.

    >>> _packer(["order", "lock?"])(lock=None, order="A1")
    ('A1',)
    """
    names = [re.sub(r"\W", "", name) for name in declared]
    values = [f"*{name}" if one.endswith("...") else name for one, name in zip(declared, names, strict=True)]
    returned = f"({''.join(f'{value}, ' for value in values)})"
    if declared and declared[-1].endswith("?"):
        returned = f"({''.join(f'{value}, ' for value in values[:-1])}) if {names[-1]} is None else {returned}"
    source = f"lambda{' *, ' if names else ''}{', '.join(names)}: {returned}"
    return cast("Callable[..., Any]", eval(source, {"__builtins__": {}}))  # noqa: S307  # of names alone


_SECTION = re.compile(r"^-- (Uses|KEYS|ARGV) +(.*(?:\n--  .*)*)", re.MULTILINE)
_COMMENT = re.compile(r"^ *--.*\n| +-- .*$", re.MULTILINE)
_PLACEHOLDER = re.compile(r"(KEYS|ARGV|FIRST|CONSTANTS)\.(\w+)")
_COMMAND = re.compile(r"\bredis\.(p?call)\(\s*'([A-Z]+)'")
READING = frozenset(
    (
        *("EXISTS", "GET", "PEXPIRETIME", "PTTL", "TIME", "TYPE"),
        *("HGET", "HGETALL", "HKEYS", "HLEN", "HMGET"),
        *("SCARD", "SISMEMBER", "SMEMBERS"),
        *("XINFO", "XLEN", "XPENDING", "XRANGE", "XREVRANGE"),
        *("ZCARD", "ZCOUNT", "ZLEXCOUNT", "ZMSCORE", "ZRANGE", "ZRANGEBYSCORE", "ZSCORE"),
    )
)
"""The commands of scripts that change nothing; every other one counts as a write."""
_GUARDED = """local has_written = false
local function run_write(run, ...)
  local reply = run(...)
  has_written = has_written or type(reply) ~= 'table' or not reply.err
  return reply
end
local function whole()
{}
end
local went_well, reply = pcall(whole)
if went_well then return reply end
local text = type(reply) == 'table' and reply.err or tostring(reply)
error({{ err = has_written and 'UNFINISHED ' .. text or text }})
"""


def load(package: str, name: str, constants: Mapping[str, Constant] | None = None, *, guarded: bool = True) -> Script:
    """Return the script ``lua/<name>.lua`` of a package, with the shared parts that it uses.

    It is read when it is first used: putting all scripts together takes longer than importing what calls them. A server
    builds every function of a script anew for each call, so of the shared parts a script gets only those declarations
    that it uses. The first use raises KeyError for a name that the script's comment or ``constants`` does not have.

    Args:
        package: The package beside whose modules the script lies, such as ``slotbook.repositories.orders``.
        name: The script's file name, without ``.lua``.
        constants: The values of ``CONSTANTS.NAME``, by name.
        guarded: False for a script that itself says when it was stopped amid its writes.
    """
    return Script.read_later(partial(_loaded, package, name, constants or {}, guarded=guarded))


def _loaded(package: str, name: str, constants: Mapping[str, Constant], *, guarded: bool) -> Script:
    text = _read(package, name)
    declared = sections(text)
    places: dict[str, dict[str, str]] = {"FIRST": {}, "CONSTANTS": {}}
    for kind in ("KEYS", "ARGV"):
        names = declared.get(kind, ())
        places[kind] = {one.removesuffix("?"): f"{kind}[{at}]" for at, one in enumerate(names, 1)}
        places["FIRST"] |= {one.removesuffix("..."): str(at) for at, one in enumerate(names, 1) if one.endswith("...")}
    places["CONSTANTS"] = {key: _as_lua(value) for key, value in constants.items()}

    def filled_in(source: str) -> str:
        return _PLACEHOLDER.sub(lambda found: places[found[1]][found[2]], source)

    body = filled_in(_COMMENT.sub("", text))
    shared = "\n".join(_parts(package, text))
    source = assembled(body, filled_in(shared))
    if guarded:
        source = with_guard(source)
    digest = hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest()
    return Script(source, digest, declared.get("KEYS", ()), declared.get("ARGV", ()))


def joined(first: Script, then: Script) -> Script:
    """Return a script that runs one, and another with the same keys and arguments where the first has returned nothing.

    The functions of the second are built only then.
    """
    source = f"{first.source}\nreturn (function()\n{then.source}\nend)()\n"
    digest = hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest()
    return Script(source, digest, then.key_names, then.argument_names)


def sections(text: str) -> dict[str, tuple[str, ...]]:
    r"""Return what the comment at the top of a script declares, by section: ``Uses``, ``KEYS`` and ``ARGV``.

    >>> sections("-- Take it.\n-- KEYS lock\n-- ARGV token    of the holder\n--      lease    in ms\n\nreturn 1")
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


def with_guard(source: str) -> str:
    r"""Return a script that says, by an error ``UNFINISHED``, when it was stopped after it has written something.

    A script that does not write stays as it is.

    >>> with_guard("return redis.call('GET', KEYS[1])")
    "return redis.call('GET', KEYS[1])"
    >>> "run_write(redis.call, 'SET', KEYS[1], 1)" in with_guard("redis.call('SET', KEYS[1], 1)")
    True
    """
    if READING.issuperset(command for _, command in _COMMAND.findall(source)):
        return source

    def noted(found: re.Match[str]) -> str:
        return found[0] if found[2] in READING else f"run_write(redis.{found[1]}, '{found[2]}'"

    return _GUARDED.format(_COMMAND.sub(noted, source))


def _parts(package: str, text: str) -> list[str]:
    """Return the shared parts of a script without comments, each after those that it uses itself."""
    parent = package.rpartition(".")[0]
    parts: dict[str, str] = {}

    def add(used: Sequence[str]) -> None:
        for path in used:
            if path not in parts:
                folder, _, name = path.partition("/")
                uses, part = _part(f"{parent}.{folder}", name)
                add(uses)
                parts.setdefault(path, part)

    add(sections(text).get("Uses", ()))
    return list(parts.values())


@cache
def _part(package: str, name: str) -> tuple[tuple[str, ...], str]:
    """Return what a shared part uses itself, and its text without comments."""
    text = _read(package, name)
    return sections(text).get("Uses", ()), _COMMENT.sub("", text)


def _read(package: str, name: str) -> str:
    """Return the text of ``lua/<name>.lua`` of a package."""
    root, *folders = package.split(".")  # only the root is imported: a parent may be in the midst of its own import
    return resources.files(root).joinpath(*folders, "lua", f"{name}.lua").read_text(encoding="utf-8")


def _as_lua(value: Constant) -> str:
    """Return a value as an expression of Lua."""
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Function):
        return value
    if isinstance(value, str):
        return f"'{value}'"
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{name} = {_as_lua(one)}" for name, one in value.items()) + " }"
    if isinstance(value, Set):
        return "{ " + ", ".join(f"{name} = true" for name in sorted(value)) + " }"
    return "{ " + ", ".join(f"'{name}'" for name in value) + " }"
