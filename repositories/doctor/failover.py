"""Check how long a failover takes, against the deadline of calls, and those who decide on it."""

from __future__ import annotations

from collections.abc import Iterator

from .examined import PRIMARIES, SENTINELS, Check, Deployment, Examined, NotTold, number_in, pairs
from .findings import Opinion, bad, good, risk
from .queries import CONFIG, INFO, SENTINEL_MASTER, SENTINEL_QUORUM

HASTY = 1.0
"""Seconds after which a server counts as dead, below which a slow script or a fork looks like death."""
ELECTION = 2.0
"""Seconds that a vote and a promotion take."""


def _cluster_timeout(server: Examined, deployment: Deployment) -> Iterator[Opinion]:
    if server.info("cluster_enabled") != "1":
        return
    seconds = server.amount("cluster-node-timeout") / 1_000
    # Each node takes that time to suspect the primary; the vote begins when a majority does, by gossip.
    yield from _against_deadline("cluster-node-timeout", seconds, 2 * seconds + ELECTION, deployment)


def _down_after(server: Examined, deployment: Deployment) -> Iterator[Opinion]:
    seconds = number_in(_state(server).get("down-after-milliseconds", ""), "down-after-milliseconds") / 1_000
    yield from _against_deadline("down-after", seconds, seconds + ELECTION, deployment)


def _against_deadline(setting: str, seconds: float, takes: float, deployment: Deployment) -> Iterator[Opinion]:
    deadline = deployment.settings.deadline
    value = f"{setting} {seconds:g} s, deadline {deadline:g} s"
    if takes > deadline:
        yield risk(
            value,
            f"a failover takes some {takes:g} s, and calls give up before it is over",
            f"a shorter {setting}, or a deadline of more than {takes:g} s",
        )
    elif seconds < HASTY:
        yield risk(
            value,
            "a server that is busy for a moment is replaced, and what its replica has not got is lost",
            f"{setting} of 2 s or more",
        )
    else:
        yield good(value)


def _sentinels(server: Examined, deployment: Deployment) -> Iterator[Opinion]:
    state = _state(server)
    others = int(number_in(state.get("num-other-sentinels", ""), "num-other-sentinels"))
    known, quorum = others + 1, int(number_in(state.get("quorum", ""), "quorum"))
    if "down" in state.get("flags", ""):
        yield bad(
            f"the primary is {state['flags']}",
            "this Sentinel does not reach the primary",
            "look at the primary, its network and the Sentinel's auth-user and auth-pass",
        )
    if known < 3 or quorum * 2 > known + known % 2 + 1:
        yield risk(
            f"{known} Sentinels, quorum {quorum}",
            "when one of them is lost with the primary, the others may not be enough to agree on a new one",
            "three Sentinels on three machines, and a quorum of two",
        )
    if deployment.seeds < known:
        yield risk(
            f"{deployment.seeds} of {known} Sentinels in the URL",
            "when those are down, the primary cannot be found, though others know it",
            "name all Sentinels in the URL",
        )
    if known >= 3 and deployment.seeds >= known and "down" not in state.get("flags", ""):
        yield good(f"{known} Sentinels, quorum {quorum}")


def _quorum(server: Examined, deployment: Deployment) -> Iterator[Opinion]:
    query, answer = next((query, found) for query, found in server.answers.items() if query.name == SENTINEL_QUORUM)
    if answer.failure is None:
        yield good("reached")
    elif answer.failure.startswith("NOQUORUM"):
        yield bad(
            "not reached",
            "too few Sentinels reach each other: when the primary dies, nobody is promoted",
            "start the Sentinels that are down; SENTINEL CKQUORUM on each tells what it sees",
        )
    else:
        raise NotTold(SENTINEL_QUORUM, query)


def _same_primary(server: Examined, deployment: Deployment) -> Iterator[Opinion]:
    named: dict[str, int] = {}
    for sentinel in deployment.of(*SENTINELS):
        try:
            state = _state(sentinel)
        except NotTold:
            continue
        place = f"{state.get('ip')}:{state.get('port')}"
        named[place] = named.get(place, 0) + 1
    if len(named) > 1:
        yield bad(
            " and ".join(f"{place} ({count})" for place, count in sorted(named.items())),
            "the Sentinels name several primaries: programs may write to one that is lost",
            "wait for a failover to end; else SENTINEL RESET on those that are wrong",
        )
    else:
        yield good("agreed")


def _state(server: Examined) -> dict[str, str]:
    """Return what a Sentinel says of the primary. Raises NotTold."""
    return pairs(server.reply(next(query for query in server.answers if query.name == SENTINEL_MASTER)))


CHECKS = (
    Check("failover time", PRIMARIES, (INFO, CONFIG), _cluster_timeout),
    Check("failover time", SENTINELS, (), _down_after),
    Check("Sentinels", SENTINELS, (), _sentinels),
    Check("quorum of Sentinels", SENTINELS, (), _quorum),
    Check("primary of Sentinels", SENTINELS, (), _same_primary),
)
