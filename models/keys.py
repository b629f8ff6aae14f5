"""The names of all keys and channels of a book.

Every key of a trader carries the hash tag ``{trader}`` (Redis Cluster specification, "Hash tags"), so that all of them
are in one slot and can be changed in one atomic call. A standalone server gets the same names, so that a desk can move
to a cluster without renaming a key.

>>> keys = Keys("desk1:").of("T001")
>>> keys.order("A1"), keys.position("AAPL"), keys.events
('desk1:{T001}:order:A1', 'desk1:{T001}:position:AAPL', 'desk1:{T001}:events')
"""

from __future__ import annotations

import re

from .enums import OrderStatus
from .errors import InvalidArgument
from .names import check_name, check_text_name


def is_name(text: str) -> bool:
    """Return True for a name that a key can be made of; other programs' keys may have any other, in any bytes."""
    try:
        check_text_name("name", text)
    except InvalidArgument:
        return False
    return True


def escaped(name: str) -> str:
    """Return a name that is followed by a colon in a key, so that the first colon ends it.

    >>> escaped("a:b"), escaped("50%")
    ('a%3Ab', '50%25')
    """
    return name.replace("%", "%25").replace(":", "%3A")


def account_and_symbol(name: str) -> tuple[str, str] | None:
    """Return the account and the symbol in the name of an account's position, as its key and its set have it.

    None for what is none.

    >>> account_and_symbol("a%3Ab:BRK:B"), account_and_symbol("a%3ab:BRK:B")
    (('a:b', 'BRK:B'), None)
    """
    first, _, symbol = name.partition(":")
    account = first.replace("%3A", ":").replace("%25", "%")
    is_one = is_name(account) and is_name(symbol) and f"{escaped(account)}:{symbol}" == name
    return (account, symbol) if is_one else None


def glob_escaped(text: str) -> str:
    r"""Return the pattern of SCAN, PSUBSCRIBE and KEYS that only a text itself matches.

    >>> print(glob_escaped("desk[1]*:"))
    desk\[1\]\*:
    """
    return _GLOB.sub(r"\\\g<0>", text)


_GLOB = re.compile(r"[\\*?\[\]]")


_EXPIRY = "@expiry"
"""The end of the name of the set beside an index of own records or own fields; no kind and no field has an ``@``."""


class TraderKeys:
    """The keys of one trader's book."""

    __slots__ = ("account_positions", "base", "book", "events", "limits", "positions", "statuses", "trader")

    def __init__(self, prefix: str, trader: str) -> None:
        self.trader = trader
        self.base = f"{prefix}{{{trader}}}:"
        self.book = self.base + "book"
        self.events = self.base + "events"
        self.limits = self.base + "limits"
        self.positions = self.base + "positions"
        self.account_positions = self.base + "account_positions"
        self.statuses = {status: f"{self.base}orders_by_status:{status}" for status in OrderStatus}

    def order(self, order_id: str) -> str:
        """Return the key of the hash of one order."""
        return f"{self.base}order:{order_id}"

    def applied(self, order_id: str) -> str:
        """Return the key of the hash that remembers what was applied to an order: its fills and requests."""
        return f"{self.base}applied:{order_id}"

    def alias(self, name: str) -> str:
        """Return the key that names the order which has an id beside its own: a ClOrdID, or the venue's OrderID."""
        return f"{self.base}alias:{name}"

    def symbol(self, symbol: str) -> str:
        """Return the key of the index of the trader's orders in a symbol."""
        return f"{self.base}orders_by_symbol:{symbol}"

    def own_order_index(self, field: str, text: str, *, beside: bool = False) -> str:
        """Return the key of the index of the trader's orders that have a value in a field of the desk's own.

        Args:
            field: The name of the field.
            text: The written value.
            beside: True for the set beside the index, of those of its orders that expire.
        """
        return f"{self.base}orders_by_+{field}{_EXPIRY if beside else ''}:{text}"

    def position(self, symbol: str) -> str:
        """Return the key of the hash of one position."""
        return f"{self.base}position:{symbol}"

    def account_position(self, account: str, symbol: str) -> str:
        """Return the key of the hash of an account's position in a symbol."""
        return f"{self.base}account_position:{escaped(account)}:{symbol}"

    def request(self, request_id: str) -> str:
        """Return the key that remembers one change of a position, or of a record of the desk's own."""
        return f"{self.base}request:{request_id}"

    def own_record(self, kind: str, key: str) -> str:
        """Return the key of the hash of one record of the desk's own."""
        return f"{self.base}{kind}:{key}"

    def own_keys(self, kind: str, *, beside: bool = False) -> str:
        """Return the key of the index of all of the trader's records of a kind.

        Args:
            kind: The kind of the records.
            beside: True for the set beside the index, of those of its members whose records expire.
        """
        return f"{self.base}{kind}_keys{_EXPIRY if beside else ''}"

    def own_index(self, kind: str, field: str, text: str, *, beside: bool = False) -> str:
        """Return the key of the index of those of a kind that have a value in a field, or of the set beside it."""
        return f"{self.base}{kind}_by_{field}{_EXPIRY if beside else ''}:{text}"

    def own_sorted(self, kind: str, field: str, *, beside: bool = False) -> str:
        """Return the key of the sorted index of a field of a kind's records, or of the set beside it."""
        return f"{self.base}{kind}_sorted_{field}{_EXPIRY if beside else ''}"

    def own_unique(self, kind: str, field: str, text: str) -> str:
        """Return the key that says which record of a kind has a unique value."""
        return f"{self.base}{kind}_unique_{field}:{text}"

    def own_deleted(self, kind: str, key: str) -> str:
        """Return the key that remembers what was inserted as a record that was deleted."""
        return f"{self.base}{kind}_deleted:{key}"

    def own_migrating(self, kind: str, run: str) -> str:
        """Return the key of the last step of a run that brings the records of a kind to a schema."""
        return f"{self.base}{kind}_migrating:{run}"

    @property
    def dead_events(self) -> str:
        """Key of the stream of events that no consumer of a group could handle."""
        return self.events + ":dead"

    @property
    def sessions(self) -> str:
        """Key of the index of the trader's sessions."""
        return self.base + "sessions"

    def session(self, digest: str) -> str:
        """Return the key of the hash of one session, which is named by the SHA-256 of its secret."""
        return f"{self.base}session:{digest}"

    def lock(self, name: str) -> str:
        """Return the key of the hash of a lock that can fence the trader's changes."""
        return f"{self.base}lock:{check_name('lock', name)}"


class Keys:
    """The keys and channels of one book, each with the book's prefix."""

    def __init__(self, prefix: str = "") -> None:
        self.prefix = prefix
        self._traders: dict[str, TraderKeys] = {}
        self._headers = re.compile(re.escape(prefix) + r"\{([^{}]+)\}:book")

    def of(self, trader: str) -> TraderKeys:
        """Return the keys of one trader; raise InvalidArgument for a name that no key can be made of."""
        try:
            known = self._traders.get(trader)
        except TypeError:  # unhashable, and so not a name: check_name refuses it
            known = None
        if known is None:
            if len(self._traders) >= 10_000:  # bounded: names may come from user input
                self._traders.clear()
            known = TraderKeys(self.prefix, check_name("trader", trader))
            self._traders[known.trader] = known  # by text alone: True would find a trader with the number 1
        return known

    def reference(self, kind: str, key: str) -> str:
        """Return the key of the hash of one record of the desk's own that has no trader.

        It has no hash tag, so these records spread over all slots. What is remembered beside it has the whole name as
        its tag, and so is in the same slot.
        """
        return f"{self.prefix}{kind}:{key}"

    def reference_request(self, record: str, request_id: str) -> str:
        """Return the key that remembers one change of the record with a key that ``reference`` has returned."""
        return f"{{{record}}}:record_request:{check_name('request_id', request_id)}"

    def reference_deleted(self, record: str) -> str:
        """Return the key that remembers what was inserted under such a key and deleted."""
        return f"{{{record}}}:record_deleted"

    def lock(self, name: str) -> str:
        """Return the key of the hash of a lock of the whole desk."""
        return f"{self._tagged('lock', name)}:lock"

    def value(self, key: str) -> str:
        """Return the key of the hash of a value with its version."""
        return f"{self._tagged('key', key)}:value"

    def value_version(self, key: str) -> str:
        """Return the key of the last version of a value that expires, which outlives it."""
        return f"{self._tagged('key', key)}:value:version"

    def swapped(self, key: str, request_id: str) -> str:
        """Return the key of the first result of one compare-and-swap."""
        return f"{self._tagged('key', key)}:swapped:{check_name('request_id', request_id)}"

    def limit(self, name: str, rule: str) -> str:
        """Return the key of a rate limiter's count for a name; ``rule`` separates several limiters of the same name."""
        return f"{self._tagged('limit', name)}:limit:{rule}"

    def permit(self, name: str, rule: str, request_id: str) -> str:
        """Return the key of the first result of one request to a rate limiter."""
        return f"{self._tagged('limit', name)}:permit:{rule}:{check_name('request_id', request_id)}"

    def _tagged(self, what: str, name: str) -> str:
        return f"{self.prefix}{{{check_name(what, name)}}}"

    @property
    def order_events(self) -> str:
        """Name of the channel of all traders' changes."""
        return self.prefix + "order_events"

    def symbol_events(self, symbol: str, word: str) -> str:
        """Return the channel of one type of change in one symbol; ``word`` is :attr:`EventType.word`."""
        return f"{self.prefix}events.{symbol}.{word}"

    @property
    def traders_pattern(self) -> str:
        """SCAN pattern of the headers of the traders' books."""
        return self.escaped_prefix + "{*}:book"

    @property
    def escaped_prefix(self) -> str:
        """The prefix with its glob characters escaped."""
        return glob_escaped(self.prefix)

    def trader_of(self, key: str) -> str | None:
        """Return the trader of the header of a book, or None for any other key."""
        match = self._headers.fullmatch(key)
        return match[1] if match and is_name(match[1]) else None
