"""Each setting of a server with which something is wrong is found, and nothing else with it."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from slotbook.repositories.doctor.findings import Verdict
from slotbook.topology.embedded import Deployment, Server

from ...support.doctor import examine, keeps_half_changes, said, set_all, verdicts, wrong
from ...support.faults.control import info
from ...support.urls import with_settings

BAD, RISK, NOTE, GOOD = Verdict.BAD, Verdict.RISK, Verdict.NOTE, Verdict.GOOD


@dataclass(frozen=True)
class Wrong:
    """Settings of a server, or of a book, and what a doctor says of them."""

    check: str
    verdict: Verdict
    value: str
    changes: dict[str, str]
    book: dict[str, object] = field(default_factory=dict[str, object])

    def __str__(self) -> str:
        return f"{self.check}: {', '.join([*self.changes.values(), *map(str, self.book.values())])}"


WRONG = (
    Wrong("eviction policy", BAD, "allkeys-lru", {"maxmemory-policy": "allkeys-lru"}),
    Wrong("eviction policy", BAD, "volatile-ttl", {"maxmemory-policy": "volatile-ttl"}),
    Wrong("memory", RISK, "of no limit", {"maxmemory": "0"}),
    Wrong("memory", RISK, "of the machine's", {"maxmemory": "900000gb"}),
    Wrong("persistence", BAD, "none", {"appendonly": "no", "save": ""}),
    Wrong("persistence", RISK, "snapshots only", {"appendonly": "no", "save": "3600 1"}),
    Wrong("persistence", BAD, "no append-only file", {"appendonly": "no"}, {"durability": "fsynced"}),
    Wrong("syncing to disk", RISK, "appendfsync no", {"appendfsync": "no"}),
    Wrong("syncing to disk", RISK, "no-appendfsync-on-rewrite yes", {"no-appendfsync-on-rewrite": "yes"}),
    Wrong("half a change on disk", NOTE, "aof-load-truncated no", {"aof-load-truncated": "no"}),
    Wrong("script limit", RISK, "0 ms", {"busy-reply-threshold": "0"}),
    Wrong("script limit", RISK, "10,001 ms", {"busy-reply-threshold": "10001"}),
    Wrong("script limit", GOOD, "10,000 ms", {"busy-reply-threshold": "10000"}),
    Wrong("script limit", RISK, "5,000 ms", {}, {"deadline": 4}),
    Wrong("script limit", RISK, "99 ms", {"busy-reply-threshold": "99"}),
    Wrong("slow log", RISK, "off", {"slowlog-log-slower-than": "-1"}),
    Wrong("slow log", GOOD, "none over", {"slowlog-log-slower-than": "0"}),
    Wrong("pauses", NOTE, "off", {"latency-monitor-threshold": "0"}),
    Wrong("clients", RISK, "pool_size 16", {"maxclients": "20"}),
    Wrong("clients", GOOD, "of 21", {"maxclients": "21"}),
    Wrong("clients", RISK, "pool_size 400", {"maxclients": "500"}, {"pool_size": 400}),
    Wrong("replicas", BAD, "0 of 1", {}, {"durability": "replicated=1"}),
    Wrong("replicas", GOOD, "0", {}),
    Wrong("min-replicas", BAD, "1, of which 0", {"min-replicas-to-write": "1"}),
)


@contextmanager
def changed(server: Server, changes: dict[str, str]) -> Generator[None]:
    """Have some settings, and put them back."""
    was = set_all(server, changes)
    try:
        yield
    finally:
        set_all(server, was)


def _of_a_version(case: Wrong) -> set[str]:
    """Return the check that Redis 7.0 does not pass beside, which has no WAITAOF."""
    return {"version"} if case.book.get("durability") == "fsynced" else set()


@pytest.mark.parametrize("case", WRONG, ids=str)
def test_it_is_found_alone(lone: Deployment, case: Wrong) -> None:
    (server,) = lone.servers
    with changed(server, case.changes):
        diagnosis = examine(lone, url=with_settings(lone.url, case.book))
    (found,) = said(diagnosis, case.check)
    assert found[0] is case.verdict
    assert case.value in found[1]
    assert wrong(diagnosis).keys() - _of_a_version(case) == ({case.check} if case.verdict in {BAD, RISK} else set())
    assert diagnosis.is_good is (not wrong(diagnosis))
    (finding,) = [one for one in diagnosis.findings if one.check == case.check]
    assert bool(finding.why) is (case.verdict is not GOOD)
    assert bool(finding.remedy) is (case.verdict is not GOOD)
    assert finding.servers == (f"{server.host}:{server.port}",)


@pytest.mark.parametrize(("part", "verdict"), [(0.95, BAD), (0.905, BAD), (0.87, RISK), (0.76, RISK), (0.7, GOOD)])
def test_memory_that_is_nearly_full(lone: Deployment, part: float, verdict: Verdict) -> None:
    (server,) = lone.servers
    server.ask("SETRANGE", "large", 20_000_000, "x")  # else some clients more or less would make a difference
    try:
        used = int(info(server, "memory")["used_memory"])
        with changed(server, {"maxmemory": str(int(used / part))}):
            diagnosis = examine(lone)
    finally:
        server.ask("DEL", "large")
    assert verdicts(diagnosis, "memory") == {verdict}


def test_only_redis_7_0_keeps_half_a_change(lone: Deployment) -> None:
    (server,) = lone.servers
    with changed(server, {"aof-load-truncated": "yes"}):
        diagnosis = examine(lone)
    assert verdicts(diagnosis, "half a change on disk") == {RISK if keeps_half_changes(server) else GOOD}


def test_the_heaviest_come_first(lone: Deployment) -> None:
    (server,) = lone.servers
    with changed(
        server, {"slowlog-log-slower-than": "-1", "latency-monitor-threshold": "0", "save": "", "appendonly": "no"}
    ):
        diagnosis = examine(lone)
    order = [one.verdict for one in diagnosis.findings]
    assert order == sorted(order, key=list(Verdict).index)
    assert order[:2] == [BAD, RISK]
