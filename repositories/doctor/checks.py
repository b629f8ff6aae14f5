"""Make a diagnosis of what servers have answered: all checks, row by row. Nothing here does I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ...topology.inspection import ServerKind
from . import failover, load, memory, permissions, persistence, replication, scripting, slots, versions
from .examined import Check, Deployment, Examined, NotTold
from .findings import Diagnosis, Finding, Opinion, Verdict
from .queries import NODES, OF_DATA, OF_PRIMARIES_OF_A_CLUSTER, Query, keys_in, of_sentinels

EVERYWHERE: tuple[Check, ...] = (
    *versions.CHECKS,
    *memory.CHECKS,
    *persistence.CHECKS,
    *replication.CHECKS,
    *failover.CHECKS,
    *scripting.CHECKS,
    *permissions.CHECKS,
    *load.CHECKS,
)

CHECKS = (*EVERYWHERE, *slots.CHECKS)
"""Every check, in the order in which a diagnosis has those that weigh the same."""

UNREACHED = "answers"

_ORDER = tuple(Verdict)


def first_look(kind: ServerKind, service: str) -> tuple[Query, ...]:
    """Return what a server is asked first; ``service`` is the name under which Sentinels watch the primary."""
    return of_sentinels(service) if kind is ServerKind.SENTINEL else OF_DATA


def _look_at_slots(server: Examined, deployment: Deployment) -> list[Query]:
    """Return what a primary of a cluster is asked beside."""
    try:
        clustered = server.info("cluster_enabled") == "1"
    except NotTold:
        clustered = False
    return list(OF_PRIMARIES_OF_A_CLUSTER) if clustered and server.kind is ServerKind.PRIMARY else []


def _look_closer(server: Examined, deployment: Deployment) -> list[Query]:
    """Return what depends on the answers so far: the permissions of the user, and whose keys a hot slot has."""
    keys = [keys_in(slot) for slot in dict.fromkeys(slots.hottest(server))]
    return [*permissions.queries_of(server, deployment), *keys]


SECOND_LOOKS = (_look_at_slots, _look_closer)
"""The questions for primaries and replicas in further round trips, each by the answers before it."""


def diagnose(deployment: Deployment) -> Diagnosis:
    """Return everything that can be said of a deployment's servers."""
    servers: dict[tuple[str, Opinion], list[str]] = {}
    for name, opinion, server in _opinions(deployment):
        servers.setdefault((name, opinion), []).append(server)
    findings = [
        Finding(name, opinion.verdict, opinion.value, opinion.why, opinion.remedy, tuple(found))
        for (name, opinion), found in servers.items()
    ]
    findings.sort(key=lambda finding: _ORDER.index(finding.verdict))
    return Diagnosis(tuple(findings), tuple((server.name, server.kind.value) for server in deployment.servers))


def _opinions(deployment: Deployment) -> Iterator[tuple[str, Opinion, str]]:
    for server in deployment.servers:
        if (reason := server.unreached) is not None:
            yield UNREACHED, _unreached(server, reason), server.name
    clustered = any(NODES in server.answers for server in deployment.servers)
    for check in CHECKS if clustered else EVERYWHERE:
        for server in deployment.of(*check.of):
            for opinion in _judged(check, server, deployment):
                yield check.name, opinion, server.name


def _judged(check: Check, server: Examined, deployment: Deployment) -> Iterable[Opinion]:
    """Return the opinions of one check on one server, or what it could not see."""
    missing: dict[str, NotTold] = {}
    for query in check.reads:
        try:
            server.reply(query)
        except NotTold as error:
            missing[str(error)] = error
    if not missing:
        try:
            return list(check.judge(server, deployment))
        except NotTold as error:
            missing[str(error)] = error
    return [_unseen(server, error) for error in missing.values()]


def _unseen(server: Examined, missing: NotTold) -> Opinion:
    """Return the opinion that something could not be seen, with the permission that the user lacks if that is why."""
    answer = None if missing.query is None else server.answers.get(missing.query)
    if missing.query is None or answer is None or answer.failure is None:
        return Opinion(Verdict.UNSEEN, f"the server does not tell {missing}")
    if answer.denied:
        user = server.user or "the user"
        rule = missing.query.permission
        return Opinion(
            Verdict.UNSEEN, f"{user} may not run {missing}", remedy=f"{rule} for the user who runs the doctor"
        )
    return Opinion(Verdict.UNSEEN, f"{missing}: {answer.failure.strip()}")


def _unreached(server: Examined, reason: str) -> Opinion:
    return Opinion(
        Verdict.BAD,
        f"this {server.kind.value} does not",
        f"{reason}: what it was to do, nobody does",
        "start it, or look at the network; nothing else could be seen of it",
    )
