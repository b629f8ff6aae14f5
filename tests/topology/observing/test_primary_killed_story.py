"""A primary is killed amid a call: log lines, spans and metrics tell the story, and nothing secret."""

from __future__ import annotations

import asyncio
import re

import pytest
from slotbook.topology.embedded import Topology

from ...support.callers import Caller
from ...support.pages import text_of
from ...support.telemetry import primary_killed

FORM = re.compile(r"\d+\.\d+ s|:\d+|\b\d+\b")


def form_of(line: str) -> str:
    """Return a line with N in place of each number."""
    return FORM.sub("N", re.sub(r"127\.0\.0\.1", "HOST", line))


@pytest.mark.parametrize(("topology", "caller"), [("sentinel", "asyncio"), ("cluster", "sync")])
def test_the_story_is_told(topology: Topology, caller: Caller, runner: asyncio.Runner) -> None:
    story = primary_killed(topology, caller, runner)
    text = "\n".join(story.lines)
    assert f"WARNING slotbook.connections: no connection to {story.was}" in text
    assert "WARNING slotbook.calls: fill is tried again after" in text
    assert f"WARNING slotbook.topology: primary changed from {story.was} to {story.heir}" in text
    assert f"INFO slotbook.listening: subscribing: messages come from {story.heir} again" in text
    assert len(story.lines) < 12, "a loop of failures does not flood"

    place, fill, handler, _get = story.spans
    assert (place.name, fill.name, handler.name) == ("place", "fill", "fill from the venue")
    assert fill.parent is not None
    assert handler.context is not None
    assert fill.parent.span_id == handler.context.span_id
    told = dict(fill.attributes or {})
    assert f"{told['network.peer.address']}:{told['network.peer.port']}" == story.heir
    assert told["slotbook.outcome"] in ("applied", "repeated")
    assert int(str(told["slotbook.tries"])) > 1
    failed = [dict(event.attributes or {})["slotbook.node"] for event in fill.events]
    assert story.was in failed
    noticed = {event.name for event in handler.events}
    assert "slotbook.retry" in noticed, "who finds the new primary may be the follower"

    assert re.search(r'slotbook_client_notices_total{.*slotbook_event="primary_changed".*} [1-9]', story.exposition)
    assert re.search(r'slotbook_client_failed_tries_total{.*slotbook_verb="fill".*} [1-9]', story.exposition)
    assert re.search(r'slotbook_client_calls_total{.*slotbook_outcome="applied".*"place"} 1', story.exposition)
    for secret in story.secrets:
        assert secret not in story.told

    page = text_of("how-to/observe")
    shown = {form_of(line) for line in page.splitlines() if line.startswith(("WARNING slotbook", "INFO slotbook"))}
    assert len(shown) >= 4
    came = {form_of(line) for line in story.lines}
    kinds = {line.split(":")[0] for line in shown}
    assert kinds <= {line.split(":")[0] for line in came}
