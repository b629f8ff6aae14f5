"""The durability of a change: how many copies there must be before it counts as done.

>>> Durability.parse("replicated=2")
Durability(replicas=2, fsynced=False)
>>> str(Durability.parse("fsynced")), str(LOCAL)
('fsynced', 'local')
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..models.errors import InvalidSettings
from .call import pack

_REPLICATED = re.compile(r"replicated=([1-9][0-9]?)")

# Valkey 9.1 answers a WAIT that began before its server was demoted and promoted again, and counts replicas that have
# never seen the write. The replication id is another one then.
_READ_REPLICATION_ID = "local id = string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)') "

# WAIT asks about the last *write* of its connection, so a repeat that changes nothing would prove nothing. A field that
# is written back unchanged is replicated like any write, after everything before it; one that is not there, as after a
# refusal, is written and removed again.
_TOUCH_SCRIPT = (
    _READ_REPLICATION_ID + "local v = redis.call('HGET', KEYS[1], ARGV[1]) "
    "redis.call('HSET', KEYS[1], ARGV[1], v or '') if not v then redis.call('HDEL', KEYS[1], ARGV[1]) end return id"
)
_REPLICATION_ID_SCRIPT = _READ_REPLICATION_ID + "return id"

PROOF_REPLIES = 3
"""The replies to a proof: the replication id under which a field was written back, how many have confirmed that, and
the replication id afterwards."""


@dataclass(frozen=True, slots=True)
class Durability:
    """The copies that a change waits for after its primary has applied it.

    ``local`` waits for nothing more, ``replicated=n`` for n replicas to have received it (WAIT), ``fsynced`` for the
    primary to have it on disk (WAITAOF; Redis 7.2+ or Valkey with ``appendonly yes``).

    >>> Durability.parse("replicated=1").wanted
    1
    """

    replicas: int = 0
    fsynced: bool = False

    @classmethod
    def parse(cls, text: str | Durability) -> Durability:
        """Return the durability that a text such as ``replicated=1`` means. Raises InvalidSettings for any other."""
        if isinstance(text, Durability):
            return text
        if text == "local":
            return LOCAL
        if text == "fsynced":
            return cls(fsynced=True)
        if match := _REPLICATED.fullmatch(str(text)):
            return cls(replicas=int(match[1]))
        raise InvalidSettings(f"durability {str(text)[:40]!r} is not one of local, replicated=1 (or more), fsynced")

    def __str__(self) -> str:
        return "fsynced" if self.fsynced else f"replicated={self.replicas}" if self.replicas else "local"

    @property
    def wanted(self) -> int:
        """The confirmations that a change waits for: of replicas, or of the primary's own disk."""
        return 1 if self.fsynced else self.replicas

    def proof(self, key: str, field: str, timeout: float) -> bytes:
        """Return the commands that prove the writes that a connection has sent before them.

        Args:
            key: The hash that the last of these writes is about.
            field: The field of the hash that is written back unchanged.
            timeout: The time that the server waits for confirmations, in seconds.
        """
        milliseconds = str(max(1, round(timeout * 1000)))
        wait = ("WAITAOF", "1", "0", milliseconds) if self.fsynced else ("WAIT", str(self.replicas), milliseconds)
        return (
            pack(("EVAL", _TOUCH_SCRIPT, "1", key, field))
            + pack(wait)
            + pack(("EVAL", _REPLICATION_ID_SCRIPT, "1", key))
        )


LOCAL = Durability()


def parsed(value: object) -> object:
    """Return the durability that a text means, and anything else as it is. Raises ValueError, for a setting's field."""
    try:
        return Durability.parse(value) if isinstance(value, str) else value
    except InvalidSettings:
        raise ValueError("it is local, replicated=1 (or more), or fsynced") from None
