"""Tradier's account events: which order something has happened to, and nothing that could be counted.

A session is asked for, then used at once on a WebSocket. Nothing is replayed, so the stream says `StreamUp` after every
connection and its listener reads all anew. An event names an order without its instrument: what the lists have told of
it is added here.

Invariants
- A stream ends only by being closed from outside: whatever breaks it, it says why, waits and connects again.
- A frame that cannot be understood breaks the connection: what it said may matter, and a new one is followed by a
  full read.
- The same reason is said once for as long as the stream stays down.
- Tradier gives a token one session of these. Where ours is ended again and again as soon as it is up, somebody else
  needs it (the bot, another account of the token): it is left to them, and the lists say the same seconds later.
"""

import json
import random
from collections.abc import AsyncGenerator

import msgspec

from standfast.brokers.shared.line import Line
from standfast.brokers.shared.reading import rows
from standfast.brokers.shared.sessions import Backoff
from standfast.brokers.shared.transport import TransportError
from standfast.brokers.shared.wire import STEADY_AFTER, Wire
from standfast.brokers.tradier.client import TradierClient
from standfast.brokers.tradier.order_rows import NO_HOLDING
from standfast.brokers.tradier.orders import Orders
from standfast.brokers.tradier.rows import EventRow, SessionReply
from standfast.model.errors import BrokerError
from standfast.model.ids import BrokerOrderId, ClientOrderId
from standfast.ports import BrokerEvent, OrderEvent, StreamDown, StreamUp

EVENT = msgspec.json.Decoder(EventRow)
SESSION = msgspec.json.Decoder(SessionReply)

PATH = "/v1/accounts/events"
WORDS = {"pending": "pending_new", "open": "new", "partially_filled": "partial_fill", "filled": "fill"}
"""Tradier's states as events, in the words all brokers share; the others are kept as they are."""
TAKEN_AFTER = 3
"""Connections in a row that were ended soon after they were up: none but somebody else's session does that."""
LEFT_FOR = 1800.0
"""Seconds for which the events are left to whoever else wants them."""
LEFT = f"others take the token's one session of account events: left to them for {LEFT_FOR / 60:g} minutes"


class Pace:
    """How long to wait before the next connection: longer from failure to failure."""

    def __init__(self, draw: random.Random) -> None:
        self._backoff = Backoff(draw)
        self._taken = 0
        """Connections in a row that were ended soon after they were up."""

    def ended(self, reason: str, *, was_cut: bool, lived: float) -> str:
        """A connection has ended, or never came to be: why. `was_cut`: by the other side, after it was up."""
        if lived >= STEADY_AFTER:
            self._backoff.succeeded()
            self._taken = 0
        elif was_cut:
            self._taken += 1
        else:
            self._taken = min(self._taken, TAKEN_AFTER - 1)  # one more that is cut leaves it again
        return LEFT if self._taken >= TAKEN_AFTER else reason

    def wait(self) -> float:
        return LEFT_FOR if self._taken >= TAKEN_AFTER else self._backoff.wait()


class OrderStream:
    def __init__(self, wire: Wire, client: TradierClient, orders: Orders, *, url: str, account_id: str) -> None:
        self._wire = wire
        self._client = client
        self._orders = orders
        self._url = url.rstrip("/") + PATH
        self._account_id = account_id

    async def events(self) -> AsyncGenerator[BrokerEvent, None]:
        """Order events between `StreamUp` and `StreamDown`, for ever."""
        pace, said = Pace(self._wire.draw), ""
        while True:
            began, reason, was_up = self._wire.clock.monotonic(), "", False
            try:
                session = rows(SESSION, await self._client.post_session(), "session").stream.sessionid
                async with self._wire.line(self._url) as line:
                    await line.send(json.dumps({"events": ["order"], "sessionid": session, "excludeAccounts": []}))
                    said, was_up = "", True
                    yield StreamUp()
                    while True:
                        event = await self._next(line)
                        if event is not None:
                            yield event
            except (TransportError, BrokerError) as error:
                was_cut = was_up and isinstance(error, TransportError)
                reason = pace.ended(str(error), was_cut=was_cut, lived=self._wire.clock.monotonic() - began)
            if reason != said:
                said = reason
                yield StreamDown(reason)
            await self._wire.clock.sleep(pace.wait())

    async def _next(self, line: Line) -> OrderEvent | None:
        frame = await line.receive()
        if frame is None:
            return None
        row = event_row(frame)
        if row.event != "order" or row.id is None or self._is_of_another(row):
            return None
        if row.tag:
            self._orders.note_told(BrokerOrderId(str(row.parent_id or row.id)), ClientOrderId(row.tag))
        top = self._orders.top_of(BrokerOrderId(str(row.id)))
        client_id, holding = self._orders.known(top) or (ClientOrderId(row.tag or ""), NO_HOLDING)
        return OrderEvent(holding=holding, broker_id=top, client_id=client_id, event=WORDS.get(row.status, row.status))

    def _is_of_another(self, row: EventRow) -> bool:
        """A token may reach several accounts. Their numbers have one length; a shorter one is masked."""
        return row.account is not None and len(row.account) == len(self._account_id) and row.account != self._account_id


def event_row(frame: str | bytes) -> EventRow:
    """Raises Malformed; what the stream says against us arrives as a frame without an event."""
    return rows(EVENT, frame.encode(errors="replace") if isinstance(frame, str) else frame, "account event")
