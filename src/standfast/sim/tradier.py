"""The real Tradier adapter in virtual time, over the exchange's own Tradier dialect and no socket.

What `http.py` is for Alpaca, with two differences that let the world's checkers judge it by the same books: the tag of
an order is its client order id at the exchange, and the numbers that Tradier writes are the exchange's own ids on the
wire. Neither is anything the adapter could tell.
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from standfast.brokers.shared.transport import TransportError
from standfast.brokers.tradier.adapter import TradierBroker, TradierSettings
from standfast.exchange.dialects.gate import Call, Reply, Route
from standfast.exchange.dialects.tradier import market_data, order_stream, schedule
from standfast.exchange.dialects.tradier.history import History
from standfast.exchange.dialects.tradier.manner import TradierManner
from standfast.exchange.dialects.tradier.numbers import group_number, is_grouped, number_of, order_of
from standfast.exchange.dialects.tradier.sessions import Sessions as StreamSessions
from standfast.exchange.dialects.tradier.trading import Trading
from standfast.exchange.engine import Engine
from standfast.exchange.faults import Fault
from standfast.exchange.orders import Order, Ticket
from standfast.exchange.quotes_file import FileQuote
from standfast.exchange.refusal import Refused
from standfast.exchange.sessions import Sessions
from standfast.model.ids import AccountId
from standfast.model.secret import Secret
from standfast.sim.http import DATA, KEY, ORDERS, SECRET, TRADING, Host, SimTransport, SimVenue
from standfast.sim.loop import VirtualClock, current
from standfast.sim.sockets import SimLine, SimSocket
from standfast.sim.wire import Wire

LAG = 0.1
"""Seconds by which positions trail the orders."""
PRICE_LAG = 0.05
"""Seconds for which a filled order shows no price yet."""


class Tagging:
    """The engine, with the tag of each order for its client order id."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def submit(self, account: str, ticket: Ticket) -> Order:
        return self._engine.submit(account, _tagged(ticket))

    def record_rejected(self, account: str, ticket: Ticket, reason: str) -> Order:
        return self._engine.record_rejected(account, _tagged(ticket), reason)


def _tagged(ticket: Ticket) -> Ticket:
    return replace(ticket, client_order_id=ticket.tag) if ticket.tag else ticket


class TradierVenue(SimVenue):
    def __init__(self, wire: Wire, sessions: Sessions) -> None:
        super().__init__(wire, sessions)
        self.engine = cast(Engine, Tagging(wire.engine))


class TradierTransport(SimTransport):
    """For one life of a guard."""

    def __init__(self, wire: Wire, sessions: Sessions) -> None:
        super().__init__(wire, sessions)
        self.venue.leave()
        self.venue = TradierVenue(wire, sessions)
        trading, events = Trading(lag=LAG, price_lag=PRICE_LAG), StreamSessions("/v1/accounts/events")
        manner = cast(Any, TradierManner())
        self._hosts = {
            TRADING: Host(
                (*trading.reads(), *trading.writes(), *History(is_sandbox=False).table(), events.route()), manner
            ),
            DATA: Host((*market_data.TABLE, *schedule.TABLE), manner),
        }
        self._stream = order_stream.OrderStream(self.venue, events)
        self._told: dict[str, tuple[bytes, bytes]] = {}
        """The last answer of each kind, and what it says in the exchange's ids: most lists say what they said."""

    def _keys(self, headers: Mapping[str, str]) -> tuple[str, str]:
        return KEY, headers.get("Authorization", "").removeprefix("Bearer ")

    def _answered(self, host: Host, route: Route, call: Call, fault: Fault | None) -> Reply | None:
        """With the exchange's ids for Tradier's numbers, both ways."""
        if "order_id" in call.path:
            call = replace(call, path={**call.path, "order_id": self._number(call.path["order_id"])})
        reply = super()._answered(host, route, call, fault)
        if reply is None or not reply.body.startswith(b"{") or b'"status"' not in reply.body:
            return reply
        if self._told.get(route.operation, (b"", b""))[0] != reply.body:
            self._told[route.operation] = (reply.body, self._in_ids(reply.body))
        return replace(reply, body=self._told[route.operation][1])

    def _in_ids(self, body: bytes) -> bytes:
        try:
            told = json.loads(body)
        except ValueError:
            return body
        return json.dumps(self._with_ids(told)).encode()

    def _number(self, id: str) -> str:
        try:
            order = self._wire.engine.order(self._wire.account, id)
        except Refused:
            return id
        return str(group_number(order) if is_grouped(order) else number_of(order))

    def _with_ids(self, told: Any) -> Any:
        """An order's row has a status; whatever else has an id (a position) keeps it."""
        if isinstance(told, list):
            return [self._with_ids(each) for each in told]
        if not isinstance(told, dict):
            return told
        found = {key: self._with_ids(value) for key, value in told.items()}
        if "status" in found:
            found |= {key: self.id_of(found[key]) for key in ("id", "parent_id") if key in found}
        return found

    def id_of(self, number: object) -> object:
        order = order_of(self._wire.engine, self._wire.account, str(number))
        return number if order is None else order.id

    async def connect(self, url: str, headers: Mapping[str, str]) -> SimSocket:
        wire = self._wire
        assert url.startswith(ORDERS), url
        await asyncio.sleep(wire.draw(wire.travel.there) + wire.draw(wire.travel.back))
        if wire.is_down:
            raise TransportError("the name does not resolve")
        if wire.faults.decide("stream_connect", None, current().present, account=wire.account) is not None:
            raise TransportError("the handshake was refused (503)")
        line = TradierLine(wire, self)
        line.client = order_stream.Client(self._stream, self.venue, line, line.ends)
        self._lines.append(line)
        return SimSocket(line)


class TradierLine(SimLine):
    """Says the exchange's ids."""

    def __init__(self, wire: Wire, transport: TradierTransport) -> None:
        super().__init__(wire, is_binary=False)
        self._transport = transport

    def send(self, message: object) -> None:
        if isinstance(message, dict) and "id" in message:
            message = {**message, "id": self._transport.id_of(message["id"])}
        super().send(message)


class SimTradier(TradierBroker):
    """The real adapter of one life of a guard, over the world's wire."""

    def __init__(self, wire: Wire, sessions: Sessions, clock: VirtualClock) -> None:
        self._sim = TradierTransport(wire, sessions)
        settings = TradierSettings(
            account=AccountId(wire.account),
            account_id=KEY,
            secret=Secret(SECRET),
            rest_url=TRADING,
            stream_url=ORDERS,
            data_url=DATA,
            requests_per_minute=200,
            orders_per_minute=200,
            rate_share=1.0,
        )
        super().__init__(settings, clock=clock, transport=self._sim)

    def saw(self, row: FileQuote) -> None:
        """The market has a new quote: polled, and told to nobody."""

    def drop(self) -> None:
        """Be gone: nothing is delivered any more."""
        self._sim.drop()
