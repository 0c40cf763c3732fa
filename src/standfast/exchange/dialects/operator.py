"""What whoever runs an exchange for shares and options can do to it beside what `operating` has: trade as somebody
else, split, halt, assign; and read what is true, to judge the clients by.
"""

from datetime import date
from decimal import Decimal

import msgspec

from standfast.exchange.dialects.operating import Act, Hands, OrderId, read
from standfast.exchange.dialects.operator_rows import fill_row, order_row
from standfast.exchange.dialects.venue import Venue
from standfast.exchange.fills import Scripted
from standfast.exchange.orders import Order, OrderClass, OrderType, Side, StopLoss, TakeProfit, Terms, Ticket
from standfast.exchange.orders import TimeInForce as InForce


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


class Operator(Hands[Venue, Order]):
    """The handlers of an exchange for shares and options."""

    def acts(self) -> list[tuple[str, str, Act]]:
        return [
            ("POST", "fills", self.fills),
            ("POST", "order", self.order),
            ("POST", "cancel", self.cancel),
            ("POST", "reject", self.reject),
            ("POST", "liquidate", self.liquidate),
            ("POST", "assign", self.assign),
            ("POST", "exercise", self.exercise),
            ("POST", "settlement", self.settlement),
            ("POST", "split", self.split),
            ("POST", "bust", self.bust),
            ("POST", "halt", self.halt),
            ("POST", "resume", self.resume),
            ("POST", "session", self.session),
            ("POST", "cash", self.cash),
        ]

    # Time and market

    def session(self, body: bytes) -> object:
        self._venue.engine.session(is_open=read(body, _Session).is_open, at=self._venue.now)
        return self.clock(body)

    def split(self, body: bytes) -> object:
        asked = read(body, _Instrument)
        if asked.ratio is None:
            raise ValueError("a split needs a ratio")
        self._venue.engine.split(asked.instrument, asked.ratio)
        return {}

    def bust(self, body: bytes) -> object:
        """Take a trade back or, with a price, correct it."""
        asked = read(body, _Trade)
        account = self._account(asked.account)
        if asked.price is None:
            self._venue.engine.bust(account, asked.execution_id)
        else:
            self._venue.engine.correct(account, asked.execution_id, asked.price)
        return {}

    # Options

    def assign(self, body: bytes) -> object:
        """Early, against a short option; the whole holding unless a quantity is given."""
        asked = read(body, _Ended)
        self._venue.engine.assign(self._account(asked.account), asked.instrument, asked.quantity)
        return {}

    def exercise(self, body: bytes) -> object:
        asked = read(body, _Ended)
        self._venue.engine.exercise(self._account(asked.account), asked.instrument, asked.quantity)
        return {}

    def settlement(self, body: bytes) -> object:
        """The price at which an underlying's options of that day settle."""
        asked = read(body, _Settlement)
        self._venue.engine.announce_settlement(asked.underlying, asked.day, asked.price)
        return {}

    def halt(self, body: bytes) -> object:
        self._venue.engine.halt(read(body, _Instrument).instrument)
        return {}

    def resume(self, body: bytes) -> object:
        self._venue.engine.resume(read(body, _Instrument).instrument)
        return {}

    # How it matches

    def fills(self, body: bytes) -> object:
        """Shares of its quantity that each look at an order may fill, by client order id: see `fills.Scripted`."""
        self._venue.engine.fills = Scripted(read(body, dict[str, list[Decimal]]))
        return {}

    # Orders of others

    def order(self, body: bytes) -> object:
        asked = read(body, _Order)
        order = self._venue.engine.submit(self._account(asked.account), _ticket(asked))
        return self._row_now(order.account, order.id)

    def cancel(self, body: bytes) -> object:
        asked = read(body, OrderId)
        account = self._account(asked.account)
        self._venue.engine.cancel(account, asked.order_id)
        return self._row_now(account, asked.order_id)

    def reject(self, body: bytes) -> object:
        asked = read(body, OrderId)
        return order_row(self._venue.engine.reject_working(asked.order_id))

    def liquidate(self, body: bytes) -> object:
        asked = read(body, _Instrument)
        return order_row(self._venue.engine.liquidate(self._account(asked.account), asked.instrument, asked.price))

    def cash(self, body: bytes) -> object:
        asked = read(body, _Cash)
        self._venue.engine.move_cash(self._account(asked.account), asked.amount, asked.activity_type)
        return {}

    # What is shown

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

    def _row(self, order: Order) -> object:
        return order_row(order)

    def _row_now(self, account: str, order_id: str) -> object:
        return order_row(self._venue.engine.order(account, order_id))


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
