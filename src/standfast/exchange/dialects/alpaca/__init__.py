"""The exchange in Alpaca's dialect. `routes` is all a server needs; `trading` is where to start reading."""

from aiohttp import web

from standfast.exchange.dialects.alpaca import market_data, schedule
from standfast.exchange.dialects.alpaca.manner import AlpacaManner, DataManner
from standfast.exchange.dialects.alpaca.order_stream import OrderStream
from standfast.exchange.dialects.alpaca.quote_stream import QuoteStream
from standfast.exchange.dialects.alpaca.trading import Trading
from standfast.exchange.dialects.gate import Budget, Gate
from standfast.exchange.dialects.venue import Venue

FEEDS = "|".join((*sorted(market_data.FEEDS), "test"))


def routes(venue: Venue, *, per_minute: int | None = 200, is_binary: bool = True) -> list[web.RouteDef]:
    """Trading and data, REST and streams. `per_minute` None: no limit. `is_binary`: the order stream as paper does."""
    trading = Gate(venue, AlpacaManner(), None if per_minute is None else Budget(per_minute))
    data = Gate(venue, DataManner(), None if per_minute is None else Budget(per_minute))
    return [
        web.get("/stream", OrderStream(venue, is_binary=is_binary).handle),
        web.get(f"/v2/{{feed:{FEEDS}}}", QuoteStream(venue).handle),
        *trading.routes((*Trading().table(), *schedule.TABLE)),
        *data.routes(market_data.TABLE),
    ]
