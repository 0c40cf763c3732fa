"""A real day drives the dialect: the 0DTE 3800/3700 put spread of 2021-01-06 through the afternoon's fall."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp

from standfast.exchange import server
from standfast.exchange.server import ExchangeServer, Options, build, dialect_of
from tests.exchange.dialects.tradier_desk import HEADERS, each, multileg

SHORT, LONG = "SPXW210106P03800000", "SPXW210106P03700000"
OPENS = multileg("SPX", "market", None, (SHORT, "sell_to_open", 3), (LONG, "buy_to_open", 3))
CLOSES = multileg("SPX", "market", None, (SHORT, "buy_to_close", 3), (LONG, "sell_to_close", 3))


class Day:
    """The served day; `at` moves it to a time of day in UTC."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url

    async def get(self, path: str) -> Any:
        async with self._session.get(
            f"{self._url}/v1{path}", headers=HEADERS | {"Authorization": "Bearer secret"}
        ) as reply:
            return await reply.json()

    async def place(self, form: dict[str, str]) -> Any:
        url, headers = f"{self._url}/v1/accounts/VA00000001/orders", HEADERS | {"Authorization": "Bearer secret"}
        async with self._session.post(url, data=form, headers=headers) as reply:
            number = (await reply.json())["order"]["id"]
        await self.sim("advance", seconds=1)  # until it says its price
        return (await self.get(f"/accounts/VA00000001/orders/{number}"))["order"]

    async def sim(self, verb: str, **body: object) -> Any:
        async with self._session.post(f"{self._url}/sim/{verb}", json=body) as reply:
            assert reply.status == 200, await reply.text()
            return await reply.json()

    async def at(self, hour: int, minute: int) -> None:
        await self.sim("advance", to=datetime(2021, 1, 6, hour, minute, tzinfo=UTC).isoformat())

    async def held(self) -> dict[str, float]:
        rows = each((await self.get("/accounts/VA00000001/positions"))["positions"], "position")
        return {row["symbol"]: row["quantity"] for row in rows}

    async def cash(self) -> float:
        return float((await self.get("/accounts/VA00000001/balances"))["balances"]["total_cash"])


@asynccontextmanager
async def recorded_day(shared: Path) -> AsyncIterator[Day]:
    path = shared / "data/market/indexoption/spxw/20210106_quote_european.zip"
    options = Options(
        dialect="tradier", replay=(path,), speed=None, accounts=server.USUAL_ACCOUNTS["tradier"], per_minute=None
    )
    venue = build(options)
    async with ExchangeServer(venue, dialect=dialect_of(options)) as served, aiohttp.ClientSession() as session:
        yield Day(session, served.url)


async def test_the_spread_trades_at_the_recorded_quotes(shared: Path) -> None:
    async with recorded_day(shared) as day:
        await day.at(18, 30)
        opened = await day.place(OPENS)
        await day.at(19, 30)
        closed = await day.place(CLOSES)
        await day.at(19, 31)

        legs = [(leg["avg_fill_price"], leg["status"]) for leg in (*opened["leg"], *closed["leg"])]
        assert legs == [(24.7, "filled"), (0.3, "filled"), (41.0, "filled"), (0.65, "filled")]
        assert await day.held() == {}
        assert await day.cash() == 100_000 + 300 * (24.7 - 0.30) - 300 * (41.0 - 0.65)


async def test_held_to_the_end_it_settles_in_cash_at_the_price_announced(shared: Path) -> None:
    async with recorded_day(shared) as day:
        await day.at(18, 30)
        await day.place(OPENS)
        await day.sim("settlement", underlying="SPX", day="2021-01-06", price="3748.14")

        await day.at(21, 30)
        assert await day.held() == {SHORT: -3.0, LONG: 3.0}  # still listed
        await day.at(22, 1)

        assert await day.held() == {}
        assert (await day.get("/markets/quotes?symbols=SPX"))["quotes"]["quote"]["last"] == 3748.14
        assert round(await day.cash(), 2) == round(100_000 + 300 * (24.7 - 0.30) - 300 * (3800 - 3748.14), 2)


async def test_greeks_of_recorded_quotes_tell_where_the_short_leg_is(shared: Path) -> None:
    async with recorded_day(shared) as day:
        deltas: list[float] = []
        quote: Any = None
        for hour, minute in ((16, 30), (18, 30), (20, 55)):
            await day.at(hour, minute)
            quote = (await day.get(f"/markets/quotes?symbols={SHORT},SPX&greeks=true"))["quotes"]["quote"]
            deltas.append(quote[0]["greeks"]["delta"])

        assert all(-1 <= delta <= -0.5 for delta in deltas)  # in the money all afternoon
        assert deltas[2] < -0.98
        assert (quote[1]["type"], quote[1]["bid"]) == ("index", None)
        assert 3740 < quote[1]["last"] < 3760  # where its options say; it has no quotes of its own
