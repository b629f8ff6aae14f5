"""The verb of every call's name is one of few words, and has nothing of what the call is about in it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from slotbook.topology.observing.verbs import verb_of

from ...support.package import MODULES

OF_NAMES = {"command", "evaluate", "Call", "_name", "_named"}
"""Functions whose first argument is the name of a call, or begins it."""


def begins() -> Iterator[tuple[str, str]]:
    """Yield the fixed words that the names of calls begin with, and the module; what varies is X1 there."""
    for name, path in MODULES.items():
        if "_sync" in path.with_suffix("").parts or not name.startswith(("slotbook.repositories", "slotbook.topology")):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args:
                function = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
                if function in OF_NAMES and isinstance(text := node.args[0], (ast.Constant, ast.JoinedStr)):
                    yield shown(text), name


def shown(text: ast.Constant | ast.JoinedStr) -> str:
    """Return the text of a string in the source, with X1 in place of what varies."""
    if isinstance(text, ast.Constant):
        return str(text.value)
    return "".join(str(part.value) if isinstance(part, ast.Constant) else "X1" for part in text.values)


def test_no_verb_has_anything_in_it_that_varies() -> None:
    names = [(text, where) for text, where in set(begins()) if not text.startswith("X1")]
    assert len(names) > 30
    assert [(text, where) for text, where in names if not re.fullmatch(r"[a-z][a-z -]*", verb_of(text))] == []


def test_known_names() -> None:
    for name, verb in {
        "get T001/A1": "get",
        "fill X1 of T001/A1": "fill",
        "set limits of T001 in AAPL": "set limits",
        "24 changes of T001 from place T001/A1 on": "changes",
        "acknowledge event 7 of T001 for risk": "acknowledge event",
        "put back dead letters of T001": "put back dead letters",
        "swap limits/desk (request R1)": "swap",
        "report of T001/A1": "report",
        "rate limit of orders": "rate limit",
    }.items():
        assert verb_of(name) == verb
