"""The interfaces between the I/O of feeds and the plans that say which primaries to listen to, and for what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from redis.exceptions import RedisError

from ...models.errors import SlotbookError
from ..address import Address
from ..connections.connection_kwargs import ConnectionKwargs, connection_kwargs
from ..settings import Target
from .heartbeat import Heartbeat


class Feed(Protocol):
    """The protocol of one connection to one primary: it decides what to send and processes what comes, without I/O."""

    heartbeat: Heartbeat
    lost: bool
    """True once the connection is lost; a lost feed stays lost, and another takes its place."""
    interval: float
    """The seconds between two heartbeats."""

    def opening_commands(self) -> list[bytes]:
        """Return the packed commands to send first, of which the last is a heartbeat."""
        ...

    def periodic_commands(self) -> bytes:
        """Return the packed commands to send now, after an interval: those that are pending, and a heartbeat.

        Raises a RedisError when the server has been silent for too long.
        """
        ...

    def receive(self, message: object) -> None:
        """Process a message, a reply or an error reply. Raises a RedisError when the connection is of no more use."""
        ...

    def mark_lost(self) -> None:
        """Note that the connection is lost, or could not be opened."""
        ...


F_co = TypeVar("F_co", bound=Feed, covariant=True)


class FeedPlan(Protocol[F_co]):
    """The choice of the primaries to listen to, and the source of a feed for each."""

    name: str
    """A word for what the feeds do, for error texts and names of threads."""
    check_interval: float
    """The seconds between two checks of which servers are primaries."""

    def select_primaries(self, primaries: Sequence[Address]) -> Sequence[Address]:
        """Return those of the primaries to which a feed is to be open."""
        ...

    def new_feed(self, address: Address) -> F_co:
        """Return a new feed for a primary that was selected."""
        ...

    def on_feed_opened(self) -> None:
        """Take note that a feed was opened after the start: its primary may have served before it was listened to."""
        ...

    def on_error(self, error: RedisError | SlotbookError) -> None:
        """Take note that the primaries could not be found, or that a feed could not be opened; it is tried again."""
        ...


def feed_connection_kwargs(target: Target, address: Address) -> ConnectionKwargs:
    """Return the arguments for a feed's connection; it uses RESP3, which has messages that are not replies."""
    return {**connection_kwargs(target, address), "protocol": 3}
