"""The way of a request through the exchange: who asks, within what budget, under which fault, and what is answered.

A dialect gives a table of `Route`s, whose handlers are plain functions of a `Call`, and a `Manner`: how it knows its
clients and how its refusals look. The gate does what is the same for all: it lets time catch up first, asks the faults
once, carries out what they decide, and notes every request in the venue's log.

Invariants: without a key no handler runs and no fault is used up; a handler runs at most once for a request and never
awaits, so a request is carried out wholly or not at all, whether or not its client is still there.
"""

import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

import msgspec
from aiohttp import web

from standfast.exchange.dialects.hall import Asked, Hall
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
from standfast.exchange.refusal import Refused

Place = TypeVar("Place", bound=Hall[Any, Any])
MINUTE = timedelta(minutes=1)
JSON = "application/json"
_ENCODER = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True, slots=True)
class Reply:
    status: int = 200
    body: bytes = b""
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)  # without slots: an alias that is called tries to note itself on what it makes
class CallAt(Generic[Place]):
    """One request, understood. `fault`: what reads may have to do with it (stale, empty, partial)."""

    venue: Place
    account: str
    operation: str
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    fault: Fault | None = None
    host: str = ""  # by which the client reached us


@dataclass(frozen=True)  # without slots: an alias that is called tries to note itself on what it makes
class RouteAt(Generic[Place]):
    method: str
    path: str
    operation: str
    handler: Callable[[CallAt[Place]], Reply]


Call: TypeAlias = CallAt[Venue]
Route: TypeAlias = RouteAt[Venue]
Handler: TypeAlias = Callable[[Call], Reply]


@dataclass(frozen=True, slots=True)
class Standing:
    """A client's budget after a request. `reset`: epoch seconds when it is full again."""

    limit: int
    remaining: int
    reset: int
    is_exhausted: bool


class Budget:
    """Requests per minute (or other period) of exchange time and key: in whole minutes, or in periods that begin with
    a request."""

    def __init__(self, per_minute: int, *, from_first: bool = False, period: timedelta = MINUTE) -> None:
        self.per_minute = per_minute
        self._from_first = from_first or period != MINUTE
        self._period = period
        self._spent: dict[str, tuple[datetime, int]] = {}

    def take(self, key: str, now: datetime) -> Standing:
        minute = now if self._from_first else now.replace(second=0, microsecond=0)
        since, spent = self._spent.get(key, (minute, 0))
        if now >= since + self._period:
            since, spent = minute, 0
        spent += 1
        self._spent[key] = (since, spent)
        left = self.per_minute - spent
        return Standing(self.per_minute, max(0, left), int((since + self._period).timestamp()), is_exhausted=left < 0)


@dataclass(slots=True)
class Arrival:
    """A request as it arrives, whatever carried it: all but its body. Names of headers in any letters."""

    method: str
    match_info: Mapping[str, str]  # what the path names
    query: Mapping[str, str]
    raw_query: str  # as it was sent: what a signature is over
    headers: Mapping[str, str]
    remote: str = ""
    host: str = ""
    why: int = 0  # a dialect's own word for why it is nobody's


class Manner(Protocol[Place]):
    """What differs between dialects."""

    def account(self, venue: Place, request: Arrival, body: bytes) -> str | None:
        """Whose request it is, by the keys it carries; None for nobody's."""
        ...

    def payer(self, request: Arrival, account: str) -> str:
        """Whose budget the request comes out of."""
        ...

    def instrument(self, call: CallAt[Place]) -> str | None:
        """The one instrument a request is about, for the faults to match."""
        ...

    def unauthorized(self, request: Arrival) -> Reply: ...

    def refused(self, refused: Refused) -> Reply: ...

    def rate_limited(self) -> Reply: ...

    def broken(self, status: int) -> Reply:
        """The body of a 5xx."""
        ...

    def standing(self, standing: Standing) -> Mapping[str, str]:
        """Headers that tell the budget."""
        ...


class Gate(Generic[Place]):
    """Every request of one dialect comes through here."""

    def __init__(self, venue: Place, manner: Manner[Place], budget: Budget | None) -> None:
        """`budget` None: no limit."""
        self._venue = venue
        self._manner = manner
        self._budget = budget

    def routes(self, table: tuple[RouteAt[Place], ...]) -> list[web.RouteDef]:
        return [web.route(route.method, route.path, self._through(route)) for route in table]

    def _through(self, route: RouteAt[Place]) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            reply, fault = await self.answer(route, _arrival(request), await request.read())
            if reply is not None:
                return _response(reply)
            _hang_up(request, fault)
            return web.Response()

        return handle

    async def answer(self, route: RouteAt[Place], request: Arrival, body: bytes) -> tuple[Reply | None, Fault | None]:
        """What is answered, when it is; None where the connection just ends. And the fault that did it, if any."""
        self._venue.catch_up()
        account = self._manner.account(self._venue, request, body)
        if account is None:
            return self._manner.unauthorized(request), None
        return await self._authorized(request, route, account, body)

    async def _authorized(
        self, request: Arrival, route: RouteAt[Place], account: str, body: bytes
    ) -> tuple[Reply | None, Fault | None]:
        venue, headers = self._venue, dict[str, str]()
        call = CallAt(venue, account, route.operation, request.match_info, request.query, body, host=request.host)
        instrument = self._manner.instrument(call)
        if self._budget is not None:
            standing = self._budget.take(self._manner.payer(request, account), venue.now)
            headers = dict(self._manner.standing(standing))
            if standing.is_exhausted:
                self._note(call, instrument, 429, None)
                return _with(self._manner.rate_limited(), headers), None
        fault = venue.faults.decide(route.operation, instrument, venue.now, account=account)
        if fault is None:
            reply: Reply | None = self._carry_out(route, call)
        else:
            call = replace(call, fault=fault)
            reply = await self._under(fault, route, call)
        self._note(call, instrument, None if reply is None else reply.status, fault)
        if reply is None and isinstance(fault, NeverArrives | NeverAnswered):
            await venue.pause(fault.hold)  # the client waits in vain
        return None if reply is None else _with(reply, headers), fault

    def _carry_out(self, route: RouteAt[Place], call: CallAt[Place]) -> Reply:
        try:
            reply = route.handler(call)
        except Refused as refused:
            return self._manner.refused(refused)
        fault = call.fault
        return replace(reply, body=misreported(fault, reply.body)) if isinstance(fault, Misreport) else reply

    async def _under(self, fault: Fault, route: RouteAt[Place], call: CallAt[Place]) -> Reply | None:
        """The reply under a fault; None when there will be none."""
        if isinstance(fault, Slow) and fault.late == "request":
            await self._venue.pause(fault.seconds)
        reply = self._carry_out(route, call) if fault.is_applied else None
        match fault:
            case Slow(late="answer", seconds=seconds):
                await self._venue.pause(seconds)
                return reply
            case NeverArrives() | NeverAnswered() | Reset():
                return None
            case RateLimited(reset_after=seconds):
                reset = self._venue.now + timedelta(seconds=seconds)
                headers = self._manner.standing(Standing(self._limit, 0, int(reset.timestamp()), is_exhausted=True))
                return replace(self._manner.rate_limited(), headers=headers)
            case ServerError(status=status, body=body):
                return self._manner.broken(status) if body is None else Reply(status, body.encode(), "text/html")
            case Garbled(body=body, content_type=content_type):
                return Reply(200, body.encode(), content_type)
            case RefusedWith(status=status, body=body):
                return Reply(status, as_json(body))
            case _:
                return reply

    def _note(self, call: CallAt[Place], instrument: str | None, status: int | None, fault: Fault | None) -> None:
        kind = "" if fault is None else str(type(fault).__struct_config__.tag)
        self._venue.note(Asked(self._venue.now, call.account, call.operation, instrument, status, kind))

    @property
    def _limit(self) -> int:
        return 0 if self._budget is None else self._budget.per_minute


def as_json(value: object) -> bytes:
    """Decimals become JSON numbers; what Alpaca writes as text is text already."""
    return _ENCODER.encode(value)


def _with(reply: Reply, headers: Mapping[str, str]) -> Reply:
    return replace(reply, headers={**headers, **reply.headers})


def _arrival(request: web.Request) -> Arrival:
    return Arrival(
        method=request.method,
        match_info=request.match_info,
        query=request.query,
        raw_query=request.rel_url.raw_query_string,
        headers=request.headers,
        remote=request.remote or "",
        host=request.host,
    )


def _response(reply: Reply) -> web.Response:
    response = web.Response(status=reply.status, body=reply.body or None, headers=reply.headers)
    if reply.body:
        response.content_type = reply.content_type
        if reply.content_type == JSON:
            response.charset = "utf-8"
    return response


def _hang_up(request: web.Request, fault: Fault | None) -> None:
    """Leave the client without an answer."""
    transport = request.transport
    if transport is None:
        return
    if isinstance(fault, Reset):
        line = transport.get_extra_info("socket")
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # RST instead of FIN
    transport.abort()
