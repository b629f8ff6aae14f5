"""Servers without sharded pub/sub (before Redis 7.0), where the trader's channel is a classic one."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Iterator

import pytest
from slotbook.topology.embedded import Deployment, start
from slotbook.topology.embedded.binary import find_program

from ...support.callers import CALLERS, Caller, open_book
from ...support.make import fresh, limit


@pytest.fixture(scope="module")
def older(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Yield a server that does not know the commands that came with Redis 7.0."""
    program = tmp_path_factory.mktemp("older") / "server"
    unknown = " ".join(f"--rename-command {name} ''" for name in ("SPUBLISH", "SSUBSCRIBE", "SUNSUBSCRIBE"))
    real = shlex.quote(str(find_program(None)))
    ask = f'[ "$#" = 1 ] && [ "$1" = --version ] && exec {real} "$@"'
    program.write_text(f'#!/bin/sh\n{ask}\nexec {real} "$@" {unknown}\n')
    program.chmod(0o700)
    with start("standalone", server=str(program)) as deployment:
        yield deployment


@pytest.mark.parametrize("caller", CALLERS)
def test_followers_receive_messages_all_the_same(older: Deployment, runner: asyncio.Runner, caller: Caller) -> None:
    trader = fresh()
    with open_book(f"{older.url}?watchdog=0.4", caller, runner) as book:
        with book.events.follow(trader, poll=60) as follow:  # so late that only a message can bring it in time
            for number in range(5):
                book.orders.place(limit(trader, f"A{number}"))
                event = follow.get(30)
                assert event is not None
                assert event.sequence == number + 1
        with book.events.consume("risk", "one", trader, poll=60) as consumer:
            assert [consumer.get(30) is not None for _ in range(5)] == [True] * 5
        with book.events.subscribe(f"{{{trader}}}:events") as subscription:
            book.orders.place(limit(trader, "B1"))
            message = subscription.get(30)
            assert message is not None
            assert message.event.order_id == "B1"
