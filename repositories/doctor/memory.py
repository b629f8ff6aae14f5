"""Check the memory of servers: what happens when it is full, how full it is, and how much of it is lost in gaps."""

from __future__ import annotations

from collections.abc import Iterator

from .examined import DATA, PRIMARIES, Check, Deployment, Examined, size
from .findings import Opinion, bad, good, risk
from .queries import INFO

NEARLY_FULL = 0.75
FULL = 0.9
FRAGMENTED = 1.5
WORTH_IT = 64 * 2**20
"""Bytes in gaps below which fragmentation is no matter: a small server has many for each that it uses."""


def _eviction_policy(server: Examined, deployment: Deployment) -> Iterator[Opinion]:
    policy = server.info("maxmemory_policy")
    if policy == "noeviction":
        yield good(policy)
    else:
        yield bad(
            policy,
            "when memory is full, the server removes orders and positions, and tells nobody",
            "CONFIG SET maxmemory-policy noeviction, and CONFIG REWRITE",
        )


def _evicted(server: Examined, deployment: Deployment) -> Iterator[Opinion]:
    count = server.number("evicted_keys")
    if count:
        yield bad(
            f"{count:,.0f} keys since the start",
            "the server had no memory left and removed them: orders, positions or events may be gone",
            "slotbook verify, then book.reconcile with the day's journal; raise maxmemory",
        )
    else:
        yield good("none")


def _memory(server: Examined, deployment: Deployment) -> Iterator[Opinion]:
    used, most = server.number("used_memory"), server.number("maxmemory")
    if not most:
        yield risk(
            f"{size(used)} of no limit",
            "when the machine's memory is full, the system kills the server",
            "CONFIG SET maxmemory to half of what the machine can give: a fork may need as much again",
        )
        return
    value = f"{size(used)} of {size(most)}, {used / most:.0%}"
    if server.has_info("total_system_memory") and most > server.number("total_system_memory"):
        yield risk(
            f"{size(most)} of the machine's {size(server.number('total_system_memory'))}",
            "the limit is more than the machine has, so the system kills the server first",
            "CONFIG SET maxmemory to half of what the machine can give",
        )
    elif used >= most * FULL:
        yield bad(
            value,
            "soon every change is refused with OutOfMemory",
            "raise maxmemory, or let ended orders and events go sooner (order_ttl, events_kept)",
        )
    elif used >= most * NEARLY_FULL:
        yield risk(
            value,
            "a busy day may fill it; then every change is refused with OutOfMemory",
            "raise maxmemory, or let ended orders and events go sooner (order_ttl, events_kept)",
        )
    else:
        yield good(value)


def _fragmentation(server: Examined, deployment: Deployment) -> Iterator[Opinion]:
    ratio, lost = server.number("mem_fragmentation_ratio"), server.number("mem_fragmentation_bytes")
    value = f"{ratio:.2f}, {size(max(lost, 0))} in gaps"
    if ratio > FRAGMENTED and lost > WORTH_IT:
        yield risk(
            value,
            "the process holds much more memory than it uses, which counts for the machine and not for maxmemory",
            "CONFIG SET activedefrag yes where the allocator is jemalloc; else restart the server after a failover",
        )
    else:
        yield good(value)


CHECKS = (
    Check("eviction policy", DATA, (INFO,), _eviction_policy),
    Check("evicted keys", DATA, (INFO,), _evicted),
    Check("memory", PRIMARIES, (INFO,), _memory),
    Check("fragmentation", DATA, (INFO,), _fragmentation),
)
