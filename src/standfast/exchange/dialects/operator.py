"""What whoever runs the exchange can do to it, under /sim: move time and prices, install faults, trade as somebody
else, split, halt; and read what is true, to judge the clients by.

It needs no key and is therefore answered on the loopback interface only. Requests and replies are JSON; amounts are
decimal strings. Nothing here passes the budget or the faults.
"""

import ipaddress
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TypeVar, get_type_hints

import msgspec
from aiohttp import web

from standfast.exchange.assets import Quote
from standfast.exchange.dialects.operator_rows import asked_row, fill_row, order_row, struck_row
from standfast.exchange.dialects.venue import Venue
from standfast.exchange.faults import Rule, parse_rules
from standfast.exchange.fills import Scripted
from standfast.exchange.orders import OrderClass, OrderType, Side, StopLoss, TakeProfit, Terms, Ticket
from standfast.exchange.orders import TimeInForce as InForce
from standfast.exchange.refusal import Refused
from standfast.exchange.rules import Rules

Body = TypeVar("Body")
SIZE = Decimal(1000)
_ENCODER = msgspec.json.Encoder(decimal_format="string")


class _Quote(msgspec.Struct, forbid_unknown_fields=True):
    """A side of "0" is no quote on that side."""

    instrument: str
    bid: Decimal
    ask: Decimal
    bid_size: Decimal = SIZE
    ask_size: Decimal = SIZE
    at: datetime | None = None


class _Advance(msgspec.Struct, forbid_unknown_fields=True):
    """Exactly one of the two."""

    seconds: float | None = None
    to: datetime | None = None


class _Order(msgspec.Struct, forbid_unknown_fields=True):
    """An order of somebody else on the account."""

    instrument: str
    side: Side
    quantity: Decimal
    account: str = ""
    type: OrderType = OrderType.MARKET
    time_in_force: InForce = InForce.DAY
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    client_order_id: str | None = None
    take_profit: Decimal | None = None  # with a stop loss a bracket, alone an OTO
    stop_loss: Decimal | None = None


class _Fill(msgspec.Struct, forbid_unknown_fields=True):
    order_id: str
    quantity: Decimal
    price: Decimal


class _OrderId(msgspec.Struct, forbid_unknown_fields=True):
    order_id: str
    account: str = ""


class _Instrument(msgspec.Struct, forbid_unknown_fields=True):
    instrument: str
    account: str = ""
    ratio: Decimal | None = None
    price: Decimal | None = None


class _Trade(msgspec.Struct, forbid_unknown_fields=True):
    execution_id: str
    account: str = ""
    price: Decimal | None = None


class _Ended(msgspec.Struct, forbid_unknown_fields=True):
    instrument: str
    account: str = ""
    quantity: Decimal | None = None


class _Settlement(msgspec.Struct, forbid_unknown_fields=True):
    underlying: str
    day: date
    price: Decimal


class _Session(msgspec.Struct, forbid_unknown_fields=True):
    is_open: bool


class _Cash(msgspec.Struct, forbid_unknown_fields=True):
    amount: Decimal
    account: str = ""
    activity_type: str = "JNLC"


class Operator:
    """The handlers. `account` "" means the first one."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/sim/clock", self._handled(self.clock)),
            web.post("/sim/advance", self._handled(self.advance)),
            web.post("/sim/quote", self._handled(self.quote)),
            web.get("/sim/faults", self._handled(self.struck)),
            web.post("/sim/faults", self._handled(self.install)),
            web.delete("/sim/faults", self._handled(self.clear)),
            web.post("/sim/rules", self._handled(self.rules)),
            web.post("/sim/fills", self._handled(self.fills)),
            web.post("/sim/order", self._handled(self.order)),
            web.post("/sim/cancel", self._handled(self.cancel)),
            web.post("/sim/fill", self._handled(self.fill)),
            web.post("/sim/reject", self._handled(self.reject)),
            web.post("/sim/liquidate", self._handled(self.liquidate)),
            web.post("/sim/assign", self._handled(self.assign)),
            web.post("/sim/exercise", self._handled(self.exercise)),
            web.post("/sim/settlement", self._handled(self.settlement)),
            web.post("/sim/split", self._handled(self.split)),
            web.post("/sim/bust", self._handled(self.bust)),
            web.post("/sim/halt", self._handled(self.halt)),
            web.post("/sim/resume", self._handled(self.resume)),
            web.post("/sim/session", self._handled(self.session)),
            web.post("/sim/cash", self._handled(self.cash)),
            web.get("/sim/truth", self._handled(self.truth)),
            web.get("/sim/listeners", self._handled(self.listeners)),
            web.get("/sim/log", self._handled(self.log)),
        ]

    # Time and market

    def clock(self, _: bytes) -> object:
        return {"now": self._venue.now, "speed": self._venue.speed}

    def advance(self, body: bytes) -> object:
        asked = _read(body, _Advance)
        if (asked.seconds is None) == (asked.to is None):
            raise ValueError("give seconds or to")
        by = timedelta(seconds=asked.seconds or 0)
        self._venue.jump(asked.to or self._venue.now + by)
        return self.clock(body)

    def quote(self, body: bytes) -> object:
        asked = _read(body, _Quote)
        at = asked.at or self._venue.now
        self._venue.quote(Quote(asked.instrument, asked.bid, asked.ask, asked.bid_size, asked.ask_size, at))
        return self.clock(body)

    def session(self, body: bytes) -> object:
        self._venue.engine.session(is_open=_read(body, _Session).is_open, at=self._venue.now)
        return self.clock(body)

    def split(self, body: bytes) -> object:
        asked = _read(body, _Instrument)
        if asked.ratio is None:
            raise ValueError("a split needs a ratio")
        self._venue.engine.split(asked.instrument, asked.ratio)
        return {}

    def bust(self, body: bytes) -> object:
        """Take a trade back or, with a price, correct it."""
        asked = _read(body, _Trade)
        account = self._account(asked.account)
        if asked.price is None:
            self._venue.engine.bust(account, asked.execution_id)
        else:
            self._venue.engine.correct(account, asked.execution_id, asked.price)
        return {}

    # Options

    def assign(self, body: bytes) -> object:
        """Early, against a short option; the whole holding unless a quantity is given."""
        asked = _read(body, _Ended)
        self._venue.engine.assign(self._account(asked.account), asked.instrument, asked.quantity)
        return {}

    def exercise(self, body: bytes) -> object:
        asked = _read(body, _Ended)
        self._venue.engine.exercise(self._account(asked.account), asked.instrument, asked.quantity)
        return {}

    def settlement(self, body: bytes) -> object:
        """The price at which an underlying's options of that day settle."""
        asked = _read(body, _Settlement)
        self._venue.engine.announce_settlement(asked.underlying, asked.day, asked.price)
        return {}

    def halt(self, body: bytes) -> object:
        self._venue.engine.halt(_read(body, _Instrument).instrument)
        return {}

    def resume(self, body: bytes) -> object:
        self._venue.engine.resume(_read(body, _Instrument).instrument)
        return {}

    # Faults

    def install(self, body: bytes) -> object:
        rules: list[Rule] = parse_rules(body)
        self._venue.faults.install(*rules)
        return {"installed": len(rules)}

    def clear(self, _: bytes) -> object:
        self._venue.faults.clear()
        return {}

    def struck(self, _: bytes) -> object:
        return {"struck": [struck_row(struck) for struck in self._venue.faults.struck]}

    # How it matches

    def rules(self, body: bytes) -> object:
        """Change some of the engine's rules; durations in seconds. The reply has all of them."""
        engine, forms = self._venue.engine, get_type_hints(Rules)
        asked = _read(body, dict[str, object])
        if unknown := sorted(asked.keys() - forms.keys()):
            raise ValueError(f"no such rule: {', '.join(unknown)}")
        changed = {name: msgspec.convert(value, forms[name], strict=False) for name, value in asked.items()}
        engine.rules = replace(engine.rules, **changed)
        return engine.rules

    def fills(self, body: bytes) -> object:
        """Shares of its quantity that each look at an order may fill, by client order id: see `fills.Scripted`."""
        self._venue.engine.fills = Scripted(_read(body, dict[str, list[Decimal]]))
        return {}

    # Orders of others

    def order(self, body: bytes) -> object:
        asked = _read(body, _Order)
        order = self._venue.engine.submit(self._account(asked.account), _ticket(asked))
        return self._order_row(order.account, order.id)

    def cancel(self, body: bytes) -> object:
        asked = _read(body, _OrderId)
        account = self._account(asked.account)
        self._venue.engine.cancel(account, asked.order_id)
        return self._order_row(account, asked.order_id)

    def fill(self, body: bytes) -> object:
        asked = _read(body, _Fill)
        return order_row(self._venue.engine.fill_now(asked.order_id, asked.quantity, asked.price))

    def reject(self, body: bytes) -> object:
        asked = _read(body, _OrderId)
        return order_row(self._venue.engine.reject_working(asked.order_id))

    def liquidate(self, body: bytes) -> object:
        asked = _read(body, _Instrument)
        return order_row(self._venue.engine.liquidate(self._account(asked.account), asked.instrument, asked.price))

    def cash(self, body: bytes) -> object:
        asked = _read(body, _Cash)
        self._venue.engine.move_cash(self._account(asked.account), asked.amount, asked.activity_type)
        return {}

    # What is so

    def truth(self, _: bytes) -> object:
        return {"now": self._venue.now, "accounts": {name: self._truth_of(name) for name in self._venue.accounts}}

    def log(self, _: bytes) -> object:
        return {"requests": [asked_row(asked) for asked in self._venue.log]}

    def listeners(self, _: bytes) -> object:
        orders, quotes = self._venue.listeners()
        return {"orders": orders, "quotes": quotes}

    def _truth_of(self, account: str) -> object:
        engine = self._venue.engine
        truth = engine.truth(account)
        return {
            "positions": {view.instrument: view.quantity for view in engine.positions(account)},
            "realised": truth.realised,
            "realised_by_instrument": truth.realised_by_instrument(),
            "realised_by_day": {day.isoformat(): amount for day, amount in truth.realised_by_day().items()},
            "fees": truth.fees,
            "fills": [fill_row(fill) for fill in truth.fills],
        }

    def _order_row(self, account: str, order_id: str) -> object:
        return order_row(self._venue.engine.order(account, order_id))

    def _account(self, name: str) -> str:
        return name or self._venue.accounts[0]

    def _handled(self, act: Callable[[bytes], object]) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            if not _is_loopback(request.remote):
                return _json({"error": "only on the loopback interface"}, 403)
            body = await request.read()
            self._venue.catch_up()
            try:
                return _json(act(body))
            except Refused as refused:
                return _json({"error": refused.message, "code": refused.code}, refused.http_status)
            except (KeyError, ValueError) as error:
                return _json({"error": str(error)}, 400)

        return handle


def _ticket(asked: _Order) -> Ticket:
    kinds = {(False, False): OrderClass.SIMPLE, (True, True): OrderClass.BRACKET}
    return Ticket(
        terms=Terms(
            instrument=asked.instrument,
            side=asked.side,
            type=asked.type,
            time_in_force=asked.time_in_force,
            quantity=asked.quantity,
            limit_price=asked.limit_price,
            stop_price=asked.stop_price,
        ),
        client_order_id=asked.client_order_id,
        order_class=kinds.get((asked.take_profit is not None, asked.stop_loss is not None), OrderClass.OTO),
        take_profit=None if asked.take_profit is None else TakeProfit(limit_price=asked.take_profit),
        stop_loss=None if asked.stop_loss is None else StopLoss(stop_price=asked.stop_loss),
    )


def _read(body: bytes, form: type[Body]) -> Body:
    try:
        return msgspec.json.decode(body, type=form)
    except msgspec.DecodeError as error:
        raise ValueError(str(error)) from error


def _is_loopback(remote: str | None) -> bool:
    return remote is not None and ipaddress.ip_address(remote).is_loopback


def _json(value: object, status: int = 200) -> web.Response:
    return web.Response(status=status, body=_ENCODER.encode(value), content_type="application/json")
