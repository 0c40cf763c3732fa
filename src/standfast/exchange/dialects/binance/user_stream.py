"""Binance's user stream at /private/ws: what happens to orders, positions and money of the account of a listen key.

No replay, and no word of what was before. It ends with its listen key.
"""

from collections.abc import Iterator
from contextlib import ExitStack

from aiohttp import web

from standfast.exchange.dialects.binance.event_rows import (
    account_update,
    algo_update,
    config_update,
    order_update,
    trade_lite,
    trigger_reject,
)
from standfast.exchange.dialects.binance.listen_keys import ListenKeys
from standfast.exchange.dialects.binance.order_rows import has_child, is_algo, is_order
from standfast.exchange.dialects.binance.wire import Row, milliseconds
from standfast.exchange.dialects.hall import Listener
from standfast.exchange.dialects.lines import Line, Way
from standfast.exchange.dialects.perpetuals import Perpetuals
from standfast.exchange.faults import Cut
from standfast.exchange.perpetual.books import ExecutionKind
from standfast.exchange.perpetual.engine import PerpetualEngine
from standfast.exchange.perpetual.events import Event, EventKind
from standfast.exchange.perpetual.orders import Order, Status


class UserStream:
    """The handler."""

    def __init__(self, venue: Perpetuals, keys: ListenKeys) -> None:
        self._venue = venue
        self._keys = keys
        self._clients: dict[Client, None] = {}
        keys.on_expired.append(self._expired)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        venue = self._venue
        venue.catch_up()
        key = request.match_info.get("key") or request.query.get("listenKey", "")
        account = self._keys.account(key)
        if account is None or isinstance(venue.faults.decide("stream_connect", None, venue.now), Cut):
            return web.Response(status=503 if account else 400)
        line = Line(request, is_binary=False)
        with ExitStack() as ending:
            client = Client(venue, line, account)
            self._clients[client] = None
            ending.callback(self._clients.pop, client)
            ending.enter_context(venue.listening(account, Listener(client.hear, line.hang_up)))
            return await line.serve(client)

    def _expired(self, account: str, key: str) -> None:
        at = milliseconds(self._venue.now)
        for client in tuple(self._clients):
            if client.account == account:
                client.line.send({"e": "listenKeyExpired", "E": at, "listenKey": key})


class Client:
    """One client of the stream, whatever carries its messages."""

    def __init__(self, venue: Perpetuals, line: Way, account: str) -> None:
        self._engine = venue.engine
        self.line = line
        self.account = account

    def said(self, message: object) -> None:
        """Lists of subscriptions are answered and change nothing."""
        asked = message if isinstance(message, dict) else {}
        self.line.send({"result": None, "id": asked.get("id")})

    def hear(self, event: Event) -> None:
        for message in messages(self._engine, event):
            self.line.send(message)


def messages(engine: PerpetualEngine, event: Event) -> Iterator[Row]:
    """What is said of one event, which is often nothing: an execution stands for the fill it made."""
    if event.execution is not None:
        if event.order is not None:
            yield order_update(event, event.order)
            if event.execution.kind is ExecutionKind.TRADE:
                yield trade_lite(event, event.order, event.execution)
    elif event.order is not None:
        yield from _of_order(event, event.order)
    elif event.kind is EventKind.POSITION and event.position is not None and event.reason == "trade":
        yield account_update(engine, event, "ORDER", [event.position])
    elif event.kind is EventKind.WALLET and event.reason != "trade":
        transfer = "DEPOSIT" if event.amount > 0 else "WITHDRAW"
        yield account_update(engine, event, "FUNDING_FEE" if event.reason == "funding" else transfer, [])
    elif event.kind is EventKind.SETTINGS and event.instrument:
        yield config_update(engine, event)


def _of_order(event: Event, order: Order) -> Iterator[Row]:
    if not is_algo(order):
        if event.kind is not EventKind.FILLED:
            yield order_update(event, order)
        return
    if event.kind is EventKind.TRIGGERED:
        yield algo_update(event, order, "TRIGGERING")
        yield algo_update(event, order, "TRIGGERED")
        yield order_update(event, order)
        return
    yield algo_update(event, order)
    if order.status is Status.REJECTED:
        yield trigger_reject(event, order)
    elif has_child(order) and is_order(order) and event.kind is not EventKind.FILLED:
        yield order_update(event, order)
