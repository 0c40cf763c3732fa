"""The served exchange in a thread of its own, for clients that block: everything else goes over its sockets.

Time stands still unless a test moves it, prices are those a test posts, so nothing here depends on how fast it runs.
"""

import asyncio
import json
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from typing import Any, TypeVar

from standfast.exchange.accounts import AccountSpec
from standfast.exchange.dialects.venue import Venue
from standfast.exchange.server import ExchangeServer, Options, build
from standfast.runtime.clock import monotonic

KEY, SECRET = "PKTEST", "a secret"
STILL = Options(
    seed=None,
    speed=None,
    instruments={"AAPL": Decimal(250), "KO": Decimal(87), "SPY": Decimal(600)},
    accounts=(AccountSpec(name="paper", key_id=KEY, secret=SECRET),),
)
PATIENCE = 120.0
"""Real seconds after which a test gives up on what should have come at once, on a busy machine too."""

Result = TypeVar("Result")


class Served:
    """A running exchange. `act` does something to its venue, in its own thread."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._started = threading.Event()
        self.server: ExchangeServer
        self.venue: Venue

    def run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        self.venue = build(self._options)
        options = self._options
        async with ExchangeServer(self.venue, per_minute=options.per_minute, is_binary=options.is_binary) as server:
            self.server = server
            self._started.set()
            await self._stop.wait()

    def wait(self) -> None:
        assert self._started.wait(PATIENCE), "the exchange did not start"

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def stream_url(self) -> str:
        return self.server.stream_url

    def act(self, do: Callable[[Venue], Result]) -> Result:
        async def done() -> Result:
            return do(self.venue)

        return asyncio.run_coroutine_threadsafe(done(), self._loop).result(PATIENCE)

    def wait_for(self, is_so: Callable[[Venue], bool]) -> None:
        """Ask until it is so. Each question is a round trip to the exchange's thread."""
        until = monotonic() + PATIENCE
        while not self.act(is_so):
            assert monotonic() < until, "it never became so"

    def operate(self, path: str, body: object = None, *, method: str | None = None) -> Any:
        """One request to `/sim`: a POST with a body, a GET without."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/sim/{path}", data=data, method=method)
        with urllib.request.urlopen(request, timeout=PATIENCE) as reply:
            return json.load(reply)

    def quote(self, instrument: str, bid: str, ask: str) -> None:
        self.operate("quote", {"instrument": instrument, "bid": bid, "ask": ask})


@contextmanager
def serving(**changes: Any) -> Iterator[Served]:
    """Serve what `STILL` describes, with these options changed."""
    served = Served(replace(STILL, **changes))
    thread = threading.Thread(target=served.run, name="exchange")
    thread.start()
    try:
        served.wait()
        yield served
    finally:
        served.stop()
        thread.join(PATIENCE)
        assert not thread.is_alive(), "the exchange did not stop"
