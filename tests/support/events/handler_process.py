"""Handle events in a process of its own, which a test can kill or freeze; print each event that was handled."""

from __future__ import annotations

import sys
import time

import slotbook
from slotbook.models import OrderEvent


def main(url: str, consumer: str, batch: str, delay: str, min_idle: str, *traders: str) -> None:
    def handle(event: OrderEvent) -> None:
        time.sleep(float(delay))
        print("handled", event.trader, event.sequence, flush=True)

    with slotbook.connect(url) as book:
        consuming = book.events.consume("risk", consumer, traders, min_idle=float(min_idle), batch=int(batch)).start()
        print("ready", flush=True)
        consuming.run(handle)


if __name__ == "__main__":
    main(*sys.argv[1:])
