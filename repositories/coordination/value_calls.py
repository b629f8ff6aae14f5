"""The calls of the value repository, and how their replies are read. Nothing here does I/O."""

from __future__ import annotations

import uuid

from ...models.arguments import whole
from ...models.coordination import Swap, Versioned
from ...models.errors import CorruptRecord, DuplicateRequest, InvalidArgument, never_written
from ...models.keys import Keys
from ...topology.call import Call, Reply, command, evaluate
from ...topology.settings import Settings
from ..changes.scripts import load
from ..durations import milliseconds
from ..replies import fields, refusal, rows

_PACKAGE = "slotbook.repositories.coordination"
SWAP = load(_PACKAGE, "swap")
VERSION_OUTLIVES = 86_400.0
"""Seconds for which the version of a value is known after the value has expired."""


class ValueCalls:
    """The calls of one book's values."""

    def __init__(self, settings: Settings) -> None:
        self._keys = Keys(settings.prefix)
        self._request_ttl = milliseconds("request_ttl", settings.remembered(settings.request_ttl))

    def get(self, name: str) -> Call[Versioned]:
        """Read one value; decodes to no value and version 0 when there is none."""
        key = self._keys.value(name)

        def read(reply: Reply) -> Versioned:
            stored = fields(reply)
            if not stored:
                return Versioned(None, 0)
            for field in ("value", "version"):
                if field not in stored:
                    raise CorruptRecord(key, field, "is missing")
            return Versioned(stored["value"], _version(key, stored["version"]))

        return command(f"get value {name}", "HGETALL", key, decode=read)

    def swap(self, name: str, expected: int | str, value: str, ttl: float | None, request_id: str | None) -> Call[Swap]:
        """Set a value if it still has the expected version (a number) or is the expected value (a string)."""
        request = uuid.uuid4().hex if request_id is None else request_id
        what = f"swap {name} (request {request})"
        key = self._keys.value(name)

        def read(reply: Reply) -> Swap:
            match rows(reply):
                case ["swapped", str(version)]:
                    return Swap(swapped=True, version=_version(key, version), value=value)
                case ["other", str(version), str(stored)]:
                    return Swap(swapped=False, version=_version(key, version), value=stored)
                case ["other", "0"]:
                    return Swap(swapped=False, version=0, value=None)
                case ["duplicate"]:
                    raise DuplicateRequest(f"{what}: the request_id was used for another swap of this value")
                case other:
                    raise refusal(what, other)

        return evaluate(
            what,
            SWAP,
            SWAP.keys(
                value=key, last_version=self._keys.value_version(name), request=self._keys.swapped(name, request)
            ),
            SWAP.arguments(
                field="value" if isinstance(expected, str) else "version",
                expected=str(expected),
                new_value=_text(name, value),
                ttl="" if ttl is None else str(milliseconds("ttl", ttl)),
                request_ttl=str(self._request_ttl),
                version_ttl=str(_version_ttl(ttl)),
            ),
            decode=read,
        )


def expected_version(name: str, version: int) -> int:
    """Return a version that a value is expected to have, 0 for no value. Raises InvalidArgument."""
    return whole(f"swap {name}: version", version, least=0)


def expected_value(name: str, value: str | None) -> str | int:
    """Return what a value is expected to be; for None, which is no value, version 0. Raises InvalidArgument."""
    return 0 if value is None else _text(name, value)


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise InvalidArgument(f"swap {name}: a value is a string, not a {type(value).__name__}")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidArgument(f"swap {name}: {value[:80]!r} cannot be written as UTF-8") from None
    return value


def _version(key: str, written: str) -> int:
    if not (written.isascii() and written.isdecimal()):
        raise never_written(key, "version", written)
    return int(written)


def _version_ttl(ttl: float | None) -> int:
    """Return the milliseconds for which a version is known, 0 for ever."""
    return 0 if ttl is None else milliseconds("ttl", ttl) + milliseconds("ttl", VERSION_OUTLIVES)
