"""Keep the map of a standalone server: it is the primary of everything."""

from __future__ import annotations

from redis.exceptions import AuthenticationError, RedisError

from ..address import Address
from ..call import Reply, pack
from ..error_mapping import Failure, RetryAction, Unanswered, Unsent, retry_action
from ..misreadings import unexpected
from ..shards import Shards
from .discovery import Discovery, DiscoveryError, Questions, not_a_cluster, note_failure, summary_of


class StandaloneLayout:
    """One server, which is always the primary."""

    must_be_primary = True  # a name or a balancer may lead to a replica, and the server may become one
    migrates = False

    def __init__(self, address: Address) -> None:
        self._address = address

    def locate(self, slot: int) -> Address | None:
        """Return the server, whatever the slot."""
        return self._address

    def primaries(self) -> tuple[Address, ...]:
        """Return the one server."""
        return (self._address,)

    def sentinels(self) -> tuple[Address, ...]:
        """Return nothing: there are none."""
        return ()

    def shards(self) -> Shards:
        """Return the one shard."""
        return Shards(("0",))

    def moved(self, slot: int, address: Address) -> None:
        """Raise InvalidSettings: only a server of a cluster answers MOVED."""
        raise not_a_cluster("redis")

    def discover(self) -> Discovery:
        """Yield a question that shows whether the server answers and is no part of a cluster.

        Raises InvalidSettings if it belongs to one, DiscoveryError if it does not answer.
        """
        # A server of a cluster answers with its slots; any other refuses the command, which shows that it serves.
        ((answer,),) = yield Questions((self._address,), pack(("CLUSTER", "SLOTS")))
        if _is_slot_table(answer):
            raise not_a_cluster("redis")
        causes: list[Exception] = []
        if not isinstance(answer, (Unsent, Unanswered, RedisError)):
            causes.append(unexpected(f"asking {self._address} for slots", answer))
            raise DiscoveryError(causes, summary_of(f"{self._address} does not serve", causes))
        if not isinstance(answer, RedisError) or not _is_refusal(answer):
            note_failure(self._address, answer, causes)
            raise DiscoveryError(causes, summary_of(f"{self._address} does not serve", causes))


def _is_slot_table(answer: Reply | Failure) -> bool:
    """Return True for the table of a cluster's node, which is empty as long as it serves no slots."""
    return isinstance(answer, list) and all(isinstance(row, list) and len(row) > 2 for row in answer)


def _is_refusal(error: RedisError) -> bool:
    """Return True for an error that refuses the question and says nothing against the server."""
    return retry_action(error) is RetryAction.REPORT and not isinstance(error, AuthenticationError)
