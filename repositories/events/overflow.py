"""Name the ways in which a full queue of messages is dealt with."""

from __future__ import annotations

from typing import Literal, TypeAlias

SubscribeOverflow: TypeAlias = Literal["drop", "block"]
"""The treatment of a subscription's message while its queue is full: drop and count it, or stop reading the connection
until there is space again; the server closes the connection at its client-output-buffer-limit.
"""

FollowOverflow: TypeAlias = Literal["resync", "block"]
"""The treatment of a follower's message while its queue is full: drop it and read the event from the stream later, or
stop reading the connection.
"""
