"""The bot's line to its exchange: what any trading script has, and no more. What it does is told as it is done.

A line never retries and never repairs: whatever is careless about a bot is written in the bot.
"""

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from standfast.brokers.shared.transport import Exchange, Transport, TransportError
from standfast.drills.line import NoAnswer, answered
from standfast.exchange.orders import Side
from standfast.exchange.perpetual.contract import symbol_of

Answer = TypeVar("Answer")
KEY, SECRET = "DRILLKEY01", "drill-secret-of-the-loopback"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """An order as a script asks for it. With a trigger it waits for a price; `side_of`: 1 long, 2 short, 0 neither."""

    name: str
    side: Side
    quantity: Decimal
    price: str | None = None
    trigger: str | None = None
    reduces: bool = False
    side_of: int = 0
    id: str

    @property
    def rises(self) -> bool:
        """Of its trigger: a stop that buys waits for a higher price."""
        return self.side is Side.BUY

    def __str__(self) -> str:
        words = [f"{self.id}: {self.side} {self.quantity} {symbol_of(self.name)}"]
        words += [f"when {self.trigger} is reached"] if self.trigger is not None else []
        words += [f"at {self.price}"] if self.price is not None else []
        words += ["reduce-only"] if self.reduces else []
        words += [("", "(long side)", "(short side)")[self.side_of]] if self.side_of else []
        return " ".join(words)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """An order as the bot is shown it. `is_open`: it may still trade."""

    id: str
    client_id: str
    symbol: str
    side: Side
    quantity: Decimal
    filled: Decimal
    is_open: bool


class PerpetualLine(ABC):
    """Every method raises `NoAnswer`; writes raise `Refused` too. `patience`: seconds of the
    loop for an answer; `now`: the time that is signed."""

    def __init__(
        self,
        transport: Transport,
        url: str,
        say: Callable[[str], None],
        now: Callable[[], datetime],
        *,
        patience: float,
    ) -> None:
        self._transport = transport
        self._url = url
        self._say = say
        self._now = now
        self._patience = patience
        self._sent = 0

    # --- what a bot does ------------------------------------------------------------------------

    async def buy(self, name: str, quantity: Decimal | int | str, **more: Any) -> str:
        return await self._place(Side.BUY, name, quantity, more)

    async def sell(self, name: str, quantity: Decimal | int | str, **more: Any) -> str:
        return await self._place(Side.SELL, name, quantity, more)

    async def _place(self, side: Side, name: str, quantity: Decimal | int | str, more: Mapping[str, Any]) -> str:
        """Sends it once; returns what the bot calls it. Without a name of its own it gets a fresh one."""
        self._sent += 1
        given = {"id": f"bot-{self._sent}", **more}
        wanted = Wanted(name=name, side=side, quantity=Decimal(quantity), **given)
        self._say(f"sends {wanted}")
        await answered(self.submit(wanted), self._say)
        return wanted.id

    async def withdraw(self, name: str, client_id: str) -> None:
        self._say(f"cancels {client_id}")
        await answered(self.cancel(symbol_of(name), client_id), self._say)

    # --- what is said on the wire ---------------------------------------------------------------

    @abstractmethod
    async def submit(self, wanted: Wanted) -> None: ...

    @abstractmethod
    async def cancel(self, symbol: str, client_id: str) -> None: ...

    @abstractmethod
    async def orders(self) -> list[Seen]:
        """The open ones, as the list that everybody asks for tells them."""

    @abstractmethod
    async def positions(self) -> dict[tuple[str, int], Decimal]:
        """Signed quantity by symbol and side; what is flat is not in it."""

    async def _ask(self, method: str, url: str, headers: Mapping[str, str], body: str = "") -> Any:
        """The reply, decoded."""
        exchange = Exchange(
            method=method, url=self._url + url, headers=headers, body=body.encode() or None, as_written=True
        )
        try:
            async with asyncio.timeout(self._patience):
                reply = await self._transport.request(exchange)
        except (TransportError, TimeoutError) as error:
            raise NoAnswer(f"{type(error).__name__} {error}".strip()) from error
        if reply.status >= 500:
            raise NoAnswer(f"answered {reply.status}")
        try:
            return json.loads(reply.body)
        except ValueError as error:
            raise NoAnswer(f"an answer nobody can read: {reply.body[:40]!r}") from error
