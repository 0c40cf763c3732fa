"""Alpaca's /stream: authenticate, listen, trade_updates (brokers/README §1.6).

No replay, no numbers, no acknowledgement but `listening`; a second `listen` replaces the first. Paper sends JSON in
binary frames, live in text frames.
"""

from contextlib import ExitStack
from uuid import UUID, uuid5

from aiohttp import web

from standfast.exchange.dialects.alpaca.rows import event_row
from standfast.exchange.dialects.hall import Listener
from standfast.exchange.dialects.lines import Line, Way
from standfast.exchange.dialects.venue import Venue
from standfast.exchange.events import Event
from standfast.exchange.faults import Cut

TRADE_UPDATES = "trade_updates"
EXECUTIONS = UUID("6b7f1c1e-5d0a-5d4b-9a44-0d9f54a1c0de")  # names the executions of events that are no fills


class OrderStream:
    """The handler."""

    def __init__(self, venue: Venue, *, is_binary: bool) -> None:
        self._venue = venue
        self._is_binary = is_binary

    async def handle(self, request: web.Request) -> web.StreamResponse:
        venue = self._venue
        venue.catch_up()
        if isinstance(venue.faults.decide("stream_connect", None, venue.now), Cut):
            return web.Response(status=503)
        line = Line(request, is_binary=self._is_binary)
        with ExitStack() as listening:
            return await line.serve(Client(venue, line, listening))


class Client:
    """One client of the stream, whatever carries its messages. Ends with the stack."""

    def __init__(self, venue: Venue, line: Way, listening: ExitStack) -> None:
        self._venue = venue
        self._line = line
        self._listening = listening
        self._account: str | None = None
        self._hears = False
        self._is_registered = False

    def said(self, message: object) -> None:
        action, data = _understood(message)
        match action:
            case "authenticate":
                self._authenticate(action, data.get("key_id"), data.get("secret_key"))
            case "auth":
                self._authenticate(action, *_pair(message, data))
            case "listen":
                self._listen(data.get("streams"))
            case _:
                self._line.send({"stream": "error", "data": {"error": "invalid message"}})

    def _authenticate(self, action: str, key: object, secret: object) -> None:
        account = self._venue.engine.account_for_key(str(key or ""), str(secret or ""))
        self._account = account
        status = "unauthorized" if account is None else "authorized"
        self._line.send({"stream": "authorization", "data": {"status": status, "action": action}})

    def _listen(self, streams: object) -> None:
        if self._account is None:
            self._line.send({"stream": "authorization", "data": {"status": "unauthorized", "action": "listen"}})
            return
        wanted = [name for name in streams if name == TRADE_UPDATES] if isinstance(streams, list) else []
        self._hears = bool(wanted)
        if not self._is_registered:
            self._is_registered = True
            self._listening.enter_context(
                self._venue.listening(self._account, Listener(self._hear, self._line.hang_up))
            )
        self._line.send({"stream": "listening", "data": {"streams": wanted}})

    def _hear(self, event: Event) -> None:
        if self._hears:
            asset = self._venue.engine.asset(event.order.instrument)
            execution = event.execution_id or str(uuid5(EXECUTIONS, str(event.number)))
            self._line.send({"stream": TRADE_UPDATES, "data": event_row(event, asset, execution)})


def _understood(message: object) -> tuple[str, dict[str, object]]:
    """Action and data; empty for what is no message."""
    if not isinstance(message, dict):
        return "", {}
    data = message.get("data")
    return str(message.get("action", "")), data if isinstance(data, dict) else {}


def _pair(message: object, data: dict[str, object]) -> tuple[object, object]:
    """Of the newer form, which has key and secret beside the action."""
    assert isinstance(message, dict)
    return message.get("key", data.get("key")), message.get("secret", data.get("secret"))
