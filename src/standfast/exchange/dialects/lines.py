"""What the WebSockets of all dialects have in common: one task that reads, one that writes, and a queue between.

A frame is put into the queue in the very turn of the loop in which its cause happened and leaves with the next; a
client that does not read is cut off when the queue is full rather than slowing anybody down.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

import msgspec
from aiohttp import WSMsgType, web

from standfast.exchange.dialects.gate import as_json

WAITING_MAX = 50_000
HEARTBEAT_SECONDS = 30.0
MSGPACK = "application/msgpack"

Encode = Callable[[object], bytes]

_MSGPACK = msgspec.msgpack.Encoder(decimal_format="number")


class Spoken(Protocol):
    """What a client of a stream said, handled."""

    def said(self, message: object) -> None:
        """One decoded message; None for one that could not be decoded."""
        ...


class Way(Protocol):
    """How messages reach one client."""

    @property
    def is_msgpack(self) -> bool: ...

    def send(self, message: object) -> None: ...

    def hang_up(self) -> None:
        """Cut it; what still waits is lost."""
        ...


class Line:
    """One connected WebSocket."""

    def __init__(self, request: web.Request, *, is_binary: bool) -> None:
        """A client that asks for msgpack by content type gets it; JSON goes in binary or text frames."""
        self.is_msgpack = request.headers.get("Content-Type", "").startswith(MSGPACK)
        self._request = request
        self._is_binary = is_binary or self.is_msgpack
        self._encode: Encode = _MSGPACK.encode if self.is_msgpack else as_json
        self._out: asyncio.Queue[bytes] = asyncio.Queue(WAITING_MAX)
        self._socket = web.WebSocketResponse(heartbeat=HEARTBEAT_SECONDS)

    async def serve(self, client: Spoken) -> web.StreamResponse:
        """Talk until either side hangs up."""
        try:
            await self._socket.prepare(self._request)
        except ConnectionError:
            return web.Response()  # it hung up while we answered: nobody gets this
        async with asyncio.TaskGroup() as tasks:
            writer = tasks.create_task(self._write(), name="stream writer")
            try:
                await self._read(client)
            finally:
                writer.cancel()
        return self._socket

    def send(self, message: object) -> None:
        self.send_encoded(self._encode(message))

    def send_encoded(self, frame: bytes) -> None:
        if self._out.full():
            self.hang_up()
        else:
            self._out.put_nowait(frame)

    def hang_up(self) -> None:
        """Cut the line; what still waits is lost."""
        transport = self._request.transport
        if transport is not None:
            transport.abort()

    async def _read(self, client: Spoken) -> None:
        async for message in self._socket:
            if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                client.said(self._decoded(message.data))

    async def _write(self) -> None:
        while True:
            frame = await self._out.get()
            try:
                await (self._socket.send_bytes(frame) if self._is_binary else self._socket.send_str(frame.decode()))
            except ConnectionError:
                return

    def _decoded(self, data: str | bytes) -> object:
        try:
            if self.is_msgpack and isinstance(data, bytes):
                return msgspec.msgpack.decode(data)
            return msgspec.json.decode(data)
        except msgspec.DecodeError:
            return None
