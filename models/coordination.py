"""The results of coordination between processes: permits, values with a version, and sessions."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Annotated, cast

from pydantic import BeforeValidator, SecretStr, TypeAdapter, ValidationError

from .building import adapter
from .errors import InvalidArgument
from .record import Record
from .types import Count, Name, check_name

MAX_SESSION_DATA = 16_384
"""The maximum size of a session's data as JSON, in bytes."""

_SECRET_BYTES = 32
_SECRET_LENGTH = 43


@cache
def _texts() -> TypeAdapter[dict[str, str]]:
    return adapter(dict[str, str])


class Algorithm(StrEnum):
    """The rule by which a rate limiter counts; ``limit``, ``window`` and ``burst`` are given to the limiter."""

    FIXED_WINDOW = "fixed_window"
    """At most ``limit`` in each window; a window opens with the first request after the last one closed."""
    SLIDING_WINDOW = "sliding_window"
    """At most ``limit`` in any period of time as long as the window."""
    TOKEN_BUCKET = "token_bucket"  # noqa: S105 (no password)
    """A bucket holds at most ``burst`` tokens and is refilled with ``limit`` tokens per window; a request takes as many
    tokens as it costs."""


@dataclass(frozen=True, slots=True)
class Permit:
    """The answer of a rate limiter to one request.

    For example::

        permit = book.limiter(100).acquire("orders:T001")
        if not permit.allowed:
            time.sleep(permit.retry_after)
    """

    allowed: bool
    """True when the request was counted and may go on."""
    remaining: int
    """The cost that would still have been allowed at that moment."""
    retry_after: float
    """Seconds until the same cost could be allowed if no other request came first; 0 when it was allowed."""


@dataclass(frozen=True, slots=True)
class Versioned:
    """A stored value, and the version that identifies it in a compare-and-swap.

    For example::

        seen = book.values.get("risk-limits")
        book.values.swap("risk-limits", seen.version, "new")
    """

    value: str | None
    """The value; None when there is none."""
    version: int
    """The number of the change that set the value, 0 for no value. It grows with every change and is never used again,
    even when the value has expired in between."""


@dataclass(frozen=True, slots=True)
class Swap:
    """The result of a compare-and-swap.

    For example::

        swap = book.values.swap("risk-limits", seen.version, "new")
        if not swap.swapped:
            print("another caller has set it to", swap.value)
    """

    swapped: bool
    """True when the value was as expected and is set now."""
    version: int
    """The version after the call: of the new value, or of the one found in place of the expected one (0 for none)."""
    value: str | None
    """The value after the call: the new one, or the one found in place of the expected one (None for none)."""
    replicas: int | None = None
    """The number of replicas (``replicated``) or disks (``fsynced``) that confirmed it; None for ``local``."""


def _parsed(value: object) -> object:
    return json.loads(value) if isinstance(value, str) else value


class Session(Record):
    """A trader's session, until it expires or is revoked.

    For example::

        session = book.sessions.create("T001", 3600, {"desk": "equities"})
        cookie = session.id.get_secret_value()  # and later: book.sessions.get(cookie)

    Its id is a secret. It is returned only to a caller that created the session or gave the id, it is masked when the
    session is printed, and it is stored nowhere: the server has the SHA-256 of its random part.
    """

    trader: Name
    digest: str
    """The SHA-256 of the id's random part, in hexadecimal. It identifies the session, but gives no access to it."""
    created_ms: Count
    """The time of its creation, in milliseconds since the epoch by the server's clock."""
    expires_ms: Count
    """The time at which it expires unless it is touched, in milliseconds since the epoch by the server's clock."""
    data: Annotated[dict[str, str], BeforeValidator(_parsed)]
    """The application's own data, strings by name; at most ``MAX_SESSION_DATA`` bytes as JSON."""
    id: SecretStr | None = None
    """The secret id; None in a listing, because it cannot be found from the digest."""


def new_session_id(trader: str) -> SecretStr:
    """Return a new session id: the trader, a dot and 256 random bits.

    Raises InvalidArgument for a trader that cannot be part of a key.

    >>> str(new_session_id("T001"))
    '**********'
    """
    return SecretStr(f"{check_name('trader', trader)}.{secrets.token_urlsafe(_SECRET_BYTES)}")


def split_session_id(session_id: SecretStr | str) -> tuple[str, str]:
    """Return the trader of a session id and the digest of its secret; raises InvalidArgument, which hides the id."""
    given = session_id.get_secret_value() if isinstance(session_id, SecretStr) else session_id
    text = cast("object", given)
    if not isinstance(text, str):
        raise InvalidArgument(f"this is no session id: it is a {type(text).__name__}")
    trader, _, secret = text.rpartition(".")
    try:
        check_name("trader", trader)
    except InvalidArgument:
        raise InvalidArgument("this is no session id: it does not begin with a trader and a point") from None
    if len(secret) < _SECRET_LENGTH:
        raise InvalidArgument("this is no session id: its secret is shorter than 256 bits")
    return trader, hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def session_data(data: Mapping[str, str]) -> str:
    """Return a session's data as JSON; raises InvalidArgument, which hides the data."""
    try:
        texts = _texts().validate_python(dict(data), strict=True)
    except (ValidationError, TypeError, ValueError):
        raise InvalidArgument("a session's data maps strings to strings") from None
    written = json.dumps(texts, sort_keys=True, separators=(",", ":"))
    if len(written) > MAX_SESSION_DATA:
        raise InvalidArgument(f"a session's data takes more than {MAX_SESSION_DATA} bytes as JSON")
    return written
