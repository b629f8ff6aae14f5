"""The verbs put, get and invalidate, and the stored form, on every topology, for threads and for asyncio."""

from __future__ import annotations

import pytest
from pydantic import BaseModel
from redis.crc import key_slot
from slotbook.models.errors import CorruptRecord, InvalidArgument, WrongType

from ...support.caching.memory_source import MemorySource
from ...support.raw import mapping
from .conftest import CacheSetup, symbol


def test_what_was_put_is_read_back(caches: CacheSetup) -> None:
    symbols = caches.symbols()
    assert symbols.get("AAPL") is None
    symbols.put(symbol())
    assert symbols.get("AAPL") == symbol()
    assert [outcome.result() for outcome in symbols.get_many(["MSFT", "AAPL"])] == [None, symbol()]


def test_a_field_that_is_none_is_cleared(caches: CacheSetup) -> None:
    symbols = caches.symbols()
    symbols.put(symbol())
    symbols.put(symbol(tick_size=None, currency=None))
    assert mapping(caches.ask("HGETALL", "AAPL")) == {
        "symbol": "AAPL", "name": "AAPL Inc.", "exchange": "XNAS", "lot_size": "100",
    }  # fmt: skip
    assert symbols.get("AAPL") == symbol(tick_size=None, currency=None)


def test_many_are_put_and_read_in_the_order_given(caches: CacheSetup) -> None:
    symbols = caches.symbols()
    infos = [symbol(f"S{number}") for number in range(100)]
    assert all(outcome.result() for outcome in symbols.put_many(infos))
    assert [outcome.result() for outcome in symbols.get_many([info.symbol for info in infos])] == infos


def test_entries_expire_not_all_at_once(standalone: CacheSetup) -> None:
    symbols = standalone.symbols(ttl=1_000, jitter=0.5, stale=100)
    symbols.put_many([symbol(f"S{number}") for number in range(100)])
    lives = [standalone.ask("PTTL", f"S{number}") for number in range(100)]
    assert 570_000 < min(lives) < 700_000
    assert 950_000 < max(lives) <= 1_100_000


def test_invalidate_removes_one(caches: CacheSetup) -> None:
    symbols = caches.symbols()
    symbols.put_many([symbol("AAPL"), symbol("MSFT")])
    assert symbols.invalidate("AAPL") is True
    assert symbols.invalidate("AAPL") is False
    assert (symbols.get("AAPL"), symbols.get("MSFT")) == (None, symbol("MSFT"))


@pytest.mark.parametrize("pattern", ["symbol:A*", "A*"])
def test_invalidate_matching_removes_what_matches(caches: CacheSetup, pattern: str) -> None:
    symbols = caches.symbols()
    symbols.put_many([symbol(name) for name in ("AAPL", "AMZN", "MSFT", "XA")])
    before = caches.fleet.calls()
    assert symbols.invalidate_matching(pattern) == 2
    called = {name: calls - before.get(name, 0) for name, calls in caches.fleet.calls().items()}
    assert (called.get("keys", 0), called.get("unlink", 0)) == (0, 2)
    assert [symbols.get(name) is None for name in ("AAPL", "AMZN", "MSFT", "XA")] == [True, True, False, False]


def test_the_prefix_is_no_pattern(caches: CacheSetup) -> None:
    caches.prefix = caches.prefix.replace(":", "*[a]:")
    symbols = caches.symbols()
    symbols.put(symbol())
    assert symbols.invalidate_matching("*") == 1


def test_entry_and_load_state_share_a_slot_and_the_entry_has_no_tag(caches: CacheSetup) -> None:
    symbols = caches.symbols()
    assert symbols.key("AAPL") == caches.key("AAPL")
    assert symbols.get_or_load("NONE") is None
    key = caches.key("NONE")
    load_state = f"{{{key}}}:load"
    assert key_slot(key.encode()) == key_slot(load_state.encode())
    assert mapping(caches.fleet.ask(key, "HGETALL", load_state))["absent"] == "1"
    assert 0 < int(str(caches.fleet.ask(key, "PTTL", load_state))) <= 60_000


@pytest.mark.parametrize("name", ["", " ab", "{A}", "x" * 257])
def test_a_name_that_no_key_can_be_made_of_is_refused(standalone: CacheSetup, name: str) -> None:
    symbols = standalone.symbols()
    for ask in (symbols.get, symbols.get_or_load, symbols.invalidate):
        with pytest.raises(InvalidArgument):
            ask(name)


def test_garbage_is_named_and_nothing_is_guessed(standalone: CacheSetup) -> None:
    """Without a source; with one it is a miss, see test_unreadable_entries."""
    cache = standalone.cache(Contract, "contract")
    key = f"{standalone.prefix}contract:K"
    for words in (("value", "{"), ("value", '{"code": 5, "legs": {}}'), ("other", "x")):
        standalone.fleet.ask(key, "DEL", key)
        standalone.fleet.ask(key, "HSET", key, *words)
        with pytest.raises(CorruptRecord, match="value"):
            cache.get("K")
        assert isinstance(cache.get_many(["K"])[0].error, CorruptRecord)
    cache.put("K", Contract(code="C", legs={}))
    assert cache.get("K") == Contract(code="C", legs={})


def test_another_type_is_an_error_and_stays_as_it_is(standalone: CacheSetup) -> None:
    symbols = standalone.symbols()
    standalone.ask("SET", "AAPL", "something else")
    for ask in (symbols.get, symbols.get_or_load, symbols.invalidate):
        with pytest.raises(WrongType):
            ask("AAPL")
    with pytest.raises(WrongType):
        symbols.put(symbol())
    assert standalone.ask("GET", "AAPL") == "something else"


class Contract(BaseModel):
    code: str
    legs: dict[str, int]


def test_a_cache_of_the_callers_own_type(caches: CacheSetup) -> None:
    spread = Contract(code="ESH4-ESM4", legs={"ESH4": 1, "ESM4": -1})
    rows: MemorySource[Contract] = MemorySource({"SPREAD": spread})
    contracts = caches.cache(Contract, "contract", rows)
    assert contracts.get_or_load("SPREAD") == contracts.get("SPREAD") == spread
    assert rows.loads == [("SPREAD",)]
    moved = Contract(code="ESM4-ESU4", legs={})
    assert contracts.write_through("SPREAD", moved)
    assert (contracts.get("SPREAD"), rows.rows["SPREAD"]) == (moved, moved)
    assert str(contracts.warm()).startswith("loaded 1, kept 0, absent 0")
    assert contracts.invalidate_matching("contract:*") == 1


@pytest.mark.parametrize("value", [{"a": [1, None, "é"]}, [1, 2.5], "text", 0, False, ""])
def test_a_cache_of_json_values(standalone: CacheSetup, value: object) -> None:
    cache = standalone.cache(object, "json")
    cache.put("K", value)
    found = cache.get("K")
    assert (found, type(found)) == (value, type(value))


def test_a_cache_cannot_take_the_symbols_keys(standalone: CacheSetup) -> None:
    with pytest.raises(InvalidArgument, match="symbol"):
        standalone.cache(dict, "symbol")


def test_without_a_source_there_is_nothing_to_load(standalone: CacheSetup) -> None:
    with pytest.raises(InvalidArgument, match="no source"):
        standalone.cache(dict, "json").get_or_load("K")
