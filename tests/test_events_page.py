"""The signatures on the page of events and on that of verbs are those of the methods, of both forms of a book."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable

import pytest
from slotbook.repositories import (
    AsyncOrderEventRepository,
    AsyncOrderRepository,
    OrderEventRepository,
    OrderRepository,
)

from .support.pages import text_of


def arguments_of(method: Callable[..., object]) -> list[str]:
    """Return the arguments of a method as a page has them: names and defaults."""
    found: list[str] = []
    for name, one in list(inspect.signature(method).parameters.items())[1:]:
        if one.kind is one.KEYWORD_ONLY and "*" not in found:
            found.append("*")
        found.append(name if one.default is one.empty else f"{name}={one.default!r}".replace("'", '"'))
    return found


@pytest.mark.parametrize(
    ("page", "name", "methods"),
    [
        ("how-to/events", "follow", (OrderEventRepository.follow, AsyncOrderEventRepository.follow)),
        ("how-to/events", "consume", (OrderEventRepository.consume, AsyncOrderEventRepository.consume)),
        ("reference/verbs", "cancel", (OrderRepository.cancel, AsyncOrderRepository.cancel)),
    ],
)
def test_a_signature_is_that_of_the_method(
    page: str, name: str, methods: tuple[Callable[..., object], Callable[..., object]]
) -> None:
    match = re.search(rf"`{name}\((.*?)\)`", text_of(page))
    assert match is not None
    said = match[1].replace("_000", "000").split(", ")
    for method in methods:
        real = arguments_of(method)
        if said[-1] == "…":  # the rest, by name
            assert set(said[:-1]) < set(real)
        else:
            assert said == real
