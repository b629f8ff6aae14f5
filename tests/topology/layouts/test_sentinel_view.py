"""Test which of several Sentinels is believed while a failover spreads among them."""

from __future__ import annotations

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoPermissionError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError
from slotbook.models.errors import AccessDenied
from slotbook.topology.address import Address
from slotbook.topology.call import Reply
from slotbook.topology.error_mapping import Failure, Unanswered, Unsent
from slotbook.topology.layouts import SENTINEL_TIMEOUT, Answers, DiscoveryError, SentinelLayout

OLD, NEW = Address("127.0.0.1", 7001), Address("127.0.0.1", 7002)
SENTINELS = [Address("127.0.0.1", port) for port in (26379, 26380, 26381)]
SILENT = [Unanswered(RedisTimeoutError("Timeout reading from socket"))] * 3


def answer(primary: Address, epoch: int, promoted: Address | None = None) -> list[Reply | Failure]:
    replicas: list[Reply] = [
        ["name", "r", "ip", one.host, "port", str(one.port), "flags", "slave,promoted" if one == promoted else "slave"]
        for one in (OLD, NEW)
    ]
    return [[primary.host, str(primary.port)], ["name", "desk", "config-epoch", str(epoch)], replicas]


def primaries_after(*rounds: Answers) -> tuple[Address, ...]:
    """Return the primaries after these answers, each of which must be asked for."""
    sentinel = SentinelLayout(SENTINELS, "desk")
    discovery = sentinel.discover()
    next(discovery)
    for answers in rounds[:-1]:
        discovery.send(answers)
    with pytest.raises(StopIteration):
        discovery.send(rounds[-1])
    return sentinel.primaries()


def test_the_latest_failover_counts_in_whatever_order_they_answer() -> None:
    assert primaries_after([answer(OLD, 3), answer(NEW, 4), answer(OLD, 3)]) == (NEW,)
    assert primaries_after([answer(NEW, 4), answer(OLD, 3), SILENT]) == (NEW,)
    assert primaries_after([answer(NEW, 9), answer(OLD, 10), answer(NEW, 9)]) == (OLD,)


def test_a_promotion_is_believed_once_the_replica_serves_as_a_primary() -> None:
    promoting = [answer(OLD, 3), answer(OLD, 3, promoted=NEW), answer(OLD, 3)]
    assert primaries_after(promoting, [["PONG"]]) == (NEW,)
    assert primaries_after(promoting, [[Unsent(RedisConnectionError("Connection refused."))]]) == (OLD,)


def test_a_promotion_of_an_older_failover_is_not_even_tried() -> None:
    assert primaries_after([answer(NEW, 3, promoted=OLD), answer(NEW, 4), SILENT]) == (NEW,)


def test_a_sentinel_that_answers_only_the_name_is_believed_the_least() -> None:
    denied = NoPermissionError("this user has no permissions to run the 'sentinel|master' command")
    terse: list[Reply | Failure] = [[OLD.host, str(OLD.port)], denied, denied]
    assert primaries_after([terse, answer(NEW, 0), SILENT]) == (NEW,)
    assert primaries_after([terse, SILENT, SILENT]) == (OLD,)


def test_silent_sentinels_are_given_time_only_when_all_are_silent() -> None:
    discovery = SentinelLayout(SENTINELS, "desk").discover()
    assert next(discovery).timeout == SENTINEL_TIMEOUT
    assert discovery.send([SILENT] * 3).timeout > 3600
    with pytest.raises(DiscoveryError, match="no Sentinel could tell the primary: Timeout"):
        discovery.send([SILENT] * 3)


def test_a_sentinel_that_denies_access_is_an_error_only_when_no_other_answers() -> None:
    denied: list[Reply | Failure] = [NoPermissionError("NOPERM this user has no permissions"), None, None]
    assert primaries_after([denied, answer(NEW, 4), SILENT]) == (NEW,)
    discovery = SentinelLayout(SENTINELS, "desk").discover()
    next(discovery)
    discovery.send([denied, SILENT, SILENT])  # the silent ones may only be slow
    with pytest.raises(AccessDenied):
        discovery.send([denied, SILENT, SILENT])


def test_an_answer_that_is_no_address_is_ignored() -> None:
    garbage: list[Reply | Failure] = [["somewhere", "else"], ResponseError("ERR"), ["flags"]]
    assert primaries_after([garbage, answer(NEW, 4), SILENT]) == (NEW,)
