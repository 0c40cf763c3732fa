"""An adapter's transport without a socket: requests to a hall in this process, under real or virtual time.

For exchanges that `http.py`'s world does not know, perpetual futures among them. There are no streams: an adapter is
told so when it connects, and polls.

Invariant: a request that has left arrives, and is carried out, whether or not who sent it still waits.
"""

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from standfast.brokers.shared.transport import Exchange, Response, Socket, TransportError
from standfast.exchange.dialects.in_process import InProcess


class HallTransport:
    """`brokers.shared.transport.Transport`."""

    def __init__(self, served: InProcess[Any], *, there: float = 0.0, back: float = 0.0) -> None:
        """`there`, `back`: seconds on the way."""
        self._served = served
        self._there = there
        self._back = back
        self._travelling: set[asyncio.Task[Response]] = set()

    async def request(self, exchange: Exchange) -> Response:
        exchange.left = True
        journey = asyncio.get_running_loop().create_task(self._travel(exchange), name="request on its way")
        self._travelling.add(journey)
        journey.add_done_callback(self._arrived)
        return await asyncio.shield(journey)

    def _arrived(self, journey: "asyncio.Task[Response]") -> None:
        """Who asked may be gone, and what became of it is nobody's then."""
        self._travelling.discard(journey)
        if not journey.cancelled():
            journey.exception()

    async def _travel(self, exchange: Exchange) -> Response:
        await asyncio.sleep(self._there)
        parts = urlsplit(exchange.url)
        reply, _ = await self._served.ask(
            exchange.method,
            parts.path,
            raw_query=parts.query or urlencode(exchange.params),
            headers=exchange.headers,
            body=exchange.body or b"",
        )
        if reply is None:
            raise TransportError("the connection was reset")
        await asyncio.sleep(self._back)
        headers = {name.lower(): text for name, text in reply.headers.items()}
        return Response(reply.status, headers | {"content-type": reply.content_type}, reply.body)

    async def connect(self, url: str, headers: Mapping[str, str]) -> Socket:
        raise TransportError("there are no streams in this process")

    async def close(self) -> None:
        for journey in tuple(self._travelling):
            journey.cancel()
