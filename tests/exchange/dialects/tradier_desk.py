"""A Tradier account at the served exchange, asked in plain HTTP, and replies held against recorded ones."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import aiohttp
import msgspec

from standfast.exchange.accounts import AccountSpec
from standfast.exchange.assets import Quote, asset_of
from standfast.exchange.dialects import tradier
from standfast.exchange.dialects.tradier import Limits
from standfast.exchange.dialects.venue import Venue
from standfast.exchange.engine import Engine
from standfast.exchange.faults import AnyFault, Rule
from standfast.exchange.past import Past
from standfast.exchange.rules import Rules
from standfast.exchange.server import ExchangeServer
from standfast.exchange.sessions import USSessions
from tests.exchange.option_desk import C600, C605, FRIDAY, NAMES, P595, P600

ACCOUNT, TOKEN = "VA00000001", "a token"
HEADERS = {"Authorization": f"Bearer {TOKEN}", "Accept": "application/json"}


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes
    headers: dict[str, str]

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)


@dataclass(frozen=True, slots=True)
class TradierDesk:
    venue: Venue
    server: ExchangeServer
    session: aiohttp.ClientSession

    async def ask(self, method: str, path: str, form: object = None, **headers: str) -> Answer:
        """`path` below /v1; `@` stands for the account's own part of it."""
        url = f"{self.server.url}/v1{path.replace('@', f'/accounts/{ACCOUNT}')}"
        async with self.session.request(method, url, data=form, headers=HEADERS | headers) as reply:
            return Answer(reply.status, await reply.read(), dict(reply.headers))

    async def get(self, path: str) -> Any:
        answer = await self.ask("GET", path)
        assert answer.status == 200, answer
        return answer.json

    async def place(self, **form: object) -> Any:
        """Place an order that must be taken; returns its number."""
        answer = await self.ask("POST", "@/orders", {name: str(value) for name, value in form.items()})
        assert answer.status == 200, answer
        assert answer.json["order"]["status"] == "ok"
        return answer.json["order"]["id"]

    async def place_form(self, form: dict[str, str]) -> Answer:
        return await self.ask("POST", "@/orders", form)

    async def order(self, number: int) -> Any:
        return (await self.get(f"@/orders/{number}?includeTags=true"))["order"]

    async def held(self) -> dict[str, float]:
        return {
            row["symbol"]: row["quantity"] for row in each((await self.get("@/positions"))["positions"], "position")
        }

    def quote(self, instrument: str, bid: str, ask: str) -> None:
        size = Decimal(100)
        self.venue.quote(Quote(instrument, Decimal(bid), Decimal(ask), size, size, self.venue.now))

    def fault(self, operation: str, fault: AnyFault, **when: Any) -> None:
        self.venue.faults.install(Rule(operation=operation, fault=fault, **when))

    def wait(self, seconds: float) -> None:
        self.venue.advance(self.venue.now + timedelta(seconds=seconds))


@asynccontextmanager
async def tradier_desk(
    *, cash: str = "100000", multiplier: int = 2, limits: Limits | None = None, lag: float = 0.0, **settings: Any
) -> AsyncIterator[TradierDesk]:
    """SPY, SPX and some options of one Friday, at 10:00 in New York; time stands still."""
    spec = AccountSpec(name="paper", key_id=ACCOUNT, secret=TOKEN, cash=Decimal(cash), multiplier=multiplier)
    engine = Engine(
        [asset_of(name) for name in NAMES],
        [spec],
        start=FRIDAY,
        calendar=USSessions(),
        rules=tradier.rules(Rules(), is_sandbox=settings.get("is_sandbox", False)),
    )
    async with served(engine, limits=limits, lag=lag, **settings) as desk:
        desk.quote("SPY", "601.00", "601.02")
        desk.quote(C600, "3.00", "3.10")
        desk.quote(C605, "1.00", "1.10")
        desk.quote(P600, "2.00", "2.10")
        desk.quote(P595, "0.80", "0.90")
        yield desk


@asynccontextmanager
async def served(engine: Engine, **settings: Any) -> AsyncIterator[TradierDesk]:
    venue = Venue(engine, engine.account_names(), sessions=USSessions(), past=Past(engine))
    dialect = lambda found: tradier.routes(found, **settings)  # noqa: E731  one expression, used once
    async with ExchangeServer(venue, dialect=dialect) as server, aiohttp.ClientSession() as session:
        yield TradierDesk(venue, server, session)


def each(listing: Any, name: str) -> list[Any]:
    """The rows of a list that may be `"null"` or a single element."""
    if listing == "null":
        return []
    rows = listing[name]
    return rows if isinstance(rows, list) else [rows]


def multileg(symbol: str, kind: str, price: str | None, *legs: tuple[str, str, int], **more: str) -> dict[str, str]:
    form = {"class": "multileg", "symbol": symbol, "type": kind, "duration": "day", **more}
    if price is not None:
        form["price"] = price
    for index, (name, side, quantity) in enumerate(legs):
        form |= {f"option_symbol[{index}]": name, f"side[{index}]": side, f"quantity[{index}]": str(quantity)}
    return form


def unlike(found: Any, recorded: Any, path: str = "") -> list[str]:
    """Where a reply lacks a key of the recorded one of its kind, or has another type there. Empty: alike."""
    if isinstance(recorded, dict):
        if not isinstance(found, dict):
            return [f"{path}: {found!r} is no object"]
        return [
            line
            for key, value in recorded.items()
            for line in (unlike(found[key], value, f"{path}.{key}") if key in found else [f"{path}.{key} is missing"])
        ]
    if isinstance(recorded, list):
        if not isinstance(found, list):
            return [f"{path}: {found!r} is no list"]
        return [line for row in found for line in unlike(row, recorded[0], f"{path}[]")]
    if recorded is None or found is None:
        return []
    is_number = isinstance(recorded, int | float) and not isinstance(recorded, bool)
    is_alike = isinstance(found, int | float) if is_number else isinstance(found, type(recorded))
    return [] if is_alike else [f"{path}: {found!r} is no {recorded!r}"]
