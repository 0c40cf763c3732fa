"""ccxt and ccxt.pro as they are, pointed at the served exchange: nothing of them is changed but the addresses."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import ccxt.pro

SYMBOL = "BTC/USDT:USDT"


@asynccontextmanager
async def client(name: str, server: Any, key: str, secret: str, **options: Any) -> AsyncIterator[Any]:
    """`server` has a `url` and a `stream_url`. Both kinds of calls, REST and WebSocket, are on one client."""
    given = {"apiKey": key, "secret": secret, "options": options, "enableRateLimit": False}
    made = getattr(ccxt.pro, name)(given)
    made.urls["api"] = elsewhere(made.urls["api"], server.url, server.stream_url)
    try:
        yield made
    finally:
        await made.close()


def elsewhere(urls: Any, rest: str, stream: str) -> Any:
    """The same paths at another host."""
    if isinstance(urls, dict):
        return {name: elsewhere(each, rest, stream) for name, each in urls.items()}
    parts = urlsplit(urls.replace("{hostname}", "hostname"))
    return (stream if parts.scheme.startswith("ws") else rest) + parts.path
