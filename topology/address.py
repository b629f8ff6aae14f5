"""The address that a server listens at."""

from __future__ import annotations

import re
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


_IS_HOST = re.compile(r"(?=.{1,253}$)[0-9A-Za-z:_%-]{1,63}(?:\.[0-9A-Za-z:_%-]{1,63})*\.?", re.ASCII).fullmatch
_IS_PORT = re.compile(r"[1-9][0-9]{0,4}", re.ASCII).fullmatch


def address_told(host: object, port: object) -> Address | None:
    """Return the address of a server that another server tells; None for what is no address.

    >>> address_told("10.0.0.1", "6379"), address_told("", 0), address_told("db..desk", 6379)
    (Address(host='10.0.0.1', port=6379), None, None)
    """
    if not isinstance(host, str) or isinstance(port, bool) or not isinstance(port, (int, str)):
        return None
    if not _IS_HOST(host) or not _IS_PORT(str(port)) or int(port) > 65_535:
        return None
    return Address(host, int(port))
