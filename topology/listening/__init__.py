"""Connections on which servers send messages of their own accord: published messages and invalidations.

:mod:`.feeds` and :mod:`.async_feeds` do the I/O: they keep one connection to each primary that a plan selects. What is
sent and received on it is decided without I/O, by a feed: :mod:`.channels` subscribes to channels, :mod:`.tracking`
turns on client tracking, and :mod:`.heartbeat` notices a silent server. Requests and replies are in
:mod:`..connections`.
"""
