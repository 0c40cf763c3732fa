"""Graded reads of one account, each kind on its own rhythm, at most one of a kind under way.

A failed read is absent, never empty: the last good one stays, and how long it has been so is known. A read that
is asked for while one runs is made again afterwards, because the running one may have begun too early.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import chain, groupby

import structlog

from standfast.core.acknowledge import is_shown
from standfast.core.fills import book_fill, bookable, is_known
from standfast.core.furthered import is_furthered
from standfast.core.movements import book_movements, turn_of
from standfast.core.put_back import STEP
from standfast.core.totals import fills_of
from standfast.model.booked import BookedOrder
from standfast.model.effects import Urgency
from standfast.model.errors import BrokerError, Unauthorised
from standfast.model.evidence import OrdersRead, Snapshot
from standfast.model.ids import BrokerOrderId, Holding
from standfast.model.journal import Fact, OrderObserved, SessionSeen, WatermarkMoved
from standfast.model.order import Fill, Movement, OrderReport, says_more
from standfast.ports import Hurries
from standfast.runtime.bell import Bell
from standfast.runtime.kind import Kind
from standfast.runtime.ledger import Ledger
from standfast.runtime.lookups import Lookups
from standfast.runtime.money import Money
from standfast.runtime.timers import Spaced

log = structlog.get_logger("standfast.reader")

SPACING = 0.05
"""Seconds between two reads of a kind, however often they are asked for."""
FAILING = timedelta(seconds=10)
"""Reads failing for this long make the account blind."""
UNKNOWN_ORDERS_MAX = 50
"""Orders behind fills read by id in one pass; the rest follow in the next."""


class Reader:
    """Keeps `snapshot` as fresh as the rules ask, books fills, and marks what changed."""

    def __init__(self, ledger: Ledger, changed: Callable[[set[Holding]], None]) -> None:
        self.ledger = ledger
        self.broker, self.clock, self.rules = ledger.broker, ledger.clock, ledger.rules
        self._hurries = self.broker if isinstance(self.broker, Hurries) else None
        self.snapshot = Snapshot()
        self.orders_by_holding: dict[Holding, tuple[OrderReport, ...]] = {}
        self.booking: frozenset[Holding] = frozenset()
        """Holdings of which fills have been read and are being booked: half of them tell what never was."""
        self.lookups = Lookups(ledger, changed)
        self.asked = self.lookups.asked
        self.money = Money(ledger, self.lookups.whose)
        self._changed = changed
        self.failing: frozenset[str] = frozenset()
        """Kinds whose last attempt failed."""
        self._missed: dict[BrokerOrderId, OrderReport] = {}
        """Exits of others that the last list leaves out, and that no reading by id has found finished."""
        self._looking_over = Spaced(ledger.clock)
        """What is under way names its own moments; should one be missed, a list in so long brings a look."""
        self.kinds = {
            "positions": self._kind("positions", lambda: self.rules.every.positions, self._positions),
            "orders": self._kind("orders", lambda: self.rules.every.orders, self._orders),
            "activities": self._kind("activities", lambda: self.rules.every.fills, self._activities),
            "clock": self._kind("clock", self._until_session_changes, self._clock),
            "account": self._kind("account", lambda: max(self.rules.every.full, timedelta(seconds=30)), self._account),
        }

    def _kind(self, name: str, every: Callable[[], timedelta], read: Callable[[int], Awaitable[None]]) -> Kind:
        return Kind(name=name, every=every, read=read, wanted=Bell())

    def want(self, kind: str, urgency: int = Urgency.VERIFY) -> None:
        """Ask for a read that begins after now."""
        wanted = self.kinds[kind]
        wanted.urgency = min(wanted.urgency, urgency)
        wanted.wanted.ring()
        if wanted.is_steady and urgency < Urgency.READ and self._hurries is not None:
            self._hurries.hurry()  # one that waits for its share of the requests is in the way

    def note_cancel(self, broker_id: BrokerOrderId) -> None:
        """A cancel is going out: remember when, and look at the list again."""
        self.lookups.note_asked(f"cancel {broker_id}")
        self.want("orders")

    def clock_was_set(self) -> None:
        """No read was asked for, or fails since, a time that is to come; how far ours is off the broker has to say."""
        for kind in self.kinds.values():
            kind.failed_since = kind.failed_since and min(kind.failed_since, self.clock.now())
        self.lookups.forget()
        self.want("clock")

    def want_everything(self) -> None:
        for kind in self.kinds.values():
            kind.wanted.ring()

    async def run(self, kind: Kind) -> None:
        """Read one kind for ever, by its rhythm and on demand."""
        while True:
            kind.wanted.hush()
            await self.attempt(kind)
            ended = self.clock.monotonic()
            if await kind.wanted.heard(self.clock, max(kind.every().total_seconds(), SPACING)):
                await self.clock.sleep(max(0.0, ended + SPACING - self.clock.monotonic()))

    async def attempt(self, kind: Kind) -> bool:
        """One read; a failure is noted and evidence of nothing."""
        began = self.asked[f"read {kind.name}"] = self.clock.now()
        urgency, kind.urgency = kind.urgency, Urgency.READ
        kind.is_steady = urgency == Urgency.READ
        try:
            self.lookups.whose.must_be_ours(kind.name)
            await kind.read(urgency)
        except BrokerError as error:
            kind.urgency = min(kind.urgency, urgency)  # whoever waits for it waits still
            kind.failed_since = kind.failed_since or began
            self.failing |= {kind.name}
            kind.failure = f"{type(error).__name__}: {error}"
            log.warning("read failed", kind=kind.name, error=kind.failure, unauthorised=isinstance(error, Unauthorised))
            return False
        finally:
            kind.is_steady = False
        kind.succeeded_at, kind.failed_since, kind.failure = self.clock.now(), None, ""
        if kind.name in self.failing:
            self.failing -= {kind.name}
        return True

    @property
    def has_tried_everything(self) -> bool:
        """Whether every kind has been read once, or has failed."""
        return all(kind.succeeded_at is not None or kind.failed_since is not None for kind in self.kinds.values())

    @property
    def has_read_everything(self) -> bool:
        return all(kind.succeeded_at is not None for kind in self.kinds.values())

    @property
    def blind_since(self) -> datetime | None:
        """Since when something we cannot do without has not been read, once it has lasted."""
        if not self.failing:
            return None
        now = self.clock.now()
        failing = [self.kinds[name].failed_since for name in ("positions", "orders", "activities", "clock")]
        since = min((at for at in failing if at is not None), default=None)
        return since if since is not None and now - since >= FAILING else None

    @property
    def blind_why(self) -> str:
        return "; ".join(f"{kind.name}: {kind.failure}" for kind in self.kinds.values() if kind.failed_since)

    # --- the reads ------------------------------------------------------------------------------

    async def _positions(self, urgency: int) -> None:
        asked_after = self.ledger.book.head
        read = await self.broker.positions(urgency=urgency)
        before = self.snapshot.positions_asked_after
        self.snapshot = replace(self.snapshot, positions=read, positions_asked_after=asked_after)
        self._changed(self._worth_a_look("positions", read.changed, before))

    def _worth_a_look(self, read: str, changed: Iterable[Holding], before: int) -> set[Holding]:
        """What differs, what has an open break that this read may bring further, and what could not be compared last
        time."""
        book = self.ledger.book
        found = set(changed)
        for holding, ids in book.breaks_on.items():
            if holding is not None and any(is_furthered(self.rules, book.state.breaks[id], read) for id in ids):
                found.add(holding)
        found.update(book.touched_since(before))
        return found

    async def _orders(self, urgency: int) -> None:
        asked_after = self.ledger.book.head
        read = await self.lookups.judge.own_rows(await self.broker.working_orders(urgency=urgency))
        before, changed = self.snapshot.orders_asked_after, self._index_orders(read)
        self.snapshot = replace(self.snapshot, orders=read, orders_asked_after=asked_after)
        await self._observe_listed(read)
        await self._ask_for_missed()
        is_due = self._looking_over.is_due(self.rules.every.orders)
        under_way = self.ledger.book.under_way(may_cover=self.rules.sends) if is_due else ()
        self._changed(self._worth_a_look("orders", changed, before).union(under_way))

    def _index_orders(self, read: OrdersRead) -> set[Holding]:
        before = self.snapshot.orders
        if before is not None and not read.changed:
            return set()
        self._miss(read, before)
        grouped: defaultdict[Holding, list[OrderReport]] = defaultdict(list)
        for report in (*read.orders.values(), *self._missed.values()):
            grouped[report.holding].append(report)
        changed = set(grouped) ^ set(self.orders_by_holding)
        changed.update(
            report.holding
            for broker_id in read.changed
            for report in (read.orders.get(broker_id), before.orders.get(broker_id) if before else None)
            if report is not None
        )
        self.orders_by_holding = {holding: tuple(reports) for holding, reports in grouped.items()}
        return changed

    def _miss(self, read: OrdersRead, before: OrdersRead | None) -> None:
        """An exit of somebody else that a list leaves out still counts as cover: its absence is only a question."""
        for broker_id in sorted(read.changed):
            was = before.orders.get(broker_id) if before is not None else None
            if broker_id in read.orders:
                self._missed.pop(broker_id, None)
            elif was is not None and self._may_protect(was):
                self._missed[broker_id] = was

    def _may_protect(self, report: OrderReport) -> bool:
        """Whether it is on the closing side of a position we guard, and tied to none (those are asked for anyway)."""
        book = self.ledger.book
        known = book.order_by_broker(report.broker_id)
        if (known is not None and known.position is not None) or report.broker_id in book.state.retired:
            return False
        return any(report.side.sign != position.sign for position in book.guarded_at(report.holding))

    async def _ask_for_missed(self) -> None:
        """By id, until the broker says what became of them. No answer leaves them as they were."""
        for broker_id, was in list(self._missed.items()):
            try:
                report = await self.lookups.ask(broker_id=broker_id)
            except BrokerError as error:
                log.warning("a missed exit is not read", order=broker_id, error=f"{type(error).__name__}: {error}")
                continue
            if report is not None and not report.is_finished and self._may_protect(report):
                self._missed[broker_id] = report
                continue
            del self._missed[broker_id]
            listed = self.orders_by_holding.get(was.holding, ())
            kept = tuple(each for each in listed if each.broker_id != broker_id)
            self.orders_by_holding = {**self.orders_by_holding, was.holding: kept}
            self._changed({was.holding})

    async def _observe_listed(self, read: OrdersRead) -> None:
        """What the list shows of orders we know is worth booking when it says something new."""
        facts: list[Fact] = []
        for broker_id in sorted(read.changed):
            report = read.orders.get(broker_id)
            known = self.ledger.book.order_by_broker(broker_id) if report is not None else None
            if report is None or known is None or known.is_finished:
                continue
            if says_more(known.report, report) or self.lookups.legs_say_more(report):
                facts.append(OrderObserved(report=report, position=known.position, role=known.role))
        await self.ledger.record(facts)

    async def _clock(self, urgency: int) -> None:
        began, set_at = self.ledger.now(), self.ledger.steps.last
        was_ahead = self.ledger.clock_ahead
        read = await self.broker.clock()
        ended = self.ledger.now()
        if self.ledger.steps.last == set_at:  # else it says nothing of the time between; it is asked for again
            self.ledger.note_broker_time(read.at, began, ended)
        is_stepped = abs(self.ledger.clock_ahead - was_ahead) > STEP
        before = self.snapshot.clock
        self.snapshot = replace(self.snapshot, clock=read)
        seen = self.ledger.book.state.session
        fact = SessionSeen(is_open=read.is_open, next_open=read.next_open, next_close=read.next_close)
        noted_at = self.ledger.book.state.at
        is_put_back = noted_at is not None and ended < noted_at - STEP
        if seen != fact or is_put_back:  # an entry of now puts the book's times right (`core/put_back.py`)
            await self.ledger.record([fact])
        if before is None or before.is_open != read.is_open or is_stepped:  # moments were named by another clock
            self._changed(set(self.ledger.book.holdings()))

    def _until_session_changes(self) -> timedelta:
        """Half a minute, or until the session's next edge when that is nearer."""
        clock, now = self.snapshot.clock, self.ledger.now() + self.ledger.clock_ahead
        usual = timedelta(seconds=30)
        if clock is None:
            return timedelta(seconds=1)
        edge = (clock.next_close if clock.is_open else clock.next_open) - now
        return min(usual, max(edge, timedelta(milliseconds=200)))

    async def _account(self, urgency: int) -> None:
        read = await self.money.read()  # first: what is read meanwhile must not be put back
        self.snapshot = replace(self.snapshot, account=read)

    # --- fills and movements --------------------------------------------------------------------

    async def _activities(self, urgency: int) -> None:
        book, began = self.ledger.book, self.clock.monotonic()
        asked_after = book.head
        read = await self.broker.activities(book.state.watermark, urgency=urgency)
        told = (*read.fills, *fills_of(book, read.totals))
        fresh = sorted(
            (fill for fill in told if fill.execution_id not in book.state.executions), key=lambda fill: fill.at
        )
        whole = await self._observe_strangers(fresh)
        fills = await self.lookups.judge.own_fills(fresh)
        whole = whole and len(fills) == len(fresh)
        known = fills if whole else list(bookable(book, fills))
        movements = await self.lookups.judge.own_movements(read.movements)
        self.booking = frozenset(fill.holding for fill in known)
        try:
            await self._book_in_turn(known, movements)
        finally:
            self.booking = frozenset()
            self._changed({fill.holding for fill in known})  # nothing was decided about them meanwhile
        if whole and len(movements) == len(read.movements):
            if read.watermark != book.state.watermark:
                await self.ledger.record([WatermarkMoved(watermark=read.watermark)])
            self.snapshot = replace(self.snapshot, cash=self.money.booked(began) or self.snapshot.cash)
        if whole:
            self.snapshot = replace(self.snapshot, activities_asked_after=asked_after)
            self._changed({fill.holding for fill in fills})

    async def _book_in_turn(self, fills: list[Fill], movements: Sequence[Movement]) -> None:
        """Fills and what no order made, each in its turn: a split is of what was held then."""
        turns = ((turn_of(self.ledger.book, each, fills, movements), each) for each in movements)
        for turn, rows in groupby(sorted(turns, key=lambda each: each[0]), key=lambda each: each[0]):
            await self._book([fill for fill in fills if (fill.at, 1) < turn])
            fills = [fill for fill in fills if (fill.at, 1) > turn]
            async with self.ledger.deciding:
                await self.ledger.record(list(book_movements(self.ledger.book, [row for _, row in rows])))
        await self._book(fills)

    async def _observe_strangers(self, fills: list[Fill]) -> bool:
        """Read by id the orders behind fills that are not in the book, with their legs. False: not all could be.

        One that cannot be read holds up its own fills, and those that `bookable` lets wait; so does the watermark.
        """
        book = self.ledger.book
        for holding in sorted({fill.holding for fill in fills if not is_known(book, fill)}):
            await self._learn_own_legs(holding)
        strangers = {fill.broker_order_id: fill for fill in reversed(fills) if not is_known(book, fill)}
        whole = len(strangers) <= UNKNOWN_ORDERS_MAX
        for broker_id, fill in list(reversed(strangers.items()))[:UNKNOWN_ORDERS_MAX]:
            if self.ledger.book.order_by_broker(broker_id) is None:  # else a leg of one just read
                whole = await self._observe_stranger(fill) and whole
        return whole

    async def _learn_own_legs(self, holding: Holding) -> None:
        """Read those orders of ours that a nameless fill may belong to: whose outcome is open, and whose legs we do not
        know yet, because a leg does not say whose it is, its parent does."""
        orders = self.ledger.book.orders_on(holding)
        parents = {order.parent for order in orders}
        for order in orders:
            if order.is_own and not order.is_settled:
                whole = self.ledger.book.state.orders.get(order.parent) if order.parent is not None else None
                await self._look_for_own(whole or order)
            has_legs = order.terms is not None and (order.terms.target_price or order.terms.attached_stop) is not None
            if has_legs and order.id not in parents:
                await self.lookups.query(broker_id=order.broker_id, client_id=order.id)

    async def _look_for_own(self, order: BookedOrder) -> None:
        """One of ours whose answer has not come: found, it is known by its broker's id from then on."""
        try:
            report = await self.lookups.ask(client_id=order.id)
        except BrokerError as error:
            log.warning("an order of ours is not read", order=order.id, error=f"{type(error).__name__}: {error}")
            return
        if report is not None:
            await self.ledger.record([self.lookups.observed(report)])

    async def _observe_stranger(self, fill: Fill) -> bool:
        broker_id, filled_at = fill.broker_order_id, fill.at
        try:
            report = await self.lookups.stranger(broker_id)
        except BrokerError as error:
            log.warning(
                "the order behind a fill is not read", order=broker_id, error=f"{type(error).__name__}: {error}"
            )
            return False
        if report is None:
            log.warning("a fill names an order the broker does not know", order=broker_id)
            # It may be an answer of before the order: booked as nobody's, one of ours would count twice.
            broker_now = self.ledger.now() + self.ledger.clock_ahead
            return broker_now - filled_at >= self.broker.contract.staleness
        judge = self.lookups.judge
        if not await judge.is_behind(fill, report) or judge.may_be_ours(report):
            return False  # one that may be ours is asked for by its own id until its fate is known
        await self.ledger.record([self.lookups.observed(report)])
        return True

    async def _book(self, fills: list[Fill]) -> None:
        """Book fills in their order; those of different holdings go into one commit."""
        while fills:
            firsts = list({fill.holding: fill for fill in reversed(fills)}.values())
            async with self.ledger.deciding:
                batch = list(chain.from_iterable(self._facts_of(fill) for fill in firsts))
                await self.ledger.record(batch)
            booked = {fill.execution_id for fill in firsts}
            fills = [fill for fill in fills if fill.execution_id not in booked]

    def _facts_of(self, fill: Fill) -> Iterator[Fact]:
        book, later = self.ledger.book, self.ledger.clock_ahead - self.broker.contract.staleness
        shown = is_shown(book, fill, self.snapshot.positions, later=later)
        return book_fill(book, self.rules, fill, is_shown=shown)
