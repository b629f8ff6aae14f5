"""FIX messages, as a parser gives them, become reports: of each version of FIX, and none that contradicts itself."""

from __future__ import annotations

import time
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import pytest
import simplefix  # pyright: ignore[reportMissingTypeStubs]
from slotbook.models import CancelReject, ExecType, ExecutionReport, OrderStatus, Side
from slotbook.models.errors import InvalidArgument

TRADE = (
    "35=8|37=V1|11=A2|41=A1|17=E1|150=F|39=1|1=ACC 1|55=BRK B|54=5|38=100.50|40=2|44=186.95|59=0|32=40|31=186.9|"
    "151=60.50|14=40|6=186.9|60=20231117-12:30:45.123456789|58=a|12=-0.25|13=3|479=USD|851=1|64=20231119|"
    "453=2|448=X|447=D|448=Y|447=D|9999=z|"
)
REFUSED = "35=9|37=V1|11=A3|41=A2|39=1|434=1|102=0|58=too late|60=20231117-12:30:46|"


def parsed(text: str) -> Any:
    """Return a message as simplefix, which has no types, reads it from the wire."""
    written: Any = simplefix.FixMessage()
    for pair in ["8=FIX.4.4", *text.strip("|").split("|")]:
        written.append_string(pair)
    parser: Any = simplefix.FixParser()
    parser.append_buffer(written.encode())
    found = parser.get_message()
    assert found is not None
    return found


def report(text: str, **fields: object) -> ExecutionReport:
    return ExecutionReport.from_fix(parsed(text).pairs, trader="T1", **fields)  # type: ignore[arg-type]


def changed(tag: int, value: str | None) -> str:
    """Return TRADE with another value of a tag, None for none."""
    pairs = [pair for pair in TRADE.strip("|").split("|") if not pair.startswith(f"{tag}=")]
    return "|".join([*pairs, *([] if value is None else [f"{tag}={value}"])])


def test_an_execution_has_all_that_its_message_says() -> None:
    assert report(TRADE) == ExecutionReport(
        trader="T1",
        order_id="A1",
        exec_id="E1",
        exec_type=ExecType.TRADE,
        status=OrderStatus.PARTIALLY_FILLED,
        symbol="BRK B",
        side=Side.SELL_SHORT,
        quantity=Decimal("100.5"),
        cumulative_quantity=Decimal(40),
        open_quantity=Decimal("60.5"),
        last_quantity=Decimal(40),
        last_price=Decimal("186.9"),
        average_price=Decimal("186.9"),
        price=Decimal("186.95"),
        client_order_id="A2",
        original_client_order_id="A1",
        venue_order_id="V1",
        text="a",
        fee=Decimal("-0.25"),
        fee_currency="USD",
        liquidity="ADDED",  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        settlement_date="20231119",  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        account="ACC 1",
        type="LIMIT",  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        time_in_force="DAY",  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        ts_ns=1_700_224_245_123_456_789,
    )


def test_an_order_until_a_date_with_a_trigger_has_both() -> None:
    told = report(
        "35=8|17=E1|11=A1|150=0|39=0|55=X|54=1|38=10|40=4|44=5|99=4.5|59=6|126=20231119-00:00:00|110=1|432=20231120|"
    )
    assert (told.type, told.price, told.stop_price) == ("STOP_LIMIT", 5, Decimal("4.5"))
    assert (told.time_in_force, told.expire_at) == ("GTD", 1_700_352_000 * 10**9)


def test_a_message_comes_in_every_form() -> None:
    of_one = [pair for pair in changed(448, None).split("|") if not pair.startswith("447")]
    pairs = [(tag, value) for tag, _, value in (pair.partition("=") for pair in of_one)]
    forms: list[Any] = [
        parsed(TRADE).pairs,
        TRADE,
        TRADE.replace("|", "\x01"),
        dict(pairs),
        {int(tag): value for tag, value in pairs},
        MappingProxyType({tag.encode(): value.encode() for tag, value in pairs}),
        iter([(int(tag), Decimal(value) if tag == "38" else value) for tag, value in pairs]),
    ]
    found = [ExecutionReport.from_fix(form, trader="T1") for form in forms]
    assert found == [found[0]] * len(forms)


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ("20=0|150=1", "TRADE"),
        ("20=0|150=2", "TRADE"),
        ("20=1|150=2|19=E0", "TRADE_CANCEL"),
        ("20=1|150=1|19=E0", "TRADE_CANCEL"),
        ("20=2|150=1|19=E0", "TRADE_CORRECT"),
        ("20=3|150=1", "ORDER_STATUS"),
        ("20=3|150=0", "ORDER_STATUS"),
        ("20=0|150=D", "RESTATED"),
        ("150=H|19=E0", "TRADE_CANCEL"),
        ("150=G|19=E0", "TRADE_CORRECT"),
        ("150=L", "TRIGGERED"),
        ("20=1|150=H|19=E0", "TRADE_CANCEL"),
    ],
)
def test_kinds_of_each_version(changes: str, kind: str) -> None:
    assert report(f"{changed(150, None)}|{changes}").exec_type == kind


def test_a_bust_of_fix_4_2_may_say_the_status_that_it_leaves() -> None:
    told = report("35=8|17=E1|19=E0|20=1|11=A1|55=X|54=1|150=0|39=0")
    assert (told.exec_type, told.status) == ("TRADE_CANCEL", "NEW")


@pytest.mark.parametrize(
    ("quantities", "status"), [("14=0|151=10", "NEW"), ("14=4|151=6", "PARTIALLY_FILLED"), ("14=10|151=0", "FILLED")]
)
def test_replaced_was_a_status_of_its_own(quantities: str, status: str) -> None:
    message = f"35=8|17=E1|150=5|39=5|11=A2|41=A1|55=X|54=1|38=10|44=5|{quantities}"
    assert (report(message).status, report(message).exec_type) == (status, "REPLACED")
    with pytest.raises(InvalidArgument, match=r"tag 39 \(OrdStatus\) '5' needs tag 14 .* give status="):
        report("35=8|17=E1|150=5|39=5|11=A2|55=X|54=1|38=10|44=5")


def test_reasons_are_those_of_the_kind() -> None:
    about = "35=8|17=E1|11=A1|55=X|54=1|103=6|378=3"
    assert report(f"{about}|150=8|39=8").reason == "6"
    assert report(f"{about}|150=D|39=0").reason == "3"
    for said in ("REJECTED", ExecType.REJECTED):  # by the caller, as by the message
        assert report(f"{about}|39=8", exec_type=said).reason == "6"


@pytest.mark.parametrize(
    ("fraction", "nanoseconds"), [("", 0), (".5", 500_000_000), (".12", 120_000_000), (".123456789000", 123_456_789)]
)
def test_fractions_of_a_second_have_any_number_of_digits(fraction: str, nanoseconds: int) -> None:
    assert report(changed(60, f"20231117-12:30:45{fraction}")).ts_ns == 1_700_224_245 * 10**9 + nanoseconds


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the zone of a process cannot be set here")
def test_a_time_is_utc_wherever_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "XST+5")
    time.tzset()
    try:
        assert report(TRADE).ts_ns == 1_700_224_245_123_456_789
    finally:
        monkeypatch.undo()
        time.tzset()


def test_the_order_is_named_by_the_id_that_the_book_knows_first() -> None:
    assert report(changed(41, None)).order_id == "A2"
    only_the_venue = "|".join(pair for pair in TRADE.split("|") if not pair.startswith(("41=", "11=")))
    assert report(only_the_venue).order_id == "V1"
    assert report(TRADE, order_id="A9").order_id == "A9"
    with pytest.raises(InvalidArgument, match=r"tag 41 \(OrigClOrdID\), tag 11 .* are missing.*give order_id="):
        report(only_the_venue.replace("37=V1", "37=NONE"))
    unknown = report(changed(37, "NONE"))
    assert (unknown.order_id, unknown.venue_order_id) == ("A1", None)


def test_what_the_caller_says_wins() -> None:
    told = report(changed(54, "Z"), side="BUY", symbol="BRK.B", fee="1", quantity=200)
    assert (told.side, told.symbol, told.fee, told.quantity) == ("BUY", "BRK.B", 1, 200)
    other = report(TRADE, fee_currency="EUR")
    assert (other.fee, other.fee_currency) == (Decimal("-0.25"), "EUR")


def test_fees_are_amounts() -> None:
    bare = "|".join(pair for pair in TRADE.split("|") if not pair.startswith(("12=", "13=", "479=")))
    told = report(f"{bare}136=1|137=0.5|138=EUR|139=4")
    assert (told.fee, told.fee_currency) == (Decimal("0.5"), "EUR")
    assert report(bare).fee is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (changed(17, None), r"tag 17 \(ExecID\) is missing; give exec_id="),
        (changed(150, None), r"tag 150 \(ExecType\) is missing; give exec_type="),
        (changed(39, None), r"tag 39 \(OrdStatus\) is missing"),
        (changed(55, None), r"tag 55 \(Symbol\) is missing"),
        (changed(54, None), r"tag 54 \(Side\) is missing"),
        (changed(54, "Z"), r"tag 54 \(Side\): Side 'Z' is no code that is known; there are 1 BUY"),
        (changed(150, "J"), r"tag 150 \(ExecType\): ExecType 'J' is no code"),
        (changed(39, "Z"), r"tag 39 \(OrdStatus\): OrderStatus 'Z' is no code"),
        (changed(38, "1,000"), r"tag 38 \(OrderQty\) '1,000': '1,000' is not a decimal number"),
        (changed(44, "nan"), r"tag 44 \(Price\) 'nan'"),
        (changed(32, "0"), r"a report of TRADE needs a last_quantity above 0: tag 32 \(LastQty\)"),
        (changed(31, None), r"needs a last_price: tag 31 \(LastPx\)"),
        (changed(60, "2023-11-17T12:30:45Z"), r"tag 60 \(TransactTime\) '2023-.*is no time such as 20231117-12:30"),
        (changed(60, "20231317-12:30:45"), r"tag 60 \(TransactTime\) '20231317-12:30:45' is no time"),
        (changed(60, "20231117-12:30:45.1234567891"), "to the nanosecond at most"),
        (changed(35, "9"), r"tag 35 \(MsgType\) is '9', and '8' is an ExecutionReport"),
        (f"{TRADE}55=MSFT|", r"tag 55 \(Symbol\) is there twice, 'BRK B' and 'MSFT'"),
        (f"{TRADE}20=4|", r"tag 20 \(ExecTransType\) '4' is no code"),
        (f"{changed(150, '0')}|20=2|", r"tag 20 \(ExecTransType\) '2' and tag 150 \(ExecType\) '0' are of two kinds"),
        (f"{TRADE}137=1|", r"tag 12 \(Commission\) and tag 137 \(MiscFeeAmt\) are two fees; give fee="),
        (changed(13, "1"), r"tag 12 \(Commission\) is an amount where tag 13 \(CommType\) is '3', which is '1'; give"),
        (changed(13, None), r"tag 13 \(CommType\) is '3', which is missing"),
        (changed(479, "{"), r"tag 479 \(CommCurrency\)"),
    ],
)
def test_what_is_wrong_is_refused_with_its_tag(text: str, problem: str) -> None:
    with pytest.raises(InvalidArgument, match=problem):
        report(text)


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        ("no message", "tag=value"),
        (["35"], "pairs of a tag and a value"),
        ([(35, "8", "9")], "pairs of a tag and a value"),
        ({"x": "1"}, "'x' is no tag"),
        ({True: "1"}, "is no tag"),
        ({38: 1.5}, "tag 38 is a float: give the text"),
        ({58: b"\xff"}, "tag 58 is not UTF-8"),
        ({58: None}, "tag 58 is a NoneType"),
    ],
)
def test_what_is_no_message_is_refused(message: object, problem: str) -> None:
    with pytest.raises(InvalidArgument, match=problem):
        ExecutionReport.from_fix(message, trader="T1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_empty_tags_and_same_ones_say_nothing_more() -> None:
    assert report(f"{TRADE}44=186.95|") == report(TRADE)
    assert ExecutionReport.from_fix(f"{TRADE}99=|", trader="T1") == report(TRADE)


def test_a_refusal() -> None:
    told = CancelReject.from_fix(parsed(REFUSED).pairs, trader="T1")
    assert told == CancelReject(
        trader="T1",
        order_id="A2",
        client_order_id="A3",
        original_client_order_id="A2",
        venue_order_id="V1",
        status=OrderStatus.PARTIALLY_FILLED,
        reason="0",
        text="too late",
        ts_ns=1_700_224_246_000_000_000,
    )
    assert CancelReject.from_fix(REFUSED, trader="T1", order_id="A1").order_id == "A1"
    about = CancelReject.from_fix(f"{REFUSED}54=1|55=X|", trader="T1")
    assert (about.side, about.symbol) == (Side.BUY, "X")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (REFUSED.replace("35=9", "35=8"), r"tag 35 \(MsgType\) is '8', and '9' is a CancelReject"),
        (REFUSED.replace("11=A3|", ""), r"tag 11 \(ClOrdID\) is missing"),
        (REFUSED.replace("39=1", "39=5"), r"tag 39 \(OrdStatus\) '5' needs"),
        (REFUSED.replace("39=1", "39=x"), r"tag 39 \(OrdStatus\): "),
        (REFUSED.replace("102=0", "102={"), r"tag 102 \(CxlRejReason\)"),
    ],
)
def test_a_refusal_that_is_wrong(text: str, problem: str) -> None:
    with pytest.raises(InvalidArgument, match=problem):
        CancelReject.from_fix(text, trader="T1")
