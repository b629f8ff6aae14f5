"""The interface between the benchmark and a peer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import TypeAlias

from ...models.order import Order
from ...topology.address import Address
from ..material import Material
from ..measure import Block

ReadHash: TypeAlias = Callable[[str], Awaitable[object]]
"""Reads the hash with this key."""


@dataclass(frozen=True, slots=True)
class Site:
    """The deployment that contestants run on, and the material for their jobs."""

    address: Address
    password: str
    is_cluster: bool
    material: Material


def _nothing() -> None:
    pass


@dataclass(slots=True)
class Peer:
    """The jobs that one peer takes part in."""

    blocks: dict[str, dict[str, Block]] = field(default_factory=dict[str, dict[str, Block]])
    """Blocks by job, then by the name that the report shows."""
    crowd: dict[str, Callable[[], AbstractAsyncContextManager[ReadHash]]] = field(
        default_factory=dict[str, Callable[[], AbstractAsyncContextManager[ReadHash]]]
    )
    """For asyncio, by name: opens a client that reads hashes."""
    list_hashes: Callable[[str, list[str]], dict[str, Callable[[], object]]] | None = None
    """Returns, by name, functions that read hashes with these keys through an index of the trader."""
    weigh: dict[str, Callable[[Order], object]] = field(default_factory=dict[str, Callable[[Order], object]])
    """Stores an order, by name, so that its memory can be measured."""
    close: Callable[[], None] = _nothing
