"""Every promise of docs/explanation/guarantees.md names the tests that hold it, and these tests exist."""

from __future__ import annotations

import ast
import re

from slotbook.repositories.audit.statements import ONLY_ONCE

from .support.package import ROOT
from .support.pages import text_of

PAGE = text_of("explanation/guarantees")
ROWS = [
    tuple(cell.strip() for cell in line.strip("|").split("|"))
    for line in PAGE.splitlines()
    if line.startswith("| ") and not line.startswith("| promise |")
]
TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def functions_of(path: str) -> set[str]:
    """Return the names of the test functions of a file, none when there is no such file."""
    file = ROOT / path
    if not file.exists():
        return set()
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_promise_has_a_condition_and_a_test() -> None:
    assert len(ROWS) > 30
    assert [row for row in ROWS if len(row) != 3 or not row[0] or not row[1] or not TEST.search(row[2])] == []


def test_the_cells_of_tests_have_nothing_else() -> None:
    left = {row[0]: TEST.sub("", row[2]).replace(",", "").strip() for row in ROWS}
    assert {promise: rest for promise, rest in left.items() if rest} == {}


def test_every_test_that_the_page_names_exists() -> None:
    named = TEST.findall(PAGE)
    assert [f"{path}::{name}" for path, name in named if name not in functions_of(path)] == []


def test_no_promise_is_made_twice() -> None:
    promises = [row[0] for row in ROWS]
    assert len(set(promises)) == len(promises)


def test_the_page_lists_what_is_recorded_only_once() -> None:
    listed = re.findall(r"^- (.+)$", PAGE, re.MULTILINE)
    assert listed == [f"{what}: {when}" for what, when in ONLY_ONCE.items()]
