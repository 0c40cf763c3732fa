"""What whoever runs an exchange can do to any of them, under /sim: move time and prices, install faults, change its
rules, fill an order; and read what is so and what was asked of it.

It needs no key and is therefore answered on the loopback interface only. Requests and replies are JSON; amounts are
decimal strings. Nothing here passes the budget or the faults.
"""

import ipaddress
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Generic, TypeVar, get_type_hints

import msgspec
from aiohttp import web

from standfast.exchange.assets import Quote
from standfast.exchange.dialects.hall import Hall
from standfast.exchange.dialects.operator_rows import asked_row, struck_row
from standfast.exchange.faults import Rule, parse_rules
from standfast.exchange.refusal import Refused

Body = TypeVar("Body")
Place = TypeVar("Place", bound=Hall[Any, Any])
Record = TypeVar("Record")
Act = Callable[[bytes], object]
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


class _Fill(msgspec.Struct, forbid_unknown_fields=True):
    order_id: str
    quantity: Decimal
    price: Decimal


class OrderId(msgspec.Struct, forbid_unknown_fields=True):
    order_id: str
    account: str = ""


class Hands(ABC, Generic[Place, Record]):
    """The handlers. `account` "" means the first one."""

    def __init__(self, venue: Place) -> None:
        self._venue = venue

    def routes(self) -> list[web.RouteDef]:
        common: list[web.RouteDef] = [
            web.get("/sim/clock", self._handled(self.clock)),
            web.post("/sim/advance", self._handled(self.advance)),
            web.post("/sim/quote", self._handled(self.quote)),
            web.get("/sim/faults", self._handled(self.struck)),
            web.post("/sim/faults", self._handled(self.install)),
            web.delete("/sim/faults", self._handled(self.clear)),
            web.get("/sim/listeners", self._handled(self.listeners)),
            web.get("/sim/log", self._handled(self.log)),
            web.post("/sim/rules", self._handled(self.rules)),
            web.post("/sim/fill", self._handled(self.fill)),
            web.get("/sim/truth", self._handled(self.truth)),
        ]
        return common + [web.route(method, f"/sim/{name}", self._handled(act)) for method, name, act in self.acts()]

    @abstractmethod
    def acts(self) -> list[tuple[str, str, Act]]:
        """Method, last word of the path, and what it does: what this exchange has beside."""

    # Time and market

    def clock(self, _: bytes) -> object:
        return {"now": self._venue.now, "speed": self._venue.speed}

    def advance(self, body: bytes) -> object:
        asked = read(body, _Advance)
        if (asked.seconds is None) == (asked.to is None):
            raise ValueError("give seconds or to")
        by = timedelta(seconds=asked.seconds or 0)
        self._venue.jump(asked.to or self._venue.now + by)
        return self.clock(body)

    def quote(self, body: bytes) -> object:
        asked = read(body, _Quote)
        at = asked.at or self._venue.now
        self._venue.quote(Quote(asked.instrument, asked.bid, asked.ask, asked.bid_size, asked.ask_size, at))
        return self.clock(body)

    # How it matches

    def rules(self, body: bytes) -> object:
        """Change some of the engine's rules; durations in seconds. The reply has all of them."""
        engine = self._venue.engine
        forms = get_type_hints(type(engine.rules))
        asked = read(body, dict[str, object])
        if unknown := sorted(asked.keys() - forms.keys()):
            raise ValueError(f"no such rule: {', '.join(unknown)}")
        changed = {name: msgspec.convert(value, forms[name], strict=False) for name, value in asked.items()}
        engine.rules = replace(engine.rules, **changed)
        return engine.rules

    def fill(self, body: bytes) -> object:
        asked = read(body, _Fill)
        return self._row(self._venue.engine.fill_now(asked.order_id, asked.quantity, asked.price))

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

    # What was asked, and who listens

    def log(self, _: bytes) -> object:
        return {"requests": [asked_row(asked) for asked in self._venue.log]}

    def listeners(self, _: bytes) -> object:
        orders, quotes = self._venue.listeners()
        return {"orders": orders, "quotes": quotes}

    # What is so

    def truth(self, _: bytes) -> object:
        return {"now": self._venue.now, "accounts": {name: self._truth_of(name) for name in self._venue.accounts}}

    @abstractmethod
    def _truth_of(self, account: str) -> object:
        """The exchange's own books, which no client sees."""

    @abstractmethod
    def _row(self, order: Record) -> object:
        """An order as the operator is shown it."""

    def _account(self, name: str) -> str:
        return name or self._venue.accounts[0]

    def _handled(self, act: Act) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            if not _is_loopback(request.remote):
                return _json({"error": "only on the loopback interface"}, 403)
            body = await request.read()
            self._venue.catch_up()
            try:
                return _json(act(body))
            except Refused as refused:
                return _json({"error": refused.message, "code": refused.code}, refused.http_status)
            except (LookupError, ValueError) as error:
                return _json({"error": str(error)}, 400)

        return handle


def read(body: bytes, form: type[Body]) -> Body:
    try:
        return msgspec.json.decode(body, type=form)
    except msgspec.DecodeError as error:
        raise ValueError(str(error)) from error


def _is_loopback(remote: str | None) -> bool:
    return remote is not None and ipaddress.ip_address(remote).is_loopback


def _json(value: object, status: int = 200) -> web.Response:
    return web.Response(status=status, body=_ENCODER.encode(value), content_type="application/json")
