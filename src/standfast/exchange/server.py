"""The simulated exchange as a server: one address for every broker's dialect, and the time it keeps (`serving`).

`ExchangeServer` serves a venue; `serve` builds one from options, as `standfast exchange` does, perpetual futures among
them (`serving_perpetuals`).
"""

import asyncio
import signal
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from aiohttp import web

from standfast.exchange import serving_perpetuals
from standfast.exchange.accounts import AccountSpec
from standfast.exchange.assets import asset_of
from standfast.exchange.chain import Chain, listed
from standfast.exchange.contracts import Contract, contract_of
from standfast.exchange.dialects import alpaca, tradier
from standfast.exchange.dialects.operator import Operator
from standfast.exchange.dialects.perpetuals import Perpetuals
from standfast.exchange.dialects.venue import Venue
from standfast.exchange.engine import DEFAULT_RULES, Engine
from standfast.exchange.faults import Faults, parse_rules
from standfast.exchange.market import Market, Prices, Walk
from standfast.exchange.perpetual_tape import PerpetualTape
from standfast.exchange.quotes_file import quotes
from standfast.exchange.refreshed import Refreshed
from standfast.exchange.replay import Replay
from standfast.exchange.rules import Rules
from standfast.exchange.serving import TICK_SECONDS, HallServer
from standfast.exchange.sessions import NEW_YORK, USSessions
from standfast.exchange.tape import Tape

REQUESTS_PER_MINUTE = 200
CHAIN_DAYS = 3
CHAIN_WITHIN = timedelta(days=10)
MONDAY = datetime(2026, 1, 5, 14, 30, tzinfo=UTC)  # an ordinary session's opening


USUAL_ACCOUNTS: Mapping[str, tuple[AccountSpec, ...]] = {
    "alpaca": (AccountSpec(name="paper", key_id="key", secret="secret"),),
    "tradier": (AccountSpec(name="paper", key_id="VA00000001", secret="secret", multiplier=2),),
    "bybit": (AccountSpec(name="paper", key_id="key", secret="secret"),),
    "binance": (AccountSpec(name="paper", key_id="key", secret="secret"),),
}
USUAL_INSTRUMENTS: Mapping[str, Mapping[str, Decimal]] = {
    "alpaca": {"SPY": Decimal(600), "AAPL": Decimal(250)},
    "tradier": {"SPX": Decimal(6000), "SPY": Decimal(600)},
    "bybit": {"BTCUSDT": Decimal(50_000), "ETHUSDT": Decimal(3000)},
    "binance": {"BTCUSDT": Decimal(50_000), "ETHUSDT": Decimal(3000)},
}
USUAL_STRIKES: Mapping[str, int] = {"alpaca": 0, "tradier": 10, "bybit": 0, "binance": 0}
PERPETUAL = frozenset({"bybit", "binance"})
"""Dialects of exchanges for perpetual futures."""
Dialect = Callable[[Venue], list[web.RouteDef]]


class ExchangeServer(HallServer[Venue]):
    """`async with ExchangeServer(venue) as server:` serves until the block ends."""

    def __init__(  # noqa: PLR0913 - where, what it speaks and how finely its time runs, all with a default
        self,
        venue: Venue,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        per_minute: int | None = REQUESTS_PER_MINUTE,
        is_binary: bool = True,
        dialect: Dialect | None = None,
        tick: float = TICK_SECONDS,
    ) -> None:
        """Port 0: any free one. Without a dialect Alpaca's is spoken: `per_minute` None lifts its request budget,
        `is_binary`: order stream as paper does. `tick`: how far time may lag behind its pace between requests."""
        speaks = dialect or (lambda served: alpaca.routes(served, per_minute=per_minute, is_binary=is_binary))
        super().__init__(venue, [*Operator(venue).routes(), *speaks(venue)], host=host, port=port, tick=tick)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What `standfast exchange` can be told."""

    host: str = "127.0.0.1"
    port: int = 0
    accounts: tuple[AccountSpec, ...] = USUAL_ACCOUNTS["alpaca"]
    instruments: Mapping[str, Decimal] = field(default_factory=lambda: USUAL_INSTRUMENTS["alpaca"])
    strikes: int = 0  # with this many strikes on either side of each of them, for the next sessions, calls and puts
    seed: int | None = 1  # of the synthetic market; None: no prices but those somebody posts
    replay: tuple[Path, ...] = ()  # recorded quotes instead of the synthetic market
    speed: float | None = 1.0  # None: time moved by hand
    start: datetime | None = None  # None: the recorded day's opening, or an ordinary Monday's
    faults: Path | None = None  # a script, JSON
    fault_seed: int = 0
    rules: Rules = DEFAULT_RULES
    dialect: Literal["alpaca", "tradier", "bybit", "binance"] = "alpaca"
    per_minute: int | None = REQUESTS_PER_MINUTE  # None: no limits. Tradier has limits of its own
    is_binary: bool = True
    is_sandbox: bool = False  # Tradier: as its sandbox is
    log: Path | None = None  # where everything that happens is written down: see `tape`

    def __post_init__(self) -> None:
        """Two accounts under one name or key would answer as one. ValueError."""
        for word in ("name", "key_id"):
            times = Counter(getattr(account, word) for account in self.accounts)
            if twice := [each for each, count in times.items() if count > 1]:
                raise ValueError(f"{twice[0]!r} stands for {times[twice[0]]} accounts: give each its own name and key")


def build(options: Options) -> Venue:
    """The venue that the options describe. ValueError or OSError for files that cannot be used."""
    sessions = USSessions()
    start = options.start or _opening(options, sessions)
    contracts = _contracts(options, start, sessions)
    engine = Engine(
        [asset_of(name) for name in _instruments(options, contracts)],
        options.accounts,
        start=start,
        calendar=sessions,
        seed=options.seed or 0,
        rules=_rules(options),
    )
    return Venue(
        engine,
        [account.name for account in options.accounts],
        faults=_faults(options),
        sessions=sessions,
        prices=_prices(options, start, sessions, contracts),
        speed=options.speed,
    )


async def serve(options: Options, announce: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM. `announce` hears the address once it can be used."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    with ExitStack() as writing:
        async with _server_of(options, writing) as server:
            announce(server.url)
            await stopped.wait()


def _server_of(options: Options, writing: ExitStack) -> HallServer[Any]:
    """What the options describe; what is to be written down is, until the stack ends."""
    if options.dialect in PERPETUAL:
        hall = build_perpetuals(options)
        if options.log is not None:
            writing.enter_context(PerpetualTape(hall, options.log))
        spoken = serving_perpetuals.routes(options.dialect, hall, is_limited=options.per_minute is not None)
        return HallServer(hall, spoken, host=options.host, port=options.port)
    venue = build(options)
    if options.log is not None:
        writing.enter_context(Tape(venue, options.log))
    return ExchangeServer(
        venue,
        host=options.host,
        port=options.port,
        per_minute=options.per_minute,
        is_binary=options.is_binary,
        dialect=dialect_of(options),
    )


def build_perpetuals(options: Options) -> Perpetuals:
    """The exchange for perpetual futures that the options describe. ValueError or OSError for unusable files."""
    faults = _faults(options)
    return serving_perpetuals.hall_of(
        options.dialect,
        options.accounts,
        instruments={} if options.replay else options.instruments,
        start=options.start or serving_perpetuals.recorded_start(options.replay) or MONDAY,
        seed=options.seed,
        replay=options.replay,
        faults=faults,
        speed=options.speed,
    )


def run(options: Options, announce: Callable[[str], None]) -> int:
    """`serve` in an event loop of its own; returns the exit code."""
    asyncio.run(serve(options, announce))
    return 0


def _faults(options: Options) -> Faults:
    rules = parse_rules(options.faults.read_bytes()) if options.faults else []
    return Faults(rules, seed=options.fault_seed)


def _rules(options: Options) -> Rules:
    if options.dialect == "alpaca":
        return options.rules
    return tradier.rules(options.rules, is_sandbox=options.is_sandbox)


def dialect_of(options: Options) -> Dialect | None:
    if options.dialect == "alpaca":
        return None
    own = tradier.SANDBOX if options.is_sandbox else tradier.LIVE
    limits = None if options.per_minute is None else own
    return lambda venue: tradier.routes(
        venue, limits=limits, lag=tradier.POSITION_LAG, price_lag=tradier.PRICE_LAG, is_sandbox=options.is_sandbox
    )


def _contracts(options: Options, start: datetime, sessions: USSessions) -> list[Contract]:
    """The chains of the made-up market: what ends today, or with the next sessions."""
    if options.replay:
        return []
    today = start.astimezone(NEW_YORK).date()
    days = [session.day for session in sessions.calendar(today, today + CHAIN_WITHIN)][:CHAIN_DAYS]
    return [
        contract
        for name, price in sorted(options.instruments.items())
        if options.strikes and contract_of(name) is None
        for contract in listed(name, price, days, options.strikes)
    ]


def _instruments(options: Options, contracts: Iterable[Contract]) -> list[str]:
    recorded = {name for path in options.replay for name in quotes(path).instruments}
    named = recorded | set(options.instruments) | {contract.name for contract in contracts}
    underlyings = {contract.underlying for name in named if (contract := contract_of(name)) is not None}
    return sorted(named | underlyings)


def _opening(options: Options, sessions: USSessions) -> datetime:
    """When the recorded day's session opens, so that nobody waits through the night before it."""
    if not options.replay:
        return MONDAY
    first = next(quotes(options.replay[0])).at
    session = sessions.session(first.astimezone(NEW_YORK).date())
    return first if session is None else session.opens


def _prices(options: Options, start: datetime, sessions: USSessions, contracts: Sequence[Contract]) -> Prices | None:
    if options.replay:
        played = Replay.onto(options.replay, start.astimezone(NEW_YORK).date())
        return Refreshed(played, sessions) if options.dialect == "tradier" else played
    if options.seed is None:
        return None
    walks = [Walk(instrument=name, price=price) for name, price in sorted(options.instruments.items())]
    market = Market(options.seed, walks, sessions=sessions)
    return Chain(market, contracts) if contracts else market
