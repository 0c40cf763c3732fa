"""Bybit's market data over REST: time, contracts, tickers, the book, bars, funding."""

from datetime import datetime
from decimal import Decimal

from standfast.exchange.dialects.bybit.account_rows import instrument_row, ticker_row
from standfast.exchange.dialects.bybit.codes import PARAMETER, BybitRefused
from standfast.exchange.dialects.bybit.rows import SIDE
from standfast.exchange.dialects.bybit.trading import EMPTY, elsewhere
from standfast.exchange.dialects.bybit.wire import Row, listed, milliseconds, page, replied, stamp, text
from standfast.exchange.dialects.gate import Reply, RouteAt
from standfast.exchange.dialects.perpetuals import PerpetualCall, Perpetuals
from standfast.exchange.perpetual.books import Execution, ExecutionKind
from standfast.exchange.perpetual.contract import Perpetual, Standing
from standfast.exchange.perpetual.forced import last_funding
from standfast.exchange.perpetual.orders import ZERO
from standfast.exchange.perpetual.prices import Prices

STATUS = {"Trading": Standing.TRADING, "Delivering": Standing.SETTLING, "Closed": Standing.CLOSED}
MINUTES = {"D": 1440, "W": 10_080}
TRADES_MAX = 60


def time_now(call: PerpetualCall) -> Reply:
    now = call.venue.now
    nanoseconds = int(now.timestamp()) * 1_000_000_000 + now.microsecond * 1000
    return replied({"timeSecond": str(int(now.timestamp())), "timeNano": str(nanoseconds)}, now)


def instruments(call: PerpetualCall) -> Reply:
    """Those that trade or are being settled, unless a status is asked for."""
    query, wanted = call.query, call.query.get("status")
    shown = [Standing.TRADING, Standing.SETTLING] if wanted is None else [STATUS.get(wanted)]
    found = [contract for contract in _asked(call) if contract.standing in shown]
    rows, cursor = page(found, query, usual=500, most=1000)
    numbers = {contract.symbol: number for number, contract in enumerate(call.venue.engine.contracts(), 1)}
    shown_rows = [instrument_row(contract, numbers[contract.symbol]) for contract in rows]
    return replied(listed(shown_rows, query, cursor), call.venue.now)


def tickers(call: PerpetualCall) -> Reply:
    engine, now = call.venue.engine, call.venue.now
    left = call.venue.faults.thin(_asked(call), call.fault, lambda contract: contract.symbol)
    rows = [
        ticker_row(engine.prices(contract.symbol), now, call.venue.last_quote(contract.symbol)) for contract in left
    ]
    return replied({"category": "linear", "list": rows}, now)


def order_book(call: PerpetualCall) -> Reply:
    symbol = _symbol(call)
    prices = call.venue.engine.prices(symbol)
    return replied(book_row(prices, prices.count, milliseconds(call.venue.now)), call.venue.now)


def book_row(prices: Prices, update: int, at: int) -> Row:
    """One level on either side: what the quote says is all there is."""
    quote = prices.quote
    bids = [[text(quote.bid), text(quote.bid_size)]] if quote else []
    asks = [[text(quote.ask), text(quote.ask_size)]] if quote else []
    return {"s": prices.contract.symbol, "b": bids, "a": asks, "ts": at, "u": update, "seq": update, "cts": at}


def recent_trades(call: PerpetualCall) -> Reply:
    """What the accounts here traded: nobody else does."""
    symbol, engine = _symbol(call), call.venue.engine
    found = [
        row
        for name in engine.account_names()
        for row in engine.books(name).executions
        if row.instrument == symbol and row.kind is ExecutionKind.TRADE
    ]
    found.sort(key=lambda row: row.number, reverse=True)
    rows = [trade_row(row) for row in found[:TRADES_MAX]]
    return replied({"category": "linear", "list": rows}, call.venue.now)


def trade_row(row: Execution) -> Row:
    return {
        "execId": row.id,
        "symbol": row.instrument,
        "price": text(row.price),
        "size": text(row.quantity),
        "side": SIDE[row.side],
        "time": stamp(row.at),
        "isBlockTrade": False,
        "isRPITrade": False,
        "seq": str(row.seq),
    }


def bars(call: PerpetualCall) -> Reply:
    """Of the quotes still kept, newest first: start, open, high, low, close, volume, turnover."""
    symbol, interval = _symbol(call), call.query.get("interval", "")
    minutes = MINUTES.get(interval) or (int(interval) if interval.isdigit() else 0)
    if not minutes:
        raise BybitRefused(PARAMETER, "Invalid period!")
    prices = call.venue.engine.prices(symbol)
    grouped: dict[int, list[Decimal]] = {}
    for quote in prices.kept:
        length = minutes * 60_000
        start = milliseconds(quote.at) // length * length
        grouped.setdefault(start, []).append(prices.contract.on_tick(quote.middle))
    rows = [
        [str(start), text(mids[0]), text(max(mids)), text(min(mids)), text(mids[-1]), "0", "0"]
        for start, mids in sorted(grouped.items(), reverse=True)
    ]
    found, _ = page(rows, call.query, usual=200, most=1000)
    return replied({"category": "linear", "symbol": symbol, "list": found}, call.venue.now)


def funding_history(call: PerpetualCall) -> Reply:
    """The rate of now, at each of the last times it was due since the exchange opened."""
    contract = call.venue.engine.contract(_symbol(call))
    due, rows, opened = last_funding(contract, call.venue.now), list[Row](), call.venue.engine.opened_at
    while due >= opened and len(rows) < 200:
        rows.append(_funding_row(contract, due))
        due -= contract.funding_every
    return replied({"category": "linear", "list": rows}, call.venue.now)


def _funding_row(contract: Perpetual, due: datetime) -> Row:
    return {
        "symbol": contract.symbol,
        "fundingRate": text(contract.funding_rate),
        "fundingRateTimestamp": stamp(due),
    }


def risk_limits(call: PerpetualCall) -> Reply:
    rows = [
        {
            "id": 1,
            "symbol": contract.symbol,
            "riskLimitValue": "2000000",
            "maintenanceMargin": text(contract.maintenance_rate),
            "initialMargin": text(1 / contract.leverage_max),
            "isLowestRisk": 1,
            "maxLeverage": text(contract.leverage_max),
            "mmDeduction": "",
        }
        for contract in _asked(call)
    ]
    return replied(listed(rows, call.query, ""), call.venue.now)


def open_interest(call: PerpetualCall) -> Reply:
    """What the accounts here hold, now: long and short alike, as every contract has two ends."""
    symbol = _symbol(call)
    row: Row = {"openInterest": text(call.venue.engine.open_interest(symbol)), "timestamp": stamp(call.venue.now)}
    return replied({**listed([row], call.query, ""), "symbol": symbol}, call.venue.now)


def system_status(call: PerpetualCall) -> Reply:
    """No maintenance, ever."""
    return replied({"list": EMPTY}, call.venue.now)


def price_limit(call: PerpetualCall) -> Reply:
    prices = call.venue.engine.prices(_symbol(call))
    mark, guard = prices.mark or ZERO, prices.contract.price_guard
    result: Row = {
        "symbol": prices.contract.symbol,
        "buyLmt": text(prices.contract.on_tick(mark * (1 + guard))),
        "sellLmt": text(prices.contract.on_tick(mark * (1 - guard))),
        "ts": stamp(call.venue.now),
    }
    return replied(result, call.venue.now)


def _asked(call: PerpetualCall) -> list[Perpetual]:
    query, engine = call.query, call.venue.engine
    if query.get("symbol"):
        return [engine.contract(query["symbol"])]
    return [contract for contract in engine.contracts() if query.get("baseCoin") in (None, "", contract.base)]


def _symbol(call: PerpetualCall) -> str:
    symbol = call.query.get("symbol")
    if not symbol:
        raise BybitRefused(PARAMETER, "params error: symbol invalid")
    return call.venue.engine.contract(symbol).symbol


TABLE: tuple[RouteAt[Perpetuals], ...] = (
    RouteAt("GET", "/v5/market/time", "clock", time_now),
    RouteAt("GET", "/v5/market/instruments-info", "assets", elsewhere(instruments)),
    RouteAt("GET", "/v5/market/tickers", "quotes", elsewhere(tickers)),
    RouteAt("GET", "/v5/market/orderbook", "quotes", order_book),
    RouteAt("GET", "/v5/market/recent-trade", "trades", recent_trades),
    RouteAt("GET", "/v5/market/kline", "snapshots", bars),
    RouteAt("GET", "/v5/market/mark-price-kline", "snapshots", bars),
    RouteAt("GET", "/v5/market/index-price-kline", "snapshots", bars),
    RouteAt("GET", "/v5/market/funding/history", "snapshots", funding_history),
    RouteAt("GET", "/v5/market/risk-limit", "snapshots", elsewhere(risk_limits)),
    RouteAt("GET", "/v5/market/open-interest", "snapshots", open_interest),
    RouteAt("GET", "/v5/system/status", "clock", system_status),
    RouteAt("GET", "/v5/market/price-limit", "snapshots", price_limit),
)
"""What needs no key."""
