"""The real Alpaca adapter's own transport, in virtual time: its bytes, the exchange's Alpaca dialect, and no socket.

Theory: a request travels as bytes over the world's wire, is understood and answered by the dialect's own handlers, and
its answer travels back as bytes; so the adapter's code is all real, and so is the dialect's. What a fault does to a
connection it does here, in the words of `brokers.shared.transport`.

Invariants
1. `Exchange.left` is set before anything leaves, and only then may the exchange see the request.
2. Who waits for an answer that never comes is ended by the adapter's own clock, by nobody else.
3. A body is spoilt after the exchange has acted and before the adapter has read it: by a fault, or by `Wire.spoil`.
"""

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from urllib.parse import unquote, urlsplit

from standfast.brokers.alpaca.adapter import AlpacaBroker, AlpacaSettings
from standfast.brokers.shared.transport import Exchange, Response, TransportError
from standfast.exchange.assets import Quote
from standfast.exchange.dialects.alpaca import market_data, order_stream, quote_stream, schedule
from standfast.exchange.dialects.alpaca.manner import AlpacaManner, DataManner
from standfast.exchange.dialects.alpaca.trading import Trading
from standfast.exchange.dialects.gate import Budget, Call, Reply, Route, Standing, as_json
from standfast.exchange.dialects.venue import Venue
from standfast.exchange.faults import (
    Fault,
    Garbled,
    Misreport,
    NeverAnswered,
    NeverArrives,
    RateLimited,
    RefusedWith,
    Reset,
    ServerError,
    Slow,
)
from standfast.exchange.misreport import misreported
from standfast.exchange.orders import ZERO
from standfast.exchange.quotes_file import FileQuote
from standfast.exchange.refusal import Refused
from standfast.exchange.sessions import Sessions
from standfast.model.ids import AccountId
from standfast.model.secret import Secret
from standfast.sim.answers import is_lost, read, settle
from standfast.sim.effects import effect
from standfast.sim.loop import PROCESS, Process, VirtualClock, current
from standfast.sim.sockets import SimLine, SimSocket
from standfast.sim.watch import CANARIES
from standfast.sim.wire import Wire

TRADING, DATA = "https://trading.sim", "https://data.sim"
ORDERS, QUOTES = "wss://trading.sim", "wss://data.sim"
KEY, SECRET = CANARIES
PER_MINUTE = 200


class SimVenue(Venue):
    """The dialect's view of a world's engine; its time is the loop's."""

    def __init__(self, wire: Wire, sessions: Sessions) -> None:
        super().__init__(wire.engine, (wire.account,), faults=wire.faults, sessions=sessions, past=wire.past)
        self._wire = wire

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        """By the loop's timers instead of the venue's own."""
        self._wire.later(seconds, act)

    def saw(self, row: FileQuote) -> None:
        """Tell the streams of a quote that the engine has taken."""
        if row.bid is not None and row.ask is not None and self._quote_listeners:
            sizes = row.bid_size or ZERO, row.ask_size or ZERO
            self._tell_quote(Quote(row.instrument, row.bid, row.ask, *sizes, row.at))

    def leave(self) -> None:
        """Hear of nothing any more."""
        if self._tell in self.engine.listeners:
            self.engine.listeners.remove(self._tell)


class Host:
    """One address: its routes, its manner, its budget of requests."""

    def __init__(self, table: tuple[Route, ...], manner: AlpacaManner) -> None:
        self.manner = manner
        self.budget = Budget(PER_MINUTE)
        self._routes = [(route, re.compile(_pattern(route.path))) for route in table]

    def find(self, method: str, path: str) -> tuple[Route, Mapping[str, str]] | None:
        for route, pattern in self._routes:
            if route.method == method and (found := pattern.fullmatch(path)) is not None:
                return route, {name: unquote(text) for name, text in found.groupdict().items()}
        return None


def _pattern(path: str) -> str:
    return "".join(
        f"(?P<{part[1:-1]}>[^/]+)" if part.startswith("{") else re.escape(part) for part in re.split(r"({\w+})", path)
    )


@dataclass(frozen=True, slots=True)
class _Asked:
    """One request on its way, and what will become of it."""

    process: Process | None
    host: Host
    route: Route
    call: Call
    keys: tuple[str, str]
    fault: Fault | None
    answer: "asyncio.Future[Response]"
    back: float


class SimTransport:
    """`brokers.shared.transport.Transport`, for one life of a guard."""

    def __init__(self, wire: Wire, sessions: Sessions) -> None:
        self._wire = wire
        self.venue = SimVenue(wire, sessions)
        self._hosts = {
            TRADING: Host((*Trading().table(), *schedule.TABLE), AlpacaManner()),
            DATA: Host(market_data.TABLE, DataManner()),
        }
        self._lines: list[SimLine] = []

    # --- requests -------------------------------------------------------------------------------

    async def request(self, exchange: Exchange) -> Response:
        parts = urlsplit(exchange.url)
        host = self._hosts[f"{parts.scheme}://{parts.netloc}"]
        found = host.find(exchange.method, parts.path)
        assert found is not None, f"no such endpoint: {exchange.method} {parts.path}"
        route, path = found
        wire, operation = self._wire, route.operation
        effect(f"send {operation}", partial(TransportError, "the connection was refused"))
        if wire.is_down:
            await asyncio.sleep(0.01)
            raise TransportError("the name does not resolve")
        exchange.left = True
        wire.asked[operation] += 1
        call = Call(self.venue, wire.account, operation, path, dict(exchange.params), exchange.body or b"")
        fault = wire.faults.decide(operation, host.manner.instrument(call), current().present, account=wire.account)
        answer: asyncio.Future[Response] = current().create_future()
        there, back = wire.draw(wire.travel.there), wire.draw(wire.travel.back)
        if isinstance(fault, Slow):
            there, back = (there + fault.seconds, back) if fault.late == "request" else (there, back + fault.seconds)
        asked = _Asked(PROCESS.get(), host, route, call, self._keys(exchange.headers), fault, answer, back)
        wire.later(there, partial(self._arrive, asked))
        try:
            response = await answer
        except TransportError:
            effect(f"answer {operation}")
            raise
        return read(operation, response)

    def _keys(self, headers: Mapping[str, str]) -> tuple[str, str]:
        return headers.get("APCA-API-KEY-ID", ""), headers.get("APCA-API-SECRET-KEY", "")

    def _arrive(self, asked: "_Asked") -> None:
        wire, fault = self._wire, asked.fault
        wire.catch_up()
        if wire.engine.account_for_key(*asked.keys) is None:
            reply: Reply | None = asked.host.manner.unauthorized()
        else:
            reply = self._answered(asked.host, asked.route, asked.call, fault)
        if is_lost(asked.route.operation, asked.process) or isinstance(fault, NeverArrives | NeverAnswered):
            return
        response = None
        if reply is not None:
            headers = {name.lower(): text for name, text in reply.headers.items()} | {
                "content-type": reply.content_type
            }
            response = Response(reply.status, headers, wire.spoil(asked.route.operation, reply.body))
        wire.later(asked.back, partial(settle, asked.answer, response))

    def _answered(self, host: Host, route: Route, call: Call, fault: Fault | None) -> Reply | None:
        """What is answered; None where the connection is reset instead."""
        standing = host.budget.take(call.account, self._wire.engine.now)
        headers = host.manner.standing(standing)
        if standing.is_exhausted:
            return _with(host.manner.rate_limited(), headers)
        reply = None
        if fault is None or fault.is_applied:
            call = Call(call.venue, call.account, call.operation, call.path, call.query, call.body, fault)
            try:
                reply = route.handler(call)
            except Refused as refused:
                reply = host.manner.refused(refused)
        if isinstance(fault, Misreport) and reply is not None:
            reply = replace(reply, body=misreported(fault, reply.body))
        reply = self._spoilt(host, fault, reply)
        return None if reply is None else _with(reply, headers)

    def _spoilt(self, host: Host, fault: Fault | None, reply: Reply | None) -> Reply | None:
        match fault:
            case Reset():
                return None
            case RateLimited(reset_after=seconds):
                reset = self._wire.engine.now + timedelta(seconds=seconds)
                told = Standing(PER_MINUTE, 0, int(reset.timestamp()), is_exhausted=True)
                return _with(host.manner.rate_limited(), host.manner.standing(told))
            case ServerError(status=status, body=body):
                return host.manner.broken(status) if body is None else Reply(status, body.encode(), "text/html")
            case Garbled(body=body, content_type=kind):
                return Reply(200, body.encode(), kind)
            case RefusedWith(status=status, body=row):
                return Reply(status, as_json(row))
            case _:
                return reply

    # --- streams --------------------------------------------------------------------------------

    async def connect(self, url: str, headers: Mapping[str, str]) -> "SimSocket":
        wire, is_orders = self._wire, url.startswith(ORDERS)
        operation = "stream_connect" if is_orders else "quote_stream_connect"
        await asyncio.sleep(wire.draw(wire.travel.there) + wire.draw(wire.travel.back))
        if wire.is_down:
            raise TransportError("the name does not resolve")
        if wire.faults.decide(operation, None, current().present, account=wire.account) is not None:
            raise TransportError("the handshake was refused (503)")
        line = SimLine(wire, is_binary=is_orders)
        if is_orders:
            line.client = order_stream.Client(self.venue, line, line.ends)
        else:
            line.send([{"T": "success", "msg": "connected"}])
            line.client = quote_stream.Client(self.venue, line, line.ends)
        self._lines.append(line)
        return SimSocket(line)

    async def close(self) -> None:
        self.drop()

    def drop(self) -> None:
        """The process is gone: its connections end, and nothing is delivered any more."""
        for line in self._lines:
            line.end()
        self.venue.leave()


class SimAlpaca(AlpacaBroker):
    """The real adapter of one life of a guard, over the world's wire."""

    def __init__(self, wire: Wire, sessions: Sessions, clock: VirtualClock) -> None:
        self._sim = SimTransport(wire, sessions)
        settings = AlpacaSettings(
            account=AccountId(wire.account),
            key_id=Secret(KEY),
            secret=Secret(SECRET),
            rest_url=TRADING,
            stream_url=ORDERS,
            data_url=DATA,
            data_stream_url=QUOTES,
            rate_share=1.0,
        )
        super().__init__(settings, clock=clock, transport=self._sim)

    def saw(self, row: FileQuote) -> None:
        """The market has a new quote."""
        self._sim.venue.saw(row)

    def drop(self) -> None:
        """Be gone: nothing is delivered any more."""
        self._sim.drop()


def _with(reply: Reply, headers: Mapping[str, str]) -> Reply:
    return Reply(reply.status, reply.body, reply.content_type, {**headers, **reply.headers})
