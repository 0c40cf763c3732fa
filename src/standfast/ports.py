"""Ports: what the shell needs from the world, as Protocols.

Every implementation keeps these promises; `standfast.testing` holds the kits that check them. Errors are
those of `model/errors.py` and no others.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple, Protocol, TypeAlias, TypeVar, runtime_checkable

from standfast.model.contract import Contract
from standfast.model.effects import Turn, Urgency
from standfast.model.evidence import (
    AccountRead,
    ActivitiesRead,
    EndTold,
    Guarded,
    MarketClock,
    OrdersRead,
    PositionsRead,
    Rights,
)
from standfast.model.greeks import Greeks
from standfast.model.ids import (
    AccountId,
    BrokerOrderId,
    ClientOrderId,
    EntryNumber,
    Holding,
    InstrumentId,
    RequestId,
)
from standfast.model.instrument import Instrument
from standfast.model.journal import Entry, Fact
from standfast.model.order import LegTerms, OrderReport, Terms
from standfast.model.quote import Quote
from standfast.model.tracked import RecordRead


class Clock(Protocol):
    """The only source of time. Under `clock = "exchange"` it runs at the exchange's speed."""

    def now(self) -> datetime:
        """Aware UTC; the broker's time as far as it is known."""
        ...

    def monotonic(self) -> float:
        """Seconds that never step back, at the clock's own speed."""
        ...

    async def sleep(self, seconds: float) -> None: ...

    def timeout(self, seconds: float) -> AbstractAsyncContextManager[object]:
        """Like `asyncio.timeout`, in this clock's seconds; raises TimeoutError. For answers that travel over a wire."""
        ...

    def timer(self, seconds: float) -> AbstractAsyncContextManager[object]:
        """As `timeout`, exact at any speed: for waits that are to end at a moment, and not for answers."""
        ...

    def later(self, seconds: float, act: Callable[[], object]) -> "Timer":
        """Have this called after so many seconds, exact at any speed; in the running loop."""
        ...


class Timer(Protocol):
    """Something that will be called."""

    def cancel(self) -> None:
        """Not any more. Without effect when it has been."""
        ...


@dataclass(frozen=True, slots=True)
class StreamUp:
    """The order stream is (again) connected: nothing is replayed, so everything must be read anew."""


@dataclass(frozen=True, slots=True)
class StreamDown:
    reason: str


@dataclass(frozen=True, slots=True)
class OrderEvent:
    """Something happened to an order. A reason to look, never an amount to add."""

    holding: Holding
    broker_id: BrokerOrderId
    client_id: ClientOrderId
    event: str


BrokerEvent: TypeAlias = StreamUp | StreamDown | OrderEvent


class Tick(Protocol):
    """One streamed quote. The floats only tell whether anybody has to look; who looks asks for the exact quote."""

    @property
    def instrument(self) -> InstrumentId: ...

    @property
    def bid(self) -> float: ...

    @property
    def ask(self) -> float: ...

    def quote(self, received: datetime) -> Quote: ...


class Ticks(NamedTuple):
    """Quotes that came in one message, in its order."""

    received: datetime
    each: Sequence[Tick]


class Broker(Protocol):
    """One account at one broker.

    Reads return everything or raise (`Unreachable`, `OutcomeUnknown`, `Incomplete`, `Malformed`, `Rejected`,
    `Unauthorised`). Writes raise `Rejected`, `Unreachable` (never left) or `OutcomeUnknown`, and nothing else.
    """

    @property
    def contract(self) -> Contract: ...

    async def instrument(self, instrument: InstrumentId) -> Instrument:
        """Tick, lot, what may be done with it. Cached by the adapter."""
        ...

    async def positions(self, *, urgency: int = Urgency.READ) -> PositionsRead:
        """Every position. `urgency`: what a decision waits for goes before what is merely kept fresh."""
        ...

    async def position(self, holding: Holding) -> Decimal:
        """The signed net of one holding, asked for by its own name: a second source beside the list. Zero when flat."""
        ...

    async def working_orders(self, *, urgency: int = Urgency.READ) -> OrdersRead: ...

    async def order(
        self, *, broker_id: BrokerOrderId | None = None, client_id: ClientOrderId | None = None
    ) -> OrderReport | None:
        """One order with its legs, finished ones included; None when the broker says it knows no such order."""
        ...

    async def activities(self, watermark: str, *, urgency: int = Urgency.READ) -> ActivitiesRead:
        """Fills and movements after `watermark`, every page. The empty one gives none, and the watermark to begin with:
        from now on, and where a list may lack the last fills for long, fills from as far back as it may."""
        ...

    async def account(self) -> AccountRead: ...

    async def clock(self) -> MarketClock: ...

    async def quotes(self, holdings: Sequence[Holding]) -> Mapping[Holding, Quote]:
        """Latest quotes; a holding without one is absent."""
        ...

    async def submit(self, client_id: ClientOrderId, holding: Holding, terms: Terms, turn: Turn) -> OrderReport:
        """Send one order; the report acknowledges, it proves nothing. A known id is `Rejected(kind="duplicate_id")`.

        Raises `Withdrawn` when its turn has come and it is not wanted any more.
        """
        ...

    async def cancel(self, broker_id: BrokerOrderId, turn: Turn) -> None:
        """Ask for a cancel. Returning means received. `Rejected(kind="not_cancellable" | "not_found")` otherwise."""
        ...

    async def replace(
        self, broker_id: BrokerOrderId, client_id: ClientOrderId, terms: Terms, turn: Turn
    ) -> OrderReport:
        """Change a working order; the report is the new order's. HTTP success is no proof that it took hold."""
        ...

    def events(self) -> AsyncIterator[BrokerEvent]:
        """Order events for as long as the caller listens; reconnects by itself and says so."""
        ...

    def quote_events(self) -> AsyncIterator[Ticks]:
        """Streamed quotes of the watched holdings, as they come together."""
        ...

    def watch(self, holdings: frozenset[Holding]) -> None:
        """Which holdings `quote_events` shall carry from now on."""
        ...

    async def close(self) -> None: ...


class SendsTogether(Protocol):
    """A broker whose contract says `multileg`: beside what `Broker` promises, all legs of a structure as one order."""

    async def submit_together(
        self, client_id: ClientOrderId, legs: Sequence[LegTerms], net: Decimal | None, turn: Turn
    ) -> OrderReport:
        """As `Broker.submit`; the report names no legs yet.

        `net`: what one unit (the greatest common divisor of the quantities) shall bring at least, negative for what it
        may cost at most; None: at the market.
        """
        ...


@runtime_checkable
class TellsRights(Protocol):
    """A broker that says something of what a key may do. Raises nothing: not to be told is an answer."""

    async def rights(self) -> Rights: ...


@runtime_checkable
class KnowsInstruments(Protocol):
    """A broker that has read every instrument at once."""

    def known_instrument(self, instrument: InstrumentId) -> Instrument | None:
        """Without asking anybody; None for one it does not know."""
        ...


@runtime_checkable
class Hurries(Protocol):
    """A broker whose steady reads may wait long for their share of the requests."""

    def hurry(self) -> None:
        """A decision waits for one of them: those that wait go now."""
        ...


@runtime_checkable
class TellsGuarded(Protocol):
    """A broker of which not everything can be guarded in the same way everywhere, and that says what."""

    async def guarded(self) -> Sequence[Guarded]:
        """By what the broker has and a look at it. Raises BrokerError."""
        ...


@runtime_checkable
class TellsGreeks(Protocol):
    """A broker that tells of each option it quotes how its price answers to the market."""

    @property
    def greeks(self) -> Mapping[Holding, Greeks]:
        """Of the holdings last asked for by `Broker.quotes`; one without greeks is absent."""
        ...


@runtime_checkable
class TellsEnds(Protocol):
    """A broker that does not tell its movements as they happen, and afterwards how the options of a day ended."""

    async def ends(self, day: date) -> Sequence[EndTold] | None:
        """Empty where its account of that day is not made yet, None where none ever is. Raises as a read does."""
        ...


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write one account's journal, under an epoch the store minted."""

    account: AccountId
    epoch: int
    holder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An operator's act, put into the ledger by anyone and journaled by the lease's holder."""

    id: RequestId
    account: AccountId
    verb: str
    arguments: Mapping[str, str]
    by: str
    at: datetime


State = TypeVar("State")


class Journal(Protocol):
    """One account's journal under a lease: append-only, gapless, hash-chained, durable before it returns."""

    @property
    def head(self) -> EntryNumber: ...

    @property
    def lost(self) -> str:
        """What was committed once and was missing when the lease was taken, in words: a cut-off end, an old copy put
        back, a new ledger in the place of one that is gone. Empty as it should be."""
        ...

    async def append(self, facts: Sequence[Fact], at: datetime) -> Sequence[Entry]:
        """All of them in one commit, or an error and an unknown outcome (`JournalUnavailable`) or `LeaseLost`."""
        ...

    async def renew(self, at: datetime) -> None:
        """Extend the lease, counted from `at`; raises `LeaseLost`."""
        ...

    async def save_book(self, number: EntryNumber, state: object) -> None:
        """Keep a folded state (a dataclass) beside the journal, so that a start need not fold from the beginning."""
        ...

    async def requests(self) -> Sequence[Request]:
        """Operator's acts not yet taken."""
        ...

    async def finish_request(self, request: RequestId, ok: bool, detail: str) -> None:  # noqa: FBT001 - an outcome reads in order
        ...

    async def release(self) -> None: ...


class Store(Protocol):
    """The ledger's database. Reading needs no lease."""

    async def acquire(self, account: AccountId, holder: str, at: datetime) -> Journal:
        """Take the account's lease; raises `LeaseLost` when a living holder has it."""
        ...

    async def entries(self, account: AccountId, after: EntryNumber) -> Sequence[Entry]: ...

    async def book(self, account: AccountId, kind: type[State]) -> tuple[EntryNumber, State] | None:
        """The newest saved state of that type, and the number of the last entry folded into it."""
        ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRoom:
    """How the files of a ledger stand."""

    free: int
    """Bytes of the disk that are left to us."""
    total: int
    has_reserve: bool
    """False once the disk was full: what was held in reserve for that day is given up."""
    trouble: str = ""
    """What else cannot be kept up, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerCared:
    """What came of a round of care."""

    damage: str = ""
    """What does not verify."""
    failure: str = ""
    """What could not be done."""


class LedgerFiles(Protocol):
    """A ledger as files: what must be looked after while it is written."""

    def look(self) -> LedgerRoom:
        """Raises JournalUnavailable when the ledger's file is not where it was. May wait for a disk."""
        ...

    async def care(self, at: datetime) -> LedgerCared:
        """Copy it, prove the copy, keep the newest few. Outside this process."""
        ...


class Tracker(Protocol):
    """The bot's own record, read-only: nothing of it, nor beside it, is written or made."""

    @property
    def label(self) -> str:
        """Where it is, fit for people and logs."""
        ...

    async def read(self) -> RecordRead:
        """Every entry of one moment, or RecordUnreadable; bounded in time, whatever is the matter with the record."""
        ...

    async def close(self) -> None: ...


class AlertSink(Protocol):
    """Delivers one text to people; raises on failure, with a reason fit for a log."""

    async def send(self, severity: str, title: str, text: str) -> str:
        """Returns the channel's name."""
        ...
