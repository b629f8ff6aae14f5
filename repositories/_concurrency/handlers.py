"""Name the types of the functions that callers hand over to be called."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias, TypeVar

T = TypeVar("T")

Handler: TypeAlias = Callable[[T], object]
"""Called with each item, for threads."""
AsyncHandler: TypeAlias = Callable[[T], "Awaitable[object] | object"]
"""Called with each item, for asyncio; an awaitable that it returns is awaited."""
