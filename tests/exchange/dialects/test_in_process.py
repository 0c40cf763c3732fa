"""Requests that are answered in this process are answered as over a socket."""

import asyncio
from urllib.parse import urlencode

import msgspec
import pytest

from standfast.exchange.dialects import binance, bybit
from standfast.exchange.dialects.binance.listen_keys import ListenKeys
from standfast.exchange.dialects.binance.wire import signed
from standfast.exchange.dialects.bybit import Limits
from standfast.exchange.dialects.bybit.disconnected import Switches
from standfast.exchange.dialects.in_process import InProcess
from standfast.exchange.dialects.perpetuals import Perpetuals
from standfast.exchange.faults import EmptyList, Reset, Rule
from tests.exchange.dialects.binance_desk import binance_desk
from tests.exchange.dialects.bybit_desk import BTC, KEY, SECRET, bybit_desk, venue_of

HEADERS = {"X-BAPI-API-KEY": KEY, "X-BAPI-TIMESTAMP": "1", "X-BAPI-RECV-WINDOW": "5000"}


def served(venue: Perpetuals, limits: Limits | None = None) -> InProcess[Perpetuals]:
    return InProcess(venue, bybit.table(venue, Switches(venue), limits=limits))


def keyed(query: str) -> dict[str, str]:
    return HEADERS | {"x-bapi-sign": signed(SECRET, f"1{KEY}5000{query}")}


async def test_a_reply_is_the_one_that_a_socket_carries() -> None:
    query = urlencode({"category": "linear", "symbol": BTC})
    async with bybit_desk() as desk:
        await desk.place("Buy", "0.1")
        reply, fault = await served(desk.venue).ask("GET", "/v5/position/list", raw_query=query, headers=keyed(query))
        assert reply is not None
        told = msgspec.json.decode(reply.body)
        assert (told["result"], fault) == (await desk.get("position/list", symbol=BTC), None)


async def test_binance_is_answered_too() -> None:
    async with binance_desk() as desk:
        await desk.place("BUY", "0.1")
        inside = InProcess(desk.venue, binance.table(desk.venue, ListenKeys(desk.venue), limits=None))
        payload = urlencode({"timestamp": 1})
        query = f"{payload}&signature={signed(SECRET, payload)}"
        reply, _ = await inside.ask("GET", "/fapi/v3/positionRisk", raw_query=query, headers={"x-mbx-apikey": KEY})
        assert reply is not None
        assert msgspec.json.decode(reply.body) == await desk.get("v3/positionRisk")


async def test_keys_budgets_and_faults_are_those_of_the_served_exchange() -> None:
    venue = venue_of()
    inside = served(venue, Limits(reads=2))
    venue.faults.install(Rule(operation="configurations", fault=Reset(), count=1))
    asked = [await inside.ask("GET", "/v5/account/info", headers=keyed("")) for _ in range(3)]
    wrong, _ = await inside.ask("GET", "/v5/account/info", headers=HEADERS)
    unknown, _ = await inside.ask("GET", "/v5/nowhere", headers={})
    codes = [None if reply is None else msgspec.json.decode(reply.body)["retCode"] for reply, _ in asked]
    assert codes == [None, 0, 10006]
    assert wrong is not None
    assert msgspec.json.decode(wrong.body)["retCode"] == 10004
    assert unknown is not None
    assert unknown.status == 404


async def test_time_is_kept_at_the_halls_pace() -> None:
    venue = venue_of(speed=1000.0)
    inside = served(venue)
    venue.faults.install(Rule(operation="positions", fault=EmptyList()))
    keeping = asyncio.ensure_future(inside.keep_time(0.001))
    async with asyncio.timeout(120):
        await venue.pause(20)
    keeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await keeping
