"""The exchange in Bybit v5's dialect. `routes` is all a server needs; `trading` is where to start reading."""

from dataclasses import dataclass
from datetime import timedelta

from aiohttp import web

from standfast.exchange.dialects.bybit import account, market_data, trading
from standfast.exchange.dialects.bybit.disconnected import Switches
from standfast.exchange.dialects.bybit.manner import Private, Public
from standfast.exchange.dialects.bybit.private_stream import PrivateStream
from standfast.exchange.dialects.bybit.public_stream import PublicStream
from standfast.exchange.dialects.gate import Budget, Gate
from standfast.exchange.dialects.perpetuals import Perpetuals

SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Limits:
    """Requests a second: writes and reads of an account, market data of an address (brokers/README §3.7)."""

    writes: int = 10
    reads: int = 50
    market: int = 120


LIVE = Limits()


def routes(venue: Perpetuals, *, limits: Limits | None = LIVE, checks_clock: bool = False) -> list[web.RouteDef]:
    """REST and streams. `limits` None: none. `checks_clock`: requests stamped too far from the exchange's own time are
    refused, as they are by Bybit; not where exchange time is somebody's own."""
    private, switches = Private(venue, checks_clock=checks_clock), Switches(venue)

    def budget(per_second: int | None) -> Budget | None:
        return None if per_second is None else Budget(per_second, period=SECOND)

    def gate(per_second: int | None) -> Gate[Perpetuals]:
        return Gate(venue, private, budget(per_second))

    market = Gate(venue, Public(venue), budget(limits.market if limits else None))
    return [
        web.get("/v5/private", PrivateStream(venue, switches, checks_clock=checks_clock).handle),
        web.get("/v5/public/linear", PublicStream(venue).handle),
        *gate(limits.writes if limits else None).routes((*trading.writes(), *account.writes(switches))),
        *gate(limits.reads if limits else None).routes((*trading.reads(), *account.reads(switches))),
        *market.routes(market_data.TABLE),
    ]
