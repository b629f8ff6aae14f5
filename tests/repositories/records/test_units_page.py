"""Run the unit with own records of docs/how-to/units.md on every topology, for threads and for asyncio."""

from __future__ import annotations

import contextlib

import pytest
import slotbook

from ...support.desk import Desk
from ...support.pages import blocks_of, text_of

[EXAMPLE] = [block for block in blocks_of(text_of("how-to/units")) if "(Entity, kind=" in block]


def test_the_example_runs_and_prints_what_it_says(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[str] = []

    def connect(url: str) -> contextlib.AbstractContextManager[slotbook.Book]:
        asked.append(url)
        return contextlib.nullcontext(desk.book)

    monkeypatch.setattr(slotbook, "connect", connect)
    example = compile(EXAMPLE.replace("T001", desk.trader), "units.md", "exec", dont_inherit=True)
    exec(example, {"__name__": "__main__"})  # noqa: S102 (it is our own)
    assert capsys.readouterr().out == "True\n"
    assert asked == ["embedded://cluster"]
    assert [event.type for event in desk.events()] == ["INSERT", "NEW", "INSERT", "UPDATE"]
