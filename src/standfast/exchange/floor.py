"""The state of the exchange, and the few ways to change it that everything else is made of.

Rooms above it: `admission` judges a request, `lifecycle` moves orders, `hours` opens and closes the session, `requests`
serves the client, `corporate` what nobody asked for.

Invariants: every change of an order goes through `record`, which keeps the reservations in step; every event goes
through `tell`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType

from standfast.exchange.accounts import Account, AccountSpec, PositionView, TrueFill
from standfast.exchange.activities import Activity, ActivityLog, FillActivity, NonTradeActivity
from standfast.exchange.assets import Asset, Quote
from standfast.exchange.book import OrderBook
from standfast.exchange.collateral import requirement
from standfast.exchange.contracts import Contract
from standfast.exchange.events import Event, EventKind
from standfast.exchange.fills import FillPolicy
from standfast.exchange.groups import held_quantity
from standfast.exchange.ids import Ids
from standfast.exchange.matching import displayed
from standfast.exchange.orders import ZERO, Order, Side, Status
from standfast.exchange.refusal import not_found
from standfast.exchange.rules import Rules
from standfast.exchange.spots import implied_spot
from standfast.exchange.timeline import Timeline

Mover = Callable[[str, str], None]
NO_CHANGES: Mapping[str, Decimal] = MappingProxyType({})


def weekday_before(day: date) -> date:
    """The last day before that is no Saturday or Sunday: what a floor without a calendar goes by."""
    back = {0: 3, 6: 2}.get(day.weekday(), 1)
    return day - timedelta(days=back)


class Floor(Timeline[Event]):
    def __init__(
        self,
        assets: Iterable[Asset],
        accounts: Iterable[AccountSpec],
        *,
        start: datetime,
        seed: int,
        rules: Rules,
        fills: FillPolicy,
    ) -> None:
        super().__init__(start)
        self.rules = rules
        self.fills = fills
        self.ids = Ids(seed)
        self.book = OrderBook()
        self.movers: list[Mover] = []  # told of account and instrument when a holding changes without an order
        self.is_open = True
        self.opened_at = start  # quotes older than this do not trade in the session
        self.late: frozenset[str] = frozenset()  # what goes on trading for a while after the close
        self.in_auction = False
        self.halted: set[str] = set()
        self.expired: set[str] = set()  # contracts that trade no more
        self.session_before: Callable[[date], date] = weekday_before
        self.assets: dict[str, Asset] = {}
        self.quotes: dict[str, Quote] = {}
        self.last_closes: dict[str, Decimal] = {}
        self._instruments: dict[str, str] = {}  # by asset id
        self._displayed: dict[tuple[str, Side], Decimal] = {}
        self._events = 0
        for asset in assets:
            self.list_asset(asset)
        self.accounts = {spec.name: Account(spec, self.ids.uuid(), start) for spec in accounts}
        self.logs = {name: ActivityLog() for name in self.accounts}
        self._reserve_unit: dict[str, Decimal] = {}

    # Assets and prices

    def list_asset(self, asset: Asset) -> None:
        if not asset.id:
            asset = replace(asset, id=self.ids.uuid())
        self.assets[asset.instrument] = asset
        self._instruments[asset.id] = asset.instrument

    def find_asset(self, key: str) -> Asset | None:
        return self.assets.get(self._instruments.get(key, key))

    def trades(self, instrument: str) -> bool:
        """Whether its regular session is on."""
        return self.is_open or instrument in self.late

    def take_quote(self, quote: Quote) -> None:
        """Make a quote the current one and value every holding at it."""
        self.quotes[quote.instrument] = quote
        if self.rules.limited_by_size:
            for side in Side:
                self._displayed[quote.instrument, side] = displayed(side, quote)
        for account in self.accounts.values():
            if quote.instrument in account.positions:
                self._revalue(account, quote.instrument, quote.middle)

    def still_displayed(self, instrument: str, side: Side) -> Decimal | None:
        """What the quote still offers to an order of this side; None when sizes do not limit."""
        return self._displayed.get((instrument, side)) if self.rules.limited_by_size else None

    def use_displayed(self, instrument: str, side: Side, quantity: Decimal) -> None:
        if self.rules.limited_by_size:
            left = self._displayed.get((instrument, side), ZERO)
            self._displayed[instrument, side] = max(ZERO, left - quantity)

    def price(self, instrument: str) -> Decimal | None:
        """The middle of the last quote, at which holdings are valued."""
        quote = self.quotes.get(instrument)
        return None if quote is None else quote.middle

    def spot(self, underlying: str, expiry: date) -> Decimal | None:
        """What an underlying costs: its own quote, else what the options of that expiry say."""
        return self.price(underlying) or implied_spot(self.quotes, underlying, expiry)

    # Holdings

    def trade(self, account: str, instrument: str, signed: Decimal, price: Decimal) -> Decimal:
        """Move a holding and its money; returns what that realised. `price` is per unit of price."""
        books, multiplier = self.accounts[account], self.assets[instrument].multiplier
        realised = books.trade(instrument, signed, price * multiplier, self.now)
        self._revalue(books, instrument, self.price(instrument) or price)
        self._secure(books)
        return realised

    def undo(self, account: str, fill: TrueFill, kind: str) -> None:
        """Take an execution out of a holding and its money, as if it had not been; what was earned on it as well."""
        books, multiplier = self.accounts[account], self.assets[fill.instrument].multiplier
        value = fill.quantity * fill.price * multiplier
        left = books.put_back(fill.instrument, -fill.quantity, -(value + fill.realised), value, self.now)
        self._revalue(books, fill.instrument, self.price(fill.instrument) or fill.price)
        self._secure(books)
        realised = -fill.realised - left
        books.truth.fills.append(replace(fill, quantity=-fill.quantity, realised=realised, at=self.now, kind=kind))

    def requirement(self, books: Account, changes: Mapping[str, Decimal] = NO_CHANGES) -> Decimal:
        """What the account's short options may cost, or would cost after these changes of its holdings."""
        held: list[tuple[Contract, Decimal]] = []
        for name in (*books.options, *(name for name in changes if name not in books.options)):
            contract, net = self.assets[name].contract, books.net(name) + changes.get(name, ZERO)
            if contract is not None and net:
                held.append((contract, net))
        underlyings = {contract.underlying for contract, _ in held}
        shares = {name: books.net(name) + changes.get(name, ZERO) for name in underlyings}
        return requirement(held, shares, self.spot)

    def _secure(self, books: Account) -> None:
        """After a change of holdings. Shares count too: they may cover calls."""
        if books.options or books.requirement:
            books.requirement = self.requirement(books)

    def _revalue(self, books: Account, instrument: str, price: Decimal) -> None:
        asset = self.assets[instrument]
        books.revalue(instrument, price * asset.multiplier, is_option=asset.contract is not None)

    def moved(self, account: str, instrument: str) -> None:
        for mover in self.movers:
            mover(account, instrument)

    # Orders

    def reserve_for(self, order_id: str, unit: Decimal) -> None:
        """From now on every unit the order has left to open costs this much buying power."""
        self._reserve_unit[order_id] = unit

    def record(self, order: Order) -> Order:
        self.book.put(order)
        unit = self._reserve_unit.get(order.id)
        if unit is not None:
            notional = order.terms.notional
            amount = order.remaining * unit if notional is None else notional - order.filled_value
            self.accounts[order.account].reserve(order.id, ZERO if order.is_finished else max(ZERO, amount))
            if order.is_finished:
                del self._reserve_unit[order.id]
        return order

    def become(self, order: Order, status: Status, kind: EventKind, **times: datetime) -> Order:
        """Give the order a new status and tell of it."""
        changed = self.record(replace(order, status=status, updated_at=self.now, **times))  # type: ignore[arg-type]  # time fields only
        self.tell(kind, changed)
        return changed

    def held(self, account: str, instrument: str, *, without: str | None = None) -> Decimal:
        """Quantity of the position that resting exits hold, never more than the position."""
        net, orders = self.accounts[account].net(instrument), self.book.unfinished_of(account, instrument)
        if not net or not orders:
            return ZERO
        exit_side = Side.SELL if net > 0 else Side.BUY
        others = orders if without is None else (order for order in orders if order.id != without)
        return min(abs(net), held_quantity(others, exit_side, self.price(instrument)))

    def position_view(self, account: str, instrument: str) -> PositionView:
        """Refused 404 when flat."""
        position = self.accounts[account].positions.get(instrument)
        if position is None:
            raise not_found("position does not exist")
        price = self.price(instrument)
        multiplier = self.assets[instrument].multiplier
        value = None if price is None else position.quantity * price * multiplier
        return PositionView(
            instrument=instrument,
            asset_id=self.assets[instrument].id,
            quantity=position.quantity,
            available=abs(position.quantity) - self.held(account, instrument),
            average_entry_price=position.cost / position.quantity / multiplier,
            cost_basis=position.cost,
            current_price=price,
            last_close=self.last_closes.get(instrument),
            market_value=value,
            unrealised=None if value is None else value - position.cost,
            number=position.number,
            opened_at=position.opened_at,
        )

    # History and events

    def log(self, row: Activity) -> None:
        self.logs[row.account].append(row)

    def tell(self, kind: EventKind, order: Order, execution: FillActivity | None = None) -> None:
        self._events += 1
        event = Event(number=self._events, kind=kind, account=order.account, order=order, at=self.now)
        if execution is not None:
            event = replace(
                event,
                execution_id=execution.execution_id,
                price=execution.price,
                quantity=execution.quantity,
                position_quantity=self.accounts[order.account].net(order.instrument),
            )
        self._untold.append(event)

    def book_cash(self, row: NonTradeActivity) -> None:
        """Move the row's amount and keep the row."""
        self.accounts[row.account].cash += row.net_amount
        self.log(row)
