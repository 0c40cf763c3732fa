"""What ccxt tells of what the exchange did itself: liquidations, deleveraging, settlement, and funding.

Theory. Some exchanges list a liquidation among the trades, others nowhere else but in a list of their own. So one is
matched with the trades by the ids in what the exchange itself said of it: where one is found, it only says why that
order was made. Where none turns up in time it is told as a fill, for else a position would be gone without one.
Deleveraging and settlement have no list in ccxt: those that are told are trades in whose own words it says so
(`words.py`). Of one that is told nowhere the list of positions is all there is (`Contract.tells_takings`).

Invariants
- A liquidation is told once: as its trades, or, when they cannot be late any more, as a fill by itself.
- That one of these lists cannot be read keeps no trade from being told: it is asked again, and `failing` says so.
- Of whose sign nobody is sure, no amount is told.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple

from standfast.brokers.ccxt.library import Library
from standfast.brokers.ccxt.markets import Market
from standfast.brokers.ccxt.unified import parse, trades
from standfast.brokers.ccxt.unified.abilities import can, feature
from standfast.brokers.ccxt.unified.asking import ALL_AT_ONCE, Asking, Names
from standfast.brokers.ccxt.unified.parse import Row
from standfast.brokers.ccxt.venue import UNTAGGED
from standfast.model.errors import BrokerError
from standfast.model.ids import BrokerOrderId, ClientOrderId, ExecutionId, Holding, digest
from standfast.model.order import (
    ZERO,
    Fill,
    Movement,
    MovementKind,
    OrderReport,
    OrderState,
    OrderType,
    Side,
    TimeInForce,
)

LIQUIDATION = "liquidation"
CALLS = {"fetchMyLiquidations": "fetch_my_liquidations", "fetchFundingHistory": "fetch_funding_history"}
EVERY = {"fetchMyLiquidations": 20_000, "fetchFundingHistory": 60_000}
"""Milliseconds from one read to the next, where nothing asks for one before."""
BEHIND = 600_000
"""Milliseconds before what has been told that are read again: what is told twice is booked once."""
LATE = 20_000
"""Milliseconds after which the trades of a liquidation would be listed, if they ever are."""
KEPT = 5_000


class Taken(NamedTuple):
    """A liquidation as the exchange tells it."""

    id: ExecutionId
    market: Market
    holding: Holding
    side: Side
    quantity: Decimal
    price: Decimal
    at: int
    ids: frozenset[str]
    """Every id the exchange said of it: of its order and its trade, by whatever name."""

    @property
    def order(self) -> BrokerOrderId:
        return parse.broker_id(self.market, parse.PLAIN, f"liquidation-{digest(self.id)}")


class Causes:
    def __init__(self, library: Library, ask: Asking) -> None:
        self.failing: dict[str, str] = {}
        """Lists that could not be read when they were last asked for, and why."""
        self._library = library
        self._ask = ask
        self._asked: dict[str, int] = {}
        self._taken: dict[str, Taken] = {}
        self._made: dict[BrokerOrderId, dict[ExecutionId, OrderReport]] = {}
        """Orders that the exchange made itself, by the words of their trades: each of those as if it were all of it."""
        self._traded: dict[str, None] = {}
        """Ids of trades and of their orders, as the exchange told them lately."""

    def can(self, call: str) -> bool:
        return can(self._library, call)

    def note_trades(self, rows: Iterable[tuple[Row, Market]]) -> None:
        for row, _ in rows:
            for id in (row.get("id"), row.get("order")):
                if id:
                    self._traded[str(id)] = None
        _shorten(self._traded)

    def is_due(self, call: str, now: int) -> bool:
        asked = self._asked.get(call)
        return self.can(call) and (asked is None or not asked <= now < asked + EVERY[call])

    def cause(self, id: object) -> str:
        """Why the exchange made this order itself, if it is known to have made it."""
        return LIQUIDATION if any(str(id) in taken.ids for taken in self._taken.values()) else ""

    def note_made(self, fill: Fill, cause: str) -> None:
        """A trade whose own words say that the exchange made its order, which it may tell nobody of."""
        self._made.setdefault(fill.broker_order_id, {})[fill.execution_id] = _made(fill, cause)
        _shorten(self._made)

    async def read(self, call: str, names: Names, since: int, now: int, urgency: int) -> list[Row]:
        """Rows of one of the lists; nothing where that fails. `now`: by the exchange's clock, in milliseconds."""
        self._asked[call] = now
        told, begin = feature(self._library, call), max(0, since - BEHIND)
        rows: list[Row] = []
        try:
            for name in names if told.get("symbolRequired") is not False else ALL_AT_ONCE:
                rows += await trades.since(partial(self._page, call, name, urgency), begin, told)
        except BrokerError as error:
            self.failing[call] = str(error)
            return []
        self.failing.pop(call, None)
        return rows

    async def _page(self, call: str, name: str | None, urgency: int, begin: int, until: int | None, limit: int) -> Any:
        with self._ask.at(urgency):
            params = {} if until is None else {"until": until}
            rows = await getattr(self._library, CALLS[call])(name, begin, limit, params)
            return [{**row, "id": row.get("id") or _own_name(row)} for row in rows]

    def note_taken(
        self, rows: Sequence[tuple[Row, Market]], held: Mapping[Holding, Decimal], hedged: Collection[str]
    ) -> None:
        """`hedged`: contracts whose sides are held apart."""
        for row, market in rows:
            found = _taken(row, market, held.get(Holding(market.name), ZERO), is_hedged=market.id in hedged)
            if found is not None:
                self._taken.setdefault(found.id, found)
        _shorten(self._taken)

    def fills(self, now: int, since: int) -> list[Fill]:
        """Those that no trade tells of, once none can be late."""
        found = [each for each in self._taken.values() if since - BEHIND <= each.at <= now - LATE]
        return [_fill(each) for each in found if each.ids.isdisjoint(self._traded)]

    def order(self, id: BrokerOrderId) -> OrderReport | None:
        """The order of one that only its own list tells of, or only its trades."""
        taken = next((_report(each) for each in self._taken.values() if each.order == id), None)
        parts = list(self._made.get(id, {}).values())
        whole = sum((each.quantity for each in parts), ZERO)
        return taken or (replace(parts[-1], quantity=whole, filled=whole) if parts else None)


def funding(row: Row, market: Market, holding: Holding) -> Movement | None:
    """Paid is less than nothing. None where what is told does not say which it is."""
    amount, at = parse.decimal(row.get("amount"), "amount"), row.get("timestamp")
    is_paid = _is_paid(row, amount) if amount is not None else None
    if amount is None or is_paid is None or not isinstance(at, int):
        return None
    return Movement(
        id=f"{market.id}:funding:{row.get('id') or at}",
        kind=MovementKind.FEE,
        broker_kind="funding",
        holding=holding,
        quantity=ZERO,
        amount=-amount if is_paid else amount,
        at=datetime.fromtimestamp(at / 1000, UTC),
    )


def _is_paid(row: Row, amount: Decimal) -> bool | None:
    """Whether the exchange's own figure counts what is paid: it is called a fee then, else a change or an income."""
    info = row.get("info")
    names = [name for name, told in info.items() if _is_same(told, amount)] if isinstance(info, Mapping) else []
    if len({"fee" in name.lower() for name in names}) != 1:
        return None
    return "fee" in names[0].lower()


def _is_same(told: object, amount: Decimal) -> bool:
    try:
        return isinstance(told, (str, int, float)) and Decimal(str(told)) == amount
    except ArithmeticError:
        return False


def _own_name(row: Row) -> str:
    return digest(*(str(row.get(name)) for name in ("symbol", "timestamp", "contracts", "price", "amount")))


def _taken(row: Row, market: Market, held: Decimal, *, is_hedged: bool) -> Taken | None:
    """None for one that cannot be told whole. Where no side is told, it took off what was held."""
    info = row.get("info")
    told = str(row.get("side") or (info.get("side") if isinstance(info, Mapping) else "") or "").lower()
    side = parse.SIDES.get(told) or (Side.SELL if held > 0 else Side.BUY if held < 0 else None)
    quantity, price = parse.decimal(row.get("contracts"), "contracts"), parse.decimal(row.get("price"), "price")
    at = row.get("timestamp")
    if side is None or not quantity or not price or not isinstance(at, int) or at <= 0:
        return None
    named = info.items() if isinstance(info, Mapping) else ()
    ids = frozenset(str(told) for name, told in named if "id" in name.lower() and told)
    return Taken(
        id=ExecutionId(f"{market.id}:liquidation:{row.get('id')}"),
        market=market,
        holding=Holding(market.name, ("long" if side is Side.SELL else "short") if is_hedged else ""),
        side=side,
        quantity=abs(quantity) * market.size,
        price=price,
        at=at,
        ids=ids,
    )


def _fill(taken: Taken) -> Fill:
    return Fill(
        execution_id=taken.id,
        broker_order_id=taken.order,
        holding=taken.holding,
        side=taken.side,
        quantity=taken.quantity,
        price=taken.price,
        fee=ZERO,
        at=datetime.fromtimestamp(taken.at / 1000, UTC),
    )


def _report(taken: Taken) -> OrderReport:
    return _made(_fill(taken), LIQUIDATION)


def _made(fill: Fill, cause: str) -> OrderReport:
    return OrderReport(
        broker_id=fill.broker_order_id,
        client_id=ClientOrderId(f"{UNTAGGED}{fill.broker_order_id}"),
        holding=fill.holding,
        side=fill.side,
        type=OrderType.MARKET,
        time_in_force=TimeInForce.IOC,
        quantity=fill.quantity,
        filled=fill.quantity,
        state=OrderState.FILLED,
        average_price=fill.price,
        placed_at=fill.at,
        updated_at=fill.at,
        order_class=cause,
        closes=True,
    )


def _shorten(kept: dict[Any, Any]) -> None:
    while len(kept) > KEPT:
        del kept[next(iter(kept))]
