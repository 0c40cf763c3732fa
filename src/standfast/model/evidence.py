"""Graded reads: what the broker said, and from when.

A failed read is absent, never empty. Presence in a complete read is proof; absence is only a question.
Times say which moment a read can speak for: it began at `began`, so it may miss anything later.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from standfast.model.ids import BrokerOrderId, EntryNumber, Holding
from standfast.model.option import option_contract
from standfast.model.order import Fill, FilledTotal, Movement, MovementKind, OrderReport


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldReport:
    """One row of the positions list. `quantity` is signed: long positive, short negative, never zero."""

    holding: Holding
    quantity: Decimal
    average_price: Decimal
    liquidation: Decimal | None = field(default=None, compare=False)
    """Price at which the exchange takes it away, where there is one. It moves with the margin, and wakes nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionsRead:
    """Every position of the account, or an exception: a partial list is never returned.

    `rows` may be the very object of the previous read when nothing differs; `changed` names what differs
    from the previous successful read of this adapter (everything, the first time).
    """

    rows: Mapping[Holding, HeldReport]
    changed: frozenset[Holding]
    began: datetime
    ended: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SingleRead:
    """One holding asked for by its own name: a second source beside the list. Zero: the broker says none is held."""

    net: Decimal
    asked_after: EntryNumber
    began: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OrdersRead:
    """Every working order, legs nested in their parents as far as the broker shows them, or an exception.

    Keyed by the top-level order's broker id; `changed` as in `PositionsRead`, vanished ids included.
    """

    orders: Mapping[BrokerOrderId, OrderReport]
    changed: frozenset[BrokerOrderId]
    began: datetime
    ended: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EndTold:
    """How options ended by a broker's own account of a day, which need not say which contracts they were."""

    kind: MovementKind
    """EXPIRY: worthless; ASSIGNMENT, EXERCISE: for cash or shares."""
    quantity: Decimal
    """Signed, as it left: -3 is three that were held long."""
    amount: Decimal
    """Money that came of it, signed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivitiesRead:
    """Everything booked at the broker after `watermark`, oldest first, and the watermark to ask from next."""

    fills: tuple[Fill, ...]
    movements: tuple[Movement, ...]
    watermark: str
    """Opaque to everyone but the adapter that made it."""
    totals: tuple[FilledTotal, ...] = ()
    """In place of fills, from a broker that tells no single executions: each order's, told again in every read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRead:
    """Money in the account's currency."""

    equity: Decimal
    buying_power: Decimal
    options_power: Decimal | None = None
    """What options may take of it, where the broker counts that apart: they are bought without margin."""
    currency: str
    blocked: bool
    reason: str = ""
    number: str = ""
    """Which account it is; empty where the broker does not say."""
    cash: Decimal | None = None
    """What is there in money, every fill and every row of the history in it; None where that cannot be told."""
    charges: Decimal = Decimal(0)
    """Named by the broker already and perhaps not taken off the cash yet: no row tells of them so far."""

    def power_for(self, holdings: Iterable[Holding]) -> Decimal:
        """What may be spent on all these. Shares beside options are bought on margin."""
        kinds = {option_contract(holding.instrument) is not None for holding in holdings}
        return self.options_power if kinds == {True} and self.options_power is not None else self.buying_power


@dataclass(frozen=True, slots=True, kw_only=True)
class CashRead:
    """The account's cash, once everything the broker had booked until then has been read as well.

    It is what the account had at some moment between `since` and `until`, by the broker's clock.
    """

    cash: Decimal
    charges: Decimal
    since: datetime
    until: datetime
    asked_at: datetime
    """By our clock."""
    asked_after: EntryNumber


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """What a key may do beyond trading, as far as the broker tells."""

    may_withdraw: bool | None
    """Whether money or coins can leave the account by it; None: nobody says."""
    detail: str


@dataclass(frozen=True, slots=True)
class Guarded:
    """One thing that is or is not guarded at a broker, in words for people."""

    what: str
    ok: bool
    detail: str
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketClock:
    """The broker's own idea of the session; it decides."""

    at: datetime
    is_open: bool
    next_open: datetime
    next_close: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The last complete reads of one account, each with the journal's head when it was asked for.

    A read asked for before an entry about a holding cannot be compared with the book after that entry.
    """

    positions: PositionsRead | None = None
    positions_asked_after: EntryNumber = EntryNumber(0)
    activities_asked_after: EntryNumber = EntryNumber(0)
    """Fills and movements are booked when read; only when they were asked for is kept."""
    orders: OrdersRead | None = None
    orders_asked_after: EntryNumber = EntryNumber(0)
    account: AccountRead | None = None
    cash: CashRead | None = None
    clock: MarketClock | None = None
