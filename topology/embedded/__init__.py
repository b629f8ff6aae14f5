"""Private Redis or Valkey servers on loopback, for the life of one object and not a moment longer."""

from __future__ import annotations

from .deployment import Deployment, Topology
from .launch import start
from .server import Server

__all__ = ["Deployment", "Server", "Topology", "start"]
