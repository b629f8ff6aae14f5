"""The peers: libraries that one would use in Slotbook's place, each in a module that needs its own distribution.

A peer does what its users would write with it. Where it runs Slotbook's script or reads Slotbook's hash, it returns the
server's reply untyped, which is less work than Slotbook does.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from importlib.metadata import version
from typing import cast

from .peer import Peer, Site

_MODULES = {
    "redis_py": "redis",
    "glide": "valkey-glide-sync",
    "glide_asyncio": "valkey-glide",
    "coredis_asyncio": "coredis",
    "redis_om_models": "redis-om",
    "popoto_models": "popoto",
}
"""The module of each peer, and the distribution that it needs."""


def open_peers(site: Site) -> tuple[list[Peer], dict[str, str]]:
    """Open every installed peer; return them, and the version of each distribution or "not installed"."""
    peers: list[Peer] = []
    versions: dict[str, str] = {}
    for module, distribution in _MODULES.items():
        try:
            opened = cast("Callable[[Site], Peer]", importlib.import_module(f".{module}", __name__).peer)(site)
        except ImportError:
            versions[distribution] = "not installed"
            continue
        peers.append(opened)
        versions[distribution] = version(distribution)
    return peers, versions
