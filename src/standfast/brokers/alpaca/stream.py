"""Alpaca's two streams: order events (`trade_updates`) and quotes.

Neither replays anything, so the order stream says `StreamUp` after every connection and its listener reads all anew.

Invariants
- A stream ends only by being closed from outside: whatever breaks it, it says why, waits and connects again.
- A frame that cannot be understood breaks the connection: what it said may matter, and a new one is followed by a
  full read.
- The same reason is said once for as long as the stream stays down.
"""

import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass

import msgspec

from standfast.brokers.alpaca.client import Access
from standfast.brokers.alpaca.rows import Authorization, Frame, Listening, TradeUpdate
from standfast.brokers.shared import reading, wire
from standfast.brokers.shared.line import Line
from standfast.brokers.shared.sessions import Backoff
from standfast.brokers.shared.transport import TransportError
from standfast.model.errors import Malformed
from standfast.model.ids import BrokerOrderId, ClientOrderId, Holding, InstrumentId
from standfast.ports import BrokerEvent, OrderEvent, StreamDown, StreamUp

FRAME = msgspec.json.Decoder(Frame)
AUTHORIZATION = msgspec.json.Decoder(Authorization)
LISTENING = msgspec.json.Decoder(Listening)
UPDATE = msgspec.json.Decoder(TradeUpdate)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire(wire.Wire):
    access: Access


class OrderStream:
    def __init__(self, wire: Wire, url: str) -> None:
        self._wire = wire
        self._url = url

    async def events(self) -> AsyncGenerator[BrokerEvent, None]:
        """Order events between `StreamUp` and `StreamDown`, for ever."""
        backoff = Backoff(self._wire.draw)
        said = ""
        while True:
            began = self._wire.clock.monotonic()
            reason = ""
            try:
                async with self._wire.line(self._url) as line:
                    await self._log_in(line)
                    said = ""
                    yield StreamUp()
                    while True:
                        event = _event(await line.receive())
                        if event is not None:
                            yield event
            except (TransportError, Malformed) as error:
                reason = str(error)
            if self._wire.clock.monotonic() - began >= wire.STEADY_AFTER:
                backoff.succeeded()
            if reason != said:
                said = reason
                yield StreamDown(reason)
            await self._wire.clock.sleep(backoff.wait())

    async def _log_in(self, line: Line) -> None:
        access = self._wire.access
        keys = {"key_id": access.key_id.reveal(), "secret_key": access.secret.reveal()}
        await line.send(json.dumps({"action": "authenticate", "data": keys}))
        if await self._wire.answer(line, _authorization) != "authorized":
            raise TransportError("the stream refuses the keys")
        await line.send(json.dumps({"action": "listen", "data": {"streams": ["trade_updates"]}}))
        if "trade_updates" not in await self._wire.answer(line, _listening):
            raise TransportError("the stream does not carry trade_updates")


def _authorization(frame: str | bytes) -> str | None:
    found = _frame(frame)
    if found.stream != "authorization":
        return None
    return reading.rows(AUTHORIZATION, bytes(found.data), "authorization").status


def _listening(frame: str | bytes) -> list[str] | None:
    found = _frame(frame)
    if found.stream == "authorization":
        raise TransportError("the stream refuses to listen")
    if found.stream != "listening":
        return None
    return reading.rows(LISTENING, bytes(found.data), "listening").streams


def _event(frame: str | bytes | None) -> OrderEvent | None:
    """Every event of an order, known or not: it is only a reason to look."""
    if frame is None:
        return None
    found = _frame(frame)
    if found.stream == "authorization":
        raise TransportError("the stream withdrew its authorization")
    if found.stream != "trade_updates":
        return None
    update = reading.rows(UPDATE, bytes(found.data), "trade_updates")
    order = update.order
    return OrderEvent(
        holding=reading.holding(order.symbol) if order.symbol.strip() else Holding(InstrumentId("")),
        broker_id=BrokerOrderId(order.id),
        client_id=ClientOrderId(order.client_order_id),
        event=update.event,
    )


def _frame(frame: str | bytes) -> Frame:
    return reading.rows(FRAME, frame.encode(errors="replace") if isinstance(frame, str) else frame, "stream frame")
