"""Test slot tables that lack an address: replies to CLUSTER SLOTS while a node is being replaced."""

from __future__ import annotations

import pytest
from slotbook.topology.address import Address
from slotbook.topology.call import Reply
from slotbook.topology.layouts import ClusterLayout, DiscoveryError, redirect_target

ASKED, OTHER, REPLICA = Address("127.0.0.1", 7001), Address("127.0.0.1", 7002), Address("127.0.0.1", 7003)


def layout_after(*rows: list[Reply]) -> ClusterLayout:
    cluster = ClusterLayout([ASKED])
    discovery = cluster.discover()
    next(discovery)
    with pytest.raises(StopIteration):
        discovery.send([[list(rows)]])
    return cluster


def test_a_node_that_does_not_know_its_own_address_means_itself() -> None:
    cluster = layout_after([0, 99, ["", 7001, "a"], ["127.0.0.1", 7003, "c"]], [100, 199, ["127.0.0.1", 7002, "b"]])
    assert (cluster.locate(0), cluster.locate(99), cluster.locate(100)) == (ASKED, ASKED, OTHER)
    assert cluster.primaries() == (ASKED, OTHER)


def test_a_primary_without_an_address_serves_nothing_and_its_replica_does_not_replace_it() -> None:
    """Redis 8.0 answers port 0 for a primary at whose address another node has answered."""
    cluster = layout_after([0, 99, ["", 0, "a"], ["127.0.0.1", 7003, "c"]], [100, 199, ["127.0.0.1", 7002, "b"]])
    assert (cluster.locate(0), cluster.locate(100)) == (None, OTHER)
    assert cluster.primaries() == (OTHER,)


def test_a_node_that_knows_no_primary_is_passed_over() -> None:
    discovery = ClusterLayout([ASKED]).discover()
    next(discovery)
    with pytest.raises(DiscoveryError, match="serves no slots yet"):
        discovery.send([[[[0, 99, ["", 0, "a"], ["127.0.0.1", 7003, "c"]]]]])


def test_a_redirect_makes_another_table_of_it_and_one_that_is_known_does_not() -> None:
    """Editions are compared by callers that walk through all primaries, so as to miss no slot that moves meanwhile."""
    cluster = layout_after([0, 99, ["127.0.0.1", 7001, "a"]], [100, 199, ["127.0.0.1", 7002, "b"]])
    before = cluster.shards()
    cluster.moved(100, OTHER)
    assert cluster.shards() is before
    cluster.moved(99, OTHER)
    assert (cluster.locate(98), cluster.locate(99)) == (ASKED, OTHER)
    assert cluster.shards().edition == before.edition + 1


@pytest.mark.parametrize(
    ("reply", "slot", "target"),
    [
        ("MOVED 866 10.0.0.2:7002", 866, Address("10.0.0.2", 7002)),
        ("ASK 16383 :7002", 16383, Address("127.0.0.1", 7002)),
        ("MOVED 0 [fe80::1]:7002", 0, Address("fe80::1", 7002)),
        ("MOVED 0 fe80::1:7002", 0, Address("fe80::1", 7002)),
        ("MOVED 0 node.desk:7002", 0, Address("node.desk", 7002)),
    ],
)
def test_a_redirect_names_a_slot_and_an_address(reply: str, slot: int, target: Address) -> None:
    assert redirect_target(Exception(reply), ASKED) == (slot, target)
