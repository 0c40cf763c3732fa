"""Every order there ever was, and the ways to find one.

Invariant: the indexes of unfinished orders hold exactly the unfinished orders, oldest first, so that a quote touches
only its instrument's orders and a submission only its account's orders in that instrument.
"""

from collections.abc import Iterator

from standfast.exchange.orders import Order

Index = dict[str, None]  # an ordered set of order ids


class OrderBook:
    def __init__(self) -> None:
        self._orders: dict[str, Order] = {}
        self._by_account: dict[str, Index] = {}
        self._by_client_id: dict[tuple[str, str], str] = {}
        self._by_number: dict[int, str] = {}
        self._working_by_account: dict[str, Index] = {}
        self._working_by_instrument: dict[str, Index] = {}
        self._working_by_holding: dict[tuple[str, str], Index] = {}

    def __getitem__(self, order_id: str) -> Order:
        return self._orders[order_id]

    def get(self, order_id: str) -> Order | None:
        return self._orders.get(order_id)

    def by_number(self, number: int) -> Order | None:
        order_id = self._by_number.get(number)
        return None if order_id is None else self._orders[order_id]

    def by_client_id(self, account: str, client_order_id: str) -> Order | None:
        order_id = self._by_client_id.get((account, client_order_id))
        return None if order_id is None else self._orders[order_id]

    def put(self, order: Order) -> None:
        """Record a new order, or a later state of one."""
        known = order.id in self._orders
        self._orders[order.id] = order
        if not known:
            self._by_account.setdefault(order.account, {})[order.id] = None
            self._by_client_id[order.account, order.client_order_id] = order.id
            self._by_number[order.number] = order.id
            for index in self._working_indexes(order):
                index[order.id] = None
        elif order.is_finished:
            for index in self._working_indexes(order):
                index.pop(order.id, None)

    def _working_indexes(self, order: Order) -> tuple[Index, Index, Index]:
        return (
            self._working_by_account.setdefault(order.account, {}),
            self._working_by_instrument.setdefault(order.instrument, {}),
            self._working_by_holding.setdefault((order.account, order.instrument), {}),
        )

    def unfinished(self, instrument: str) -> list[Order]:
        return [self._orders[order_id] for order_id in self._working_by_instrument.get(instrument, ())]

    def unfinished_of(self, account: str, instrument: str) -> list[Order]:
        return [self._orders[order_id] for order_id in self._working_by_holding.get((account, instrument), ())]

    def unfinished_in(self, account: str) -> list[Order]:
        return [self._orders[order_id] for order_id in self._working_by_account.get(account, ())]

    def all_unfinished(self) -> list[Order]:
        return [order for account in self._working_by_account for order in self.unfinished_in(account)]

    def walk(self, account: str, *, unfinished_only: bool, newest_first: bool) -> Iterator[Order]:
        """One account's orders in order of creation."""
        index = (self._working_by_account if unfinished_only else self._by_account).get(account, {})
        for order_id in reversed(index) if newest_first else index:
            yield self._orders[order_id]
