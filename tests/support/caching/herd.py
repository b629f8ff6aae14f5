"""Ask for one missing key with many callers at once: ``herd.py URL FILE COUNT CALLER ENDING``.

A test runs several of these processes. Each load appends a byte to FILE. The answers are printed as JSON. CALLER is
``sync`` or ``asyncio``; with the ENDING ``fails`` every load fails.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time
from pathlib import Path

from slotbook.models import SymbolInfo
from slotbook.models.errors import SourceFailed
from slotbook.repositories import AsyncSymbolInfoRepository, CachePolicy, SymbolInfoRepository

POLICY = CachePolicy(lease=60, retry_after=60)


class Database:
    """A slow database, which may be away."""

    def __init__(self, counter: Path, *, fails: bool) -> None:
        self._counter = counter
        self._fails = fails

    def load(self, name: str) -> SymbolInfo:
        """Count a load, and take half a second for it."""
        self._began()
        time.sleep(0.5)
        return self._found(name)

    async def aload(self, name: str) -> SymbolInfo:
        """Load for asyncio."""
        self._began()
        await asyncio.sleep(0.5)
        return self._found(name)

    def _began(self) -> None:
        with self._counter.open("ab") as file:
            file.write(b"x")

    def _found(self, name: str) -> SymbolInfo:
        if self._fails:
            raise OSError("the database is away")
        return SymbolInfo.model_validate({"symbol": name, "name": "Apple Inc.", "tick_size": "0.01"})


def ready() -> None:
    """Say that this process is ready, and wait until all are."""
    print("ready", flush=True)
    sys.stdin.readline()


def failed(error: SourceFailed) -> str:
    """Return what is printed for an error."""
    return f"SourceFailed {'the database is away' in str(error)}"


def threads(url: str, database: Database, callers: int) -> list[str]:
    """Ask with threads, and return the answers."""
    answers: list[str] = []
    with_all = threading.Barrier(callers + 1)
    symbols = SymbolInfoRepository.from_url(url, policy=POLICY)

    def ask() -> None:
        with_all.wait()
        try:
            answers.append(str(symbols.get_or_load("AAPL", database.load)))
        except SourceFailed as error:
            answers.append(failed(error))

    asking = [threading.Thread(target=ask) for _ in range(callers)]
    for thread in asking:
        thread.start()
    ready()
    with_all.wait()
    for thread in asking:
        thread.join()
    symbols.close()
    return answers


async def tasks(url: str, database: Database, callers: int) -> list[str]:
    """Ask with tasks of asyncio, and return the answers."""
    symbols = await AsyncSymbolInfoRepository.from_url(url, policy=POLICY)

    async def ask() -> str:
        try:
            return str(await symbols.get_or_load("AAPL", database.aload))
        except SourceFailed as error:
            return failed(error)

    ready()
    answers = await asyncio.gather(*(ask() for _ in range(callers)))
    await symbols.close()
    return answers


def main(url: str, counter: str, count: str, caller: str, ending: str) -> None:
    """Ask, and print the answers."""
    database = Database(Path(counter), fails=ending == "fails")
    answers = threads(url, database, int(count)) if caller == "sync" else asyncio.run(tasks(url, database, int(count)))
    print(json.dumps(answers))


if __name__ == "__main__":
    main(*sys.argv[1:])
