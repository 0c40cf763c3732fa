"""The exchange in Bybit v5's dialect. `routes` is all a server needs; `trading` is where to start reading."""

from dataclasses import dataclass
from datetime import timedelta

from aiohttp import web

from standfast.exchange.dialects.bybit import account, market_data, trading
from standfast.exchange.dialects.bybit.disconnected import Switches
from standfast.exchange.dialects.bybit.manner import Private, Public
from standfast.exchange.dialects.bybit.private_stream import PrivateStream
from standfast.exchange.dialects.bybit.public_stream import PublicStream
from standfast.exchange.dialects.gate import Budget, Gate, RouteAt
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
    switches = Switches(venue)
    rest = table(venue, switches, limits=limits, checks_clock=checks_clock)
    return [
        web.get("/v5/private", PrivateStream(venue, switches, checks_clock=checks_clock).handle),
        web.get("/v5/public/linear", PublicStream(venue).handle),
        *(route for gate, of_gate in rest for route in gate.routes(of_gate)),
    ]


def table(
    venue: Perpetuals, switches: Switches, *, limits: Limits | None = LIVE, checks_clock: bool = False
) -> list[tuple[Gate[Perpetuals], tuple[RouteAt[Perpetuals], ...]]]:
    """What is asked by REST, each with the gate it goes through."""
    private = Private(venue, checks_clock=checks_clock)

    def budget(per_second: int | None) -> Budget | None:
        return None if per_second is None else Budget(per_second, period=SECOND)

    writes, reads = (budget(limits.writes), budget(limits.reads)) if limits else (None, None)
    market = budget(limits.market) if limits else None
    return [
        (Gate(venue, private, writes), (*trading.writes(), *account.writes(switches))),
        (Gate(venue, private, reads), (*trading.reads(), *account.reads(switches))),
        (Gate(venue, Public(venue), market), market_data.TABLE),
    ]
