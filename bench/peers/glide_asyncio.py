"""Valkey GLIDE for asyncio."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from functools import partial

from glide import GlideClient, GlideClientConfiguration, Logger, LogLevel, NodeAddress, ServerCredentials

from .peer import Peer, Read, Site


def peer(site: Site) -> Peer:
    """Take part in the crowd."""
    return Peer() if site.is_cluster else Peer(crowd={"GLIDE": partial(_client, site)})


@contextlib.asynccontextmanager
async def _client(site: Site) -> AsyncGenerator[Read]:
    Logger.init(LogLevel.OFF)
    login = ServerCredentials(password=site.password)
    # By default it refuses more than 1,000 calls in flight.
    configuration = GlideClientConfiguration(
        [NodeAddress(*site.address)], credentials=login, inflight_requests_limit=10_000
    )
    client = await GlideClient.create(configuration)
    try:
        yield client.hgetall
    finally:
        await client.close()
