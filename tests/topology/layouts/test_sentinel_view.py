"""Whom to believe of several Sentinels, as they answer while a failover spreads among them."""

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


def word(names: Address, epoch: int, promoted: Address | None = None) -> list[Reply | Failure]:
    replicas: list[Reply] = [
        ["name", "r", "ip", one.host, "port", str(one.port), "flags", "slave,promoted" if one == promoted else "slave"]
        for one in (OLD, NEW)
    ]
    return [[names.host, str(names.port)], ["name", "desk", "config-epoch", str(epoch)], replicas]


def found(*rounds: Answers) -> tuple[Address, ...]:
    """Who is in charge after these answers, every one of which is asked for."""
    sentinel = SentinelLayout(SENTINELS, "desk")
    discovery = sentinel.discover()
    next(discovery)
    for answers in rounds[:-1]:
        discovery.send(answers)
    with pytest.raises(StopIteration):
        discovery.send(rounds[-1])
    return sentinel.primaries()


def test_the_latest_failover_counts_whoever_answers_first() -> None:
    assert found([word(OLD, 3), word(NEW, 4), word(OLD, 3)]) == (NEW,)
    assert found([word(NEW, 4), word(OLD, 3), SILENT]) == (NEW,)
    assert found([word(NEW, 9), word(OLD, 10), word(NEW, 9)]) == (OLD,)


def test_a_promotion_is_believed_once_the_server_says_so_itself() -> None:
    promoting = [word(OLD, 3), word(OLD, 3, promoted=NEW), word(OLD, 3)]
    assert found(promoting, [["PONG"]]) == (NEW,)
    assert found(promoting, [[Unsent(RedisConnectionError("Connection refused."))]]) == (OLD,)


def test_a_promotion_of_an_older_failover_is_not_even_tried() -> None:
    assert found([word(NEW, 3, promoted=OLD), word(NEW, 4), SILENT]) == (NEW,)


def test_a_sentinel_that_may_only_tell_the_name_is_believed_the_least() -> None:
    denied = NoPermissionError("this user has no permissions to run the 'sentinel|master' command")
    terse: list[Reply | Failure] = [[OLD.host, str(OLD.port)], denied, denied]
    assert found([terse, word(NEW, 0), SILENT]) == (NEW,)
    assert found([terse, SILENT, SILENT]) == (OLD,)


def test_silent_ones_are_given_time_only_when_all_are_silent() -> None:
    discovery = SentinelLayout(SENTINELS, "desk").discover()
    assert next(discovery).timeout == SENTINEL_TIMEOUT
    assert discovery.send([SILENT] * 3).timeout > 3600
    with pytest.raises(DiscoveryError, match="no Sentinel could tell the primary: Timeout"):
        discovery.send([SILENT] * 3)


def test_one_that_denies_is_an_error_only_when_no_other_tells() -> None:
    denied: list[Reply | Failure] = [NoPermissionError("NOPERM this user has no permissions"), None, None]
    assert found([denied, word(NEW, 4), SILENT]) == (NEW,)
    discovery = SentinelLayout(SENTINELS, "desk").discover()
    next(discovery)
    discovery.send([denied, SILENT, SILENT])  # the silent ones may only be slow
    with pytest.raises(AccessDenied):
        discovery.send([denied, SILENT, SILENT])


def test_garbage_for_an_address_is_nobodys_word() -> None:
    garbage: list[Reply | Failure] = [["somewhere", "else"], ResponseError("ERR"), ["flags"]]
    assert found([garbage, word(NEW, 4), SILENT]) == (NEW,)
