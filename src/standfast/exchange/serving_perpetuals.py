"""A served exchange for perpetual futures: from options to a hall with its prices, and what it speaks."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from aiohttp import web

from standfast.exchange.accounts import AccountSpec
from standfast.exchange.dialects import binance, bybit
from standfast.exchange.dialects.perpetual_operator import PerpetualOperator
from standfast.exchange.dialects.perpetuals import Perpetuals
from standfast.exchange.faults import Faults
from standfast.exchange.market import Market, Prices, Walk
from standfast.exchange.perpetual.contract import perpetual, symbol_of
from standfast.exchange.perpetual.engine import PerpetualEngine
from standfast.exchange.perpetual.rules import PerpetualRules
from standfast.exchange.quotes_file import quotes
from standfast.exchange.replay import Replay

Speaks = Callable[[Perpetuals], list[web.RouteDef]]
RULES: Mapping[str, PerpetualRules] = {"bybit": PerpetualRules(), "binance": binance.RULES}


def recorded_start(replay: Iterable[Path]) -> datetime | None:
    """The midnight before the first recorded quote; None without a recording. ValueError, OSError: unusable files."""
    for path in replay:
        first = next(quotes(path), None)
        if first is not None:
            return first.at.replace(hour=0, minute=0, second=0, microsecond=0)
    return None


def hall_of(  # noqa: PLR0913 - everything a served hall is made of, most with a default
    dialect: str,
    accounts: Iterable[AccountSpec],
    *,
    instruments: Mapping[str, Decimal],
    start: datetime,
    seed: int | None = None,
    replay: tuple[Path, ...] = (),
    faults: Faults | None = None,
    speed: float | None = None,
) -> Perpetuals:
    """`instruments` in either form of their name, with the price they begin at in a made-up market. `seed` None: no
    prices but those somebody posts. ValueError or OSError for files that cannot be used."""
    recorded = {symbol_of(name) for path in replay for name in quotes(path).instruments}
    begun = {symbol_of(name): price for name, price in sorted(instruments.items())}
    contracts = [perpetual(symbol) for symbol in sorted(recorded | begun.keys())]
    engine = PerpetualEngine(contracts, accounts, start=start, seed=seed or 0, rules=RULES[dialect])
    prices: Prices | None = None
    if replay:
        prices = Replay.onto(replay, start.date())
    elif seed is not None:
        ticks = {contract.symbol: contract.tick for contract in contracts}
        prices = Market(seed, [_walk(symbol, price, ticks[symbol]) for symbol, price in begun.items()])
    return Perpetuals(engine, faults=faults, prices=prices, speed=speed)


def _walk(symbol: str, price: Decimal, tick: Decimal) -> Walk:
    return Walk(instrument=symbol, price=price, volatility=0.006, spread=tick, tick=tick)


def routes(dialect: str, venue: Perpetuals, *, is_limited: bool) -> list[web.RouteDef]:
    """All that is served, the operator's part too."""
    speaks: Mapping[str, Speaks] = {
        "bybit": lambda hall: bybit.routes(hall, limits=bybit.LIVE if is_limited else None),
        "binance": lambda hall: binance.routes(hall, limits=binance.LIVE if is_limited else None),
    }
    return [*PerpetualOperator(venue).routes(), *speaks[dialect](venue)]
