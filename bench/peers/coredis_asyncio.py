"""coredis, which is for asyncio only."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from functools import partial

import coredis

from .peer import Peer, Read, Site


def peer(site: Site) -> Peer:
    """Take part in the crowd."""
    return Peer() if site.is_cluster else Peer(crowd={"coredis": partial(_client, site)})


@contextlib.asynccontextmanager
async def _client(site: Site) -> AsyncGenerator[Read]:
    host, port = site.address
    async with coredis.Redis(host, port, password=site.password, decode_responses=True) as client:
        yield client.hgetall
