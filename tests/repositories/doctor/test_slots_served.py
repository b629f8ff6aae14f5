"""Find what is wrong with a cluster's slots: nobody's, a failed server's, on their way, and hot."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
from redis.crc import key_slot
from slotbook.models.errors import EmbeddedError
from slotbook.repositories.doctor.findings import Verdict
from slotbook.topology.embedded import Deployment, Server

from ...support.doctor import equip, examine, good_servers, said, set_all, verdicts, wrong
from ...support.faults.control import Control, wait_until

BAD, RISK, NOTE, GOOD = Verdict.BAD, Verdict.RISK, Verdict.NOTE, Verdict.GOOD
TAG = "hot-trader"
BUSY = "local begun = os.clock() while os.clock() < begun + 2 do end"


@pytest.fixture(scope="module")
def cluster(_no_settings_from_outside: None) -> Iterator[Deployment]:
    """Yield a cluster on which nothing is wrong; its nodes are patient with a busy machine."""
    with good_servers("cluster", cluster_node_timeout="3500") as deployment:
        for server in deployment.servers:
            with contextlib.suppress(EmbeddedError):  # where it is known
                server.ask("CONFIG", "SET", "cluster-slot-stats-enabled", "yes")
        yield deployment


@pytest.fixture
def control(cluster: Deployment) -> Iterator[Control]:
    """Yield the hand on it, which makes it whole again."""
    with Control(cluster) as found:
        yield found
        found.heal()
        equip(cluster)


def test_slots_that_nobody_serves(control: Control, cluster: Deployment) -> None:
    """Also slot 0, without which no book is opened."""
    primary = control.primary("{06S}")  # of slot 0
    for server in control.data:
        server.ask("CLUSTER", "DELSLOTSRANGE", "0", "9")
        server.ask("CLUSTER", "DELSLOTS", "100")
    diagnosis = examine(cluster)
    primary.ask("CLUSTER", "ADDSLOTSRANGE", "0", "9", "100", "100")
    wait_until(control.is_whole, "the cluster is whole")
    found = said(diagnosis, "slots")
    assert (BAD, "11 of no server: 0-9, 100") in found
    assert wrong(diagnosis)["slots"] is BAD


def test_slots_of_a_server_that_failed(control: Control, cluster: Deployment) -> None:
    """And of its replica, which never takes over."""
    primary = control.primary(TAG)
    replica = control.replicas(primary)[0]
    was = set_all(replica, {"cluster-replica-no-failover": "yes"})
    assert wrong(examine(cluster)) == {"promotion": BAD}
    other = next(server for server in control.data if server not in {primary, replica})
    control.kill(primary)
    wait_until(lambda: "master,fail " in str(other.ask("CLUSTER", "NODES")), "the others know it")
    diagnosis = examine(cluster)
    control.restart(primary)
    set_all(replica, was)
    assert {"slots": BAD, "nodes": BAD, "answers": BAD, "link to the primary": BAD}.items() <= wrong(diagnosis).items()
    values = {value for verdict, value in said(diagnosis, "slots") if verdict is BAD}
    assert any("of a server that failed" in value for value in values)


def test_a_primary_without_a_replica(control: Control, cluster: Deployment) -> None:
    primary = control.primary(TAG)
    replica = control.replicas(primary)[0]
    control.kill(replica)
    wait_until(lambda: "connected_slaves:0" in str(primary.ask("INFO", "replication")), "the primary knows it")
    found = wrong(examine(cluster))
    assert (found["replicas"], found["answers"]) == (BAD, BAD)


def test_a_slot_on_its_way(control: Control, cluster: Deployment) -> None:
    source = control.primary(TAG)
    target = next(server for server in cluster.primaries() if server.port != source.port)
    slot = key_slot(TAG.encode())
    ids = {server.port: str(server.ask("CLUSTER", "MYID")) for server in (source, target)}
    target.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", ids[source.port])
    source.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", ids[target.port])
    diagnosis = examine(cluster)
    for server in (source, target):
        server.ask("CLUSTER", "SETSLOT", slot, "STABLE")
    assert wrong(diagnosis) == {"moving slots": RISK}
    assert (RISK, f"1 on their way: {slot}") in said(diagnosis, "moving slots")


@pytest.mark.parametrize(
    ("millis", "deadline", "verdict"), [(3500, 9, GOOD), (3500, 8, RISK), (500, 9, RISK), (15_000, 10, RISK)]
)
def test_the_time_of_a_failover(
    control: Control, cluster: Deployment, millis: int, deadline: float, verdict: Verdict
) -> None:
    was = [set_all(server, {"cluster-node-timeout": str(millis)}) for server in control.data]
    diagnosis = examine(cluster, deadline=deadline)
    for server, setting in zip(control.data, was, strict=True):
        set_all(server, setting)
    assert verdicts(diagnosis, "failover time") == {verdict}


def _has_slot_stats(server: Server) -> bool:
    return "slot-stats" in str(server.ask("COMMAND", "INFO", "cluster|slot-stats"))


def test_a_slot_with_most_of_the_keys(control: Control, cluster: Deployment) -> None:
    server = control.primary(f"{{{TAG}}}")
    if not _has_slot_stats(server):
        assert verdicts(examine(cluster), "hot slots") == {NOTE}
        return
    fill = "for i = tonumber(ARGV[1]), tonumber(ARGV[2]) do redis.call('SET', KEYS[1] .. i, 'x') end"
    server.ask("EVAL", fill, 1, f"{{{TAG}}}:", "1", "9999")
    assert "hot slots" not in wrong(examine(cluster))
    server.ask("EVAL", fill, 1, f"{{{TAG}}}:", "10000", "10000")
    diagnosis = examine(cluster)
    server.ask("FLUSHALL")
    (value,) = {value for verdict, value in said(diagnosis, "hot slots") if verdict is RISK}
    assert value == f"slot {key_slot(TAG.encode())} ({TAG}): 100% of 10,000 keys"


def test_a_slot_with_most_of_the_work(control: Control, cluster: Deployment) -> None:
    server = control.primary(f"{{{TAG}}}")
    if not _has_slot_stats(server):
        pytest.skip("the server does not count the work of slots")
    was = [set_all(one, {"cluster-node-timeout": "30000"}) for one in control.data]  # or it would be replaced
    server.ask("CONFIG", "RESETSTAT")
    server.ask("SET", f"{{{TAG}}}:k", "x")
    server.ask("EVAL", BUSY, 1, f"{{{TAG}}}:k", timeout=20)
    diagnosis = examine(cluster)
    server.ask("FLUSHALL")
    for one, setting in zip(control.data, was, strict=True):
        set_all(one, setting)
    assert [value for verdict, value in said(diagnosis, "hot slots") if verdict is RISK and f"({TAG})" in value]
