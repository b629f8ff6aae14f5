# Generated from repositories/book/_async.py by scripts/generate_sync.py: edit that one.
"""A book: all repositories of a desk on the same servers, for threads."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar, cast, overload

from ...models.arguments import callable_or_none, each, several, whole
from ...models.coordination import Algorithm
from ...models.entity import Entity
from ...models.errors import StateLost
from ...models.limits import Trading, TradingResult
from ...models.order import Order
from ...models.results import Snapshot
from ...models.table import reference_model, table_model
from ...topology._sync.backend import Backend
from ...topology.durability import Durability
from ..audit._sync import Auditor
from ..caching._sync.cache import Cache
from ..caching.policy import CachePolicy
from ..caching.source import Source
from ..changes._sync import Changes
from ..changes.calls import check_loss
from ..changes.loss_detector import LossDetector
from ..coordination._sync.limits import RateLimiter
from ..coordination._sync.locks import Lock
from ..coordination._sync.sessions import SessionRepository
from ..coordination._sync.values import ValueRepository
from ..doctor._sync import Doctor
from ..events._sync.events import OrderEventRepository
from ..limits._sync import LimitsRepository
from ..orders._sync import OrderRepository
from ..orders.calls import OrderCalls
from ..orders.journal_run import JournalItem, JournalRun
from ..orders.journals._sync import apply_journal
from ..orders.reconciliation import Reconciliation
from ..positions._sync import PositionRepository
from ..records._sync import Table
from ..references._sync import ReferenceTable
from ..search._sync.indexes import SearchIndexes
from ..symbols._sync import SymbolInfoRepository
from ..units.calls import UnitResult, UnitStep, unit_calls
from .opened._sync import Opened
from .snapshot import snapshot

T = TypeVar("T")
E = TypeVar("E", bound=Entity)
Own = TypeVar("Own", bound=Order)


class Book(Opened):
    """Everything that a desk keeps on its servers, on one set of connections, for threads.

    ::

        with slotbook.connect("redis://localhost:6379/0") as book:
            book.orders.place(order)

    ``commit`` makes several changes of a trader together or not at all, and ``snapshot`` reads a trader's orders and
    positions.
    ``table`` keeps records of a model of your own, and ``reference`` those that belong to no trader.
    The state is reached through ``orders``, ``positions``, ``limits``, ``events``, ``sessions``, ``values`` and
    ``symbols``; ``audit`` compares it with its history, ``doctor`` looks at the servers, and ``indexes`` makes it
    searchable.
    ``cache``, ``lock`` and ``limiter`` make caches, locks and rate limiters. A book is a context manager that closes
    its connections, and stops embedded servers.
    """

    orders: OrderRepository
    """Orders: place, fill, replace, cancel, read and find them."""
    positions: PositionRepository
    """Positions by trader and symbol, which follow from fills and adjustments."""
    limits: LimitsRepository
    """The limits under which orders are placed and replaced, and where the switch of trading is."""
    events: OrderEventRepository
    """The events that every change of an order or a position appends: read, follow, consume or publish them."""
    sessions: SessionRepository
    """Sessions of traders, which expire or are revoked."""
    values: ValueRepository
    """Values under names, changed by compare-and-swap."""
    symbols: SymbolInfoRepository
    """Reference data of symbols, cached, if wanted from a database behind it."""
    audit: Auditor
    """Verify what is stored against its orders, fills and events, and repair what these prove."""
    doctor: Doctor
    """Look at every server of the book, and say what is wrong with it, why, and what helps; call it."""
    indexes: SearchIndexes
    """The search indexes that ``find`` of orders, positions and symbols needs: create, drop or describe them."""

    def __init__(self, backend: Backend, loss_detector: LossDetector | None = None) -> None:
        super().__init__(backend)
        self._loss_detector = loss_detector or LossDetector(backend.notices)
        self.orders = OrderRepository(backend, self._loss_detector)
        self.positions = PositionRepository(backend, self._loss_detector)
        self.limits = LimitsRepository(backend, self._loss_detector)
        self.events = OrderEventRepository(backend)
        self.sessions = SessionRepository(backend)
        self.values = ValueRepository(backend)
        self.symbols = SymbolInfoRepository(backend)
        self.audit = Auditor(backend)
        self.doctor = Doctor(backend)
        self.indexes = SearchIndexes(backend)
        self._tables: dict[type[Entity], Table[Any]] = {}
        self._references: dict[type[Entity], ReferenceTable[Any]] = {}
        self._units = Changes(backend, unit_calls(backend.settings, self._loss_detector))
        self._journals = Changes(backend, OrderCalls(backend.settings, self._loss_detector, takes_any=True))

    def table(self, model: type[E]) -> Table[E]:
        """Return the table of a model of your own, which is checked the first time.

        ::

            allocations = book.table(Allocation)

        Args:
            model: A class that derives from :class:`~slotbook.models.entity.Entity`, with a ``kind``, a ``trader`` and
                at least one field that is marked with ``Key``.

        Raises:
            InvalidArgument: The model has something that could not be stored and read back equal; the message has the
                field's name, and says what to write.
        """
        described = table_model(model)
        known = self._tables.get(model)
        if known is None:
            known = self._tables.setdefault(model, Table(self.backend, described, self._loss_detector))
        return cast("Table[E]", known)

    def reference(self, model: type[E]) -> ReferenceTable[E]:
        """Return the records of a model of your own that belong to no trader; the model is checked the first time.

        ::

            venues = book.reference(Venue)

        Args:
            model: A class that derives from :class:`~slotbook.models.entity.Entity`, with a ``kind``, at least one
                field that is marked with ``Key``, and no ``trader``.

        Raises:
            InvalidArgument: The model has something that could not be stored and read back equal, or an index; the
                message says what to write. Or a cache has the name of its ``kind``.
        """
        known = self._references.get(model) if isinstance(cast("object", model), type) else None
        if known is None:
            made = ReferenceTable(self.backend, reference_model(model))
            known = self._references.setdefault(model, made)
        return cast("ReferenceTable[E]", known)

    def commit(
        self,
        steps: Iterable[UnitStep],
        *,
        expected_sequence: int | None = None,
        durability: Durability | str | None = None,
    ) -> list[UnitResult]:
        """Make changes of one trader all or nothing, and return one result for each. One round trip.

        ::

            placed, filled = book.commit([order, fill])

        Later steps see what earlier ones have changed. A unit that was applied before changes nothing and gets the
        first results; of one whose changes were applied in part, one by one, the rest is applied. A guard has no
        result.

        Args:
            steps: 1 to 256 orders to place, fills, replaces, cancels, rejects, expiries, changes of positions and of
                own records (:class:`~slotbook.models.entity_changes.Insert`, ``Put``, ``Update``, ``Delete``), and
                guards (:class:`~slotbook.models.guards.Expect`). Orders and fills may have fields of your own; an order
                that the unit places is read as its class in all results.
            expected_sequence: The number of the last event that the caller knows, such as a snapshot's; when the book
                has another, the unit is refused. None for any.
            durability: The copies that the changes wait for; by default the book's.

        Raises:
            Refused: The refusal of the first step that is refused; its ``index`` is the step's number, counted from 0.
                Nothing was changed.
            VersionConflict: A guard, or ``expected_sequence``, does not hold.
            InvalidArgument: The steps are of several traders, too many, or none.
        """
        return self._units.commit(several("steps", steps), expected_sequence, durability)

    def trading(
        self,
        trader: str,
        to: Trading | str,
        *,
        request_id: str | None = None,
        text: str | None = None,
        durability: Durability | str | None = None,
    ) -> TradingResult:
        """Turn the switch of a trader's trading to "active", "reducing" or "halted"; see ``limits.turn``."""
        return self.limits.turn(trader, to, request_id=request_id, text=text, durability=durability)

    @overload
    def snapshot(self, trader: str) -> Snapshot: ...
    @overload
    def snapshot(self, trader: str, model: type[Own]) -> Snapshot[Own]: ...
    def snapshot(self, trader: str, model: type[Any] = Order) -> Snapshot[Any]:
        """Return all orders, positions and limits of a trader as they were after one event, to be followed from there.

        Records of the desk's own are not in it; their tables are read beside it. Takes one round trip for the positions
        and the ids of the orders, one for each 200 orders, and one for each 200 events that come meanwhile. An order
        that is deleted or expires meanwhile may be in it.

        Args:
            trader: The owner of the book.
            model: The class that orders are read as, one with fields of your own; by default plain ones.

        Raises:
            HistoryTrimmed: Events that came meanwhile were trimmed before they could be read, several times.
        """
        return self.backend.drive(snapshot(self.backend.settings, trader, model))

    def cache(
        self, model: type[T], name: str, source: Source[T] | None = None, policy: CachePolicy | None = None
    ) -> Cache[T]:
        """Return a cache for values of your own type; make it once and keep it.

        Args:
            model: The type of the values: any that Pydantic can write as JSON.
            name: The beginning of the cache's keys, ``<name>:<key>``, after the book's prefix.
            source: The database that missing values are loaded from, such as a table. By default there is none.
            policy: The times of the cache, in seconds. By default those of :class:`CachePolicy`.

        Raises:
            InvalidArgument: The name cannot be used.
        """
        return Cache(self.backend, model, name, source, policy)

    def lock(
        self, name: str, *, trader: str | None = None, lease: float = 10.0, wait: float = 10.0, renew: bool = False
    ) -> Lock:
        """Return a lock across processes, to be entered; make one for each ``with``.

        Args:
            name: The name of the lock; locks of one name (and trader) exclude each other.
            trader: The trader whose changes the lock can fence: those through ``held.orders``, ``held.positions``,
                ``held.table(Model)`` and ``held.commit`` are refused once the lock is not held any more. By default it
                fences nothing.
            lease: Seconds for which a holder has the lock without renewing it.
            wait: Seconds to wait for the lock when it is entered; then LockTimeout is raised.
            renew: Renew the lease in the background while the block runs.

        Raises:
            InvalidArgument: The name or trader cannot be used, or ``lease`` or ``wait`` is not a number of seconds.
        """
        return Lock(
            self.backend, name, trader=trader, lease=lease, wait=wait, renew=renew, loss_detector=self._loss_detector
        )

    def limiter(
        self,
        limit: int,
        window: float = 1.0,
        algorithm: Algorithm | str = Algorithm.FIXED_WINDOW,
        burst: int | None = None,
    ) -> RateLimiter:
        """Return a rate limiter, which counts each name apart, for all processes that use the same rule.

        Args:
            limit: The total cost that a window allows.
            window: The window's length in seconds.
            algorithm: The rule by which windows are counted; see :class:`~slotbook.models.coordination.Algorithm`.
            burst: The number of tokens in a full bucket. By default ``limit``; the other algorithms take none.

        Raises:
            InvalidArgument: The numbers cannot be counted exactly.
        """
        return RateLimiter(self.backend, limit, window, algorithm, burst)

    def losses(self) -> list[StateLost]:
        """Return a StateLost for each trader of whose changes the servers have lost some that they had acknowledged.

        The next change of a trader raises its loss by itself; this asks now, in one round trip per node. Each loss is
        told once. Raises a SlotbookError when a trader cannot be asked and no other has a loss: so ask until there is
        none.
        """
        detector = self._loss_detector
        outcomes = self.backend.run_many(
            [check_loss(self.backend.settings, detector, trader) for trader in detector.traders()]
        )
        found = [outcome.error for outcome in outcomes if isinstance(outcome.error, StateLost)]
        if not found:
            for outcome in outcomes:
                outcome.result()
        return found

    def reconcile(
        self,
        journal: Iterable[JournalItem],
        *,
        batch: int = 1_000,
        progress: Callable[[Reconciliation], object] | None = None,
    ) -> Reconciliation:
        """Apply a journal, or apply it again to bring back lost changes; what the book has is not applied twice.

        ::

            with open("journal.csv", newline="") as lines:
                done = book.reconcile(read_journal(lines))

        Each row has one fate, which the result counts or names: applied, repeated, out of date, refused, or refused and
        would be applied by another run. Rows that are refused are tried again behind the others, in their order, until
        that applies none of them; so a second run changes nothing. Changes that are not in the journal stay.

        The stream of a trader is read before the trader's first row: one round trip if it is empty, and one for each
        1,000 events; a book that has changed the trader's before asks in another one what is lost. So a row is known
        as a repeat for as long as its order *or* its event is kept. One whose order is not kept, and which is no
        younger than events that are not kept either, is refused. What others apply meanwhile is known for as long as
        its order is kept.

        Args:
            journal: Requests, whose orders and fills may have fields of your own, or what
                :func:`~slotbook.models.journal.read_journal` yields. A trader's are applied in the journal's order.
            batch: The number of rows that are sent at once, in one round trip per node.
            progress: Called after each batch with the result until now. By default nothing is called.

        Raises:
            SlotbookError: A row has neither a result nor a refusal; then reconcile again.
            InvalidArgument: The journal is not an iterable of such rows, or ``batch`` is not a whole number from 1.
        """
        batch = whole("batch", batch)
        run = JournalRun(self.backend.settings, self._loss_detector, callable_or_none("progress", progress))
        return apply_journal(self.backend, self._journals, run, each("journal", journal), batch)
