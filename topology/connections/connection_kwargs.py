"""The keyword arguments with which redis-py makes a connection: the same for threads and for asyncio.

redis-py's own retries are off, because they would send a write again. Its maintenance notifications, its health checks
and its CLIENT SETINFO, which would wait for replies (see :mod:`.greeting`), are off too, so that opening a connection
costs one AUTH. Replies are RESP2 and text. A byte that is
not UTF-8 becomes a surrogate: the check of the field that contains it fails then, and not the connection.
"""

from __future__ import annotations

from typing import Literal, TypedDict

from ..address import Address
from ..settings import Target


class ConnectionKwargs(TypedDict, total=False):
    """Keyword arguments of a redis-py connection."""

    host: str
    port: int
    path: str
    db: int
    username: str | None
    password: str | None
    socket_connect_timeout: float
    socket_timeout: float | None
    protocol: Literal[2, 3]
    decode_responses: bool
    encoding_errors: str
    driver_info: None
    ssl_ca_certs: str | None
    ssl_certfile: str | None
    ssl_keyfile: str | None
    ssl_cert_reqs: Literal["required", "none"]
    ssl_check_hostname: bool


def connection_kwargs(target: Target, address: Address, *, for_sentinel: bool = False) -> ConnectionKwargs:
    """Return the arguments for a connection to one server, or with ``for_sentinel`` to a sentinel.

    A sentinel has a user and a password of its own, and no numbered databases.
    """
    settings = target.settings
    username, password = settings.username, settings.password
    if for_sentinel:
        username, password = settings.sentinel_username, settings.sentinel_password
    arguments: ConnectionKwargs = {
        "db": 0 if for_sentinel else target.database,
        "username": username,
        "password": password.get_secret_value() if password else None,
        "socket_connect_timeout": settings.connect_timeout,
        "socket_timeout": settings.socket_timeout,
        "protocol": 2,
        "decode_responses": True,
        "encoding_errors": "surrogateescape",
        "driver_info": None,
    }
    if address.port:
        arguments["host"], arguments["port"] = address
    else:
        arguments["path"] = address.host
    if target.tls:
        arguments["ssl_ca_certs"] = str(settings.tls_ca_file) if settings.tls_ca_file else None
        arguments["ssl_certfile"] = str(settings.tls_cert_file) if settings.tls_cert_file else None
        arguments["ssl_keyfile"] = str(settings.tls_key_file) if settings.tls_key_file else None
        arguments["ssl_cert_reqs"] = "required" if settings.tls_verify else "none"
        arguments["ssl_check_hostname"] = settings.tls_verify
    return arguments
