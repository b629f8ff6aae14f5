"""Slotbook without its extra ``search``: all but queries works, and those say what to install."""

from __future__ import annotations

import subprocess
import sys
import tomllib

from .support.fleet import Fleets
from .support.package import MODULES, ROOT

BLOCKED = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("redis_om", "aredis_om"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Blocked())
"""
"""The beginning of a program for which redis-om is not installed."""
OF_QUERIES = {
    "slotbook.models.conditions",
    "slotbook.models.hashes",
    "slotbook.models.om",
    "slotbook.repositories.search.index_schema",
    "slotbook.repositories.search.language",
}
"""The modules that cannot be imported without the extra."""
SAYS = 'queries need redis-om: pip install "slotbook[search]"'


def _run(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", BLOCKED + code], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_pip_installs_without_an_extra_has_no_redis_om() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    assert not any("redis-om" in one for one in project["dependencies"])
    assert extras["search"] == ["redis-om>=1.2"]
    assert any("search" in one for one in extras["dev"] if one.startswith("slotbook["))
    assert any("search" in one for one in extras["bench"] if one.startswith("slotbook["))


def test_every_module_but_those_of_queries_is_imported() -> None:
    names = [name for name in MODULES if not name.startswith("slotbook.bench") and not name.endswith("__main__")]
    code = f"""
import importlib
from slotbook.models.errors import MissingExtra
for name in {names!r}:
    try:
        importlib.import_module(name)
    except MissingExtra as error:
        assert isinstance(error, ImportError) and str(error) == {SAYS!r}
        print(name)
"""
    assert set(_run(code).split()) == OF_QUERIES


def test_a_book_works_and_what_needs_search_says_what_to_install() -> None:
    code = f"""
import asyncio
from typing import Annotated
import slotbook
from slotbook import Entity, Fill, Index, Insert, Key, Order, SymbolInfo, errors
from slotbook.models.types import Name

class Allocation(Entity, kind="allocation"):
    trader: Name
    allocation_id: Annotated[Name, Key]
    account: Annotated[Name, Index]

def refused(call):
    try:
        call()
    except errors.MissingExtra as error:
        assert str(error) == {SAYS!r}, error
        print(error)
    else:
        raise AssertionError(call)

with slotbook.connect("embedded://standalone") as book:
    order = Order(trader="T1", order_id="A1", symbol="AAPL", side="BUY", quantity=100, price="187.23")
    book.commit([order, Fill(trader="T1", order_id="A1", exec_id="X1", quantity=40, price="187.22")])
    table = book.table(Allocation)
    table.insert(Allocation(trader="T1", allocation_id="L1", account="ACC1"))
    assert table.by("T1", {{"account": "ACC1"}}) == table.all("T1") != []
    book.symbols.put(SymbolInfo(symbol="AAPL", name="Apple"))
    assert book.orders.open("T1") and book.positions.all("T1") and book.audit.verify("T1") == []
    for repository in (book.orders, book.positions, book.symbols, table):
        refused(repository.find)
    for method in (book.indexes.create, book.indexes.drop, book.indexes.info):
        refused(method)
        refused(lambda: method(Allocation))

async def main():
    async with slotbook.aconnect("embedded://standalone") as book:
        refused(book.orders.find)
        try:
            await book.indexes.create()
        except errors.MissingExtra as error:
            print(error)

asyncio.run(main())
"""
    assert _run(code).splitlines() == [SAYS] * 12


def test_the_commands_of_indexes_say_what_to_install(fleets: Fleets) -> None:
    code = f"""
from slotbook.cli import main
for command in ("create", "drop", "info"):
    assert main(["index", command, "--url", {fleets.of("standalone").url()!r}]) == 1
"""
    done = subprocess.run([sys.executable, "-c", BLOCKED + code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines() == [f"slotbook: {SAYS}"] * 3
