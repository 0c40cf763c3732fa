"""A client of the simulated Binance streams, as plain as can be."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import msgspec

from tests.exchange.dialects.binance_desk import BinanceDesk


@dataclass(frozen=True, slots=True)
class Line:
    socket: aiohttp.ClientWebSocketResponse

    async def say(self, method: str, *params: str) -> Any:
        await self.socket.send_str(msgspec.json.encode({"method": method, "params": list(params), "id": 1}).decode())
        return await self.hear()

    async def hear(self) -> Any:
        message = await self.socket.receive()
        assert message.type is aiohttp.WSMsgType.TEXT, message
        return msgspec.json.decode(message.data)

    async def of(self, kind: str) -> Any:
        """The next message of a kind; whatever comes between is passed over."""
        while (message := await self.hear())["e"] != kind:
            pass
        return message


@asynccontextmanager
async def user_line(desk: BinanceDesk) -> AsyncIterator[Line]:
    key = (await desk.post("v1/listenKey"))["listenKey"]
    async with desk.session.ws_connect(f"{desk.server.stream_url}/private/ws?listenKey={key}") as socket:
        yield Line(socket)


@asynccontextmanager
async def market_line(desk: BinanceDesk, *names: str) -> AsyncIterator[Line]:
    async with desk.session.ws_connect(f"{desk.server.stream_url}/public/ws") as socket:
        line = Line(socket)
        assert (await line.say("SUBSCRIBE", *names))["result"] is None
        yield line
