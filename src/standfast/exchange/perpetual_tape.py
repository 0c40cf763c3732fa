"""What happened at an exchange for perpetual futures as a file of JSON lines, for whoever judges its clients.

- `answered`: a request that came through the gate: what it was about and the status it got (null: never answered).
- `asked`: an order, an amendment or a cancel as it arrived, before it was judged, with the net of its side then.
- `event`: what became of an order, with its state afterwards, or an execution with the net after it.

Lines stand in the order in which things happened; each is handed to the operating system at once. Amounts are decimal
strings, times exchange time.
"""

from standfast.exchange.dialects.perpetuals import Perpetuals
from standfast.exchange.perpetual.events import Asked, Event
from standfast.exchange.perpetual.orders import Order, Ticket
from standfast.exchange.taping import Taping


class PerpetualTape(Taping[Perpetuals]):
    """`with PerpetualTape(venue, path):` follows it until the block ends."""

    def _asked(self, asked: Asked) -> None:
        engine = self._venue.engine
        order = engine.order(asked.account, asked.order_id) if asked.order_id else None
        ticket = asked.ticket or (None if order is None else order.ticket)
        what = "submit" if asked.ticket is not None else "cancel" if asked.change is None else "amend"
        terms = {} if ticket is None else _terms(ticket)
        if ticket is not None and engine.last_quote(ticket.instrument) is not None:
            terms["net"] = engine.position(asked.account, ticket.instrument, ticket.index).quantity
        self._write(
            "asked",
            at=asked.at,
            account=asked.account,
            what=what,
            order_id=asked.order_id,
            change=asked.change,
            **terms,
        )

    def _event(self, event: Event) -> None:
        facts: dict[str, object] = {
            "number": event.number,
            "at": event.at,
            "account": event.account,
            "kind": event.kind,
            "instrument": event.instrument,
        }
        if event.order is not None and event.execution is None:
            facts |= _order(event.order)
        if event.execution is not None:
            execution = event.execution
            net = self._venue.engine.position(event.account, event.instrument, execution.index).quantity
            facts |= {
                "index": execution.index,
                "order_id": execution.order_id,
                "execution_id": execution.id,
                "cause": execution.kind,
                "side": execution.side,
                "quantity": execution.quantity,
                "price": execution.price,
                "net": net,
            }
        if event.order is not None or event.execution is not None:
            self._write("event", **facts)


def _order(order: Order) -> dict[str, object]:
    return {
        "order_id": order.id,
        "role": order.role,
        "status": order.status,
        "filled": order.filled,
        "ended": order.ended,
        **_terms(order.ticket),
    }


def _terms(ticket: Ticket) -> dict[str, object]:
    return {
        "client_order_id": ticket.link_id,
        "instrument": ticket.instrument,
        "index": ticket.index,
        "side": ticket.side,
        "type": ticket.kind,
        "quantity": ticket.quantity,
        "limit_price": ticket.price,
        "trigger": ticket.trigger,
        "reduce_only": ticket.reduce_only,
    }
