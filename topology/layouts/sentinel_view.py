"""Read the replies of one Sentinel: the primary that it names, and the failover that this comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from ..address import Address
from ..call import Reply, pack
from ..error_mapping import Failure


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


def names_primary(answer: Reply | Failure) -> bool:
    """Return True when a Sentinel's first answer is an address."""
    return isinstance(answer, list) and len(answer) == 2 and str(answer[1]).isdigit()


def sentinel_view(named: Reply | Failure, state: Reply | Failure, replicas: Reply | Failure) -> SentinelView:
    """Return the view of a Sentinel that names a primary.

    Its epoch is -1 when the Sentinel's permissions (ACL) allow only the question for the address; any other view counts
    before it.
    """
    epoch = _fields(state).get("config-epoch", "")
    rows = map(_fields, replicas if isinstance(replicas, list) else ())
    promoted = [row for row in rows if "promoted" in row.get("flags", "").split(",")]
    return SentinelView(
        primary=_address(cast("list[Reply]", named)),
        epoch=int(epoch) if epoch.isdigit() else -1,
        promoted=_address([promoted[0].get("ip"), promoted[0].get("port")]) if promoted else None,
    )


def _address(host_and_port: list[Reply]) -> Address:
    return Address(str(host_and_port[0]), int(str(host_and_port[1])))


def _fields(row: Reply | Failure) -> dict[str, str]:
    """Return the fields of a flat list of names and values; none for an answer of another shape."""
    words = list(map(str, row)) if isinstance(row, list) else []
    return dict(zip(words[::2], words[1::2], strict=False))
