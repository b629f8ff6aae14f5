"""The commands ``slotbook index``."""

from __future__ import annotations

import json
from typing import cast

import pytest
from slotbook import Book
from slotbook.cli import main
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


def test_a_server_without_search_is_reported_in_one_line(fleets: Fleets, capfd: pytest.CaptureFixture[str]) -> None:
    url = fleets.of("standalone").url()
    for command in ("create", "drop", "info"):
        assert main(["index", command, "--url", url]) == 1
        printed = capfd.readouterr()
        assert printed.out == ""
        assert printed.err.startswith("slotbook: index of orders: the server has no search: it needs")
        assert printed.err.count("\n") == 1
    assert main(["index", "create"]) == 2
