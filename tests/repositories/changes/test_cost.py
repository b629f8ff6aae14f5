"""Test the cost that a trade leaves of a position, and the profit that it realizes, against Python's decimal: exact."""

from __future__ import annotations

import decimal
from collections.abc import Iterable
from decimal import Decimal
from importlib import resources
from typing import NamedTuple, cast

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from slotbook.topology.script_assembly import assembled

from ...support.desk import Desk

BODY = """
local answers = {}
for i = 1, #ARGV, 6 do
  local position = { quantity = decimal(ARGV[i]), open_cost = decimal(ARGV[i + 1]) }
  position.realized_profit = decimal(ARGV[i + 2])
  local quantity, notional = decimal(ARGV[i + 4]), decimal(ARGV[i + 5])
  local cost, profit = cost_after_trade(position, ARGV[i + 3] == 'BUY', quantity, notional, 'none', 'none')
  answers[#answers + 1] = decimal_text(cost) .. ' ' .. decimal_text(profit)
end
return answers
"""
EXACT = decimal.Context(prec=300, rounding=decimal.ROUND_HALF_EVEN)


class Trade(NamedTuple):
    """A position that is not flat, and a trade that makes it smaller or turns it round."""

    held: Decimal
    cost: Decimal
    profit: Decimal
    quantity: Decimal
    notional: Decimal

    @property
    def words(self) -> list[str]:
        """Return the script's arguments."""
        side = "SELL" if self.held > 0 else "BUY"
        held, cost, profit, quantity, notional = map(text_of, self)
        return [held, cost, profit, side, quantity, notional]


def _source() -> str:
    folder = resources.files("slotbook.repositories.changes") / "lua"
    names = ("numbers", "decimals", "ratio", "cost")
    text = "\n".join((folder / f"{name}.lua").read_text("utf-8") for name in names)
    return assembled(BODY, text.replace("CONSTANTS.LEAST_COST_PLACES", "9").replace("CONSTANTS.MOST_PLACES", "36"))


SOURCE = _source()


def text_of(number: Decimal) -> str:
    """Return a number as Slotbook writes it: no exponent, no zeros behind, no negative zero."""
    text = f"{number:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in {"", "-0"} else text


def _places(number: Decimal) -> int:
    return len(text_of(number).partition(".")[2])


def expected(trade: Trade) -> str:
    """Return cost and profit after a trade: the share of the cost that goes is rounded half to even."""
    held, cost, profit, quantity, notional = trade
    with decimal.localcontext(EXACT):
        size = abs(held)
        if quantity < size:
            places = max(9, _places(cost), _places(notional))
            after = cost - (cost * quantity / size).quantize(Decimal(1).scaleb(-places))
        else:
            opened = (notional * (quantity - size) / quantity).quantize(Decimal(1).scaleb(-36))
            after = opened if held < 0 else -opened
        cash = notional if held > 0 else -notional
        return f"{text_of(after)} {text_of(profit + cash + after - cost)}"


def check(desk: Desk, trades: Iterable[Trade]) -> None:
    """Check what the server makes of trades."""
    made = list(trades)
    answers = cast("list[str]", desk.fleet.ask("any", "EVAL", SOURCE, 0, *[word for one in made for word in one.words]))
    assert dict(zip(made, answers, strict=True)) == {one: expected(one) for one in made}


def _trade(*numbers: str | int | Decimal) -> Trade:
    return Trade(*map(Decimal, numbers))


def test_a_half_of_the_last_place_goes_to_the_even_neighbour(lone_desk: Desk) -> None:
    check(
        lone_desk,
        [
            _trade(2 * sign, Decimal(cost).scaleb(-9) * side, 0, 1, 5)
            for sign in (1, -1)
            for side in (1, -1)
            for cost in (1, 3, 5, 10**9 + 1, 10**9 + 3, 2 * 10**9 - 1, 10**15 + 1, 10**15 + 3)
        ],
    )


def test_costs_at_the_bounds_of_what_doubles_hold(lone_desk: Desk) -> None:
    """Step over 2^53 in each product, and over the digits and places of each number."""
    edges = [10**14, 10**15 - 1, 10**15, 2**53 - 1, 2**53, 2**53 + 1]
    check(
        lone_desk,
        [
            *(_trade(3, edge, 1, 1, 10) for edge in edges),
            *(_trade(4, edge, 1, 3, 10) for edge in edges),
            *(_trade(101, 10**15 - 1 - step, 1, 100 - step, 10) for step in range(5)),
            *(
                _trade(2 * 10**9 + 2, Decimal(1234567891 + step).scaleb(-9), 0, 10**9 + 1, 7)
                for step in range(0, 40, 2)
            ),
            *(_trade(9007199 + step, "1.999999999", 0, 9007198 + step, 7) for step in (-1, 0, 1, 2)),
            *(_trade(2**53 - step, "0.000000001", 0, 2**53 - step - 1, 7) for step in (1, 2, 2**52)),
            *(
                _trade(7, f"100.{'1' * places}", f"-0.{'3' * places}", 2, f"5.{'9' * places}")
                for places in (1, 8, 9, 10, 15)
            ),
            *(_trade(7, 100, profit, 2, notional) for profit in edges[:3] for notional in edges[:3]),
            *(_trade(-7, -100, -profit, 2, -notional) for profit in edges[:3] for notional in edges[:3]),
            *(_trade(5, "-0.5", "-0.25", quantity, "0.125") for quantity in (1, 4, 5, 6)),
        ],
    )


numbers = st.one_of(
    st.integers(-(10**7), 10**7).map(lambda number: Decimal(number).scaleb(-2)),
    st.integers(-(10**18), 10**18).map(lambda number: Decimal(number).scaleb(-9)),
    st.integers(-(10**30), 10**30).map(lambda number: Decimal(number).scaleb(-16)),
)
quantities = st.one_of(
    st.integers(1, 500).map(Decimal),
    st.integers(1, 10**8).map(Decimal),
    st.integers(1, 10**12).map(lambda number: Decimal(number).scaleb(-8)),
)


def test_any_trade_leaves_the_exact_cost(lone_desk: Desk) -> None:
    @settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
    @given(
        st.lists(
            st.builds(Trade, quantities | quantities.map(lambda held: -held), *([numbers] * 2), quantities, numbers)
        )
    )
    @example([_trade(6, 100, 0, 6, 90), _trade(-6, "-100.01", "0.01", 6, "-90.5")])
    def run(trades: list[Trade]) -> None:
        check(lone_desk, trades)

    run()
