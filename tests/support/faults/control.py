"""Break and restore a deployment: kill, freeze, fail over, demote, and make whole again."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import Self, cast

from redis.crc import key_slot
from slotbook.models.errors import EmbeddedError
from slotbook.testing.failover import watches
from slotbook.topology.embedded import Deployment, Server

from ..raw import Raw, Refusal, Reply, Word
from ..urls import with_settings

SERVICE = "slotbook"


def wait_until(condition: Callable[[], object], what: str, seconds: float = 30.0) -> None:
    """Return when the condition holds; a server that does not answer makes it false."""
    until = time.monotonic() + seconds
    while True:
        with contextlib.suppress(EmbeddedError):
            if condition():
                return
        if time.monotonic() > until:
            raise AssertionError(f"not within {seconds:g} s: {what}")
        time.sleep(0.02)


class Control:
    """The hand on a deployment's servers."""

    def __init__(self, deployment: Deployment, *, keeps_connections: bool = True) -> None:
        self.deployment = deployment
        self._keeps_connections = keeps_connections
        self.data = [server for server in deployment.servers if server.kind == "data"]
        self.sentinels = [server for server in deployment.servers if server.kind == "sentinel"]
        self._idle: dict[tuple[int, int], list[Raw]] = {}
        """Connections that nobody uses now, by the port and the process of their server."""
        self.frozen: set[Server] = set()
        self.dead: set[Server] = set()

    def url(self, **settings: object) -> str:
        """Return the deployment's URL with settings in its query."""
        return with_settings(self.deployment.url, settings)

    # ------------------------------------------------------------------ who is who

    def at(self, port: int) -> Server:
        """Return the server with a port."""
        return next(server for server in self.deployment.servers if server.port == port)

    def primary(self, key: str = "") -> Server:
        """Return the primary of a key, as the Sentinels or a majority of the cluster say now."""
        said = self._named_by_all(key)
        return max(said, key=said.count)

    def all_name(self, primary: Server, key: str = "") -> bool:
        """Return whether each Sentinel, or server of the cluster, names this primary of a key; some hear it later."""
        return set(self._named_by_all(key)) == {primary}

    def named_by(self, sentinel: Server) -> Server:
        """Return the primary that one Sentinel names."""
        reply = cast("list[str]", self.tell(sentinel, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", SERVICE, timeout=1.0))
        return self.at(int(reply[1]))

    def replicas(self, primary: Server) -> list[Server]:
        """Return the running servers that follow a primary."""
        place = ["slave", primary.host, primary.port]
        return [server for server in self._running(self.data) if self._role(server)[:3] == place]

    def ask(self, key: str, *command: Word) -> Reply:
        """Ask the primary of a key."""
        return self.tell(self.primary(key), *command)

    def tell(self, server: Server, *command: Word, timeout: float = 5.0) -> Reply:
        """Ask one server, on a connection that is kept if it is a process of ours. Raises EmbeddedError."""
        if not self._keeps_connections:
            return server.ask(*(str(word) if isinstance(word, float) else word for word in command), timeout=timeout)
        idle = self._idle.setdefault((server.port, server.pid), [])
        try:
            deployed = self.deployment
            password = deployed.sentinel_password if server.kind == "sentinel" else deployed.password
            raw = self._usable(idle) or Raw(server.host, server.port, password, timeout=timeout)
            raw.wait_at_most(timeout)
            try:
                reply = raw.ask(*command)
            except Refusal:
                idle.append(raw)
                raise
        except (Refusal, OSError) as error:
            raise EmbeddedError(f"{server}, {command[0]!r}: {error}") from None
        idle.append(raw)
        return reply

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections that are kept."""
        for idle in self._idle.values():
            while idle:
                idle.pop().close()

    @staticmethod
    def _usable(idle: list[Raw]) -> Raw | None:
        """Take a connection that its server has not closed."""
        while idle:
            raw = idle.pop()
            if raw.is_quiet():
                return raw
            raw.close()
        return None

    # ------------------------------------------------------------------ what happens to a process

    def kill(self, server: Server) -> None:
        """SIGKILL."""
        server.kill()
        self.dead.add(server)
        self.frozen.discard(server)

    def freeze(self, server: Server) -> None:
        """SIGSTOP: its connections stay open and nothing answers."""
        server.freeze()
        self.frozen.add(server)

    def thaw(self, server: Server) -> None:
        """SIGCONT."""
        server.thaw()
        self.frozen.discard(server)

    def restart(self, server: Server, *, rewrite: bool = False) -> None:
        """Start it again with the same port and data; with ``rewrite``, have it write its append-only file anew.

        Redis 7.0 keeps a part of a change there when a kill has cut the file; see docs/explanation/faults.md.
        """
        server.restart()
        if rewrite:
            server.ask("BGREWRITEAOF")
            wait_until(lambda: not _rewrites(server), "the append-only file is written")
        self.dead.discard(server)
        self.frozen.discard(server)

    # ------------------------------------------------------------------ failover

    def promoted(self, was: Server, key: str = "", seconds: float = 30.0) -> Server:
        """Return the new primary of a key as soon as it serves in place of another."""
        found: list[Server] = []

        def serves() -> bool:
            now = self.primary(key)
            found[:] = [now]
            return now is not was and self._role(now)[0] == "master"

        wait_until(serves, f"{was} is replaced", seconds)
        return found[0]

    def sentinel_failover(self, seconds: float = 30.0) -> Server:
        """SENTINEL FAILOVER, as soon as the Sentinels take it; the new primary."""
        was = self.primary()
        return self._fail_over(
            was, "", lambda: self._running(self.sentinels)[0], ("SENTINEL", "FAILOVER", SERVICE), seconds
        )

    def cluster_failover(self, key: str, how: str = "") -> Server:
        """CLUSTER FAILOVER, or FORCE, or TAKEOVER, of the key's shard; the new primary."""
        wait_until(self.is_whole, "the cluster agrees with itself")  # or an heir could claim with an epoch that is old
        was = self.primary(key)
        heir = self.replicas(was)[0]
        return self._fail_over(was, key, lambda: heir, ("CLUSTER", "FAILOVER", *([how] if how else [])), 60.0)

    def take_over(self, dead: Server, key: str = "") -> Server:
        """Have a replica replace a dead primary now, which its group would do by itself some seconds later."""
        if self.sentinels:
            command = ("SENTINEL", "FAILOVER", SERVICE)
            return self._fail_over(dead, key, lambda: self._running(self.sentinels)[0], command, 30.0)
        heir = self.replicas(dead)[0]
        return self._fail_over(dead, key, lambda: heir, ("CLUSTER", "FAILOVER", "FORCE"), 60.0)

    def keep_primaries(self) -> None:
        """Have no primary replaced, however long it is dead, until ``take_over`` asks for it."""
        for sentinel in self.sentinels:
            sentinel.ask("SENTINEL", "SET", SERVICE, "down-after-milliseconds", "600000")
        for server in self.data if self.deployment.topology == "cluster" else ():
            server.ask("CONFIG", "SET", "cluster-replica-no-failover", "yes")

    def _fail_over(
        self, was: Server, key: str, whom: Callable[[], Server], command: tuple[str, ...], seconds: float
    ) -> Server:
        """Ask for a failover, and again if nothing came of it: on a busy machine one may be given up."""
        until = time.monotonic() + seconds
        while True:
            with contextlib.suppress(EmbeddedError):
                if self.primary(key) is was:  # or a late one would be undone by a second
                    whom().ask(*command)
            try:
                return self.promoted(was, key, 10.0)
            except AssertionError:
                if time.monotonic() > until:
                    raise

    def failover(self, key: str = "") -> Server:
        """Fail over as planned, on whichever topology."""
        return self.sentinel_failover() if self.sentinels else self.cluster_failover(key)

    def strand(self, primary: Server) -> list[Server]:
        """Cut the replicas of a primary off: nothing that is written from now on reaches them while they are frozen."""
        replicas = self.replicas(primary)
        for replica in replicas:
            self.freeze(replica)
        primary.ask("CLIENT", "KILL", "TYPE", "replica")
        return replicas

    # ------------------------------------------------------------------ healing

    def heal(self, seconds: float = 40.0) -> None:
        """Thaw and restart everything, and wait until the deployment is whole."""
        for server in list(self.frozen):
            self.thaw(server)
        for server in list(self.dead):
            self.restart(server)
        wait_until(self.is_whole, "the deployment is whole again", seconds)

    def is_whole(self) -> bool:
        """Return whether every server runs, all agree on the primaries, and every replica is linked."""
        if self.deployment.topology == "cluster":
            return self._cluster_is_whole()
        primary = self.primary()
        if role(primary)[0] != "master":
            return False
        for server in self.data:
            if server is not primary and self.sentinels and role(server)[:3] != ["slave", primary.host, primary.port]:
                server.ask("REPLICAOF", primary.host, primary.port)  # what the Sentinels would do after 10 s or more
                return False
        linked = all(info(server).get("master_link_status") == "up" for server in self.data if server is not primary)
        return linked and all(watches(sentinel, primary) for sentinel in self.sentinels)

    def _cluster_is_whole(self) -> bool:
        tables = [_shape(cast("list[list[Reply]]", self.tell(server, "CLUSTER", "SLOTS"))) for server in self.data]
        return (
            all("cluster_state:ok" in str(self.tell(server, "CLUSTER", "INFO")) for server in self.data)
            and all(table == tables[0] for table in tables)
            and all(_linked(str(self.tell(server, "INFO", "replication"))) for server in self.data)
            and len({_known(str(self.tell(server, "CLUSTER", "NODES"))) for server in self.data}) == 1
            and all(self.replicas(self.at(port)) for port in {ports[0] for _, _, ports in tables[0]})
        )

    def _named_by_all(self, key: str) -> list[Server]:
        if self.sentinels:
            return [self.named_by(sentinel) for sentinel in self._running(self.sentinels)]
        return self._of_slot(key_slot(key.encode())) if self.deployment.topology == "cluster" else [self.data[0]]

    def _of_slot(self, slot: int) -> list[Server]:
        said: list[Server] = []
        for server in self._running(self.data):
            with contextlib.suppress(EmbeddedError):
                table = cast("list[list[Reply]]", self.tell(server, "CLUSTER", "SLOTS", timeout=1.0))
                for first, last, primary, *_ in table:
                    port = cast(int, cast("list[Reply]", primary)[1])
                    # 0: someone else answers at the address that this one was known by, and it has told no other yet.
                    if cast(int, first) <= slot <= cast(int, last) and port != 0:
                        said.append(self.at(port))
        if not said:
            raise EmbeddedError(f"nobody serves slot {slot}")
        return said

    def _role(self, server: Server) -> list[Reply]:
        return cast("list[Reply]", self.tell(server, "ROLE", timeout=1.0))

    def _running(self, servers: list[Server]) -> list[Server]:
        return [server for server in servers if server not in self.frozen and server not in self.dead]


def role(server: Server) -> list[Reply]:
    """Return what a server says it is."""
    return cast("list[Reply]", server.ask("ROLE", timeout=1.0))


def info(server: Server, section: str = "replication") -> dict[str, str]:
    """Return a section of INFO."""
    return _pairs(str(server.ask("INFO", section, timeout=2.0)))


def _pairs(text: str) -> dict[str, str]:
    lines = text.splitlines()
    return {name: value for name, _, value in (line.partition(":") for line in lines)}


def _rewrites(server: Server) -> bool:
    found = info(server, "persistence")
    return "1" in (found["aof_rewrite_in_progress"], found["aof_rewrite_scheduled"])


def _linked(said: str) -> bool:
    """Return whether a server that says this of its replication is a primary, or follows one."""
    found = _pairs(said)
    return found.get("role") == "master" or found.get("master_link_status") == "up"


def _known(table: str) -> tuple[tuple[str, ...], ...]:
    """Return the nodes in a table of a cluster, the part that each is thought to have, and what is found wrong with it.

    A server that has come back may be followed and linked while others still know it as a primary that failed.
    """
    lines = [line.split() for line in table.splitlines()]
    parts = {"master", "slave", "fail", "fail?", "noaddr", "handshake"}
    return tuple(sorted((words[0], words[3], *sorted(parts.intersection(words[2].split(",")))) for words in lines))


def _shape(table: list[list[Reply]]) -> list[tuple[int, int, tuple[int, ...]]]:
    """Return a slot table without the order of replicas."""
    rows: list[tuple[int, int, tuple[int, ...]]] = []
    for first, last, primary, *others in table:
        ports = [cast(int, cast("list[Reply]", server)[1]) for server in (primary, *others)]
        rows.append((cast(int, first), cast(int, last), (ports[0], *sorted(ports[1:]))))
    return sorted(rows)
