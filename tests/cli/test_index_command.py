"""The commands ``slotbook index``."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from slotbook import Book
from slotbook.cli import main
from slotbook.models.conditions import searchable
from slotbook.models.hashes import OrderHash
from slotbook.topology.embedded import Topology

from ..support.fleet import Fleets
from ..support.make import fresh, limit
from ..support.search import fixtures
from ..support.search.fixtures import SearchFleets
from ..support.search.server import searching

Rows = list[dict[str, object]]

search_fleet = fixtures.search_fleet
topology = fixtures.topology


@searching
def test_create_info_drop(
    search_fleet: SearchFleets, topology: Topology, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    url = search_fleet(topology).url({"prefix": fresh("cli") + ":"})

    def run(*arguments: str) -> Rows:
        assert main(["index", *arguments, "--url", url, "--json"]) == 0
        printed = capfd.readouterr()
        assert printed.err == ""
        return cast(Rows, json.loads(printed.out))

    assert run("info") == []
    created = run("create")
    assert {row["kind"] for row in created} == {"order", "position", "symbol"}
    assert all(row["is_used"] and row["is_current"] for row in created)
    assert [row["name"] for row in run("create", "--kind", "order")] == [
        row["name"] for row in created if row["kind"] == "order"
    ]
    with Book.open(url) as book:
        book.orders.place(limit("T1"))
        assert book.orders.find(OrderHash.trader == "T1").count() == 1
    assert sum(cast(int, row["records"]) for row in run("info", "--kind", "order")) == 1
    assert main(["index", "info", "--url", url]) == 0
    assert "current, used" in capfd.readouterr().out
    assert run("drop") == []
    assert run("drop") == []
    assert main(["index", "info", "--url", url]) == 0
    assert capfd.readouterr().out == "no indexes\n"


MODELS = """
from typing import Annotated
from slotbook import Entity, Index, Key, Order
from slotbook.models.types import Name

class Allocation(Entity, kind="allocation"):
    trader: Name
    allocation_id: Annotated[Name, Key]
    account: Annotated[Name, Index]

class Venue(Entity, kind="venue"):
    mic: Annotated[Name, Key]

class Kindless(Entity):
    mic: Annotated[Name, Key]

class DeskOrder(Order):
    strategy: Name = "NONE"
"""


@pytest.fixture
def desk_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Yield the name of a module in the current folder, which has a desk's own models."""
    name = fresh("models").replace("-", "_").lower()
    (tmp_path / f"{name}.py").write_text(MODELS, encoding="utf-8")
    (tmp_path / f"{name}_broken.py").write_text("import no_such_library", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path])
    yield name
    sys.modules.pop(name, None)


@searching
def test_indexes_of_own_models(
    search_fleet: SearchFleets,
    topology: Topology,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    desk_models: str,
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    url = search_fleet(topology).url({"prefix": fresh("cli") + ":"})

    def run(*arguments: str) -> set[str]:
        assert main(["index", *arguments, "--url", url, "--json"]) == 0
        return {str(row["kind"]) for row in cast(Rows, json.loads(capfd.readouterr().out))}

    allocation, venue = f"{desk_models}:Allocation", f"{desk_models}:Venue"
    assert run("create", allocation) == {"allocation"}
    assert run("create", venue, "--kind", "symbol") == {"symbol", "venue"}
    assert run("info") == {"symbol"}
    assert run("info", allocation, venue) == {"allocation", "venue"}
    model = importlib.import_module(desk_models).Allocation
    with Book.open(url) as book:
        book.table(model).insert(model(trader="T1", allocation_id="L1", account="ACC1"))
        assert book.table(model).find(searchable(model).account == "ACC1").count() == 1
    assert main(["index", "info", allocation, "--url", url]) == 0
    assert "index:allocation:{" in capfd.readouterr().out
    assert run("drop", allocation) == run("info", allocation) == set()
    assert run("info", venue) == {"venue"}
    assert run("create", f"{desk_models}:DeskOrder", "--kind", "order") == {"order", "order.DeskOrder"}
    assert run("drop", f"{desk_models}:DeskOrder", "--kind", "order") == set()
    assert run("drop", venue, "--kind", "symbol") == set()


def test_a_model_that_is_none_is_bad_usage(fleets: Fleets, capfd: pytest.CaptureFixture[str], desk_models: str) -> None:
    url = fleets.of("standalone").url()
    for name, message in {
        "Allocation": "names no model; write MODULE:MODEL",
        ":Allocation": "names no model; write MODULE:MODEL",
        f"{desk_models}:": "names no model; write MODULE:MODEL",
        f"{desk_models}:Alocation": f"{desk_models} has no model Alocation; the nearest is Allocation",
        f"{desk_models}:Annotated": f"{desk_models} has no model Annotated",
        "no_such_module:Allocation": "no_such_module cannot be imported: ModuleNotFoundError",
        f"{desk_models}_broken:Allocation": f"{desk_models}_broken cannot be imported: ModuleNotFoundError: No module",
    }.items():
        for command in ("create", "drop", "info"):
            assert main(["index", command, name, "--url", url]) == 2
            printed = capfd.readouterr()
            assert printed.out == ""
            assert message in printed.err
            assert printed.err.count("\n") == 1
    assert main(["index", "create", f"{desk_models}:Kindless", "--url", url]) == 1
    assert "Kindless has no kind" in capfd.readouterr().err


def test_a_server_without_search_is_reported_in_one_line(fleets: Fleets, capfd: pytest.CaptureFixture[str]) -> None:
    url = fleets.of("standalone").url()
    for command in ("create", "drop", "info"):
        assert main(["index", command, "--url", url]) == 1
        printed = capfd.readouterr()
        assert printed.out == ""
        assert printed.err.startswith("slotbook: index of orders: the server has no search: it needs")
        assert printed.err.count("\n") == 1
    assert main(["index", "create"]) == 2
