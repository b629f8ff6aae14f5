"""Read the replies to the commands by which a server proves the durability of a batch's writes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from redis.exceptions import InvalidResponse, RedisError

from ...models.errors import UnderReplicated
from ..address import Address
from ..call import Reply
from ..durability import Durability
from ..error_mapping import Failure, NotPrimary, RetryAction, Unanswered, Unsent, retry_action
from ..misreadings import shortened


class Proof(NamedTuple):
    """The result of asking one node to prove the durability of its writes."""

    doubt: Failure | None = None
    """The failure that leaves the proof open: a server that takes over may not have the writes."""
    replicas: int = 0
    """The replicas, or disks, that have confirmed the writes."""
    refusal: RedisError | None = None
    """The error that the server answered in place of confirmations."""

    def under_replicated(self, name: str, value: object, durability: Durability) -> UnderReplicated:
        """Return the error of a call with this name that was applied with too few confirmations."""
        why = f": the server answered {str(self.refusal)!r}" if self.refusal else ""
        if "unknown command" in why:
            why = ": WAITAOF needs Redis 7.2 or Valkey"
        wanted = durability.wanted
        message = f"{name}: applied, but {self.replicas} of {wanted} confirmed it ({durability}){why}"
        return UnderReplicated(message, value, self.replicas, wanted)


def read_proof(answers: Sequence[Reply | Failure], address: Address) -> Proof:
    """Return what the three replies of the server at an address prove."""
    written_back, confirmed, replication_id = answers
    if (doubt := _doubt(answers)) is not None:
        return Proof(doubt)
    refusal = next((answer for answer in answers[:2] if isinstance(answer, RedisError)), None)
    if refusal is not None:
        return Proof(refusal=refusal)
    count = _confirmations(confirmed)
    lineage = isinstance(written_back, str) and written_back
    if lineage and written_back != replication_id:
        return Proof(Unanswered(NotPrimary(f"{address} was replaced for a while")))
    if not lineage or count is None:
        return Proof(refusal=InvalidResponse(f"{shortened(list(answers))}, which proves nothing"))
    return Proof(replicas=count)


def _doubt(answers: Sequence[Reply | Failure]) -> Failure | None:
    """Return the first answer that leaves a proof open: none came, or the server is no longer the primary."""
    for answer in answers:
        if isinstance(answer, (Unsent, Unanswered)):
            return answer
        if isinstance(answer, RedisError) and retry_action(answer) is not RetryAction.REPORT:
            return answer
    return None


def _confirmations(answer: Reply | Failure) -> int | None:
    """Return how many have confirmed a write: the reply to WAIT, or the first of the two numbers of WAITAOF.

    None for what is neither.
    """
    number = answer[0] if isinstance(answer, list) and len(answer) == 2 else answer
    return number if type(number) is int and number >= 0 else None
