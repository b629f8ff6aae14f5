"""Find what has happened on a server: evictions, failed saves, slow commands, pauses, refused connections."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from slotbook.models.errors import EmbeddedError
from slotbook.repositories.doctor.findings import Verdict
from slotbook.topology.embedded import Deployment, Server

from ...support.doctor import examine, good_servers, said, set_all, verdicts, wrong
from ...support.faults.control import info, wait_until
from ...support.faults.proxy import Proxy
from ...support.faults.rules import Do, Rule
from ...support.raw import Raw

SLOW_SCRIPT = "for i = 1, 5e7 do end"


@pytest.fixture
def server(lone: Deployment) -> Iterator[Server]:
    """Yield the one server, and let it forget what has happened."""
    (found,) = lone.servers
    yield found
    for words in ("CONFIG RESETSTAT", "SLOWLOG RESET", "LATENCY RESET", "SCRIPT FLUSH", "FLUSHALL"):
        found.ask(*words.split())


def test_keys_that_were_evicted(lone: Deployment, server: Server) -> None:
    used = int(info(server, "memory")["used_memory"])
    was = set_all(server, {"maxmemory": str(used + 400_000), "maxmemory-policy": "allkeys-lru"})
    for number in range(40):
        server.ask("SET", f"k{number}", "x" * 20_000)
    set_all(server, was)
    assert wrong(examine(lone)) == {"evicted keys": Verdict.BAD}


def test_a_snapshot_that_failed(lone: Deployment, server: Server) -> None:
    obstacle = Path(server.folder) / "dump.rdb"
    obstacle.unlink(missing_ok=True)
    obstacle.mkdir()
    try:
        server.ask("BGSAVE")
        wait_until(lambda: info(server, "persistence")["rdb_last_bgsave_status"] == "err", "the snapshot fails")
        diagnosis = examine(lone)
    finally:
        obstacle.rmdir()
        server.ask("SAVE")
    assert wrong(diagnosis) == {"last save": Verdict.BAD}
    assert said(diagnosis, "last save") == {(Verdict.BAD, "the last snapshot failed")}
    assert verdicts(examine(lone), "last save") == {Verdict.GOOD}


def test_a_command_that_was_slow_and_the_pause_that_it_made(lone: Deployment, server: Server) -> None:
    was = set_all(server, {"latency-monitor-threshold": "100", "slowlog-log-slower-than": "10000"})
    server.ask("EVAL", SLOW_SCRIPT, 0, "a secret")
    set_all(server, was)
    diagnosis = examine(lone)
    assert wrong(diagnosis) == {"slow log": Verdict.RISK, "pauses": Verdict.RISK}
    ((_, value),) = said(diagnosis, "slow log")
    assert re.fullmatch(r"1 in the last hour, the longest EVAL with [\d,]+ ms", value)
    ((_, value),) = said(diagnosis, "pauses")
    assert value.startswith("command ")
    assert "a secret" not in repr(diagnosis)


def test_scripts_that_somebody_makes_by_the_thousand(lone: Deployment, server: Server) -> None:
    raw = Raw(server.host, server.port, lone.password)
    for number in range(1_000):
        raw.ask("SCRIPT", "LOAD", f"return {number}")
    assert wrong(examine(lone)) == {}
    raw.ask("SCRIPT", "LOAD", "return 'one more'")
    assert wrong(examine(lone)) == {"script engine": Verdict.RISK}
    raw.close()


@contextmanager
def connected(server: Server, deployment: Deployment, count: int) -> Generator[None]:
    with ExitStack() as stack:
        for _ in range(count):
            raw = Raw(server.host, server.port, deployment.password)
            stack.callback(raw.close)
        yield


def test_a_server_whose_places_are_nearly_taken(lone: Deployment, server: Server) -> None:
    was = set_all(server, {"maxclients": "30"})
    try:
        with connected(server, lone, 23):
            assert wrong(examine(lone)) == {"clients": Verdict.RISK}
        assert wrong(examine(lone)) == {}
    finally:
        wait_until(lambda: set_all(server, was), "the server has a place")


def test_connections_that_were_refused(lone: Deployment, server: Server) -> None:
    was = set_all(server, {"maxclients": "25"})
    try:
        with connected(server, lone, 25):
            for _ in range(2):
                with socket.create_connection((server.host, server.port), timeout=5) as refused:
                    refused.recv(100)
    finally:
        wait_until(lambda: set_all(server, was), "the server has noticed that they are closed")
    assert wrong(examine(lone)) == {"refused connections": Verdict.RISK}


def test_a_replica_that_waits_for_its_copy_is_none_yet(lone: Deployment, server: Server) -> None:
    was = set_all(server, {"repl-diskless-sync-delay": "60"})
    with socket.create_connection((server.host, server.port), timeout=5) as replica:
        for words in (f"AUTH {lone.password}", "REPLCONF listening-port 7", "REPLCONF capa eof"):
            replica.sendall(f"{words}\r\n".encode())
            assert replica.recv(100) == b"+OK\r\n"
        replica.sendall(b"SYNC\r\n")
        wait_until(lambda: "state=wait_bgsave" in str(server.ask("INFO", "replication")), "it waits")
        diagnosis = examine(lone, durability="replicated=1")
    set_all(server, was)
    wait_until(lambda: info(server)["connected_slaves"] == "0", "it is gone")
    assert said(diagnosis, "replicas") == {(Verdict.BAD, "0 of 1")}


def test_memory_in_gaps() -> None:
    """On a server of the test's own, which keeps them."""
    fill = "for i = 1, 500000 do redis.call('SET', 'k' .. i, string.rep('x', 200)) end"
    thin = "for i = 1, 500000 do if i % 8 > 0 then redis.call('DEL', 'k' .. i) end end"
    with good_servers("standalone", appendonly="no", save="86400 1000000000") as deployment:
        (server,) = deployment.servers
        server.ask("EVAL", fill, 0, timeout=60)
        assert verdicts(examine(deployment), "fragmentation") == {Verdict.GOOD}
        server.ask("EVAL", thin, 0, timeout=60)
        wait_until(lambda: int(info(server, "memory")["mem_fragmentation_bytes"]) > 70 * 2**20, "the gaps are seen", 10)
        assert verdicts(examine(deployment), "fragmentation") == {Verdict.RISK}


def test_a_reply_that_takes_long(lone: Deployment) -> None:
    (server,) = lone.servers
    with Proxy(server.host, server.port) as proxy:
        proxy.add(Rule(Do.FORWARD, frozenset({"TIME"}), delay=0.6))
        url = lone.url.replace(f":{server.port}", f":{proxy.port}")
        assert wrong(examine(lone, url=url)) == {"round trip": Verdict.RISK}
        assert wrong(examine(lone, url=url)) == {}


@pytest.mark.parametrize(
    ("old", "new", "verdict", "value"),
    [
        (b"redis_version:7", b"redis_version:6", Verdict.BAD, "Redis 6."),
        (b"redis_version:7", b"redis_version:8", Verdict.NOTE, "Redis 8."),
    ],
)
def test_a_version(lone: Deployment, old: bytes, new: bytes, verdict: Verdict, value: str) -> None:
    """Of a server whose own account of itself is changed on the way."""
    url, proxy = _retold(
        lone, lambda reply: reply.replace(b"valkey_version", b"valkey_version"[::-1]).replace(old, new)
    )
    with proxy:
        diagnosis = examine(lone, url=url)
    ((found, told),) = said(diagnosis, "version")
    assert (found, told[: len(value)]) == (verdict, value)


def test_half_a_change_is_kept_by_one_version_only(lone: Deployment) -> None:
    set_all(lone.servers[0], {"aof-load-truncated": "yes"})
    for minor, verdict in ((b"0", Verdict.RISK), (b"2", Verdict.GOOD)):
        url, proxy = _retold(lone, lambda reply, minor=minor: _as_redis_7(reply, minor))
        with proxy:
            diagnosis = examine(lone, url=url)
        assert verdicts(diagnosis, "half a change on disk") == {verdict}


def test_durability_that_a_version_lacks(lone: Deployment) -> None:
    url, proxy = _retold(lone, lambda reply: _as_redis_7(reply, b"0"))
    with proxy:
        assert wrong(examine(lone, url=url, durability="fsynced"))["version"] is Verdict.BAD


def _no_valkey(reply: bytes) -> bytes:
    """Return an INFO of the same length that does not say that this is Valkey."""
    return reply.replace(b"valkey_version", b"valkey_version"[::-1])


def _as_redis_7(reply: bytes, minor: bytes) -> bytes:
    head, name, rest = _no_valkey(reply).partition(b"redis_version:7.")
    return head + name + minor + rest[1:]


def _retold(deployment: Deployment, tell: Callable[[bytes], bytes]) -> tuple[str, Proxy]:
    """Return the URL of a proxy that changes the reply to INFO, and the proxy."""
    (server,) = deployment.servers
    proxy = Proxy(server.host, server.port, translate=lambda verb, reply: tell(reply) if verb == "INFO" else reply)
    return deployment.url.replace(f":{server.port}", f":{proxy.port}"), proxy


def test_a_server_without_a_command() -> None:
    with good_servers("standalone", rename_command='XAUTOCLAIM ""') as deployment:
        found = said(examine(deployment), "commands")
    assert found == {(Verdict.BAD, "lacks xautoclaim")}


def test_a_server_without_lua() -> None:
    with good_servers("standalone") as deployment:
        (server,) = deployment.servers
        try:
            server.ask("MODULE", "UNLOAD", "lua")
        except EmbeddedError as error:
            pytest.skip(f"only where Lua is a module: {error}")
        assert wrong(examine(deployment))["script engine"] is Verdict.BAD
