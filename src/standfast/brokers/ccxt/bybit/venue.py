"""Bybit v5's linear contracts as a `Venue`, through its own endpoints: ccxt hides what safety needs of them.

Theory. One account has one list of positions and of orders for each coin contracts are settled in; what is held is told
per symbol, and per side where the symbol is hedged (`positionIdx`). An execution does not say its side of the account:
its order does, or whether it closed anything.

Invariants
- What the exchange took away by an order of its own is told with its cause (`order_class`), known to its lists or not.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from standfast.brokers.ccxt.bybit import forms, history, parse
from standfast.brokers.ccxt.bybit.calls import Calls
from standfast.brokers.ccxt.bybit.guarded import statements
from standfast.brokers.ccxt.bybit.rows import ExecutionRow, KeyRow, OrderRow, PositionRow
from standfast.brokers.ccxt.client import CcxtClient
from standfast.brokers.ccxt.linear import KNOWN_MAX, TICKERS_ONE_BY_ONE, LinearVenue, contract, net_of
from standfast.brokers.ccxt.markets import Markets, Shelf
from standfast.brokers.ccxt.venue import UNTAGGED, Happened
from standfast.brokers.shared.reading import number, shown
from standfast.brokers.shared.writing import acknowledged
from standfast.model.effects import Turn, Urgency
from standfast.model.errors import Malformed, Rejected
from standfast.model.evidence import AccountRead, ActivitiesRead, Guarded, HeldReport, Rights
from standfast.model.ids import BrokerOrderId, ClientOrderId, Holding, InstrumentId
from standfast.model.order import ZERO, OrderReport, OrderState, OrderType, Terms, TimeInForce
from standfast.model.quote import Quote
from standfast.ports import Clock

CONTRACT = contract(unique_ids=True, requests_per_minute=3000, stops_of_instrument=10)
KEY_KEPT = 600.0
ENDED = ("Closed", "Delivering", "Settling")
"""As what a contract is told that the list of those that trade leaves out."""


class _Kept(NamedTuple):
    """What the exchange says of the key, and until when it need not be asked again."""

    row: KeyRow
    until: float


class BybitVenue(LinearVenue):
    def __init__(self, client: CcxtClient, shelf: Shelf, clock: Clock) -> None:
        super().__init__(client, shelf, clock)
        self.contract = CONTRACT
        self._calls = Calls(client)
        self._known: dict[str, Holding] = {}
        """Whose an order is, by its id, where any answer has told; and what was sent, by ours."""
        self._hedged: dict[str, bool] = {}
        """Of each symbol, whether its two sides are held apart."""
        self._forced: dict[str, list[ExecutionRow]] = {}
        self._key: _Kept | None = None

    async def ended(self, symbol: str) -> list[Any]:
        """Bybit lists what is traded: a contract that ends has to be asked for by its name and standing."""
        for standing in ENDED:
            asked = {"category": "linear", "symbol": symbol, "status": standing}
            found = await self._client.library.fetch_future_markets(asked)
            if found:
                return list(found)
        return []

    async def positions(self, urgency: int) -> list[HeldReport]:
        markets = await self.markets()
        rows = [row for settle in markets.settles for row in await self._calls.positions(settle, urgency)]
        markets = await self._naming(row.symbol for row in rows)
        found = [each for row in rows if (each := parse.held(row, markets)) is not None]
        self._note_modes(rows)
        self._note_held(found)
        return found

    async def position(self, holding: Holding) -> Decimal:
        market = await self._market(holding.instrument)
        rows = [row for row in await self._calls.position(market.id) if row.symbol == market.id]
        if not rows:
            raise Malformed(f"{holding}: not even a flat row is told")
        self._note_modes(rows)
        markets = await self.markets()
        return net_of(holding, [parse.held(row, markets) for row in rows])

    async def working(self, urgency: int) -> list[OrderReport]:
        markets = await self.markets()
        rows = [row for settle in markets.settles for row in await self._calls.orders(settle, urgency)]
        newest: dict[str, OrderRow] = {}
        for row in rows:
            before = newest.get(row.order_id)
            if before is None or int(before.updated_time or 0) <= int(row.updated_time or 0):
                newest[row.order_id] = row
        found = await self._reports(newest.values())
        return [report for report in found if not report.is_finished]

    async def order(self, *, broker_id: str = "", client_id: str = "") -> OrderReport | None:
        if client_id.startswith(UNTAGGED):
            broker_id, client_id = client_id.removeprefix(UNTAGGED), ""
        rows = await self._calls.order({"orderId": broker_id} if broker_id else {"orderLinkId": client_id})
        found = await self._reports(rows)
        for report in found:
            if report.broker_id != broker_id and report.client_id != client_id:
                raise Malformed(f"asked for order {broker_id or client_id}, told of {report.broker_id}")
        if not found:
            return await self._taken_away(broker_id)
        return max(found, key=lambda each: each.updated_at or datetime.min.replace(tzinfo=UTC))

    async def activities(self, watermark: str, urgency: int) -> ActivitiesRead:
        now = await self.about_now()
        return await history.read(self._calls, self._naming, self._holding_of, watermark, now, urgency)

    async def account(self) -> AccountRead:
        row, key = await self._calls.wallet(), await self._own_key()
        reason = "the key may only read" if int(key.read_only) else ""
        return AccountRead(
            equity=number(row.total_equity or "0", "totalEquity"),
            buying_power=number(row.total_available_balance or "0", "totalAvailableBalance"),
            currency="USD",
            blocked=bool(reason),
            reason=reason,
            number=str(key.user_id or ""),
        )

    async def rights(self) -> Rights:
        wallet = (await self._own_key()).permissions.get("Wallet") or []
        if "Withdraw" in wallet:
            return Rights(may_withdraw=True, detail="the key may withdraw")
        return Rights(may_withdraw=False, detail="the key may not withdraw")

    async def told_time(self) -> datetime:
        nanos = await self._calls.time()
        if not nanos.isascii() or not nanos.isdigit() or len(nanos) > 20:
            raise Malformed(f"timeNano is {shown(nanos)}")
        return parse.moment(int(nanos) // 1_000_000, "timeNano")

    async def quotes(self, names: Sequence[InstrumentId]) -> dict[InstrumentId, Quote]:
        markets = await self.markets()
        wanted = {each.id: name for name in names if (each := markets.by_name.get(name)) is not None}
        asked = list(wanted) if len(wanted) <= TICKERS_ONE_BY_ONE else [""]
        found: dict[InstrumentId, Quote] = {}
        for symbol in asked:
            tickers, envelope = await self._calls.tickers(symbol)
            at, received = parse.moment(envelope.time, "time"), self._clock.now()
            for row in tickers:
                if row.symbol in wanted:
                    bid, ask = number(row.bid1_price or "0", "bid1Price"), number(row.ask1_price or "0", "ask1Price")
                    found[wanted[row.symbol]] = Quote(bid, ask, at, received)
        return found

    async def submit(self, client_id: ClientOrderId, holding: Holding, terms: Terms, turn: Turn) -> OrderReport:
        body = forms.submission(client_id, holding, await self._market(holding.instrument), terms)
        self._note(client_id, holding)  # its fills may be told before its answer has come
        created = await self._calls.create(body, turn)
        self._note(created.order_id, holding)
        return acknowledged(BrokerOrderId(created.order_id), client_id, holding, terms)

    async def cancel(self, broker_id: BrokerOrderId, turn: Turn) -> None:
        holding = self._known.get(broker_id)
        if holding is None:
            report = await self.order(broker_id=broker_id)
            if report is None:
                raise Rejected(f"order {broker_id} is not known to the exchange", kind="not_found", code="local")
            holding = report.holding
        market = await self._market(holding.instrument)
        await self._calls.cancel({"symbol": market.id, "orderId": broker_id, "category": "linear"}, turn)

    async def guarded(self) -> list[Guarded]:
        markets, key = await self.markets(), await self._own_key()
        rows = [row for settle in markets.settles for row in await self._calls.positions(settle, Urgency.READ)]
        self._note_modes(rows)
        return statements(markets, key, {symbol for symbol, hedged in self._hedged.items() if hedged})

    def heard(self, message: Mapping[str, Any]) -> list[Happened]:
        data = message.get("data")
        if str(message.get("topic", "")).partition(".")[0] != "order" or not isinstance(data, list):
            return []
        return [_happened(row, self._table) for row in data if row.get("category", "linear") == "linear"]

    async def _reports(self, rows: Iterable[OrderRow]) -> list[OrderReport]:
        rows = list(rows)
        markets = await self._naming(row.symbol for row in rows)
        found = [self._whole(parse.order(row, markets)) for row in rows]
        for report in found:
            self._note(report.broker_id, report.holding)
        return found

    def _note(self, id: str, holding: Holding) -> None:
        self._known.pop(id, None)
        self._known[id] = holding
        while len(self._known) > KNOWN_MAX:
            del self._known[next(iter(self._known))]

    def _note_modes(self, rows: Iterable[PositionRow]) -> None:
        for row in rows:
            self._hedged[row.symbol] = bool(parse.hedge_of(row.position_idx))

    async def _holding_of(self, row: ExecutionRow) -> Holding:
        """By its order; else, where the sides are held apart, by whether it closed anything."""
        market = (await self.markets(lacking=row.symbol)).of_id(row.symbol)
        if row.exec_type in parse.FORCED and row.order_id:
            self._forced.setdefault(row.order_id, []).append(row)
        known = self._known.get(row.order_id) or self._known.get(row.order_link_id or "")
        if known is not None and known.instrument == market.name:
            return known
        if row.symbol not in self._hedged:
            self._note_modes(await self._calls.position(row.symbol))
        if not self._hedged.get(row.symbol):
            return Holding(market.name)
        if row.order_id and row.closed_size in (None, ""):
            report = await self.order(broker_id=row.order_id)
            if report is not None:
                return report.holding
        if row.exec_type == "Funding" or row.side not in parse.SIDES:
            return Holding(market.name, {"Buy": "long", "Sell": "short"}.get(row.side, "long"))
        closes = number(row.closed_size or "0", "closedSize") > 0
        is_long = (row.side == "Sell") is closes
        return Holding(market.name, "long" if is_long else "short")

    async def _taken_away(self, broker_id: str) -> OrderReport | None:
        """An order of the exchange's own that only its executions tell of."""
        rows = {row.exec_id: row for row in self._forced.get(broker_id, ())}
        if not rows:
            return None
        first = next(iter(rows.values()))
        size = (await self.markets()).of_id(first.symbol).size
        fills = [parse.fill(row, await self._holding_of(row), size) for row in rows.values()]
        quantity = sum((each.quantity for each in fills), ZERO)
        return OrderReport(
            broker_id=BrokerOrderId(broker_id),
            client_id=ClientOrderId(f"{UNTAGGED}{broker_id}"),
            holding=fills[0].holding,
            side=fills[0].side,
            type=OrderType.MARKET,
            time_in_force=TimeInForce.IOC,
            quantity=quantity,
            filled=quantity,
            state=OrderState.FILLED,
            average_price=sum((each.quantity * each.price for each in fills), ZERO) / quantity,
            placed_at=min(each.at for each in fills),
            updated_at=max(each.at for each in fills),
            order_class=parse.FORCED[first.exec_type],
            closes=True,
        )

    async def _own_key(self) -> KeyRow:
        """Kept once two answers agree on whose it is: one may be wrong."""
        now, before = self._clock.monotonic(), self._key
        if before is not None and now < before.until:
            return before.row
        row = await self._calls.key()
        agrees = before is not None and before.row.user_id == row.user_id
        self._key = _Kept(row, now + KEY_KEPT if agrees else now)
        return row


def _happened(row: Mapping[str, Any], table: Markets | None) -> Happened:
    """Raises Malformed for a row without an order: what it said may matter."""
    id, symbol = str(row.get("orderId") or ""), str(row.get("symbol") or "")
    if not id:
        raise Malformed(f"an order of the stream has no id: {shown(str(row))}")
    market = table.by_id.get(symbol) if table is not None else None
    status = str(row.get("orderStatus") or "")
    return Happened(
        holding=Holding(market.name if market else InstrumentId(""), parse.hedge_of(row.get("positionIdx", 0))),
        broker_id=BrokerOrderId(id),
        client_id=ClientOrderId(str(row.get("orderLinkId") or f"{UNTAGGED}{id}")),
        event=EVENTS.get(status, status[:40].lower()),
    )


EVENTS = {"New": "new", "PartiallyFilled": "partial_fill", "Filled": "fill", "Cancelled": "canceled"}
