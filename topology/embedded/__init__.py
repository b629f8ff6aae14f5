"""Private Redis or Valkey servers on the loopback interface, for tests and trials.

They run as long as one :class:`Deployment` does, and nothing of them is left when it ends, in whatever way::

    with start("cluster") as deployment:
        book = slotbook.connect(deployment.url)
"""

from __future__ import annotations

from .deployment import Deployment, Topology
from .launch import start
from .server import Server

__all__ = ["Deployment", "Server", "Topology", "start"]
