"""Check the versions of servers, and name what each lacks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .examined import DATA, Check, Deployment, Examined, NotTold
from .findings import Opinion, bad, good, note, risk
from .queries import COMMANDS, INFO


@dataclass(frozen=True, order=True, slots=True)
class Release:
    """The program and version of a server."""

    program: str
    version: tuple[int, int]
    text: str

    def __str__(self) -> str:
        return f"{self.program} {self.text}"

    @property
    def keeps_half_changes(self) -> bool:
        """True for Redis 7.0, which leaves a part of a change in an append-only file that was cut."""
        return self.program == "Redis" and self.version == (7, 0)

    @property
    def is_too_old(self) -> bool:
        """True for a version on which Slotbook does not work."""
        return self.program == "Redis" and self.version < (7, 0)

    def has(self, redis: tuple[int, int] | None, valkey: tuple[int, int]) -> bool:
        """Return True from some version of each program on; None is no version of Redis."""
        return self.version >= valkey if self.program == "Valkey" else redis is not None and self.version >= redis


_IS_VERSION = re.compile(r"(\d+)\.(\d+)\S*", re.ASCII).fullmatch


def release(server: Examined) -> Release:
    """Return the program and version of a server. Raises NotTold."""
    is_valkey = server.has_info("valkey_version")
    field = "valkey_version" if is_valkey else "redis_version"
    found = _IS_VERSION(server.info(field))
    if found is None:
        raise NotTold(f"{field} in INFO")
    return Release("Valkey" if is_valkey else "Redis", (int(found[1]), int(found[2])), found[0])


_LATER = (
    ((7, 2), (7, 2), "WAITAOF: no durability=fsynced"),
    ((8, 4), (9, 0), "atomic slot migration: changes wait while a slot moves key by key"),
    ((8, 2), (8, 0), "CLUSTER SLOT-STATS: hot slots are not seen"),
)
"""Commands that came with a version of Redis and one of Valkey, and what it means to do without."""


def _version(server: Examined, deployment: Deployment) -> Iterator[Opinion]:
    found = release(server)
    if found.is_too_old:
        yield bad(str(found), "Slotbook needs Redis 7.0 or Valkey 8", "a later version")
        return
    if deployment.settings.durability.fsynced and not found.has((7, 2), (7, 2)):
        yield bad(
            str(found),
            "durability=fsynced needs WAITAOF, which this version lacks: every change fails",
            "Redis 7.2, Valkey 8 or later; or durability=replicated=1",
        )
    others = {str(release(server)) for server in deployment.of(*DATA) if server.has_info("redis_version")}
    if len(others) > 1:
        yield risk(
            ", ".join(sorted(others)),
            "the servers are of several versions: an older one cannot read what a newer one sends it",
            "finish the upgrade, replicas first",
        )
    clustered = server.info("cluster_enabled") == "1"
    lacks = [text for redis, valkey, text in _LATER if not found.has(redis, valkey) and (clustered or "WAIT" in text)]
    if not server.has_module("search"):
        lacks.append("search: no find and no indexes")
    if lacks:
        yield note(f"{found}", f"it lacks {'; '.join(lacks)}")
    else:
        yield good(str(found))


def _commands(server: Examined, deployment: Deployment) -> Iterator[Opinion]:
    if server.lacks:
        yield bad(
            f"lacks {', '.join(sorted(server.lacks))}",
            "Slotbook calls these; they were renamed or switched off, or the server is not Redis or Valkey",
            "take rename-command for these out of the server's configuration",
        )
    else:
        yield good("all there")


CHECKS = (
    Check("version", DATA, (INFO,), _version),
    Check("commands", DATA, (COMMANDS,), _commands),
)
