"""A client of the simulated Bybit streams, as plain as can be."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import msgspec

from standfast.exchange.dialects.bybit.wire import milliseconds, signed
from tests.exchange.dialects.bybit_desk import KEY, SECRET, BybitDesk


@dataclass(frozen=True, slots=True)
class Line:
    socket: aiohttp.ClientWebSocketResponse

    async def say(self, op: str, *args: object, **more: object) -> Any:
        await self.send(op, *args, **more)
        return await self.hear()

    async def send(self, op: str, *args: object, **more: object) -> None:
        await self.socket.send_str(msgspec.json.encode({"op": op, "args": list(args), **more}).decode())

    async def hear(self) -> Any:
        message = await self.socket.receive()
        assert message.type is aiohttp.WSMsgType.TEXT, message
        return msgspec.json.decode(message.data)

    async def rows(self, topic: str, count: int) -> list[Any]:
        """The next so many rows of a topic; whatever comes between is passed over."""
        found: list[Any] = []
        while len(found) < count:
            message = await self.hear()
            if message.get("topic") == topic:
                found += message["data"]
        return found


@asynccontextmanager
async def public_line(desk: BybitDesk) -> AsyncIterator[Line]:
    async with desk.session.ws_connect(f"{desk.server.stream_url}/v5/public/linear") as socket:
        yield Line(socket)


def private_socket(desk: BybitDesk) -> Any:
    """A connection nobody has authenticated yet: to be awaited, or entered."""
    return desk.session.ws_connect(f"{desk.server.stream_url}/v5/private")


@asynccontextmanager
async def private_line(desk: BybitDesk, *topics: str) -> AsyncIterator[Line]:
    """Authenticated, and subscribed to these."""
    async with private_socket(desk) as socket:
        line = Line(socket)
        assert (await line.say("auth", *credentials(desk)))["success"]
        if topics:
            assert (await line.say("subscribe", *topics))["success"]
        yield line


def credentials(desk: BybitDesk, seconds: float = 10) -> tuple[str, int, str]:
    expires = milliseconds(desk.venue.now) + int(seconds * 1000)
    return KEY, expires, signed(SECRET, f"GET/realtime{expires}")
