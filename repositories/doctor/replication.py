"""Check the replicas of each primary: are there as many as are needed, and how far are they behind."""

from __future__ import annotations

from collections.abc import Iterator

from .examined import PRIMARIES, REPLICAS, Check, Deployment, Examined, NotTold, number_in, size
from .findings import Opinion, bad, good, note, risk
from .queries import CONFIG, INFO

LATE = 3
"""Seconds without a word from a replica that are a risk: one in step sends one every second."""
VERY_LATE = 10
SMALL_BACKLOG = 4 * 2**20


def _online(server: Examined) -> list[dict[str, str]]:
    """Return the replicas that a primary sends its changes to."""
    return [row for row in server.rows("slave") if row.get("state") == "online"]


def _replicas(server: Examined, deployment: Deployment) -> Iterator[Opinion]:
    count, wanted = len(_online(server)), deployment.settings.durability.replicas
    fails_over = deployment.has_sentinels or server.info("cluster_enabled") == "1"
    if count < wanted:
        yield bad(
            f"{count} of {wanted}",
            f"every change waits for {wanted} replicas (durability=replicated={wanted}) and ends with UnderReplicated",
            "start the replicas that are missing, or ask for fewer",
        )
    elif fails_over and not count:
        yield bad(
            "none in step",
            "if the primary dies, nobody can take over; its changes are on this server alone",
            "start a replica; see the log of one that should be there",
        )
    elif count and wanted and wanted < count:
        yield note(
            f"{count}, of which {wanted} confirm",
            "a failover may choose a replica that did not confirm",
            f"durability=replicated={count}",
        )
    else:
        yield good(str(count))


def _linked(server: Examined, deployment: Deployment) -> Iterator[Opinion]:
    if server.info("master_link_status") == "up":
        yield good("up")
        return
    copying = server.info("master_sync_in_progress") == "1"
    yield bad(
        "copying from its primary" if copying else "no connection to its primary",
        "it gets no changes: if it took over now, what came since would be lost",
        "wait until it has copied" if copying else "see its log: the network, masteruser and masterauth",
    )


def _lag(server: Examined, deployment: Deployment) -> Iterator[Opinion]:
    rows = _online(server)
    if not rows:
        return
    lag = max(number_in(row.get("lag", ""), "lag of a replica") for row in rows)
    offset = server.number("master_repl_offset")
    behind = max(offset - number_in(row.get("offset", ""), "offset of a replica") for row in rows)
    value = f"{lag:.0f} s, {size(max(behind, 0))}"
    if lag < LATE:
        yield good(value)
        return
    why = "if the primary dies now, what the replica has not got is lost; calls that wait for it end UnderReplicated"
    remedy = "look at the replica: is it frozen, busy, or is the network between them full?"
    yield bad(value, why, remedy) if lag >= VERY_LATE else risk(value, why, remedy)


def _min_replicas(server: Examined, deployment: Deployment) -> Iterator[Opinion]:
    wanted, count = int(server.amount("min-replicas-to-write")), len(server.rows("slave"))
    late = server.amount("min-replicas-max-lag")
    fresh = [row for row in _online(server) if number_in(row.get("lag", ""), "lag of a replica") <= late]
    if wanted and late and len(fresh) < wanted:
        yield bad(
            f"{wanted}, of which {len(fresh)} are in step",
            "the primary refuses every change (NOREPLICAS)",
            "start the replicas that are missing, or lower min-replicas-to-write",
        )
    elif wanted and wanted == count:
        yield risk(
            f"{wanted} of {count} replicas",
            "when one replica is lost or restarts, the primary refuses every change (NOREPLICAS)",
            f"CONFIG SET min-replicas-to-write {wanted - 1}, or add a replica",
        )
    elif not wanted and count and not deployment.settings.durability.replicas:
        yield note(
            "0",
            "a primary that is cut off goes on taking changes, which a failover loses; books are told (StateLost)",
            "durability=replicated=1, or with two replicas CONFIG SET min-replicas-to-write 1",
        )
    else:
        yield good(str(wanted))


def _backlog(server: Examined, deployment: Deployment) -> Iterator[Opinion]:
    if not server.rows("slave"):
        return
    found = server.amount("repl-backlog-size")
    if found < SMALL_BACKLOG:
        yield risk(
            size(found),
            "a replica that is away for a moment must copy everything, and cannot take over meanwhile",
            "CONFIG SET repl-backlog-size 64mb",
        )
    else:
        yield good(size(found))


def _takes_no_writes(server: Examined, deployment: Deployment) -> Iterator[Opinion]:
    if server.config("replica-read-only") == "yes":
        yield good("read-only")
    else:
        yield bad(
            "replica-read-only no",
            "what a program writes there is in no other copy, and gone at the next copying",
            "CONFIG SET replica-read-only yes",
        )


def _may_take_over(server: Examined, deployment: Deployment) -> Iterator[Opinion]:
    setting = _never_promoted(server)
    if setting is None:
        yield good("yes")
        return
    primary = _primary_of(server)
    others = [one for one in deployment.of(*REPLICAS) if one is not server and _primary_of(one) == primary]
    if any(_never_promoted(one) is None for one in others):
        yield note(setting, "this replica is never promoted; another may be")
    else:
        name = setting.split()[0]
        yield bad(
            setting,
            "no replica of its primary may be promoted: when the primary dies, nobody takes over",
            f"CONFIG SET {name} {'no' if setting.endswith('yes') else '100'}",
        )


def _never_promoted(server: Examined) -> str | None:
    """Return the setting by which a replica is never promoted; None if it may be. Raises NotTold."""
    if server.info("cluster_enabled") == "1":
        setting = "cluster-replica-no-failover"
        return f"{setting} yes" if server.config(setting) == "yes" else None
    return "replica-priority 0" if server.number("slave_priority") == 0 else None


def _primary_of(server: Examined) -> tuple[str, str] | None:
    try:
        return server.info("master_host"), server.info("master_port")
    except NotTold:
        return None


CHECKS = (
    Check("replicas", PRIMARIES, (INFO,), _replicas),
    Check("link to the primary", REPLICAS, (INFO,), _linked),
    Check("replication lag", PRIMARIES, (INFO,), _lag),
    Check("min-replicas", PRIMARIES, (INFO, CONFIG), _min_replicas),
    Check("replication backlog", PRIMARIES, (INFO, CONFIG), _backlog),
    Check("writes to a replica", REPLICAS, (CONFIG,), _takes_no_writes),
    Check("promotion", REPLICAS, (INFO, CONFIG), _may_take_over),
)
