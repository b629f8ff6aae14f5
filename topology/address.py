"""The address that a server listens at."""

from __future__ import annotations

from typing import NamedTuple


class Address(NamedTuple):
    """A host and a port; for a Unix socket, its path and port 0.

    >>> str(Address("::1", 6379)), str(Address("/run/redis.sock", 0))
    ('[::1]:6379', '/run/redis.sock')
    """

    host: str
    port: int

    def __str__(self) -> str:
        if not self.port:
            return self.host
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
