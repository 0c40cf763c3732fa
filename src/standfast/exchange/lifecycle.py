"""How an order lives: acknowledged, live, looked at, filled, finished; and what that does to its group.

The one place where an order's status changes. A fill is: cash and position, the order, the history row, the event, the
fee, the group; in that order, within one call.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import ROUND_UP, Decimal

from standfast.exchange.accounts import TrueFill
from standfast.exchange.activities import NEW_YORK, FillActivity, NonTradeActivity, activity_id
from standfast.exchange.assets import Quote
from standfast.exchange.events import EventKind
from standfast.exchange.floor import Floor
from standfast.exchange.groups import exit_pair
from standfast.exchange.matching import CENT, tradable_price, trailed, triggered, wanted
from standfast.exchange.multileg import net_price, net_quote, whole_price, whole_units_left
from standfast.exchange.orders import STOPS, ZERO, Order, OrderClass, Side, Status, TimeInForce

ONE_LOOK = frozenset({TimeInForce.IOC, TimeInForce.FOK, TimeInForce.OPG, TimeInForce.CLS})
NEEDS_QUOTE_NOW = frozenset({TimeInForce.IOC, TimeInForce.FOK})
ENDINGS = {
    Status.CANCELED: (EventKind.CANCELED, "canceled_at"),
    Status.EXPIRED: (EventKind.EXPIRED, "expired_at"),
    Status.REJECTED: (EventKind.REJECTED, "failed_at"),
}


class Lifecycle:
    def __init__(self, floor: Floor) -> None:
        self._floor = floor

    # Becoming live

    def go_live(self, order_id: str) -> None:
        """The market has the order: `new`, and its first look at the quote."""
        floor, order = self._floor, self._floor.book[order_id]
        if order.live_at is not None or order.is_finished or order.is_leg:
            return  # a leg goes live with its whole
        live = self.mark_live(order)
        if order.is_multileg:
            for leg in [floor.book[leg_id] for leg_id in order.leg_ids]:
                if leg.live_at is None:
                    self.mark_live(leg)
        if live.order_class is OrderClass.OCO and live.parent_id is None:
            for leg_id in live.leg_ids:
                self.go_live(leg_id)
        if floor.rules.fill_after > timedelta(0):
            floor.agenda.put(floor.now + floor.rules.fill_after, lambda: self.look(order_id))
        else:
            self.look(order_id)

    def mark_live(self, order: Order) -> Order:
        """From now on the order may trade."""
        floor = self._floor
        shown = Status.HELD if self._is_shown_held(order) else Status.NEW
        live = replace(order, live_at=floor.now, updated_at=floor.now, status=shown)
        quote = floor.quotes.get(order.instrument)
        live = floor.record(live if quote is None else trailed(live, quote))
        if shown is Status.NEW:
            floor.tell(EventKind.NEW, live)
        return live

    def _is_shown_held(self, order: Order) -> bool:
        paired = order.parent_id is not None and order.order_class is not OrderClass.OTO
        return paired and order.terms.type in STOPS and self._floor.rules.stop_leg_stays_held

    # Looking at the market

    def look(self, order_id: str) -> None:
        """Let the order see the current quote: trail, trigger, trade; then end it if it gets only one look."""
        floor, order = self._floor, self._floor.book[order_id]
        if not order.is_live or order.live_at is None or floor.now < order.live_at + floor.rules.fill_after:
            return
        if order.terms.time_in_force is TimeInForce.CLS and not floor.in_auction:
            return
        if order.order_class is OrderClass.MULTILEG:
            self._look_at_whole(order if order.parent_id is None else floor.book[order.parent_id])
            return
        quote = self._tradable_quote(order)
        if quote is not None:
            self._trade_on(order, quote)
        elif order.terms.time_in_force not in NEEDS_QUOTE_NOW and not floor.in_auction:
            return
        order = floor.book[order_id]
        if order.terms.time_in_force in ONE_LOOK and not order.is_finished:
            self.finish(order, Status.CANCELED)

    def _tradable_quote(self, order: Order) -> Quote | None:
        """The quote the order may trade on now. Outside the session a quote is itself the sign of a market."""
        floor = self._floor
        quote = floor.quotes.get(order.instrument)
        if quote is None or order.instrument in floor.halted:
            return None
        if floor.trades(order.instrument):
            return quote if quote.at >= floor.opened_at else None
        return quote if order.terms.extended_hours else None

    def _trade_on(self, order: Order, quote: Quote) -> None:
        floor = self._floor
        moved = triggered(trailed(order, quote), quote, floor.rules, floor.now)
        if moved is not order:
            order = floor.record(moved)
        price = tradable_price(order, quote)
        if price is None:
            return
        remaining = self._within_position(order, wanted(order, price))
        if remaining is None:
            self.finish(order, Status.CANCELED)  # an exit with nothing left to exit from
            return
        quantity = min(remaining, floor.fills.allowed(order, remaining, quote, floor.now))
        offered = floor.still_displayed(order.instrument, order.side)
        if offered is not None:
            quantity = min(quantity, offered)
        if quantity <= ZERO or (order.terms.time_in_force is TimeInForce.FOK and quantity < remaining):
            return
        floor.use_displayed(order.instrument, order.side, quantity)
        order = self.fill(order, quantity, price)
        if not order.is_finished and not order.intent.opens and not floor.accounts[order.account].net(order.instrument):
            self.finish(order, Status.CANCELED)

    def _within_position(self, order: Order, quantity: Decimal) -> Decimal | None:
        """No fill crosses from long to short or back (§1.9 "no flip"); None when nothing may trade."""
        net = self._floor.accounts[order.account].net(order.instrument)
        if net * order.side.sign < 0:
            return min(quantity, abs(net))
        return quantity if order.intent.opens else None

    # Multi-leg orders: all legs or none, in their ratio

    def _look_at_whole(self, whole: Order) -> None:
        floor = self._floor
        legs = [floor.book[leg_id] for leg_id in whole.leg_ids]
        quotes = [quote for leg in legs if (quote := self._tradable_quote(leg)) is not None]
        if len(quotes) < len(legs):
            return
        prices = whole_price(whole, legs, quotes, [floor.assets[leg.instrument].multiplier for leg in legs])
        if prices is None:
            return
        units = whole_units_left(whole, legs, floor.accounts[whole.account])
        if not units:
            self.finish(whole, Status.CANCELED)  # nothing left to exit from
            return
        units = min(units, floor.fills.allowed(whole, units, net_quote(whole, legs, quotes), floor.now))
        for leg in legs:
            offered = floor.still_displayed(leg.instrument, leg.side)
            units = units if offered is None else min(units, offered // leg.ratio)
        if units > ZERO:
            self.fill_whole(whole, units, prices)

    def fill_whole(self, whole: Order, units: Decimal, prices: Sequence[Decimal]) -> Order:
        """Execute that many units, each leg at its price; returns the whole after it."""
        floor = self._floor
        legs = [floor.book[leg_id] for leg_id in whole.leg_ids]
        net = net_price(legs, prices, [floor.assets[leg.instrument].multiplier for leg in legs])
        filled, value = whole.filled + units, whole.filled_value + units * net
        is_whole = filled == whole.terms.quantity
        whole = floor.record(
            replace(
                whole,
                filled=filled,
                filled_value=value,
                average_price=value / filled,
                last_quantity=units,
                last_price=net,
                status=_status_after_fill(whole, is_whole=is_whole),
                updated_at=floor.now,
                filled_at=floor.now if is_whole else None,
            )
        )
        for leg, price in zip(legs, prices, strict=True):
            floor.use_displayed(leg.instrument, leg.side, units * leg.ratio)
            self.fill(leg, units * leg.ratio, price)
        floor.tell(EventKind.FILL if is_whole else EventKind.PARTIAL_FILL, whole)
        return whole

    # Filling

    def fill(self, order: Order, quantity: Decimal, price: Decimal) -> Order:
        """Execute; returns the order after it."""
        floor = self._floor
        was_held = floor.accounts[order.account].net(order.instrument)
        signed = quantity * order.side.sign
        realised = floor.trade(order.account, order.instrument, signed, price)
        filled, value = order.filled + quantity, order.filled_value + quantity * price
        is_whole = self._is_whole(order, filled, value, price)
        order = floor.record(
            replace(
                order,
                filled=filled,
                filled_value=value,
                average_price=value / filled,
                last_quantity=quantity,
                last_price=price,
                status=_status_after_fill(order, is_whole=is_whole),
                updated_at=floor.now,
                filled_at=floor.now if is_whole else order.filled_at,
            )
        )
        self._book_fill(order, signed, price, realised, was_held=was_held)
        self._after_fill(order, quantity)
        return floor.book[order.id]

    @staticmethod
    def _is_whole(order: Order, filled: Decimal, value: Decimal, price: Decimal) -> bool:
        if order.terms.notional is None:
            return filled == order.terms.quantity
        return wanted(replace(order, filled_value=value), price) == ZERO

    def _book_fill(
        self, order: Order, signed: Decimal, price: Decimal, realised: Decimal, *, was_held: Decimal
    ) -> None:
        floor = self._floor
        is_whole = order.status is Status.FILLED
        sells_short = order.side is Side.SELL and was_held <= 0
        row = FillActivity(
            id=activity_id(floor.now, floor.ids.uuid()),
            account=order.account,
            order_id=order.id,
            instrument=order.instrument,
            side="sell_short" if sells_short else order.side.value,
            type="fill" if is_whole else "partial_fill",
            order_status=Status.FILLED if is_whole else Status.PARTIALLY_FILLED,
            price=price,
            quantity=abs(signed),
            cumulative=order.filled,
            leaves=order.remaining,
            at=floor.now,
            execution_id=floor.ids.uuid(),
        )
        floor.log(row)
        floor.accounts[order.account].truth.fills.append(
            TrueFill(
                account=order.account,
                order_id=order.id,
                execution_id=row.execution_id,
                instrument=order.instrument,
                quantity=signed,
                price=price,
                realised=realised,
                at=floor.now,
                day=floor.now.astimezone(NEW_YORK).date(),
            )
        )
        floor.tell(EventKind.FILL if is_whole else EventKind.PARTIAL_FILL, order, row)
        self._charge_fee(order, abs(signed))

    def _charge_fee(self, order: Order, quantity: Decimal) -> None:
        floor = self._floor
        fee = (floor.rules.fee_per_unit * quantity).quantize(CENT, rounding=ROUND_UP)
        if order.side is Side.BUY or not fee:
            return
        floor.accounts[order.account].truth.fees += fee
        floor.book_cash(
            NonTradeActivity(
                id=activity_id(floor.now, floor.ids.uuid()),
                account=order.account,
                activity_type="FEE",
                date=floor.now.astimezone(NEW_YORK).date(),
                at=floor.now,
                net_amount=-fee,
                instrument=order.instrument,
                description=f"fee for order {order.id}",
            )
        )

    # Consequences for the group

    def _after_fill(self, order: Order, quantity: Decimal) -> None:
        is_whole = order.status is Status.FILLED
        is_entry = order.parent_id is None and order.order_class in (OrderClass.BRACKET, OrderClass.OTO)
        if is_entry and is_whole:
            for leg_id in order.leg_ids:
                self.go_live(leg_id)
        sibling = self.sibling(order)
        if sibling is None or sibling.is_finished:
            return
        if not is_whole:
            self._shrink(sibling, quantity)
        elif self._floor.rules.siblings_end_after > timedelta(0):
            at = self._floor.now + self._floor.rules.siblings_end_after
            self._floor.agenda.put(at, lambda: self._end_late(sibling.id))
        else:
            self.finish(sibling, Status.CANCELED)

    def _end_late(self, order_id: str) -> None:
        order = self._floor.book[order_id]
        if not order.is_finished:
            self.finish(order, Status.CANCELED)

    def sibling(self, order: Order) -> Order | None:
        """The other exit of the pair, if the order is one of a pair."""
        book = self._floor.book
        parent = order if order.parent_id is None else book[order.parent_id]
        pair = exit_pair(parent)
        others = [other for other in pair if other != order.id]
        return book[others[0]] if order.id in pair and others else None

    def _shrink(self, order: Order, quantity: Decimal) -> None:
        assert order.terms.quantity is not None
        left = order.terms.quantity - quantity
        if left <= order.filled:
            self.finish(order, Status.CANCELED)
            return
        shrunk = replace(order, terms=replace(order.terms, quantity=left), updated_at=self._floor.now)
        self._floor.tell(EventKind.RESTATED, self._floor.record(shrunk))

    # Finishing

    def finish(self, order: Order, status: Status) -> Order:
        """End an order without a fill; the rest of its group ends as cancelled."""
        kind, stamp = ENDINGS[status]
        ended = self._floor.become(order, status, kind, **{stamp: self._floor.now})
        self._end_group(ended)
        return ended

    def _end_group(self, order: Order) -> None:
        book = self._floor.book
        parent = order if order.parent_id is None else book[order.parent_id]
        status = order.status if order.order_class is OrderClass.MULTILEG else Status.CANCELED
        kind, stamp = ENDINGS[status]
        for member_id in (parent.id, *parent.leg_ids):
            member = book[member_id]
            if member_id != order.id and not member.is_finished:
                self._floor.become(replace(member, reason=order.reason), status, kind, **{stamp: self._floor.now})

    def complete_cancel(self, order_id: str) -> None:
        """The market's answer to a cancel: the end, or too late."""
        order = self._floor.book[order_id]
        if order.is_finished:
            self._floor.tell(EventKind.ORDER_CANCEL_REJECTED, order)
        else:
            self.finish(order, Status.CANCELED)

    def complete_replace(self, old_id: str, new_id: str, total: Decimal) -> None:
        """The market's answer to a replace: the new order takes the old one's place, or is rejected.

        `total` counts what the old order has filled, before and since; the new one asks for the rest.
        """
        floor = self._floor
        old, new = floor.book[old_id], floor.book[new_id]
        if old.is_finished or new.is_finished or total <= old.filled:
            self._reject_replace(old, new)
            return
        if old.order_class is not OrderClass.SIMPLE:  # its sibling may have shrunk or replaced it meanwhile
            assert old.terms.quantity is not None
            total = old.terms.quantity
        terms = replace(new.terms, quantity=total - old.filled)
        new = floor.record(replace(new, terms=terms, parent_id=old.parent_id, leg_ids=old.leg_ids))
        replaced = replace(old, status=Status.REPLACED, replaced_by=new_id, replaced_at=floor.now, updated_at=floor.now)
        self._take_place_in_group(old, new)
        floor.tell(EventKind.REPLACED, floor.record(replaced))
        self.go_live(new_id)

    def _reject_replace(self, old: Order, new: Order) -> None:
        floor = self._floor
        if not old.is_finished:  # it works on as it was
            status = Status.PARTIALLY_FILLED if old.filled else Status.NEW
            old = floor.record(replace(old, status=status, updated_at=floor.now))
        floor.tell(EventKind.ORDER_REPLACE_REJECTED, old)
        if not new.is_finished:
            floor.become(new, Status.REJECTED, EventKind.REJECTED, failed_at=floor.now)

    def _take_place_in_group(self, old: Order, new: Order) -> None:
        book = self._floor.book
        if old.parent_id is not None:
            parent = book[old.parent_id]
            legs = tuple(new.id if leg == old.id else leg for leg in parent.leg_ids)
            self._floor.record(replace(parent, leg_ids=legs))
        for leg_id in old.leg_ids:
            self._floor.record(replace(book[leg_id], parent_id=new.id))


def _status_after_fill(order: Order, *, is_whole: bool) -> Status:
    if is_whole:
        return Status.FILLED
    is_pending = order.status in (Status.PENDING_CANCEL, Status.PENDING_REPLACE)
    return order.status if is_pending else Status.PARTIALLY_FILLED
