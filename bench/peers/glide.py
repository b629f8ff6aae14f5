"""The peer Valkey GLIDE for threads: Slotbook's script and hash on its client."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import cast

from glide_sync import (
    GlideClient,
    GlideClientConfiguration,
    GlideClusterClient,
    GlideClusterClientConfiguration,
    Logger,
    LogLevel,
    NodeAddress,
    ServerCredentials,
)

from ..material import ids_of
from ..measure import one_by_one
from . import by_hand
from .peer import Peer, Site


def peer(site: Site) -> Peer:
    """Connect, and return the peer."""
    Logger.init(LogLevel.OFF)
    addresses = [NodeAddress(*site.address)]
    login = ServerCredentials(password=site.password)
    client: GlideClient | GlideClusterClient
    if site.is_cluster:
        client = GlideClusterClient.create(GlideClusterClientConfiguration(addresses, credentials=login))
    else:
        client = GlideClient.create(GlideClientConfiguration(addresses, credentials=login))
    command = cast("Callable[[list[str | bytes]], object]", client.custom_command)  # pyright: ignore[reportUnknownMemberType]
    material, calls = site.material, site.material.calls

    def run(words: Sequence[str]) -> object:
        return command(["EVALSHA", *words])

    return Peer(
        blocks={
            "get": {
                "GLIDE": one_by_one(
                    lambda size: [
                        partial(client.hgetall, calls.get(*ids).keys[0]) for ids in ids_of(material.placed(size))
                    ]
                )
            },
            **{job: {"GLIDE": block} for job, block in by_hand.blocks(material, run).items()},
        },
        close=client.close,
    )
