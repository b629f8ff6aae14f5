"""Read the replies of one Sentinel: the primary that it names, and the failover that this comes from."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..address import Address, address_told
from ..call import Reply, pack
from ..error_mapping import Failure

_IS_EPOCH = re.compile("[0-9]{1,19}", re.ASCII).fullmatch


@dataclass(frozen=True, slots=True)
class SentinelView:
    """The state of a service as one Sentinel sees it."""

    primary: Address
    """The primary that it names."""
    epoch: int
    """The number of the failover that this comes from (config-epoch): a later failover has a higher one."""
    promoted: Address | None
    """The replica that it is about to promote, if it leads a failover."""


def sentinel_queries(service: str) -> bytes:
    """Return the three commands whose replies :func:`sentinel_view` takes."""
    return b"".join(
        (
            pack(("SENTINEL", "GET-MASTER-ADDR-BY-NAME", service)),
            pack(("SENTINEL", "MASTER", service)),
            pack(("SENTINEL", "REPLICAS", service)),
        )
    )


def sentinel_view(named: Reply | Failure, state: Reply | Failure, replicas: Reply | Failure) -> SentinelView | None:
    """Return the view of a Sentinel; None for one that names no primary.

    Its epoch is -1 when the Sentinel's permissions (ACL) allow only the question for the address; any other view counts
    before it.
    """
    primary = _address(named)
    if primary is None:
        return None
    epoch = _fields(state).get("config-epoch", "")
    rows = map(_fields, replicas if isinstance(replicas, list) else ())
    promoted = [row for row in rows if "promoted" in row.get("flags", "").split(",")]
    return SentinelView(
        primary=primary,
        epoch=int(epoch) if _IS_EPOCH(epoch) else -1,
        promoted=_address([promoted[0].get("ip"), promoted[0].get("port")]) if promoted else None,
    )


def _address(host_and_port: Reply | Failure) -> Address | None:
    """Return the address in a list of a host and a port; None for anything else."""
    if not isinstance(host_and_port, list) or len(host_and_port) != 2:
        return None
    return address_told(*host_and_port)


def _fields(row: Reply | Failure) -> dict[str, str]:
    """Return the fields of a flat list of names and values; none for an answer of another shape."""
    words = list(map(str, row)) if isinstance(row, list) else []
    return dict(zip(words[::2], words[1::2], strict=False))
