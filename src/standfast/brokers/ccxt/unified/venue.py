"""Any exchange as a `Venue`, through ccxt's unified calls: positions, orders in both of its lists, trades, prices.

Theory. What ccxt calls an order's id is unique at best for a list of one contract, so ours say both (`parse`). Lists
are read as ccxt asks for them; one that is as long as a page may be cut off, and is then no answer.

Invariants
- Nothing is sent that was not rehearsed (`rehearsal`); where that says no, reads go on and orders are refused.
- A contract in hedge mode is told side by side, each order's by the exchange's own name for it (`sides`). Where that
  was not found it is refused where it is read: closing by a net would close the wrong side.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any

from standfast.brokers.ccxt.client import CcxtClient
from standfast.brokers.ccxt.linear import KNOWN_MAX, LinearVenue, contract, net_of
from standfast.brokers.ccxt.markets import Market, Markets, Shelf
from standfast.brokers.ccxt.unified import parse, prices, trades
from standfast.brokers.ccxt.unified.abilities import PAST, can, feature, mean_perpetuals
from standfast.brokers.ccxt.unified.asking import ALL_AT_ONCE, TRIGGERS, Asking, Names
from standfast.brokers.ccxt.unified.calling import Writing, travel
from standfast.brokers.ccxt.unified.causes import CALLS, Causes, funding
from standfast.brokers.ccxt.unified.forms import said
from standfast.brokers.ccxt.unified.parse import PLAIN, TRIGGER, Row
from standfast.brokers.ccxt.unified.rehearsal import Means, Rehearsal
from standfast.brokers.ccxt.unified.statements import statements
from standfast.brokers.ccxt.unified.words import cause_of
from standfast.brokers.ccxt.venue import UNTAGGED, Happened
from standfast.brokers.ccxt.watermark import first, mark_of, parsed
from standfast.brokers.shared.reading import shown
from standfast.brokers.shared.writing import acknowledged
from standfast.model.contract import Contract
from standfast.model.effects import Turn, Urgency
from standfast.model.errors import Malformed, OutcomeUnknown, Rejected
from standfast.model.evidence import AccountRead, ActivitiesRead, Guarded, HeldReport, Rights
from standfast.model.ids import BrokerOrderId, ClientOrderId, Holding, InstrumentId
from standfast.model.instrument import Instrument
from standfast.model.order import Fill, Movement, OrderReport, Terms
from standfast.model.quote import Quote
from standfast.ports import Clock

LATELY = 900.0
"""Seconds after anything was seen of a contract in which its trades and orders are read, where it has to be named."""


class UnifiedVenue(LinearVenue):
    def __init__(self, client: CcxtClient, shelf: Shelf, clock: Clock) -> None:
        super().__init__(client, shelf, clock)
        self._library = client.library
        self._ask = Asking(client.library)
        self._means: Means | None = None
        self._taught: Markets | None = None
        self._ids: dict[str, BrokerOrderId] = {}
        """Of client ids, and of the exchange's ids with their contract: which order that is."""
        self._sides: dict[str, str] = {}
        """Of orders of a hedged account, by the exchange's id with the contract: of which side they are."""
        self._hedged: set[str] = set()
        """Contracts whose sides were held apart when they were last listed."""
        self._traded: dict[str, float] = {}
        """Contracts of which anything was seen, and when it last was."""
        self._causes = Causes(client.library, self._ask)
        mean_perpetuals(client.library)
        travel(client.library, client)

    @property
    def contract(self) -> Contract:
        has_stops = self._means is None or self._means.has_stops
        requests = int(60_000 / max(1.0, float(self._library.rateLimit or 1000)))
        return contract(unique_ids=False, requests_per_minute=requests, native_stops=has_stops, tells_takings=False)

    async def markets(self, lacking: str = "") -> Markets:
        table = await super().markets(lacking)
        if table is not self._taught:
            self._shelf.teach(self._library)
            self._taught = table
        return table

    async def means(self) -> Means:
        """How orders are said here; tried once."""
        if self._means is None:
            markets = await self.markets()
            with self._ask.at(Urgency.VERIFY):
                self._means = await Rehearsal(self._library, _usual(markets)).run()
        return self._means

    async def instrument(self, name: InstrumentId) -> Instrument:
        await self.means()  # whether stops rest here is asked before anything is decided
        return await super().instrument(name)

    async def positions(self, urgency: int) -> list[HeldReport]:
        may_be_hedged = (await self.means()).sides is not None
        rows = await self._ask.positions(urgency)
        found = []
        for row, market in await self._ours(rows):
            report = parse.held(row, market, may_be_hedged=may_be_hedged)
            if report is not None:
                (self._hedged.add if report.holding.hedge else self._hedged.discard)(market.id)
                self._note_traded(market)
                found.append(report)
        self._note_held(found)
        return found

    async def position(self, holding: Holding) -> Decimal:
        """By its own name where the exchange tells it so, flat ones too; else by the whole list."""
        market, row = await self._market(holding.instrument), None
        if can(self._library, "fetchPosition") and not holding.hedge and market.id not in self._hedged:
            row = await self._ask.read(Urgency.VERIFY, lambda: self._library.fetch_position(market.name))
        return net_of(holding, [parse.held(row, market)] if row else await self.positions(Urgency.VERIFY))

    async def working(self, urgency: int) -> list[OrderReport]:
        found: dict[BrokerOrderId, OrderReport] = {}
        for kind in self._ask.kinds("fetchOpenOrders"):
            rows = await self._ask.open_orders(await self._names("fetchOpenOrders"), kind, urgency)
            for report in await self._reports(rows, kind):
                found.setdefault(report.broker_id, report)
        return [self._whole(report) for report in found.values() if not report.is_finished]

    async def order(self, *, broker_id: str = "", client_id: str = "") -> OrderReport | None:
        if client_id.startswith(UNTAGGED):
            broker_id, client_id = client_id.removeprefix(UNTAGGED), ""
        broker_id = broker_id or self._ids.get(client_id, "")
        if not broker_id:
            return await self._search(client_id)
        id, forced = parse.parsed_id(broker_id), self._causes.order(BrokerOrderId(broker_id))
        if id is None or forced is not None:
            return forced
        market = (await self.markets(lacking=id.symbol)).by_id.get(id.symbol)
        return None if market is None else await self._one(market, id)

    async def _one(self, market: Market, id: parse.Id) -> OrderReport | None:
        """A conditional order is asked for among those, and where it is not, among the ordinary ones."""
        for kind in dict.fromkeys((id.kind, *self._ask.kinds("fetchOrder"))):
            try:
                row = await self._ask.order(id.id, market.name, kind, Urgency.VERIFY)
            except Rejected as refused:
                if refused.kind != "not_found":
                    raise
                continue
            if row and str(row.get("id")) == id.id:
                (report,) = await self._reports([{**row, "symbol": market.name}], id.kind)
                return self._whole(report)
        return await self._in_the_past(lambda report: report.broker_id == f"{market.id}:{id.kind}:{id.id}", [market])

    async def _search(self, client_id: str) -> OrderReport | None:
        """By our own id: among the open ones, and in the past of the contracts of which anything was seen."""
        for report in await self.working(Urgency.VERIFY):
            if report.client_id == client_id:
                return report
        markets = (await self.markets()).by_id
        lately = [markets[symbol] for symbol in self._lately() if symbol in markets]
        return await self._in_the_past(lambda report: report.client_id == client_id, lately)

    async def _in_the_past(self, is_it: Callable[[OrderReport], bool], markets: Sequence[Market]) -> OrderReport | None:
        for name in (each for each in PAST if can(self._library, each)):
            for kind in self._ask.kinds(name):
                for market in markets:
                    rows = await self._ask.page(name, market.name, kind, Urgency.VERIFY)
                    for report in await self._reports(rows, kind):
                        if is_it(report):
                            return self._whole(report)
        return None

    async def activities(self, watermark: str, urgency: int) -> ActivitiesRead:
        until = int((await self.about_now()).timestamp() * 1000)
        if not watermark:
            return ActivitiesRead(fills=(), movements=(), watermark=str(first(until)))
        mark = parsed(watermark)
        told = feature(self._library, "fetchMyTrades")
        rows: list[Row] = []
        for name in await self._names("fetchMyTrades"):
            rows += await trades.since(partial(self._ask.trades, name, urgency), mark.since, told)
        ours = [(row, market) for row, market in await self._ours(rows) if parse.stamp(row, "trade") >= mark.since]
        self._causes.note_trades(ours)
        times = {mark_of(parse.execution_id(row, market)): parse.stamp(row, "trade") for row, market in ours}
        moved = str(mark.moved_on(times, until))
        known = set(mark.told)
        fresh = [(row, market) for row, market in ours if mark_of(parse.execution_id(row, market)) not in known]
        sides = [await self._side_of_trade(row, market) for row, market in fresh]
        fills = [
            parse.fill(row, market, self._order_of(row, market), side)
            for (row, market), side in zip(fresh, sides, strict=True)
        ]
        for (row, market), fill in zip(fresh, fills, strict=True):
            self._note_traded(market)
            if cause := cause_of(row):
                self._causes.note_made(fill, cause)
        is_strange = any(_key(market, row.get("order")) not in self._ids for row, market in fresh)
        fills += await self._liquidations(mark.since, until, urgency, at_once=is_strange)
        fills.sort(key=lambda each: (each.at, each.execution_id))
        funded = await self._funding(mark.since, until, urgency)
        return ActivitiesRead(fills=tuple(fills), movements=tuple(funded), watermark=moved)

    async def _liquidations(self, since: int, until: int, urgency: int, *, at_once: bool) -> list[Fill]:
        """Asked for in their turn, and where a stranger's order has filled: it may be the exchange's own."""
        call = "fetchMyLiquidations"
        if self._causes.is_due(call, until) or (at_once and self._causes.can(call)):
            rows = await self._causes.read(call, await self._names(call), since, until, urgency)
            self._causes.note_taken(await self._ours(rows), self._held, self._hedged)
        return self._causes.fills(until, since)

    async def _funding(self, since: int, until: int, urgency: int) -> list[Movement]:
        call = "fetchFundingHistory"
        if not self._causes.is_due(call, until):
            return []
        rows = await self._ours(await self._causes.read(call, await self._names(call), since, until, urgency))
        held = {each.instrument: each for each in self._held}
        told = (funding(row, market, held.get(market.name, Holding(market.name))) for row, market in rows)
        return [each for each in told if each is not None]

    async def account(self) -> AccountRead:
        markets, means = await self.markets(), await self.means()
        told = await self._ask.read(Urgency.READ, lambda: self._library.fetch_balance())
        coins = [each.settle for each in markets.by_id.values()]
        coin = max(sorted(set(coins)), key=coins.count)
        total, free = ((told.get(name) or {}).get(coin) for name in ("total", "free"))
        lacks = "" if means.may_trade else f"ccxt:{self._library.id}: {'; '.join(means.lacking)}"
        return AccountRead(
            equity=Decimal(str(total or 0)),
            buying_power=Decimal(str(free or 0)),
            currency=coin,
            blocked=bool(lacks),
            reason=lacks,
        )

    async def rights(self) -> Rights:
        return Rights(may_withdraw=None, detail="ccxt has no call for it")

    async def told_time(self) -> datetime:
        if not can(self._library, "fetchTime"):
            return self._clock.now()
        found = await self._ask.read(Urgency.READ, self._library.fetch_time)
        if not isinstance(found, int):
            raise Malformed(f"time is {shown(str(found))}")
        return datetime.fromtimestamp(found / 1000, UTC)

    async def quotes(self, names: Sequence[InstrumentId]) -> dict[InstrumentId, Quote]:
        markets = await self.markets()
        wanted = [name for name in names if name in markets.by_name]
        with self._ask.at(Urgency.VERIFY):
            return await prices.quotes(self._library, wanted, self._clock)

    async def submit(self, client_id: ClientOrderId, holding: Holding, terms: Terms, turn: Turn) -> OrderReport:
        market, means = await self._market(holding.instrument), await self.means()
        order = said(client_id, holding, market, terms, means)
        self._note_traded(market)
        made = await self._ask.write(
            Writing(turn, order.form),
            lambda: self._library.create_order(
                market.name, order.type, order.side, order.amount, order.price, order.params
            ),
        )
        if not isinstance(made, dict) or not made.get("id"):
            raise OutcomeUnknown("the answer names no order")
        id = parse.broker_id(market, TRIGGER if terms.stop_price is not None else PLAIN, made["id"])
        self._note(client_id, id, market, holding.hedge)
        return acknowledged(id, client_id, holding, terms)

    async def cancel(self, broker_id: BrokerOrderId, turn: Turn) -> None:
        id = parse.parsed_id(broker_id)
        market = (await self.markets()).by_id.get(id.symbol) if id is not None else None
        if id is None or market is None:
            raise Rejected(f"order {broker_id} is not known to the exchange", kind="not_found", code="local")
        params = TRIGGERS if id.kind == TRIGGER else {}
        await self._ask.write(Writing(turn), lambda: self._library.cancel_order(id.id, market.name, dict(params)))

    async def guarded(self) -> list[Guarded]:
        markets, means = await self.markets(), await self.means()
        for call in CALLS:
            if self._causes.can(call):
                now = int((await self.about_now()).timestamp() * 1000)
                await self._causes.read(call, [_usual(markets).name], now, 0, Urgency.READ)
        return statements(self._library, markets, means, self._causes.failing)

    def heard(self, message: Mapping[str, Any]) -> list[Happened]:
        return []  # raw, it is the exchange's own language: what ccxt makes of it is `streamed`

    def streamed(self, orders: Any) -> list[Happened]:
        found = []
        for row in orders if isinstance(orders, list) else [orders]:
            market = self._table.by_name.get(InstrumentId(str(row.get("symbol")))) if self._table is not None else None
            if market is None or not row.get("id"):
                continue
            known = self._ids.get(_key(market, row.get("id")))
            kind = TRIGGER if row.get("triggerPrice") or row.get("stopLossPrice") else PLAIN
            id = known or parse.broker_id(market, kind, row["id"])
            prefix = self._means.id_prefix if self._means is not None else ""
            client = ClientOrderId(str(row.get("clientOrderId") or "").removeprefix(prefix) or f"{UNTAGGED}{id}")
            self._note_traded(market)
            side = self._side_told(row, market) or ""
            found.append(Happened(Holding(market.name, side), id, client, str(row.get("status") or "changed")))
        return found

    # --- what is known --------------------------------------------------------------------------

    async def _ours(self, rows: Iterable[Row]) -> list[tuple[Row, Market]]:
        """Rows of contracts that are guarded; those of other things the exchange lists are left out."""
        found = []
        for row in rows:
            symbol = str(row.get("symbol"))
            market = (await self.markets(lacking=symbol)).by_name.get(InstrumentId(symbol))
            if market is not None:
                found.append((row, market))
            elif symbol not in self._library.markets:
                raise Malformed(f"{shown(symbol)} is not among the contracts of this exchange")
        return found

    async def _reports(self, rows: Iterable[Row], kind: str) -> list[OrderReport]:
        found = []
        for row, market in await self._ours(rows):
            known = self._ids.get(_key(market, row.get("id")))
            own = parse.parsed_id(known) if known is not None else None
            told = str(row.get("clientOrderId") or "").removeprefix((await self.means()).id_prefix)
            side = self._side_of_order(row, market)
            report = parse.order({**row, "clientOrderId": told}, market, own.kind if own is not None else kind, side)
            cause = self._causes.cause(row.get("id")) or cause_of(row)
            report = replace(report, order_class=cause) if cause else report
            self._note(report.client_id, report.broker_id, market, side)
            found.append(report)
        return found

    def _side_told(self, row: Row, market: Market) -> str | None:
        """By the exchange's own word, or as it was told of the order before; None where neither is known."""
        sides = self._means.sides if self._means is not None else None
        if sides is None:
            return ""
        told = sides.of(row.get("info"))
        return told if told is not None else self._sides.get(_key(market, row.get("order") or row.get("id")))

    def _side_of_order(self, row: Row, market: Market) -> str:
        """Raises Malformed for one of a hedged account of which nothing says what it is for."""
        told = self._side_told(row, market)
        if told is not None or market.id not in self._hedged:
            return told or ""
        if not row.get("reduceOnly") or row.get("side") not in parse.SIDES:
            raise Malformed(f"order {shown(str(row.get('id')))}: of which side of a hedged account is not told")
        return "long" if row["side"] == "sell" else "short"

    async def _side_of_trade(self, row: Row, market: Market) -> str:
        """Where the trade does not say it, its order does."""
        told = self._side_told(row, market)
        if told is not None:
            return told
        report = await self.order(broker_id=self._order_of(row, market))
        if report is None and market.id not in self._hedged:
            return ""
        if report is None:
            raise Malformed(f"trade {shown(str(row.get('id')))}: its order is not told, nor of which side it is")
        return report.holding.hedge

    def _order_of(self, row: Row, market: Market) -> BrokerOrderId:
        id = row.get("order")
        return self._ids.get(_key(market, id), parse.broker_id(market, PLAIN, id or f"of-trade-{row.get('id')}"))

    def _note(self, client_id: str, id: BrokerOrderId, market: Market, side: str = "") -> None:
        own = parse.parsed_id(id)
        assert own is not None, id
        self._sides[_key(market, own.id)] = side
        while len(self._sides) > KNOWN_MAX:
            del self._sides[next(iter(self._sides))]
        for name in (client_id, _key(market, own.id)):
            self._ids.pop(name, None)
            self._ids[name] = id
        while len(self._ids) > KNOWN_MAX:
            del self._ids[next(iter(self._ids))]
        self._note_traded(market)

    def _note_traded(self, market: Market) -> None:
        self._traded[market.id] = self._clock.monotonic()

    async def _names(self, call: str) -> Names:
        """The contracts to ask about, or all at once where the exchange can."""
        if not self._ask.needs_names(call):
            return ALL_AT_ONCE
        markets = (await self.markets()).by_id
        return [markets[symbol].name for symbol in self._lately() if symbol in markets]

    def _lately(self) -> list[str]:
        since = self._clock.monotonic() - LATELY
        held = {self._table.of_name(each.instrument).id for each in self._held} if self._table is not None else set()
        return sorted(held | {symbol for symbol, at in self._traded.items() if at >= since})


def _key(market: Market, id: object) -> str:
    return f"{market.id}/{id}"


def _usual(markets: Markets) -> Market:
    """The contract orders are tried on."""
    tradable = [each for each in markets.by_id.values() if each.instrument.tradable] or list(markets.by_id.values())
    return min(tradable, key=lambda each: (not each.name.startswith("BTC/USD"), ":" not in each.name, each.name))
