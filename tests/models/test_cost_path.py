"""A path of costs goes back to its last gap, and no further."""

from __future__ import annotations

from decimal import Decimal

from slotbook.models.cost import Basis
from slotbook.models.cost_path import NOTHING, CostPath, Move, Unfolded
from slotbook.models.enums import EventType


def trades(*versions: int) -> CostPath:
    """Return a path of purchases of 1 at 10, of which those of some versions are known."""
    path, held = CostPath(), NOTHING
    for version in range(1, max(versions) + 1):
        held = held.after_trade(1, Decimal(10))
        if version in versions:
            path.add(Move(EventType.TRADE, version, held, "A1", f"X{version}", None, Decimal(1), Decimal(10)))
    return path


def bust(path: CostPath, exec_id: str, *, has_approximations: bool = False) -> Basis | Unfolded:
    last = path.last
    assert last is not None
    move = Move(EventType.TRADE_CANCEL, last.version + 1, last.stated, "A1", "B1", exec_id)
    return path.folded(move, has_approximations=has_approximations)


def test_what_comes_before_a_gap_counts_no_longer() -> None:
    assert bust(trades(1, 2, 3), "X1") == (2, 20, 0)
    assert bust(trades(1, 3, 4), "X1") is Unfolded.TOO_SHORT
    assert bust(trades(1, 3, 4), "X3") is Unfolded.TOO_SHORT
    assert bust(trades(1, 3, 4), "X4") == (3, 30, 0)
    assert bust(trades(3, 4), "X4", has_approximations=True) is Unfolded.TOO_SHORT


def test_a_revision_of_what_is_not_known_has_to_be_known() -> None:
    """The position that is stated before X3 counts the execution that was busted after it."""
    path = trades(3, 4)
    held = NOTHING.after_trade(3, Decimal(30))
    path.add(Move(EventType.TRADE_CANCEL, 5, held, "A1", "B2", "X1"))
    assert bust(path, "X4") is Unfolded.TOO_SHORT
    later = held.after_trade(1, Decimal(10))
    path.add(Move(EventType.TRADE, 6, later, "A1", "X6", None, Decimal(1), Decimal(10)))
    assert bust(path, "X6") == (3, 30, 0)
