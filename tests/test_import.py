"""The public names of the package, and the cost of ``import slotbook``."""

from __future__ import annotations

import ast
import importlib
import re
import statistics
import subprocess
import sys

import pytest
import slotbook
from slotbook import models, repositories

from .support.package import ROOT

HEAVY = ("redis_om", "aredis_om", "numpy", "sqlalchemy", "typer", "rich")
OURS = ("models", "repositories", "topology")


def _run(code: str, *flags: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *flags, "-c", code], capture_output=True, text=True, check=True)


def _imports_for_type_checkers(package: str = ".") -> dict[str, str]:
    """Return the names that a package imports under ``TYPE_CHECKING``, each with its module."""
    tree = ast.parse((ROOT / package / "__init__.py").read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    imports = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    return {alias.name: f".{node.module}" for node in imports for alias in node.names if alias.asname is None}


@pytest.mark.parametrize(
    "code",
    [
        "import slotbook",
        "import slotbook; slotbook.connect, slotbook.aconnect, slotbook.Settings",
        "from slotbook import *",
        "import slotbook.models, slotbook.repositories",
        "import slotbook\nwith slotbook.connect('embedded://standalone') as book:\n book.orders.open('T1')",
        "from slotbook.repositories import OrderRepository, SearchIndexes, Find",
    ],
)
def test_what_is_heavy_is_imported_only_where_it_is_used(code: str) -> None:
    loaded = _run(f"import sys\n{code}\nprint(*(set({HEAVY!r}) & set(sys.modules)))").stdout.split()
    assert loaded == []


def test_importing_slotbook_costs_no_more_than_1_3_times_what_it_stands_on() -> None:
    def microseconds(code: str) -> int:
        report = _run(code, "-X", "importtime").stderr
        return sum(map(int, re.findall(r"^import time:\s+(\d+) \|", report, re.MULTILINE)))

    ratios = [microseconds("import slotbook") / microseconds("import redis, pydantic") for _ in range(3)]
    assert statistics.median(ratios) < 1.3


@pytest.mark.parametrize(
    ("code", "unused"),
    [
        ("slotbook.connect", r"_async$|\._async\.|\.audit\.(steps|repairs)|\.testing|\.web|\.cli"),
        ("slotbook.aconnect", r"\.(audit|doctor|orders|records)\._sync|\.audit\.(steps|repairs)"),
    ],
)
def test_who_opens_a_book_loads_neither_its_other_form_nor_what_audits_it(code: str, unused: str) -> None:
    loaded = _run(f"import sys, slotbook; {code}\nprint(*sys.modules)").stdout.split()
    assert "slotbook.repositories.orders.verbs" in loaded
    assert [name for name in loaded if name.startswith("slotbook.") and re.search(unused, name)] == []


def test_who_imports_the_models_or_opens_a_book_builds_none_of_their_validators() -> None:
    shown = _run(
        "import slotbook; from slotbook import models; slotbook.connect\n"
        "kinds = [kind for name in models.__all__ if hasattr(kind := getattr(models, name), '__pydantic_complete__')]\n"
        "print(len(kinds), *(kind.__name__ for kind in (*kinds, slotbook.Settings) if kind.__pydantic_complete__))"
    ).stdout.split()
    assert int(shown[0]) > 30
    assert shown[1:] == []


def test_the_repositories_are_complete_before_anything_is_asked_of_them() -> None:
    shown = _run("from slotbook import repositories; print(*dir(repositories))").stdout.split()
    assert set(repositories.__all__) < set(shown)
    for_checkers = _imports_for_type_checkers("repositories")
    assert sorted(for_checkers) == sorted(repositories.__all__)
    for name, module in for_checkers.items():
        found = importlib.import_module(module, "slotbook.repositories")
        assert getattr(repositories, name) is getattr(found, name), name
    with pytest.raises(AttributeError, match="has no attribute 'Boook'"):
        getattr(repositories, "Boook")  # noqa: B009


def test_importing_slotbook_imports_nothing_else_of_it() -> None:
    loaded = _run("import sys, slotbook\nprint(*(name for name in sys.modules if name.startswith('slotbook.')))").stdout
    assert loaded.split() == []


def test_the_public_face_is_complete_before_anything_is_asked_of_it() -> None:
    shown = _run("import slotbook; print(*dir(slotbook))").stdout.split()
    assert set(slotbook.__all__) < set(shown)
    assert set(OURS) < set(shown)
    assert _run("import slotbook; print(slotbook.models.Order.__name__)").stdout == "Order\n"
    with pytest.raises(AttributeError, match="has no attribute 'conect'"):
        getattr(slotbook, "conect")  # noqa: B009


def test_every_model_and_the_errors_are_names_of_the_package() -> None:
    assert {*models.__all__, "errors"} <= set(slotbook.__all__)
    assert all(getattr(slotbook, name) is getattr(models, name) for name in models.__all__)
    assert slotbook.errors is importlib.import_module("slotbook.models.errors")
    assert slotbook.SlotbookError is slotbook.errors.SlotbookError


def test_type_checkers_see_the_names_that_are_imported_on_first_use() -> None:
    for_checkers = _imports_for_type_checkers()
    assert sorted(for_checkers) == sorted(slotbook.__all__)
    for name, module in for_checkers.items():
        assert getattr(slotbook, name) is getattr(importlib.import_module(module, "slotbook"), name), name
