"""The official clients, as anybody would make them; only their addresses point at the served exchange.

Their streams live on a part of `websockets` that warns of its age, which is not ours to mend.
"""

import asyncio
import queue
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from standfast.exchange.dialects.venue import Venue
from tests.contract.served import KEY, PATIENCE, SECRET, Served

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import alpaca.data.requests
    import alpaca.trading.requests
    from alpaca.common.exceptions import APIError
    from alpaca.data.historical.stock import StockHistoricalDataClient
    from alpaca.data.live.stock import StockDataStream
    from alpaca.trading.client import TradingClient
    from alpaca.trading.stream import TradingStream

__all__ = ["APIError", "asks", "data_asks", "data_client", "order_stream", "quote_stream", "trading_client"]

# As `Any`: the clients take plain words where their types ask for enums, and answer in unions of model and dict.
asks: Any = alpaca.trading.requests
data_asks: Any = alpaca.data.requests


@contextmanager
def trading_client(served: Served, *, key: str = KEY, secret: str = SECRET) -> Iterator[Any]:
    client = TradingClient(key, secret, url_override=served.url)
    try:
        yield client
    finally:
        client._session.close()


@contextmanager
def data_client(served: Served) -> Iterator[Any]:
    client = StockHistoricalDataClient(KEY, SECRET, url_override=served.url)
    try:
        yield client
    finally:
        client._session.close()


class Heard:
    """What a stream's handler was given, in order."""

    def __init__(self) -> None:
        self._queue: queue.Queue[Any] = queue.Queue()

    async def handle(self, message: Any) -> None:
        self._queue.put(message)

    def next(self) -> Any:
        return self._queue.get(timeout=PATIENCE)

    def is_empty(self) -> bool:
        return self._queue.empty()


@contextmanager
def order_stream(served: Served) -> Iterator[Heard]:
    """Connected and listening."""
    heard = Heard()
    stream = TradingStream(KEY, SECRET, url_override=f"{served.stream_url}/stream")
    stream.subscribe_trade_updates(heard.handle)
    with _running(stream, served):
        served.wait_for(lambda venue: bool(venue.listeners()[0]))
        yield heard


@contextmanager
def quote_stream(served: Served, *symbols: str) -> Iterator[Heard]:
    """Connected and subscribed."""
    heard = Heard()
    stream = StockDataStream(KEY, SECRET, url_override=f"{served.stream_url}/v2/iex")
    stream.subscribe_quotes(heard.handle, *symbols)
    with _running(stream, served):
        served.wait_for(lambda venue: bool(venue.listeners()[1]))
        yield heard


@contextmanager
def _running(stream: Any, served: Served) -> Iterator[None]:
    def run() -> None:
        with asyncio.Runner() as runner:
            runner.run(stream._run_forever())

    thread = threading.Thread(target=run, name="official stream")
    thread.start()
    try:
        yield
    finally:
        stream.stop()
        served.act(Venue.hang_up)  # it looks for the wish to stop only when it hears something, or every five seconds
        thread.join(PATIENCE)
        assert not thread.is_alive(), "the stream did not stop"
