"""Bybit's /v5/private: authenticate, subscribe, and hear of orders, executions, positions and the wallet.

No replay: what happens between two connections is not told.
"""

import hmac
from collections.abc import Sequence
from contextlib import ExitStack

from aiohttp import web

from standfast.exchange.dialects.bybit.account_rows import wallet_row
from standfast.exchange.dialects.bybit.disconnected import Switches
from standfast.exchange.dialects.bybit.rows import (
    order_row,
    quick_execution,
    streamed_execution,
    streamed_position,
)
from standfast.exchange.dialects.bybit.streams import Numbers, Talk, now_of
from standfast.exchange.dialects.bybit.trading import EXCHANGES_OWN
from standfast.exchange.dialects.bybit.wire import Row, signed
from standfast.exchange.dialects.hall import Listener
from standfast.exchange.dialects.lines import Line, Way
from standfast.exchange.dialects.perpetuals import Perpetuals
from standfast.exchange.faults import Cut
from standfast.exchange.perpetual.books import ExecutionKind
from standfast.exchange.perpetual.events import Event, EventKind

PLAIN = ("order", "execution", "execution.fast", "position", "wallet", "greeks")
TOPICS = frozenset(PLAIN) | {f"{name}.linear" for name in ("order", "execution", "execution.fast", "position")}
SWITCH = frozenset({"dcp", "dcp.future"})


class PrivateStream:
    """The handler."""

    def __init__(self, venue: Perpetuals, switches: Switches, *, checks_clock: bool) -> None:
        self._venue = venue
        self._switches = switches
        self._checks_clock = checks_clock
        self._numbers = Numbers()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        venue = self._venue
        venue.catch_up()
        if isinstance(venue.faults.decide("stream_connect", None, venue.now), Cut):
            return web.Response(status=503)
        line = Line(request, is_binary=False)
        with ExitStack() as ending:
            return await line.serve(self.client(line, ending))

    def client(self, line: Way, ending: ExitStack) -> "Client":
        """Whatever carries its messages."""
        return Client(self._venue, line, ending, self._numbers, self._switches, checks_clock=self._checks_clock)


class Client(Talk):
    """One client of the stream."""

    def __init__(
        self,
        venue: Perpetuals,
        line: Way,
        ending: ExitStack,
        numbers: Numbers,
        switches: Switches,
        *,
        checks_clock: bool,
    ) -> None:
        super().__init__(venue, line, ending, numbers.connection())
        self._ending = ending
        self._numbers = numbers
        self._switches = switches
        self._checks_clock = checks_clock
        self._account: str | None = None
        self._is_switch = False

    def pong(self, asked: Row) -> None:
        reply: Row = {"op": "pong", "args": [str(now_of(self.venue))], "conn_id": self.connection}
        if "req_id" in asked:
            reply["req_id"] = asked["req_id"]
        self.line.send(reply)

    def other(self, asked: Row) -> None:
        if asked.get("op") == "auth":
            self._authenticate(asked)
        else:
            super().other(asked)

    def _authenticate(self, asked: Row) -> None:
        args = asked.get("args")
        key, expires, signature = (str(arg) for arg in args) if isinstance(args, list) and len(args) == 3 else [""] * 3
        spec = self.venue.engine.account_of_key(key)
        if spec is None:
            self.answer(asked, success=False, text="API key is invalid.")
        elif not hmac.compare_digest(signed(spec.secret, f"GET/realtime{expires}"), signature):
            self.answer(asked, success=False, text="Params Error")
        elif self._checks_clock and not (expires.isdigit() and int(expires) > now_of(self.venue)):
            self.answer(asked, success=False, text="Request expired")
        elif self._account is not None:
            self.answer(asked, success=False, text="Repeat auth")
        else:
            self._account = spec.name
            listener = Listener(self._hear, self.line.hang_up)
            self._ending.enter_context(self.venue.listening(spec.name, listener))
            self.answer(asked, success=True)

    def refusal(self, topics: Sequence[str]) -> str:
        if self._account is None:
            return "Request not authorized"
        unknown = [topic for topic in topics if topic not in TOPICS | SWITCH]
        return f"error:handler not found,topic:{unknown[0]}" if unknown else ""

    def joined(self, topics: Sequence[str]) -> None:
        if self._account is not None and not self._is_switch and SWITCH & set(topics):
            self._is_switch = True
            self._switches.came(self._account)
            self._ending.callback(self._switches.left, self._account)

    def _hear(self, event: Event) -> None:
        engine = self.venue.engine
        if event.execution is not None:
            self._tell("execution", streamed_execution(event.execution))
            if event.execution.kind is ExecutionKind.TRADE:
                self._tell("execution.fast", quick_execution(event.execution))
        elif event.order is not None and event.order.role not in EXCHANGES_OWN:
            row = {**order_row(engine, event.order), "category": "linear"}
            if event.kind is EventKind.TRIGGERED:
                row["orderStatus"] = "Triggered"
            self._tell("order", row)
        elif event.position is not None:
            self._tell("position", streamed_position(engine, event.position))
        elif event.kind is EventKind.WALLET:
            self._tell("wallet", wallet_row(engine, event.account))

    def _tell(self, topic: str, row: Row) -> None:
        for wanted in (topic, f"{topic}.linear"):
            if wanted in self.topics:
                message: Row = {"id": self._numbers.message(), "topic": wanted, "creationTime": now_of(self.venue)}
                self.line.send(message | {"data": [row]})
