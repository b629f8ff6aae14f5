"""``slotbook ping``: every primary and how long it took; an exit code for a health check."""

from __future__ import annotations

import re
from typing import cast

from slotbook.topology.embedded import start

from ..support.faults.control import Control
from ..support.fleet import Fleets
from .conftest import Cli


def test_each_primary_on_a_line(cli: Cli, fleets: Fleets) -> None:
    fleet = fleets.of("cluster")
    done = cli("ping", "--url", fleet.url({}))
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert sorted(line.split()[0] for line in lines) == sorted(
        f"{server.host}:{server.port}" for server in fleet.deployment.primaries()
    )
    assert all(re.fullmatch(r"\S+  \d+\.\d\d ms", line) for line in lines)


def test_json_for_programs(cli: Cli, fleets: Fleets) -> None:
    found = cli("ping", "--json", "--url", fleets.of("sentinel").url({})).json()
    (node,) = cast("list[dict[str, object]]", found["nodes"])
    assert (found["ok"], found["error"], node["error"]) == (True, None, None)
    assert found["seconds"] == node["seconds"]


def test_a_primary_that_is_silent_is_named_by_an_exit_code_of_its_own(cli: Cli) -> None:
    with start("cluster", replicas=0) as deployment, Control(deployment, keeps_connections=False) as control:
        frozen = control.data[1]
        control.freeze(frozen)
        done = cli("ping", "--url", control.url(), "--deadline", 2)
        control.thaw(frozen)
        assert (done.code, done.err) == (3, "")
        (line,) = [line for line in done.out.splitlines() if "ms" not in line]
        assert line.startswith(f"{frozen.host}:{frozen.port}  ")
        assert deployment.password not in done.out


def test_no_server_and_no_url(cli: Cli) -> None:
    done = cli("ping", "--url", "redis://127.0.0.1:1", "--deadline", 1)
    assert (done.code, done.out) == (1, "")
    assert "is a server running there" in done.err
    assert cli("ping").code == 2
