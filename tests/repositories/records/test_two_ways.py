"""Test that records which are inserted in the short way leave, publish and answer what the engine does."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Annotated, Any, Final, cast

import pytest
from slotbook.models import Delete, Entity, Index, Insert, Key, Put, Unique, Update
from slotbook.models.table import table_model
from slotbook.models.types import Name, Quantity
from slotbook.repositories.changes.loss_detector import LossDetector
from slotbook.repositories.records.calls import TableCalls
from slotbook.repositories.records.verbs import OwnChange
from slotbook.topology.call import Call
from slotbook.topology.settings import Published, Settings

from ...support.desk import Desk
from ...support.make import TS
from ...support.raw import mapping
from ...support.two_ways import TwoWays


class Lot(Entity, kind="two_lot"):
    trader: Name
    key: Annotated[str, Key]
    venue: Annotated[str, Index] = "X"
    maker: Annotated[str | None, Index] = None
    quantity: Quantity = 1
    text: str = ""
    tags: dict[str, str | None] = {}  # noqa: RUF012  # pydantic copies it


class Bare(Entity, kind="two_bare", schema=3):
    trader: Name
    größe: Annotated[str, Key]  # noqa: PLC2401


class Fleeting(Entity, kind="two_fleeting", ttl=600):
    trader: Name
    key: Annotated[str, Key]
    venue: Annotated[str, Index] = "X"


class Lasting(Entity, kind="two_fleeting"):
    trader: Name
    key: Annotated[str, Key]
    venue: Annotated[str, Index] = "X"


class Ranked(Entity, kind="two_ranked"):
    trader: Name
    key: Annotated[str, Key]
    price: Annotated[int, Index(sorted=True)] = 1
    code: Annotated[str | None, Unique] = None


MODELS: Final[list[type[Entity]]] = [Lot, Bare, Fleeting, Lasting, Ranked]
ODD: Final = ["é 日本", 'with "quotes"', "back\\slash", "a/b", "null", "a:b", "50%", "\x1b\n", "L" * 300]
TEXTS: Final = ["", "a", "x y", *ODD]
EVERY: Final[frozenset[Published]] = frozenset(("traders", "order_events", "symbols"))
POLICIES: Final[dict[str, dict[str, Any]]] = {
    "usual": {},
    "all channels": {"publish": EVERY, "events_kept": 5},
    "silent": {"publish": frozenset(), "record_refusals": True},
}


class Writer:
    """A writer whose changes are made both ways, each refused or not."""

    def __init__(self, ways: TwoWays, policy: Settings) -> None:
        detector = LossDetector()
        self._ways = ways
        self._calls = {model: TableCalls(table_model(model), policy, detector) for model in MODELS}

    def make(self, model: type[Entity], change: OwnChange) -> None:
        """Make one change both ways."""
        call = cast("Call[object]", self._calls[model].change(change))
        self._ways.make(call)


@pytest.fixture
def ways(lone_desk: Desk) -> Iterator[TwoWays]:
    """Yield the two ways of an insert, in a book that has records of each kind."""
    for model in MODELS:
        lone_desk.book.table(model).insert(a_record(lone_desk, model, "first"))
    found = TwoWays(lone_desk, "record", in_order=False)
    yield found
    found.close()


def a_record(desk: Desk, model: type[Entity], key: str, **fields: object) -> Any:
    return model.model_validate({"trader": desk.trader, "größe" if model is Bare else "key": key, **fields})


def random_record(desk: Desk, chance: random.Random, model: type[Entity], key: str) -> Any:
    some: dict[str, object] = {}
    if model in (Lot, Fleeting, Lasting):
        some["venue"] = chance.choice(TEXTS)
    if model is Lot:
        some |= {"maker": chance.choice([None, *TEXTS]), "quantity": chance.choice([1, "0.25", 10**17])}
        some |= {
            "text": chance.choice(TEXTS),
            "tags": {text: chance.choice([None, text]) for text in chance.sample(TEXTS, 2)},
        }
    if model is Ranked:
        some = {"price": chance.randrange(-3, 3), "code": chance.choice([None, None, "A", "B", key])}
    return a_record(desk, model, key, **some)


@pytest.mark.parametrize("policy", POLICIES)
def test_any_insert_leaves_what_the_engine_leaves(lone_desk: Desk, ways: TwoWays, policy: str) -> None:
    chance, trader = random.Random(policy), lone_desk.trader
    writers = [Writer(ways, Settings(**POLICIES[policy])) for _ in range(2)]
    names = [text for text in TEXTS if text] + [f"K{number}" for number in range(20)]
    for number in range(60):
        writer, key, ts_ns = chance.choice(writers), chance.choice(names), TS + chance.randrange(3)
        model = chance.choice([Lot, Lot, Lot, *MODELS])
        record = random_record(lone_desk, chance, model, key)
        match chance.randrange(12):
            case 0:
                writer.make(model, Delete(model, trader, key, ts_ns=ts_ns, request_id=f"R{number}"))
            case 1:
                writer.make(model, Put(record, ts_ns=ts_ns, request_id=f"R{number}"))
            case 2:
                change = {"venue": chance.choice(TEXTS)}
                writer.make(Lot, Update(Lot, trader, key, change, ts_ns=ts_ns, request_id=f"R{number}"))
            case _:
                writer.make(model, Insert(record, ts_ns=ts_ns))
    assert ways.taken >= 10


def test_a_new_record_that_stays_takes_the_short_way(lone_desk: Desk, ways: TwoWays) -> None:
    """An insert that went the long way would cost more than before, and no other test would tell."""
    writer = Writer(ways, Settings())
    for number, text in enumerate(TEXTS):
        fields = {"venue": text, "maker": text, "text": f'{text}":null', "tags": {text: None}}
        writer.make(Lot, Insert(a_record(lone_desk, Lot, f"K{number}", **fields)))
        writer.make(Bare, Insert(a_record(lone_desk, Bare, f"K{number}")))
    assert ways.taken == 2 * len(TEXTS)
    again = Insert(a_record(lone_desk, Lot, "K0", venue="", maker="", text='":null', tags={"": None}))
    writer.make(Lot, again)
    writer.make(Lot, Delete(Lot, lone_desk.trader, "K0"))
    writer.make(Lot, again)
    for model in (Fleeting, Lasting, Ranked):
        writer.make(model, Insert(a_record(lone_desk, model, "K0")))
    assert ways.taken == 2 * len(TEXTS)


@pytest.mark.parametrize(
    "said", [b'"text":null  ', b'"text": null ', b'"text" :null '], ids=["plain", "after", "before"]
)
def test_a_field_without_a_value_is_the_engines(lone_desk: Desk, ways: TwoWays, said: bytes) -> None:
    """An insert that another version sends may say so of a field that has none."""
    calls = TableCalls(table_model(Lot), Settings(), LossDetector())
    call = cast("Call[object]", calls.change(Insert(a_record(lone_desk, Lot, "K0", text="null"))))
    call.packed = call.packed.replace(b'"text":"null"', said)
    ways.check(call)
    assert ways.taken == 0
    assert "text" not in mapping(lone_desk.ask("HGETALL", "%:two_lot:K0"))
