"""Valkey GLIDE, blocking: Slotbook's script and hash on its client."""

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

from ...topology.call import Call
from ..material import ids_of
from ..measure import Block, one_by_one
from .peer import Peer, Site


def peer(site: Site) -> Peer:
    """Connect."""
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

    def same_script(make: Callable[[int], Sequence[Call[object]]]) -> Block:
        return one_by_one(lambda size: [partial(command, _words(call)) for call in make(size)])

    return Peer(
        blocks={
            "get": {
                "GLIDE": one_by_one(
                    lambda size: [
                        partial(client.hgetall, calls.get(*ids).keys[0]) for ids in ids_of(material.placed(size))
                    ]
                )
            },
            "place": {"GLIDE": same_script(lambda size: [calls.place(order) for order in material.orders(size)])},
            "fill": {"GLIDE": same_script(lambda size: [calls.fill(fill) for fill in material.fills(size)])},
            "cancel": {"GLIDE": same_script(lambda size: [calls.close(cancel) for cancel in material.cancels(size)])},
        },
        close=client.close,
    )


def _words(call: Call[object]) -> list[str | bytes]:
    assert call.script is not None  # noqa: S101 (a call of ours that runs a script)
    return ["EVALSHA", call.script.digest, str(len(call.keys)), *call.keys, *map(str, call.arguments)]
