"""The exchange's order stream through ccxt.pro: reasons to look, and nothing that could be counted.

ccxt.pro connects, signs in, answers pings and parses; it connects again when it is asked again. Nothing is replayed, so
`StreamUp` is said once orders are subscribed to after every connection, and its listener reads all anew.

Invariants
- The stream ends only by being closed from outside: whatever breaks it, it says why, waits and connects again.
- The same reason is said once for as long as the stream stays down.
- Nothing that ccxt raises leaves this module.
"""

import asyncio
import random
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import aclosing
from typing import Any

from standfast.brokers.ccxt.library import Library, forget_connections
from standfast.brokers.ccxt.venue import Happened, Venue
from standfast.brokers.shared.sessions import Backoff
from standfast.brokers.shared.wire import STEADY_AFTER
from standfast.model.errors import BrokerError
from standfast.model.secret import redact
from standfast.ports import BrokerEvent, Clock, OrderEvent, StreamDown, StreamUp

CONNECTED_WITHIN = 20.0
REASON_MAX = 200


class OrderStream:
    def __init__(self, library: Library, venue: Venue, clock: Clock, draw: random.Random) -> None:
        self._library = library
        self._venue = venue
        self._clock = clock
        self._draw = draw
        self._up = asyncio.Event()
        self._news = asyncio.Event()
        self._heard: deque[Happened] = deque()
        self._listen()

    async def events(self, prepare: Callable[[], Awaitable[object]]) -> AsyncGenerator[BrokerEvent, None]:
        """Order events between `StreamUp` and `StreamDown`, for ever. `prepare`: what has to be read before."""
        if not self._library.has.get("watchOrders"):
            yield StreamDown("ccxt has no order stream for this exchange: orders are polled")
            await asyncio.Event().wait()
        backoff = Backoff(self._draw)
        said = ""
        while True:
            began = self._clock.monotonic()
            async with aclosing(self._connection(prepare)) as connection:
                async for event in connection:
                    is_new = not isinstance(event, StreamDown) or event.reason != said
                    said = event.reason if isinstance(event, StreamDown) else ""
                    if is_new:
                        yield event
            if self._clock.monotonic() - began >= STEADY_AFTER:
                backoff.succeeded()
            await self._clock.sleep(backoff.wait())

    async def _connection(self, prepare: Callable[[], Awaitable[object]]) -> AsyncGenerator[BrokerEvent, None]:
        """One connection, from its beginning to why it ended."""
        self._up.clear()
        reason = ""
        watching: asyncio.Future[Any] | None = None
        try:
            await prepare()
            watching = asyncio.ensure_future(self._library.watch_orders())
            await self._connected(watching)
            yield StreamUp()
            while True:
                while self._heard:
                    yield _event(self._heard.popleft())
                if watching.done():
                    self._hear(self._venue.streamed(watching.result()))  # raises what ended it
                    watching = asyncio.ensure_future(self._library.watch_orders())
                await self._more(watching)
        except Exception as error:  # noqa: BLE001 - whatever ccxt meets on a stream, it is tried again
            reason = str(error) if isinstance(error, BrokerError) else f"{type(error).__name__}: {error}"
        finally:
            if watching is not None:
                watching.cancel()
            await forget_connections(self._library)
            self._heard.clear()  # all is read anew after the next connection
        yield StreamDown(redact(reason)[:REASON_MAX])

    async def _connected(self, watching: "asyncio.Future[Any]") -> None:
        """Wait until orders are subscribed to; raises what keeps them from it."""
        async with self._clock.timeout(CONNECTED_WITHIN):
            await _either(self._up, watching)
        if self._library.id not in ACKNOWLEDGING | IN_THE_ADDRESS:
            await self._clock.sleep(SETTLES)
        if watching.done():
            watching.result()

    async def _more(self, watching: "asyncio.Future[Any]") -> None:
        """Wait until something was heard, or the stream has ended."""
        if not self._heard:
            self._news.clear()
            await _either(self._news, watching)

    def _hear(self, found: Iterable[Happened]) -> None:
        self._heard.extend(found)
        self._news.set()

    def _listen(self) -> None:
        """Hear every message as it comes: what ccxt hands out is the last of several.

        Orders are subscribed to by the exchange's word where it gives one, else by the connection made for them.
        """
        library = self._library
        acknowledges = library.id in ACKNOWLEDGING
        handle, connected = library.handle_message, library.on_connected

        def on_connected(client: Any, message: Any = None) -> None:
            connected(client, message)
            if not acknowledges:
                self._up.set()

        def handle_message(client: Any, message: Any) -> Any:
            if isinstance(message, dict):
                if message.get("op") == SUBSCRIBED and message.get("success"):
                    self._up.set()
                self._hear(self._venue.heard(message))
            handled = handle(client, message)
            client.lastPong = type(library).milliseconds()  # any message is a sign of life, by the machine's clock
            return handled

        library.on_connected = on_connected
        library.handle_message = handle_message


SUBSCRIBED = "subscribe"
ACKNOWLEDGING = frozenset({"bybit", "bybitid"})
"""Exchanges that say when a subscription has taken hold."""
IN_THE_ADDRESS = frozenset({"binanceusdm"})
"""Those at which who connects is subscribed."""
SETTLES = 2.0
"""Seconds after connecting in which, at any other, a subscription is taken to have taken hold."""


async def _either(event: asyncio.Event, future: "asyncio.Future[Any]") -> None:
    waiting = asyncio.ensure_future(event.wait())
    try:
        await asyncio.wait({waiting, future}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()


def _event(found: Happened) -> OrderEvent:
    return OrderEvent(holding=found.holding, broker_id=found.broker_id, client_id=found.client_id, event=found.event)
