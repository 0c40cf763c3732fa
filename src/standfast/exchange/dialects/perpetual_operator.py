"""What whoever runs an exchange for perpetual futures can do to it beside what `operating` has: trade as somebody else,
hold a price where it is, liquidate, deleverage, settle, fund; and read what is true, to judge the clients by.
"""

from decimal import Decimal

import msgspec

from standfast.exchange.dialects.operating import Act, Hands, OrderId, read
from standfast.exchange.dialects.perpetuals import Perpetuals
from standfast.exchange.orders import Side
from standfast.exchange.perpetual.books import Execution, ExecutionKind
from standfast.exchange.perpetual.orders import Kind, Order, PriceBy, Ticket, Trigger
from standfast.exchange.perpetual.positions import Position
from standfast.exchange.perpetual.rules import Scripted


class _Order(msgspec.Struct, forbid_unknown_fields=True):
    """An order of somebody else on the account. With a price it is a limit order."""

    instrument: str
    side: Side
    quantity: Decimal
    account: str = ""
    index: int = 0
    price: Decimal | None = None
    reduce_only: bool = False
    trigger_price: Decimal | None = None
    rises: bool = False
    client_order_id: str = ""


class _Instrument(msgspec.Struct, forbid_unknown_fields=True):
    """One side of one instrument of an account, for what needs it."""

    instrument: str
    account: str = ""
    index: int = 0
    quantity: Decimal | None = None
    price: Decimal | None = None
    rate: Decimal | None = None


class _Settled(msgspec.Struct, forbid_unknown_fields=True):
    """`delivery`: said as that, not as a settlement."""

    instrument: str
    price: Decimal | None = None
    delivery: bool = False


class _Pin(msgspec.Struct, forbid_unknown_fields=True):
    """Without a price: let go."""

    instrument: str
    by: PriceBy
    price: Decimal | None = None


class _Mode(msgspec.Struct, forbid_unknown_fields=True):
    instrument: str
    account: str = ""
    hedged: bool | None = None
    isolated: bool | None = None
    leverage: Decimal | None = None


class _Cash(msgspec.Struct, forbid_unknown_fields=True):
    amount: Decimal
    account: str = ""


class PerpetualOperator(Hands[Perpetuals, Order]):
    """The handlers."""

    def acts(self) -> list[tuple[str, str, Act]]:
        return [
            ("POST", "pin", self.pin),
            ("POST", "fills", self.fills),
            ("POST", "order", self.order),
            ("POST", "cancel", self.cancel),
            ("POST", "liquidate", self.liquidate),
            ("POST", "deleverage", self.deleverage),
            ("POST", "settle", self.settle),
            ("POST", "fund", self.fund),
            ("POST", "mode", self.mode),
            ("POST", "halt", self.halt),
            ("POST", "resume", self.resume),
            ("POST", "cash", self.cash),
        ]

    # Market

    def pin(self, body: bytes) -> object:
        """Hold the last, mark or index price whatever the quote."""
        asked = read(body, _Pin)
        self._venue.engine.pin(asked.instrument, asked.by, asked.price)
        return {}

    def halt(self, body: bytes) -> object:
        self._venue.engine.halt(read(body, _Instrument).instrument)
        return {}

    def resume(self, body: bytes) -> object:
        self._venue.engine.resume(read(body, _Instrument).instrument)
        return {}

    def fills(self, body: bytes) -> object:
        """Shares of its quantity that each look at an order may fill, by client order id."""
        self._venue.engine.fills = Scripted(read(body, dict[str, list[Decimal]]))
        return {}

    # Orders of others

    def order(self, body: bytes) -> object:
        asked = read(body, _Order)
        trigger = None if asked.trigger_price is None else Trigger(price=asked.trigger_price, rises=asked.rises)
        ticket = Ticket(
            instrument=asked.instrument,
            side=asked.side,
            quantity=asked.quantity,
            kind=Kind.MARKET if asked.price is None else Kind.LIMIT,
            price=asked.price,
            index=asked.index,
            reduce_only=asked.reduce_only,
            trigger=trigger,
            link_id=asked.client_order_id,
        )
        return _order_row(self._venue.engine.submit(self._account(asked.account), ticket))

    def cancel(self, body: bytes) -> object:
        asked = read(body, OrderId)
        return _order_row(self._venue.engine.cancel(self._account(asked.account), asked.order_id))

    def mode(self, body: bytes) -> object:
        """One position or two, margin of its own or not, leverage: what is given."""
        asked = read(body, _Mode)
        engine, account = self._venue.engine, self._account(asked.account)
        if asked.hedged is not None:
            engine.set_mode(account, asked.instrument, is_hedged=asked.hedged)
        if asked.isolated is not None:
            engine.set_margin_mode(account, asked.instrument, is_isolated=asked.isolated)
        if asked.leverage is not None:
            engine.set_leverage(account, asked.instrument, asked.leverage)
        return {}

    # What nobody asked for

    def liquidate(self, body: bytes) -> object:
        asked = read(body, _Instrument)
        account = self._account(asked.account)
        return _order_row(self._venue.engine.liquidate(account, asked.instrument, asked.index, asked.price))

    def deleverage(self, body: bytes) -> object:
        """All of it at the mark, unless told otherwise."""
        asked = read(body, _Instrument)
        engine, account = self._venue.engine, self._account(asked.account)
        held = abs(engine.position(account, asked.instrument, asked.index).quantity)
        price = asked.price or engine.prices(asked.instrument).mark or Decimal(0)
        return _order_row(engine.deleverage(account, asked.instrument, asked.index, asked.quantity or held, price))

    def settle(self, body: bytes) -> object:
        """The end of an instrument, at a price or the mark."""
        asked = read(body, _Settled)
        engine = self._venue.engine
        price = asked.price or engine.prices(asked.instrument).mark or Decimal(0)
        kind = ExecutionKind.DELIVERY if asked.delivery else ExecutionKind.SETTLEMENT
        engine.settle(asked.instrument, price, kind)
        return {}

    def fund(self, body: bytes) -> object:
        asked = read(body, _Instrument)
        self._venue.engine.fund(asked.instrument, asked.rate)
        return {}

    def cash(self, body: bytes) -> object:
        asked = read(body, _Cash)
        self._venue.engine.move_cash(self._account(asked.account), asked.amount)
        return {}

    # What is shown

    def _row(self, order: Order) -> object:
        return _order_row(order)

    def _truth_of(self, account: str) -> object:
        engine = self._venue.engine
        books = engine.books(account)
        return {
            "wallet": books.wallet,
            "equity": engine.equity(account),
            "positions": [_position_row(position) for position in engine.positions(account)],
            "orders": [_order_row(order) for order in engine.working(account)],
            "fills": [_execution_row(execution) for execution in books.executions],
        }


def _order_row(order: Order) -> dict[str, object]:
    trigger = order.ticket.trigger
    return {
        "id": order.id,
        "client_order_id": order.ticket.link_id,
        "account": order.account,
        "instrument": order.instrument,
        "index": order.index,
        "side": order.side,
        "role": order.role,
        "status": order.status,
        "quantity": order.ticket.quantity,
        "filled": order.filled,
        "average_price": order.average_price,
        "trigger_price": None if trigger is None else trigger.price,
        "reduce_only": order.ticket.reduce_only,
    }


def _position_row(position: Position) -> dict[str, object]:
    return {
        "instrument": position.instrument,
        "index": position.index,
        "quantity": position.quantity,
        "value": position.value,
        "realised": position.realised,
    }


def _execution_row(execution: Execution) -> dict[str, object]:
    return {
        "order_id": execution.order_id,
        "execution_id": execution.id,
        "instrument": execution.instrument,
        "index": execution.index,
        "quantity": execution.quantity * execution.side.sign,
        "price": execution.price,
        "realised": execution.realised,
        "fee": execution.fee,
        "at": execution.at,
        "kind": execution.kind,
    }
