"""Messages of publish/subscribe channels."""

from __future__ import annotations

from dataclasses import dataclass

from .event import OrderEvent, fields_of_document
from .wire import decode


@dataclass(frozen=True, slots=True)
class Message:
    """A message that was published on a channel.

    ::

        for message in book.events.psubscribe("events.AAPL.*"):
            print(message.event.sequence, message.event.type)
    """

    channel: str
    text: str
    pattern: str | None = None
    """The glob pattern of the subscription; None for a subscription to the channel itself."""

    @property
    def event(self) -> OrderEvent:
        """The order event that the message carries. Raises CorruptRecord when it carries none."""
        return decode(OrderEvent, self.channel, fields_of_document(self.channel, self.text))
