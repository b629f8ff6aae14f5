# Generated from repositories/coordination/_async/values.py by scripts/generate_sync.py: edit that one.
"""Values that are changed by compare-and-swap, for threads."""

from __future__ import annotations

from ....models.coordination import Swap, Versioned
from ....topology._sync.backend import Backend
from ....topology.durability import Durability
from .. import value_calls


class ValueRepository:
    """Strings by key, each with a version, changed by compare-and-swap.

    For example::

        seen = book.values.get("risk-limits")
        swap = book.values.swap("risk-limits", seen.version, "new")  # swap.swapped is False if it had changed

    A swap takes a ``durability``, by default the book's: it raises UnderReplicated when it was made, but too few
    replicas confirmed it.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._calls = value_calls.ValueCalls(backend.settings)

    def get(self, key: str) -> Versioned:
        """Return a value and its version, in one round trip; None and 0 when there is none.

        Raises CorruptRecord when the stored value cannot be read.
        """
        return self._backend.run(self._calls.get(key))

    def swap(
        self,
        key: str,
        expected_version: int,
        value: str,
        *,
        ttl: float | None = None,
        request_id: str | None = None,
        durability: Durability | str | None = None,
    ) -> Swap:
        """Set a value if it still has the expected version, in one round trip; else return the value that is stored.

        Args:
            key: The name of the value.
            expected_version: The version that was read, 0 when there was no value.
            value: The new value.
            ttl: Seconds that the new value lives from now; by default it does not expire.
            request_id: The identity of the request. A swap that succeeded is remembered by it for the book's
                ``request_ttl``, or ``deadline`` + ``socket_timeout`` when that is longer, and returns its first result
                when it is repeated. By default a random one: then the book may repeat the request after a lost reply,
                but a second call of yours is another request.
            durability: The copies that the swap waits for; by default the book's.

        Raises:
            DuplicateRequest: A swap with this ``request_id`` succeeded with other arguments.
            CorruptRecord: The stored value cannot be read.
            InvalidArgument: An argument cannot be used.
        """
        expected = value_calls.expected_version(key, expected_version)
        call = self._calls.swap(key, expected, value, ttl, request_id)
        return self._backend.run(call, self._backend.settings.wanted(durability))

    def swap_value(
        self,
        key: str,
        expected: str | None,
        value: str,
        *,
        ttl: float | None = None,
        request_id: str | None = None,
        durability: Durability | str | None = None,
    ) -> Swap:
        """Set a value if it is still equal to the expected one, None for no value; otherwise like ``swap``.

        Unlike ``swap`` it does not notice changes that were undone in between (the ABA problem).
        """
        call = self._calls.swap(key, value_calls.expected_value(key, expected), value, ttl, request_id)
        return self._backend.run(call, self._backend.settings.wanted(durability))
