"""What happened at an exchange as a file of JSON lines, for whoever judges its clients from outside.

- `answered`: a request that came through the gate: what it was about and the status it got (null: never answered).
- `asked`: an order, a replace or a cancel as it arrived, before it was judged, with the account's net at that moment.
- `event`: what became of an order, with its state afterwards; of a fill also its execution and the net after it.
- `moved`: a holding that changed without an order (expiry, assignment, split), with the net after it.

Lines stand in the order in which things happened. Each is handed to the operating system at once and before any client
can know of it, so that the file is complete whichever process dies. Amounts are decimal strings, times exchange time.
"""

from decimal import Decimal
from pathlib import Path
from types import TracebackType

from standfast.exchange import events
from standfast.exchange.dialects.venue import Venue
from standfast.exchange.taping import Taping


class Tape(Taping[Venue]):
    """`with Tape(venue, path):` follows a venue until the block ends."""

    def __init__(self, venue: Venue, path: Path) -> None:
        super().__init__(venue, path)
        venue.engine.movers.append(self._moved)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._venue.engine.movers.remove(self._moved)
        super().__exit__(kind, error, trace)

    def _asked(self, asked: events.Asked) -> None:
        what, instrument, terms = "cancel", None, dict[str, object]()
        if asked.ticket is not None:
            what, instrument = "submit", asked.ticket.terms.instrument
            terms = {
                "client_order_id": asked.ticket.client_order_id,
                "side": asked.ticket.terms.side,
                "type": asked.ticket.terms.type,
                "time_in_force": asked.ticket.terms.time_in_force,
                "quantity": asked.ticket.terms.quantity,
                "limit_price": asked.ticket.terms.limit_price,
                "stop_price": asked.ticket.terms.stop_price,
                "order_class": asked.ticket.order_class,
                "take_profit": asked.ticket.take_profit,
                "stop_loss": asked.ticket.stop_loss,
                "legs": asked.ticket.legs,
            }
        elif asked.change is not None:
            what = "replace"
            terms = {
                "client_order_id": asked.change.client_order_id,
                "quantity": asked.change.quantity,
                "limit_price": asked.change.limit_price,
                "stop_price": asked.change.stop_price,
            }
        self._write(
            "asked",
            at=asked.at,
            account=asked.account,
            what=what,
            order_id=asked.order_id,
            instrument=instrument,
            net=self._net(asked.account, instrument),
            **terms,
        )

    def _net(self, account: str, instrument: str | None) -> Decimal | None:
        return None if instrument is None else self._venue.engine.net(account, instrument)

    def _event(self, event: events.Event) -> None:
        order = event.order
        self._write(
            "event",
            number=event.number,
            at=event.at,
            account=event.account,
            kind=event.kind,
            order_id=order.id,
            client_order_id=order.client_order_id,
            parent_id=order.parent_id,
            replaces=order.replaces,
            instrument=order.instrument,
            side=order.side,
            type=order.terms.type,
            quantity=order.terms.quantity,
            limit_price=order.terms.limit_price,
            stop_price=order.terms.stop_price,
            status=order.status,
            filled=order.filled,
            execution_id=event.execution_id,
            fill_quantity=event.quantity,
            fill_price=event.price,
            net=event.position_quantity,
        )

    def _moved(self, account: str, instrument: str) -> None:
        """A holding changed and no order did it."""
        now = self._venue.engine.now
        self._write("moved", at=now, account=account, instrument=instrument, net=self._net(account, instrument))
