"""Fault "cluster failover": a cluster fails over, in agreement or by force."""

from __future__ import annotations

import pytest

from ..support.faults.history import History
from ..support.faults.load import Load
from ..support.faults.watch import heal_and_judge, more
from ..support.make import fresh
from .conftest import Deploy


@pytest.mark.parametrize("how", ["", "FORCE", "TAKEOVER"], ids=["agreed", "force", "takeover"])
def test_moved_is_absorbed(deploy: Deploy, how: str) -> None:
    control, traders = deploy("cluster"), [fresh() for _ in range(4)]
    history = History()
    with Load(control.url(deadline=20, durability="replicated=1"), history, traders):
        for trader in traders[:2]:
            more(history)
            control.cluster_failover(f"{{{trader}}}", how)
        more(history, 200)
    found = heal_and_judge(control, history)
    assert (found.unknown, found.not_applied) == (0, 0), [one.error for one in history.problems()][:5]
