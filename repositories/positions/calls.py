"""Build the calls of the positions' repository, and read their replies. This module does no I/O."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeAlias, cast

from ...models.enums import EventType
from ...models.errors import CorruptRecord, DuplicateRequest, InexactSplit, Refused
from ...models.keys import TraderKeys, escaped
from ...models.numbers import EXACT, plain
from ...models.position import Position, PositionChange, Roll, Split
from ...models.results import PositionResult, SymbolTotal
from ...models.types import check_name
from ...models.wire import decode, text
from ...topology.call import Call, Reply, command, evaluate
from ...topology.settings import Settings
from ..changes.account_views import view_of
from ..changes.engine import ChangeCalls
from ..changes.fence import NO_FENCE, Fence
from ..changes.loss_detector import LossDetector
from ..changes.recorded import position_then
from ..changes.scripts import MOST_ACCOUNTS, load
from ..changes.verb import AnyVerb, Step, Verb
from ..replies import (
    fields,
    fields_of,
    identified,
    integer,
    record,
    record_of,
    refusal,
    remembered_number,
    rows,
    state,
)
from ..replies import text as written

_PACKAGE = "slotbook.repositories.positions"
ALL = load(_PACKAGE, "all")
BY_ACCOUNT = load(_PACKAGE, "by_account")

PositionRequest: TypeAlias = PositionChange | Split | Roll
"""Any request that changes a position without an order."""


def _keys(keys: TraderKeys, change: PositionRequest) -> tuple[str, ...]:
    found = keys.position(change.symbol), keys.request(change.request_id)
    if not isinstance(change, PositionChange):
        return (*found, keys.account_positions)
    if change.account is not None:
        return (*found, keys.account_position(change.account, change.symbol), keys.account_positions)
    return found if change.multiplier is None else (*found, keys.account_positions)


def _arguments(change: PositionChange) -> tuple[str, ...]:
    return (
        change.symbol,
        change.request_id,
        change.action.value,
        plain(change.quantity),
        "" if change.max_position is None else plain(change.max_position),
        str(change.ts_ns),
        _terms(change),
    )


def _terms(change: PositionChange) -> str:
    """Return the cost of what is set, "-" for none, its multiplier, and the account; "" where none is given."""
    cost, multiplier = change.cost, change.multiplier
    whose = "" if change.account is None else _whose([change.account])
    if cost is None and multiplier is None:
        return whose
    return f"{'-' if cost is None else plain(cost)}{'' if multiplier is None else f'*{plain(multiplier)}'}{whose}"


def _whose(accounts: object) -> str:
    r"""Return what a step says of accounts, in JSON without a blank: what is remembered of it has blanks between words.

    >>> _whose(["ACC 1"])
    '@["ACC\\u00201"]'
    """
    return "@" + json.dumps(accounts, ensure_ascii=False, separators=(",", ":")).replace(" ", "\\u0020")


def _split_arguments(split: Split) -> tuple[str, ...]:
    resulting = "" if split.quantity is None else text(split.quantity)
    if split.accounts:
        resulting += _whose({account: plain(quantity) for account, quantity in split.accounts.items()})
    ratio = f"{split.new}/{split.old}"
    return split.symbol, split.request_id, EventType.SPLIT.value, ratio, "", str(split.ts_ns), resulting


def _roll_arguments(roll: Roll) -> tuple[str, ...]:
    return roll.symbol, roll.request_id, EventType.ROLL.value, "0", "", str(roll.ts_ns), ""


def _named(name: str) -> Callable[[Split | Roll], str]:
    return lambda request: f"{name} position {request.trader}/{request.symbol} (request {request.request_id})"


def _describe(change: PositionChange) -> str:
    return f"{change.action.lower()} position {change.trader}/{change.symbol} (request {change.request_id})"


def _changed(step: Step[Any], answer: list[Reply]) -> PositionResult:
    request = cast("PositionRequest", step.request)
    key, identity = step.keys.position(request.symbol), {"trader": request.trader, "symbol": request.symbol}
    account = request.account if isinstance(request, PositionChange) else None
    if account is not None:
        key, identity = step.keys.account_position(account, request.symbol), {**identity, "account": account}
    match answer:
        case ["applied", str(sequence), position]:
            moved = state(Position, key, position, identity)
            return PositionResult(moved, applied=True, accepted=True, sequence=integer(sequence))
        case ["repeat", str(sequence), position, list(event)]:
            found = fields(event) if account is None else view_of(step.keys.events, fields(event), account)
            then = decode(Position, key, position_then(key, fields_of(key, position), found))
            known = remembered_number(step.keys.request(request.request_id), "sequence", sequence)
            return PositionResult(identified(then, key, identity), applied=False, accepted=True, sequence=known)
        case ["limit", position]:
            return PositionResult(state(Position, key, position, identity), applied=False, accepted=False, sequence=0)
        case ["duplicate"]:
            raise DuplicateRequest(f"{step.name}: the request_id was used for another change")
        case ["inexact", str(held), *of]:
            raise _inexact(step.name, request, held, *map(written, of))
        case ["account", str(unknown)]:
            raise InexactSplit(f"{step.name}: the account {unknown} has no position in the symbol to split")
        case ["accounts", int(number)]:
            raise Refused(f"{step.name}: {number} accounts have a position in the symbol, and {MOST_ACCOUNTS} may")
        case other:
            raise refusal(step.name, other)


def _inexact(name: str, request: PositionRequest, held: str, account: str | None = None) -> InexactSplit:
    """Return the refusal of a split of a quantity, of an account's where that is given."""
    given = None
    if isinstance(request, Split):
        accounts: Mapping[str, Decimal] = request.accounts or {}
        given = request.quantity if account is None else accounts.get(account)
    whose = "" if account is None else f" of account {account}"
    why = "is not exact: say the quantity that it results in" if given is None else f"cannot result in {plain(given)}"
    return InexactSplit(f"{name}: the split of {held}{whose} {why}")


CHANGE = Verb(
    name="change",
    request=PositionChange,
    event=EventType.POSITION,
    step="change",
    keys=_keys,
    arguments=_arguments,
    read_answer=_changed,
    describe=_describe,
)
"""The verb that changes a position's quantity; its request says how."""
SPLIT = Verb(
    name="split",
    request=Split,
    event=EventType.SPLIT,
    step="change",
    keys=_keys,
    arguments=_split_arguments,
    read_answer=_changed,
    describe=_named("split"),
)
ROLL = Verb(
    name="roll",
    request=Roll,
    event=EventType.ROLL,
    step="change",
    keys=_keys,
    arguments=_roll_arguments,
    read_answer=_changed,
    describe=_named("roll"),
)
POSITION_VERBS: tuple[AnyVerb, ...] = (CHANGE, SPLIT, ROLL)
"""Every verb that changes a position without an order."""


class PositionCalls(ChangeCalls[PositionRequest, PositionResult]):
    """The calls of one book's positions."""

    def __init__(self, settings: Settings, loss_detector: LossDetector, fence: Fence = NO_FENCE) -> None:
        super().__init__(POSITION_VERBS, settings, loss_detector, fence)

    def get(self, trader: str, symbol: str, account: str | None = None) -> Call[Position]:
        """Return the call that reads one position, an account's if it is named; it is flat when there is none."""
        keys, symbol = self.keys.of(trader), check_name("symbol", symbol)
        key, trader, identity = keys.position(symbol), keys.trader, {"trader": keys.trader, "symbol": symbol}
        if account is not None:
            account = identity["account"] = check_name("account", account)
            key = keys.account_position(account, symbol)

        def read(reply: Reply) -> Position:
            return record(Position, key, reply, identity) if rows(reply) else Position.flat(trader, symbol, account)

        return command(f"get position {trader}/{symbol}", "HGETALL", key, decode=read)

    def by_account(self, trader: str, account: str | None = None, symbol: str | None = None) -> Call[list[Position]]:
        """Return the call that reads positions of a trader's accounts, sorted by symbol and account."""
        keys = self.keys.of(trader)
        account = account if account is None else check_name("account", account)
        symbol = symbol if symbol is None else check_name("symbol", symbol)

        def read(reply: Reply) -> list[Position]:
            return changed_once(account_position(keys, flat) for flat in rows(reply))

        return evaluate(
            f"positions by account of {keys.trader}",
            BY_ACCOUNT,
            BY_ACCOUNT.keys(account_positions=keys.account_positions),
            BY_ACCOUNT.arguments(
                base=f"{keys.base}account_position:",
                account="" if account is None else escaped(account),
                symbol=symbol or "",
            ),
            decode=read,
            readonly=True,
        )

    def all(self, trader: str) -> Call[list[Position]]:
        """Return the call that reads every position of a trader, sorted by symbol."""
        keys = self.keys.of(trader)
        base, trader = keys.position(""), keys.trader

        def read(reply: Reply) -> list[Position]:
            held = (record_of(Position, base, "symbol", flat, trader) for flat in rows(reply))
            # A position that was never changed is there for what is open of the trader's orders.
            return sorted((one for one in held if one.version), key=lambda one: one.symbol)

        return evaluate(
            f"positions of {trader}",
            ALL,
            ALL.keys(positions=keys.positions),
            ALL.arguments(base=base),
            decode=read,
            readonly=True,
        )

    def traders(self, keys: Iterable[str]) -> list[str]:
        """Return the traders of the books whose headers are among some keys, sorted; other keys are left out."""
        return sorted({trader for key in keys if (trader := self.keys.trader_of(key)) is not None})


def account_position(keys: TraderKeys, flat: Reply) -> Position:
    """Return the position of an account in a hash. Raises CorruptRecord for what is none."""
    stored = fields(flat)
    key = keys.account_position(stored.get("account", "?"), stored.get("symbol", "?"))
    if "account" not in stored:
        raise CorruptRecord(key, "account", "is missing")
    return identified(decode(Position, key, stored), key, {"trader": keys.trader})


def changed_once(positions: Iterable[Position]) -> list[Position]:
    """Return positions of accounts that were ever changed, sorted by symbol and account."""
    return sorted((one for one in positions if one.version), key=lambda one: (one.symbol, one.account or ""))


def totals(positions: Sequence[Position]) -> dict[str, SymbolTotal]:
    """Return the exact sums of many traders' positions by symbol, sorted by symbol."""
    sums: dict[str, SymbolTotal] = {}
    for held in positions:
        so_far = sums.get(held.symbol)
        sums[held.symbol] = SymbolTotal(
            symbol=held.symbol,
            traders=(so_far.traders if so_far else 0) + 1,
            quantity=EXACT.add(so_far.quantity if so_far else 0, held.quantity),
            bought_quantity=EXACT.add(so_far.bought_quantity if so_far else 0, held.bought_quantity),
            sold_quantity=EXACT.add(so_far.sold_quantity if so_far else 0, held.sold_quantity),
            cash=EXACT.add(so_far.cash, held.cash) if so_far else held.cash,
        )
    return dict(sorted(sums.items()))
