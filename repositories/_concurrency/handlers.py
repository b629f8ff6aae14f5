"""What callers hand over to be called, and what is done when they are slow."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal, TypeAlias, TypeVar

T = TypeVar("T")

Handler: TypeAlias = Callable[[T], object]
"""Called with each item, in a thread of its own."""
AsyncHandler: TypeAlias = Callable[[T], "Awaitable[object] | object"]
"""Called with each item in a task of its own; what it returns is awaited if that can be."""

Overflow: TypeAlias = Literal["drop", "block"]
"""What is done with a message for which there is no room: drop it and say so, or stop reading the connection until
there is, which the server bears only up to its client-output-buffer-limit."""

WhenFull: TypeAlias = Literal["heal", "block"]
"""The same for a follower, which reads from the stream what it had no room for."""
