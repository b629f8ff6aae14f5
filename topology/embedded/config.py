"""Write the configuration files of private servers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...models.errors import InvalidArgument

MASTER_NAME = "slotbook"
HOST = "127.0.0.1"

_NAME = re.compile(r"[a-z][a-z0-9-]*")
# Directives on which the deployment depends to reach, connect and remove its servers.
_FIXED = frozenset(
    {
        *(
            "aclfile",
            "bind",
            "cluster-announce-ip",
            "cluster-config-file",
            "cluster-enabled",
            "cluster-port",
            "daemonize",
        ),
        *("dir", "include", "logfile", "masterauth", "masteruser", "pidfile", "port", "primaryauth", "primaryuser"),
        *("replicaof", "requirepass", "slaveof", "supervised", "syslog-enabled", "user"),
    }
)
_DEFAULTS = {
    "save": "",
    "appendonly": "no",
    "maxmemory-policy": "noeviction",
    "repl-diskless-sync": "yes",
    "repl-diskless-sync-delay": "0",
    "repl-diskless-load": "on-empty-db",  # else a Valkey replica may load its first copy up to a second late
    "repl-ping-replica-period": "1",
    # In milliseconds: a primary that is killed counts as failed after 2 s, and is replaced one or two seconds later.
    "cluster-node-timeout": "2000",
}


@dataclass(frozen=True)
class SentinelSet:
    """The identities and addresses of a set of sentinels, written into the files of all of them.

    With them the sentinels know each other from the start, and need not discover one another.
    """

    ids: Sequence[str]
    ports: Sequence[int]
    data_ports: Sequence[int]
    """The ports of the data servers; the primary's is the first."""

    @property
    def quorum(self) -> int:
        """The number of sentinels that is a majority of them."""
        return len(self.ports) // 2 + 1


def check_options(options: Mapping[str, str]) -> None:
    """Raise InvalidArgument for a directive that a data server cannot be given."""
    for name, value in options.items():
        if not _NAME.fullmatch(name):
            raise InvalidArgument(
                f"options: {name!r} is not the name of a server directive (lower case, as in redis.conf)"
            )
        if name in _FIXED:
            raise InvalidArgument(f"options: {name!r} is set by the deployment itself")
        if not value.isprintable():
            raise InvalidArgument(f"options: the value of {name!r} contains a control character")


def data_config(
    *,
    port: int,
    bus_port: int | None,
    primary_port: int | None,
    password: str,
    folder: str,
    options: Mapping[str, str],
) -> str:
    """Return the file of a data server; a bus port makes it a cluster node, a primary's port makes it a replica."""
    directives = _network(port, folder) | _DEFAULTS | dict(options)
    directives |= {"requirepass": password, "masterauth": password}
    if bus_port is None:
        del directives["cluster-node-timeout"]
    else:
        directives |= {"cluster-enabled": "yes", "cluster-port": str(bus_port), "cluster-announce-ip": HOST}
    if primary_port is not None:
        directives["replicaof"] = f"{HOST} {primary_port}"
    return _text(directives)


def sentinel_config(
    *, own_id: str, port: int, password: str, data_password: str, folder: str, peers: SentinelSet
) -> str:
    """Return the file of one sentinel of a set."""
    primary, *replicas = peers.data_ports
    others = [(known, at) for known, at in zip(peers.ids, peers.ports, strict=True) if known != own_id]
    lines = [
        f"myid {own_id}",
        "resolve-hostnames no",
        f"monitor {MASTER_NAME} {HOST} {primary} {peers.quorum}",
        f"auth-pass {MASTER_NAME} {data_password}",
        f"down-after-milliseconds {MASTER_NAME} 1500",
        f"failover-timeout {MASTER_NAME} 5000",
        f"parallel-syncs {MASTER_NAME} 1",
        *(f"known-replica {MASTER_NAME} {HOST} {replica}" for replica in replicas),
        *(f"known-sentinel {MASTER_NAME} {HOST} {at} {known}" for known, at in others),
    ]
    # A sentinel authenticates with the other sentinels with its own requirepass.
    return _text(_network(port, folder) | {"requirepass": password}) + "".join(f"sentinel {line}\n" for line in lines)


def _network(port: int, folder: str) -> dict[str, str]:
    return {
        "port": str(port),
        "bind": HOST,
        "protected-mode": "yes",
        "dir": f'"{folder}"',
        "daemonize": "no",
    }


def _text(directives: Mapping[str, str]) -> str:
    quoted_empty = '""'
    return "".join(f"{name} {value or quoted_empty}\n" for name, value in directives.items())
