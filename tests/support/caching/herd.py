"""One of several processes that ask for one cold key at the same moment: ``herd.py URL FILE CALLERS COLOUR ENDING``.

Every load appends a byte to FILE. Prints, as JSON, what each caller got.
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
    """Slow, and it may be away."""

    def __init__(self, counter: Path, fails: bool) -> None:
        self._counter = counter
        self._fails = fails

    def load(self, name: str) -> SymbolInfo:
        """Count a load, and take a while."""
        self._began()
        time.sleep(0.5)
        return self._found(name)

    async def aload(self, name: str) -> SymbolInfo:
        """The same for asyncio."""
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
    """Wait until everyone is."""
    print("ready", flush=True)
    sys.stdin.readline()


def failed(error: SourceFailed) -> str:
    """What a caller says of an error."""
    return f"SourceFailed {'the database is away' in str(error)}"


def threads(url: str, database: Database, callers: int) -> list[str]:
    """Ask with threads."""
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
    """Ask with tasks."""
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


def main(url: str, counter: str, callers: str, colour: str, ending: str) -> None:
    """Ask, and print what came."""
    database = Database(Path(counter), ending == "fails")
    if colour == "sync":
        answers = threads(url, database, int(callers))
    else:
        answers = asyncio.run(tasks(url, database, int(callers)))
    print(json.dumps(answers))


if __name__ == "__main__":
    main(*sys.argv[1:])
