"""A doctor finds nothing wrong with good servers, on every topology, and changes nothing."""

from __future__ import annotations

import re
from typing import cast

import pytest
from slotbook import Book
from slotbook.repositories.doctor.checks import CHECKS, UNREACHED
from slotbook.repositories.doctor.findings import Verdict
from slotbook.topology.embedded import Deployment, Server, Topology

from ...conftest import TOPOLOGIES
from ...support.application import NAME
from ...support.desk import Desk
from ...support.doctor import examine, good_servers, wrong
from ...support.make import execution, limit
from ...support.pages import text_of
from ...support.urls import with_settings

MAY_READ = {
    *(
        "acl|dryrun",
        "acl|getuser",
        "acl|whoami",
        "auth",
        "client|setinfo",
        "client|setname",
        "cluster|getkeysinslot",
        "cluster|nodes",
        "cluster|slots",
    ),
    *("cluster|slot-stats", "command|info", "config|get", "hello", "info", "latency|latest", "ping", "role", "select"),
    *("slowlog|get", "time"),
}
"""The commands of which a doctor may make calls: none of them writes a key."""
OURS = {"acl|list", "dbsize", "slowlog|len", "function|list"}
"""The commands with which the test looks."""
_CALLS = re.compile(r"^cmdstat_([^:]+):calls=(\d+)", re.MULTILINE)
_LASTING = re.compile(r"^(db\d.*|number_of_\w+:.*|aof_rewrites:.*|rdb_saves:.*|evicted_\w+:.*)$", re.MULTILINE)


def stored(server: Server) -> list[object]:
    """Return everything of a server that a doctor might change."""
    flat = cast("list[str]", server.ask("CONFIG", "GET", "*"))
    return [
        dict(zip(flat[::2], flat[1::2], strict=True)),
        sorted(cast("list[str]", server.ask("ACL", "LIST"))),
        server.ask("DBSIZE"),
        server.ask("FUNCTION", "LIST"),
        _LASTING.findall(str(server.ask("INFO", "all"))),
    ]


def calls(server: Server) -> dict[str, int]:
    return {name: int(count) for name, count in _CALLS.findall(str(server.ask("INFO", "commandstats")))}


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_nothing_is_wrong_and_nothing_is_changed(topology: Topology) -> None:
    with good_servers(topology) as deployment:
        with Book.open(deployment.url) as book:
            book.orders.place(limit("T1"))
            book.orders.fill(execution("T1"))
        data = [server for server in deployment.servers if server.kind == "data"]
        before, called = [stored(server) for server in data], [calls(server) for server in data]
        diagnosis = examine(deployment)
        assert wrong(diagnosis) == {}
        assert (diagnosis.is_good, diagnosis.is_complete) == (True, True)
        for server, was, then in zip(data, before, called, strict=True):
            more = {name for name, count in calls(server).items() if count != then.get(name, 0)}
            assert more - {"replconf", "cluster", "publish"} <= MAY_READ | OURS
            assert stored(server) == was
        parts = [part for _, part in diagnosis.servers]
        expected = {"standalone": (1, 0, 0), "sentinel": (1, 2, 3), "cluster": (3, 3, 0)}
        assert tuple(map(parts.count, ("primary", "replica", "sentinel"))) == expected[topology]


def test_a_book_has_a_doctor(desk: Desk) -> None:
    """The shared servers have no limit of memory, and a failover of them takes long."""
    diagnosis = desk.book.doctor()
    assert desk.fleet.denied(), "as the application's user, who may not look at everything"
    assert {"memory", "failover time"} >= wrong(diagnosis).keys()
    unseen = {finding.remedy.split()[0] for finding in diagnosis.of(Verdict.UNSEEN)}
    assert unseen >= {"+config|get", "+slowlog|get", "+acl|whoami"}
    assert {finding.value for finding in diagnosis.findings if finding.check == "eviction policy"} == {"noeviction"}


def test_what_the_applications_user_may_not_see_is_named_with_the_permission(lone: Deployment) -> None:
    diagnosis = examine(lone, None, username=NAME)
    assert wrong(diagnosis) == {}
    assert not diagnosis.is_complete
    by_check = {finding.check: finding for finding in diagnosis.of(Verdict.UNSEEN)}
    assert by_check["persistence"].remedy == "+config|get for the user who runs the doctor"
    assert by_check["permissions needed"].remedy == "+acl|whoami for the user who runs the doctor"
    lone.servers[0].ask("ACL", "SETUSER", NAME, "+config|get", "+acl|whoami", "+acl|getuser", "+slowlog|get")
    try:
        diagnosis = examine(lone, None, username=NAME)
    finally:
        lone.servers[0].ask("ACL", "SETUSER", NAME, "-config", "-acl", "-slowlog")
    remedies = {finding.remedy.split()[0] for finding in diagnosis.of(Verdict.UNSEEN)}
    assert remedies == {"+acl|dryrun", "+latency|latest"}


def test_no_secret_is_shown(lone: Deployment) -> None:
    url = with_settings(lone.url, {})
    shown = repr(examine(lone, "default", url=url))
    assert lone.password not in shown
    hashes = cast("list[str]", lone.servers[0].ask("ACL", "GETUSER", "default"))
    assert cast("list[str]", hashes[hashes.index("passwords") + 1])[0] not in shown


def test_the_page_has_every_check() -> None:
    page = text_of("how-to/doctor")
    table = page.partition("| check | of | bad or a risk |")[2].partition("\n\n")[0]
    listed = re.findall(r"^\| ([^|]+) \| (?!-)", table, re.MULTILINE)
    assert listed == list(dict.fromkeys([UNREACHED, *(check.name for check in CHECKS)]))
