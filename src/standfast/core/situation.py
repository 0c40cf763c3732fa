"""Everything one look may use: the book, the evidence, the operator's rules, and the time.

Decisions take a `Situation` and nothing else, so that what they saw can be put down and asked again.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from standfast.core.book import Book
from standfast.core.policy import HeldBy, Policy, Rules
from standfast.model.breaks import BreakKind
from standfast.model.contract import Contract
from standfast.model.effects import Effect
from standfast.model.evidence import HeldReport, SingleRead, Snapshot
from standfast.model.greeks import Greeks
from standfast.model.ids import BrokerOrderId, EntryNumber, Holding, InstrumentId, PositionId
from standfast.model.instrument import Instrument
from standfast.model.journal import Fact
from standfast.model.option import option_contract
from standfast.model.order import ZERO, OrderReport
from standfast.model.position import Position
from standfast.model.quote import Quote
from standfast.model.settlement import settlement
from standfast.model.structure import BookedStructure
from standfast.model.tracked import Tracked

Outcome = Fact | Effect
Outcomes = Iterator[Outcome]
Figured = TypeVar("Figured")

UNEXPLAINED = frozenset({BreakKind.QUANTITY, BreakKind.SIDE})
"""Breaks in which the numbers themselves are in question. A row missing from a list is not one of them."""

LEG = Policy(name="leg of a structure", held_by=HeldBy.GUARD)
"""What is kept around a leg alone: nothing. Rules are those of the structure."""

QUOTES_FRESH = timedelta(seconds=15)
"""How old a quote may be for rules to be judged by it."""
NEW_YORK = ZoneInfo("America/New_York")
INDEX_OPTIONS_AFTER = timedelta(minutes=15)
"""How long after the close of the exchanges options on an index are still traded."""
VERDICT_LASTS = timedelta(seconds=5)
"""How long what a rule of the operator's own has said holds."""


@dataclass(frozen=True, slots=True)
class Sight:
    """The last two quotes of one holding: some judgements need two in a row."""

    quote: Quote
    before: Quote | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A rule of the operator's own wants a position closed: why, and when it said so."""

    detail: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    book: Book
    snapshot: Snapshot
    rules: Rules
    contract: Contract
    now: datetime
    instruments: Mapping[InstrumentId, Instrument] = field(default_factory=dict)
    orders_by_holding: Mapping[Holding, Sequence[OrderReport]] = field(default_factory=dict)
    """The last list of working orders, top level, by what they are about."""
    sights: Mapping[Holding, Sight] = field(default_factory=dict)
    good: Mapping[Holding, Quote] = field(default_factory=dict)
    """The last quote of each holding that could be used, however old it is."""
    greeks: Mapping[Holding, Greeks] = field(default_factory=dict)
    beyond_since: Mapping[PositionId, datetime] = field(default_factory=dict)
    """Since when the price has stood beyond a resting stop of a position, if it has."""
    busy: frozenset[Holding] = frozenset()
    """Holdings with an order effect under way, or with fills that are read and not all booked: facts about them are
    booked, nothing new is started."""
    booking: frozenset[Holding] = frozenset()
    """Holdings of which fills were read and are not all booked: nothing is decided of what never was."""
    asked: Mapping[str, datetime] = field(default_factory=dict)
    """When each order was last asked for by id; only spaces the questions."""
    heard: Mapping[str, datetime] = field(default_factory=dict)
    """When the last question about an order by id that was answered was asked."""
    failing: frozenset[str] = frozenset()
    """Kinds of read (`positions`, `orders`) whose last attempt failed."""
    quotes_fresh: timedelta = QUOTES_FRESH
    blind_since: datetime | None = None
    """Since when reads of the broker have failed, if they do."""
    blind_why: str = ""
    clock_ahead: timedelta = timedelta(0)
    """How far the broker's clock is ahead of ours, beyond what asking took."""
    clock_set_at: datetime | None = None
    """When our clock was last set while we ran, as it showed then: waits that began before it say nothing."""
    halted: bool = False
    """The loop has failed twice at the same entry: watch and alarm, do not act."""
    stranger: str = ""
    """The account the broker answers for, where that is not the ledger's."""
    singles: Mapping[Holding, SingleRead] = field(default_factory=dict)
    """The last answers about single holdings."""
    leaps: Mapping[Holding, Decimal] = field(default_factory=dict)
    """Price ratios from one tick to the next that are worth a look: a slide has none, however far it goes."""
    record: Tracked | None = None
    """The bot's own record, where one is watched."""
    verdicts: Mapping[PositionId, Verdict] = field(default_factory=dict)
    """What rules of the operator's own have said of positions."""
    session_close: Callable[[date], datetime | None] = lambda day: None
    """When the session of a day ends, early closes included; None for a day without one. Plans ahead only."""
    figured: dict[object, tuple[EntryNumber, Any]] = field(default_factory=dict, repr=False, compare=False)
    """What one look has figured already, and the book's head then: everything asks for it again (`once`)."""

    def once(self, key: object, figure: Callable[[], Figured]) -> Figured:
        """What `figure` gives, figured once for as long as the book stays as it is."""
        known, head = self.figured.get(key), self.book.state.head
        if known is None or known[0] != head:
            known = self.figured[key] = (head, figure())
        found: Figured = known[1]
        return found

    def policy(self, position: Position) -> Policy:
        if position.structure is not None:
            return LEG
        found = self.rules.policy(position.strategy, position.holding, self.instrument(position.holding).kind)
        found = found.with_stop(position.stop_loss)
        return found if self.contract.native_stops else replace(found, held_by=HeldBy.GUARD)

    def structure_policy(self, structure: BookedStructure) -> Policy:
        found = self.policy_of(structure.strategy, [leg.holding for leg in structure.legs])
        return found.with_stop(structure.stop_loss)

    def policy_of(self, strategy: str, legs: Sequence[Holding]) -> Policy:
        """Of what these legs are together: that of the shares among them, for these are what is at stake."""
        shares = next((each for each in legs if option_contract(each.instrument) is None), None)
        if shares is None or len(legs) == 1:
            return self.rules.policy(strategy, legs[0], "option")
        return self.rules.policy(strategy, shares, self.instrument(shares).kind)

    def instrument(self, holding: Holding) -> Instrument:
        return self.instruments.get(holding.instrument) or Instrument.assumed(holding.instrument)

    @property
    def may_act(self) -> bool:
        """Whether orders may be sent at all. Opening has its own gate; closing and protecting have only this."""
        return self.rules.sends and not self.halted and not self.stranger

    @property
    def why_not(self) -> str:
        """Why no order may be sent, and what would change that."""
        if self.stranger:
            return f"the account is halted: its keys are of {self.stranger}, its ledger is of {self.book.state.number}"
        if self.halted:
            return "the account is halted: it starts to act again with a new version, or after an act that is recorded"
        return f"mode is {self.rules.mode}: only repair sends orders"

    @property
    def broker_now(self) -> datetime:
        """What the broker's clock shows, as far as we know: fills, quotes and sessions are dated by it."""
        return self.now + self.clock_ahead

    @property
    def today(self) -> date:
        """The exchanges' day, by the broker's clock."""
        return self.broker_now.astimezone(NEW_YORK).date()

    @property
    def in_session(self) -> bool:
        """The broker's clock decides; between two reads of it, its own next close does."""
        clock = self.snapshot.clock
        return clock is not None and clock.is_open and self.broker_now < clock.next_close

    def trades(self, *holdings: Holding) -> bool:
        """Whether the regular session of all of these is on. Options on an index trade a quarter of an hour longer than
        what the broker's clock tells of, but for those that end that day."""
        return self.in_session or (bool(holdings) and all(map(self._trades_late, holdings)))

    def _trades_late(self, holding: Holding) -> bool:
        contract = option_contract(holding.instrument)
        if contract is None or not settlement(contract).cash or self.snapshot.clock is None:
            return False
        today = self.today
        close = self.session_close(today)
        if close is None or not close <= self.broker_now < close + INDEX_OPTIONS_AFTER:
            return False
        ahead = (contract.expiry - today).days
        if not settlement(contract).at_open:
            return ahead > 0
        return any(self.session_close(today + timedelta(days=days)) is not None for days in range(1, ahead))

    def is_explained(self, holding: Holding) -> bool:
        """Whether a price rule may be judged: the quantity is not in doubt, and no split-like jump is looked into."""
        if holding in self.book.state.suspended:
            return False
        return not any(found.confirmed and found.finding.kind in UNEXPLAINED for found in self.book.breaks_at(holding))

    def verdict(self, position: PositionId) -> Verdict | None:
        """What a rule of the operator's own has said of a position, while that holds."""
        said = self.verdicts.get(position)
        return said if said is not None and self.now - said.at < VERDICT_LASTS else None

    def by_our_clock(self, at: datetime) -> datetime:
        """A moment the broker has told, for a timer of ours."""
        return at - self.clock_ahead

    def reported(self, holding: Holding) -> HeldReport | None:
        read = self.snapshot.positions
        return read.rows.get(holding) if read is not None else None

    def reported_net(self, holding: Holding) -> Decimal:
        row = self.reported(holding)
        return row.quantity if row is not None else ZERO

    def is_settled(self, holding: Holding) -> bool:
        """Whether the last positions read can no longer be older than what we last learnt of this holding.

        Rule of evidence 2: a read may be as stale as the broker declares, so it must begin that much later.
        """
        read, moved = self.snapshot.positions, self.book.state.moved_at.get(holding)
        if read is None or read.began > self.now:  # of before the clock was put back
            return False
        return moved is None or read.began >= self.surely(moved) + self.contract.staleness

    def surely(self, at: datetime) -> datetime:
        """Since when at least as much time has passed as our clock shows: it may have been set forward after `at`."""
        return at if self.clock_set_at is None else max(at, self.clock_set_at)

    def net_by_name(self, holding: Holding) -> Decimal | None:
        """What the broker said when asked for this holding alone, if that can be compared with the book now."""
        single = self.singles.get(holding)
        if single is None or single.asked_after < self.book.touched(holding):
            return None
        return single.net if self.now - single.began < self.contract.staleness else None

    def is_comparable(self, holding: Holding) -> bool:
        """Whether the last positions read was asked for after everything the book knows of this holding."""
        return self.snapshot.positions is not None and self.snapshot.positions_asked_after >= self.book.touched(holding)

    def was_asked_lately(self, kind: str, within: timedelta = timedelta(seconds=1)) -> bool:
        """Whether a read of this kind (`positions`, `activities`) began so short a time ago: spaces the questions."""
        asked = self.asked.get(f"read {kind}")
        return asked is not None and self.now - asked < within

    def was_asked_lately_to_cancel(self, broker_id: BrokerOrderId) -> bool:
        """Whether a cancel of an order not in the books went out in the last two seconds."""
        asked = self.asked.get(f"cancel {broker_id}")
        return asked is not None and self.now - asked < timedelta(seconds=2)

    def orders_listed_after(self, number: int) -> bool:
        return self.snapshot.orders is not None and self.snapshot.orders_asked_after >= number
