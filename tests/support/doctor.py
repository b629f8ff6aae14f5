"""Have servers that a doctor finds nothing wrong with, and ask what it says of one thing."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import cast

from slotbook.repositories.doctor._sync import Doctor
from slotbook.repositories.doctor.findings import Diagnosis, Verdict
from slotbook.topology.embedded import Deployment, Server, Topology, start

from .application import NAME, admit
from .faults.control import info
from .urls import with_settings

GOOD = {
    "appendonly": "yes",
    "maxmemory": "256mb",
    "latency-monitor-threshold": "60000",
    "slowlog-log-slower-than": "60000000",
    "enable-module-command": "yes",
    "repl-backlog-size": "16mb",
}
"""The settings of servers on which nothing is wrong; modules may be loaded so that a test can unload one.

What a busy machine slows down for less than a minute is not noted."""


@contextmanager
def good_servers(topology: Topology, **options: str) -> Generator[Deployment]:
    """Yield private servers on which nothing is wrong, with the application's user."""
    named = {name.replace("_", "-"): value for name, value in options.items()}
    with start(topology, options={**GOOD, **named}) as deployment:
        equip(deployment)
        yield deployment


def equip(deployment: Deployment) -> None:
    """Give servers what is not in their files, and so is gone when one has started again."""
    admit(deployment)
    for server in deployment.servers:
        if server.kind == "data" and keeps_half_changes(server):
            server.ask("CONFIG", "SET", "aof-load-truncated", "no")


def keeps_half_changes(server: Server) -> bool:
    """Return True for Redis 7.0, see docs/explanation/faults.md."""
    found = info(server, "server")
    return found["redis_version"].startswith("7.0.") and found.get("server_name") != "valkey"


def examine(deployment: Deployment, user: str | None = NAME, url: str | None = None, **settings: object) -> Diagnosis:
    """Examine servers as their operator, for a user; a setting is one of the book's."""
    return Doctor.visit(with_settings(url or deployment.url, settings), user)


def said(diagnosis: Diagnosis, check: str) -> set[tuple[Verdict, str]]:
    """Return what a diagnosis says of one thing: the verdict and the value."""
    return {(one.verdict, one.value) for one in diagnosis.findings if one.check == check}


def verdicts(diagnosis: Diagnosis, check: str) -> set[Verdict]:
    """Return the verdicts of one check."""
    return {verdict for verdict, _ in said(diagnosis, check)}


def wrong(diagnosis: Diagnosis) -> dict[str, Verdict]:
    """Return every check that found something bad or a risk."""
    return {one.check: one.verdict for one in diagnosis.of(Verdict.RISK, Verdict.BAD)[::-1]}


def lone_url(server: Server, deployment: Deployment) -> str:
    """Return the URL of one server of a deployment alone."""
    return f"redis://:{deployment.password}@{server.host}:{server.port}"


def set_all(server: Server, changes: dict[str, str]) -> dict[str, str]:
    """Change settings of a server, in this order, and return what they were."""
    was = {name: str(cast("list[str]", server.ask("CONFIG", "GET", name))[1]) for name in changes}
    for name, value in changes.items():
        server.ask("CONFIG", "SET", name, value)
    return was
