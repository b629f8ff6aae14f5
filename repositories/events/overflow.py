"""Name the ways in which a full queue of messages is dealt with."""

from __future__ import annotations

from typing import Literal, TypeAlias

SubscribeOverflow: TypeAlias = Literal["drop", "block"]
"""What a subscription does with a message while its queue is full: drop and count it, or stop reading the connection
until the queue has room again, which the server bears only up to its client-output-buffer-limit.
"""

FollowOverflow: TypeAlias = Literal["resync", "block"]
"""What a follower does with a message while its queue is full: drop it and read the event from the stream later, or
stop reading the connection.
"""
