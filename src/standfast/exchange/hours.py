"""The regular session: what its opening and its close do to orders, and until when an order lives.

Invariants: no day order of regular hours outlives the close; orders taken after hours go live at the open, in the order
they were taken.
"""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from standfast.exchange.activities import NEW_YORK
from standfast.exchange.admission_options import last_day
from standfast.exchange.agenda import Deed
from standfast.exchange.calendar import Calendar, ClockState
from standfast.exchange.events import EventKind
from standfast.exchange.floor import Floor
from standfast.exchange.lifecycle import Lifecycle
from standfast.exchange.orders import REPLACEABLE, Order, OrderClass, Status, Terms, TimeInForce
from standfast.exchange.refusal import bad_parameter

EXTENDED_END = time(20, 0)
EVENING = time(19, 0)
AGED_OUT = time(16, 15)
OPENING_CUTOFF = timedelta(minutes=2)
CLOSING_CUTOFF = timedelta(minutes=10)
INDEX_OPTIONS_AFTER = timedelta(minutes=15)


class Hours:
    def __init__(self, floor: Floor, lifecycle: Lifecycle, calendar: Calendar | None) -> None:
        self._floor = floor
        self._lifecycle = lifecycle
        self.calendar = calendar
        self.at_open: list[Deed] = []
        self.at_close: list[Deed] = []
        if calendar is not None:
            floor.session_before = lambda day: _session_before(calendar, day)
            floor.is_open = calendar.is_open(floor.now)
            self._plan(calendar)

    def _plan(self, calendar: Calendar) -> None:
        floor = self._floor
        if floor.is_open:
            floor.agenda.put(calendar.next_close(floor.now), lambda: self._turn(calendar, is_open=False))
        else:
            floor.agenda.put(calendar.next_open(floor.now), lambda: self._turn(calendar, is_open=True))

    def _turn(self, calendar: Calendar, *, is_open: bool) -> None:
        self.turn(is_open=is_open)
        if calendar.is_open(self._floor.now):
            self.turn(is_open=True)  # one session ends where the next begins
        self._plan(calendar)

    def turn(self, *, is_open: bool) -> None:
        """Open or close the session now; nothing when it is so already."""
        if is_open and not self._floor.is_open:
            self._open()
        elif not is_open and self._floor.is_open:
            self._close()

    def _open(self) -> None:
        floor = self._floor
        floor.is_open = True
        floor.opened_at = floor.now
        for order in _oldest_first(floor):
            if order.status is Status.ACCEPTED:
                self._lifecycle.go_live(order.id)
            elif order.status is Status.DONE_FOR_DAY:
                floor.become(order, Status.PARTIALLY_FILLED if order.filled else Status.NEW, EventKind.NEW)
            elif order.status is Status.PENDING_CANCEL and floor.rules.cancels_wait_for_open:
                self._lifecycle.complete_cancel(order.id)
        for deed in self.at_open:
            deed()

    def _close(self) -> None:
        floor = self._floor
        floor.in_auction = True
        for order in _oldest_first(floor):
            if order.terms.time_in_force is TimeInForce.CLS:
                self._lifecycle.look(order.id)
        floor.in_auction = False
        floor.is_open = False
        floor.late = self._late()
        self._end_days_soon([order.id for order in _oldest_first(floor) if not self.is_open_for(order)])
        floor.agenda.put(floor.now + INDEX_OPTIONS_AFTER, self._close_late)
        floor.last_closes.update((instrument, quote.middle) for instrument, quote in floor.quotes.items())
        for account in floor.accounts.values():
            account.last_equity = account.equity
        for deed in self.at_close:
            deed()

    def _late(self) -> frozenset[str]:
        """Options on an index trade for a quarter of an hour after the close; those of that day are over."""
        floor = self._floor
        today = floor.now.astimezone(NEW_YORK).date()
        contracts = (asset.contract for asset in floor.assets.values())
        found = (each for each in contracts if each is not None and each.is_cash_settled)
        return frozenset(each.name for each in found if last_day(each, floor) > today)

    def _close_late(self) -> None:
        floor = self._floor
        if floor.is_open:
            return  # by hand
        late = [order.id for order in _oldest_first(floor) if self.is_open_for(order)]
        floor.late = frozenset()
        self._end_days_soon(late)

    def is_open_for(self, order: Order) -> bool:
        """Whether the session of what it trades is on; of several legs, of all of them."""
        book = self._floor.book
        whole = book[order.parent_id] if order.parent_id is not None else order
        legs = whole.leg_ids if whole.order_class is OrderClass.MULTILEG else ()
        names = [book[leg].instrument for leg in legs] or [order.instrument]
        return all(map(self._floor.trades, names))

    def _end_days_soon(self, order_ids: list[str]) -> None:
        after = self._floor.rules.day_orders_end_after
        if after:
            self._floor.agenda.put(self._floor.now + after, lambda: self._end_days(order_ids))
        else:
            self._end_days(order_ids)

    def _end_days(self, order_ids: list[str]) -> None:
        for order_id in order_ids:
            order = self._floor.book[order_id]
            if not order.is_finished:
                self._end_day(order)

    def _end_day(self, order: Order) -> None:
        """Every order for itself: the whole group has the same time in force."""
        lasts = order.terms.time_in_force
        if lasts is TimeInForce.GTC and not self._floor.rules.gtc_ends_with_day:
            self._rest_overnight(order)
            return
        if lasts is TimeInForce.DAY and order.terms.extended_hours:
            return
        if lasts in (TimeInForce.DAY, TimeInForce.GTC):
            self._expire(order)
        else:
            self._lifecycle.finish(order, Status.CANCELED)

    def _rest_overnight(self, order: Order) -> None:
        is_resting = order.status in REPLACEABLE and not order.terms.extended_hours
        if is_resting and self._floor.rules.gtc_done_for_day:
            self._floor.become(order, Status.DONE_FOR_DAY, EventKind.DONE_FOR_DAY)

    def _expire(self, order: Order) -> None:
        floor = self._floor
        never_lived = order.parent_id is not None and order.live_at is None
        if never_lived or floor.rules.day_orders_end_as_canceled:
            floor.become(order, Status.CANCELED, EventKind.CANCELED, canceled_at=floor.now)
        else:
            floor.become(order, Status.EXPIRED, EventKind.EXPIRED, expired_at=floor.now)

    # Until when

    def expiry(self, terms: Terms) -> datetime | None:
        """When an order taken now ends; None when only the session's close, set by hand, will tell."""
        now = self._floor.now
        if terms.time_in_force is TimeInForce.GTC:
            day = (now + timedelta(days=self._floor.rules.gtc_days)).astimezone(NEW_YORK).date()
            return datetime.combine(day, AGED_OUT, NEW_YORK).astimezone(now.tzinfo)
        if self.calendar is None:
            return None
        if terms.extended_hours:
            return self._extended_end(self.calendar)
        return self.calendar.next_close(now)

    def _extended_end(self, calendar: Calendar) -> datetime:
        """20:00 in New York, of today while that lies ahead and today has a session; else of the next session's day."""
        now = self._floor.now
        local = now.astimezone(NEW_YORK)
        if self._has_session(calendar, now) and local.time() < EXTENDED_END:
            day = local.date()
        else:
            day = calendar.session_day(now)
        return datetime.combine(day, EXTENDED_END, NEW_YORK).astimezone(now.tzinfo)

    def watch_expiry(self, order: Order) -> None:
        """Put on the agenda the end of an order that does not end with the session."""
        if order.expires_at is not None and (
            order.terms.time_in_force is TimeInForce.GTC or order.terms.extended_hours
        ):
            self._floor.agenda.put(order.expires_at, lambda: self._age_out(order.id))

    def _age_out(self, order_id: str) -> None:
        order = self._floor.book[order_id]
        if not order.is_finished:
            self._lifecycle.finish(order, Status.EXPIRED)

    # What may be asked when

    def check(self, terms: Terms) -> None:
        """Opening and closing auctions refuse orders from shortly before them until the evening (§1.4)."""
        floor, now = self._floor, self._floor.now
        if self.calendar is None:
            if terms.time_in_force is TimeInForce.OPG and floor.is_open:
                raise bad_parameter("opg orders are not accepted during the session")
            return
        is_day = self._has_session(self.calendar, now) and now.astimezone(NEW_YORK).time() < EVENING
        if not is_day:
            return
        if terms.time_in_force is TimeInForce.OPG:
            opens_soon = self.calendar.next_open(now) - now <= OPENING_CUTOFF
            if floor.is_open or opens_soon or self._is_over(self.calendar, now):
                raise bad_parameter("opg orders are not accepted between 9:28am and 7:00pm ET")
        if terms.time_in_force is TimeInForce.CLS:
            closes_soon = self.calendar.next_close(now) - now <= CLOSING_CUTOFF
            if closes_soon or self._is_over(self.calendar, now):
                raise bad_parameter("cls orders are not accepted between 3:50pm and 7:00pm ET")

    def _is_over(self, calendar: Calendar, now: datetime) -> bool:
        return not calendar.is_open(now) and calendar.session_day(now) != now.astimezone(NEW_YORK).date()

    @staticmethod
    def _has_session(calendar: Calendar, now: datetime) -> bool:
        midnight = datetime.combine(now.astimezone(NEW_YORK).date(), time(0), NEW_YORK).astimezone(now.tzinfo)
        return calendar.next_close(midnight).astimezone(NEW_YORK).date() == now.astimezone(NEW_YORK).date()

    def clock(self) -> ClockState:
        now, calendar = self._floor.now, self.calendar
        return ClockState(
            timestamp=now,
            is_open=self._floor.is_open,
            next_open=None if calendar is None else calendar.next_open(now),
            next_close=None if calendar is None else calendar.next_close(now),
        )


def _session_before(calendar: Calendar, day: date) -> date:
    """The last session's day before this one, found from a fortnight earlier on."""
    at = datetime.combine(day - timedelta(days=14), time(12), NEW_YORK)
    found = calendar.session_day(at)
    while (later := calendar.session_day(at := calendar.next_close(at) + timedelta(minutes=1))) < day:
        found = later
    return found


def _oldest_first(floor: Floor) -> Iterator[Order]:
    """The unfinished orders, each as it is when its turn comes."""
    for order_id in [order.id for order in sorted(floor.book.all_unfinished(), key=lambda order: order.number)]:
        order = floor.book[order_id]
        if not order.is_finished:
            yield order
