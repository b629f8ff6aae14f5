"""Define what the map of every topology offers."""

from __future__ import annotations

from typing import Protocol

from ..address import Address
from ..shards import Shards
from .discovery import Discovery


class Layout(Protocol):
    """The map of one topology, from hash slots to primaries."""

    must_be_primary: bool
    """True when a server has to say on its connections that it is a primary: any other would answer reads too."""
    migrates: bool
    """True when slots can migrate from one server to another."""

    def locate(self, slot: int) -> Address | None:
        """Return the primary of a slot; None when it must be discovered first."""
        ...

    def primaries(self) -> tuple[Address, ...]:
        """Return the primaries of all slots."""
        ...

    def sentinels(self) -> tuple[Address, ...]:
        """Return the Sentinels that watch the primary; none where there are none."""
        ...

    def shards(self) -> Shards:
        """Return a hash tag for each primary."""
        ...

    def moved(self, slot: int, address: Address) -> None:
        """Take over what a MOVED reply says. Raises InvalidSettings where there should be none."""
        ...

    def discover(self) -> Discovery:
        """Yield questions until the map is complete. Raises DiscoveryError, AccessDenied or InvalidSettings."""
        ...
