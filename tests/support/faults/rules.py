"""Rules for a proxy: what it does to the requests that pass through it."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from enum import Enum, auto

WRITES = frozenset({"EVALSHA", "EVAL"})


class Do(Enum):
    """An action on one request or its reply."""

    FORWARD = auto()
    DROP = auto()
    """The link is closed before the request is forwarded."""
    SWALLOW = auto()
    """The request is forwarded, its reply is kept back, and the link is reset."""
    CUT = auto()
    """The first bytes of the reply are passed on, then the link is closed."""
    RESET = auto()
    """As CUT, but the link is reset."""
    HOLD = auto()
    """The request is forwarded, and neither its reply nor any later one comes back."""


@dataclass(frozen=True)
class Rule:
    """An action, and the coming requests that it applies to."""

    do: Do
    verbs: frozenset[str] = WRITES
    times: int = 1
    skip: int = 0
    """How many such requests pass first."""
    at: int = 0
    """How many bytes of the reply CUT and RESET let through."""
    delay: float = 0.0
    """Seconds that the reply is late."""


PASS = Rule(Do.FORWARD)


class Plan:
    """The rules that wait for their request, in order; several proxies may share one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: list[tuple[Rule, int, int]] = []
        self.met = 0
        """How many requests met a rule."""
        self.size = 0
        """How long the last reply was that met one."""

    def add(self, *rules: Rule) -> None:
        """Rules for the requests to come: each request meets the first that wants it."""
        with self._lock:
            self._rules += [(rule, rule.skip, rule.times) for rule in rules]

    def clear(self) -> None:
        """Forget what has not happened yet, and what has."""
        with self._lock:
            self._rules.clear()
            self.met = self.size = 0

    @property
    def idle(self) -> bool:
        """True when every rule has met its requests."""
        return not self._rules

    def take(self, verb: str) -> Rule:
        """Return and use up the rule for a request."""
        with self._lock:
            for index, (rule, skip, times) in enumerate(self._rules):
                if verb not in rule.verbs:
                    continue
                if skip:
                    self._rules[index] = rule, skip - 1, times
                    return PASS
                self.met += 1
                if times == 1:
                    del self._rules[index]
                else:
                    self._rules[index] = rule, 0, times - 1
                return rule
        return PASS
