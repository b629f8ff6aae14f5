"""A feed that cannot begin, or ends while it reads, leaves nothing that runs or that holds the book."""

from __future__ import annotations

import asyncio
import socket

import pytest
import slotbook
from slotbook.models.errors import AccessDenied
from slotbook.topology.embedded import Deployment, start
from slotbook.topology.settings import read
from slotbook.web.feed import Feed
from slotbook.web.serving import serve

from ..support.make import execution, fresh, limit
from ..support.urls import with_settings


def test_a_feed_that_may_not_read_ends_with_all_it_began() -> None:
    with start("standalone") as deployment:
        with slotbook.connect(deployment.url) as book:
            book.orders.place(limit("T001"))
        url = with_settings(deployment.url, {"username": "half"})
        deployment.servers[0].ask(
            "ACL", "SETUSER", "half", "on", f">{deployment.password}", "~*", "&*", "+@all", "-@sortedset"
        )

        async def begin() -> None:
            async with slotbook.aconnect(url) as book:
                feed = Feed(book, ["T001"])
                with pytest.raises(AccessDenied):
                    await feed.start()
                assert feed.is_stopped
                await asyncio.sleep(0)
                assert asyncio.all_tasks() == {asyncio.current_task()}

        asyncio.run(begin())

        listener = socket.create_server(("127.0.0.1", 0))
        with pytest.raises(AccessDenied):
            asyncio.run(serve(read(url).settings.at(url), ["T001"], listener, None, ["127.0.0.1"], lambda: None))
        assert listener.fileno() == -1


def test_an_interruption_is_told_though_nothing_has_changed() -> None:
    """Also while nobody takes the reports of connections, as while a server that is replaced is waited for."""

    async def follow(deployment: Deployment) -> None:
        async with slotbook.aconnect(deployment.url) as book:
            feed = Feed(book, ["T001"])
            await feed.start()
            version, hearing = feed.board.version, feed.hearing
            assert hearing == (True, 0)
            telling = asyncio.create_task(feed.changed(version, hearing, 600))
            deployment.servers[0].kill()
            await asyncio.wait_for(telling, 30)
            assert (feed.board.version, feed.hearing) == (version, (False, 1))
            feed.stop()

    with start("standalone") as deployment:
        asyncio.run(follow(deployment))


def test_a_feed_that_ends_waits_for_what_it_reads(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    trader = fresh()
    began, ended = asyncio.Event(), asyncio.Event()

    async def read_slowly(_: object) -> object:
        began.set()
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.05)  # a call that is taken back still gives its place back
            ended.set()

    async def follow() -> None:
        async with slotbook.aconnect(url) as book:
            monkeypatch.setattr(book.positions, "get_many", read_slowly)
            feed = Feed(book, [trader])
            await feed.start()
            running = asyncio.create_task(feed.run())
            await book.orders.place(limit(trader))
            await book.orders.fill(execution(trader))
            await began.wait()
            feed.stop()
            await running
            assert ended.is_set()
            assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(follow())
