"""The token of a lock's holder: the same token is the same grant, and one that is a number is its text."""

from __future__ import annotations

from typing import cast

import pytest
from slotbook.models.errors import InvalidArgument, LockLost, LockTimeout

from ...support.desk import Desk


def test_a_repeated_acquire_is_one_grant(desk: Desk) -> None:
    lock = desk.book.lock("L", trader=desk.trader, lease=60, wait=0)
    first = lock.acquire(token="mine")  # noqa: S106
    assert lock.acquire(token="mine").fence == first.fence  # noqa: S106
    with pytest.raises(LockTimeout):
        lock.acquire(token="theirs")  # noqa: S106
    first.release()
    with pytest.raises(LockLost, match="granted to this token before"):
        lock.acquire(token="mine")  # noqa: S106


def test_a_number_for_a_token_is_its_text(desk: Desk) -> None:
    lock = desk.book.lock("L", trader=desk.trader, lease=60, wait=0)
    held = lock.acquire(token=cast("str", 0))
    assert held.token == "0"  # noqa: S105
    held.renew()
    assert lock.acquire(token="0").fence == held.fence  # noqa: S106
    held.release()
    with pytest.raises(InvalidArgument, match="token"):
        lock.acquire(token=" ")  # noqa: S106
