"""The attributes of a book are shown by ``help`` and by editors, with what they are for."""

from __future__ import annotations

import ast
import inspect
import pydoc
from itertools import pairwise
from pathlib import Path
from typing import get_type_hints

import pytest
from slotbook import AsyncBook, Book
from slotbook.repositories import AsyncAuditor, AsyncSearchIndexes, Auditor, OrderRepository, SearchIndexes

from ...support.desk import Desk

NAMES = ("orders", "positions", "limits", "events", "sessions", "values", "symbols", "audit", "doctor", "indexes")
both = pytest.mark.parametrize("book", [Book, AsyncBook])


def body_of(book: type[object]) -> list[ast.stmt]:
    """Return the statements of a class."""
    tree = ast.parse(Path(inspect.getfile(book)).read_text(encoding="utf-8"))
    (found,) = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == book.__name__]
    return found.body


def assigned_by_init(body: list[ast.stmt]) -> set[str]:
    """Return the public attributes that a class assigns in ``__init__``."""
    (init,) = [node for node in body if isinstance(node, ast.FunctionDef) and node.name == "__init__"]
    targets = [target for node in init.body if isinstance(node, ast.Assign) for target in node.targets]
    return {target.attr for target in targets if isinstance(target, ast.Attribute) and not target.attr.startswith("_")}


@both
def test_every_public_attribute_is_annotated_and_described_on_the_class(book: type[object]) -> None:
    body = body_of(book)
    described = {
        node.target.id
        for node, following in pairwise(body)
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
        if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)
        if isinstance(following.value.value, str)
    }
    assert described == assigned_by_init(body) == set(NAMES)
    assert "backend" in get_type_hints(book), "which it has from the class that opens and closes it"


@both
def test_help_names_every_repository(book: type[object]) -> None:
    shown = pydoc.plain(pydoc.render_doc(book))
    assert [name for name in NAMES if f"``{name}``" not in shown] == []


def test_annotations_name_the_types() -> None:
    assert get_type_hints(Book)["orders"] is OrderRepository
    assert (get_type_hints(Book)["audit"], get_type_hints(Book)["indexes"]) == (Auditor, SearchIndexes)
    hints = get_type_hints(AsyncBook)
    assert (hints["audit"], hints["indexes"]) == (AsyncAuditor, AsyncSearchIndexes)


def test_a_book_has_what_its_class_declares(lone_desk: Desk) -> None:
    assert [name for name in ("backend", *NAMES) if getattr(lone_desk.book, name, None) is None] == []
