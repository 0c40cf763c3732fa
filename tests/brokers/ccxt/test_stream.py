"""The order stream over real sockets: it says when it is up, names orders, and after a break says so and comes back."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from standfast.brokers.ccxt.adapter import CcxtBroker, CcxtSettings
from standfast.brokers.ccxt.library import Access
from standfast.brokers.ccxt.markets import Shelf
from standfast.brokers.shared.transport import AiohttpTransport
from standfast.model.ids import AccountId
from standfast.model.secret import Secret
from standfast.ports import OrderEvent, StreamDown, StreamUp
from tests.brokers.ccxt.scripted import INSTRUMENT, SHORT, listed, order_row
from tests.brokers.clocks import PATIENCE, LoopClock


@dataclass(slots=True)
class Served:
    """Bybit's private stream as far as an order stream needs it."""

    accepts: bool = True
    sockets: list[web.WebSocketResponse] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    port: int = 0

    async def stream(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.sockets.append(socket)
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                continue
            told = json.loads(message.data)
            self.heard.append(told["op"])
            if told["op"] == "auth":
                await socket.send_json({"success": self.accepts, "ret_msg": "", "op": "auth", "conn_id": "c"})
            elif told["op"] == "subscribe":
                reply = {
                    "success": True,
                    "ret_msg": "",
                    "op": "subscribe",
                    "req_id": told.get("req_id"),
                    "conn_id": "c",
                }
                await socket.send_json(reply)
            elif told["op"] == "ping":
                await socket.send_json({"req_id": "", "op": "pong", "args": ["1"], "conn_id": "c"})
        return socket

    async def instruments(self, request: web.Request) -> web.Response:
        return web.Response(body=listed(INSTRUMENT), content_type="application/json")

    async def order(self, **changes: Any) -> None:
        row = order_row(**changes) | {"category": "linear"}
        await self.sockets[-1].send_json({"id": "1", "topic": "order", "creationTime": 1, "data": [row]})


@asynccontextmanager
async def served() -> AsyncIterator[tuple[Served, CcxtBroker]]:
    found = Served()
    app = web.Application()
    app.router.add_get("/v5/private", found.stream)
    app.router.add_get("/v5/market/instruments-info", found.instruments)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert runner.addresses
    found.port = runner.addresses[0][1]
    access = Access(
        id="bybit",
        key_id=Secret("key"),
        secret=Secret("words that open"),
        passphrase=Secret(""),
        live=True,
        rest_url=f"http://127.0.0.1:{found.port}",
        stream_url=f"ws://127.0.0.1:{found.port}",
    )
    settings = CcxtSettings(account=AccountId("perp"), access=access, shelf=Shelf())
    broker = CcxtBroker(settings, clock=LoopClock(), transport=AiohttpTransport())
    try:
        yield found, broker
    finally:
        await broker.close()
        await runner.cleanup()


async def test_it_is_up_when_orders_are_subscribed_to_and_names_what_happened() -> None:
    async with served() as (exchange, broker), aclosing(broker.events()) as events:
        assert await anext(events) == StreamUp()
        assert exchange.heard[:2] == ["auth", "subscribe"]

        await exchange.order(orderStatus="New", positionIdx=2, side="Buy")
        event = await anext(events)

        assert isinstance(event, OrderEvent)
        assert (event.holding, event.broker_id, event.client_id, event.event) == (SHORT, "o-1", "sfabcd-o1", "new")


async def test_after_a_break_it_says_so_and_that_all_must_be_read_anew() -> None:
    async with served() as (exchange, broker), aclosing(broker.events()) as events:
        assert await anext(events) == StreamUp()
        await exchange.sockets[-1].close()

        down, up = await anext(events), await anext(events)

        assert isinstance(down, StreamDown)
        assert up == StreamUp()
        await exchange.order()
        assert isinstance(await anext(events), OrderEvent)


async def test_keys_that_are_refused_are_said_once_and_tried_again() -> None:
    async with served() as (exchange, broker), aclosing(broker.events()) as events:
        exchange.accepts = False
        down = await anext(events)
        assert isinstance(down, StreamDown)
        assert "words that open" not in down.reason

        exchange.accepts = True
        assert await anext(events) == StreamUp()


async def test_every_event_of_one_message_is_told() -> None:
    async with served() as (exchange, broker), aclosing(broker.events()) as events:
        assert await anext(events) == StreamUp()
        for number in range(5):
            await exchange.order(orderId=f"o-{number}")

        async with asyncio.timeout(PATIENCE):
            told = [await anext(events) for _ in range(5)]

        assert [each.broker_id for each in told if isinstance(each, OrderEvent)] == [f"o-{n}" for n in range(5)]


async def test_a_stream_lives_though_the_accounts_clock_is_another_than_the_machines() -> None:
    """A simulated exchange has its own date: a pong of then is no old pong."""
    async with served() as (exchange, broker), aclosing(broker.events()) as events:
        broker._library.streaming["keepAlive"] = 50
        assert await anext(events) == StreamUp()
        following = asyncio.ensure_future(anext(events))
        async with asyncio.timeout(PATIENCE):
            while exchange.heard.count("ping") < 8:
                await broker._clock.sleep(0.02)

        await exchange.order()

        assert isinstance(await following, OrderEvent)
