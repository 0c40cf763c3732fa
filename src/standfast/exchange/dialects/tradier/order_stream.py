"""Tradier's /v1/accounts/events: what happens to orders, as a wake-up (brokers/README §2.10).

A message names the order by its number and says little else: no symbol, no side, no legs. No replay. A heartbeat every
minute. A second connection of the same token ends the first.
"""

from contextlib import ExitStack
from datetime import datetime

from aiohttp import web

from standfast.exchange.dialects.hall import Listener
from standfast.exchange.dialects.lines import Line, Way
from standfast.exchange.dialects.tradier.numbers import GROUPED, group_number, number_of
from standfast.exchange.dialects.tradier.rows import STATUS, net_type, whole_amounts
from standfast.exchange.dialects.tradier.sessions import Sessions
from standfast.exchange.dialects.tradier.wire import Row, instant, number
from standfast.exchange.dialects.venue import Venue
from standfast.exchange.engine import Engine
from standfast.exchange.events import Event, EventKind
from standfast.exchange.faults import Cut
from standfast.exchange.orders import ZERO, Order, Status

HEARTBEAT_SECONDS = 60.0
SILENT = frozenset({EventKind.PENDING_CANCEL, EventKind.PENDING_REPLACE, EventKind.ORDER_CANCEL_REJECTED})
"""What changes nothing that a message could say."""


class OrderStream:
    """The handler, and who is connected."""

    def __init__(self, venue: Venue, sessions: Sessions) -> None:
        self._venue = venue
        self._sessions = sessions
        self._connected: dict[str, Way] = {}

    async def handle(self, request: web.Request) -> web.StreamResponse:
        venue = self._venue
        venue.catch_up()
        if isinstance(venue.faults.decide("stream_connect", None, venue.now), Cut):
            return web.Response(status=503)
        line = Line(request, is_binary=False)
        with ExitStack() as listening:
            return await line.serve(Client(self, venue, line, listening))

    def token(self, session: object) -> str | None:
        return self._sessions.token(self._venue, session)

    def take_over(self, token: str, line: Way) -> None:
        """The line is the token's only one from here on."""
        before = self._connected.get(token)
        self._connected[token] = line
        if before is not None and before is not line:
            before.hang_up()

    def left(self, token: str, line: Way) -> None:
        if self._connected.get(token) is line:
            del self._connected[token]


class Client:
    """One client of the stream, whatever carries its messages. Ends with the stack."""

    def __init__(self, stream: OrderStream, venue: Venue, line: Way, listening: ExitStack) -> None:
        self._stream = stream
        self._venue = venue
        self._line = line
        self._listening = listening
        self._token: str | None = None
        self._excluded: frozenset[str] = frozenset()

    def said(self, message: object) -> None:
        asked = message if isinstance(message, dict) else {}
        token = self._stream.token(asked.get("sessionid"))
        if token is None or "order" not in _texts(asked.get("events")):
            self._line.send({"error": "invalid session or events"})
            return
        self._excluded = frozenset(_texts(asked.get("excludeAccounts")))
        if self._token is None:
            self._token = token
            self._begin(token)

    def _begin(self, token: str) -> None:
        self._stream.take_over(token, self._line)
        self._listening.callback(self._stream.left, token, self._line)
        beating = Beating(self._venue, self._line)
        self._listening.callback(beating.stop)
        for spec in self._venue.engine.accounts_of(token):
            listener = Listener(self._hear, self._line.hang_up)
            self._listening.enter_context(self._venue.listening(spec.name, listener))

    def _hear(self, event: Event) -> None:
        number_of_account = self._venue.engine.spec(event.account).key_id
        if event.kind not in SILENT and number_of_account not in self._excluded:
            self._line.send(event_row(event, number_of_account, self._venue.engine))


class Beating:
    """A heartbeat a minute of exchange time, until stopped."""

    def __init__(self, venue: Venue, line: Way) -> None:
        self._venue = venue
        self._line = line
        self._is_over = False
        venue.later(HEARTBEAT_SECONDS, self._beat)

    def stop(self) -> None:
        self._is_over = True

    def _beat(self) -> None:
        if not self._is_over:
            self._line.send({"event": "heartbeat", "status": "active", "timestamp": _nanoseconds(self._venue.now)})
            self._venue.later(HEARTBEAT_SECONDS, self._beat)


def event_row(event: Event, account: str, engine: Engine) -> Row:
    """As documented, the zero of `last_fill_quantity` on a whole fill included."""
    order = event.order
    quantity, filled = order.terms.quantity or ZERO, order.filled
    if order.is_multileg:
        quantity, filled = whole_amounts(order, engine.legs(order))
    row: Row = {
        "id": number_of(order),
        "event": "order",
        "status": _status(order),
        "type": net_type(order) if order.is_multileg else order.terms.type.value,
        "price": number(abs(order.terms.limit_price or ZERO)),
        "stop_price": number(order.terms.stop_price),
        "avg_fill_price": number(order.average_price),
        "exec_quantity": number(filled),
        "last_fill_quantity": 0.0 if order.status is Status.FILLED else number(event.quantity),
        "remaining_quantity": 0.0 if order.is_finished else number(quantity - filled),
        "transaction_date": instant(event.at),
        "create_date": instant(order.created_at),
        "account": account,
    }
    if order.parent_id is not None:
        parent = engine.order(event.account, order.parent_id)
        row["parent_id"] = group_number(parent) if parent.order_class in GROUPED else number_of(parent)
    elif order.order_class in GROUPED:
        row["parent_id"] = group_number(order)
    if order.tag:
        row["tag"] = order.tag
    return row


def _status(order: Order) -> str:
    """`held` is a word of the stream alone."""
    return "held" if order.status is Status.HELD and not order.is_live else STATUS[order.status]


def _nanoseconds(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond * 1000:09d}Z"


def _texts(value: object) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else []
