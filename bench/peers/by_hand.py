"""Slotbook's script run by hand with another client: the words of EVALSHA for changes of orders and own records.

Nothing is checked, a lost reply is not handled, lost changes are not noticed, and the server's reply is not parsed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import count

from ...models.keys import Keys
from ...repositories.changes.engine import STEPS_AT_ONCE, ChangePolicy
from ...repositories.changes.scripts import engine, leave_out_seldom
from ...repositories.changes.verb import AnyVerb
from ...repositories.orders.verbs import ORDER_VERBS, OrderRequest
from ...repositories.records.verbs import OWN_VERBS, OwnChange
from ...topology.settings import Settings
from ..material import Material
from ..measure import Block, one_by_one

_VERBS: Mapping[type, AnyVerb] = {verb.request: verb for verb in (*ORDER_VERBS, *OWN_VERBS)}
_WRITER = "00000000"
_NONE_ACKNOWLEDGED = ""
"""No event was acknowledged to the writer, so none can be lost."""
_NOT_SENT_BEFORE, _NO_FENCE, _ANY_SEQUENCE = "", "", ""

Run = Callable[[Sequence[str]], object]
"""Runs EVALSHA with these words."""


class ByHand:
    """The words of EVALSHA for the changes of a book with some settings."""

    def __init__(self, settings: Settings) -> None:
        self._keys = Keys(settings.prefix)
        self._policy = ChangePolicy(settings)
        self._counts = count(1)

    def words(self, requests: Sequence[OrderRequest | OwnChange]) -> list[str]:
        """Return the words that make changes of one kind in one trader's book, each with an answer of its own."""
        verb, keys, policy = _VERBS[type(requests[0])], self._keys.of(requests[0].trader), self._policy
        lock = keys.book  # in place of a lock, of which there is none
        own = ("",) if verb.has_own else ()  # none of these requests has own fields
        step_keys = dict.fromkeys([key for request in requests for key in verb.keys(keys, request)])
        steps = [word for request in requests for word in (verb.step, *verb.arguments(request), *own)]
        if verb.step == "record" and len(requests) == 1:
            leave_out_seldom(steps)
        return [
            engine(verb.step).digest,
            str(4 + len(step_keys)),
            keys.book,
            keys.events,
            keys.positions,
            lock,
            *step_keys,
            keys.trader,
            "each",
            _WRITER,
            str(next(self._counts)),
            _NONE_ACKNOWLEDGED,
            _NOT_SENT_BEFORE,
            *policy.arguments,
            _NO_FENCE,
            _ANY_SEQUENCE,
            *steps,
        ]

    def batches(self, requests: Sequence[OrderRequest]) -> list[list[str]]:
        """Return the words that make changes of one kind: those of one trader go together, as Slotbook sends them."""
        traders: dict[str, list[OrderRequest]] = {}
        for request in requests:
            traders.setdefault(request.trader, []).append(request)
        return [
            self.words(same[begin : begin + STEPS_AT_ONCE])
            for same in traders.values()
            for begin in range(0, len(same), STEPS_AT_ONCE)
        ]


def blocks(material: Material, run: Run) -> dict[str, Block]:
    """Return the jobs that change an order, for a client that runs these words."""
    by_hand = ByHand(material.settings)

    def one(request: OrderRequest | OwnChange) -> object:
        return run(by_hand.words((request,)))

    return {
        "place": one_by_one(lambda size: [partial(one, order) for order in material.orders(size)]),
        "fill": one_by_one(lambda size: [partial(one, fill) for fill in material.fills(size)]),
        "cancel": one_by_one(lambda size: [partial(one, cancel) for cancel in material.cancels(size)]),
        "table insert": one_by_one(
            lambda size: [partial(one, change) for change in material.allocations.inserts(size)]
        ),
    }
