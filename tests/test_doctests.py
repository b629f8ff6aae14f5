"""The examples in docstrings are run, and give the results that they show."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest
import slotbook

from .support.package import MODULES, ROOT

SHOWING = [name for name, path in MODULES.items() if ">>> " in path.read_text(encoding="utf-8")]


def test_the_package_is_this_repository_s() -> None:
    assert Path(slotbook.__file__).resolve() == ROOT / "__init__.py"
    assert "slotbook.models.order" in SHOWING


@pytest.mark.parametrize("name", SHOWING)
def test_doctest(name: str) -> None:
    result = doctest.testmod(importlib.import_module(name))
    assert result.attempted > 0
    assert result.failed == 0
