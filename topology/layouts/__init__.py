"""Keep the map of each topology: which server is the primary of a hash slot.

A layout does no I/O. ``discover`` is a generator: it yields :class:`Questions` for some servers, is sent their answers,
and ends when the map is complete. It raises :class:`DiscoveryError` when no server could answer.
"""

from __future__ import annotations

from ..settings import Target, TopologyKind
from .cluster import ClusterLayout, redirect_target
from .discovery import Answers, Discovery, DiscoveryError, Questions
from .layout import Layout
from .sentinel import SENTINEL_TIMEOUT, SentinelLayout
from .standalone import StandaloneLayout

__all__ = [
    "SENTINEL_TIMEOUT",
    "Answers",
    "ClusterLayout",
    "Discovery",
    "DiscoveryError",
    "Layout",
    "Questions",
    "SentinelLayout",
    "StandaloneLayout",
    "layout_for",
    "redirect_target",
]


def layout_for(target: Target) -> Layout:
    """Return the layout of a target's topology, with nothing in it yet."""
    match target.kind:
        case TopologyKind.STANDALONE:
            return StandaloneLayout(target.addresses[0])
        case TopologyKind.SENTINEL:
            return SentinelLayout(target.addresses, target.service)
        case TopologyKind.CLUSTER:
            return ClusterLayout(target.addresses)
