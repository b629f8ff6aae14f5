"""Make a cluster of servers, with the servers' own commands and no other tool."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .readiness import Pending, replication_pending, wait_until
from .server import Server

_SLOTS = 16384
_TROUBLE = frozenset({"handshake", "fail", "fail?", "noaddr"})


@dataclass(frozen=True)
class Node:
    """One line of the reply to CLUSTER NODES (https://redis.io/docs/latest/commands/cluster-nodes/)."""

    id: str
    flags: frozenset[str]
    primary_id: str
    linked: bool
    """True if the cluster bus to the node is connected."""
    slots: tuple[str, ...]
    """The slots that it serves, as numbers and ranges such as ``0-5460``."""


def nodes_of(server: Server, timeout: float = 5.0) -> list[Node]:
    """Return the cluster's nodes as one server sees them. Raises EmbeddedError."""
    return [_node(line) for line in str(server.ask("CLUSTER", "NODES", timeout=timeout)).splitlines()]


def owns_slots(server: Server, timeout: float) -> bool:
    """Return True if the server says of itself that it serves slots. Raises EmbeddedError."""
    return any("myself" in node.flags and node.slots for node in nodes_of(server, timeout))


def form_cluster(servers: Sequence[Server], primaries: int, deadline: float) -> None:
    """Make the first servers primaries and the others their replicas, and wait until the cluster is whole.

    Raises EmbeddedError if it is not by ``deadline``, a time on the monotonic clock.
    """
    ids = [str(server.ask("CLUSTER", "MYID")) for server in servers]
    bounds = [index * _SLOTS // primaries for index in range(primaries + 1)]
    for index in range(primaries):
        servers[index].ask("CLUSTER", "ADDSLOTSRANGE", bounds[index], bounds[index + 1] - 1)
        # Epochs that differ from the start save the servers a slow resolution of the conflict between equal ones.
        servers[index].ask("CLUSTER", "SET-CONFIG-EPOCH", index + 1)
    for index, server in enumerate(servers):
        for other in servers[:index]:
            server.ask("CLUSTER", "MEET", other.host, other.port, _bus_port(other))
    wait_until(lambda: _acquaintance_pending(servers), servers, deadline)
    for index in range(primaries, len(servers)):
        servers[index].ask("CLUSTER", "REPLICATE", ids[index % primaries])
    wait_until(lambda: _cluster_pending(servers, primaries), servers, deadline)


def _bus_port(server: Server) -> int:
    return server.port + 10000 if server.bus_port is None else server.bus_port


def _node(line: str) -> Node:
    # id, address, flags, primary id, ping sent, pong received, epoch, link state, slot ranges
    words = line.split()
    own = words[8:]
    return Node(
        id=words[0],
        flags=frozenset(words[2].split(",")),
        primary_id=words[3],
        linked=words[7] == "connected",
        slots=tuple(slots for slots in own if not slots.startswith("[")),  # in brackets: slots that migrate
    )


def _acquaintance_pending(servers: Sequence[Server]) -> Pending | None:
    for server in servers:
        known = sum(node.linked and not node.flags & _TROUBLE for node in nodes_of(server))
        if known < len(servers):
            return Pending(server, f"knows {known} of {len(servers)} nodes")
    return None


def _cluster_pending(servers: Sequence[Server], primaries: int) -> Pending | None:
    for server in servers:  # asked first, because it comes last: until then nothing else is asked
        if "cluster_state:ok" not in str(server.ask("CLUSTER", "INFO")):
            return Pending(server, "does not say cluster_state:ok")
    for index in range(primaries):
        pending = replication_pending(servers[index], servers[primaries + index :: primaries])
        if pending is not None:
            return pending
    agreed: object = None
    for server in servers:
        nodes = nodes_of(server)
        if not all(node.linked and not node.flags & _TROUBLE for node in nodes):
            return Pending(server, "has not reached every node")
        view = {(node.id, node.primary_id, node.slots) for node in nodes}
        if agreed not in (None, view):
            return Pending(server, "does not agree with the others on the nodes and their slots")
        agreed = view
        # A server may learn that a replica has changed its primary before it learns that it has changed its shard.
        shards = server.ask("CLUSTER", "SHARDS")
        if not isinstance(shards, list) or len(shards) != primaries:
            return Pending(server, f"does not see {primaries} shards")
    return None
