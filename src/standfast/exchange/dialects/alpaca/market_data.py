"""Alpaca's market data REST interface, as far as a guard needs it: the latest quote, trade and snapshot of a stock.

The exchange publishes quotes and no tape, so the latest trade shown is a made-up one at the middle of the quote.
"""

from datetime import timedelta

from standfast.exchange.assets import Quote
from standfast.exchange.dialects.alpaca import asking
from standfast.exchange.dialects.alpaca.rows import Row
from standfast.exchange.dialects.alpaca.wire import instant
from standfast.exchange.dialects.gate import Call, Reply, Route, as_json
from standfast.exchange.faults import Stale
from standfast.exchange.refusal import Refused

FEEDS = frozenset({"iex", "sip", "delayed_sip", "otc", "boats", "overnight"})
VENUE = "V"  # IEX
TAPE = "C"


def quote_row(quote: Quote) -> Row:
    """Prices and sizes are JSON numbers here, sizes whole."""
    return {
        "ap": quote.ask,
        "as": int(quote.ask_size),
        "ax": VENUE,
        "bp": quote.bid,
        "bs": int(quote.bid_size),
        "bx": VENUE,
        "c": ["R"],
        "t": instant(quote.at),
        "z": TAPE,
    }


def trade_row(quote: Quote) -> Row:
    return {
        "c": ["@"],
        "i": int(quote.at.timestamp() * 1_000_000),
        "p": quote.middle,
        "s": int(min(quote.bid_size, quote.ask_size)),
        "t": instant(quote.at),
        "x": VENUE,
        "z": TAPE,
    }


def bar_row(quote: Quote) -> Row:
    """The minute so far, which for us has one price."""
    price = quote.middle
    at = quote.at.replace(second=0, microsecond=0)
    return {"c": price, "h": price, "l": price, "n": 1, "o": price, "t": instant(at), "v": 0, "vw": price}


def snapshot_row(quote: Quote) -> Row:
    bar = bar_row(quote)
    return {
        "dailyBar": bar,
        "latestQuote": quote_row(quote),
        "latestTrade": trade_row(quote),
        "minuteBar": bar,
        "prevDailyBar": bar,
    }


def latest_quotes(call: Call) -> Reply:
    return _json({"quotes": {quote.instrument: quote_row(quote) for quote in _asked(call)}})


def latest_quote(call: Call) -> Reply:
    quote = _one(call)
    return _json({"symbol": quote.instrument, "quote": quote_row(quote)})


def latest_trades(call: Call) -> Reply:
    return _json({"trades": {quote.instrument: trade_row(quote) for quote in _asked(call)}})


def latest_trade(call: Call) -> Reply:
    quote = _one(call)
    return _json({"symbol": quote.instrument, "trade": trade_row(quote)})


def snapshots(call: Call) -> Reply:
    return _json({quote.instrument: snapshot_row(quote) for quote in _asked(call)})


def snapshot(call: Call) -> Reply:
    quote = _one(call)
    return _json({"symbol": quote.instrument, **snapshot_row(quote)})


TABLE = (
    Route("GET", "/v2/stocks/quotes/latest", "quotes", latest_quotes),
    Route("GET", "/v2/stocks/{key}/quotes/latest", "quotes", latest_quote),
    Route("GET", "/v2/stocks/trades/latest", "trades", latest_trades),
    Route("GET", "/v2/stocks/{key}/trades/latest", "trades", latest_trade),
    Route("GET", "/v2/stocks/snapshots", "snapshots", snapshots),
    Route("GET", "/v2/stocks/{key}/snapshot", "snapshots", snapshot),
)


def _asked(call: Call) -> list[Quote]:
    """The quotes of the symbols asked for; those without one are left out."""
    symbols = asking.words(call.query, "symbols")
    if not symbols:
        raise Refused(400, 0, "symbols parameter is required")
    found = [quote for symbol in symbols if (quote := _quote(call, symbol)) is not None]
    return call.venue.faults.thin(found, call.fault, lambda quote: quote.instrument)


def _one(call: Call) -> Quote:
    quote = _quote(call, call.path["key"])
    if quote is None:
        raise Refused(404, 0, f"no quote found for {call.path['key']}")
    return quote


def _quote(call: Call, symbol: str) -> Quote | None:
    feed = call.query.get("feed", "iex")
    if feed not in FEEDS:
        raise Refused(400, 0, f"invalid feed: {feed}")
    try:
        name = call.venue.engine.asset(symbol).instrument
    except Refused as refused:
        raise Refused(400, 0, f"invalid symbol: {symbol}") from refused
    if isinstance(call.fault, Stale):
        return call.venue.past.quote(name, call.venue.now - timedelta(seconds=call.fault.age))
    return call.venue.last_quote(name)


def _json(value: object) -> Reply:
    return Reply(200, as_json(value))
