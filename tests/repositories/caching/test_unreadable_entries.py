"""An entry that cannot be read is a miss where there is a source, and no key's trouble is that of the others."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from typing import Any

import pytest
from pydantic import BaseModel
from slotbook.models.errors import CorruptRecord, SourceFailed, Unavailable, WrongType
from slotbook.repositories import SymbolInfoRepository

from ...support.caching.freshness import wait_until_kept
from ...support.caching.memory_source import MemorySource
from .conftest import CacheSetup, symbol


class Before(BaseModel):
    code: str


class After(BaseModel):
    code: str
    lot: int


def spoil(caches: CacheSetup, *names: str) -> None:
    for name in names:
        caches.ask("HSET", name, "lot_size", "many")


def test_an_entry_of_an_older_model_is_loaded_again(caches: CacheSetup) -> None:
    caches.cache(Before, "contract").put("K", Before(code="ES"))
    rows = MemorySource({"K": After(code="ES", lot=50)})
    with pytest.raises(CorruptRecord, match=r"lot: Field required"):
        caches.cache(After, "contract").get("K")
    contracts = caches.cache(After, "contract", rows)
    assert contracts.get("K") is None
    assert contracts.get_many(["K"])[0].result() is None
    assert contracts.get_or_load("K") == contracts.get("K") == After(code="ES", lot=50)
    assert rows.loads == [("K",)]


def test_a_loader_given_with_the_call_is_a_source_as_well(standalone: CacheSetup) -> None:
    standalone.cache(Before, "contract").put("K", Before(code="ES"))
    contracts = standalone.cache(After, "contract")
    if standalone.caller == "sync":
        assert contracts.get_or_load("K", lambda key: After(code=key, lot=1)) == After(code="K", lot=1)
    else:

        async def load(key: str) -> After:
            return After(code=key, lot=1)

        assert contracts.get_or_load("K", load) == After(code="K", lot=1)  # type: ignore[arg-type]


def test_it_is_gone_when_the_source_has_no_such_key(caches: CacheSetup) -> None:
    symbols = caches.symbols()
    spoil(caches, "AAPL")
    assert symbols.get_or_load("AAPL") is None
    assert caches.ask("EXISTS", "AAPL") == 0
    assert (symbols.get_or_load("AAPL"), caches.database.loads) == (None, [("AAPL",)])


def test_a_source_that_fails_is_not_asked_again_at_once(caches: CacheSetup) -> None:
    symbols = caches.symbols(retry_after=60)
    spoil(caches, "AAPL")
    caches.database.broken = OSError("away")
    for _ in range(2):
        with pytest.raises(SourceFailed, match="away"):
            symbols.get_or_load("AAPL")
    assert len(caches.database.loads) == 1


def test_another_caller_who_loads_it_is_waited_for(caches: CacheSetup) -> None:
    symbols = caches.symbols(settings={"deadline": 1})
    spoil(caches, "AAPL")
    until = round(time.time() * 1000) + 60_000
    caches.set_load_state("AAPL", "lease", "other", "lease_until", until)
    with pytest.raises(Unavailable, match="still being loaded"):
        symbols.get_or_load("AAPL")
    assert caches.database.loads == []


def test_one_of_many_callers_loads_it(standalone: CacheSetup) -> None:
    standalone.database.rows = {f"S{number}": symbol(f"S{number}") for number in range(10)}
    standalone.database.delay = 0.02
    repositories: list[Any] = [standalone.symbols(lease=60) for _ in range(4)]
    for name in standalone.database.rows:
        spoil(standalone, name)
        asked = [repositories[number % 4] for number in range(16)]
        assert at_once(standalone, asked, name) == [symbol(name)] * 16
        assert standalone.database.loads.count((name,)) == 1
        assert "lease" not in standalone.load_state(name)


def at_once(caches: CacheSetup, repositories: list[Any], name: str) -> list[object]:
    if caches.caller == "sync":
        with ThreadPoolExecutor(len(repositories)) as threads:
            return list(threads.map(SymbolInfoRepository.get_or_load, repositories, repeat(name)))

    async def ask_all() -> list[object]:
        return await asyncio.gather(*(one._target.get_or_load(name) for one in repositories))

    return caches.runner.run(ask_all())


def test_a_near_cache_keeps_nothing_of_it(caches: CacheSetup) -> None:
    symbols = caches.symbols()
    symbols.near()
    spoil(caches, "AAPL")
    assert (symbols.get("AAPL"), symbols.get_many(["AAPL"])[0].result()) == (None, None)
    caches.database.rows["AAPL"] = symbol()
    assert symbols.get_or_load("AAPL") == symbol()
    wait_until_kept(caches, symbols)


def test_warm_goes_on_past_what_cannot_be_loaded(caches: CacheSetup) -> None:
    names = [f"S{number:02}" for number in range(10)]
    caches.database.rows = {name: symbol(name) for name in names}
    caches.database.rows["A\tB"] = symbol("S00")  # no name of a key
    caches.database.rows["S03"] = symbol("OTHER")  # the value of another key
    spoil(caches, "S01", "S02")
    caches.ask("SET", "S04", "another program's")
    symbols = caches.symbols(lease=60)
    warmed = symbols.warm(batch=4)
    assert (warmed.loaded, warmed.kept, warmed.absent, warmed.failed) == (8, 0, 0, 3)
    assert {key: type(error) for key, error in warmed.errors.items()} == {
        "A\tB": SourceFailed, "S03": SourceFailed, "S04": WrongType,
    }  # fmt: skip
    assert str(warmed).startswith("loaded 8, kept 0, absent 0, failed 3 in ")
    assert all("lease" not in caches.load_state(name) for name in names)
    readable = [name for name in names if name not in ("S03", "S04")]
    assert [outcome.result() for outcome in symbols.get_many(readable)] == [symbol(name) for name in readable]


def test_warm_of_what_is_missing_loads_what_cannot_be_read(caches: CacheSetup) -> None:
    caches.database.rows = {name: symbol(name) for name in ("A", "B", "C")}
    symbols = caches.symbols()
    symbols.put(symbol("A"))
    spoil(caches, "B")
    warmed = symbols.warm(only_missing=True)
    assert (warmed.loaded, warmed.kept, warmed.failed) == (2, 1, 0)
    assert symbols.get("B") == symbol("B")


def test_a_source_that_cannot_list_its_keys_is_said(standalone: CacheSetup) -> None:
    symbols = standalone.symbols()
    standalone.database.rows = {5: symbol()}  # type: ignore[dict-item]
    with pytest.raises(SourceFailed, match="list the keys of symbol"):
        symbols.warm()
