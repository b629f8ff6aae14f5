"""A message of a channel."""

from __future__ import annotations

from dataclasses import dataclass

from .event import OrderEvent, fields_of_document
from .wire import decode


@dataclass(frozen=True, slots=True)
class Message:
    """What was published on a channel."""

    channel: str
    text: str
    pattern: str | None = None
    """The glob by which it was heard, if by one."""

    @property
    def event(self) -> OrderEvent:
        """The order event that it tells of. Raises CorruptRecord when it does not."""
        return decode(OrderEvent, self.channel, fields_of_document(self.channel, self.text))
