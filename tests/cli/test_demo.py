"""The command ``slotbook demo``: a primary is lost, no fill is, and the audit would find it if one were."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import cast

import pytest
from slotbook import Book
from slotbook.cli import day, demo
from slotbook.cli.day import LOT, trading_day
from slotbook.cli.gateway import Gateway
from slotbook.cli.ledger import Ledger
from slotbook.models import Cancel, Fill, Order, OrderStatus, Position, Replace, Side
from slotbook.models.journal import JournalRequest

from .conftest import Cli, JsonObject


@pytest.fixture
def short_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the day a tenth of its orders."""
    monkeypatch.setattr(day, "_ORDERS_PER_TRADER", 19)


def everything() -> list[JournalRequest]:
    return [request for requests in trading_day().values() for request in requests]


def test_the_day_has_everything_and_is_the_same_each_time() -> None:
    requests = everything()
    assert requests == everything()
    assert {type(request) for request in requests} == {Order, Replace, Cancel, Fill}
    assert 1_400 < sum(isinstance(request, Order) for request in requests) < 1_600
    assert {request.quantity for request in requests if isinstance(request, Fill)} == {LOT}
    for own in trading_day().values():
        assert [request.ts_ns for request in own] == sorted(request.ts_ns for request in own)


@pytest.mark.parametrize("topology", ["standalone", "cluster"])
def test_nothing_is_lost_and_nothing_doubled(cli: Cli, topology: str) -> None:
    report = cli("demo", "--topology", topology, "--json").json()
    fills = sum(isinstance(request, Fill) for request in everything())
    assert report["fills"] == {"sent": fills, "applied": fills, "lost": 0, "doubled": 0}
    assert report["differences"] == []
    assert report["repeated"] == report["requests"]
    positions = cast("list[JsonObject]", report["positions"])
    traded = sum(int(cast(str, held[f"{way}_quantity"])) for held in positions for way in ("bought", "sold"))
    assert traded == fills * LOT
    failover = cast("JsonObject | None", report["failover"])
    if topology == "standalone":
        assert failover is None
        return
    assert failover is not None
    assert failover["killed"] != failover["took_over"]
    assert "T001" in cast("list[str]", failover["traders"])
    assert 0 < cast(float, failover["seconds"]) < 60
    assert cast(float, report["longest_wait"]) > 0.1


def test_what_people_see(cli: Cli) -> None:
    done = cli("demo", "--topology", "sentinel")
    assert (done.code, done.err) == (0, "")
    for part in ("started a primary, 2 replicas and 3 Sentinels", "killed data-1 (127.0.0.1:", " took over after "):
        assert part in done.out
    assert done.out.splitlines()[-1].endswith("lost 0, doubled 0")
    symbols = [line.split() for line in done.out.splitlines() if line.startswith(("AAPL", "AMZN", "MSFT", "NVDA"))]
    assert [words[1] for words in symbols] == ["8"] * 4
    assert sum(int(words[3]) + int(words[4]) for words in symbols) == 225_000
    assert len(done.out.splitlines()) <= 30


@pytest.mark.usefixtures("short_day")
def test_the_settings_of_another_book_do_not_matter(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("URL", "USERNAME", "PASSWORD", "SENTINEL_PASSWORD"):
        monkeypatch.setenv(f"SLOTBOOK_{name}", "elsewhere")
    monkeypatch.setenv("SLOTBOOK_ORDER_TTL", "0.001")
    assert cli("demo", "--topology", "standalone").code == 0


class Forgetful(Gateway):
    """A gateway that sends all but one fill."""

    def __init__(self, book: Book, trader: str, requests: Sequence[JournalRequest]) -> None:
        fills = [request for request in requests if isinstance(request, Fill)]
        super().__init__(book, trader, [request for request in requests if request is not fills[0]])


class Stammering(Gateway):
    """A gateway that sends one fill twice, the second time as another execution, for an order that can take it."""

    def __init__(self, book: Book, trader: str, requests: Sequence[JournalRequest]) -> None:
        orders = {request.order_id: request.quantity for request in requests if isinstance(request, Order)}
        touched = {request.order_id for request in requests if isinstance(request, (Replace, Cancel))}
        for fill in (request for request in requests if isinstance(request, Fill)):
            filled = LOT * sum(isinstance(other, Fill) and other.order_id == fill.order_id for other in requests)
            if fill.order_id not in touched and filled < orders[fill.order_id]:
                break
        else:
            raise LookupError("no order can take another fill")
        super().__init__(book, trader, [*requests, fill.model_copy(update={"exec_id": "again"})])


@pytest.mark.usefixtures("short_day")
@pytest.mark.parametrize(("gateway", "lost", "doubled"), [(Forgetful, 8, 0), (Stammering, 0, 8)])
def test_a_demo_that_goes_wrong_says_so(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, gateway: type[Gateway], lost: int, doubled: int
) -> None:
    def send_nothing_again(book: Book, requests: Iterable[JournalRequest]) -> int:
        return 0

    monkeypatch.setattr(demo, "Gateway", gateway)
    monkeypatch.setattr(demo, "_send_again", send_nothing_again)
    done = cli("demo", "--topology", "standalone")
    fills = sum(isinstance(request, Fill) for request in everything())
    line = f"fills sent {fills:,}, applied {fills - lost:,}, lost {lost}, doubled {doubled}"
    assert (done.code, done.out.splitlines()[-1]) == (1, line)


ORDER = Order(trader="T001", order_id="A1", symbol="AAPL", side=Side.SELL, quantity=300, price=Decimal(10), ts_ns=1)
FILL = Fill(trader="T001", order_id="A1", exec_id="X1", quantity=LOT, price=Decimal("10.5"), ts_ns=2)
DONE = ORDER.model_copy(
    update={"filled_quantity": LOT, "filled_notional": Decimal(1050), "status": OrderStatus.PARTIALLY_FILLED}
)
HELD = Position(trader="T001", symbol="AAPL", quantity=-LOT, sold_quantity=LOT, sold_notional=Decimal(1050))


@pytest.mark.parametrize(
    ("order", "position", "found"),
    [
        (DONE, HELD, (0, 0, 0)),
        (None, HELD, (1, 0, 1)),
        (ORDER, HELD, (1, 0, 1)),
        (DONE.model_copy(update={"filled_quantity": 2 * LOT}), HELD, (0, 1, 1)),
        (DONE.model_copy(update={"status": OrderStatus.CANCELED}), HELD, (0, 0, 1)),
        (DONE.model_copy(update={"filled_notional": Decimal(1051)}), HELD, (0, 0, 1)),
        (DONE.model_copy(update={"price": Decimal(9)}), HELD, (0, 0, 1)),
        (DONE, Position.flat("T001", "AAPL"), (1, 0, 1)),
        (DONE, HELD.model_copy(update={"sold_quantity": 3 * LOT, "quantity": -3 * LOT}), (0, 2, 1)),
        (DONE, HELD.model_copy(update={"sold_notional": Decimal(1051)}), (0, 0, 1)),
        (DONE, HELD.model_copy(update={"quantity": 0}), (0, 0, 1)),
    ],
)
def test_the_audit_finds_it(order: Order | None, position: Position, found: tuple[int, int, int]) -> None:
    ledger = Ledger([ORDER, FILL])
    assert (ledger.order_ids, ledger.position_ids) == ([("T001", "A1")], [("T001", "AAPL")])
    audit = ledger.audit([order], [position])
    assert (audit.lost, audit.doubled, len(audit.differences)) == found
    assert (audit.sent, audit.applied, audit.clean) == (1, 1 - audit.lost, found == (0, 0, 0))
