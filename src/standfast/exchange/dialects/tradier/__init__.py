"""The exchange in Tradier's dialect. `routes` is all a server needs; `trading` is where to start reading."""

from dataclasses import dataclass, replace
from datetime import timedelta

from aiohttp import web

from standfast.exchange.dialects.gate import Budget, Gate
from standfast.exchange.dialects.tradier import market_data, schedule
from standfast.exchange.dialects.tradier.history import History
from standfast.exchange.dialects.tradier.manner import TradierManner
from standfast.exchange.dialects.tradier.order_stream import OrderStream
from standfast.exchange.dialects.tradier.quote_stream import QuoteStream
from standfast.exchange.dialects.tradier.sessions import Sessions
from standfast.exchange.dialects.tradier.trading import Trading
from standfast.exchange.dialects.tradier.xml import in_the_form_asked
from standfast.exchange.dialects.venue import Venue
from standfast.exchange.rules import Rules


@dataclass(frozen=True, slots=True)
class Limits:
    """Requests a minute and token (brokers/README §2.9)."""

    reads: int = 120
    market: int = 120
    trades: int = 60


POSITION_LAG = 0.1  # 0.05 to 1.05 s were recorded (brokers/README §0)


PRICE_LAG = 0.05  # an order may say `filled` before it says at what [public bots]


def rules(given: Rules, *, is_sandbox: bool = False) -> Rules:
    """The engine's rules as this broker has them: no collars, no wash trade checks, day orders end `canceled`. Its
    sandbox keeps no order overnight."""
    return replace(
        given,
        collars_buy_stops=False,
        refuses_wash_trades=False,
        refuses_stop_beyond_market=False,
        day_orders_end_as_canceled=True,
        reverse_split_cancels_orders=True,
        day_orders_end_after=given.day_orders_end_after or ENDS_AFTER,
        gtc_ends_with_day=is_sandbox,
        expiry_settles_after=given.expiry_settles_after or SETTLES_AFTER,
    )


SETTLES_AFTER = timedelta(hours=1)  # positions of the last day stay listed after the close [public bots]
ENDS_AFTER = timedelta(seconds=50)  # 49.7 and 52.8 s were recorded
LIVE = Limits()
SANDBOX = Limits(reads=60, market=60)


def routes(
    venue: Venue,
    *,
    limits: Limits | None = LIVE,
    lag: float = 0.0,
    price_lag: float = 0.0,
    is_sandbox: bool = False,
) -> list[web.RouteDef]:
    """REST and streams. `limits` None: none. `lag`, `price_lag`: see `Trading`."""
    manner, history = TradierManner(), History(is_sandbox=is_sandbox)
    trading = Trading(lag=lag, price_lag=price_lag)
    of_account, of_market = Sessions("/v1/accounts/events"), Sessions("/v1/markets/events")

    def gate(per_minute: int | None) -> Gate[Venue]:
        return Gate(venue, manner, None if per_minute is None else Budget(per_minute, from_first=True))

    rest = [
        *gate(limits.reads if limits else None).routes((of_account.route(), *trading.reads(), *history.table())),
        *gate(limits.trades if limits else None).routes(trading.writes()),
        *gate(limits.market if limits else None).routes((of_market.route(), *market_data.TABLE, *schedule.TABLE)),
    ]
    return [
        web.get(of_account.path, OrderStream(venue, of_account).handle),
        web.get(of_market.path, QuoteStream(venue, of_market).handle),
        *in_the_form_asked(rest),
    ]
