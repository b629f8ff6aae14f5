"""Random faults, each of which ends with a deployment that is whole again."""

from __future__ import annotations

import contextlib
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping

from slotbook.topology.embedded import Topology

from .control import Control, wait_until
from .migration import Migration
from .rules import WRITES, Do, Rule
from .veil import Veil

ANY = WRITES | {"WAIT", "HGETALL"}


class Chaos:
    """A dice, and what it does to a deployment."""

    def __init__(self, control: Control, veil: Veil, dice: random.Random) -> None:
        self.done: Counter[str] = Counter()
        """How many faults there were, by kind."""
        self._control = control
        self._veil = veil
        self._dice = dice
        common: dict[str, Callable[[], None]] = {
            "cut replies": self._cut,
            "lost requests": self._drop,
            "reset links": self._reset,
            "slow links": self._slow,
            "scripts flushed": self._flush,
            "frozen for a moment": self._hiccup,
        }
        of: dict[Topology, Mapping[str, Callable[[], None]]] = {
            "standalone": {"killed": self._restart, "frozen": self._freeze},
            "sentinel": {
                "killed": self._kill,
                "frozen and replaced": self._freeze_and_replace,
                "frozen right after a failover": self._freeze_the_new,
                "failover": self._failover,
                "replica killed": self._kill_a_replica,
                "sentinel killed": self._kill_a_sentinel,
            },
            "cluster": {
                "killed": self._kill,
                "frozen and replaced": self._freeze_and_replace,
                "frozen right after a failover": self._freeze_the_new,
                "failover": self._failover,
                "migration": self._migrate,
                "replica killed": self._kill_a_replica,
            },
        }
        self._grave = dict(of[control.deployment.topology])
        self._light = common

    def strike(self, key: str) -> str:
        """Cause one fault at the primary of a key, and return its kind."""
        kinds = self._grave if self._dice.random() < 0.6 else self._light
        kind = self._dice.choice(sorted(kinds))
        self._key = key
        kinds[kind]()
        self.done[kind] += 1
        return kind

    # ------------------------------------------------------------------ links

    def _cut(self) -> None:
        actions = (Do.CUT, Do.RESET, Do.SWALLOW, Do.HOLD)
        for _ in range(self._dice.randint(3, 10)):
            action = self._dice.choice(actions)
            self._veil.add(Rule(action, ANY, skip=self._dice.randint(0, 30), at=self._dice.randint(0, 120)))
        time.sleep(1.0)
        self._veil.plan.clear()

    def _drop(self) -> None:
        self._veil.add(*[Rule(Do.DROP, ANY, skip=self._dice.randint(0, 30)) for _ in range(self._dice.randint(3, 8))])
        time.sleep(1.0)
        self._veil.plan.clear()

    def _reset(self) -> None:
        for _ in range(self._dice.randint(2, 6)):
            self._dice.choice(self._veil.data).reset()
            time.sleep(0.1)

    def _slow(self) -> None:
        for proxy in self._veil.data:
            proxy.latency = self._dice.choice((0.0, 0.02, 0.1))
        time.sleep(1.0)
        self._veil.heal()

    def _flush(self) -> None:
        for server in self._control.deployment.primaries():
            server.ask("SCRIPT", "FLUSH")

    # ------------------------------------------------------------------ processes

    def _hiccup(self) -> None:
        server = self._control.primary(self._key)
        self._control.freeze(server)
        time.sleep(self._dice.uniform(0.2, 0.9))
        self._control.thaw(server)

    def _freeze(self) -> None:
        self._control.freeze(self._control.data[0])
        time.sleep(self._dice.uniform(2, 4))
        self._control.thaw(self._control.data[0])

    def _restart(self) -> None:
        self._control.kill(self._control.data[0])
        time.sleep(self._dice.uniform(0, 2))
        self._control.restart(self._control.data[0], rewrite=True)

    def _kill(self) -> None:
        was = self._control.primary(self._key)
        self._control.kill(was)
        self._control.promoted(was, self._key, 60)
        self._heal()

    def _freeze_and_replace(self) -> None:
        was = self._control.primary(self._key)
        self._control.freeze(was)
        self._control.promoted(was, self._key, 60)
        time.sleep(self._dice.uniform(0, 1))
        self._heal()

    def _freeze_the_new(self) -> None:
        """Kill the primary, and let the replies of the new one come too late: what is sent to it is sent twice."""
        was = self._control.primary(self._key)
        self._control.kill(was)
        new = self._control.promoted(was, self._key, 60)
        time.sleep(self._dice.uniform(0, 0.3))
        self._control.freeze(new)
        time.sleep(1.5)
        self._control.thaw(new)
        self._heal()

    def _kill_a_replica(self) -> None:
        self._control.kill(self._dice.choice(self._control.replicas(self._control.primary(self._key))))
        time.sleep(self._dice.uniform(0, 1))
        self._heal()

    def _kill_a_sentinel(self) -> None:
        self._control.kill(self._dice.choice(self._control.sentinels))
        time.sleep(self._dice.uniform(0, 1))
        self._heal()

    # ------------------------------------------------------------------ who is in charge

    def _failover(self) -> None:
        if self._control.sentinels:
            with contextlib.suppress(AssertionError):  # the Sentinels need not agree on one
                self._control.sentinel_failover(30)
        else:
            self._control.cluster_failover(self._key, self._dice.choice(("", "FORCE", "TAKEOVER")))
        self._heal()

    def _migrate(self) -> None:
        migration = Migration(self._control, self._key).begin()
        migration.half()
        time.sleep(self._dice.uniform(0.2, 2))
        migration.finish()
        if self._dice.random() < 0.7:
            migration.back()

    def _heal(self) -> None:
        time.sleep(self._dice.uniform(0, 0.5))
        self._control.heal(90)
        wait_until(lambda: self._control.ask(self._key, "PING"), "the primary answers")
