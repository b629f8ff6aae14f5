"""Find what is wrong with replicas and Sentinels: cut off, late, too few, no quorum, not all in the URL."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

import pytest
from slotbook.models.errors import EmbeddedError
from slotbook.repositories.doctor.findings import Verdict
from slotbook.topology.embedded import Deployment, Server

from ...support.doctor import equip, examine, good_servers, lone_url, said, set_all, verdicts, wrong
from ...support.faults.control import SERVICE, Control, info, wait_until
from ...support.faults.proxy import Proxy

BAD, RISK, NOTE, GOOD = Verdict.BAD, Verdict.RISK, Verdict.NOTE, Verdict.GOOD


@pytest.fixture(scope="module")
def shared(_no_settings_from_outside: None) -> Iterator[Deployment]:
    """Yield a primary, two replicas and three Sentinels, on which nothing is wrong."""
    with good_servers("sentinel") as deployment:
        for server in deployment.servers:
            if server.kind == "sentinel":  # or a busy machine would have a primary replaced
                server.ask("SENTINEL", "SET", SERVICE, "down-after-milliseconds", "6000")
        yield deployment


@pytest.fixture
def control(shared: Deployment) -> Iterator[Control]:
    """Yield the hand on them, which makes them whole again."""
    with Control(shared) as found:
        yield found
        found.heal()
        equip(shared)  # a server that has started again knows no users


def test_fewer_replicas_than_a_change_waits_for(shared: Deployment) -> None:
    assert wrong(examine(shared, durability="replicated=2")) == {}
    assert wrong(examine(shared, durability="replicated=3")) == {"replicas": BAD}
    assert verdicts(examine(shared, durability="replicated=1"), "replicas") == {NOTE}


@pytest.mark.parametrize(("wanted", "verdict"), [("0", NOTE), ("1", GOOD), ("2", RISK), ("3", BAD)])
def test_min_replicas_to_write(control: Control, shared: Deployment, wanted: str, verdict: Verdict) -> None:
    was = set_all(control.primary(), {"min-replicas-to-write": wanted})
    diagnosis = examine(shared)
    set_all(control.primary(), was)
    assert verdicts(diagnosis, "min-replicas") == {verdict}


def test_a_backlog_that_is_small(control: Control, shared: Deployment) -> None:
    was = set_all(control.primary(), {"repl-backlog-size": "1mb"})
    diagnosis = examine(shared)
    set_all(control.primary(), was)
    assert wrong(diagnosis) == {"replication backlog": RISK}


def test_a_replica_that_takes_writes(control: Control, shared: Deployment) -> None:
    replica = control.replicas(control.primary())[0]
    set_all(replica, {"replica-read-only": "no"})
    diagnosis = examine(shared)
    set_all(replica, {"replica-read-only": "yes"})
    assert wrong(diagnosis) == {"writes to a replica": BAD}
    (finding,) = diagnosis.of(BAD)
    assert finding.servers == (f"{replica.host}:{replica.port}",)


def test_replicas_that_are_never_promoted(control: Control, shared: Deployment) -> None:
    replicas = control.replicas(control.primary())
    set_all(replicas[0], {"replica-priority": "0"})
    assert verdicts(examine(shared), "promotion") == {NOTE, GOOD}
    set_all(replicas[1], {"replica-priority": "0"})
    diagnosis = examine(shared)
    for replica in replicas:
        set_all(replica, {"replica-priority": "100"})
    assert wrong(diagnosis) == {"promotion": BAD}


def test_a_replica_that_is_cut_off(control: Control, shared: Deployment) -> None:
    """It follows a port where nobody listens."""
    primary = control.primary()
    replica = control.replicas(primary)[0]
    replica.ask("REPLICAOF", "127.0.0.1", "1")
    diagnosis = examine(shared)
    replica.ask("REPLICAOF", primary.host, primary.port)
    assert wrong(diagnosis) == {"link to the primary": BAD}


def test_a_replica_that_is_frozen(control: Control, shared: Deployment) -> None:
    """It does not answer, and after a while it is late."""
    primary = control.primary()
    replica = control.replicas(primary)[0]
    control.freeze(replica)
    wait_until(lambda: "lag=4" in str(primary.ask("INFO", "replication")), "the replica is late")
    diagnosis = examine(shared, socket_timeout=0.3)
    assert wrong(diagnosis) == {"answers": BAD, "replication lag": RISK}
    (finding,) = diagnosis.of(BAD)
    assert finding.servers == (f"{replica.host}:{replica.port}",)
    assert finding.value == "this replica does not"


def test_a_replica_that_is_dead(control: Control, shared: Deployment) -> None:
    """Only the Sentinels still know of it."""
    primary = control.primary()
    replica = control.replicas(primary)[0]
    control.kill(replica)
    wait_until(lambda: info(primary)["connected_slaves"] == "1", "the primary knows it")
    assert wrong(examine(shared)) == {"answers": BAD}
    assert wrong(examine(shared, durability="replicated=2")) == {"answers": BAD, "replicas": BAD}


def test_sentinels_that_are_dead(control: Control, shared: Deployment) -> None:
    for number, expected in enumerate(({"answers": BAD}, {"answers": BAD, "quorum of Sentinels": BAD})):
        control.kill(control.sentinels[number])
        until = time.monotonic() + 20
        while (found := wrong(examine(shared))) != expected and time.monotonic() < until:
            time.sleep(0.2)  # a Sentinel takes the time of down-after to know it
        assert found == expected


def test_sentinels_that_the_url_does_not_name(shared: Deployment) -> None:
    hosts = shared.url.partition("@")[2].partition("/")[0]
    url = shared.url.replace(hosts, hosts.partition(",")[0])
    diagnosis = examine(shared, url=url)
    assert wrong(diagnosis) == {"Sentinels": RISK}
    assert said(diagnosis, "Sentinels") == {(RISK, "1 of 3 Sentinels in the URL")}


@pytest.mark.parametrize(
    ("deadline", "millis", "verdict"), [(7, 6000, RISK), (8, 6000, GOOD), (30, 500, RISK), (30, 29_000, RISK)]
)
def test_the_time_of_a_failover(
    control: Control, shared: Deployment, deadline: float, millis: int, verdict: Verdict
) -> None:
    for server in control.sentinels:
        server.ask("SENTINEL", "SET", SERVICE, "down-after-milliseconds", str(millis))
    diagnosis = examine(shared, deadline=deadline)
    for server in control.sentinels:
        server.ask("SENTINEL", "SET", SERVICE, "down-after-milliseconds", "6000")
    assert verdicts(diagnosis, "failover time") == {verdict}


def test_a_quorum_that_is_too_high(control: Control, shared: Deployment) -> None:
    for server in control.sentinels:
        server.ask("SENTINEL", "SET", SERVICE, "quorum", "3")
    wait_until(lambda: all(map(_knows_a_quorum, control.sentinels)), "the Sentinels have met again")
    diagnosis = examine(shared)
    for server in control.sentinels:
        server.ask("SENTINEL", "SET", SERVICE, "quorum", "2")
    assert wrong(diagnosis) == {"Sentinels": RISK}


def _knows_a_quorum(sentinel: Server) -> bool:
    with contextlib.suppress(EmbeddedError):
        return str(sentinel.ask("SENTINEL", "CKQUORUM", SERVICE)).startswith("OK")
    return False


def test_sentinels_that_name_several_primaries(control: Control, shared: Deployment) -> None:
    lost, primary = control.sentinels[0], control.primary()
    replica = control.replicas(primary)[0]
    lost.ask("SENTINEL", "REMOVE", SERVICE)
    lost.ask("SENTINEL", "MONITOR", SERVICE, replica.host, replica.port, "2")
    lost.ask("SENTINEL", "SET", SERVICE, "auth-pass", shared.password)
    assert wrong(examine(shared))["primary of Sentinels"] is BAD
    lost.ask("SENTINEL", "REMOVE", SERVICE)
    lost.ask("SENTINEL", "MONITOR", SERVICE, primary.host, primary.port, "2")
    lost.ask("SENTINEL", "SET", SERVICE, "auth-pass", shared.password, "down-after-milliseconds", "6000")
    wait_until(lambda: wrong(examine(shared)) == {}, "the Sentinels know each other again")


def test_a_server_of_another_version(control: Control, shared: Deployment) -> None:
    """The primary's own account of itself is changed on the way."""
    primary = control.primary()
    with Proxy(
        primary.host,
        primary.port,
        translate=lambda verb, reply: _of_another_version(reply) if verb == "INFO" else reply,
    ) as proxy:
        url = lone_url(primary, shared).replace(f":{primary.port}", f":{proxy.port}")
        assert wrong(examine(shared, url=url))["version"] is RISK
        wait_until(lambda: wrong(examine(shared, url=lone_url(primary, shared))) == {}, "the account itself is right")


def _of_another_version(reply: bytes) -> bytes:
    head, name, rest = reply.partition(b"redis_version:")
    return (head + name + b"8" + rest[1:]).replace(b"valkey_version:", b"valkey_version:"[::-1])
