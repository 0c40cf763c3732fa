"""Binance USD-M as a `Venue`, through its own endpoints.

Theory. Conditional orders are a list of their own (algo orders), and one that fires becomes an ordinary order with an
id of its own: it is told as one order, under the conditional one's id, filled as far as the ordinary one is. Trades are
told per contract only: of those that the account's income names, that are held or have orders, or had one lately.

Invariants
- A conditional order that has fired is not over before what it became is.
- A trade is told of the order we know: of the conditional one, where that made it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from standfast.brokers.ccxt.binance import forms, parse
from standfast.brokers.ccxt.binance.calls import KEYS, Calls
from standfast.brokers.ccxt.binance.rows import AlgoRow, IncomeRow, TradeRow
from standfast.brokers.ccxt.client import CcxtClient
from standfast.brokers.ccxt.linear import KNOWN_MAX, TICKERS_ONE_BY_ONE, LinearVenue, contract, net_of
from standfast.brokers.ccxt.markets import Market, Markets, Shelf
from standfast.brokers.ccxt.venue import UNTAGGED, Happened
from standfast.brokers.ccxt.watermark import OVERLAP, first, mark_of, parsed
from standfast.brokers.shared.reading import number
from standfast.brokers.shared.writing import acknowledged
from standfast.model.effects import Turn, Urgency
from standfast.model.errors import BrokerError, Malformed, OutcomeUnknown, Rejected
from standfast.model.evidence import AccountRead, ActivitiesRead, Guarded, HeldReport, Rights
from standfast.model.ids import BrokerOrderId, ClientOrderId, Holding, InstrumentId, is_told_as
from standfast.model.order import OrderReport, Terms
from standfast.model.quote import Quote
from standfast.ports import Clock

CONTRACT = contract(unique_ids=False, requests_per_minute=240, stops_of_instrument=10)
"""Client ids are unique among open orders only; so many conditional orders may rest on one contract
(`MAX_NUM_ALGO_ORDERS`)."""
LIVE, KEYS_LIVE = "https://fapi.binance.com/", "https://api.binance.com/sapi/v1"
"""Futures are traded at the one, and what the same key may do is told at the other; a test side has no such place."""
NO_SUCH_CONTRACT = "-1121"
LATELY = 900.0
"""Seconds after anything was seen of a contract in which its trades are read."""
WINDOW = int(timedelta(days=7).total_seconds() * 1000) - 1
OLDEST = int(timedelta(days=170).total_seconds() * 1000)


class BinanceVenue(LinearVenue):
    def __init__(self, client: CcxtClient, shelf: Shelf, clock: Clock) -> None:
        super().__init__(client, shelf, clock)
        urls = client.library.urls["api"]
        if str(urls.get("fapiPrivate", "")).startswith(LIVE):
            urls[KEYS] = KEYS_LIVE
        self.contract = CONTRACT
        self._calls = Calls(client)
        self._symbols: dict[str, str] = {}
        """Of client ids: on which contract, where any answer has told."""
        self._traded: dict[str, float] = {}
        """Contracts in which anything was seen to happen, and when it last was."""
        self._listed: frozenset[str] = frozenset()
        """Those that are held or have orders."""
        self._became: dict[BrokerOrderId, BrokerOrderId] = {}
        """Of what conditional orders became: whose they are."""
        self._plain: set[BrokerOrderId] = set()
        """Orders of ours that are no such ones."""
        self._number = ""
        self._is_told_twice = False

    async def positions(self, urgency: int) -> list[HeldReport]:
        rows = await self._calls.positions(urgency)
        markets = await self._naming(row.symbol for row in rows)
        found = [each for row in rows if (each := parse.held(row, markets)) is not None]
        self._note_held(found)
        self._listed = frozenset(row.symbol for row in rows)
        return found

    async def position(self, holding: Holding) -> Decimal:
        market = await self._market(holding.instrument)
        rows = [row for row in await self._calls.positions(Urgency.VERIFY, market.id) if row.symbol == market.id]
        markets = await self.markets()
        return net_of(holding, [parse.held(row, markets) for row in rows])

    async def working(self, urgency: int) -> list[OrderReport]:
        algos = await self._calls.open_algos(urgency)
        plain = await self._calls.open_orders(urgency)
        markets = await self._naming([*(row.symbol for row in algos), *(row.symbol for row in plain)])
        found = {each.broker_id: each for each in [await self._algo(row, markets) for row in algos]}
        for row in plain:
            id = parse.plain_id(row.symbol, row.order_id)
            if id in self._became:
                report = await self.order(broker_id=self._became[id])
            else:
                report = self._whole(parse.order(row, markets))
            if report is not None:
                found[report.broker_id] = report
        for report in found.values():
            self._note(report.client_id, report.broker_id)
        return [report for report in found.values() if not report.is_finished]

    async def order(self, *, broker_id: str = "", client_id: str = "") -> OrderReport | None:
        if client_id.startswith(UNTAGGED):
            broker_id, client_id = client_id.removeprefix(UNTAGGED), ""
        if not broker_id:
            return await self._by_client_id(client_id)
        broker_id = self._became.get(BrokerOrderId(broker_id), broker_id)
        symbol, _, id = broker_id.partition(":")
        if id.startswith("a") and id[1:].isdigit():
            row = await self._calls.algo({"symbol": symbol, "algoId": id[1:]})
            return None if row is None else await self._algo(row, await self._naming([row.symbol]))
        return await self._ordinary({"symbol": symbol, "orderId": id}) if id.isdigit() else None

    async def _by_client_id(self, client_id: str) -> OrderReport | None:
        algo = await self._calls.algo({"clientAlgoId": client_id})
        if algo is not None:
            report = await self._algo(algo, await self._naming([algo.symbol]))
            return _told_of(report, client_id)
        known = self._symbols.get(client_id)
        for symbol in [known] if known else sorted(self._traded):
            found = await self._ordinary({"symbol": symbol, "origClientOrderId": client_id})
            if found is not None:
                return _told_of(found, client_id)
        return None

    async def _ordinary(self, params: Mapping[str, str]) -> OrderReport | None:
        row = await self._calls.order(params)
        if row is None:
            return None
        report = parse.order(row, await self._naming([row.symbol]))
        self._note(report.client_id, report.broker_id)
        return self._whole(report)

    async def activities(self, watermark: str, urgency: int) -> ActivitiesRead:
        until = int((await self.about_now()).timestamp() * 1000)
        mark = parsed(watermark) if watermark else first(until)
        trades: list[TradeRow] = []
        funding: list[IncomeRow] = []
        since = max(mark.since, until - OLDEST)
        while since <= until:
            end = min(since + WINDOW, until + OVERLAP)
            income = await self._calls.income(since, end, urgency)
            for row in income:
                self._note_traded(row.symbol)
            funding += [row for row in income if row.income_type == "FUNDING_FEE"]
            for symbol in self._asked_for():
                trades += await self._trades(symbol, since, end, urgency)
            since = end + 1
        markets = await self._naming([*(row.symbol for row in trades), *(row.symbol for row in funding if row.symbol)])
        movements = [parse.funding(row, markets) for row in funding]
        if not watermark:
            begun = first(until, (mark_of(each.id) for each in movements))
            return ActivitiesRead(fills=(), movements=(), watermark=str(begun))
        times = {mark_of(f"{row.symbol}:{row.id}"): row.time for row in trades}
        times |= {mark_of(each.id): int(each.at.timestamp() * 1000) for each in movements}
        moved = str(mark.moved_on(times, until))
        told = set(mark.told)
        fresh = [row for row in trades if mark_of(f"{row.symbol}:{row.id}") not in told]
        fills = [parse.fill(row, await self._order_of(row, urgency), markets) for row in fresh]
        return ActivitiesRead(
            fills=tuple(sorted(fills, key=lambda each: (each.at, each.execution_id))),
            movements=tuple(each for each in movements if mark_of(each.id) not in told),
            watermark=moved,
        )

    async def _trades(self, symbol: str, since: int, until: int, urgency: int) -> list[TradeRow]:
        """None of a contract that has ended, is held no more and that Binance does not know any more: what else is
        traded is told all the same, and a position that is gone without a fill is a break of its own."""
        try:
            return await self._calls.trades(symbol, since, until, urgency)
        except Rejected as refused:
            if refused.code != NO_SUCH_CONTRACT or symbol in self._listed:
                raise
            return []

    async def account(self) -> AccountRead:
        row = await self._calls.account()
        return AccountRead(
            equity=number(row.total_margin_balance, "totalMarginBalance"),
            buying_power=number(row.available_balance, "availableBalance"),
            currency="USD",
            blocked=False,
            number=await self._own_number(),
        )

    async def _own_number(self) -> str:
        """Binance's name for the account, which no key of it ever changes. Asked for until two answers agree."""
        if not self._is_told_twice:
            told = next((each.account_alias for each in await self._calls.balances()), "")
            self._number, self._is_told_twice = told, told == self._number != ""
        return self._number

    async def rights(self) -> Rights:
        key = await self._calls.key()
        ways = {"withdraw": key.enable_withdrawals, "send to other users": key.enable_internal_transfer}
        may = [way for way, is_enabled in ways.items() if is_enabled]
        detail = f"the key may {' and '.join(may)}" if may else "the key may not withdraw"
        from_where = "" if key.ip_restrict else ", and it serves from any address of the internet"
        return Rights(may_withdraw=bool(may), detail=detail + from_where)

    async def told_time(self) -> datetime:
        return parse.moment(await self._calls.time())

    async def quotes(self, names: Sequence[InstrumentId]) -> dict[InstrumentId, Quote]:
        markets = await self.markets()
        wanted = {each.id: name for name in names if (each := markets.by_name.get(name)) is not None}
        if len(wanted) <= TICKERS_ONE_BY_ONE:
            rows = [await self._calls.ticker(symbol) for symbol in wanted]
        else:
            rows = await self._calls.tickers()
        received = self._clock.now()
        return {
            wanted[row.symbol]: Quote(
                number(row.bid_price, "bidPrice"),
                number(row.ask_price, "askPrice"),
                parse.moment(row.time) if row.time else received,
                received,
            )
            for row in rows
            if row.symbol in wanted
        }

    async def submit(self, client_id: ClientOrderId, holding: Holding, terms: Terms, turn: Turn) -> OrderReport:
        market = await self._market(holding.instrument)
        form = forms.submission(client_id, holding, market, terms)
        self._symbols[client_id] = market.id
        self._note_traded(market.id)
        if "algoType" in form:
            algo = await self._calls.post_algo(form, turn)
            _check_told((algo.symbol, algo.client_algo_id), market, client_id)
            return acknowledged(parse.algo_id(algo), client_id, holding, terms)
        row = await self._calls.post_order(form, turn)
        _check_told((row.symbol, row.client_order_id), market, client_id)
        self._plain.add(parse.plain_id(row.symbol, row.order_id))
        return acknowledged(parse.plain_id(row.symbol, row.order_id), client_id, holding, terms)

    async def cancel(self, broker_id: BrokerOrderId, turn: Turn) -> None:
        symbol, _, id = broker_id.partition(":")
        if not id.removeprefix("a").isdigit():
            raise Rejected(f"order {broker_id} is not known to the exchange", kind="not_found", code="local")
        if id.startswith("a"):
            await self._calls.delete("algoOrder", {"symbol": symbol, "algoId": id[1:]}, turn)
        else:
            await self._calls.delete("order", {"symbol": symbol, "orderId": id}, turn)

    async def guarded(self) -> list[Guarded]:
        markets, hedged = await self.markets(), await self._calls.is_hedged()
        mode = "hedge mode: each side by itself" if hedged else "one-way mode"
        return [
            Guarded(
                "positions",
                ok=True,
                detail=f"{len(markets.by_id)} linear contracts in {', '.join(markets.settles)}; {mode}; coin-margined "
                "contracts, options, spot and margin accounts are not looked at",
            ),
            await self._orders_guarded(),
            Guarded(
                "protection",
                ok=True,
                detail="stops rest as algo orders by the contract's price; a target beside a stop is held by the guard",
            ),
            Guarded(
                "fills",
                ok=True,
                detail="trades of every contract the account's income names, with funding; liquidations and "
                "auto-deleveraging by their orders; commissions in another coin than the contract's (BNB) are left out",
            ),
            Guarded(
                "doubts",
                ok=True,
                detail="client ids are unique among open orders only: an order in doubt is looked for, not sent again",
            ),
        ]

    async def _orders_guarded(self) -> Guarded:
        try:
            key = await self._calls.key()
        except BrokerError as error:
            return Guarded("orders", ok=True, detail=f"what the key may do is not told here ({type(error).__name__})")
        if key.enable_futures:
            return Guarded("orders", ok=True, detail="the key may trade futures")
        detail, remedy = "the key may not trade futures: nothing can be closed", "give the key the right to futures"
        return Guarded("orders", ok=False, detail=detail, remedy=remedy)

    def heard(self, message: Mapping[str, Any]) -> list[Happened]:
        told = message.get("data", message)
        kind, row = told.get("e"), told.get("o")
        if kind not in ("ORDER_TRADE_UPDATE", "ALGO_UPDATE") or not isinstance(row, dict):
            return []
        symbol = str(row.get("s") or "")
        is_algo = kind == "ALGO_UPDATE"
        id = BrokerOrderId(f"{symbol}:a{row.get('aid')}" if is_algo else f"{symbol}:{row.get('i')}")
        if is_algo and str(row.get("ai") or "").isdigit():
            self._became[BrokerOrderId(f"{symbol}:{row['ai']}")] = id
        market = self._table.by_id.get(symbol) if self._table is not None else None
        name = market.name if market is not None else InstrumentId("")
        client = str(row.get("caid" if is_algo else "c") or f"{UNTAGGED}{id}")
        event = str(row.get("X") or "")
        return [
            Happened(
                holding=Holding(name, parse.hedge_of(str(row.get("ps") or "BOTH"))),
                broker_id=self._became.get(id, id),
                client_id=ClientOrderId(client),
                event=EVENTS.get(event, event[:40].lower()),
            )
        ]

    async def _algo(self, row: AlgoRow, markets: Markets) -> OrderReport:
        """With what it became, where it has fired. Raises what keeps that from being read."""
        became: OrderReport | None = None
        if str(row.actual_order_id).isdigit():
            id = parse.plain_id(row.symbol, int(row.actual_order_id))
            self._became[id] = parse.algo_id(row)
            found = await self._calls.order({"symbol": row.symbol, "orderId": str(row.actual_order_id)})
            became = None if found is None else parse.order(found, markets)
        report = self._whole(parse.algo(row, markets, became))
        self._note(report.client_id, report.broker_id)
        return report

    def _note(self, client_id: str, broker_id: str) -> None:
        symbol = broker_id.partition(":")[0]
        self._note_traded(symbol)
        self._symbols.pop(client_id, None)
        self._symbols[client_id] = symbol
        while len(self._symbols) > KNOWN_MAX:
            del self._symbols[next(iter(self._symbols))]

    def _note_traded(self, symbol: str) -> None:
        if symbol:
            self._traded[symbol] = self._clock.monotonic()

    def _asked_for(self) -> list[str]:
        """The contracts whose trades are read."""
        since = self._clock.monotonic() - LATELY
        return sorted(self._listed | {symbol for symbol, at in self._traded.items() if at >= since})

    async def _order_of(self, row: TradeRow, urgency: int) -> BrokerOrderId:
        """The order a trade is told of: asked for once where nothing has said it."""
        id = parse.plain_id(row.symbol, row.order_id)
        if id not in self._became and id not in self._plain:
            for algo in await self._calls.algos_of(row.symbol, urgency):
                if str(algo.actual_order_id).isdigit():
                    self._became[parse.plain_id(algo.symbol, int(algo.actual_order_id))] = parse.algo_id(algo)
        return self._became.get(id, id)


EVENTS = {"NEW": "new", "PARTIALLY_FILLED": "partial_fill", "FILLED": "fill", "CANCELED": "canceled"}


def _told_of(report: OrderReport, client_id: str) -> OrderReport:
    if report.client_id != client_id:
        raise Malformed(f"asked for {client_id}, told of {report.client_id}")
    return report


def _check_told(told: tuple[str, str], market: Market, client_id: ClientOrderId) -> None:
    """The answer to a write names the contract and the order that were sent; else it proves nothing."""
    symbol, id = told
    if symbol != market.id or not id or not is_told_as(id, client_id):
        raise OutcomeUnknown(f"the answer is about {id} of {symbol}, not about {client_id} of {market.id}")
