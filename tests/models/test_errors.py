"""Every error of the tree keeps its message and its fields when it is pickled, copied, or raised in another process."""

from __future__ import annotations

import copy
import importlib
import inspect
import pickle
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import cast

import pytest
from slotbook.models.errors import Overfill, SlotbookError, SourceFailed, StateLost
from slotbook.models.position import Position

from ..support.package import MODULES

ARGUMENTS: dict[str, object] = {
    "message": "what went wrong",
    "key": "{T}:order:A1",
    "field": "price",
    "problem": "no number",
    "trader": "T",
    "first": 3,
    "last": 9,
    "found": {"AAPL": 1},
    "errors": {"MSFT": SourceFailed("row 2")},
    "result": Position(trader="T", symbol="AAPL"),
    "replicas": 1,
    "wanted": 2,
    "refusal": Overfill("150 of 100"),
    "line": 7,
    "record": Position(trader="T", symbol="AAPL"),
    "value": "R1",
    "expected": 3,
    "version": 3,
    "actual": 4,
    "kind": "allocation",
    "schema": 3,
    "known": 2,
    "limit": "max_order",
    "symbol": "AAPL",
    "asked": None,
    "trading": "HALTED",
    "instead": "another change",
    "id": "V9",
    "order_id": "A1",
}
"""An argument for every parameter of a constructor of an error; a new error may need one more."""


def _tree(kind: type[SlotbookError]) -> Iterator[type[SlotbookError]]:
    yield kind
    for each in kind.__subclasses__():
        yield from _tree(each)


def _all() -> list[type[SlotbookError]]:
    for name in MODULES:
        if not name.endswith("__main__") and not name.startswith("slotbook.bench"):  # which loads other clients
            importlib.import_module(name)
    return sorted(
        {kind for kind in _tree(SlotbookError) if kind.__module__.startswith("slotbook.")},
        key=lambda kind: kind.__name__,
    )


ALL = _all()


def _made(kind: type[SlotbookError]) -> SlotbookError:
    if not inspect.isfunction(kind.__init__):
        error = kind("what went wrong", 5)
    else:
        parameters = list(inspect.signature(kind).parameters)
        error = cast(SlotbookError, cast(object, kind(*[ARGUMENTS[name] for name in parameters])))
    error.index = 4
    error.add_note("seen at the gateway")
    return error


def _seen(error: BaseException) -> tuple[object, ...]:
    """Return everything of an error that can be compared; errors in its fields as the same of theirs."""
    fields = {name: _plain(value) for name, value in vars(error).items()}
    return type(error), str(error), error.args, fields


def _plain(value: object) -> object:
    if isinstance(value, BaseException):
        return _seen(value)
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in cast("dict[str, object]", value).items()}
    return value


def _raise(error: SlotbookError) -> None:
    raise error


def test_the_tree_is_all_of_it() -> None:
    assert len(ALL) > 30
    assert {"JournalError", "ReplayStopped", "PortTaken", "StateLost"} <= {kind.__name__ for kind in ALL}


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_it_pickles_and_copies(kind: type[SlotbookError]) -> None:
    error = _made(kind)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert _seen(pickle.loads(pickle.dumps(error, protocol))) == _seen(error)  # noqa: S301 (our own)
    for copied in (copy.copy(error), copy.deepcopy(error)):
        assert copied is not error
        assert _seen(copied) == _seen(error)


def test_fields_of_a_copy_are_its_own() -> None:
    error = StateLost("T", 1, 2, [1], Overfill("x"))
    copied, deep = copy.copy(error), copy.deepcopy(error)
    copied.last = 5
    assert (error.last, deep.last, copied.result is error.result) == (2, 2, True)
    assert deep.result is not error.result


def test_it_travels_through_a_process_pool() -> None:
    """One that cannot be unpickled breaks a pool for good."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        sent = [(_made(kind), pool.submit(_raise, _made(kind))) for kind in ALL]
        for error, future in sent:
            came = future.exception(120)
            assert came is not None
            assert _seen(came) == _seen(error)
