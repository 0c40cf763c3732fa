"""`ports.Broker` straight onto the engine: what Alpaca's adapter promises, without HTTP between.

Theory: every method is one request on the `Wire`, carried out by a function of the engine; faults that change what a
read shows (stale, empty, partial) are applied there, all others by the wire.

Invariants
1. A read shows the exchange at one instant, between `began` and `ended` unless a fault makes it older.
2. Lists are returned as the exchange shows them: working orders with their legs nested, held legs not on their own.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from operator import is_not

from standfast.exchange import orders as theirs
from standfast.exchange.accounts import PositionView
from standfast.exchange.activities import Activity
from standfast.exchange.events import Event
from standfast.exchange.faults import EmptyList, Fault, OtherAccount, OtherInstrument, PartialList, Stale
from standfast.exchange.queries import ActivityQuery, Direction, OrderQuery
from standfast.exchange.quotes_file import FileQuote
from standfast.exchange.refusal import Refused
from standfast.model.contract import Contract
from standfast.model.effects import Turn, Urgency
from standfast.model.errors import Malformed, Withdrawn
from standfast.model.evidence import AccountRead, ActivitiesRead, HeldReport, MarketClock, OrdersRead, PositionsRead
from standfast.model.ids import BrokerOrderId, ClientOrderId, Holding, InstrumentId
from standfast.model.instrument import Instrument
from standfast.model.order import ZERO, Fill, Movement, OrderReport, Terms
from standfast.model.quote import ExactTick, Quote
from standfast.ports import BrokerEvent, OrderEvent, StreamDown, StreamUp, Ticks
from standfast.sim import translate
from standfast.sim.loop import VirtualClock
from standfast.sim.streams import Stream
from standfast.sim.wire import Wire

CONTRACT = Contract(
    staleness=timedelta(seconds=10),
    flight=timedelta(seconds=30),
    unique_ids=True,
    searchable_ids=True,
    reduce_only=False,
    oco=True,
    native_replace=True,
    replace_keeps_cover=True,
    reserves_quantity=True,
    checks_closing=True,
    refuses_wash_trades=True,
    fractional_stops=False,
    order_life=timedelta(days=90),
    requests_per_minute=200,
)
"""What Alpaca's adapter declares, which is what the engine keeps."""

PAGE = 500
EXECUTED = "executed"
ALL_WORKING = OrderQuery(limit=PAGE, nested=True, direction=Direction.ASC)
NEWEST = ActivityQuery(page_size=1)
NOTHING: frozenset[BrokerOrderId] = frozenset()
BEGINNING = "beginning"
"""The watermark before the first row of a history that is still empty."""


class EngineBroker:
    """One guard's adapter. Another life of the guard gets another one."""

    def __init__(self, wire: Wire, clock: VirtualClock | None = None) -> None:
        """`clock`: its machine's, by which it says when it read; the world's, if none is given."""
        self._wire = wire
        self._clock = clock or VirtualClock()
        self._engine = wire.engine
        self._account = wire.account
        self._watched: frozenset[Holding] = frozenset()
        self._held: Mapping[Holding, HeldReport] = {}
        self._working: Mapping[BrokerOrderId, OrderReport] = {}
        self._instruments: dict[InstrumentId, Instrument] = {}
        self._shown_last: dict[str, tuple[theirs.Order, list[theirs.Order], OrderReport]] = {}
        """What was made of an order, and of which: most lists show what the one before has shown."""
        self._events: Stream[BrokerEvent] = Stream(wire, "stream", up=StreamUp, down=StreamDown)
        self._quotes: Stream[Ticks] = Stream(wire, "quote_stream")
        self._engine.listeners.append(self._tell)

    @property
    def contract(self) -> Contract:
        return CONTRACT

    # --- reads ----------------------------------------------------------------------------------

    async def instrument(self, instrument: InstrumentId) -> Instrument:
        if instrument not in self._instruments:
            asset = await self._wire.ask("asset", instrument, lambda fault: self._engine.asset(instrument))
            self._instruments[instrument] = translate.instrument(asset)
        return self._instruments[instrument]

    async def positions(self, *, urgency: int = Urgency.READ) -> PositionsRead:
        began = self._clock.now()
        views = await self._wire.ask("positions", None, self._positions_now)
        reports = [translate.held(view) for view in views]
        rows = {report.holding: report for report in reports}
        before, self._held = self._held, rows
        changed = {at for at in before.keys() | rows.keys() if _differs(before.get(at), rows.get(at))}
        return PositionsRead(rows=rows, changed=frozenset(changed), began=began, ended=self._clock.now())

    def _positions_now(self, fault: Fault | None) -> list[PositionView]:
        if isinstance(fault, Stale):
            return self._wire.past.positions(self._account, self._ago(fault))
        rows = self._wire.faults.thin(self._engine.positions(self._account), fault, lambda row: row.instrument)
        return (
            [replace(row, instrument=fault.instrument) for row in rows] if isinstance(fault, OtherInstrument) else rows
        )

    async def position(self, holding: Holding) -> Decimal:
        def find(fault: Fault | None) -> Decimal:
            views = self._positions_now(fault) if isinstance(fault, Stale) else self._engine.positions(self._account)
            if isinstance(fault, OtherInstrument):
                raise Malformed(f"asked for {holding}, told of {fault.instrument}")
            return next(
                (translate.held(view).quantity for view in views if view.instrument == holding.instrument), ZERO
            )

        return await self._wire.ask("position", str(holding.instrument), find)

    async def working_orders(self, *, urgency: int = Urgency.READ) -> OrdersRead:
        began = self._clock.now()
        reports = await self._wire.ask("orders", None, self._orders_now)
        orders = {report.broker_id: report for report in reports}
        before, self._working = self._working, orders
        if len(orders) == len(before) and all(before.get(id) is each for id, each in orders.items()):
            return OrdersRead(orders=orders, changed=NOTHING, began=began, ended=self._clock.now())
        changed = {id for id in before.keys() | orders.keys() if _are_different(before.get(id), orders.get(id))}
        return OrdersRead(orders=orders, changed=frozenset(changed), began=began, ended=self._clock.now())

    def _orders_now(self, fault: Fault | None) -> list[OrderReport]:
        at = self._ago(fault) if isinstance(fault, Stale) else None
        rows = self._wire.faults.thin(self._listed(at), fault, lambda row: row.instrument)
        return [translate.misreported(fault, self._shown(row, at)) for row in rows]

    def _listed(self, at: datetime | None) -> list[theirs.Order]:
        """Every page of the working orders, at one instant."""
        if at is not None:
            return self._wire.past.orders(self._account, ALL_WORKING, at)
        rows = page = self._engine.orders(self._account, ALL_WORKING)
        while len(page) == PAGE:
            after = OrderQuery(limit=PAGE, nested=True, direction=Direction.ASC, after_order_id=page[-1].id)
            page = self._engine.orders(self._account, after)
            rows = rows + page
        return rows

    def _shown(self, order: theirs.Order, at: datetime | None) -> OrderReport:
        legs = self._engine.legs(order)
        if at is not None:
            legs = [then for leg in legs if (then := self._wire.past.order(leg, at)) is not None]
        known = self._shown_last.get(order.id)
        if known is None or known[0] is not order or len(legs) != len(known[1]) or any(map(is_not, legs, known[1])):
            known = self._shown_last[order.id] = (order, legs, translate.report(order, legs))
        return known[2]

    async def order(
        self, *, broker_id: BrokerOrderId | None = None, client_id: ClientOrderId | None = None
    ) -> OrderReport | None:
        assert (broker_id is None) != (client_id is None), "one of the two ids"

        def find(fault: Fault | None) -> OrderReport | None:
            try:
                if broker_id is not None:
                    found: theirs.Order | None = self._engine.order(self._account, broker_id)
                else:
                    found = self._engine.order_by_client_id(self._account, str(client_id))
            except Refused as refused:
                if refused.http_status != 404:
                    raise
                return None
            at = self._ago(fault) if isinstance(fault, Stale) else None
            if at is not None and found is not None:
                found = self._wire.past.order(found, at)
            return None if found is None else translate.misreported(fault, self._shown(found, at))

        return await self._wire.ask("order", None, find)

    async def activities(self, watermark: str, *, urgency: int = Urgency.READ) -> ActivitiesRead:
        """A watermark is the id of the newest row given."""
        return await self._wire.ask("activities", None, lambda fault: self._activities_now(watermark, fault))

    def _activities_now(self, watermark: str, fault: Fault | None) -> ActivitiesRead:
        if not watermark:
            newest = self._engine.activities(self._account, NEWEST)
            return ActivitiesRead(fills=(), movements=(), watermark=newest[0].id if newest else BEGINNING)
        rows = self._rows_after(watermark)
        if isinstance(fault, Stale):
            rows = [row for row in rows if row.listed_at <= self._ago(fault)]
        shown = rows
        if isinstance(fault, EmptyList | PartialList):
            shown = self._wire.faults.thin(rows, fault, lambda row: row.instrument or "")
        name = fault.instrument if isinstance(fault, OtherInstrument) else None
        found = [translate.activity(row if name is None else replace(row, instrument=name)) for row in shown]
        return ActivitiesRead(
            fills=tuple(each for each in found if isinstance(each, Fill)),
            movements=tuple(each for each in found if isinstance(each, Movement)),
            watermark=_last_without_hole(watermark, rows, shown),
        )

    def _rows_after(self, watermark: str) -> list[Activity]:
        token = None if watermark == BEGINNING else watermark
        rows: list[Activity] = []
        while True:
            query = ActivityQuery(direction=Direction.ASC, page_token=token)
            page = self._engine.activities(self._account, query)
            rows += page
            if len(page) < query.page_size:
                return rows
            token = page[-1].id

    async def account(self) -> AccountRead:
        def find(fault: Fault | None) -> AccountRead:
            read = translate.account(self._engine.account(self._account))
            return replace(read, number=fault.number) if isinstance(fault, OtherAccount) else read

        return await self._wire.ask("account", None, find)

    async def clock(self) -> MarketClock:
        return translate.clock(await self._wire.ask("clock", None, lambda fault: self._engine.clock()))

    async def quotes(self, holdings: Sequence[Holding]) -> Mapping[Holding, Quote]:
        def find(fault: Fault | None) -> list[FileQuote]:
            rows = [row for name in holdings if (row := self._last_quote(name.instrument, fault)) is not None]
            return self._wire.faults.thin(rows, fault, lambda row: row.instrument)

        rows = await self._wire.ask("quotes", None, find)
        received = self._clock.now()
        return {translate.holding(row.instrument): translate.quote(row, received) for row in rows}

    def _last_quote(self, instrument: str, fault: Fault | None) -> FileQuote | None:
        stale = isinstance(fault, Stale)
        quote = self._wire.past.quote(instrument, self._ago(fault)) if stale else self._engine.last_quote(instrument)
        if quote is None:
            return None
        return FileQuote(quote.at, instrument, quote.bid, quote.ask, quote.bid_size, quote.ask_size)

    def _ago(self, fault: Fault | None) -> datetime:
        assert isinstance(fault, Stale)
        return self._engine.now - timedelta(seconds=fault.age)

    # --- writes ---------------------------------------------------------------------------------

    async def submit(self, client_id: ClientOrderId, holding: Holding, terms: Terms, turn: Turn) -> OrderReport:
        _check_wanted(turn)
        ticket = translate.ticket(client_id, holding, terms)

        def place(fault: Fault | None) -> OrderReport:
            order = self._engine.submit(self._account, ticket)
            return translate.misreported(fault, translate.report(order, self._engine.legs(order)))

        return await self._wire.ask("submit", holding.instrument, place)

    async def cancel(self, broker_id: BrokerOrderId, turn: Turn) -> None:
        instrument = self._instrument_of(broker_id)
        await self._wire.ask("cancel", instrument, lambda fault: self._engine.cancel(self._account, broker_id))

    async def replace(
        self, broker_id: BrokerOrderId, client_id: ClientOrderId, terms: Terms, turn: Turn
    ) -> OrderReport:
        _check_wanted(turn)
        standing = self._listed_report(broker_id)
        change = translate.change(client_id, terms, standing.quantity if standing is not None else None)

        def put(fault: Fault | None) -> OrderReport:
            order = self._engine.replace(self._account, broker_id, change)
            return translate.misreported(fault, translate.report(order))

        return await self._wire.ask("replace", self._instrument_of(broker_id), put)

    def _listed_report(self, broker_id: BrokerOrderId) -> OrderReport | None:
        """As the last list showed it, on its own or as a leg."""
        rows = (each for row in self._working.values() for each in (row, *row.legs))
        return next((row for row in rows if row.broker_id == broker_id), None)

    def _instrument_of(self, broker_id: BrokerOrderId) -> str | None:
        """For the choice of faults only."""
        try:
            return self._engine.order(self._account, broker_id).instrument
        except Refused:
            return None

    # --- streams --------------------------------------------------------------------------------

    def events(self) -> AsyncIterator[BrokerEvent]:
        return self._events

    def quote_events(self) -> AsyncIterator[Ticks]:
        return self._quotes

    def watch(self, holdings: frozenset[Holding]) -> None:
        self._watched = holdings

    def saw(self, row: FileQuote) -> None:
        """The market has a new quote."""
        holding = translate.holding(row.instrument)
        if holding in self._watched:
            quote = translate.quote(row, self._clock.now())
            self._quotes.offer(Ticks(quote.received, (ExactTick.of(holding.instrument, quote),)), row.instrument)

    def _tell(self, event: Event) -> None:
        if event.account != self._account:
            return
        order = event.order
        told = OrderEvent(
            holding=translate.holding(order.instrument),
            broker_id=BrokerOrderId(order.id),
            client_id=ClientOrderId(order.client_order_id),
            event=event.kind.value,
        )
        self._events.offer(told, order.instrument)

    def drop(self) -> None:
        """Be gone: nothing is delivered any more."""
        self._events.drop()
        self._quotes.drop()
        if self._tell in self._engine.listeners:
            self._engine.listeners.remove(self._tell)

    async def close(self) -> None:
        self.drop()


def _check_wanted(turn: Turn) -> None:
    if turn.is_wanted is not None and not turn.is_wanted():
        raise Withdrawn("not wanted any more when its turn came")


def _are_different(one: OrderReport | None, other: OrderReport | None) -> bool:
    return one is not other and one != other


def _differs(one: HeldReport | None, other: HeldReport | None) -> bool:
    """Whether the holding itself differs; its price of the moment is not part of it."""
    if one is None or other is None:
        return one is not other
    return (one.quantity, one.average_price) != (other.quantity, other.average_price)


def _last_without_hole(watermark: str, rows: Sequence[Activity], shown: Sequence[Activity]) -> str:
    """Up to the first row that was kept back: what follows it is told again, what was kept back is not lost."""
    given = {(row.id, row.status) for row in shown}
    for row in rows:
        if (row.id, row.status) not in given:
            break
        if row.status == EXECUTED:  # the others bear the id of an older row: they are told again until a newer one is
            watermark = row.id
    return watermark
