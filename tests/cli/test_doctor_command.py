"""``slotbook doctor``: ten things wrong are named, none on a good server; what may not be seen is said."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import StringIO
from typing import cast

import pytest
from rich.console import Console
from slotbook.cli.doctor import findings_table
from slotbook.repositories.doctor.findings import Finding, Verdict
from slotbook.topology.embedded import Deployment

from ..support.application import NAME
from ..support.doctor import good_servers, set_all
from ..support.urls import with_settings
from .conftest import Cli

TEN = {
    "eviction policy": "bad",
    "persistence": "bad",
    "min-replicas": "bad",
    "permissions needed": "bad",
    "memory": "risk",
    "script limit": "risk",
    "permissions not needed": "risk",
    "slow log": "risk",
    "clients": "risk",
    "channels needed": "risk",
}
"""Ten things that are wrong, and how much each weighs."""

SPOILT = {
    "maxmemory-policy": "allkeys-lru",
    "appendonly": "no",
    "min-replicas-to-write": "1",
    "maxmemory": "0",
    "busy-reply-threshold": "0",
    "slowlog-log-slower-than": "-1",
    "maxclients": "18",
}


@pytest.fixture(scope="module")
def server(_no_settings_from_outside: None) -> Iterator[Deployment]:
    """Yield a server on which nothing is wrong."""
    with good_servers("standalone") as deployment:
        yield deployment


@pytest.fixture
def spoilt(server: Deployment) -> Iterator[Deployment]:
    """Yield the server with ten things wrong."""
    (one,) = server.servers
    was = set_all(one, SPOILT)
    one.ask("ACL", "SETUSER", NAME, "-zadd", "+flushall", "resetchannels")
    yield server
    one.ask("ACL", "SETUSER", NAME, "+zadd", "-flushall", "allchannels")
    set_all(one, was)


def test_ten_things_wrong_are_all_named(cli: Cli, spoilt: Deployment) -> None:
    done = cli("doctor", "--url", spoilt.url, "--user", NAME, "--json")
    assert (done.code, done.err) == (3, "")
    told = json.loads(done.out)
    assert (told["good"], told["complete"]) == (False, True)
    found = {one["check"]: one["verdict"] for one in told["findings"] if one["verdict"] in {"bad", "risk"}}
    assert found == TEN
    assert told["counts"]["bad"] == 4
    assert told["counts"]["risk"] == 6
    for finding in told["findings"]:
        assert finding["verdict"] == "good" or (finding["why"] and (finding["remedy"] or finding["verdict"] == "note"))
        assert finding["servers"] == [f"127.0.0.1:{spoilt.servers[0].port}"]


def test_the_table_names_them_with_why_and_what_helps(cli: Cli, spoilt: Deployment) -> None:
    done = cli("doctor", "--url", spoilt.url, "--user", NAME)
    assert (done.code, done.err) == (3, "")
    lines = done.out.splitlines()
    assert lines[0].split() == ["verdict", "check", "value", "why,", "and", "what", "helps"]
    rows = [line.split()[0] for line in lines[2:-1]]
    assert [row for row in rows if row != "note"] == ["bad"] * 4 + ["risk"] * 6
    assert "CONFIG SET maxmemory-policy noeviction" in done.out
    assert lines[-1].startswith("1 primary: 4 bad, 6 risk, ")
    assert spoilt.password not in done.out


FINDINGS = [
    Finding(
        "eviction policy", Verdict.BAD, "allkeys-lru", "orders go", "CONFIG SET maxmemory-policy noeviction", ("a",)
    ),
    Finding("permissions needed", Verdict.RISK, "may not: " + "zadd, " * 20, "is " * 40, "ACL " * 30, ("a", "b", "c")),
]


@pytest.mark.parametrize("width", [60, 80, 119, 120, 200])
def test_a_finding_fits_the_screen_and_is_whole(width: int) -> None:
    file = StringIO()
    Console(file=file, width=width).print(findings_table(FINDINGS, 3, width))
    lines = file.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    assert len(lines) <= 24
    assert [line.split()[0] for line in lines if line[:1].isalpha()] == ["verdict", "bad", "risk"]
    words = " ".join(lines).split()
    assert [words.count(word) for word in ("allkeys-lru", "zadd,", "is", "ACL")] == [1, 20, 40, 30]
    assert ("on a, b, and 1 more" in " ".join(words)) == (width < 120)


def test_on_a_good_server_it_names_none(cli: Cli, server: Deployment) -> None:
    done = cli("doctor", "--url", server.url, "--user", NAME)
    assert (done.code, done.err) == (0, "")
    assert "bad" not in done.out
    assert "risk" not in done.out
    assert "eviction policy" not in done.out
    done = cli("doctor", "--url", server.url, "--user", NAME, "--all")
    assert done.code == 0
    assert "eviction policy" in done.out
    assert "noeviction" in done.out


def test_what_the_user_may_not_see_is_said(cli: Cli, server: Deployment) -> None:
    done = cli("doctor", "--url", with_settings(server.url, {"username": NAME}), "--json")
    assert (done.code, done.err) == (4, "")
    told = json.loads(done.out)
    assert (told["good"], told["complete"]) == (True, False)
    unseen = cast("list[dict[str, str]]", [one for one in told["findings"] if one["verdict"] == "unseen"])
    assert {"persistence", "slow log", "permissions needed"} <= {one["check"] for one in unseen}
    assert all(one["remedy"].startswith("+") for one in unseen)


def test_no_server_and_no_such_user(cli: Cli, server: Deployment) -> None:
    done = cli("doctor", "--url", "redis://127.0.0.1:1?deadline=1")
    assert (done.code, done.out) == (1, "")
    assert "127.0.0.1:1" in done.err
    done = cli("doctor", "--url", server.url, "--user", "a b")
    assert done.code in {1, 3}
    done = cli("doctor", "--url", "embedded://standalone")
    assert done.code == 2
