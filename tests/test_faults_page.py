"""docs/explanation/faults.md and the tests that provoke its faults name each other."""

from __future__ import annotations

import ast
import re

from .support.package import ROOT
from .support.pages import text_of

PAGE = text_of("explanation/faults")
MATRIX = re.findall(r"^\| ([^|]+) \|[^|]+\|[^|]+\| (\[.+) \|$", PAGE, re.MULTILINE)
MIXED = {"tests/faults/test_soak.py", "tests/faults/test_real_day.py"}
"""Tests of many faults at once."""


def cited() -> dict[str, str]:
    """Return the fault that each test of tests/faults, and any other test that cites one, names."""
    found: dict[str, str] = {}
    for path in ROOT.glob("tests/**/test_*.py"):
        docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        name = re.match(r'Fault "([^"]+)"', docstring)
        if name:
            found[path.relative_to(ROOT).as_posix()] = name[1]
    return found


def test_each_fault_of_the_page_is_cited_by_the_tests_that_it_links() -> None:
    linked = {path: fault for fault, links in MATRIX for path in re.findall(r"\]\(\.\./\.\./([^)]+)\)", links)}
    assert len(MATRIX) == 38
    assert cited() == linked


def test_every_test_of_a_fault_is_on_the_page() -> None:
    files = {path.relative_to(ROOT).as_posix() for path in ROOT.glob("tests/faults/test_*.py")}
    assert files == {path for path in cited() if path.startswith("tests/faults/")} | MIXED
    assert all(f"](../../{path})" in PAGE for path in MIXED)
