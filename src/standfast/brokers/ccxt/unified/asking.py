"""ccxt's unified calls, each at the urgency of who asks, its errors translated, its lists whole.

Invariants
- Nothing that ccxt raises leaves this module.
- A list as long as a page may be is cut off for all we know, and no answer: `Incomplete`.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

from standfast.brokers.ccxt.client import ASKED
from standfast.brokers.ccxt.library import Library
from standfast.brokers.ccxt.unified import refusals
from standfast.brokers.ccxt.unified.abilities import feature
from standfast.brokers.ccxt.unified.calling import WRITING, Writing
from standfast.brokers.ccxt.unified.parse import PLAIN, TRIGGER, Row
from standfast.model.errors import BrokerError, Incomplete

Names = Sequence[str | None]
"""Contracts to ask about; None: all at once."""
Options = Mapping[str, Any]
NOTHING: Options = MappingProxyType({})
ALL_AT_ONCE: Names = (None,)
PAGES = frozenset({20, 50, 100, 200, 500, 1000})
"""Lengths of a list at which it may have been cut off, where ccxt does not tell how long one may be."""
TRIGGERS = {"trigger": True}
LOOKING: Mapping[str, Options] = {"bybit": {"acknowledged": True}, "bybitid": {"acknowledged": True}}
"""Of a look at one order: what ccxt wants to be told first."""
COINS_OF_BYBIT = ({"settleCoin": "USDT"}, {"settleCoin": "USDC"})
LISTS: Mapping[str, Sequence[Options]] = {
    "bybit": COINS_OF_BYBIT,
    "bybitid": COINS_OF_BYBIT,
    "bitget": ({"productType": "USDT-FUTURES"}, {"productType": "USDC-FUTURES"}),
}
"""Exchanges with a list of positions and of orders for each coin, of which ccxt asks for one."""
SNAKE = {
    "fetchOpenOrders": "fetch_open_orders",
    "fetchOrders": "fetch_orders",
    "fetchClosedOrders": "fetch_closed_orders",
    "fetchCanceledOrders": "fetch_canceled_orders",
    "fetchCanceledAndClosedOrders": "fetch_canceled_and_closed_orders",
}


class Asking:
    def __init__(self, library: Library) -> None:
        self.library = library
        self._lists = LISTS.get(library.id, ({},))

    async def read(self, urgency: int, call: Callable[[], Awaitable[Any]]) -> Any:
        with self.at(urgency):
            return await call()

    @contextmanager
    def at(self, urgency: int) -> Iterator[None]:
        """Calls of the library's in here are reads of that urgency."""
        token = ASKED.set(urgency)
        try:
            yield
        except BrokerError:
            raise
        except Exception as error:  # noqa: BLE001 - ccxt's errors, and what it trips over
            raise refusals.read_error(error) from None
        finally:
            ASKED.reset(token)

    async def write(self, writing: Writing, call: Callable[[], Awaitable[Any]]) -> Any:
        token = WRITING.set(writing)
        try:
            return await call()
        except BrokerError:
            raise
        except Exception as error:  # noqa: BLE001 - ccxt's errors, and what it trips over
            raise refusals.write_error(error, writing) from None
        finally:
            WRITING.reset(token)

    async def positions(self, urgency: int) -> list[Row]:
        rows: list[Row] = []
        for params in self._lists:
            with self.at(urgency):
                rows += _whole(await self.library.fetch_positions(None, dict(params)), 0, "positions")
        return rows

    async def open_orders(self, names: Names, kind: str, urgency: int) -> list[Row]:
        limit = self._limit("fetchOpenOrders")
        rows: list[Row] = []
        for name in names:
            for params in self._lists if name is None else ({},):
                page = await self.page("fetchOpenOrders", name, kind, urgency, params)
                rows += _whole(page, limit, "open orders")
        return rows

    async def order(self, id: str, name: str, kind: str, urgency: int) -> Row:
        params = {**LOOKING.get(self.library.id, {}), **_list_of(kind)}
        found: Row = await self.read(urgency, lambda: self.library.fetch_order(id, name, params))
        return found

    async def page(self, call: str, name: str | None, kind: str, urgency: int, params: Options = NOTHING) -> list[Row]:
        """One page of a list of orders."""
        with self.at(urgency):
            limit = self._limit(call) or None
            return list(await getattr(self.library, SNAKE[call])(name, None, limit, {**params, **_list_of(kind)}))

    async def trades(self, name: str | None, urgency: int, begin: int, until: int | None, limit: int) -> list[Row]:
        with self.at(urgency):
            params = {} if until is None else {"until": until}
            return list(await self.library.fetch_my_trades(name, begin, limit, params))

    def kinds(self, call: str) -> tuple[str, ...]:
        """The lists to look in. Conditional orders first: one that fires between two reads is in one of them."""
        return (TRIGGER, PLAIN) if feature(self.library, call).get("trigger") else (PLAIN,)

    def needs_names(self, call: str) -> bool:
        return feature(self.library, call).get("symbolRequired") is not False

    def _limit(self, call: str) -> int:
        found = feature(self.library, call).get("limit")
        return found if isinstance(found, int) else 0


def _list_of(kind: str) -> Options:
    return TRIGGERS if kind == TRIGGER else {}


def _whole(rows: Iterable[Row], limit: int, what: str) -> list[Row]:
    found = list(rows)
    if (limit and len(found) >= limit) or (not limit and len(found) in PAGES):
        raise Incomplete(f"{what}: {len(found)} are told, as many as a page may have: there may be more")
    return found
