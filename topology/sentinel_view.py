"""What one Sentinel tells of who is in charge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from .address import Address
from .call import Reply, pack
from .error_mapping import Failure


@dataclass(frozen=True, slots=True)
class SentinelView:
    """The word of one Sentinel."""

    primary: Address
    """The one that it names."""
    epoch: int
    """The failover that this comes from; a later one has a higher number (config-epoch)."""
    promoted: Address | None
    """The replica that it is about to put in charge, if it leads a failover."""


def sentinel_queries(service: str) -> bytes:
    """The three commands whose answers are :func:`sentinel_view`."""
    return b"".join(
        (
            pack(("SENTINEL", "GET-MASTER-ADDR-BY-NAME", service)),
            pack(("SENTINEL", "MASTER", service)),
            pack(("SENTINEL", "REPLICAS", service)),
        )
    )


def names_primary(answer: Reply | Failure) -> bool:
    """Whether the first answer is an address."""
    return isinstance(answer, list) and len(answer) == 2 and str(answer[1]).isdigit()


def sentinel_view(named: Reply | Failure, state: Reply | Failure, replicas: Reply | Failure) -> SentinelView:
    """The answers of a Sentinel that names someone; one that may tell no more than the name is believed the least."""
    epoch = _fields(state).get("config-epoch", "")
    rows = map(_fields, replicas if isinstance(replicas, list) else ())
    promoted = [row for row in rows if "promoted" in row.get("flags", "").split(",")]
    return SentinelView(
        primary=_address(cast("list[Reply]", named)),
        epoch=int(epoch) if epoch.isdigit() else -1,
        promoted=_address([promoted[0].get("ip"), promoted[0].get("port")]) if promoted else None,
    )


def _address(place: list[Reply]) -> Address:
    return Address(str(place[0]), int(str(place[1])))


def _fields(row: Reply | Failure) -> dict[str, str]:
    words = list(map(str, row)) if isinstance(row, list) else []
    return dict(zip(words[::2], words[1::2], strict=False))
