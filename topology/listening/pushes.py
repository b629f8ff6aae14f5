"""Messages that servers push of their own accord on a connection of a feed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from redis.exceptions import ConnectionError as RedisConnectionError

from ..misreadings import shortened


@dataclass(frozen=True, slots=True)
class PushMessage:
    """A message of a server about a channel: its type, such as ``smessage``, and its further parts."""

    type: str
    parts: Sequence[object]


@dataclass(frozen=True, slots=True)
class Invalidation:
    """A message that keys have changed; None means all keys."""

    keys: tuple[str, ...] | None


def parse_push(push: Sequence[object]) -> PushMessage:
    """Return the message in a push from redis-py. Raises ConnectionError for what is no message."""
    if not push or not isinstance(push[0], str):
        raise RedisConnectionError(f"{shortened(list(push))} is no message of a server")
    return PushMessage(push[0], push[1:])


def parse_invalidation(push: Sequence[object]) -> Invalidation:
    """Return the message in a push from redis-py, which is its type and a list of keys or None.

    What is no list of keys counts as None: then everything is dropped.
    """
    keys = cast("list[object]", push[1]) if len(push) > 1 and isinstance(push[1], list) else None
    if keys is None or not all(isinstance(key, str) for key in keys):
        return Invalidation(None)
    return Invalidation(tuple(cast("list[str]", keys)))
