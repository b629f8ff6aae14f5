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

# WAIT asks about the last *write* of its connection, so a repeat that changes nothing would prove nothing. Writing a
# field back over itself is replicated like any write, and everything before it with it.
_TOUCH = (
    "local v = redis.call('HGET', KEYS[1], 'version') if v then redis.call('HSET', KEYS[1], 'version', v) end return 0"
)


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
        """The two commands that make a connection prove its writes; ``key`` is a hash in the slot of one of them."""
        touch = pack(("EVAL", _TOUCH, 1, key))
        milliseconds = max(1, round(timeout * 1000))
        if self.fsynced:
            return touch + pack(("WAITAOF", 1, 0, milliseconds))
        return touch + pack(("WAIT", self.replicas, milliseconds))


LOCAL = Durability()
