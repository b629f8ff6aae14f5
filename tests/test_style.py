"""The style of the source: its words, its docstrings, the length of its files, and unique names of tests."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from .support.package import MODULES, ROOT, SCRIPTS, each

PYTHON = [*MODULES.values(), *ROOT.glob("scripts/*.py"), ROOT / "noxfile.py", *ROOT.glob("tests/**/*.py")]
SOURCES = [path for path in PYTHON if "_sync" not in path.with_suffix("").parts]
"""What people write; the rest is generated."""
every_source = each(SOURCES)

GUIDE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
RETIRED = re.findall(r"^\| ([a-z]+) \|", GUIDE.partition("| not | write |")[2], re.MULTILINE)
"""Words that Slotbook no longer uses, from the first column of the guide's table."""

QUESTIONS = ("What", "Whatever", "Whether", "As", "Those", "Who", "Whoever", "How")

LONGEST_FILE = 350
LONGEST_FUNCTION = 62
"""Lines, without the docstring."""
DEEPEST_NESTING = 5

_BLOCKS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.Match)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@every_source
def test_a_file_is_short_enough_to_be_read(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE


@each(SCRIPTS)
def test_a_script_is_short_enough_to_be_read(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE


@each([*SOURCES, *SCRIPTS])
def test_no_retired_word_is_used(path: Path) -> None:
    assert len(RETIRED) == 8
    pattern = re.compile(rf"(?<![A-Za-z])({'|'.join(RETIRED)})(?![A-Za-z])", re.IGNORECASE)
    assert pattern.findall(path.read_text(encoding="utf-8")) == []


@every_source
def test_docstrings_begin_with_a_statement(path: Path) -> None:
    """A question word tells a stranger nothing; ruff's D401 asks functions for an imperative."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documented = [node for node in ast.walk(tree) if isinstance(node, (*_FUNCTIONS, ast.ClassDef, ast.Module))]
    docstrings = [ast.get_docstring(node) or "" for node in documented]
    if "tests" not in path.relative_to(ROOT).parts:
        docstrings += [text for node in documented for text in _attribute_docstrings(node.body)]
    assert [text.partition("\n")[0] for text in docstrings if text.split(" ")[0].rstrip(",:") in QUESTIONS] == []


@every_source
def test_no_function_is_long_or_deeply_nested(path: Path) -> None:
    if "tests" in path.relative_to(ROOT).parts:
        return
    found = {
        node.name: (_length(node), _depth(node))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, _FUNCTIONS)
    }
    assert {
        name: shape for name, shape in found.items() if shape[0] > LONGEST_FUNCTION or shape[1] > DEEPEST_NESTING
    } == {}


def test_names_of_test_files_are_unique() -> None:
    names = Counter(path.name for path in ROOT.glob("tests/**/test_*.py"))
    assert [name for name, count in names.items() if count > 1] == []


def test_helpers_of_tests_are_in_support() -> None:
    outside = [
        path.relative_to(ROOT).as_posix()
        for path in ROOT.glob("tests/**/*.py")
        if "support" not in path.parts and not path.name.startswith("test_") and path.name != "conftest.py"
    ]
    assert outside == []


def _attribute_docstrings(body: Sequence[ast.stmt]) -> list[str]:
    """Return the strings that follow an assignment, which is how an attribute is documented."""
    return [
        str(after.value.value)
        for before, after in pairwise(body)
        if isinstance(before, ast.Assign | ast.AnnAssign)
        and isinstance(after, ast.Expr)
        and isinstance(after.value, ast.Constant)
    ]


def _length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    first = node.body[0]
    docstring = ast.get_docstring(node, clean=False)
    return (node.end_lineno or 0) - node.lineno + 1 - (len(docstring.splitlines()) if docstring and first else 0)


def _depth(node: ast.AST) -> int:
    deepest = max((_depth(child) for child in ast.iter_child_nodes(node)), default=0)
    return deepest + isinstance(node, _BLOCKS)
