"""A served exchange: one address, and the time it keeps.

The server owns time: a pump moves it at the hall's pace (or nobody does, and `POST /sim/advance` is the only way), and
every request first lets it catch up, so that a client never sees an exchange that is behind its own clock.
"""

import asyncio
from collections.abc import Iterable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from aiohttp import web

from standfast.exchange.dialects.hall import Hall

TICK_SECONDS = 0.005  # how far time may lag behind its pace between requests
SHUTDOWN_SECONDS = 1.0
BODY_BYTES_MAX = 1 << 20

Place = TypeVar("Place", bound=Hall[Any, Any])


class HallServer(Generic[Place]):
    """`async with HallServer(venue, routes) as server:` serves until the block ends."""

    def __init__(
        self,
        venue: Place,
        routes: Iterable[web.RouteDef],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tick: float = TICK_SECONDS,
    ) -> None:
        """Port 0: any free one. `tick`: how far time may lag behind its pace between requests."""
        self.venue = venue
        self._host = host
        self._port = port
        self._tick = tick
        app = web.Application(client_max_size=BODY_BYTES_MAX)
        app.add_routes(routes)
        app.router.add_route("*", "/{rest:.*}", _unknown)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
        self._running = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        self._running.push_async_callback(self._runner.cleanup)
        try:
            await web.TCPSite(self._runner, self._host, self._port).start()
            self._host, self._port = self._runner.addresses[0][:2]
            if self.venue.speed is not None:
                tasks = await self._running.enter_async_context(asyncio.TaskGroup())
                pump = tasks.create_task(self._pump(), name="exchange time")
                self._running.callback(pump.cancel)
        except BaseException:
            await self._running.aclose()
            raise
        self.venue.start()
        self._running.callback(self.venue.stop)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._running.__aexit__(kind, error, trace)

    @property
    def url(self) -> str:
        """For trading and data alike."""
        return f"http://{self._host}:{self._port}"

    @property
    def stream_url(self) -> str:
        """Scheme and host of the WebSockets."""
        return f"ws://{self._host}:{self._port}"

    async def _pump(self) -> None:
        while True:
            self.venue.catch_up()
            await asyncio.sleep(self._tick)


async def _unknown(_: web.Request) -> web.StreamResponse:
    return web.json_response({"code": 40410000, "message": "endpoint not found."}, status=404)
