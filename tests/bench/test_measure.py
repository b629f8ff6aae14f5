"""The figures, ratios and goals of the benchmark, and its contestants."""

from __future__ import annotations

import re
from pathlib import Path
from typing import cast

import hiredis
import pytest
from slotbook import Book
from slotbook.bench import peers
from slotbook.bench.material import Material, batch_of
from slotbook.bench.measure import FLOOR, SLOTBOOK, Goal, Race, Result, one_by_one, run
from slotbook.bench.peers import by_hand, open_peers
from slotbook.bench.peers.peer import Site
from slotbook.bench.report import Report
from slotbook.bench.server_time import PLAIN, SCRIPTED, UNIT
from slotbook.bench.stage import address_of
from slotbook.cli.bench import goals_table, report_json, result_table
from slotbook.topology.call import Call

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
    from slotbook.bench.plot import plot  # else each test process would load matplotlib

    worked = Result("place 1000", "server's time", UNIT, figures={SLOTBOOK: [12.0, 13.0], PLAIN: [10.0, 10.0]})
    alone = Result("place", "server's time", UNIT, figures={**worked.figures, SCRIPTED: [11.0, 11.5]})
    read = [result("get, 1 task", "asyncio"), result("get, 10 tasks", "asyncio")]
    results = [result(), result("place"), *read, worked, alone]
    results[0].figures["another"] = [30.0, 60.0, 270.0]
    drawn = plot(results, tmp_path)
    assert [path.name for path in drawn] == ["floor.svg", "asyncio.svg", "server.svg"]
    first = [path.read_text(encoding="utf-8") for path in drawn]
    assert all("<svg" in text and "Slotbook" in text for text in first)
    assert [path.read_text(encoding="utf-8") for path in plot(results, tmp_path)] == first
    assert re.search(r"place \(standalone\)", first[0])
    assert not any("<text" in text for text in first)  # letters are drawn: a reader's font may be wider than the box
    for text in first[:2]:
        drawn_as = re.findall(r'<path id="m\w+" d="([^"]+)" style="(?:fill: #\w+; )?stroke: #(\w+)', text)
        shapes = {color: shape for shape, color in drawn_as if shape.rstrip().endswith("z")}
        assert len(shapes) == len(set(shapes.values())) == 3  # a contestant is told by more than its color
        assert 'width="576pt"' not in text  # it is cut to what is drawn, in place of cutting that
    assert "1.25 x" in first[2]
    assert "place 1000" in first[2]
    assert "place 1000" not in first[0]


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
        scripts = by_hand.ByHand(material.settings)
        requests = [*material.orders(1), *material.fills(1), *material.cancels(1)]
        orders = material.orders(70, "T001") + material.orders(3, "T002")
        sent: list[tuple[list[str], Call[object]]] = [
            (scripts.words([request]), calls.change(request)) for request in requests
        ]
        records = material.allocations.inserts(3)
        sent += [(scripts.words([record]), material.allocations.insert_call(record)) for record in records]
        sent += zip(scripts.batches(orders), batch_of(calls, orders), strict=True)
        assert [len(call.keys) for _, call in sent] == [7, 7, 7, 6, 6, 6, 4 + 48 + 1, 4 + 48 + 1, 4 + 44 + 1, 4 + 6 + 1]
        for words, call in sent:
            reader = hiredis.Reader(encoding="utf-8")
            reader.feed(call.packed)
            ours = cast("list[str]", reader.gets())[1:]
            mark = 2 + len(call.keys) + 2
            assert re.fullmatch(r"[0-9a-f]{8}", ours[mark])
            ours[mark : mark + 3] = words[mark : mark + 3]  # the mark, the count, and what was acknowledged
            assert words == ours


def test_a_result_is_shown_in_its_unit() -> None:
    worked = Result("place", "server's time", UNIT, (Goal(PLAIN, 1.3),), {SLOTBOOK: [12.0, 14.0], PLAIN: [10.0, 10.0]})
    shown = result_table(worked)
    assert [column.heading for column in shown.columns][:2] == ["place (server's time)", UNIT]
    assert list(shown.columns[0].cells) == [PLAIN, SLOTBOOK]
    slower = Result("place", "server's time", UNIT, (Goal(PLAIN, 1.2),), worked.figures)
    goals = {column.heading: column.cells for column in goals_table([worked, slower]).columns}
    assert list(goals) == ["job", "against", "ratio", "at most", "reached"]
    assert set(goals["job"]) == {"place (server's time)"}
    assert [goals[name] for name in list(goals)[2:]] == [("1.300", "1.300"), ("1.300", "1.200"), ("yes", "no")]
    (told,) = cast("list[dict[str, object]]", report_json(Report(results=[worked]))["results"])
    assert told["unit"] == UNIT
    assert told["goals"] == [{"against": PLAIN, "at_most": 1.3, "is": 1.3, "reached": True}]
