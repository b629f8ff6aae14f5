"""Simulate how traders spread over the slots and nodes of a cluster, with the real CRC16.

``python scripts/simulate_slots.py`` prints a table; ``--hot 0.2`` gives one trader that share of all work. The names
are random letters, because numbered names (T0001, T0002, …) spread more evenly than chance: a CRC is a linear code.
"""

from __future__ import annotations

import argparse
import random
import statistics
from collections import Counter
from dataclasses import dataclass

from redis.crc import key_slot

SLOTS = 16_384
_LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class Spread:
    """The spread of traders over nodes that own equal ranges of slots."""

    traders: int
    nodes: int
    slots_used: int
    fullest_slot: int
    fullest_node: float
    """The load of the busiest node, as a multiple of the mean."""
    emptiest_node: float


def slots_of(traders: int) -> Counter[int]:
    """Return the number of traders in each slot."""
    dice = random.Random(7)  # noqa: S311 (names, not secrets)
    return Counter(key_slot(bytes(dice.choices(_LETTERS, k=8))) for _ in range(traders))


def spread(slots: Counter[int], nodes: int, hot: float = 0.0) -> Spread:
    """Spread slots over nodes; ``hot`` is the share of all work that one trader has on top of its equal part."""
    traders = sum(slots.values())
    loads = [0.0] * nodes
    for slot, number in slots.items():
        loads[slot * nodes // SLOTS] += number * (1 - hot) / traders
    loads[next(iter(slots)) * nodes // SLOTS] += hot
    mean = statistics.fmean(loads)
    return Spread(traders, nodes, len(slots), max(slots.values()), max(loads) / mean, min(loads) / mean)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hot", type=float, default=0.0, help="the share of all work that one trader has")
    hot: float = parser.parse_args().hot
    print("| traders | nodes | slots used | traders in the fullest slot | busiest node | idlest node |")
    print("|---:|---:|---:|---:|---:|---:|")
    for traders in (10, 1_000, 1_000_000):
        slots = slots_of(traders)
        for nodes in (3, 10, 100):
            found = spread(slots, nodes, hot)
            print(
                f"| {traders:,} | {nodes} | {found.slots_used:,} | {found.fullest_slot} "
                f"| {found.fullest_node:.2f} x mean | {found.emptiest_node:.2f} x mean |"
            )


if __name__ == "__main__":
    main()
