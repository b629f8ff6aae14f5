"""``slotbook limits`` and ``slotbook halt``: the limits of a trader, and the switch of trading."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import typer

from ..models.limits import LIMIT_NAMES, Limits, Trading
from ..models.record import checked
from ..repositories import Book
from .fitted import Fitted, table
from .options import AsJson, Url, kept_settings
from .output import BadUsage, fields_of, print_json, screen

_NONE = ("", "none")


def limits(
    trader: Annotated[str, typer.Argument(help="Whose limits.", show_default=False)],
    symbol: Annotated[str | None, typer.Option(help="Those in this symbol.", show_default=False)] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Set one limit; may be given again. Without a value: none."),
    ] = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Show a trader's limits, or change some: the trader's own, or with --symbol those in a symbol.

    Their names are max_order, max_notional, max_position and orders_per_second. What is not named stays as it is.
    """
    with Book.open(kept_settings(url)) as book:
        if changes:
            known = book.limits.get(trader, symbol) or checked(Limits, trader=trader, symbol=symbol)
            book.limits.set(checked(Limits, **{**dict(known), **dict(map(_change, changes))}))
        found = [one for one in book.limits.all(trader) if symbol in (None, one.symbol)]
        trading = book.limits.trading(trader)
    if as_json:
        print_json({"trading": trading, "limits": [fields_of(one) for one in found]})
        return
    console = screen()
    console.print(f"trading of {trader} is {trading}")
    console.print(limits_table(found))


def halt(
    trader: Annotated[str, typer.Argument(help="Whose trading.", show_default=False)],
    reducing: Annotated[bool, typer.Option("--reducing", help="Let what reduces a position pass.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Let everything within the limits pass again.")] = False,
    text: Annotated[str | None, typer.Option(help="The reason, for the event.", show_default=False)] = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Halt a trader's trading: from now on nothing is placed or replaced.

    What is open stays open, and can be filled and canceled.
    """
    if reducing and resume:
        raise BadUsage("halt takes --reducing or --resume, not both")
    to = Trading.REDUCING if reducing else Trading.ACTIVE if resume else Trading.HALTED
    with Book.open(kept_settings(url)) as book:
        result = book.trading(trader, to, text=text)
    if as_json:
        print_json({"trader": trader, "trading": result.trading, "sequence": result.sequence})
    else:
        screen().print(f"trading of {trader} is {result.trading} from event {result.sequence} on")


def limits_table(some: Iterable[Limits]) -> Fitted:
    """Return a table of limits; an empty cell is no limit."""
    return table(
        ("symbol",),
        ("order", "notional", "position", "orders/s"),
        (
            (
                "(all)" if one.symbol is None else one.symbol,
                one.max_order,
                one.max_notional,
                one.max_position,
                one.orders_per_second,
            )
            for one in some
        ),
    )


def _change(said: str) -> tuple[str, str | None]:
    """Return the name and the value of a limit that an option sets. Raises BadUsage for a name that there is not."""
    name, sign, value = said.partition("=")
    if not sign or name not in LIMIT_NAMES:
        raise BadUsage(f"--set takes NAME=VALUE with {', '.join(LIMIT_NAMES)}, not {said!r}")
    return name, None if value in _NONE else value
