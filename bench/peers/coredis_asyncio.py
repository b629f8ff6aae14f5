"""The peer coredis, which is for asyncio only."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from functools import partial

import coredis

from .peer import Peer, ReadHash, Site


def peer(site: Site) -> Peer:
    """Return the peer, which takes part in the jobs for asyncio."""
    return Peer() if site.is_cluster else Peer(crowd={"coredis": partial(_client, site)})


@contextlib.asynccontextmanager
async def _client(site: Site) -> AsyncGenerator[ReadHash]:
    host, port = site.address
    async with coredis.Redis(host, port, password=site.password, decode_responses=True) as client:
        yield client.hgetall
