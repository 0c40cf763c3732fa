"""The journal, retold: what its entries say in so many words, folded by other hands than the core's.

Theory: the guard's book is the core's fold of the journal. A checker that read the book would share the fold's
mistakes, so this keeps the few things the checks need, from the entries alone.

Invariants
1. Nothing here comes from the guard's memory: two retellings of one journal are equal.
2. An intent is `over` from the entry on that ends it, whatever comes after.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from standfast.model import journal as j
from standfast.model.breaks import BreakKind
from standfast.model.ids import BreakId, BrokerOrderId, ClientOrderId, Holding, PositionId, RequestId
from standfast.model.position import Standing

ZERO = Decimal(0)


class Fate(StrEnum):
    """What the journal says has become of an intent."""

    MEANT = "meant"
    DOUBTED = "doubted"
    WORKING = "working"
    OVER = "over"


@dataclass(slots=True)
class Intent:
    """One order the guard meant, and the last the journal says of it."""

    fact: j.OrderIntended
    at: datetime
    epoch: int
    fate: Fate = Fate.MEANT
    ended_by: str = ""
    broker_id: BrokerOrderId | None = None
    reported: Decimal = ZERO
    """Filled, by the largest report."""
    executed: Decimal = ZERO
    """Filled, by booked fills."""
    cancel_at: datetime | None = None
    legs: dict[BrokerOrderId, tuple[Decimal, int]] = field(default_factory=dict)
    """What each order nested in it has filled, by the largest report, and the sign of its side."""

    @property
    def is_known(self) -> bool:
        return self.fate in (Fate.WORKING, Fate.OVER)

    @property
    def excess(self) -> Decimal:
        """Filled beyond doubt, its fills not booked yet."""
        return max(self.reported - self.executed, ZERO)


@dataclass(slots=True)
class Lot:
    """One position as the entries tell it. Quantities unsigned."""

    id: PositionId
    holding: Holding
    sign: int
    standing: Standing
    strategy: str
    asked: Decimal = ZERO
    opened: Decimal = ZERO
    closed: Decimal = ZERO
    value: Decimal = ZERO
    anchor: Decimal | None = None
    stop: Decimal | None = None
    bare: bool = False
    opened_at: datetime | None = None
    closing: j.CloseRequested | None = None
    closing_at: datetime | None = None
    order: str | None = None
    """The exchange's id of the foreign order that opened it."""
    over: bool = False

    @property
    def held(self) -> Decimal:
        return self.opened - self.closed

    @property
    def is_guarded(self) -> bool:
        return self.standing is not Standing.FOREIGN

    @property
    def basis(self) -> Decimal | None:
        if self.anchor is not None:
            return self.anchor
        return self.value / self.opened if self.opened else None


@dataclass(slots=True)
class Listed:
    """One break."""

    kind: BreakKind
    holding: Holding | None
    subject: str
    confirmed_at: datetime | None = None
    told: bool = False


@dataclass(slots=True)
class Retold:
    """Changed by `retelling.retell` alone."""

    intents: dict[ClientOrderId, Intent] = field(default_factory=dict)
    by_broker: dict[BrokerOrderId, ClientOrderId] = field(default_factory=dict)
    by_parent: dict[BrokerOrderId, Intent] = field(default_factory=dict)
    """The intent an order is nested in."""
    given_up: set[BrokerOrderId] = field(default_factory=set)
    """Orders whose cancel was asked for, legs too."""
    lots: dict[PositionId, Lot] = field(default_factory=dict)
    at: dict[Holding, dict[PositionId, Lot]] = field(default_factory=dict)
    """Lots that are not over."""
    of: dict[PositionId, list[Intent]] = field(default_factory=dict)
    """Every intent of a position, oldest first."""
    intents_at: dict[Holding, dict[ClientOrderId, Intent]] = field(default_factory=dict)
    """Intents that are not over, or whose fills are not all booked."""
    acknowledged: dict[Holding, Decimal] = field(default_factory=dict)
    executions: set[str] = field(default_factory=set)
    booked: dict[BrokerOrderId, Decimal] = field(default_factory=dict)
    """What has been booked, or matched, of each order."""
    traded: dict[Holding, tuple[Decimal, Decimal]] = field(default_factory=dict)
    """What has been booked as bought and as sold, matched fills left out."""
    written_off: set[Holding] = field(default_factory=set)
    rescaled: set[Holding] = field(default_factory=set)
    suspended: dict[Holding, datetime] = field(default_factory=dict)
    fractions: set[str] = field(default_factory=set)
    """Positions of which a fraction was told that no order can close."""
    breaks: dict[BreakId, Listed] = field(default_factory=dict)
    taken: dict[RequestId, int] = field(default_factory=dict)
    """Requests taken and not done, with the epoch that took them."""
    asked: dict[RequestId, j.RequestTaken] = field(default_factory=dict)
    done: dict[RequestId, j.RequestDone] = field(default_factory=dict)
    began: bool = False
    last_at: datetime | None = None
    """Of the last entry."""
    put_back: int = 0
    """How often the guard's clock was: what waits begins to wait anew."""
    put_ahead: int = 0
    """How often it was, by so much that no commit takes as long: of a wait under way it has counted nothing."""
    ahead: timedelta | None = None
    """Of the true time, by the last entry."""
    head: int = 0
    epoch: int = 0

    # --- asking ---------------------------------------------------------------------------------

    def lots_at(self, holding: Holding) -> list[Lot]:
        return list(self.at.get(holding, {}).values())

    def net(self, holding: Holding) -> Decimal:
        """L: what the entries explain, with what reports by id prove filled."""
        total = self.booked_net(holding)
        for intent in self.intents_at.get(holding, {}).values():
            total += intent.excess * intent.fact.terms.side.sign + self._excess_of_legs(intent)
        return total

    def _excess_of_legs(self, intent: Intent) -> Decimal:
        """Signed."""
        return sum(
            (max(filled - self.booked.get(id, ZERO), ZERO) * sign for id, (filled, sign) in intent.legs.items()), ZERO
        )

    def booked_net(self, holding: Holding) -> Decimal:
        """As `net`, without what is not booked yet."""
        held = sum((lot.held * lot.sign for lot in self.at.get(holding, {}).values()), ZERO)
        return held + self.acknowledged.get(holding, ZERO)

    def proven(self, holding: Holding, sign: int) -> Decimal:
        """What positions of one sign hold by fills, booked or read by id, whatever others hold the other way."""
        total = sum((lot.held for lot in self.at.get(holding, {}).values() if lot.sign == sign), ZERO)
        own = self.intents_at.get(holding, {}).values()
        return total + sum((each.excess for each in own if each.fact.terms.side.sign == sign), ZERO)

    def held(self, lot: Lot) -> Decimal:
        """All that a position holds by fills, booked or read by id."""
        own = self.of.get(lot.id, ())
        return lot.held + sum((each.excess * each.fact.terms.side.sign * lot.sign for each in own), ZERO)

    def closable(self, lot: Lot) -> Decimal:
        """What is to be closed of a position: all it holds but what shall remain."""
        return self.held(lot) - (lot.closing.remain if lot.closing is not None else ZERO)

    def unsettled(self) -> list[Intent]:
        return [each for kept in self.intents_at.values() for each in kept.values() if not each.is_known]

    def working(self, holding: Holding) -> list[Intent]:
        return [each for each in self.intents_at.get(holding, {}).values() if each.fate is not Fate.OVER]

    # --- changing -------------------------------------------------------------------------------

    def put(self, lot: Lot) -> None:
        self.lots[lot.id] = lot
        self.at.setdefault(lot.holding, {})[lot.id] = lot

    def drop(self, id: PositionId) -> None:
        lot = self.lots.get(id)
        if lot is not None:
            lot.over = True
            self.at[lot.holding].pop(id, None)

    def file(self, intent: Intent) -> None:
        """Keep an intent where it is looked for as long as anything can come of it."""
        kept = self.intents_at.setdefault(intent.fact.holding, {})
        if intent.fate is Fate.OVER and not intent.excess and not self._excess_of_legs(intent):
            kept.pop(intent.fact.id, None)
        else:
            kept[intent.fact.id] = intent
