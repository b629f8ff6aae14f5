"""Input that nobody should send, and words that nobody should store."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import strategies as st

NUMBERS = st.one_of(
    st.integers(-(2**70), 2**70),
    st.sampled_from([0, -1, 1, 2**53 - 1, 2**53, 2**63, 10**40, True, False]),
    st.floats(),
    st.decimals(),
    st.sampled_from([Decimal("1e-10"), Decimal("NaN"), Decimal("1e400"), Decimal("sNaN")]),
)

WORDS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["", " ", "A1", "A B", "{", "}", "a{b}c", "x" * 257, "x" * 256, "\x00", "\ud800", "a\nb", "日本", "*?[a]"]
    ),
    st.text(alphabet="0123456789.eE+-", max_size=30),
)

ANYTHING = st.one_of(
    NUMBERS,
    WORDS,
    st.none(),
    st.binary(max_size=8),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
    st.just(object()),
)
"""Any value for any argument."""

STORED = st.one_of(
    st.binary(max_size=20),
    st.text(max_size=20).map(lambda text: text.encode(errors="surrogatepass")),
    st.from_regex(rb"\A-?[0-9]{1,25}(\.[0-9]{0,12})?\Z"),
    st.sampled_from(
        [b"", b"nan", b"inf", b"-0", b"00", b"1e5", b"9007199254740992", b"9007199254740991", b"-9007199254740991"]
    ),
    st.sampled_from(
        [b"NEW", b"FILLED", b"CANCELED", b"BUY", b"SELL", b"LIMIT", b"MARKET", b"DAY", b"\xff\xfe", b"{x}"]
    ),
)
"""Any bytes for any stored field."""
