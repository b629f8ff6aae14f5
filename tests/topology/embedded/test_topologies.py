"""Each topology starts, has its roles, and fails over."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, urlsplit

import pytest
from slotbook.models.errors import EmbeddedError, InvalidArgument
from slotbook.topology.embedded import Deployment, Server, Topology, start

Eventually = Callable[[Callable[[], object], str], None]


def answers(server: Server) -> bool:
    return server.ask("PING") == "PONG"


def addresses(servers: list[Server]) -> list[str]:
    return [f"{server.host}:{server.port}" for server in servers]


def test_standalone(program: str | None) -> None:
    with start("standalone", server=program) as deployment:
        (server,) = deployment.servers
        assert server.ask("SET", "a", b"1") == "OK"
        assert server.ask("GET", "a") == "1"
        assert deployment.url == f"redis://:{deployment.password}@127.0.0.1:{server.port}"
        assert deployment.primaries() == [server]
        assert deployment.replicas() == []
        assert deployment.sentinel_password is None


def test_the_program_is_the_one_asked_for(program: str | None) -> None:
    with start("standalone", server=program) as deployment:
        info = str(deployment.servers[0].ask("INFO", "server"))
        assert ("valkey_version:" in info) is (program is None)


def test_sentinel(program: str | None) -> None:
    with start("sentinel", server=program) as deployment:
        data = [server for server in deployment.servers if server.kind == "data"]
        sentinels = [server for server in deployment.servers if server.kind == "sentinel"]
        assert deployment.primaries() == data[:1]
        assert deployment.replicas() == data[1:]
        assert len(data) == len(sentinels) == 3
        url = urlsplit(deployment.url)
        assert (url.scheme, url.password, url.path) == ("redis+sentinel", deployment.password, "/slotbook")
        assert url.netloc.partition("@")[2] == ",".join(addresses(sentinels))
        assert parse_qs(url.query) == {"sentinel_password": [deployment.sentinel_password]}
        assert deployment.sentinel_password != deployment.password
        for sentinel in sentinels:
            assert sentinel.ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "slotbook") == ["127.0.0.1", str(data[0].port)]
            assert "OK 3 usable Sentinels" in str(sentinel.ask("SENTINEL", "CKQUORUM", "slotbook"))
        data[0].ask("SET", "a", 1)
        assert data[0].ask("WAIT", 2, 3000) == 2


def test_cluster(program: str | None) -> None:
    with start("cluster", server=program) as deployment:
        assert deployment.primaries() == list(deployment.servers[:3])
        assert deployment.replicas() == list(deployment.servers[3:])
        url = urlsplit(deployment.url)
        assert (url.scheme, url.password) == ("redis+cluster", deployment.password)
        assert url.netloc.partition("@")[2] == ",".join(addresses(list(deployment.servers)))
        for server in deployment.servers:
            info = str(server.ask("CLUSTER", "INFO"))
            assert "cluster_state:ok" in info
            assert "cluster_slots_assigned:16384" in info
            shards = server.ask("CLUSTER", "SHARDS")
            assert isinstance(shards, list)
            assert len(shards) == 3


@pytest.mark.parametrize(("topology", "replicas", "size"), [("sentinel", 1, 5), ("cluster", 0, 3)])
def test_number_of_replicas(topology: Topology, replicas: int, size: int) -> None:
    with start(topology, replicas=replicas) as deployment:
        assert len(deployment.servers) == size
        assert len(deployment.replicas()) == len(deployment.primaries()) * replicas


def test_sentinel_replaces_a_killed_primary(program: str | None, eventually: Eventually) -> None:
    with start("sentinel", server=program) as deployment:
        (old,) = deployment.primaries()
        old.kill()
        assert not old.alive
        eventually(deployment.primaries, "a new primary")
        (new,) = deployment.primaries()
        assert new is not old
        assert new.ask("SET", "a", 1) == "OK"
        eventually(lambda: len(deployment.replicas()) == 1, "a replica of the new primary")


def test_cluster_replaces_a_killed_primary(program: str | None, eventually: Eventually) -> None:
    with start("cluster", server=program) as deployment:
        old = deployment.primaries()[0]
        replica = deployment.servers[3]
        old.kill()
        eventually(lambda: replica in deployment.primaries(), "the replica takes over")
        assert len(deployment.primaries()) == 3
        eventually(lambda: "cluster_state:ok" in str(replica.ask("CLUSTER", "INFO")), "the cluster serves again")
        assert replica.ask("SET", "{06S}", 1) == "OK"  # slot 0
        old.restart()
        eventually(lambda: old in deployment.replicas(), "the old primary follows the new one")
        assert replica in deployment.primaries()


def test_kill_and_restart_keep_the_place_and_the_data(program: str | None) -> None:
    with start("standalone", server=program, options={"appendonly": "yes", "appendfsync": "always"}) as deployment:
        (server,) = deployment.servers
        server.ask("SET", "a", 1)
        pid, port = server.pid, server.port
        server.kill()
        server.kill()
        assert not server.alive
        assert deployment.primaries() == []
        with pytest.raises(EmbeddedError, match="data-1"):
            server.ask("PING")
        server.restart()
        assert (server.port, server.alive, server.pid == pid) == (port, True, False)
        assert server.ask("GET", "a") == "1"


def test_restart_of_a_live_server_replaces_its_process() -> None:
    with start("standalone") as deployment:
        (server,) = deployment.servers
        first = server.pid
        server.restart()
        assert server.pid != first
        assert answers(server)
        with pytest.raises(ProcessLookupError):
            os.kill(first, 0)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a reserved port be listened on")
def test_a_port_stays_reserved_while_its_server_is_dead() -> None:
    with start("standalone") as deployment:
        (server,) = deployment.servers
        server.kill()
        others: set[int] = set()
        for _ in range(200):
            with socket.socket() as other:
                other.bind(("127.0.0.1", 0))
                others.add(other.getsockname()[1])
        assert server.port not in others
        server.restart()
        assert answers(server)


def test_freeze_and_thaw() -> None:
    with start("standalone") as deployment:
        (server,) = deployment.servers
        server.freeze()
        assert server.alive
        with pytest.raises(EmbeddedError, match="PING"):
            server.ask("PING", timeout=0.2)
        assert deployment.primaries() == []
        server.thaw()
        assert answers(server)
        server.kill()
        with pytest.raises(EmbeddedError, match=r"data-1.*not running"):
            server.freeze()


def test_parallel_starts() -> None:
    topologies: list[Topology] = ["standalone", "sentinel", "cluster", "standalone"]
    with ThreadPoolExecutor(4) as pool:
        deployments: list[Deployment] = list(pool.map(start, topologies))
    try:
        ports = [server.port for deployment in deployments for server in deployment.servers]
        assert len(ports) == len(set(ports)) == 1 + 6 + 6 + 1
        assert all(answers(server) for deployment in deployments for server in deployment.servers)
        assert [len(deployment.primaries()) for deployment in deployments] == [1, 1, 3, 1]
    finally:
        for deployment in deployments:
            deployment.stop()


def test_options_reach_the_data_servers_only() -> None:
    with start("sentinel", replicas=1, options={"maxmemory": "50mb", "maxmemory-policy": "allkeys-lru"}) as deployment:
        for server in deployment.primaries() + deployment.replicas():
            assert server.ask("CONFIG", "GET", "maxmemory-policy") == ["maxmemory-policy", "allkeys-lru"]
            assert server.ask("CONFIG", "GET", "maxmemory") == ["maxmemory", str(50 * 2**20)]


@pytest.mark.parametrize(
    "options", [{"port": "1"}, {"requirepass": "x"}, {"Save": ""}, {"save": "1 1\nport 1"}, {"a b": "c"}]
)
def test_unusable_options(options: dict[str, str]) -> None:
    with pytest.raises(InvalidArgument, match="options"):
        start("standalone", options=options)


def test_unusable_shape() -> None:
    with pytest.raises(InvalidArgument, match="ring"):
        start("ring")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with pytest.raises(InvalidArgument, match="-1"):
        start("cluster", replicas=-1)
    with pytest.raises(InvalidArgument, match="standalone"):
        start("standalone", replicas=1)
