"""Every order that matters today: the session's own list, and what still rests from before.

Theory. Tradier lists the orders of today's session; older ones only for a month back, and not for polling. So once a
day the past month is read, and what is found alive there and is missing from today's list is carried: read by its id,
at least every CARRIED_EVERY seconds and whenever somebody cannot wait. An order that rests for longer than a month is
carried again once anybody has read it by id. Ids and tags learned on the way tell which order a leg or a tag means.

Invariants
- A list is whole: pages are read until one brings nothing new, else `Incomplete`.
- A read that has not left yet serves all who asked before it did: it speaks for a moment after each of them asked.
- "Unknown" is said only of an order that neither its own address nor the lists of a month show.
- Nor is "unknown" said by a list that leaves out what has been sent today, or is behind what has been read by id.
- Of orders with one tag the first bears its name, in this process for good.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from standfast.brokers.shared.transport import Response
from standfast.brokers.tradier import order_rows
from standfast.brokers.tradier.client import TradierClient
from standfast.brokers.tradier.order_rows import Place, id_order
from standfast.brokers.tradier.refusals import failure
from standfast.brokers.tradier.rows import OrderRow
from standfast.model.effects import Urgency
from standfast.model.errors import BrokerError, Incomplete, Malformed, Unreachable
from standfast.model.ids import BrokerOrderId, ClientOrderId, Holding
from standfast.model.order import OrderReport
from standfast.ports import Clock

NEW_YORK = ZoneInfo("America/New_York")
"""Dates without a time are the exchange's days."""
PAGE = 25
"""Orders of a page where nothing else is asked for."""
PAGES_MAX = 400
MONTH = timedelta(days=30)
CARRIED_EVERY = 12.0
NEVER = datetime(1, 1, 2, tzinfo=UTC)
KEPT = 50_000
"""Ids and tags remembered."""

Key = TypeVar("Key")
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Listing:
    """The orders of today's session, finished ones too, by their ids."""

    reports: Mapping[BrokerOrderId, OrderReport] = field(default_factory=dict)


@dataclass(slots=True)
class Waiting:
    """A list that is asked for and has not left yet."""

    urgency: int
    answer: "asyncio.Future[Listing]"


@dataclass(slots=True)
class Carried:
    report: OrderReport
    read_at: float


class Orders:
    def __init__(self, client: TradierClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._bodies: list[bytes] = []
        self._listing = Listing()
        self._waiting: Waiting | None = None
        self._carried: dict[BrokerOrderId, Carried] = {}
        self._taken_over: date | None = None
        self._places: dict[BrokerOrderId, Place] = {}
        self._first: dict[str, BrokerOrderId] = {}
        self._told: dict[str, BrokerOrderId] = {}
        """By tag, as the stream names orders: no proof of anything, and a place to look."""
        self._known: dict[BrokerOrderId, tuple[ClientOrderId, Holding]] = {}
        self._newest: dict[BrokerOrderId, datetime] = {}
        """Of each order placed today, its last change that anybody has told."""
        self._newest_of: date | None = None
        self._searched: dict[str, None] = {}
        """Tags that the past has been searched for."""

    @property
    def day(self) -> date:
        """Today, where the exchange is."""
        return self._clock.now().astimezone(NEW_YORK).date()

    @property
    def _month_ago(self) -> date:
        """The first day of the last month that can be asked for at once."""
        return self.day - MONTH + timedelta(days=1)

    def note_sent(self, broker_id: BrokerOrderId, client_id: ClientOrderId, holding: Holding) -> None:
        """Ours, just accepted: its tag is known to be its own, unless an earlier one bears it."""
        _remember(self._first, client_id, self._first.get(client_id, broker_id))
        _remember(self._known, broker_id, (client_id, holding))
        self._note_newest(broker_id, NEVER)

    def note_told(self, broker_id: BrokerOrderId, client_id: ClientOrderId) -> None:
        """The stream names an order with this tag: in doubt, it is asked for by its id, whatever a list leaves out."""
        _remember(self._told, client_id, self._told.get(client_id, broker_id))

    def known(self, broker_id: BrokerOrderId) -> tuple[ClientOrderId, Holding] | None:
        """Whose id this is, where any read has told."""
        return self._known.get(broker_id)

    def top_of(self, broker_id: BrokerOrderId) -> BrokerOrderId:
        """The order that an id stands for or is a part of: a leg that stands for itself is its own."""
        place = self._places.get(broker_id)
        return broker_id if place is None or place.is_leg else place.top

    async def every(self, urgency: int) -> dict[BrokerOrderId, OrderReport]:
        """Top-level orders of today, and those of before that may still have been alive today."""
        listing = await self.today(urgency)
        await self._take_over(urgency)
        await self._refresh(listing, urgency)
        carried = {id: each.report for id, each in self._carried.items()}
        return carried | dict(listing.reports)

    async def working(self, urgency: int) -> dict[BrokerOrderId, OrderReport]:
        """What may still fill. Legs whose parent is over stand for themselves."""
        found: dict[BrokerOrderId, OrderReport] = {}
        for id, report in (await self.every(urgency)).items():
            if not report.is_finished:
                found[id] = report
            else:
                found |= {leg.broker_id: leg for leg in report.legs if not leg.is_finished}
        return found

    async def today(self, urgency: int) -> Listing:
        waiting = self._waiting
        if waiting is not None and waiting.urgency <= urgency:
            return await asyncio.shield(waiting.answer)
        waiting = self._waiting = Waiting(urgency, asyncio.get_running_loop().create_future())
        try:
            listing = await self._read_today(waiting)
        except BaseException as error:
            given_up = error if isinstance(error, BrokerError) else Unreachable("the read was given up")
            waiting.answer.set_exception(given_up)
            waiting.answer.exception()  # nobody may have joined
            raise
        finally:
            self._left(waiting)
        waiting.answer.set_result(listing)
        return listing

    def _left(self, waiting: Waiting) -> None:
        if self._waiting is waiting:
            self._waiting = None

    async def _read_today(self, waiting: Waiting) -> Listing:
        rows: dict[str, OrderRow] = {}
        bodies: list[bytes] = []
        for page in range(1, PAGES_MAX):
            bodies.append(await self._client.get_orders(waiting.urgency, page=page, leaves=lambda: self._left(waiting)))
            if bodies == self._bodies:
                return self._listing  # word for word what it was
            found = order_rows.listed(bodies[-1])
            before = len(rows)
            rows |= {str(row.id): row for row in found}
            if len(found) != PAGE or len(rows) == before:  # another number of them is no page; the same again neither
                self._listing = Listing({report.broker_id: report for report in self._reports(rows.values())})
                self._bodies = bodies
                return self._listing
        raise Incomplete(f"orders: no end after {PAGES_MAX} pages")

    async def past(self, since: date, urgency: int) -> list[OrderReport]:
        """Orders of that day and all after it."""
        rows: dict[str, OrderRow] = {}
        end = self.day
        while since <= end:
            last = min(since + MONTH - timedelta(days=1), end)
            await self._read_past(rows, since, last, urgency)
            since = last + timedelta(days=1)
        return self._reports(rows.values())

    async def _read_past(self, rows: dict[str, OrderRow], start: date, end: date, urgency: int) -> None:
        for page in range(1, PAGES_MAX):
            body = await self._client.get_past_orders(urgency, start=start.isoformat(), end=end.isoformat(), page=page)
            before = len(rows)
            rows |= {str(row.id): row for row in order_rows.listed(body)}
            if len(rows) == before:
                return
        raise Incomplete(f"past orders: no end after {PAGES_MAX} pages")

    async def _take_over(self, urgency: int) -> None:
        """Once a day: what rests from before."""
        today = self.day
        if self._taken_over == today:
            return
        found = await self.past(self._month_ago, urgency)
        now = self._clock.monotonic()
        alive = {id: each for id, each in self._carried.items() if not each.report.is_finished}
        self._carried = alive | {each.broker_id: Carried(each, now) for each in found if not is_over(each)}
        self._taken_over = today

    async def _refresh(self, listing: Listing, urgency: int) -> None:
        """Read by id what is carried, and drop what today's list shows by itself."""
        now = self._clock.monotonic()
        for id, carried in list(self._carried.items()):
            if self._top(id) in listing.reports:
                self._carried.pop(id, None)
            elif not is_over(carried.report) and (urgency < Urgency.READ or now - carried.read_at >= CARRIED_EVERY):
                await self._read_one(id, urgency)

    async def by_id(self, broker_id: BrokerOrderId) -> OrderReport | None:
        """The order of this id, or the leg; of a spread's leg the spread. None when nothing shows it."""
        top = self._top(broker_id)
        report = await self._read_one(top, Urgency.VERIFY)
        if report is None and await self._is_listed(top):
            report = self._listing.reports.get(top) or self._carried[top].report
        return _part(report, broker_id) if report is not None else None

    async def _read_one(self, id: BrokerOrderId, urgency: int) -> OrderReport | None:
        response = await self._client.get_order(id, urgency)
        if response.status != 200:
            _raise_unless_absent(response)
            return None
        row = order_rows.one(response.body)
        (report,) = self._reports([row])
        if id not in order_rows.places(row):
            raise Malformed(f"asked for order {id}, told of {report.broker_id}")
        if (not is_over(report) and self._top(report.broker_id) not in self._listing.reports) or id in self._carried:
            self._carried[report.broker_id] = Carried(report, self._clock.monotonic())
        return report

    async def _is_listed(self, id: BrokerOrderId) -> bool:
        """Whether a list shows what its own address does not: both are seen to fail by themselves."""
        if id in (await self.today(Urgency.VERIFY)).reports:
            return True
        found = next((each for each in await self.past(self._month_ago, Urgency.VERIFY) if each.broker_id == id), None)
        if found is not None:
            self._carried[id] = Carried(found, self._clock.monotonic())
        return found is not None

    async def by_tag(self, client_id: ClientOrderId) -> OrderReport | None:
        """The first order that bears this tag. None when neither today's list nor the past month's shows one."""
        id = _id_in(client_id)
        if id is not None:
            return await self.by_id(id)
        listing = await self.today(Urgency.VERIFY)
        found = _bearing(listing.reports.values(), client_id)
        if found is not None:
            return found
        told = self._first.get(client_id) or self._told.get(client_id)
        if told is not None:
            return await self.by_id(told)
        self._check_newest(listing)
        if client_id in self._searched:
            return None  # it was not there before, and what is sent is sent today
        past = await self.past(self._month_ago, Urgency.VERIFY)
        _remember(self._searched, client_id, None)
        return _bearing(past, client_id)

    def _note_newest(self, id: BrokerOrderId, changed: datetime) -> None:
        if self._newest_of != self.day:
            self._newest, self._newest_of = {}, self.day
        self._newest[id] = max(changed, self._newest.get(id, NEVER))

    def _top(self, id: BrokerOrderId) -> BrokerOrderId:
        """The order an id is a part of, once a list has told: a leg read by its own id does not say whose it is."""
        place = self._places.get(id)
        return id if place is None else place.top

    def _check_newest(self, listing: Listing) -> None:
        """Raises Incomplete for a list that is behind what is known: what it leaves out may be there."""
        if self._newest_of != self.day:
            return
        for id, changed in self._newest.items():
            shown = listing.reports.get(self._top(id))
            if shown is None or max(leg.updated_at or NEVER for leg in (shown, *shown.legs)) < changed:
                raise Incomplete(f"orders: the list is behind what is known of {id}")

    def _reports(self, rows: Iterable[OrderRow]) -> list[OrderReport]:
        """Named, and their ids and tags remembered."""
        found = order_rows.named(map(self._placed, rows), self._first)
        for report in found:
            if _id_in(report.client_id) is None:
                _remember(self._first, report.client_id, report.broker_id)
            if report.placed_at is not None and report.placed_at.astimezone(NEW_YORK).date() == self.day:
                self._note_newest(report.broker_id, report.updated_at or NEVER)
            for each in (report, *report.legs):
                _remember(self._known, each.broker_id, (each.client_id, each.holding))
        return found

    def _placed(self, row: OrderRow) -> OrderReport:
        for id, place in order_rows.places(row).items():
            known = self._places.get(id)
            unlearns = known is not None and known.top != id and place.top == id
            _remember(self._places, id, known if known is not None and unlearns else place)
        return order_rows.order(row)


def is_over(report: OrderReport) -> bool:
    """Whether neither it nor any leg of it may still fill."""
    return all(each.is_finished for each in (report, *report.legs))


def _part(report: OrderReport, id: BrokerOrderId) -> OrderReport:
    if report.order_class == "mleg":
        return report
    return next((leg for leg in report.legs if leg.broker_id == id), report)


def _bearing(reports: Iterable[OrderReport], client_id: ClientOrderId) -> OrderReport | None:
    found = [each for each in reports if each.client_id == client_id]
    return min(found, key=lambda each: id_order(each.broker_id), default=None)


def _id_in(client_id: ClientOrderId) -> BrokerOrderId | None:
    """The id in a name that was made here for an order without a tag of its own."""
    for before in (order_rows.UNTAGGED, order_rows.LEG):
        if client_id.startswith(before):
            return BrokerOrderId(client_id.removeprefix(before))
    _, mark, id = client_id.rpartition(order_rows.AGAIN)
    return BrokerOrderId(id) if mark else None


def _raise_unless_absent(response: Response) -> None:
    if response.status not in (400, 404):
        raise failure("GET", response, None)


def _remember(known: dict[Key, Value], key: Key, value: Value) -> None:
    known.pop(key, None)
    known[key] = value
    while len(known) > KEPT:
        del known[next(iter(known))]
