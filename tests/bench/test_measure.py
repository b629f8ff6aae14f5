"""The figures, ratios and goals of the benchmark, and its contestants."""

from __future__ import annotations

import re
from pathlib import Path
from typing import cast

import hiredis
import pytest
from slotbook import Book
from slotbook.bench import peers
from slotbook.bench.material import Material
from slotbook.bench.measure import FLOOR, SLOTBOOK, Goal, Race, Result, one_by_one, run
from slotbook.bench.peers import by_hand, open_peers
from slotbook.bench.peers.peer import Site
from slotbook.bench.plot import plot
from slotbook.bench.stage import address_of

from ..support.fleet import Fleets


def result(job: str = "get", where: str = "standalone") -> Result:
    return Result(job, where, goals=(Goal(FLOOR, 2.0), Goal("other", 0.5), Goal("absent", 1.0)), figures={
        FLOOR: [10.0, 20.0, 90.0], SLOTBOOK: [15.0, 30.0, 135.0], "other": [20.0, 40.0, 180.0],
    })  # fmt: skip


def test_a_ratio_is_the_median_of_each_rounds_own() -> None:
    raced = result()
    assert (raced.median(SLOTBOOK), raced.ratio(SLOTBOOK, FLOOR), raced.ratio(SLOTBOOK, "other")) == (30.0, 1.5, 0.75)
    assert raced.spread(FLOOR) == (10.0, 90.0)


def test_a_goal_is_judged_where_its_contestant_took_part() -> None:
    assert [(goal.against, ratio, good) for goal, ratio, good in result().reached()] == [
        (FLOOR, 1.5, True),
        ("other", 0.75, False),
    ]


def test_contestants_take_turns_and_nobody_always_begins() -> None:
    said: list[str] = []
    blocks = {
        name: one_by_one(lambda size, name=name: [lambda: said.append(name)] * size) for name in (FLOOR, SLOTBOOK, "x")
    }
    held = run(Race("job", "here", blocks, size=2, rounds=3))
    assert "".join(name[0] for name in said[3:]) == "ffssxx" + "ssxxff" + "xxffss"  # after one each to warm up
    assert {name: len(figures) for name, figures in held.figures.items()} == {FLOOR: 3, SLOTBOOK: 3, "x": 3}


def test_pictures_are_svg_and_the_same_each_time(tmp_path: Path) -> None:
    results = [result(), result("place"), result("get, 1 task", "asyncio"), result("get, 10 tasks", "asyncio")]
    drawn = plot(results, tmp_path)
    assert [path.name for path in drawn] == ["floor.svg", "asyncio.svg"]
    first = [path.read_text(encoding="utf-8") for path in drawn]
    assert all("<svg" in text and "Slotbook" in text for text in first)
    assert [path.read_text(encoding="utf-8") for path in plot(results, tmp_path)] == first
    assert re.search(r"place \(standalone\)", first[0])


def test_a_peer_that_is_not_installed_is_left_out(fleets: Fleets, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "_MODULES", {"nobody_has_this": "nobody-has-this", "redis_py": "redis"})
    deployment = fleets.of("standalone").private
    with Book.open(deployment.url) as book:
        site = Site(address_of(deployment), deployment.password, is_cluster=False, material=Material(book))
        opened, versions = open_peers(site)
        assert versions["nobody-has-this"] == "not installed"
        assert re.match(r"\d+\.\d+", versions["redis"])
        assert len(opened) == 1
        opened[0].close()


def test_what_is_written_by_hand_is_what_slotbook_sends(fleets: Fleets) -> None:
    with Book.open(fleets.of("standalone").private.url) as book:
        material = Material(book)
        calls = material.calls
        (order,), (fill,), (cancel,) = material.orders(1), material.fills(1), material.cancels(1)
        sent = [
            (by_hand.place(order), calls.change(order)),
            (by_hand.fill(fill), calls.change(fill)),
            (by_hand.cancel(cancel), calls.change(cancel)),
        ]
        for words, call in sent:
            assert call.script is not None
            reader = hiredis.Reader(encoding="utf-8")
            reader.feed(call.packed)
            ours = cast("list[str]", reader.gets())[1:]
            assert ours[:2] == [call.script.digest, str(len(call.keys))]
            acknowledged = next(number for number, word in enumerate(ours) if re.fullmatch(r"\d+ [0-9a-f]{8}", word))
            ours[acknowledged] = words[acknowledged]
            pairs = acknowledged + 1
            assert words[:pairs] == ours[:pairs]
            assert sorted(words[pairs:]) == sorted(ours[pairs:])
