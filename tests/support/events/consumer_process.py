"""Consume in a process of its own, which a test can kill; print each event that was handled and acknowledged."""

from __future__ import annotations

import sys

import slotbook


def main(url: str, consumer: str, *traders: str) -> None:
    with slotbook.connect(url) as book:
        consuming = book.events.consume("risk", consumer, traders, min_idle=1.0, batch=20).start()
        print("ready", flush=True)
        for delivery in consuming:
            event = delivery.event
            print("handled", event.trader, event.sequence, flush=True)
            if delivery.acknowledge():
                print("acknowledged", event.trader, event.sequence, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
