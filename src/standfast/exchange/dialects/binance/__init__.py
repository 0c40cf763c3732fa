"""The exchange in Binance USD-M's dialect. `routes` is all a server needs; `trading` and `algo` are where to start."""

from dataclasses import dataclass
from datetime import timedelta

from aiohttp import web

from standfast.exchange.dialects.binance import account, algo, market_data, trading
from standfast.exchange.dialects.binance.countdown import Countdown
from standfast.exchange.dialects.binance.listen_keys import ListenKeys
from standfast.exchange.dialects.binance.manner import Keyed, Private, Public
from standfast.exchange.dialects.binance.market_stream import MarketStream
from standfast.exchange.dialects.binance.user_stream import UserStream
from standfast.exchange.dialects.gate import Budget, Gate, RouteAt
from standfast.exchange.dialects.perpetuals import Perpetuals
from standfast.exchange.perpetual.rules import PerpetualRules

TEN_SECONDS = timedelta(seconds=10)
RULES = PerpetualRules(ids_stay_taken=False)
"""The engine's rules as Binance has them: a client order id is taken only while its order works."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Requests a minute of an address, and orders in ten seconds of an account (brokers/README §4.7)."""

    reads: int = 2400
    writes: int = 300


LIVE = Limits()


def routes(venue: Perpetuals, *, limits: Limits | None = LIVE, checks_clock: bool = False) -> list[web.RouteDef]:
    """REST and streams. `limits` None: none. `checks_clock`: as in Bybit's dialect."""
    keys = ListenKeys(venue)
    market, user = MarketStream(venue), UserStream(venue, keys)
    rest = table(venue, keys, limits=limits, checks_clock=checks_clock)
    return [
        web.get("/private/ws", user.handle),
        web.get("/private/ws/{key}", user.handle),
        *(web.get(path, market.handle) for path in ("/ws", "/public/ws", "/market/ws")),
        *(web.get(f"{path}/{{key:.*}}", market.handle) for path in ("/ws", "/public/ws", "/market/ws")),
        *(route for gate, of_gate in rest for route in gate.routes(of_gate)),
    ]


def table(
    venue: Perpetuals, keys: ListenKeys, *, limits: Limits | None = LIVE, checks_clock: bool = False
) -> list[tuple[Gate[Perpetuals], tuple[RouteAt[Perpetuals], ...]]]:
    """What is asked by REST, each with the gate it goes through."""
    private, countdown = Private(checks_clock=checks_clock), Countdown(venue)
    reads = Budget(limits.reads) if limits else None
    writes = Budget(limits.writes, period=TEN_SECONDS) if limits else None
    return [
        (Gate(venue, private, writes), (*trading.writes(), *algo.writes(), *account.writes(countdown))),
        (Gate(venue, private, reads), (*trading.reads(), *algo.reads(), *account.reads())),
        (Gate(venue, Keyed(), reads), keys.routes()),
        (Gate(venue, Public(), reads), market_data.TABLE),
    ]
