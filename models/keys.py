"""The names of all keys.

Everything of one trader carries the hash tag ``{trader}``, so it lives in one slot and can change in one atomic call;
the tag is there on a standalone server too, so that a desk can move to a cluster without renaming a key.

>>> keys = Keys("desk1:").of("T001")
>>> keys.order("A1"), keys.position("AAPL"), keys.events
('desk1:{T001}:order:A1', 'desk1:{T001}:position:AAPL', 'desk1:{T001}:events')
"""

from __future__ import annotations

import re

from .enums import OrderStatus
from .types import check_name


class TraderKeys:
    """The keys of one trader's book."""

    __slots__ = ("base", "events", "new", "positions", "statuses", "trader")

    def __init__(self, prefix: str, trader: str) -> None:
        self.trader = trader
        self.base = f"{prefix}{{{trader}}}:"
        self.events = self.base + "events"
        self.positions = self.base + "positions"
        self.statuses = {status: f"{self.base}orders_by_status:{status}" for status in OrderStatus}
        self.new = self.statuses[OrderStatus.NEW]

    def order(self, order_id: str) -> str:
        """The hash of one order."""
        return f"{self.base}order:{order_id}"

    def applied(self, order_id: str) -> str:
        """The hash of what was applied to one order: its fills and replaces, each with its first result."""
        return f"{self.base}applied:{order_id}"

    def symbol(self, symbol: str) -> str:
        """The index of a symbol's orders."""
        return f"{self.base}orders_by_symbol:{symbol}"

    def position(self, symbol: str) -> str:
        """The hash of one position."""
        return f"{self.base}position:{symbol}"

    def request(self, request_id: str) -> str:
        """The first result of one change of a position."""
        return f"{self.base}request:{request_id}"

    @property
    def dead_events(self) -> str:
        """The stream of events that no consumer of a group could handle."""
        return self.events + ":dead"

    @property
    def sessions(self) -> str:
        """The index of the trader's sessions."""
        return self.base + "sessions"

    def session(self, digest: str) -> str:
        """The hash of one session, named by the SHA-256 of its secret."""
        return f"{self.base}session:{digest}"

    def lock(self, name: str) -> str:
        """The hash of a lock that can fence the trader's changes."""
        return f"{self.base}lock:{check_name('lock', name)}"


class Keys:
    """All keys of one book, behind its prefix."""

    def __init__(self, prefix: str = "") -> None:
        self.prefix = prefix
        self._traders: dict[str, TraderKeys] = {}
        self._listing = re.compile(re.escape(prefix) + r"\{([^{}]+)\}:positions")
        self._streams = re.compile(re.escape(prefix) + r"\{([^{}]+)\}:events")

    def of(self, trader: str) -> TraderKeys:
        """The keys of one trader; raises InvalidArgument for a name that no key can be made of."""
        try:
            known = self._traders.get(trader)
        except TypeError:  # not even hashable: no name
            known = None
        if known is None:
            if len(self._traders) >= 10_000:  # bounded: names may come from user input
                self._traders.clear()
            known = self._traders[trader] = TraderKeys(self.prefix, check_name("trader", trader))
        return known

    def lock(self, name: str) -> str:
        """The hash of a lock of the whole desk."""
        return f"{self._tagged('lock', name)}:lock"

    def value(self, key: str) -> str:
        """The hash of a value with its version."""
        return f"{self._tagged('key', key)}:value"

    def swapped(self, key: str, request_id: str) -> str:
        """The first result of one swap of a value."""
        return f"{self._tagged('key', key)}:swapped:{check_name('request_id', request_id)}"

    def limit(self, name: str, rule: str) -> str:
        """What a rate limiter has counted for a name; ``rule`` tells limiters of one name apart."""
        return f"{self._tagged('limit', name)}:limit:{rule}"

    def permit(self, name: str, rule: str, request_id: str) -> str:
        """The first result of one request to a rate limiter."""
        return f"{self._tagged('limit', name)}:permit:{rule}:{check_name('request_id', request_id)}"

    def _tagged(self, what: str, name: str) -> str:
        return f"{self.prefix}{{{check_name(what, name)}}}"

    @property
    def order_events(self) -> str:
        """The channel of all traders' changes."""
        return self.prefix + "order_events"

    def symbol_events(self, symbol: str, word: str) -> str:
        """The channel of one kind of change in one symbol."""
        return f"{self.prefix}events.{symbol}.{word}"

    @property
    def traders_pattern(self) -> str:
        """The SCAN pattern of the keys that list a trader's positions."""
        return self._literally + "{*}:positions"

    @property
    def streams_pattern(self) -> str:
        """The SCAN pattern of the traders' event streams."""
        return self._literally + "{*}:events"

    @property
    def _literally(self) -> str:
        """The prefix for a glob."""
        return re.sub(r"([\\*?\[\]])", r"\\\1", self.prefix)

    def trader_of(self, key: str) -> str | None:
        """The trader of a key that lists positions, None for any other key."""
        match = self._listing.fullmatch(key)
        return match[1] if match else None

    def streamer_of(self, key: str) -> str | None:
        """The trader of an event stream, None for any other key."""
        match = self._streams.fullmatch(key)
        return match[1] if match else None
