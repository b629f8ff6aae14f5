"""The commands that a doctor sends, each with the permission that it needs. All of them only read."""

from __future__ import annotations

from dataclasses import dataclass

from .needs import COMMAND_NAMES


@dataclass(frozen=True, slots=True)
class Query:
    """One command, which changes nothing."""

    name: str
    words: tuple[str, ...]

    @property
    def permission(self) -> str:
        """The rule that lets a user run it.

        >>> CONFIG.permission, INFO.permission
        ('+config|get', '+info')
        """
        first, *others = (word.lower() for word in self.words)
        return f"+{first}|{others[0]}" if first in _CONTAINERS else f"+{first}"


_CONTAINERS = frozenset({"config", "acl", "slowlog", "latency", "cluster", "command", "sentinel"})

_PARAMETERS = (
    "appendfsync",
    "appendonly",
    "aof-load-truncated",
    "busy-reply-threshold",
    "cluster-node-timeout",
    "cluster-replica-no-failover",
    "cluster-require-full-coverage",
    "latency-monitor-threshold",
    "min-replicas-max-lag",
    "min-replicas-to-write",
    "no-appendfsync-on-rewrite",
    "repl-backlog-size",
    "replica-read-only",
    "save",
    "slowlog-log-slower-than",
)
"""The settings that checks read; none of them is a secret."""

INFO = Query("INFO", ("INFO", "all"))
CONFIG = Query("CONFIG GET", ("CONFIG", "GET", *_PARAMETERS))
WHOAMI = Query("ACL WHOAMI", ("ACL", "WHOAMI"))
COMMANDS = Query("COMMAND INFO", ("COMMAND", "INFO", *COMMAND_NAMES))
SLOW_LOG = Query("SLOWLOG GET", ("SLOWLOG", "GET", "128"))
LATENCY = Query("LATENCY LATEST", ("LATENCY", "LATEST"))
NODES = Query("CLUSTER NODES", ("CLUSTER", "NODES"))
LARGEST_SLOT = Query("CLUSTER SLOT-STATS", ("CLUSTER", "SLOT-STATS", "ORDERBY", "KEY-COUNT", "LIMIT", "1", "DESC"))
BUSIEST_SLOT = Query("CLUSTER SLOT-STATS", ("CLUSTER", "SLOT-STATS", "ORDERBY", "CPU-USEC", "LIMIT", "1", "DESC"))

OF_DATA = (INFO, CONFIG, WHOAMI, COMMANDS, SLOW_LOG, LATENCY)
"""The questions for every primary and replica."""
OF_PRIMARIES_OF_A_CLUSTER = (NODES, LARGEST_SLOT, BUSIEST_SLOT)
"""The questions for these beside."""

SENTINEL_MASTER = "SENTINEL MASTER"
SENTINEL_QUORUM = "SENTINEL CKQUORUM"


def of_sentinels(service: str) -> tuple[Query, Query]:
    """Return what every Sentinel is asked about a service."""
    return (
        Query(SENTINEL_MASTER, ("SENTINEL", "MASTER", service)),
        Query(SENTINEL_QUORUM, ("SENTINEL", "CKQUORUM", service)),
    )


def user_of(name: str) -> Query:
    """Return the question for the flags of a user; what else the reply has is not read."""
    return Query("ACL GETUSER", ("ACL", "GETUSER", name))


def dry_run(name: str, words: tuple[str, ...]) -> Query:
    """Return the question if a user may run a command."""
    return Query("ACL DRYRUN", ("ACL", "DRYRUN", name, *words))


def keys_in(slot: int) -> Query:
    """Return the question for the names of some keys in a slot."""
    return Query("CLUSTER GETKEYSINSLOT", ("CLUSTER", "GETKEYSINSLOT", str(slot), "100"))
