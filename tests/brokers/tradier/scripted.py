"""Tradier as a test tells it: answers by path, for shapes and days that the simulated exchange has not."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from standfast.brokers.shared.transport import Exchange, Response, Socket, TransportError
from standfast.brokers.tradier.adapter import TradierBroker, TradierSettings
from standfast.model.ids import AccountId
from standfast.model.secret import Secret
from tests.brokers.clocks import ManualClock

Answer = bytes | Response | Exception
Told = Callable[[Mapping[str, str]], Answer]
HOME = "/v1/accounts/VA1"


class Wire:
    """One WebSocket: these frames, then silence or what ends it."""

    def __init__(self, *frames: str | Exception) -> None:
        self.sent: list[str] = []
        self._frames = list(frames)

    async def send(self, text: str) -> None:
        self.sent.append(text)

    async def receive(self) -> str | bytes | None:
        if not self._frames:
            await asyncio.Event().wait()
        frame = self._frames.pop(0)
        if isinstance(frame, Exception):
            raise frame
        return frame

    async def ping(self) -> None:
        return

    async def close(self) -> None:
        return


@dataclass(slots=True)
class Script:
    """A transport. `answers`: by path, and for a list of past orders by `PATH?all`."""

    answers: dict[str, Told] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    wires: list[Wire] = field(default_factory=list)
    """For one connection each; with none left nothing is served."""

    def __post_init__(self) -> None:
        self.answers["/v1/markets/quotes"] = quotes

    def tell(self, path: str, answer: Answer) -> None:
        self.answers[path] = lambda params: answer

    def tell_pages(self, path: str, *pages: bytes) -> None:
        """The last of them for every page after it."""
        self.answers[path] = lambda params: pages[min(int(params.get("page", "1")), len(pages)) - 1]

    async def request(self, exchange: Exchange) -> Response:
        path = exchange.url.removeprefix("https://h").removeprefix(HOME)
        path += "?all" if exchange.params.get("filter") == "all" else ""
        self.asked.append(path)
        exchange.left = True
        told = self.answers.get(path)
        answer = told(exchange.params) if told is not None else Response(404, {}, b"order not found")
        if isinstance(answer, Exception):
            raise answer
        return Response(200, {}, answer) if isinstance(answer, bytes) else answer

    async def connect(self, url: str, headers: Mapping[str, str]) -> Socket:
        self.asked.append(url)
        if not self.wires:
            raise TransportError("nothing is served here")
        return self.wires.pop(0)

    async def close(self) -> None:
        return


def quotes(params: Mapping[str, str]) -> bytes:
    """Everything asked for is a share, but WRONG is nothing."""
    rows = [{"symbol": name, "type": "stock"} for name in params["symbols"].split(",") if name != "WRONG"]
    return json.dumps({"quotes": {"quote": rows} if rows else "null"}).encode()


def broker(script: Script, clock: ManualClock, **changes: Any) -> TradierBroker:
    given: dict[str, Any] = {
        "account": AccountId("paper"),
        "account_id": "VA1",
        "secret": Secret("token"),
        "rest_url": "https://h",
        "data_url": "https://h",
        "requests_per_minute": 100_000,
        "rate_share": 1.0,
    }
    return TradierBroker(TradierSettings(**(given | changes)), clock=clock, transport=script)


def orders(*rows: Mapping[str, Any]) -> bytes:
    """A list as Tradier writes it: none is a text, one is itself."""
    if not rows:
        return b'{"orders": "null"}'
    return json.dumps({"orders": {"order": rows[0] if len(rows) == 1 else rows}}).encode()


def order(row: Mapping[str, Any]) -> bytes:
    return json.dumps({"order": row}).encode()
