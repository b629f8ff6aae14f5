"""Break servers at random under load, then judge what came of it.

``python -m tests.support.faults.soak --minutes 10 --topology cluster`` runs it.

A deployment behind Sentinel has as many replicas as the durability asks for: a write that only some replicas hold is
lost when a forced failover chooses another one, and no client can do anything about it.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast, get_args

from slotbook.topology.embedded import Topology, start

from ..make import fresh
from .chaos import Chaos
from .checker import Judgement, judge
from .control import Control
from .history import History
from .load import Load
from .veil import Veil

DEADLINE = 15
TRADERS = 6


@dataclass
class Report:
    """The result of a soak."""

    topology: Topology
    durability: str
    seconds: float
    faults: dict[str, int]
    longest_outage: float
    judgement: Judgement

    @property
    def text(self) -> str:
        """For a reader."""
        found = self.judgement
        lines = [
            f"{self.topology}, durability {self.durability}, {self.seconds:.0f} s",
            f"operations        {found.operations}",
            f"acknowledged      {found.acknowledged}",
            f"under-replicated  {found.under_replicated}",
            f"unknown           {found.unknown}",
            f"not applied       {found.not_applied}",
            f"lost              {len(found.lost)} (and {len(found.reported)} that were reported)",
            f"doubled           {len(found.doubled)}",
            f"disorder          {len(found.disorder) + len(found.ghosts) + len(found.surprises)}",
            f"longest outage    {self.longest_outage:.2f} s",
            f"faults            {sum(self.faults.values())}",
            *(f"  {kind:<29} {count}" for kind, count in sorted(self.faults.items())),
            *(f"VIOLATION {one}" for one in found.violations[:40]),
        ]
        return "\n".join(lines)

    @property
    def values(self) -> dict[str, object]:
        """For a program."""
        found = self.judgement
        return {
            "topology": self.topology,
            "durability": self.durability,
            "seconds": round(self.seconds, 1),
            "operations": found.operations,
            "acknowledged": found.acknowledged,
            "under_replicated": found.under_replicated,
            "unknown": found.unknown,
            "not_applied": found.not_applied,
            "lost": len(found.lost),
            "reported": len(found.reported),
            "doubled": len(found.doubled),
            "longest_outage": round(self.longest_outage, 3),
            "faults": self.faults,
            "violations": found.violations,
        }


def soak(
    topology: Topology,
    seconds: float,
    seed: int,
    durability: str = "local",
    *,
    pace: float = 1.0,
    pause: float = 0.008,
) -> Report:
    """Load and faults for so long, then heal and judge.

    Between faults are about ``pace`` seconds of peace; a worker of the load rests ``pause`` seconds between changes.
    """
    dice = random.Random(seed)
    copies = int(durability.partition("=")[2]) if durability.startswith("replicated=") else None
    options = {"appendonly": "yes"} if topology == "standalone" else None
    history = History()
    replicas = copies if topology == "sentinel" else None
    with (
        start(topology, replicas=replicas, options=options) as deployment,
        Control(deployment) as control,
        Veil(deployment) as veil,
    ):
        chaos = Chaos(control, veil, dice)
        url = veil.url({"deadline": DEADLINE, "socket_timeout": 1, "durability": durability, "pool_wait": 5})
        began = time.monotonic()
        with Load(url, history, [fresh() for _ in range(TRADERS)], pause=pause, seed=seed) as load:
            while time.monotonic() < began + seconds:
                time.sleep(dice.uniform(0.2, 2 * pace))
                chaos.strike(f"{{{dice.choice(load.traders)}}}")
                load.traders = [fresh(), *load.traders[: TRADERS - 1]]
            veil.heal()
            control.heal(90)
            time.sleep(1)
        took = time.monotonic() - began
        control.heal(90)
        found = judge(control, history)
    return Report(topology, durability, took, dict(chaos.done), history.longest_outage, found)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return 1 when anything was lost, doubled or out of order."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.faults.soak", description="random faults under load")
    parser.add_argument("--minutes", type=float, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--topology", choices=get_args(Topology), default="cluster")
    parser.add_argument("--durability", default="local", help="local, replicated=N or fsynced")
    parser.add_argument("--json", action="store_true", help="one JSON object in place of text")
    given = parser.parse_args(arguments)
    report = soak(cast(Topology, given.topology), given.minutes * 60, given.seed, given.durability)
    sys.stdout.write((json.dumps(report.values) if given.json else report.text) + "\n")
    return 1 if report.judgement.violations else 0


if __name__ == "__main__":
    raise SystemExit(main())
