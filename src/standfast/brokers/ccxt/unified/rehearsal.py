"""What an exchange's orders look like, tried on one contract without sending any.

Theory. ccxt adds what it does not know to the end of a request, where the exchange ignores it. So each request is made
with a name in front that nobody knows (`PROBE`): what stands behind it under the name we gave it was not understood.
What differs between an order that may only reduce and one that may do anything is the exchange's mark for it; a request
for a stop that is but an order at the market with a word more is no stop.

Invariants
- Nothing is sent but reads.
- A form that is in doubt counts as lacking: its orders are refused, and stops are then held by the guard.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from standfast.brokers.ccxt.library import Library
from standfast.brokers.ccxt.markets import Market
from standfast.brokers.ccxt.unified.abilities import can, feature
from standfast.brokers.ccxt.unified.calling import REHEARSING, Captured, Form, pairs
from standfast.brokers.ccxt.unified.sides import (
    CLOSES,
    HEDGED,
    OPENS,
    Request,
    Sides,
    Tried,
    are_told_apart,
    marks,
    name_of_side,
    stop_form,
)
from standfast.model.order import Side

PROBE = "standfast"
CLIENT_ID = "sfabcd-s234567abcdefgh"
REDUCE_ONLY = "reduceOnly"
OWN_NAME = frozenset({"kucoin", "kucoinfutures"})
"""Exchanges that call it `reduceOnly` themselves, of which ccxt does not say so."""
KINDS = ("market", "limit")
DIRECTION = {Side.BUY: "ascending", Side.SELL: "descending"}
NO_STOP = ("profit", "tp_", "attached")
LOTS = 7
PRICE, STOP_PRICE = 100_000, {Side.BUY: 110_000, Side.SELL: 90_000}
"""In ticks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """How orders are said on an exchange. Empty: they cannot be."""

    closes: Mapping[tuple[str, Side], Form] = field(default_factory=dict)
    stops: Mapping[Side, Form] = field(default_factory=dict)
    stop_params: tuple[str, ...] = ()
    """What a stop's price, and where needed its direction, is called."""
    client_ids: bool = False
    id_prefix: str = ""
    """What an id of ours is told with in front."""
    lacking: tuple[str, ...] = ()
    """In words, with what ccxt said where it said anything."""
    sides: Sides | None = None
    """How the sides of a hedged account are said; None where that is not found out."""

    @property
    def may_trade(self) -> bool:
        return self.client_ids and len(self.closes) == len(KINDS) * len(Side)

    @property
    def has_stops(self) -> bool:
        return self.may_trade and len(self.stops) == len(Side)


@dataclass(slots=True)
class Rehearsal:
    library: Library
    market: Market
    said: dict[str, str] = field(default_factory=dict)
    """Why something could not be made."""
    volatile: set[str] = field(default_factory=set)

    @property
    def lots(self) -> Decimal:
        """A number that stands for nothing else in a request."""
        return LOTS * (self.market.least or self.market.instrument.lot) / self.market.size

    async def request(self, kind: str, side: Side, **params: object) -> Request | None:
        """None where ccxt makes none of it."""
        tick = self.market.instrument.tick
        assert tick is not None, "every market has one"
        price = float(tick * PRICE) if kind == "limit" else None
        made = {PROBE: "1", "clientOrderId": CLIENT_ID, **params}
        token = REHEARSING.set(True)
        try:
            await self.library.create_order(self.market.name, kind, side.value, float(self.lots), price, made)
        except Captured as captured:
            return _request(captured, made)
        except Exception as error:  # noqa: BLE001 - ccxt trips over what it cannot make in many ways
            self.said[" ".join([kind, *sorted(params)])] = f"{type(error).__name__}: {error}"[:200]
        finally:
            REHEARSING.reset(token)
        return None

    async def run(self) -> Means:
        """Raises BrokerError for a read that fails."""
        first = await self.request("market", Side.SELL)
        again = await self.request("market", Side.SELL)
        if first is None or again is None:
            return Means(lacking=(f"ccxt makes no order at the market ({self._said()})",))
        self.volatile = {name for name, _ in first.fields ^ again.fields}
        has_ids = self._carries_id(first)
        closes = {(kind, side): form for kind in KINDS for side in Side if (form := await self._close(kind, side))}
        stop_params, stops = await self._stops() if closes else ((), {})
        lacking = [] if has_ids else ["orders carry no id of ours: one in doubt could not be found again"]
        if len(closes) < len(KINDS) * len(Side):
            lacking.append("no order that may only reduce: a close could turn a position around")
        sides = await self._sides(stop_params) if has_ids and closes else None
        return Means(
            sides=sides,
            closes=closes,
            stops=stops,
            stop_params=stop_params,
            client_ids=has_ids,
            id_prefix=(self._id_in(first) or "").removesuffix(CLIENT_ID),
            lacking=tuple(lacking),
        )

    async def _close(self, kind: str, side: Side) -> Form | None:
        plain, reduces = await self.request(kind, side), await self.request(kind, side, reduceOnly=True)
        return None if plain is None or reduces is None else self._marked(plain, reduces)

    async def _sides(self, way: tuple[str, ...]) -> Sides | None:
        """Stops are needed too: one that names no side would open the other."""
        tried = {kind: each for kind in KINDS if (each := await self._tried(kind)) is not None}
        plain = [made for side in Side if (made := await self.request("market", side)) is not None]
        if len(tried) < len(KINDS) or not way:
            return None
        found = name_of_side(tried["market"], plain, self.volatile)
        apart = all(are_told_apart(each, self.volatile) for each in tried.values())
        if found is None or not apart or not all(found[0] in dict(r.fields) for t in tried.values() for r in t.all):
            return None
        name, values = found
        stops = {side: form for side in OPENS if (form := await self._sided_stop(way, side, tried["market"], found))}
        if len(stops) < len(OPENS):
            return None
        return Sides(
            name=name,
            values=values,
            opens={(kind, side): self._form(t, t.opens[side]) for kind, t in tried.items() for side in OPENS},
            closes={(kind, side): self._form(t, t.closes[side]) for kind, t in tried.items() for side in OPENS},
            stops=stops,
        )

    def _form(self, tried: Tried, request: Request) -> Form:
        return Form(request.address, marks(tried, request, self.volatile))

    async def _tried(self, kind: str) -> Tried | None:
        opens = {side: await self.request(kind, way, **HEDGED) for side, way in OPENS.items()}
        closes = {side: await self.request(kind, way.opposite, **CLOSES) for side, way in OPENS.items()}
        known = {side: each for side, each in opens.items() if each is not None}
        ended = {side: each for side, each in closes.items() if each is not None}
        return Tried(known, ended) if len(known) == len(ended) == len(OPENS) else None

    async def _sided_stop(
        self, way: tuple[str, ...], side: str, tried: Tried, name: tuple[str, Mapping[str, str]]
    ) -> Form | None:
        tick, sends = self.market.instrument.tick, OPENS[side].opposite
        assert tick is not None, "every market has one"
        price = tick * STOP_PRICE[sends]
        stop = await self.request("market", sends, **CLOSES, **stop_params(way, sends, price))
        close = tried.closes[side]
        if stop is None or stop.passed_on & {*way, "hedged"} or not _has_price(stop, price):
            return None
        if dict(stop.fields).get(name[0]) != name[1][side] or not self._is_stop(way, close, stop):
            return None
        kept = frozenset(pair for pair in marks(tried, close, self.volatile) if pair in stop.fields)

        def is_ours(text: str) -> bool:
            return text.endswith(CLIENT_ID) or _is_any(text, price, self.lots)

        return stop_form(stop, close, kept, self.volatile, is_ours)

    async def _stops(self) -> tuple[tuple[str, ...], Mapping[Side, Form]]:
        """The first way of saying a stop that is understood for both sides."""
        told = feature(self.library, "createOrder")
        ways: list[tuple[str, ...]] = []
        if told.get("stopLossPrice"):
            ways.append(("stopLossPrice",))
        if told.get("triggerPrice"):
            ways.append(("triggerPrice", "triggerDirection") if told.get("triggerDirection") else ("triggerPrice",))
        for way in ways:
            found = {side: form for side in Side if (form := await self._stop(way, side))}
            if len(found) == len(Side):
                return way, found
        return (), {}

    async def _stop(self, way: tuple[str, ...], side: Side) -> Form | None:
        tick = self.market.instrument.tick
        assert tick is not None, "every market has one"
        price = tick * STOP_PRICE[side]
        params = stop_params(way, side, price)
        market = await self.request("market", side, reduceOnly=True)
        plain = await self.request("market", side, **params)
        reduces = await self.request("market", side, reduceOnly=True, **params)
        again = await self.request("market", side, reduceOnly=True, **params)
        if market is None or plain is None or reduces is None or again is None or not self._carries_id(reduces):
            return None
        self.volatile |= {name for name, _ in reduces.fields ^ again.fields}
        if reduces.passed_on & set(way) or not _has_price(reduces, price) or not self._is_stop(way, market, reduces):
            return None
        marked = self._marked(plain, reduces) or self._implied(reduces)
        if marked is None:
            return None
        fields = {pair for pair in reduces.fields - market.fields if pair[0] not in self.volatile}
        ours = {pair for pair in fields if pair[1].endswith(CLIENT_ID) or _is_any(pair[1], price, self.lots)}
        names = {name for name, _ in ours}
        return Form(marked.address, marked.marks | (fields - ours), frozenset(names))

    def _is_stop(self, way: tuple[str, ...], market: Request, stop: Request) -> bool:
        """Whether the exchange would take it for one: another call, another type, or its own word for a trigger."""
        text = " ".join(f"{name}={value}" for name, value in stop.fields - market.fields).lower()
        if any(word in text for word in NO_STOP):
            return False
        if way[0] == "triggerPrice" and len(way) == 1 and "stop" not in f"{stop.address} {text}".lower():
            return False  # nothing says to which side of the price it waits
        changed = {name for name, _ in market.fields - stop.fields} - self.volatile
        names = {name.lower() for name, _ in stop.fields - market.fields}
        return stop.address != market.address or bool(changed) or any("trigger" in name for name in names)

    def _marked(self, plain: Request, reduces: Request) -> Form | None:
        """Where it goes, with what only an order that may but reduce has on it."""
        marks = {pair for pair in reduces.fields - plain.fields if pair[0] not in self.volatile}
        if REDUCE_ONLY in reduces.passed_on and not self._is_own_name():
            marks = {pair for pair in marks if pair[0] != REDUCE_ONLY}
        return Form(reduces.address, frozenset(marks)) if marks or reduces.address != plain.address else None

    def _implied(self, stop: Request) -> Form | None:
        """A stop that may only reduce whether asked to or not."""
        marks = {
            pair for pair in stop.fields if "reduce" in pair[0].lower() and pair[1].lower() in ("true", "yes", "1")
        }
        if REDUCE_ONLY in stop.passed_on and not self._is_own_name():
            marks = {pair for pair in marks if pair[0] != REDUCE_ONLY}
        return Form(stop.address, frozenset(marks)) if marks else None

    def _is_own_name(self) -> bool:
        return can(self.library, "createReduceOnlyOrder") or self.library.id in OWN_NAME

    def _carries_id(self, request: Request) -> bool:
        """Understood, and not beside one that ccxt draws itself."""
        is_there = self._id_in(request) is not None and "clientOrderId" not in request.passed_on
        return is_there and not any("client" in name.lower() for name in self.volatile)

    def _id_in(self, request: Request) -> str | None:
        """Our id as it stands there."""
        return next((value for _, value in sorted(request.fields) if value.endswith(CLIENT_ID)), None)

    def _said(self) -> str:
        return next(iter(self.said.values()), "it sends nothing")


def stop_params(way: tuple[str, ...], side: Side, price: Decimal) -> dict[str, object]:
    """What to tell ccxt of a stop."""
    found: dict[str, object] = {way[0]: float(price)}
    return found | ({way[1]: DIRECTION[side]} if len(way) > 1 else {})


def _request(captured: Captured, given: Mapping[str, object]) -> Request:
    """Names behind the probe stand as they were given: nobody has understood them."""
    params = captured.params
    whole: Any = params[0] if isinstance(params, list) and params else params
    names = list(whole) if isinstance(whole, Mapping) else []
    behind = names[names.index(PROBE) + 1 :] if PROBE in names else []
    passed_on = {name for name in behind if name in given and str(whole[name]) == str(given[name])}
    fields = {pair for pair in pairs(params) if pair[0] != PROBE}
    return Request(address=captured.address, fields=frozenset(fields), passed_on=frozenset(passed_on))


def _has_price(request: Request, price: Decimal) -> bool:
    return any(_is_any(value, price) for _, value in request.fields)


def _is_any(text: str, *numbers: Decimal) -> bool:
    try:
        return Decimal(text) in numbers
    except ArithmeticError:
        return False
