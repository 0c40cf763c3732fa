"""Who speaks with which exchange: its own dialect where one is built, else ccxt's unified API."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from standfast.brokers.ccxt.binance import refusals as binance_refusals
from standfast.brokers.ccxt.binance.feed import BinanceFeed
from standfast.brokers.ccxt.binance.venue import BinanceVenue
from standfast.brokers.ccxt.bybit import refusals as bybit_refusals
from standfast.brokers.ccxt.bybit.feed import BybitFeed
from standfast.brokers.ccxt.bybit.venue import BybitVenue
from standfast.brokers.ccxt.client import EVERY_STATUS, CcxtClient, Judges, Throttles
from standfast.brokers.ccxt.library import Library, Take, class_of, send_through
from standfast.brokers.ccxt.markets import Shelf
from standfast.brokers.ccxt.quote_stream import Feed
from standfast.brokers.ccxt.unified import abilities
from standfast.brokers.ccxt.unified import refusals as unified_refusals
from standfast.brokers.ccxt.unified.statements import before_any_key
from standfast.brokers.ccxt.unified.venue import UnifiedVenue
from standfast.brokers.ccxt.venue import Venue
from standfast.brokers.shared.address import AtAddress
from standfast.brokers.shared.courier import Deadlines
from standfast.brokers.shared.throttle import Budgeted, Throttle, Told
from standfast.brokers.shared.transport import Response, Transport
from standfast.ports import Clock

UNTOLD = Told(limit="", remaining="", reset="")
"""Limits are told per endpoint here: no word about the budget."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """What an exchange allows one account: reads, and orders beside them, in stretches of these seconds."""

    reads: int
    orders: int
    window: float
    orders_window: float = 1.0
    steady_turn_within: float = 0.0
    """Where the budget is small: how long a steady read waits for its turn beside the time for its answer."""
    address: int = 0
    """What all accounts that ask from one address of the internet may together; 0: no limit of that kind."""
    address_window: float = 60.0
    orders_count_there: bool = True
    of_account: str = ""
    """A header that only answers about an account's own limit have."""


BYBIT_RATES = Rates(
    reads=50,
    orders=10,
    window=1.0,
    steady_turn_within=60.0,
    address=600,
    address_window=5.0,
    of_account="x-bapi-limit-status",
)
"""Of one user, and of an address (brokers/README §3.7)."""
BINANCE_RATES = Rates(
    reads=240,
    orders=300,
    window=60.0,
    orders_window=10.0,
    steady_turn_within=60.0,
    address=240,
    orders_count_there=False,
)
"""Reads count for what they weigh, in tens of the 2400 a minute of an address; orders of an account by themselves."""
UNLIMITED = Rates(reads=1_000_000, orders=1_000_000, window=60.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How an exchange is spoken with: who speaks, what its answers mean, what it allows."""

    speaks: Callable[[CcxtClient, Shelf, Clock], Venue]
    judges: Judges
    take: Take
    rates: Rates | None
    """None: what ccxt keeps to there."""
    feed: Feed | None
    """None: quotes are streamed by ccxt, where it can."""
    options: Mapping[str, object] = field(default_factory=dict)
    """ccxt's own, so that it asks for no more than is needed: no list of positions beside ours, for one."""


def _nothing(response: Response) -> None:
    """Answers are judged where ccxt reads them."""


DIALECTS = {
    "bybit": Dialect(
        speaks=BybitVenue,
        judges=Judges(failure=bybit_refusals.failure, is_over_rate=bybit_refusals.is_over_rate),
        take=bybit_refusals.check,
        rates=BYBIT_RATES,
        feed=BybitFeed(),
        options={"fetchMarkets": {"types": ["linear"]}, "enableUnifiedMargin": False, "enableUnifiedAccount": True},
    ),
    "binanceusdm": Dialect(
        speaks=BinanceVenue,
        judges=Judges(failure=binance_refusals.failure, is_over_rate=binance_refusals.is_over_rate),
        take=binance_refusals.taken,
        rates=BINANCE_RATES,
        feed=BinanceFeed(),
        options={
            "fetchMarkets": {"types": ["linear"]},
            "watchPositions": {"fetchPositionsSnapshot": False, "awaitPositionsSnapshot": False},
        },
    ),
}
UNIFIED = Dialect(
    speaks=UnifiedVenue,
    judges=Judges(failure=unified_refusals.failure, is_over_rate=unified_refusals.is_over_rate, answers=EVERY_STATUS),
    take=_nothing,
    rates=None,
    feed=None,
    options=abilities.OPTIONS,
)


BETTER = {"binance": "binanceusdm"}
"""Other names of exchanges of which a dialect is built."""


def dialect_of(id: str) -> Dialect:
    return DIALECTS.get(id, UNIFIED)


def lacking(id: str) -> list[str]:
    """What keeps an exchange from being guarded, in words; nothing for one whose own dialect is spoken."""
    return [] if id in DIALECTS else abilities.lacking(class_of(id)())


def has_test_side(id: str) -> bool:
    """Whether ccxt knows where play money is traded there."""
    return "test" in class_of(id)().urls


def needs_passphrase(id: str) -> bool:
    """Whether a key of this exchange has one beside its secret."""
    return bool(class_of(id)().requiredCredentials.get("password"))


def foretold(id: str) -> list[str]:
    """What can be said, before any key, of guarding this exchange; the rest it is asked for itself (`guarded`)."""
    if id in DIALECTS:
        return ["its own dialect is spoken: everything a perpetual needs is guarded"]
    library = class_of(id)()
    better = [f"ccxt:{BETTER[id]} is spoken in its own dialect and guards more: take that"] if id in BETTER else []
    streams = bool(library.has.get("watchOrders"))
    return [
        *better,
        "stream: orders are streamed" if streams else "stream: none, fills are seen by polling",
        *(f"{each.what}: {each.detail}" for each in before_any_key(library)),
        "orders and stops: tried without being sent, when it is first asked",
    ]


def venue(  # noqa: PLR0913 - all that a dialect is put together of, each named
    library: Library,
    dialect: Dialect,
    shelf: Shelf,
    *,
    clock: Clock,
    transport: Transport,
    draw: random.Random,
    rate_share: float,
    rates: Rates | None,
    deadlines: Deadlines,
) -> Venue:
    """The dialect of this exchange, reached in this account's own budgets."""
    rates = rates or dialect.rates or _rates(library)

    def throttle(limit: int, window: float) -> Throttle:
        return Throttle(clock, requests_per_minute=limit, rate_share=rate_share, told=UNTOLD, window=window)

    reads: Budgeted = throttle(rates.reads, rates.window)
    orders: Budgeted = throttle(rates.orders, rates.orders_window)
    if rates.address:
        address = shelf.budget(lambda: throttle(rates.address, rates.address_window))
        reads = AtAddress(reads, address, clock, of_account=rates.of_account)
        if rates.orders_count_there:
            orders = AtAddress(orders, address, clock, of_account=rates.of_account)
    client = CcxtClient(
        library,
        clock=clock,
        transport=transport,
        throttles=Throttles(reads=reads, orders=orders),
        deadlines=replace(deadlines, steady_turn_within=rates.steady_turn_within),
        judges=dialect.judges,
        draw=draw,
    )
    send_through(library, client.send, dialect.take)
    library.options |= dict(dialect.options)
    return dialect.speaks(client, shelf, clock)


def _rates(library: Library) -> Rates:
    """What ccxt would keep to, a quarter of it for orders: it counts all that an address of the internet asks."""
    in_ten_seconds = max(4, int(10_000 / max(1.0, float(library.rateLimit or 1000))))
    orders = in_ten_seconds // 4
    return Rates(reads=in_ten_seconds - orders, orders=orders, window=10.0, orders_window=10.0, steady_turn_within=60.0)
