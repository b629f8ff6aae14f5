"""How many copies of a change there must be before it counts as done.

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

_WRITTEN = re.compile(r"replicated=([1-9][0-9]?)")

# Valkey 9.1 answers a WAIT that began before its server was demoted and promoted again, and counts replicas that have
# never seen the write. The replication id is another one then.
_LINEAGE = "local id = string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)') "

# WAIT asks about the last *write* of its connection, so a repeat that changes nothing would prove nothing. Writing a
# field back over itself is replicated like any write, and everything before it with it.
_TOUCH = (
    _LINEAGE + "local v = redis.call('HGET', KEYS[1], 'version') "
    "if v then redis.call('HSET', KEYS[1], 'version', v) end return {v and 1 or 0, id}"
)
_STILL = _LINEAGE + "return id"

PROOF_REPLIES = 3
"""How many replies a proof brings: whether something was written and under which lineage, how many confirmed it, and
the lineage afterwards."""


@dataclass(frozen=True, slots=True)
class Durability:
    """What a change waits for after its primary has applied it.

    ``local`` waits for nothing more, ``replicated=n`` for n replicas to have received it (WAIT), ``fsynced`` for the
    primary to have it on disk (WAITAOF; Redis 7.2+ or Valkey with ``appendonly yes``).
    """

    replicas: int = 0
    fsynced: bool = False

    @classmethod
    def parse(cls, text: str | Durability) -> Durability:
        """Read the written form; raises InvalidSettings."""
        if isinstance(text, Durability):
            return text
        if text == "local":
            return LOCAL
        if text == "fsynced":
            return cls(fsynced=True)
        if match := _WRITTEN.fullmatch(str(text)):
            return cls(replicas=int(match[1]))
        raise InvalidSettings(f"durability {str(text)[:40]!r} is not one of local, replicated=1 (or more), fsynced")

    def __str__(self) -> str:
        return "fsynced" if self.fsynced else f"replicated={self.replicas}" if self.replicas else "local"

    @property
    def wanted(self) -> int:
        """How many must answer: replicas, or the primary's own disk."""
        return 1 if self.fsynced else self.replicas

    def proof(self, key: str, timeout: float) -> bytes:
        """The commands that make a connection prove its writes; ``key`` is a hash in the slot of one of them."""
        milliseconds = max(1, round(timeout * 1000))
        wait = ("WAITAOF", 1, 0, milliseconds) if self.fsynced else ("WAIT", self.replicas, milliseconds)
        return pack(("EVAL", _TOUCH, 1, key)) + pack(wait) + pack(("EVAL", _STILL, 1, key))


LOCAL = Durability()
