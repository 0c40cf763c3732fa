"""The book: everything we know about one account, as a fold of its journal.

`core/fold.py` is the only way state comes to be. It never judges and never fails on a fact from the broker:
it puts the fact where it belongs. Equal journals give equal books, so a book can be thrown away and rebuilt,
and a saved one (`state`) is only a shortcut.

1. Every quantity comes from a fill or an adoption, each counted once (by execution id).
2. A closed position's numbers do not change, except by `Undone`.
3. `touched` names the last entry about each holding; a read asked for before it cannot be compared.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import chain

from standfast.core.alive import Alive
from standfast.core.forget import CLOSED_KEPT, HOLDINGS_KEPT, RETIRED_KEPT, remember, shorten
from standfast.core.kept import CashKept as CashKept
from standfast.core.kept import Cost as Cost
from standfast.core.kept import Earned as Earned
from standfast.core.kept import LastFill as LastFill
from standfast.core.kept import Lately as Lately
from standfast.core.kept import Refusal as Refusal
from standfast.core.kept import Said as Said
from standfast.model.alert import Alert
from standfast.model.booked import BookedOrder
from standfast.model.breaks import Break
from standfast.model.ids import (
    AccountId,
    AlertId,
    BreakId,
    BrokerOrderId,
    ClientOrderId,
    EntryNumber,
    ExecutionId,
    Holding,
    PositionId,
    RequestId,
    structure_holding,
)
from standfast.model.journal import FlattenRequested, Frozen, GuardingBegan, RequestTaken, SessionSeen
from standfast.model.order import ZERO, Movement, Role
from standfast.model.position import Bare, Interval, Phase, Position
from standfast.model.structure import LEGS_MAX, BookedStructure


@dataclass(slots=True, kw_only=True)
class BookState:
    """The plain data of a book: what is saved. Indexes are rebuilt from it."""

    account: AccountId
    head: EntryNumber = EntryNumber(0)
    at: datetime | None = None
    started_at: datetime | None = None
    began: GuardingBegan | None = None
    began_at: datetime | None = None
    """By our clock; what was held then is in the fact."""
    number: str = ""
    """Which account of the broker it is of, as the broker numbers it; empty where it does not, or is not known yet."""
    mode: str = ""
    version: str = ""
    last_act: EntryNumber = EntryNumber(0)
    """The last entry that was not about the guard itself."""
    failed_at: EntryNumber = EntryNumber(0)
    failures: int = 0
    """How often in a row the loop failed with nothing but that entry behind it."""
    watermark: str = ""
    session: SessionSeen | None = None
    cash: CashKept = field(default_factory=CashKept)
    positions: dict[PositionId, Position] = field(default_factory=dict)
    closed: dict[PositionId, Position] = field(default_factory=dict)
    structures: dict[PositionId, BookedStructure] = field(default_factory=dict)
    """What ties positions together that are legs of one; each leg is among the positions."""
    closed_structures: dict[PositionId, BookedStructure] = field(default_factory=dict)
    orders: dict[ClientOrderId, BookedOrder] = field(default_factory=dict)
    retired: dict[BrokerOrderId, PositionId] = field(default_factory=dict)
    costs: dict[Holding, Cost] = field(default_factory=dict)
    lately: dict[Holding, Lately] = field(default_factory=dict)
    said: dict[Holding, tuple[Said, ...]] = field(default_factory=dict)
    """What was booked of each before it last changed, oldest first."""
    acknowledged: dict[Holding, Decimal] = field(default_factory=dict)
    bare: dict[Holding, Bare] = field(default_factory=dict)
    """What was acknowledged from a read, and still lacks fills."""
    filled: dict[Holding, LastFill] = field(default_factory=dict)
    executions: dict[ExecutionId, datetime] = field(default_factory=dict)
    totals: dict[BrokerOrderId, Cost] = field(default_factory=dict)
    """What is booked of each order whose broker tells only how much it has filled in all, and its value."""
    movements: dict[str, datetime] = field(default_factory=dict)
    moves: dict[Holding, list[Movement]] = field(default_factory=dict)
    """Quantity that came or went by no trade, until the books say the same."""
    split_rows: dict[Holding, list[Movement]] = field(default_factory=dict)
    """Rows of a split whose other half has not come yet."""
    rescaled: dict[str, Decimal] = field(default_factory=dict)
    """Splits booked, by the id of their first row."""
    split_at: dict[Holding, datetime] = field(default_factory=dict)
    inferred: dict[str, Movement] = field(default_factory=dict)
    attempts: dict[str, int] = field(default_factory=dict)
    refusals: dict[PositionId, Refusal] = field(default_factory=dict)
    edits: dict[PositionId, Refusal] = field(default_factory=dict)
    """Exits of ours that somebody else cancelled, in a row."""
    breaks: dict[BreakId, Break] = field(default_factory=dict)
    ended_breaks: dict[BreakId, Break] = field(default_factory=dict)
    alerts: dict[AlertId, Alert] = field(default_factory=dict)
    frozen: dict[str, Frozen] = field(default_factory=dict)
    suspended: dict[Holding, str] = field(default_factory=dict)
    suspended_at: dict[Holding, datetime] = field(default_factory=dict)
    requests: dict[RequestId, RequestTaken] = field(default_factory=dict)
    flattening: dict[RequestId, FlattenRequested] = field(default_factory=dict)
    keys: dict[str, PositionId] = field(default_factory=dict)
    openings: list[datetime] = field(default_factory=list)
    touched: dict[Holding, EntryNumber] = field(default_factory=dict)
    moved_at: dict[Holding, datetime] = field(default_factory=dict)
    """When an order or a fill last changed what is known of a holding."""


class Book:
    """Read by decisions, changed by the fold alone."""

    def __init__(self, state: BookState) -> None:
        self.state = state
        self.at_holding: defaultdict[Holding, dict[PositionId, Position]] = defaultdict(dict)
        """The positions themselves: every look asks for those of a holding many times."""
        self.orders_at: defaultdict[Holding, dict[ClientOrderId, None]] = defaultdict(dict)
        self.orders_of: defaultdict[PositionId, dict[ClientOrderId, None]] = defaultdict(dict)
        self.alive = Alive(state.orders, self.orders_of, self.orders_at)
        self.by_broker: dict[BrokerOrderId, ClientOrderId] = {}
        self.exceeding: set[ClientOrderId] = set()
        """Orders that have filled more than is booked: nearly always none, and then sums need not ask every order."""
        self.breaks_on: defaultdict[Holding | None, dict[BreakId, None]] = defaultdict(dict)
        for found in state.breaks.values():
            self.breaks_on[found.finding.holding][found.id] = None
        self.moved: set[Holding] = set()
        """Holdings that entries have changed since somebody last took them from here to look at."""
        for position in state.positions.values():
            self.at_holding[position.holding][position.id] = position
        for order in state.orders.values():
            self.index_order(order)

    @classmethod
    def empty(cls, account: AccountId) -> "Book":
        return cls(BookState(account=account))

    @property
    def account(self) -> AccountId:
        return self.state.account

    @property
    def head(self) -> EntryNumber:
        return self.state.head

    # --- reading --------------------------------------------------------------------------------

    def positions_at(self, holding: Holding) -> list[Position]:
        """Positions of this holding that are not closed, oldest first."""
        found = self.at_holding.get(holding)
        return list(found.values()) if found is not None else []

    def guarded_at(self, holding: Holding) -> list[Position]:
        found = self.at_holding.get(holding)
        return [position for position in found.values() if position.is_guarded] if found is not None else []

    def structures_at(self, holding: Holding) -> list[Holding]:
        """Where the structures are looked at that have a leg here."""
        positions = self.at_holding.get(holding, {}).values()
        return [structure_holding(each.structure) for each in positions if each.structure is not None]

    def orders_for(self, position: PositionId) -> list[BookedOrder]:
        """Orders tied to this position, own and foreign, in the order they became known."""
        orders = self.state.orders
        return [orders[id] for id in self.orders_of.get(position, ())]

    def orders_on(self, holding: Holding) -> list[BookedOrder]:
        orders = self.state.orders
        return [orders[id] for id in self.orders_at.get(holding, ())]

    def orders_of_whole(self, order: BookedOrder) -> list[BookedOrder]:
        """The legs of an order for a whole structure; they come right after it."""
        named = (ClientOrderId(f"{order.id}.{place}") for place in range(LEGS_MAX))
        return [self.state.orders[id] for id in named if id in self.state.orders]

    def order_by_broker(self, broker_id: BrokerOrderId) -> BookedOrder | None:
        client_id = self.by_broker.get(broker_id)
        return self.state.orders.get(client_id) if client_id is not None else None

    def held(self, position: Position) -> Decimal:
        """Unsigned quantity that is held beyond doubt: booked fills, and what an order read by id says is filled."""
        late = self._exceeding(position)
        if not late:
            return position.held
        opens = sum((excess for order, excess in late if order.side.sign == position.sign), ZERO)
        closes = sum((excess for order, excess in late if order.side.sign != position.sign), ZERO)
        if opens:  # it meets what is held the other way first, as its fills will when they are booked
            known = self.state.acknowledged.get(position.holding, ZERO) * -position.sign
            others = (each.held for each in self.positions_at(position.holding) if each.sign != position.sign)
            opens = max(opens - sum(others, max(known, ZERO)), ZERO)
        return position.held + opens - closes

    def _exceeding(self, position: Position) -> Sequence[tuple[BookedOrder, Decimal]]:
        """Orders that have filled more for it than is booked, and how much."""
        if not self.exceeding:
            return ()
        alone = [(each, each.excess) for each in self.orders_for(position.id) if each.excess and not each.also]
        several = [each for id in sorted(self.exceeding) if position.id in (each := self.state.orders[id]).bounds]
        return [*alone, *((each, self._part_of_excess(each, position)) for each in several)]

    def _part_of_excess(self, order: BookedOrder, position: Position) -> Decimal:
        """What one for several positions has filled beyond what is booked is taken from them in turn."""
        left = order.excess
        for member in order.bounds:
            held = self.state.positions[member].held if member in self.state.positions else ZERO
            if member == position.id:
                return min(left, held)
            left -= min(left, held)
        return ZERO

    def entry_price(self, position: Position) -> Decimal | None:
        """Average price of what was opened, fills on their way included at their order's average price."""
        quantity, value = position.opened, position.entry_value
        for order, excess in self._exceeding(position):
            if order.side.sign == position.sign and order.report and order.report.average_price:
                quantity += excess
                value += excess * order.report.average_price
        return value / quantity if quantity else None

    def booked(self, holding: Holding) -> Decimal:
        """What is held beyond doubt: every position, foreign lots too, and what is acknowledged. Signed."""
        exact = self.state.acknowledged.get(holding, ZERO)
        for position in self.positions_at(holding):
            exact += position.net
            for order, excess in self._exceeding(position):
                exact += excess * order.side.sign
        return exact

    def net(self, holding: Holding) -> Interval:
        """What the broker may hold: what is booked, widened by doubt. Not by a resting exit: its fill would first be a
        difference, which is looked into."""
        low = high = self.booked(holding)
        for order in self.alive.at(holding):
            if order.widens and order.side.sign > 0:
                high += order.remaining
            elif order.widens:
                low -= order.remaining
        return Interval(low, high)

    def holdings(self) -> Iterator[Holding]:
        """Every holding the book has something to say about, in a fixed order."""
        known: set[Holding] = set(self.state.acknowledged)
        known.update(holding for holding, ids in self.at_holding.items() if ids)
        known.update(holding for holding, ids in self.orders_at.items() if ids)
        known.update(structure.holding for structure in self.state.structures.values())
        known.update(found.finding.holding for found in self.state.breaks.values() if found.finding.holding is not None)
        return iter(sorted(known))

    def next_attempt(self, position: PositionId, role: Role) -> int:
        return self.state.attempts.get(f"{position}/{role}", 0) + 1

    def touched(self, holding: Holding) -> EntryNumber:
        return self.state.touched.get(holding, EntryNumber(0))

    def touched_since(self, number: int) -> Iterator[Holding]:
        """Holdings that entries after this one were about, the latest first; costs what it yields."""
        for holding, last in reversed(self.state.touched.items()):
            if last <= number:
                return
            yield holding

    def under_way(self, *, may_cover: bool = True) -> Iterator[Holding]:
        """Holdings where something is to come to an end: an opening, a close, a cancel, an order in doubt, no cover
        (nobody ends that where no order may be sent)."""
        for position in self.state.positions.values():
            if position.phase is not Phase.OPEN or (may_cover and position.naked_since is not None):
                yield position.holding
        for structure in self.state.structures.values():
            if structure.closing is not None:
                yield structure.holding
        for order in chain.from_iterable(map(self.alive.at, list(self.orders_at))):
            if (order.cancel_at is not None or not order.is_settled) and not order.is_finished:
                yield order.holding

    def breaks_at(self, holding: Holding | None) -> list[Break]:
        """Open breaks about this holding (None: about the account), oldest first."""
        breaks = self.state.breaks
        return [breaks[id] for id in self.breaks_on.get(holding, ())]

    def take_moved(self) -> set[Holding]:
        moved, self.moved = self.moved, set()
        return moved

    # --- used by the fold -----------------------------------------------------------------------

    def touch(self, holding: Holding) -> None:
        """Something that a read must be newer than to be compared: an order, a fill, a quantity."""
        remember(self.state.touched, holding, self.state.head, HOLDINGS_KEPT)  # in the order of the entries
        self.moved.add(holding)
        self.moved.update(self.structures_at(holding))

    def touch_quantity(self, holding: Holding) -> None:
        """As `touch`, for what an order or a fill did: a read that may be stale must begin well after it."""
        self.touch(holding)
        if self.state.at is not None:
            remember(self.state.moved_at, holding, self.state.at, HOLDINGS_KEPT)

    def put_position(self, position: Position) -> None:
        self.keep_position(position)
        self.touch(position.holding)

    def keep_position(self, position: Position) -> None:
        """As `put_position`, where nothing happened that anybody has to look at."""
        self.state.positions[position.id] = self.at_holding[position.holding][position.id] = position

    def put_order(self, order: BookedOrder) -> None:
        """An order as it is known now. Only news of its state or its fills may have moved a quantity."""
        known = self.state.orders.get(order.id)
        self.state.orders[order.id] = order
        self.alive.forget(known)
        self.index_order(order)
        if known is not None and (known.stage, known.filled, known.report) == (order.stage, order.filled, order.report):
            self.touch(order.holding)
        else:
            self.touch_quantity(order.holding)

    def index_order(self, order: BookedOrder) -> None:
        self.alive.forget(order)
        self.orders_at[order.holding][order.id] = None
        if order.position is not None:
            self.orders_of[order.position][order.id] = None
        if order.broker_id is not None:
            self.by_broker[order.broker_id] = order.id
        if order.excess:
            self.exceeding.add(order.id)
        else:
            self.exceeding.discard(order.id)

    def retire_orders(self, position: PositionId) -> None:
        """Forget finished, fully booked orders of a closed position, but not whose they were."""
        if position in self.state.positions or position in self.state.structures:
            return
        for order in self.orders_for(position):
            if order.is_finished and not order.excess:
                self.drop_order(order)
        if not self.orders_of.get(position):
            self.orders_of.pop(position, None)

    def untie_order(self, order: BookedOrder) -> None:
        """Before an order of a closed position is tied to another one."""
        self.alive.forget(order)
        if order.position is not None:
            self.orders_of[order.position].pop(order.id, None)

    def drop_order(self, order: BookedOrder) -> None:
        self.alive.forget(order)
        del self.state.orders[order.id]
        self.exceeding.discard(order.id)
        self.orders_at[order.holding].pop(order.id, None)
        if not self.orders_at[order.holding]:
            del self.orders_at[order.holding]
        if order.position is not None:
            self.orders_of[order.position].pop(order.id, None)
        if order.broker_id is not None:
            self.by_broker.pop(order.broker_id, None)
            if order.position is not None:
                self.state.retired[order.broker_id] = order.position
                shorten(self.state.retired, RETIRED_KEPT)

    def close_position(self, position: Position) -> None:
        del self.state.positions[position.id]
        self.at_holding[position.holding].pop(position.id, None)
        if not self.at_holding[position.holding]:
            del self.at_holding[position.holding]
        self.state.closed[position.id] = position
        self._forget_closed()
        self.state.refusals.pop(position.id, None)
        self.state.edits.pop(position.id, None)
        self.touch(position.holding)
        if position.structure is not None:
            self.moved.add(structure_holding(position.structure))
        self.retire_orders(position.id)

    def put_structure(self, structure: BookedStructure) -> None:
        self.state.structures[structure.id] = structure
        self.touch(structure.holding)

    def close_structure(self, structure: BookedStructure) -> None:
        del self.state.structures[structure.id]
        self.state.closed_structures[structure.id] = structure
        shorten(self.state.closed_structures, CLOSED_KEPT)
        self.touch(structure.holding)
        self.retire_orders(structure.id)

    def _forget_closed(self) -> None:
        """Let go of the positions closed longest ago, and of all that was kept for their sake."""
        closed = self.state.closed
        while len(closed) > CLOSED_KEPT:
            gone = closed.pop(next(iter(closed)))
            self.state.keys.pop(gone.key, None)
            for role in Role:
                self.state.attempts.pop(f"{gone.id}/{role}", None)
