"""The errors about limits and the switch of trading; ``errors.py`` lists all errors."""

from __future__ import annotations

from decimal import Decimal

from .error_base import Refused


class LimitExceeded(Refused):
    """An order, or a replace of one, would pass a limit of its trader.

    Attributes:
        limit: The name of the limit: ``max_order``, ``max_notional``, ``max_position`` or ``orders_per_second``.
        symbol: The symbol whose limit it is; None for the trader's own.
        value: The value of the limit.
        asked: What it would have become; None for the notional of an order that has no price.
    """

    def __init__(
        self,
        message: str = "",
        limit: str = "",
        symbol: str | None = None,
        value: Decimal = Decimal(0),
        asked: Decimal | None = None,
    ) -> None:
        super().__init__(message)
        self.limit = limit
        self.symbol = symbol
        self.value = value
        self.asked = asked


class TradingHalted(Refused):
    """The switch of the trader's trading does not let the order pass.

    Attributes:
        trading: The position of the switch: ``HALTED`` or ``REDUCING``.
    """

    def __init__(self, message: str = "", trading: str = "") -> None:
        super().__init__(message)
        self.trading = trading
