# Generated from repositories/coordination/_async/values.py by scripts/generate_sync.py: edit that one.
"""Values that are changed by compare-and-swap, for threads."""

from __future__ import annotations

from ....models.coordination import Swap, Versioned
from ....topology._sync.backend import Backend
from ..value_calls import ValueCalls


class ValueRepository:
    """Texts by name, each with a version: whoever changes one says what it was, and learns when it was not.

    A swap takes the book's durability.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._calls = ValueCalls(backend.settings)

    def get(self, key: str) -> Versioned:
        """A value and its version; None and 0 when there is none. One round trip. Raises CorruptRecord."""
        return self._backend.run(self._calls.get(key))

    def swap(
        self, key: str, expected_version: int, value: str, *, ttl: float | None = None, request_id: str | None = None
    ) -> Swap:
        """Set a value if it still has the version that was read, 0 for none; else say what is there.

        One round trip. ``ttl`` is how many seconds it lives from now, None for ever. A swap that succeeded is known by
        its ``request_id`` for the book's ``request_ttl``: sent again it returns its first result. Without one it is
        made up, which makes this call safe to retry by itself, but not by you. Raises DuplicateRequest, CorruptRecord.
        """
        return self._swap(key, expected_version, value, ttl, request_id)

    def swap_value(
        self, key: str, expected: str | None, value: str, *, ttl: float | None = None, request_id: str | None = None
    ) -> Swap:
        """Set a value if it still is the one that was read, None for none; like ``swap``, but blind to changes that
        were undone in between.
        """
        return self._swap(key, expected, value, ttl, request_id)

    def _swap(
        self, key: str, expected: int | str | None, value: str, ttl: float | None, request_id: str | None
    ) -> Swap:
        call = self._calls.swap(key, expected, value, ttl, request_id)
        return self._backend.run(call, self._backend.settings.durability)
