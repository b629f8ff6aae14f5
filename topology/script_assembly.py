"""Assemble a script from its body and the shared declarations that it uses.

A server builds every function of a script anew for each call, and for each name that a function uses of the text
around it a cell that holds it, for which it looks through all cells that there are. So a script gets only what it uses:
constants that are a number or a text stand where they are used, each function that is seldom needed is built when it is
first called, and what a long script declares after its last variables is in a function of its own.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from itertools import pairwise

_DECLARATION = re.compile(r"^local (?:function )?([\w, ]+)", re.MULTILINE)
_FUNCTION = re.compile(r"local function (\w+)")
# What begins with a letter of its own is found fastest, so what stands before it is looked at behind that letter.
_RARE = re.compile(r"RARE\.(\w+)")
_LINKED = re.compile(r"(?P<line>\n(?<=[\w)\]}']\n)[ \n]*+)RARE\.(?P<first>\w+)|RARE\.(?P<name>\w+)")
_WORD = re.compile(r"\w+")
_WORD_OR_CALL = re.compile(r"\w+\(?")
_SCALAR = r"(?:-?[\d.]+(?:e\d+)?|'[^'\\\n]*')"
_SCALARS = re.compile(rf"local ([A-Z][A-Z\d_]*(?:, [A-Z][A-Z\d_]*)*) = ({_SCALAR}(?:, {_SCALAR})*)\s*(?:--.*\s*)?")
_TEXT = r"'(?:\\.|[^'\\\n])*'"
_TEXT_OR_CALL = re.compile(rf"{_TEXT}|(?<![\w.:])[A-Za-z_]\w*\(")
_TEXT_OR_CONSTANT = re.compile(rf"{_TEXT}|[A-Z](?<![\w.:].)[A-Z\d_]*\b")
_MOST_NAMES = 45
"""The names of the text around it that a function which builds others uses, beside what it is called by."""
_MOST_CELLS = 58
"""The names of the text around it that a function uses, of which Lua 5.1 allows 60 (LUAI_MAXUPVALUES)."""
_LONG = 30
"""The declarations from which on a script is long."""


def assembled(body: str, shared: str) -> str:
    r"""Return a script's source: the shared declarations that it uses, directly or through others, and its body.

    Declarations that are only reached through ``RARE`` are in functions that build them when they are first called. A
    declaration is what follows a line that begins with ``local``, up to the next such line.

    >>> print(assembled("return two()", "local function one() return 1 end\nlocal function two() return 2 end\n"))
    local function two() return 2 end
    return two()
    >>> print(assembled("return TWO", "local TWO = 2\n"))
    return 2
    """
    starts = [found.start() for found in _DECLARATION.finditer(shared)]
    declarations = [shared[start:end] for start, end in pairwise([*starts, len(shared)])]
    declarations, body = _with_literals(declarations, body)
    often = _reached(declarations, [_RARE.sub("", body)], _RARE)
    wanted = {name for text in (body, *often) for name in _RARE.findall(text)}
    rare = [one for one in _reached(declarations, wanted) if one not in often]
    links: dict[str, str] = {}
    blocks = _blocks(_groups(rare), {name for one in often for name in _names_of(one)})
    for number, block in enumerate(blocks, 1):
        block.loader = "load_rare" if number == 1 else f"load_rare_{number}"
        for part, group in enumerate(block.groups, 1):
            links |= {name: f"(rare.{name} or {block.loader}({part}).{name})" for name in group.functions}

    if not blocks:
        return "".join(_linked(one, {}) for one in often) + _linked(body, {})
    loaders = [block.loader for block in blocks]
    cut = _cut(often, {"rare", *loaders}, [*(block.source({}) for block in blocks), body]) if len(often) >= _LONG else 0
    written = f"local rare, {', '.join(loaders)} = {{}}\n"
    written += "".join(_linked(one, links) for one in often[:cut])
    inner = "".join(_linked(one, links) for one in often[cut:])
    inner += "".join(block.source(links) for block in blocks) + _linked(body, links)
    return written + (f"return (function()\n{inner}\nend)()\n" if cut else inner)


@dataclass(slots=True)
class _Group:
    """Declarations that are built together, since they have something in common that is no function."""

    declarations: list[str]

    @property
    def functions(self) -> list[str]:
        """Return the names of the functions."""
        return [found[1] for one in self.declarations if (found := _FUNCTION.match(one))]

    def source(self, links: Mapping[str, str]) -> str:
        """Return the declarations, which are kept in the table of what was built."""
        own = self.functions
        text = "".join(self.declarations)
        # In their own text functions are called by name, in a declaration before theirs by their link.
        others = {name: link for name, link in links.items() if name not in own}
        kept = f"{', '.join(f'rare.{name}' for name in own)} = {', '.join(own)}\n" if own else ""
        return f"{_linked(_as_calls(text, others), {**links, **dict(zip(own, own, strict=True))})}{kept}"


@dataclass(slots=True)
class _Block:
    """Groups that one function builds, each when it is called with the group's number."""

    groups: list[_Group] = field(default_factory=list[_Group])
    names: set[str] = field(default_factory=set[str])
    loader: str = ""

    def source(self, links: Mapping[str, str]) -> str:
        """Return the function."""
        return f"{self.loader} = function(part)\n{self._parts(1, len(self.groups), links)}return rare\nend\n"

    def _parts(self, first: int, last: int, links: Mapping[str, str]) -> str:
        """Return what builds the groups from one number to another, which a part is looked up in by halves."""
        if first == last:
            return self.groups[first - 1].source(links)
        middle = (first + last) // 2
        low, high = self._parts(first, middle, links), self._parts(middle + 1, last, links)
        return f"if part <= {middle} then\n{low}else\n{high}end\n"


def _linked(text: str, links: Mapping[str, str]) -> str:
    """Return a text in which what is called through ``RARE`` is looked up, or named where it is built anyway."""

    def linked(found: re.Match[str]) -> str:
        line, first, name = found.groups("")
        link = links.get(first or name, first or name)
        # To Lua 5.1 a statement that begins with ( on a new line may be a call of what is before.
        return f"{line}rare.{first} = {link}; rare.{first}" if first and link != first else line + link

    return _LINKED.sub(linked, text) if "RARE." in text else text


def _as_calls(text: str, links: Mapping[str, str]) -> str:
    """Return a text in which calls of rare functions go through ``RARE``."""

    def replaced(found: re.Match[str]) -> str:
        called = found[0]
        return f"RARE.{called}" if called[:-1] in links else called

    return _TEXT_OR_CALL.sub(replaced, text) if links else text


def _with_literals(declarations: Sequence[str], body: str) -> tuple[list[str], str]:
    """Return declarations and a body in which constants that are numbers or texts stand where they are used.

    A name that is declared twice, in two shared parts or also in the body, stays a name.
    """
    declared = Counter(
        name for text in (*declarations, body) for found in _DECLARATION.findall(text) for name in _WORD.findall(found)
    )
    literals: dict[str, str] = {}
    kept: list[str] = []
    for one in declarations:
        found = _SCALARS.fullmatch(one)
        if found and all(declared[name] == 1 for name in found[1].split(", ")):
            literals.update(zip(found[1].split(", "), re.findall(_SCALAR, found[2]), strict=True))
        else:
            kept.append(one)

    def filled_in(text: str) -> str:
        return _TEXT_OR_CONSTANT.sub(lambda found: literals.get(found[0], found[0]), text)

    return [filled_in(one) for one in kept], filled_in(body)


def _groups(declarations: Sequence[str]) -> list[_Group]:
    """Return declarations in groups: those that use each other otherwise than by a call are together, in order."""
    named = {name: number for number, one in enumerate(declarations) for name in _names_of(one)}
    calls = {f"{found[1]}(" for one in declarations if (found := _FUNCTION.match(one))}
    groups: list[set[int]] = []
    for number, one in enumerate(declarations):
        if _FUNCTION.match(one):
            words = set(_WORD_OR_CALL.findall(_RARE.sub("", one.partition("(")[2]))) - calls
            used = {word.removesuffix("(") for word in words}
        else:
            used = set(_WORD.findall(one))
        near = {number, *(named[word] for word in used & named.keys())}
        joined = [group for group in groups if not group.isdisjoint(near)]
        groups = [group for group in groups if group.isdisjoint(near)] + [near.union(*joined)]
    return [_Group([declarations[number] for number in sorted(group)]) for group in sorted(groups, key=min)]


def _blocks(groups: Sequence[_Group], outer: Set[str]) -> list[_Block]:
    """Return groups in blocks, each of which uses few names of those that are declared before it.

    A function in Lua 5.1 may use 60 local names of the text around it (LUAI_MAXUPVALUES).

    Args:
        groups: The groups.
        outer: The names that are declared before them.
    """
    blocks: list[_Block] = []
    for group in groups:
        used = {word for one in group.declarations for word in _WORD.findall(_RARE.sub("", one))} & outer
        if not blocks or len(blocks[-1].names | used) > _MOST_NAMES:
            blocks.append(_Block())
        blocks[-1].groups.append(group)
        blocks[-1].names |= used
    return blocks


def _cut(often: Sequence[str], linking: Set[str], later: Sequence[str]) -> int:
    """Return the number of declarations of a long script before those that are in a function of their own; 0 for none.

    The server keeps the cells of names that functions use in one list, the last declared first, and looks through it
    for each name of each function that it builds. A function within another gets the cells of the other handed on.

    Args:
        often: The declarations.
        linking: Names that are declared before them.
        later: The texts that come after them.
    """
    words = [set(_WORD.findall(text)) for text in (*often, *later)]
    for cut in range(len(often) - 1, 0, -1):
        if _FUNCTION.match(often[cut]) and not _FUNCTION.match(often[cut - 1]):
            declared = {name for one in often[:cut] for name in _names_of(one)} | linking
            if len(declared & set[str]().union(*words[cut:])) <= _MOST_CELLS:
                return cut
    return 0


def _names_of(declaration: str) -> set[str]:
    found = _DECLARATION.match(declaration)
    return set(_WORD.findall(found[1])) if found else set()


def _reached(declarations: Sequence[str], texts: Iterable[str], ignored: re.Pattern[str] | None = None) -> list[str]:
    """Return the declarations that texts use, directly or through others, in their order.

    Args:
        declarations: All declarations, each after those that it uses.
        texts: The texts whose words are looked for.
        ignored: What does not count as a use; None when everything does.
    """
    used = {word for text in texts for word in _WORD.findall(text)}
    kept = deque[str]()
    for declaration in reversed(declarations):
        if used & _names_of(declaration):
            used.update(_WORD.findall(ignored.sub("", declaration) if ignored else declaration))
            kept.appendleft(declaration)
    return list(kept)
