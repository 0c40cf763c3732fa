"""The port `Broker` over one account at an exchange that ccxt knows.

Theory: ccxt signs, a `Venue` speaks and understands, this module keeps what was read and what was replaced.

Invariants
- A list is returned whole or not at all; `changed` names exactly what differs from the last one.
- A stop is replaced by placing the new one and only then cancelling the old: both may only reduce, so there is neither
  a moment without cover nor one in which both could do more than close. What may add is cancelled first, and the rest
  of it sent only when it is known to be over.
"""

import random
from collections.abc import AsyncGenerator, AsyncIterator, Hashable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeVar

from standfast.brokers.ccxt.dialects import Dialect, Rates, dialect_of
from standfast.brokers.ccxt.dialects import venue as venue_of
from standfast.brokers.ccxt.library import Access, Library, open_library
from standfast.brokers.ccxt.markets import Markets, Shelf
from standfast.brokers.ccxt.quote_stream import QuoteStream
from standfast.brokers.ccxt.stream import OrderStream
from standfast.brokers.ccxt.unified.quotes import WatchedQuotes
from standfast.brokers.shared.courier import Deadlines
from standfast.brokers.shared.sessions import Backoff
from standfast.brokers.shared.transport import Transport
from standfast.brokers.shared.wire import Wire
from standfast.model.contract import Contract
from standfast.model.effects import Turn, Urgency
from standfast.model.errors import BrokerError, Incomplete, Malformed, OutcomeUnknown, Rejected, Unreachable
from standfast.model.evidence import (
    AccountRead,
    ActivitiesRead,
    Guarded,
    HeldReport,
    MarketClock,
    OrdersRead,
    PositionsRead,
    Rights,
)
from standfast.model.ids import AccountId, BrokerOrderId, ClientOrderId, Holding, InstrumentId
from standfast.model.instrument import Instrument
from standfast.model.order import OrderReport, OrderState, Terms
from standfast.model.quote import Quote
from standfast.ports import BrokerEvent, Clock, Ticks

ALWAYS = datetime(2100, 1, 1, tzinfo=UTC)
"""When the market closes, and when it opens next: it does neither."""
REPLACED_MAX = 10_000
CLOCK = "clock"
"""The kind of a refusal that is about the time stamp of a request and nothing else."""
OVER_WITHIN = 3.0
"""Seconds in which a cancelled order has to be over before what takes its place is given up."""

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True, kw_only=True)
class CcxtSettings:
    account: AccountId
    access: Access
    shelf: Shelf
    """Of the exchange's markets, for all accounts there."""
    rate_share: float = 0.25
    rates: Rates | None = None
    """The exchange's own where none are given."""
    deadlines: Deadlines = field(default_factory=Deadlines)
    dialect: Dialect | None = None
    """The exchange's own where one is built, else ccxt's, if none is given."""
    seed: int = 0


class CcxtBroker:
    """Implements `ports.Broker`; its errors are the port's and no others."""

    def __init__(self, settings: CcxtSettings, *, clock: Clock, transport: Transport) -> None:
        self._settings = settings
        self._clock = clock
        self._transport = transport
        self._draw = random.Random(f"{settings.account}/{settings.seed}")
        self._library = open_library(settings.access, clock)
        dialect = settings.dialect or dialect_of(settings.access.id)
        self._venue = venue_of(
            self._library,
            dialect,
            settings.shelf,
            clock=clock,
            transport=transport,
            draw=self._draw,
            rate_share=settings.rate_share,
            rates=settings.rates,
            deadlines=settings.deadlines,
        )
        self._stream = OrderStream(self._library, self._venue, clock, self._draw)
        self._quote_stream = self._quotes_by(dialect)
        self._table: Markets | None = None
        self._instruments: dict[InstrumentId, Instrument] = {}
        self._held: dict[Holding, HeldReport] | None = None
        self._working: dict[BrokerOrderId, OrderReport] | None = None
        self._replaced: dict[BrokerOrderId, BrokerOrderId] = {}
        self._replaces: dict[BrokerOrderId, BrokerOrderId] = {}
        """Which order took the place of which, as far as this process did it; and the other way round."""

    @property
    def quotes_down(self) -> str:
        """Why no streamed quotes come; empty while they do."""
        return self._quote_stream.down

    @property
    def contract(self) -> Contract:
        return self._venue.contract

    async def instrument(self, instrument: InstrumentId) -> Instrument:
        found = await self._venue.instrument(instrument)
        self._table = await self._venue.markets()
        return self._cached(found)

    def known_instrument(self, instrument: InstrumentId) -> Instrument | None:
        found = self._venue.known_instrument(instrument)
        return None if found is None else self._cached(found)

    def _cached(self, found: Instrument) -> Instrument:
        known = self._instruments.get(found.id)
        if known is None or known != found:
            known = self._instruments[found.id] = found
        return known

    async def positions(self, *, urgency: int = Urgency.READ) -> PositionsRead:
        began = self._clock.now()
        before = self._held
        async with self._in_time():
            self._held = {each.holding: each for each in await self._venue.positions(urgency)}
        changed = _differing(before, self._held)
        return PositionsRead(rows=self._held, changed=changed, began=began, ended=self._clock.now())

    async def position(self, holding: Holding) -> Decimal:
        return await self._venue.position(holding)

    async def working_orders(self, *, urgency: int = Urgency.READ) -> OrdersRead:
        began = self._clock.now()
        before = self._working
        async with self._in_time():
            read = {each.broker_id: self._named(each) for each in await self._venue.working(urgency)}
        self._working = before if before == read else read
        assert self._working is not None, "read just now"
        changed = _differing(before, self._working)
        return OrdersRead(orders=self._working, changed=changed, began=began, ended=self._clock.now())

    async def order(
        self, *, broker_id: BrokerOrderId | None = None, client_id: ClientOrderId | None = None
    ) -> OrderReport | None:
        assert (broker_id is None) != (client_id is None), "one of the two ids"
        found = await self._venue.order(broker_id=broker_id or "", client_id=client_id or "")
        return self._named(found) if found is not None else None

    async def activities(self, watermark: str, *, urgency: int = Urgency.READ) -> ActivitiesRead:
        return await self._venue.activities(watermark, urgency)

    async def account(self) -> AccountRead:
        return await self._venue.account()

    async def rights(self) -> Rights:
        try:
            return await self._venue.rights()
        except BrokerError as error:
            return Rights(may_withdraw=None, detail=f"not told ({error})")

    async def guarded(self) -> Sequence[Guarded]:
        """What can and cannot be guarded on this exchange. Raises BrokerError."""
        streams = bool(self._library.has.get("watchOrders"))
        told = (
            "orders are streamed: a fill wakes the guard" if streams else "no order stream: fills are seen by polling"
        )
        return [*await self._venue.guarded(), Guarded("stream", ok=True, detail=told)]

    async def clock(self) -> MarketClock:
        return MarketClock(at=await self._venue.now(), is_open=True, next_open=ALWAYS, next_close=ALWAYS)

    async def quotes(self, holdings: Sequence[Holding]) -> Mapping[Holding, Quote]:
        found = await self._venue.quotes(sorted({each.instrument for each in holdings}))
        return {each: found[each.instrument] for each in holdings if each.instrument in found}

    async def submit(self, client_id: ClientOrderId, holding: Holding, terms: Terms, turn: Turn) -> OrderReport:
        with _before_it_leaves():
            async with self._in_time():
                return await self._venue.submit(client_id, holding, terms, turn)

    async def cancel(self, broker_id: BrokerOrderId, turn: Turn) -> None:
        with _before_it_leaves():
            async with self._in_time():
                await self._venue.cancel(broker_id, turn)

    async def replace(
        self, broker_id: BrokerOrderId, client_id: ClientOrderId, terms: Terms, turn: Turn
    ) -> OrderReport:
        with _before_it_leaves():
            old = await self._venue.order(broker_id=broker_id)
        if old is None:
            raise Rejected(f"order {broker_id} is not known to the exchange", kind="not_found", code="local")
        if old.is_finished:
            raise Rejected(f"order {broker_id} is {old.state}", kind="not_cancellable", code="local")
        if not terms.reduces or not old.closes:
            await self._cancel_first(broker_id, turn)
            new = await self.submit(client_id, old.holding, terms, turn)
            self._note_replaced(broker_id, new.broker_id)
            return replace(new, replaces=broker_id)
        new = await self.submit(client_id, old.holding, terms, turn)
        self._note_replaced(broker_id, new.broker_id)
        try:
            await self._venue.cancel(broker_id, Turn(turn.urgency, turn.rank))
        except BrokerError:
            pass  # it still rests or is over, and the next list shows which: what rests twice is taken away again
        return replace(new, replaces=broker_id)

    @asynccontextmanager
    async def _in_time(self) -> AsyncIterator[None]:
        """What was refused for the time it was signed at is signed right when it is tried again."""
        try:
            yield
        except Rejected as refused:
            if refused.kind == CLOCK:
                with suppress(BrokerError):
                    await self._venue.now()
            raise

    async def _told(self, broker_id: BrokerOrderId) -> OrderReport | None:
        """An order, as far as it can be read."""
        try:
            return await self._venue.order(broker_id=broker_id)
        except BrokerError:
            return None  # whoever waits for it asks again

    async def _cancel_first(self, broker_id: BrokerOrderId, turn: Turn) -> None:
        """Cancel what may add. Raises unless it is known to be over without having filled any more."""
        await self.cancel(broker_id, Turn(turn.urgency, turn.rank))
        deadline = self._clock.monotonic() + OVER_WITHIN
        while True:
            found = await self._told(broker_id)
            if found is not None and found.is_finished:
                if found.filled:
                    raise Rejected(f"order {broker_id} has filled {found.filled}", kind="not_cancellable", code="local")
                return
            if self._clock.monotonic() >= deadline:
                raise OutcomeUnknown(f"order {broker_id} was cancelled and is not over; nothing took its place")
            await self._clock.sleep(0.1)

    def events(self) -> AsyncGenerator[BrokerEvent, None]:
        return self._stream.events(self._learn_names)

    def quote_events(self) -> AsyncGenerator[Ticks, None]:
        return self._quote_stream.quotes()

    def watch(self, holdings: frozenset[Holding]) -> None:
        self._quote_stream.watch(holdings)

    async def close(self) -> None:
        await self._transport.close()
        await self._library.close()
        if isinstance(self._quote_stream, WatchedQuotes):
            await self._quote_stream.close()

    def _quotes_by(self, dialect: Dialect) -> QuoteStream | WatchedQuotes:
        if dialect.feed is not None:
            wire = Wire(clock=self._clock, transport=self._transport, draw=self._draw)
            return QuoteStream(wire, self._settings.access.stream_url, dialect.feed, lambda: self._table)
        library = open_library(self._settings.access.without_keys(), self._clock)
        library.options |= dict(dialect.options)
        return WatchedQuotes(library, self._teach, self._clock, Backoff(self._draw))

    def _teach(self, library: Library) -> bool:
        """Whether the markets are known; then it has their names."""
        if self._table is not None:
            self._settings.shelf.teach(library)
        return self._table is not None

    async def _learn_names(self) -> None:
        """The stream needs the names of the markets too: those of the first account at this exchange serve all."""
        self._table = await self._venue.markets()
        self._settings.shelf.teach(self._library)

    def _note_replaced(self, old: BrokerOrderId, new: BrokerOrderId) -> None:
        self._replaced[old], self._replaces[new] = new, old
        for kept in (self._replaced, self._replaces):
            while len(kept) > REPLACED_MAX:
                del kept[next(iter(kept))]

    def _named(self, report: OrderReport) -> OrderReport:
        """A cancelled order whose place another took is a replaced one."""
        new = self._replaced.get(report.broker_id)
        if new is not None and report.state is OrderState.CANCELLED and not report.filled:
            return replace(report, state=OrderState.REPLACED, replaced_by=new)
        old = self._replaces.get(report.broker_id)
        return replace(report, replaces=old) if old is not None else report


@contextmanager
def _before_it_leaves() -> Iterator[None]:
    """What a write has to read first may be told in words that nobody understands: then nothing was sent. An answer to
    the write itself that proves nothing is `OutcomeUnknown` already. What was refused for its time stamp alone was
    never looked at: it may be tried again."""
    try:
        yield
    except (Incomplete, Malformed) as error:
        raise Unreachable(f"it was not sent: {error}") from error
    except Rejected as refused:
        if refused.kind == CLOCK:
            raise Unreachable(f"refused for its time: {refused}") from refused
        raise


def _differing(before: Mapping[Key, object] | None, now: Mapping[Key, object]) -> frozenset[Key]:
    """The keys whose values are not what they were, vanished ones included; without a before, all."""
    if before is None:
        return frozenset(now)
    if before is now:
        return frozenset()
    return frozenset(key for key in {*before, *now} if before.get(key) != now.get(key))
