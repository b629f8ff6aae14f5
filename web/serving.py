"""Serve a blotter until it is told to stop, and leave nothing behind."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Collection

import uvicorn

from ..repositories import AsyncBook
from ..topology.settings import Settings
from .app import Pages
from .feed import Feed
from .guard import Guard

GRACE = 2
"""The seconds that open requests get when the server ends."""


async def serve(
    settings: Settings,
    traders: Collection[str] | None,
    listener: socket.socket,
    token: str | None,
    hosts: Collection[str],
    on_ready: Callable[[], object],
) -> None:
    """Show a book on a socket until a signal comes, or until the book can no longer be read.

    Args:
        settings: Where the book is.
        traders: Whose orders and positions are shown; None for all traders.
        listener: The socket, which listens already; it is closed in the end.
        token: What a caller must have; None where something in front of the server asks.
        hosts: The names that the server answers to.
        on_ready: Called when the first request can be answered.

    Raises:
        SlotbookError: The book could not be opened, or may not be read.
    """
    with listener:
        async with await AsyncBook.open(settings) as book:
            feed = Feed(book, None if traders is None else list(traders))
            app = Guard(Pages(book, feed, traders).app(), token, hosts, f"slotbook_{listener.getsockname()[1]}")
            config = uvicorn.Config(
                app,
                access_log=False,  # the first URL has the token
                lifespan="off",
                log_config=None,
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=GRACE,
                ws="none",
            )
            server = _Server(config, feed, on_ready)
            await feed.start()
            feeding = asyncio.create_task(feed.run())
            feeding.add_done_callback(lambda _: server.end())
            try:
                await server.serve([listener])
            finally:
                feed.stop()
                await feeding


class _Server(uvicorn.Server):
    """A server whose signal also ends the streams, which would go on for ever."""

    def __init__(self, config: uvicorn.Config, feed: Feed, on_ready: Callable[[], object]) -> None:
        super().__init__(config)
        self._feed = feed
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer; only now signals are its own, so that whoever sees the link may end it."""
        await super().startup(sockets)
        self._on_ready()

    def end(self) -> None:
        """End soon."""
        self.should_exit = True

    async def on_tick(self, counter: int) -> bool:
        """Return True when it is time to end."""
        ends = await super().on_tick(counter)
        if ends:
            self._feed.stop()
        return ends
