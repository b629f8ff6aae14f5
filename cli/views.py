"""``slotbook orders`` and ``slotbook positions``: what a book holds now."""

from __future__ import annotations

from typing import Annotated

import typer

from ..models.enums import OrderStatus
from ..repositories import Book
from .options import AsJson, Url, kept_settings
from .output import BadUsage, fields_of, print_json, screen
from .tables import orders_table, positions_table, totals_table


def orders(
    trader: Annotated[str, typer.Option(help="Whose orders.", show_default=False)],
    status: Annotated[
        OrderStatus | None,
        typer.Option(
            case_sensitive=False,
            metavar="STATUS",
            help="Only those, such as FILLED or PENDING_CANCEL; the open ones if not given.",
        ),
    ] = None,
    symbol: Annotated[str | None, typer.Option(help="Only those in this symbol.", show_default=False)] = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Show a trader's orders, by the time they were placed."""
    with Book.open(kept_settings(url)) as book:
        found = book.orders.open(trader) if status is None else book.orders.by_status(trader, status)
    chosen = [one for one in found if symbol in (None, one.symbol)]
    chosen.sort(key=lambda one: (one.ts_ns, one.order_id))
    if as_json:
        print_json([fields_of(one) for one in chosen])
    else:
        screen().print(orders_table(chosen))


def positions(
    trader: Annotated[str | None, typer.Option(help="The positions of one trader.", show_default=False)] = None,
    symbol: Annotated[str | None, typer.Option(help="One symbol, over all traders.", show_default=False)] = None,
    account: Annotated[
        str | None, typer.Option(help="Of the trader's positions those of this account.", show_default=False)
    ] = None,
    by_account: Annotated[
        bool, typer.Option("--by-account", help="Of the trader's positions those of all accounts.")
    ] = False,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Show one trader's positions, one symbol over all traders, or all symbols."""
    if trader is not None and symbol is not None:
        raise BadUsage("positions takes --trader or --symbol, not both")
    if trader is None and (account is not None or by_account):
        raise BadUsage("positions takes --account and --by-account with --trader")
    with Book.open(kept_settings(url)) as book:
        if trader is not None:
            is_of_accounts = by_account or account is not None
            held = book.positions.by_account(trader, account) if is_of_accounts else book.positions.all(trader)
            rows = [fields_of(position) for position in held]
            shown = positions_table(held)
        else:
            totals = [total for total in book.positions.totals().values() if symbol in (None, total.symbol)]
            rows = [fields_of(total) for total in totals]
            shown = totals_table(totals)
    if as_json:
        print_json(rows)
    else:
        screen().print(shown)
