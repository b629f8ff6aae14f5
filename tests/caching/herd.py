"""One of several processes that ask for the same cold key at the same moment: ``herd.py URL FILE THREADS FAILS``.

Every load appends a byte to FILE. Prints, as JSON, what each caller got.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path

from slotbook.models import SymbolInfo
from slotbook.models.errors import SourceFailed
from slotbook.repositories import CachePolicy, SymbolInfoRepository


def main(url: str, counter: Path, callers: int, fails: bool) -> None:
    def load(name: str) -> SymbolInfo:
        with counter.open("ab") as file:
            file.write(b"x")
        time.sleep(0.5)
        if fails:
            raise OSError("the database is away")
        return SymbolInfo(symbol=name, name="Apple Inc.", tick_size="0.01")  # pyright: ignore[reportArgumentType]

    answers: list[str] = []
    with_all = threading.Barrier(callers + 1)
    symbols = SymbolInfoRepository.from_url(url, policy=CachePolicy(retry_after=30))

    def ask() -> None:
        with_all.wait()
        try:
            answers.append(str(symbols.get_or_load("AAPL", load)))
        except SourceFailed as error:
            answers.append(f"SourceFailed {'the database is away' in str(error)}")

    threads = [threading.Thread(target=ask) for _ in range(callers)]
    for thread in threads:
        thread.start()
    print("ready", flush=True)
    sys.stdin.readline()
    with_all.wait()
    for thread in threads:
        thread.join()
    symbols.close()
    print(json.dumps(answers))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4] == "fails")
