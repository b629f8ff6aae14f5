"""What the benchmark knows of a peer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import TypeAlias

from ...models.order import Order
from ...topology.address import Address
from ..material import Material
from ..measure import Block

Read: TypeAlias = Callable[[str], Awaitable[object]]
"""Reads the hash with this key."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where the contestants meet."""

    address: Address
    password: str
    is_cluster: bool
    material: Material


def _nothing() -> None:
    pass


@dataclass(slots=True)
class Peer:
    """Who takes part in which job."""

    blocks: dict[str, dict[str, Block]] = field(default_factory=dict[str, dict[str, Block]])
    """By job, then by the name that the report shows."""
    crowd: dict[str, Callable[[], AbstractAsyncContextManager[Read]]] = field(
        default_factory=dict[str, Callable[[], AbstractAsyncContextManager[Read]]]
    )
    """For asyncio: opens a client that reads hashes."""
    list_hashes: Callable[[str, list[str]], dict[str, Callable[[], object]]] | None = None
    """How to ask for the hashes with these keys, which an index of a trader's own names."""
    weigh: dict[str, Callable[[Order], object]] = field(default_factory=dict[str, Callable[[Order], object]])
    """How to store an order, so that its memory can be measured."""
    close: Callable[[], None] = _nothing
