"""The peer Valkey GLIDE for asyncio."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from functools import partial

from glide import GlideClient, GlideClientConfiguration, Logger, LogLevel, NodeAddress, ServerCredentials

from .peer import Peer, ReadHash, Site


def peer(site: Site) -> Peer:
    """Return the peer, which takes part in the jobs for asyncio."""
    return Peer() if site.is_cluster else Peer(crowd={"GLIDE": partial(_client, site)})


@contextlib.asynccontextmanager
async def _client(site: Site) -> AsyncGenerator[ReadHash]:
    Logger.init(LogLevel.OFF)
    login = ServerCredentials(password=site.password)
    # The default limit of 1,000 calls in flight would refuse some of 1,000 tasks.
    configuration = GlideClientConfiguration(
        [NodeAddress(*site.address)], credentials=login, inflight_requests_limit=10_000
    )
    client = await GlideClient.create(configuration)
    try:
        yield client.hgetall
    finally:
        await client.close()
