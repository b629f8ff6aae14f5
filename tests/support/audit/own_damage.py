"""Damage of the own records of ``own_book``, and what an audit finds of it, in tables that are read by people.

A line has a name, commands after a colon, and findings after ``>``: kind, key and entry. A word that begins with ``@``
is a key of the trader's, ``~`` a blank.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_FIELDS = ("@digest", "@schema")
FAR = "9999999999999"
_NOTES = " & ".join(f"RECORD note_2:{number} @schema" for number in (1, 100, 2, 3, 4, 5))
_SEEN = " & ".join(f"INDEX tick_sorted_seen z20261127143000000000:S{number}:N" for number in (0, 1, 3, 4, 5))
_LISTED = " & ".join(f"INDEX note_2_keys {number}" for number in (1, 100, 2, 3, 4, 5))


@dataclass(frozen=True)
class Case:
    """Damage, and what is found of it."""

    name: str
    commands: Sequence[Sequence[str]]
    found: Sequence[tuple[str, str, str | None]]


def cases(table: str) -> list[Case]:
    """Return the cases of a table."""
    return [_case(line) for line in table.strip().splitlines()]


def _word(word: str) -> str:
    is_key = word.startswith("@") and word not in _FIELDS
    return f"%:{word[1:]}" if is_key else word.replace("~", " ")


def _case(line: str) -> Case:
    name, _, rest = line.partition(":")
    damage, _, findings = rest.partition(">")
    commands = [[_word(word) for word in command.split()] for command in damage.split("&")]
    found: list[tuple[str, str, str | None]] = []
    for finding in findings.split("&"):
        kind, key, *entry = finding.split()
        found.append((kind, key, entry[0] if entry else None))
    return Case(name.strip(), commands, found)


REPAIRED = cases(f"""
not listed:          ZREM @deal_keys D1                         > INDEX deal_keys D1
list gone:           DEL @note_2_keys                           > {_LISTED}
not in an index:     ZREM @deal_by_account:ACC2 D1              > INDEX deal_by_account:ACC2 D1
odd index gone:      DEL @deal_by_desk:BRK:B                    > INDEX deal_by_desk:BRK:B BRK:B
in one too much:     ZADD @deal_by_account:Z 0 D1               > INDEX deal_by_account:Z D1
in another:          ZREM @deal_by_account:ACC2 D1 & ZADD @deal_by_account:Y 0 D1 > INDEX deal_by_account:ACC2 D1 & INDEX deal_by_account:Y D1
has no value:        ZADD @deal_by_desk:X 0 D2                > INDEX deal_by_desk:X D2
of newer schema:     ZREM @deal_by_desk:new N1                  > INDEX deal_by_desk:new N1
of a deleted one:    ZADD @deal_keys 0 D3                     > INDEX deal_keys D3
of one never there:  ZADD @deal_by_account:ACC1 0 ghost       > INDEX deal_by_account:ACC1 ghost
entry ends:          ZADD @deal_keys@expiry {FAR} D1            > INDEX deal_keys D1
entry does not end:  ZREM @tick_keys@expiry S1:N                > INDEX tick_keys S1:N
entry with a score:  ZADD @deal_keys 5 D1                       > INDEX deal_keys D1
beside no entry:     ZADD @deal_keys@expiry {FAR} D3            > INDEX deal_keys D3
not sorted:          ZREM @deal_sorted_price bn9888:D1          > INDEX deal_sorted_price bn9888:D1
sorted elsewhere:    ZREM @deal_sorted_price bn9888:D1 & ZADD @deal_sorted_price 0 c:D1 > INDEX deal_sorted_price bn9888:D1 & INDEX deal_sorted_price c:D1
sorted too much:     ZADD @deal_sorted_price 0 c:D1             > INDEX deal_sorted_price c:D1
sorted index gone:   DEL @tick_sorted_seen @tick_sorted_seen@expiry > {_SEEN}
set beside persists: PERSIST @tick_sorted_seen@expiry           > EXPIRY tick_sorted_seen@expiry
index ends:          PEXPIREAT @deal_by_desk:X {FAR}            > EXPIRY deal_by_desk:X
index does not end:  PERSIST @tick_by_maker:M                   > EXPIRY tick_by_maker:M
record ends:         PEXPIREAT @deal:D1 {FAR}                   > EXPIRY deal:D1
record ends like 3:  PEXPIREAT @deal:D2 {FAR}                   > EXPIRY deal:D2
record does not end: PERSIST @tick:S1:N                         > EXPIRY tick:S1:N
unique missing:      DEL @deal_unique_reference:R1b             > UNIQUE deal_unique_reference:R1b D1
odd unique missing:  DEL @tick_unique_code:BRK:B                > UNIQUE tick_unique_code:BRK:B BRK%3AB:BRK:B
unique of another:   SET @deal_unique_reference:R1b D2          > UNIQUE deal_unique_reference:R1b D1 & UNIQUE deal_unique_reference:R1b D2
unique of none:      SET @deal_unique_reference:R1b ghost       > UNIQUE deal_unique_reference:R1b D1 & UNIQUE deal_unique_reference:R1b ghost
unique too much:     SET @deal_unique_reference:free D1         > UNIQUE deal_unique_reference:free D1
unique of no value:  SET @deal_unique_reference:R2 D2           > UNIQUE deal_unique_reference:R2 D2
unique of deleted:   SET @deal_unique_reference:R3b D3          > UNIQUE deal_unique_reference:R3b D3
unique ends:         PEXPIREAT @deal_unique_reference:R1b {FAR} > UNIQUE deal_unique_reference:R1b D1
unique does not end: PERSIST @tick_unique_code:C1               > UNIQUE tick_unique_code:C1 S1:N
""")  # noqa: E501
"""Damage of what follows from records."""

LEFT = cases(f"""
other value:     HSET @deal:D1 account ACC1              > RECORD deal:D1 account
field too many:  HSET @deal:D1 shade red                > RECORD deal:D1 shade
field gone:      HDEL @deal:D1 quantity                  > RECORD deal:D1 quantity
other version:   HSET @deal:D1 version 7                 > RECORD deal:D1 version
odd version:     HSET @deal:D1 version 07                > CORRUPT deal:D1 version
no version:      HDEL @deal:D1 version                   > CORRUPT deal:D1 version
other time:      HSET @deal:D1 updated_ns 7              > RECORD deal:D1 updated_ns
no time:         HDEL @deal:D1 updated_ns                > CORRUPT deal:D1 updated_ns
no digest:       HDEL @deal:D1 @digest                   > CORRUPT deal:D1 @digest
odd digest:      HSET @deal:D1 @digest abc               > CORRUPT deal:D1 @digest
no schema:       HDEL @deal:D1 @schema                   > RECORD deal:D1 @schema
unknown schema:  HSET @deal:D1 @schema 9                 > RECORD deal:D1 @schema
older than all:  HSET @book schema:note_2 3              > {_NOTES}
odd mark:        HSET @book schema:note_2 x              > CORRUPT book schema:note_2 & {_NOTES}
odd declaration: HSET @book fields:note_2:1 |            > CORRUPT book fields:note_2:1 & {_NOTES}
unknown kind:    HDEL @book schema:note_2 fields:note_2:1 > RECORD note_2_keys
other trader:    HSET @deal:D1 trader T9                 > RECORD deal:D1 trader & RECORD deal:D1 trader
other key:       COPY @deal:D2 @deal:ZZ                  > RECORD deal:ZZ & RECORD deal:ZZ
back again:      COPY @tick:S1:N @tick:S2:N              > RECORD tick:S2:N & RECORD tick:S2:N
gone:            DEL @note_2:5                           > INDEX note_2_keys 5 & RECORD note_2:5
never expires:   PERSIST @deal_deleted:D3                > EXPIRY deal_deleted:D3
odd deletion:    SET @deal_deleted:D3 gone KEEPTTL       > CORRUPT deal_deleted:D3
other deletion:  SET @deal_deleted:D3 1 KEEPTTL          > CORRUPT deal_deleted:D3
of older schema: ZADD @deal_by_account:ACC1 0 N1       > INDEX deal_by_account:ACC1 N1
unlike its event: SET @deal_deleted:D3 1~abc KEEPTTL     > RECORD deal_deleted:D3
unlike its request: SET @request:Q1 5~DELETE~1~AAAAAAAAAAAAAAAA KEEPTTL > FILL request:Q1
unique of a schema: SET @deal_unique_external:E9 D1       > UNIQUE deal_unique_external:E9 D1
other unique:     HSET @deal:D1 reference R9              > RECORD deal:D1 reference
ends unlike two:  PEXPIREAT @deal:D4 {FAR}                > EXPIRY deal:D4
no two ends agree: PERSIST @tick:S1:N & PEXPIREAT @tick_unique_code:C1 {FAR} > INDEX tick_by_maker:M S1:N & INDEX tick_keys S1:N & INDEX tick_sorted_price dp0115.:S1:N & INDEX tick_sorted_seen z20261127143000000000:S1:N & UNIQUE tick_unique_code:C1 S1:N
two of one value: HSET @deal:D1 reference R5 & XTRIM @events MAXLEN 1 > UNIQUE deal_unique_reference:R1b D1 & UNIQUE deal_unique_reference:R5 D1 & UNIQUE deal_unique_reference:R5 D5
two of a free one: HSET @deal:D1 reference R9 & HSET @deal:D2 reference R9 & XTRIM @events MAXLEN 1 > UNIQUE deal_unique_reference:R1b D1 & UNIQUE deal_unique_reference:R9 D1 & UNIQUE deal_unique_reference:R9 D2
""")  # noqa: E501
"""Damage of what nothing but a human can decide."""

REPAIRED_WITHOUT_EVENTS = cases("""
not listed:      ZREM @deal_keys D1                      > INDEX deal_keys D1
not in an index: ZREM @deal_by_account:ACC2 D1           > INDEX deal_by_account:ACC2 D1
in one too much: ZADD @deal_by_account:Z 0 D1            > INDEX deal_by_account:Z D1
unique missing:  DEL @deal_unique_reference:R1b          > UNIQUE deal_unique_reference:R1b D1
unique too much: SET @deal_unique_reference:free D1      > UNIQUE deal_unique_reference:free D1
""")
"""Damage that a record and its other places prove, also when its events are no longer kept."""

LEFT_WITHOUT_EVENTS = cases(f"""
other value:        HSET @deal:D1 account ACC9           > INDEX deal_by_account:ACC2 D1 & INDEX deal_by_account:ACC9 D1
other unique:       HSET @deal:D1 reference R8           > UNIQUE deal_unique_reference:R1b D1 & UNIQUE deal_unique_reference:R8 D1
value gone:         HDEL @deal:D1 reference              > UNIQUE deal_unique_reference:R1b D1
record gone:        DEL @note_2:5                        > INDEX note_2_keys 5
of one never there: ZADD @deal_by_account:ACC1 0 ghost > INDEX deal_by_account:ACC1 ghost
one of two ends:    PEXPIREAT @note_2:5 {FAR}            > INDEX note_2_keys 5
""")  # noqa: E501
"""Damage of which nobody knows which part is right once events are no longer kept."""
