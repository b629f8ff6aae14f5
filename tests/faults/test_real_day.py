"""A real day on a cluster while its primaries die and a range of slots moves: what comes of one run is what should."""

from __future__ import annotations

from typing import cast

from redis.crc import key_slot

from ..support.faults.control import Control
from ..support.faults.migration import Migration
from ..support.replays import needs_data, replaying
from .conftest import Deploy

KEY = "{T000}"
BATCH = 10
RANGE = 64
"""So many slots move, among them one of the day's traders."""


@needs_data
def test_a_real_day_while_primaries_die_and_a_slot_range_moves(deploy: Deploy) -> None:
    control = deploy("cluster")

    def url(prefix: str) -> str:
        # Whoever was just promoted has no replica until the killed one is back: each change waits for it.
        return control.url(prefix=prefix, deadline=60, durability="replicated=1", replication_wait=30)

    with replaying(url, "--batch", str(BATCH)) as reports:
        for key in (KEY, _elsewhere(control)):
            was = control.primary(key)
            control.kill(was)
            control.promoted(was, key, 60)
            control.heal(60)
        first = key_slot(KEY.encode())
        for key in _keys(range(first, min(first + RANGE, 16_384))):
            migration = Migration(control, key).begin()
            migration.half()
            migration.finish()
    print([f"{report['applied']} applied in {report['seconds']} s" for report in reports])
    for report in reports:
        # What a primary had applied and copied when it died, but not answered yet, is a repeat when it is sent again.
        applied, repeated = cast(int, report["applied"]), cast(int, report["repeated"])
        assert applied + repeated == 30_000
        assert repeated <= 2 * BATCH
        assert (report["under_replicated"], report["reapplied"]) == (0, 0)


def _elsewhere(control: Control) -> str:
    """Return a key that another primary has."""
    here = control.primary(KEY)
    return next(key for number in range(1_000) if control.primary(key := f"{{K{number}}}") is not here)


def _keys(slots: range) -> list[str]:
    """Return a key in each slot."""
    found: dict[int, str] = {}
    number = 0
    while len(found) < len(slots):
        key = f"{{S{number}}}"
        if key_slot(key.encode()) in slots:
            found.setdefault(key_slot(key.encode()), key)
        number += 1
    return [found[slot] for slot in slots]
