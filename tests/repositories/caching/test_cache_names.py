"""A cache reads and removes its own entries only, whatever it is called and whatever else is stored beside them."""

from __future__ import annotations

import pytest
from slotbook.models.keys import Keys, glob_escaped

from ...support.desk import Desk
from ...support.make import fresh, limit
from .conftest import CacheSetup, symbol

FOREIGN = [b"\xff\xfe", b" ab", b"a\nb", b"{x}", b"", b"x" * 300]
"""What no name of ours can be."""


@pytest.mark.parametrize(("one", "other"), [("a", "a:b"), ("a:", "a"), ("a%3Ab", "a:b"), ("a:b", "a:b:c")])
def test_names_do_not_collide(caches: CacheSetup, one: str, other: str) -> None:
    first, second = caches.cache(int, one), caches.cache(int, other)
    keys = ["X", "b:X", "b:c:X", ":X", "3Ab:X", "b%3Ac:X"]
    assert not {first.key(key) for key in keys} & {second.key(key) for key in keys}
    for key in keys:
        first.put(key, 1)
    assert [second.get(key) for key in keys] == [None] * len(keys)
    for key in keys:
        second.put(key, 2)
    assert first.invalidate_matching("*") == len(keys)
    assert [second.get(key) for key in keys] == [2] * len(keys)
    assert second.invalidate_matching(f"{other}:b:*") == 2


def test_a_plain_name_is_stored_as_it_is(standalone: CacheSetup) -> None:
    assert standalone.cache(int, "contract").key("ES:M4") == f"{standalone.prefix}contract:ES:M4"


def test_keys_of_other_programs_are_left_alone(caches: CacheSetup) -> None:
    symbols = caches.symbols()
    symbols.put(symbol())
    base = f"{caches.prefix}symbol:".encode()
    foreign = [base + name for name in FOREIGN] + [b"{" + base + b"a b}:load", base + b"TAKEN"]
    for key in foreign:
        caches.fleet.ask(key, "SET", key, "theirs")
    assert symbols.invalidate_matching("*") == 1
    assert symbols.get("AAPL") is None
    assert [caches.fleet.ask(key, "GET", key) for key in foreign] == ["theirs"] * len(foreign)
    for key in foreign:
        caches.fleet.ask(key, "DEL", key)


def test_headers_of_other_programs_are_no_traders(desk: Desk) -> None:
    prefix = fresh("p") + ":"
    book = desk.open(prefix=prefix)
    book.orders.place(limit(desk.trader))
    book.positions.adjust(desk.trader, "AAPL", 5, request_id="R1")
    foreign = [f"{prefix}{{".encode() + name + b"}:book" for name in FOREIGN if name not in (b"", b"{x}")]
    for key in foreign:
        desk.fleet.ask(key, "SET", key, "theirs")
    assert book.positions.totals()["AAPL"].traders == 1
    assert Keys(prefix).trader_of(foreign[0].decode(errors="surrogateescape")) is None
    for key in foreign:
        desk.fleet.ask(key, "DEL", key)


@pytest.mark.parametrize("prefix", ["d*", "d?", "d[ab]", "d\\", "d]["])
def test_a_prefix_with_the_characters_of_a_pattern_is_only_itself(standalone: CacheSetup, prefix: str) -> None:
    mine = fresh("g")
    standalone.prefix = mine + prefix + ":"
    symbols = standalone.symbols()
    symbols.put(symbol())
    standalone.prefix = mine + "da:"
    others = standalone.symbols()
    others.put(symbol())
    assert symbols.invalidate_matching("*") == 1
    assert (symbols.get("AAPL"), others.get("AAPL")) == (None, symbol())


def test_what_is_escaped_matches_itself_only(standalone: CacheSetup) -> None:
    """Each is there, and what the others would match if they were patterns."""
    name = fresh()
    texts = ("a*b", "a?b", "a[b]", "a[^b]", "a\\b", "a^b", "a-b", "a[a-z]b", "ab", "axb", "axxb")
    for text in texts:
        standalone.fleet.ask(name, "SET", name + text, "x", "PX", 5_000)
    for text in texts:
        assert standalone.fleet.ask(name, "KEYS", glob_escaped(name + text)) == [name + text]
