"""A hash slot on its way from one primary to another, in as many steps as a test likes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from redis.crc import key_slot
from slotbook.topology.embedded import Server

from .control import Control, wait_until


class Migration:
    """The move of a key's slot: begin, move some keys, hold as long as wanted, finish.

    The slot may also have keys with another hash tag, such as those of a trader of another test: they move in the end.
    """

    def __init__(self, control: Control, key: str, target: Server | None = None) -> None:
        self._control = control
        self._tag = key[key.find("{") : key.find("}") + 1] or key
        self.slot = key_slot(key.encode())
        self.source = control.primary(key)
        others = [server for server in control.deployment.primaries() if server is not self.source]
        self.target = others[0] if target is None else target

    def begin(self) -> Migration:
        """SETSLOT IMPORTING and MIGRATING."""
        ids = {server: str(self._control.tell(server, "CLUSTER", "MYID")) for server in (self.source, self.target)}
        self._control.tell(self.target, "CLUSTER", "SETSLOT", self.slot, "IMPORTING", ids[self.source])
        self._control.tell(self.source, "CLUSTER", "SETSLOT", self.slot, "MIGRATING", ids[self.target])
        return self

    def keys(self) -> list[str]:
        """Return the keys with the hash tag of its key that have not moved yet."""
        return sorted(key for key in self._left() if self._tag in key)

    def move(self, keys: Sequence[str]) -> None:
        """MIGRATE some keys."""
        if keys:
            password = self._control.deployment.password
            words = ("MIGRATE", self.target.host, self.target.port, "", 0, 5000, "AUTH", password, "KEYS", *keys)
            self._control.tell(self.source, *words, timeout=10)

    def half(self) -> None:
        """MIGRATE every other key."""
        self.move(self.keys()[::2])

    def finish(self) -> None:
        """MIGRATE the rest, and tell every primary whose slot it is."""
        while keys := self._left():
            self.move(keys)
        owner = str(self._control.tell(self.target, "CLUSTER", "MYID"))
        primaries = self._control.deployment.primaries()
        for server in (self.target, self.source, *(one for one in primaries if one not in (self.target, self.source))):
            self._control.tell(server, "CLUSTER", "SETSLOT", self.slot, "NODE", owner)
        wait_until(self._known, f"everyone knows who has slot {self.slot}")

    def back(self) -> None:
        """Reshard the slot back to where it came from."""
        returning = Migration.__new__(Migration)
        returning._control, returning._tag, returning.slot = self._control, self._tag, self.slot
        returning.source, returning.target = self.target, self.source
        returning.begin().finish()

    def _left(self) -> list[str]:
        """Return every key of the slot that has not moved yet."""
        return cast("list[str]", self._control.tell(self.source, "CLUSTER", "GETKEYSINSLOT", self.slot, 100_000))

    def _known(self) -> bool:
        """Return whether every node has heard of the new owner, and of the epoch by which it owns the slot.

        A node that had not would take the slot back with an older epoch, and lose its keys to the next gossip.
        """
        owner = str(self._control.tell(self.target, "CLUSTER", "MYID"))
        epochs = {self._epoch(server, owner) for server in self._control.data}
        return len(epochs) == 1 and all(self._owner_port(server) == self.target.port for server in self._control.data)

    def _owner_port(self, server: Server) -> int:
        table = cast("list[tuple[int, int, list[int]]]", self._control.tell(server, "CLUSTER", "SLOTS"))
        for first, last, primary, *_ in table:
            if first <= self.slot <= last:
                return primary[1]
        return 0

    def _epoch(self, server: Server, node: str) -> str:
        """Return the configuration epoch of a node, as a server knows it."""
        lines = str(self._control.tell(server, "CLUSTER", "NODES")).splitlines()
        return next(line.split()[6] for line in lines if line.startswith(node))
