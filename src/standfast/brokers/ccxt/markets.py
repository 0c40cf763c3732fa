"""What can be traded on an exchange, by its own names and by ours. Loaded once, shared by all accounts there.

Invariants
- Tick, step and contract size are the exchange's own figures, exactly.
- Only contracts whose profit is linear in the price and paid in the money they are quoted in are guarded; what else the
  exchange lists has no market here.
"""

import asyncio
import weakref
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from standfast.brokers.shared.reading import holding, number, shown
from standfast.brokers.shared.throttle import Throttle
from standfast.model.errors import BrokerError, Malformed, Rejected
from standfast.model.ids import InstrumentId
from standfast.model.instrument import Instrument, Kind
from standfast.ports import Clock

KEPT, KEPT_AT_LEAST = 3600.0, 30.0
"""Seconds a table is believed; and, when somebody asks for what it lacks, before it is loaded again."""
LOOKED_MAX = 1000

DECIMAL_PLACES, TICK_SIZE = 2, 4
"""ccxt's ways of telling a step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """One contract. Quantities of ours are in the base coin; `size` of it is one of the exchange's."""

    id: str
    instrument: Instrument
    settle: str
    size: Decimal = Decimal(1)
    least: Decimal | None = None
    """Smallest quantity of an order, in the base coin."""
    least_value: Decimal | None = None
    """Smallest value of an order that may add."""
    raw: Mapping[str, Any] = field(repr=False, default_factory=dict)

    @property
    def name(self) -> InstrumentId:
        return self.instrument.id

    def charged(self, fee: Decimal, coin: str) -> Decimal:
        """A commission in the money of the contract. One in another coin (Binance takes BNB) is no amount of it: it is
        left out, not counted as so many dollars."""
        own = {self.settle.upper(), str(self.raw.get("settle") or "").upper()}
        return fee if not coin or coin.upper() in own else Decimal(0)


@dataclass(frozen=True, slots=True)
class Markets:
    by_id: Mapping[str, Market]
    by_name: Mapping[InstrumentId, Market]
    rows: list[Any] = field(repr=False, default_factory=list)
    """As ccxt has them, for the objects of other accounts."""

    @property
    def settles(self) -> list[str]:
        """The coins contracts are settled in."""
        return sorted({each.settle for each in self.by_id.values()})

    def has(self, name: str) -> bool:
        """By either name; nothing is never lacking."""
        return not name or name in self.by_id or InstrumentId(name) in self.by_name

    def of_id(self, id: str) -> Market:
        """Raises Malformed for a name that the exchange has not listed."""
        found = self.by_id.get(id)
        if found is None:
            raise Malformed(f"{shown(id)} is not among the contracts that are guarded here")
        return found

    def of_name(self, name: InstrumentId) -> Market:
        """Raises Rejected: it is not known to the exchange."""
        found = self.by_name.get(name)
        if found is None:
            raise Rejected(f"{name} is not known to the exchange", kind="not_found", code="local")
        return found


Load = Callable[[], Awaitable[list[Any]]]
Find = Callable[[str], Awaitable[list[Any]]]
"""Of one contract that the exchange lists no more, by its own name for it."""


class Shelf:
    """What all accounts at one address of one exchange share: the tables, and what may be asked from here."""

    def __init__(self) -> None:
        self._markets: Markets | None = None
        self._of: Markets | None = None
        self._at = 0.0
        self._looked: dict[str, float] = {}
        """What was looked for beyond the table, and when it last was."""
        self._turn = asyncio.Lock()
        self._taught: Callable[[], Any] = lambda: None
        """The first object that has the table in ccxt's own form, as long as its account is open."""
        self._budget: Throttle | None = None

    def budget(self, make: Callable[[], Throttle]) -> Throttle:
        """What all accounts there may ask for together."""
        if self._budget is None:
            self._budget = make()
        return self._budget

    def teach(self, library: Any) -> None:
        """Give an object of ccxt's the names of the markets, and what it needs to connect: made once, shared by all."""
        assert self._markets is not None, "they are loaded"
        taught = self._taught()
        if taught is None or taught.markets is None or self._of is not self._markets:
            library.set_markets(self._markets.rows)
            self._taught, self._of = weakref.ref(library), self._markets
            library.open()
        elif library is not taught:
            library.set_markets_from_exchange(taught)
            library.ssl_context = taught.ssl_context  # reading the certificates takes long, for hundreds of them

    async def markets(self, load: Load, clock: Clock, *, lacking: str = "", find: Find | None = None) -> Markets:
        """The table, loaded anew when it is old or lacks the name `lacking`; which may be of a contract that has ended.
        What has once been in it stays: rows of a contract that is listed no more have to be understood as well."""
        async with self._turn:
            now, found = clock.monotonic(), self._markets
            age = now - self._at
            if found is None or age >= KEPT or (not found.has(lacking) and age >= KEPT_AT_LEAST):
                found = self._markets = _with_ended(table(await _rows(load)), found)
                self._at = now
            if find is not None and not found.has(lacking) and self._may_look(lacking, now):
                ended = await _rows(lambda: find(lacking))
                found = self._markets = table([*map(_over, ended), *found.rows])
            return found

    def _may_look(self, name: str, now: float) -> bool:
        if now - self._looked.get(name, -KEPT) < KEPT_AT_LEAST:
            return False
        self._looked[name] = now
        while len(self._looked) > LOOKED_MAX:
            del self._looked[next(iter(self._looked))]
        return True


def _over(row: Any) -> Any:
    return {**row, "active": False}


async def _rows(load: Load) -> list[Any]:
    try:
        return await load()
    except BrokerError:
        raise
    except Exception as error:  # noqa: BLE001 - ccxt trips over an answer it does not know in many ways
        raise Malformed(f"markets: {type(error).__name__}: {shown(str(error))}") from None


def table(rows: Iterable[Any]) -> Markets:
    """Raises Malformed for a table in which nothing can be guarded."""
    rows = list(rows)
    found = [each for each in map(_market, rows) if each is not None]
    if not found:
        raise Malformed("markets: not one linear contract is listed")
    return Markets({each.id: each for each in found}, {each.name: each for each in found}, rows)


def _with_ended(listed: Markets, before: Markets | None) -> Markets:
    """What is listed now, and what was before and is no more."""
    if before is None:
        return listed
    gone = [_over(each.raw) for id, each in before.by_id.items() if id not in listed.by_id]
    return table([*gone, *listed.rows]) if gone else listed  # of two by one name it is the one that is listed


def _market(row: Any) -> Market | None:
    if not row.get("contract") or row.get("option") or not _is_linear(row):
        return None
    size = _number(row.get("contractSize")) or Decimal(1)
    tick, step = _step(row, "price"), _step(row, "amount")
    if tick is None or step is None:
        return None
    limits = row.get("limits") or {}
    least = _number((limits.get("amount") or {}).get("min"))
    return Market(
        id=str(row["id"]),
        instrument=Instrument(
            id=holding(str(row["symbol"])).instrument,
            kind=Kind.PERPETUAL,
            lot=step * size,
            most=_most(row, size),
            tick=tick,
            tradable=row.get("active") is not False,
            fractionable=True,
        ),
        settle=str(row["settleId"] or row["settle"]),
        size=size,
        least=least * size if least is not None else None,
        least_value=_least_value(row),
        raw=row,
    )


def _is_linear(row: Any) -> bool:
    """ccxt's word, or, where an answer lacks what that is taken from, the coins."""
    settle = row.get("settle")
    return bool(settle) and (bool(row.get("linear")) or (not row.get("inverse") and settle == row.get("quote")))


def _least_value(row: Any) -> Decimal | None:
    """Bybit's is left out by ccxt."""
    told = _number(((row.get("limits") or {}).get("cost") or {}).get("min"))
    raw = (row.get("info") or {}).get("lotSizeFilter") or {}
    return told if told is not None else _number(raw.get("minNotionalValue"))


def _most(row: Any, size: Decimal) -> Decimal | None:
    """Of orders at the market, which stops become. Of Bybit ccxt tells only what limits may have."""
    limits, raw = row.get("limits") or {}, (row.get("info") or {}).get("lotSizeFilter") or {}
    told = (raw.get("maxMktOrderQty"), (limits.get("market") or {}).get("max"), (limits.get("amount") or {}).get("max"))
    found = next(filter(None, map(_number, told)), None)
    return found * size if found is not None else None


def _step(row: Any, what: str) -> Decimal | None:
    """ccxt tells a step as itself, or as the number of its decimals."""
    told = _number((row.get("precision") or {}).get(what))
    if told is None or told < 0:
        return None
    if row.get("precisionMode") == DECIMAL_PLACES:
        return Decimal(1).scaleb(-int(told))
    return told or None


def _number(value: object) -> Decimal | None:
    """An exact number, however small its exponent is written."""
    if value is None or value == "":
        return None
    text = str(value)
    try:
        plain = f"{Decimal(text):f}" if "e" in text.lower() else text
        return number(plain, "market")
    except (ArithmeticError, Malformed):
        return None
