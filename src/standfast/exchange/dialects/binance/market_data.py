"""Binance's market data over REST: time, contracts, prices, the book, bars, funding."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

from standfast.exchange.dialects.binance.codes import BAD_PARAMETER, BinanceRefused
from standfast.exchange.dialects.binance.wire import Row, form, milliseconds, need, replied, rounded, text, whole
from standfast.exchange.dialects.gate import Reply, RouteAt
from standfast.exchange.dialects.perpetuals import PerpetualCall, Perpetuals
from standfast.exchange.perpetual.books import Execution, ExecutionKind
from standfast.exchange.perpetual.contract import Perpetual, Standing
from standfast.exchange.perpetual.engine import PerpetualEngine
from standfast.exchange.perpetual.forced import last_funding, next_funding
from standfast.exchange.perpetual.orders import ZERO, PriceBy
from standfast.exchange.perpetual.prices import Prices

STANDING = {Standing.TRADING: "TRADING", Standing.SETTLING: "SETTLING", Standing.CLOSED: "CLOSE"}
PERIODS = {"1m": 1, "3m": 3, "5m": 5, "15m": 15, "30m": 30, "1h": 60, "2h": 120, "4h": 240, "6h": 360, "8h": 480,
           "12h": 720, "1d": 1440, "3d": 4320, "1w": 10_080}  # fmt: skip
NEVER = 4_133_404_800_000  # the delivery date of what has none
DAY = timedelta(days=1)
RowOf = Callable[[Prices, datetime], Row]


def ping(_: PerpetualCall) -> Reply:
    return replied({})


def time_now(call: PerpetualCall) -> Reply:
    return replied({"serverTime": milliseconds(call.venue.now)})


def exchange_info(call: PerpetualCall) -> Reply:
    engine = call.venue.engine
    limits = [
        {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 2400},
        {"rateLimitType": "ORDERS", "interval": "MINUTE", "intervalNum": 1, "limit": 1200},
        {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 300},
    ]
    result: Row = {
        "timezone": "UTC",
        "serverTime": milliseconds(call.venue.now),
        "futuresType": "U_MARGINED",
        "rateLimits": limits,
        "exchangeFilters": [],
        "assets": [{"asset": "USDT", "marginAvailable": True, "autoAssetExchange": "-10000"}],
        "symbols": [symbol_row(contract) for contract in engine.contracts()],
    }
    return replied(result)


def symbol_row(contract: Perpetual) -> Row:
    def places(step: Decimal) -> int:
        return max(0, -int(step.normalize().as_tuple().exponent))

    tick, step = text(contract.tick), text(contract.step)
    least, most = text(contract.least_quantity), text(contract.most_quantity)
    lots: Row = {"maxQty": most, "minQty": least, "stepSize": step}
    return {
        "symbol": contract.symbol,
        "pair": contract.symbol,
        "contractType": "PERPETUAL",
        "deliveryDate": NEVER,
        "onboardDate": 1_569_398_400_000,
        "status": STANDING[contract.standing],
        "maintMarginPercent": text(contract.maintenance_rate * 100),
        "requiredMarginPercent": text(100 / contract.leverage_max),
        "baseAsset": contract.base,
        "quoteAsset": contract.settles_in,
        "marginAsset": contract.settles_in,
        "pricePrecision": places(contract.tick),
        "quantityPrecision": places(contract.step),
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "COIN",
        "underlyingSubType": [],
        "settlePlan": 0,
        "triggerProtect": text(contract.price_guard),
        "liquidationFee": "0.012500",
        "marketTakeBound": text(contract.price_guard),
        "maxMoveOrderLimit": 10_000,
        "filters": [
            {
                "filterType": "PRICE_FILTER",
                "maxPrice": text(contract.tick * 45_328_900),
                "minPrice": tick,
                "tickSize": tick,
            },
            {"filterType": "LOT_SIZE", **lots},
            {"filterType": "MARKET_LOT_SIZE", **lots},
            {"filterType": "MAX_NUM_ORDERS", "limit": 200},
            {"filterType": "MAX_NUM_ALGO_ORDERS", "limit": 10},
            {"filterType": "MIN_NOTIONAL", "notional": text(contract.least_value)},
            {
                "filterType": "PERCENT_PRICE",
                "multiplierUp": "1.9000",
                "multiplierDown": "0.1000",
                "multiplierDecimal": "4",
            },
        ],
        "orderTypes": [
            "LIMIT", "MARKET", "STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET",
        ],
        "timeInForce": ["GTC", "IOC", "FOK", "GTX", "GTD"],
    }  # fmt: skip


def premium_index(call: PerpetualCall) -> Reply:
    return _each(call, _premium)


def _premium(prices: Prices, now: datetime) -> Row:
    contract = prices.contract
    return {
        "symbol": contract.symbol,
        "markPrice": rounded(prices.mark or ZERO),
        "indexPrice": rounded(prices.get(PriceBy.INDEX) or ZERO),
        "estimatedSettlePrice": rounded(prices.get(PriceBy.INDEX) or ZERO),
        "lastFundingRate": rounded(contract.funding_rate),
        "interestRate": "0.00010000",
        "nextFundingTime": milliseconds(next_funding(contract, now)),
        "time": milliseconds(now),
    }


def book_ticker(call: PerpetualCall) -> Reply:
    return _each(call, _best)


def _best(prices: Prices, now: datetime) -> Row:
    quote = prices.quote
    return {
        "symbol": prices.contract.symbol,
        "bidPrice": text(quote.bid if quote else ZERO),
        "bidQty": text(quote.bid_size if quote else ZERO),
        "askPrice": text(quote.ask if quote else ZERO),
        "askQty": text(quote.ask_size if quote else ZERO),
        "time": milliseconds(quote.at if quote else now),
        "lastUpdateId": prices.count,
    }


def price_ticker(call: PerpetualCall) -> Reply:
    return _each(call, _price)


def _price(prices: Prices, now: datetime) -> Row:
    return {"symbol": prices.contract.symbol, "price": text(prices.last), "time": milliseconds(now)}


def day_ticker(call: PerpetualCall) -> Reply:
    return _each(call, day_row)


def day_row(prices: Prices, now: datetime) -> Row:
    """Of the quotes that are kept; nobody but the accounts here trades."""
    mids = [prices.contract.on_tick(quote.middle) for quote in prices.kept if quote.at >= now - DAY]
    last = prices.last or ZERO
    first = mids[0] if mids else last
    return {
        "symbol": prices.contract.symbol,
        "priceChange": text(last - first),
        "priceChangePercent": rounded((last - first) / first * 100 if first else ZERO, 3),
        "weightedAvgPrice": text(last),
        "lastPrice": text(last),
        "lastQty": "0",
        "openPrice": text(first),
        "highPrice": text(max(mids, default=last)),
        "lowPrice": text(min(mids, default=last)),
        "volume": "0",
        "quoteVolume": "0",
        "openTime": milliseconds(now - DAY),
        "closeTime": milliseconds(now),
        "firstId": 0,
        "lastId": 0,
        "count": len(mids),
    }


def depth(call: PerpetualCall) -> Reply:
    """One level on either side: what the quote says is all there is."""
    prices = _asked(call)[0]
    row, at = _best(prices, call.venue.now), milliseconds(call.venue.now)
    sides = {
        "bids": [[row["bidPrice"], row["bidQty"]]] if prices.quote else [],
        "asks": [[row["askPrice"], row["askQty"]]] if prices.quote else [],
    }
    return replied({"lastUpdateId": prices.count, "E": at, "T": at, **sides})


def recent_trades(call: PerpetualCall) -> Reply:
    """What the accounts here traded."""
    given = form(call)
    rows = [
        {
            "id": row.number,
            "price": text(row.price),
            "qty": text(row.quantity),
            "quoteQty": text(row.value),
            "time": milliseconds(row.at),
            "isBuyerMaker": row.is_maker == (row.side.sign > 0),
            "isRPITrade": False,
        }
        for row in _traded(call)[-whole(given, "limit", 500, 1000) :]
    ]
    return replied(rows)


def _traded(call: PerpetualCall) -> list[Execution]:
    engine = call.venue.engine
    symbol = engine.contract(need(form(call), "symbol")).symbol
    found = [
        row
        for name in engine.account_names()
        for row in engine.books(name).executions
        if row.instrument == symbol and row.kind is ExecutionKind.TRADE
    ]
    return sorted(found, key=lambda row: row.number)


def aggregated_trades(call: PerpetualCall) -> Reply:
    """One row for each trade: there is nothing to sum up."""
    given = form(call)
    rows = [
        {
            "a": row.number,
            "p": text(row.price),
            "q": text(row.quantity),
            "nq": text(row.quantity),
            "f": row.number,
            "l": row.number,
            "T": milliseconds(row.at),
            "m": row.is_maker == (row.side.sign > 0),
        }
        for row in _traded(call)
    ]
    return replied(rows[-whole(given, "limit", 500, 1000) :])


def open_interest(call: PerpetualCall) -> Reply:
    """What the accounts here hold."""
    symbol, engine = need(form(call), "symbol"), call.venue.engine
    held = engine.open_interest(engine.contract(symbol).symbol)
    return replied({"symbol": symbol, "openInterest": text(held), "time": milliseconds(call.venue.now)})


def bars(call: PerpetualCall) -> Reply:
    """Of the quotes still kept, oldest first."""
    given = form(call)
    minutes = PERIODS.get(given.get("interval", ""))
    if minutes is None:
        raise BinanceRefused(-1120, "Invalid interval.")
    prices, length = _asked(call)[0], minutes * 60_000
    grouped: dict[int, list[Decimal]] = {}
    for quote in prices.kept:
        start = milliseconds(quote.at) // length * length
        grouped.setdefault(start, []).append(prices.contract.on_tick(quote.middle))
    rows = [
        [start, text(mids[0]), text(max(mids)), text(min(mids)), text(mids[-1]), "0", start + length - 1, "0", 0, "0",
         "0", "0"]
        for start, mids in sorted(grouped.items())
    ]  # fmt: skip
    return replied(rows[-whole(given, "limit", 500, 1500) :])


def funding_history(call: PerpetualCall) -> Reply:
    """The rate of now, at each of the last times it was due since the exchange opened."""
    engine: PerpetualEngine = call.venue.engine
    rows: list[Row] = []
    for prices in _asked(call):
        contract, due = prices.contract, last_funding(prices.contract, call.venue.now)
        while due >= engine.opened_at and len(rows) < 100:
            rows.append(
                {
                    "symbol": contract.symbol,
                    "fundingRate": rounded(contract.funding_rate),
                    "fundingTime": milliseconds(due),
                    "markPrice": rounded(prices.mark or ZERO),
                    "rateType": "Regular",
                }
            )
            due -= contract.funding_every
    rows.sort(key=lambda row: int(str(row["fundingTime"])))
    return replied(rows)


def funding_info(call: PerpetualCall) -> Reply:
    rows = [
        {
            "symbol": contract.symbol,
            "adjustedFundingRateCap": "0.02000000",
            "adjustedFundingRateFloor": "-0.02000000",
            "fundingIntervalHours": int(contract.funding_every / timedelta(hours=1)),
            "disclaimer": False,
        }
        for contract in call.venue.engine.contracts()
    ]
    return replied(rows)


def schedule(call: PerpetualCall) -> Reply:
    """Nothing here keeps hours."""
    return replied({"updateTime": milliseconds(call.venue.now), "marketSchedules": {}})


def _each(call: PerpetualCall, row: RowOf) -> Reply:
    """Of one symbol an object, of all a list."""
    found = _asked(call)
    left = call.venue.faults.thin(found, call.fault, lambda prices: prices.contract.symbol)
    rows = [row(prices, call.venue.now) for prices in left]
    if not form(call).get("symbol"):
        return replied(rows)
    if not rows:
        raise BinanceRefused(BAD_PARAMETER, "no data")
    return replied(rows[0])


def _asked(call: PerpetualCall) -> list[Prices]:
    symbol, engine = form(call).get("symbol"), call.venue.engine
    if symbol:
        return [engine.prices(symbol)]
    return [engine.prices(contract.symbol) for contract in engine.contracts()]


TABLE: tuple[RouteAt[Perpetuals], ...] = (
    RouteAt("GET", "/fapi/v1/ping", "clock", ping),
    RouteAt("GET", "/fapi/v1/time", "clock", time_now),
    RouteAt("GET", "/fapi/v1/exchangeInfo", "assets", exchange_info),
    RouteAt("GET", "/fapi/v1/premiumIndex", "quotes", premium_index),
    RouteAt("GET", "/fapi/v1/ticker/bookTicker", "quotes", book_ticker),
    RouteAt("GET", "/fapi/v1/ticker/price", "quotes", price_ticker),
    RouteAt("GET", "/fapi/v2/ticker/price", "quotes", price_ticker),
    RouteAt("GET", "/fapi/v1/ticker/24hr", "quotes", day_ticker),
    RouteAt("GET", "/fapi/v1/depth", "quotes", depth),
    RouteAt("GET", "/fapi/v1/trades", "trades", recent_trades),
    RouteAt("GET", "/fapi/v1/aggTrades", "trades", aggregated_trades),
    RouteAt("GET", "/fapi/v1/openInterest", "snapshots", open_interest),
    RouteAt("GET", "/fapi/v1/klines", "snapshots", bars),
    RouteAt("GET", "/fapi/v1/markPriceKlines", "snapshots", bars),
    RouteAt("GET", "/fapi/v1/indexPriceKlines", "snapshots", bars),
    RouteAt("GET", "/fapi/v1/fundingRate", "snapshots", funding_history),
    RouteAt("GET", "/fapi/v1/fundingInfo", "snapshots", funding_info),
    RouteAt("GET", "/fapi/v1/tradingSchedule", "calendar", schedule),
)
"""What needs no key."""
