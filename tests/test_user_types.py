"""Test what mypy and pyright find in a user's file beside the installed package: the types of answers, and mistakes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from .support.installed import build_wheel, install

MODELS = """
from typing import Annotated
import redis
import redis.asyncio
import slotbook
from slotbook import Delete, Entity, Fill, Index, Insert, Key, Order, Put, Update, errors
from slotbook.models.types import Name, Quantity

class Allocation(Entity, kind="allocation"):
    trader: Name
    allocation_id: Annotated[Name, Key]
    order_id: Annotated[Name, Index]
    quantity: Quantity = 0

class Quote(Entity, kind="quote"):
    trader: Name
    symbol: Annotated[Name, Key]

class DeskOrder(Order):
    strategy: Annotated[Name, Index]

class DeskFill(Fill):
    venue: Name | None = None

plain, order, fill = Order.model_validate({}), DeskOrder.model_validate({}), DeskFill.model_validate({})
one = Allocation(trader="T001", allocation_id="L1", order_id="A1", quantity=40)
quote = Quote(trader="T001", symbol="AAPL")

async def desk(book: slotbook.Book, abook: slotbook.AsyncBook) -> None:
    table, atable = book.table(Allocation), abook.table(Allocation)
    orders, aorders = book.orders.of(DeskOrder), abook.orders.of(DeskOrder)
"""
"""The beginning of the file of a user who has tables, for threads and for asyncio."""

ANSWERS = {
    'slotbook.connect("redis://localhost")': "Book",
    'await slotbook.aconnect("redis://localhost")': "AsyncBook",
    "one.version": "int",
    "one.updated_ns": "int | None",
    "table": "Table[Allocation]",
    "table.insert(one)": "RecordResult[Allocation]",
    "table.insert(one).record": "Allocation | None",
    "table.put(one, expected_version=3)": "RecordResult[Allocation]",
    'table.update("T001", "L1", {"quantity": 5})': "RecordResult[Allocation]",
    'table.delete("T001", "L1")': "RecordResult[Allocation]",
    "table.insert_many([one])": "list[Outcome[RecordResult[Allocation]]]",
    "table.insert_many([one])[0].result()": "RecordResult[Allocation]",
    "table.put_many([one])": "list[Outcome[RecordResult[Allocation]]]",
    'table.get("T001", "L1")': "Allocation | None",
    'table.get_many([("T001", "L1")])': "list[Outcome[Allocation | None]]",
    'table.exists("T001", "L1")': "bool",
    'table.by("T001", {"order_id": "A1"})': "list[Allocation]",
    'table.all("T001")': "list[Allocation]",
    'table.count("T001")': "int",
    "table.find()": "Find[Allocation]",
    "table.find().all()": "list[Allocation]",
    "await atable.find().first()": "Allocation | None",
    "orders.find().page()": "list[DeskOrder]",
    'table.iter("T001")': "Iterator[Allocation]",
    "atable": "AsyncTable[Allocation]",
    "await atable.insert(one)": "RecordResult[Allocation]",
    "await atable.put(one)": "RecordResult[Allocation]",
    'await atable.update("T001", "L1", {"quantity": 5})': "RecordResult[Allocation]",
    'await atable.delete("T001", "L1")': "RecordResult[Allocation]",
    "await atable.insert_many([one])": "list[Outcome[RecordResult[Allocation]]]",
    'await atable.get("T001", "L1")': "Allocation | None",
    'await atable.get_many([("T001", "L1")])': "list[Outcome[Allocation | None]]",
    'await atable.by("T001", {"order_id": "A1"})': "list[Allocation]",
    'await atable.all("T001")': "list[Allocation]",
    'atable.iter("T001")': "AsyncIterator[Allocation]",
    "Insert(one)": "Insert[Allocation]",
    'Update(Allocation, "T001", "L1", {"quantity": 5})': "Update[Allocation]",
    "book.commit([Insert(one), Put(quote)])": (
        "list[OrderResult[Order] | FillResult[Order] | PositionResult | LimitsResult | TradingResult | "
        "RecordResult[Entity]]"
    ),
    'book.orders.get("T001", "A1")': "Order | None",
    'await abook.orders.get("T001", "A1")': "Order | None",
    "slotbook.models.Order": "type[Order]",
    "book.orders": "OrderRepository[Order]",
    "book.orders.place(plain)": "OrderResult[Order]",
    'book.orders.open("T001")': "list[Order]",
    'book.snapshot("T001")': "Snapshot[Order]",
    'book.snapshot("T001", DeskOrder)': "Snapshot[DeskOrder]",
    "orders": "OrderRepository[DeskOrder]",
    "orders.place(order)": "OrderResult[DeskOrder]",
    "orders.place(order).order.strategy": "str",
    "orders.place_many([order])": "list[Outcome[OrderResult[DeskOrder]]]",
    "orders.fill(fill)": "FillResult[DeskOrder]",
    "orders.fill(fill).order": "DeskOrder",
    'orders.cancel("T001", "A2")': "OrderResult[DeskOrder]",
    'orders.get("T001", "A2")': "DeskOrder | None",
    'orders.get_many([("T001", "A2")])': "list[Outcome[DeskOrder | None]]",
    'orders.by("T001", {"strategy": "S1"})': "list[DeskOrder]",
    'orders.count("T001", {"strategy": "S1"})': "int",
    "aorders": "AsyncOrderRepository[DeskOrder]",
    'await aorders.get("T001", "A2")': "DeskOrder | None",
    "await aorders.fill(fill)": "FillResult[DeskOrder]",
    "await aorders.place(order)": "OrderResult[DeskOrder]",
    'await abook.snapshot("T001", DeskOrder)': "Snapshot[DeskOrder]",
    "redis.Redis()": "Redis",
    "redis.asyncio.Redis()": "Redis",
}
"""Expressions, and their types as both checkers show them."""

WHOLE = ('redis.Redis().get("k")', 'redis.asyncio.Redis().get("k")', 'redis.Redis().hgetex("k", "f")')
"""Calls of redis-py, whose own types no stubs of another package may hide."""

MISTAKES = (
    "table.insert(quote)",
    "Update(Allocation, 'T001', 'L1', 5)",
    'table.get("T001", "L1").quantity',
    'table.by("T001")',
    "table.get(one)",
    "book.table(int)",
    "await table.insert(one)",
    "orders.place(plain)",
    "book.orders.of(DeskFill)",
    "await aorders.place(plain)",
    "slotbook.connected",
    "slotbook.models.Odrer",
    "errors.NotUniqe",
)
"""Lines that each checker must find wrong."""

SHOWN = [*ANSWERS, *WHOLE]
FILE = MODELS + "".join(f"    reveal_type({one})\n" for one in SHOWN) + "".join(f"    {one}\n" for one in MISTAKES)
FIRST = MODELS.count("\n") + 1
"""The number of the first line that shows a type."""


def test_checkers_see_whole_types_and_find_mistakes(tmp_path: Path) -> None:
    python = install(build_wheel(tmp_path), tmp_path / "venv")
    user = tmp_path / "user"
    user.mkdir()
    (user / "desk.py").write_text(FILE, encoding="utf-8")
    (user / "pyrightconfig.json").write_text('{"typeCheckingMode": "strict"}', encoding="utf-8")
    for check in (mypy, pyright):
        types, errors = check(user, python)
        found = {expression: types.get(FIRST + number) for number, expression in enumerate(SHOWN)}
        for expression in WHOLE:
            assert not re.search(r"\b(Any|Unknown)\b", found.pop(expression) or "Any"), (check, expression)
        assert found == ANSWERS, check
        assert errors == set(range(FIRST + len(SHOWN), FIRST + len(SHOWN) + len(MISTAKES))), check


Found = tuple[dict[int, str], set[int]]
"""The types that a checker shows, by line, and the lines in which it finds something wrong."""


def mypy(folder: Path, python: Path) -> Found:
    options = ("--strict", "--python-executable", str(python), "--cache-dir", os.devnull)
    types: dict[int, str] = {}
    errors: set[int] = set()
    for line in run("mypy", *options, "desk.py", folder=folder).splitlines():
        if shown := re.match(r'desk\.py:(\d+): note: Revealed type is "(.*)"', line):
            types[int(shown[1])] = short(shown[2])
        elif wrong := re.match(r"desk\.py:(\d+): error", line):
            errors.add(int(wrong[1]))
    return types, errors


def pyright(folder: Path, python: Path) -> Found:
    types: dict[int, str] = {}
    errors: set[int] = set()
    said = run("pyright", "--pythonpath", str(python), "--outputjson", folder=folder)
    for one in json.loads(said)["generalDiagnostics"]:
        line = one["range"]["start"]["line"] + 1
        if one["severity"] == "information":
            types[line] = short(one["message"].rpartition(" is ")[2].strip('"'))
        elif not one.get("rule", "").startswith("reportUnused"):
            errors.add(line)
    return types, errors


def short(shown: str) -> str:
    """Return a type without the names of modules, as both checkers show it."""
    plain = re.sub(r"\b(?:\w+\.)+(\w+)", r"\1", shown)
    return re.sub(r"^def .* -> Order$", "type[Order]", plain)


def run(checker: str, *words: str, folder: Path) -> str:
    """Return what a checker prints of a user's folder."""
    command = [sys.executable, "-m", checker, *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done.stdout
