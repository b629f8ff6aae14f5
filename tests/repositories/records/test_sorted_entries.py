"""Test the pages of sorted indexes from their end, and the entries of records that change, expire, or stay for good."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any

from slotbook.models import Delete, Entity, Index, Insert, Key, Update
from slotbook.models.ordering import order_text
from slotbook.models.types import Name

from ...support.desk import Desk, on_one_server
from ...support.lifetimes import expiry_of, held


class Quote(Entity, kind="quote", ttl=600):
    trader: Name
    quote_id: Annotated[str, Key]
    price: Annotated[Decimal | None, Index(sorted=True)] = None
    maker: Annotated[Name, Index] = "M1"


class LastingQuote(Quote, kind="quote"):
    entity_ttl = None


def _in_lots(fields: dict[str, str]) -> Mapping[str, object]:
    return {**fields, "lots": 7, "venue": "XNAS"}


class LaterQuote(Quote, kind="quote", schema=2, upgrade={1: _in_lots}):
    lots: Annotated[int, Index(sorted=True)] = 1
    venue: Annotated[Name, Index] = "XLON"


INDEXES = ("%:quote_keys", "%:quote_sorted_price", "%:quote_by_maker:M1")
BESIDE = ("%:quote_keys@expiry", "%:quote_sorted_price@expiry", "%:quote_by_maker@expiry:M1")


def entries(desk: Desk, price: object, key: str = "Q1") -> tuple[str, str, str]:
    """Return the members that a record with a price has in each of the indexes."""
    return key, f"{order_text('number', str(price))}:{key}", key


def check_entries(desk: Desk, price: object) -> None:
    """Check that the one record is in each index with its price and its expiry alone, and that these end with it."""
    ends = expiry_of(desk, "%:quote:Q1")
    for index, member in zip(INDEXES, entries(desk, price), strict=True):
        assert (index, held(desk, index), expiry_of(desk, index)) == (index, {member: ends}, ends)


@on_one_server
def test_pages_from_the_end_go_past_what_is_read_at_once(desk: Desk) -> None:
    table, trader = desk.book.table(LastingQuote), desk.trader
    quotes = [  # 97 of each price, whose makers take turns
        LastingQuote(trader=trader, quote_id=f"Q{at:04}", price=Decimal(at // 97 - 5), maker=f"M{at % 2}")
        for at in range(2_310)
    ]
    assert all(one.error is None for one in table.insert_many(quotes))
    down = sorted(quotes, key=lambda one: (one.price, one.quote_id), reverse=True)

    def found(**asked: Any) -> list[str]:
        return [one.quote_id for one in table.range(trader, "price", descending=True, **asked)]

    for values in (None, {"maker": "M1"}):
        wanted = [one for one in down if values is None or one.maker == "M1"]
        names = [one.quote_id for one in wanted]
        assert found(values=values) == names
        for limit in (499, 500, 501, 1_150):
            assert found(values=values, limit=limit) == names[:limit]
        for at in (0, 48, 499, 500, 501, 1_153):  # in the middle of a price and at the end of a batch
            assert found(values=values, after=wanted[at]) == names[at + 1 :]
            assert found(values=values, after=wanted[at], limit=503) == names[at + 1 : at + 504]
            inside = [one.quote_id for one in wanted[at + 1 :] if -3 <= (one.price or 0) < 15]
            assert found(values=values, after=wanted[at], least=-3, below=15) == inside
        assert table.count_range(trader, "price", -3, below=15, values=values) == (
            sum(-3 <= (one.price or 0) < 15 for one in wanted)
        )


def test_an_entry_follows_its_record_and_leaves_with_it(desk: Desk) -> None:
    table, trader = desk.book.table(Quote), desk.trader
    table.insert(Quote(trader=trader, quote_id="Q1", price=Decimal(5)))
    check_entries(desk, 5)
    table.update(trader, "Q1", {"price": Decimal(-2)})
    check_entries(desk, -2)
    table.put(Quote(trader=trader, quote_id="Q1", price=Decimal("0.5")))
    check_entries(desk, "0.5")
    table.update(trader, "Q1", {"price": None})
    assert held(desk, INDEXES[1]) == {}
    table.update(trader, "Q1", {"price": Decimal(3), "maker": "M2"})
    assert held(desk, INDEXES[1]) == {entries(desk, 3)[1]: expiry_of(desk, "%:quote:Q1")}
    table.delete(trader, "Q1")
    beside = ("%:quote_keys@expiry", "%:quote_sorted_price@expiry", "%:quote_by_maker@expiry:M2")
    assert desk.ask("EXISTS", *INDEXES, "%:quote_by_maker:M2", *beside) == 0


def test_a_record_that_leaves_takes_no_other_with_it(desk: Desk) -> None:
    table, trader = desk.book.table(Quote), desk.trader
    for key in ("Q1", "Q2", "Q3"):
        table.insert(Quote(trader=trader, quote_id=key, price=Decimal(5)))
    table.delete(trader, "Q2")
    table.update(trader, "Q3", {"price": Decimal(6)})
    ends = {key: expiry_of(desk, f"%:quote:{key}") for key in ("Q1", "Q3")}
    wanted = {entries(desk, 5)[1]: ends["Q1"], entries(desk, 6, "Q3")[1]: ends["Q3"]}
    assert held(desk, INDEXES[1]) == wanted
    assert expiry_of(desk, INDEXES[1]) == max(ends.values())


def test_one_unit_gives_a_record_an_expiry_and_takes_it_away(desk: Desk) -> None:
    trader = desk.trader
    quote = Quote(trader=trader, quote_id="Q1", price=Decimal(5))
    desk.book.commit([Insert(quote), Update(Quote, trader, "Q1", {"price": Decimal(6)})])
    assert expiry_of(desk, "%:quote:Q1") != ""
    check_entries(desk, 6)
    desk.book.commit([Update(LastingQuote, trader, "Q1", {"price": 7}), Update(Quote, trader, "Q1", {"price": 8})])
    assert expiry_of(desk, "%:quote:Q1") != ""
    check_entries(desk, 8)
    desk.book.commit([Update(Quote, trader, "Q1", {"price": 9}), Update(LastingQuote, trader, "Q1", {"maker": "M1"})])
    assert expiry_of(desk, "%:quote:Q1") == ""
    check_entries(desk, 9)
    desk.book.commit([Delete(Quote, trader, "Q1")])
    desk.book.commit(
        [
            Insert(quote.model_copy(update={"price": Decimal(1)})),
            Update(LastingQuote, trader, "Q1", {"price": Decimal(2)}),
        ]
    )
    assert expiry_of(desk, "%:quote:Q1") == ""
    check_entries(desk, 2)


def test_a_record_that_becomes_permanent_takes_its_indexes_with_it(desk: Desk) -> None:
    book, trader = desk.book, desk.trader
    book.table(Quote).insert(Quote(trader=trader, quote_id="Q1", price=Decimal(5)))
    book.table(LastingQuote).update(trader, "Q1", {"price": Decimal(5), "maker": "M1"})
    assert expiry_of(desk, "%:quote:Q1") == ""
    check_entries(desk, 5)
    book.table(Quote).update(trader, "Q1", {"price": Decimal(6)})
    assert expiry_of(desk, "%:quote:Q1") != ""
    check_entries(desk, 6)


def test_an_index_of_what_expires_stays_for_a_record_that_does_not_and_so_does_the_set_beside_it(desk: Desk) -> None:
    book, trader = desk.book, desk.trader
    book.table(Quote).insert(Quote(trader=trader, quote_id="Q1", price=Decimal(5)))
    book.table(LastingQuote).insert(LastingQuote(trader=trader, quote_id="Q2", price=Decimal(6)))
    ends = expiry_of(desk, "%:quote:Q1")
    assert ends != ""
    others = entries(desk, 6, "Q2")
    for index, one, other in zip(INDEXES, entries(desk, 5), others, strict=True):
        assert (index, held(desk, index), expiry_of(desk, index)) == (index, {one: ends, other: ""}, "")
    for beside in BESIDE:
        assert (desk.ask("ZCARD", beside), expiry_of(desk, beside)) == (1, ""), beside
    book.table(LastingQuote).delete(trader, "Q2")
    check_entries(desk, 5)
    for beside in BESIDE:
        assert expiry_of(desk, beside) == ends


def test_a_migrated_record_enters_its_new_indexes_until_it_expires(desk: Desk) -> None:
    book, trader = desk.book, desk.trader
    book.table(Quote).insert(Quote(trader=trader, quote_id="Q1", price=Decimal(5)))
    ends = expiry_of(desk, "%:quote:Q1")
    assert book.table(LaterQuote).migrate([trader]).rewritten == 1
    assert expiry_of(desk, "%:quote:Q1") == ends
    check_entries(desk, 5)
    for index, member in (("%:quote_sorted_lots", entries(desk, 7)[1]), ("%:quote_by_venue:XNAS", "Q1")):
        assert (index, held(desk, index), expiry_of(desk, index)) == (index, {member: ends}, ends)
    book.table(LaterQuote).delete(trader, "Q1")
    assert desk.ask("EXISTS", "%:quote_sorted_lots", "%:quote_sorted_lots@expiry", "%:quote_by_venue:XNAS") == 0
