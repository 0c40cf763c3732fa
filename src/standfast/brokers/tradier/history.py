"""What has filled since a watermark: not the executions, which Tradier does not tell, but each order's total.

Theory. A total is told again in every read, and the book knows how much of it is booked (`core/totals.py`); so a
watermark only says from which day on the orders matter, and what had filled before anybody was to know:
`DAY/ID:QUANTITY:PRICE ...`, the second part for the orders of the day on which guarding began.

Invariants
- What a read gives depends on its watermark and the broker alone.
- No day is left behind before a read made after its end has shown all its orders. A day that lies ahead, or further
  back than a year, is one of a clock that was wrong: orders are asked for from today on, or for a year.
- An order without a price for what it has filled is not told yet: it is shown as filled before it has one.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from standfast.brokers.shared.reading import number, shown
from standfast.brokers.tradier.orders import Orders
from standfast.model.errors import Malformed
from standfast.model.evidence import ActivitiesRead
from standfast.model.ids import BrokerOrderId
from standfast.model.order import FilledTotal, OrderReport

YEAR = timedelta(days=366)


class Before(NamedTuple):
    """What an order had filled when guarding began."""

    quantity: Decimal
    price: Decimal


class Watermark(NamedTuple):
    day: date
    before: Mapping[BrokerOrderId, Before]

    def __str__(self) -> str:
        told = (f"{id}:{each.quantity:f}:{each.price:f}" for id, each in sorted(self.before.items()))
        return f"{self.day.isoformat()}/{' '.join(told)}"


class History:
    def __init__(self, orders: Orders) -> None:
        self._orders = orders

    async def read(self, watermark: str, urgency: int) -> ActivitiesRead:
        """Raises Malformed for a watermark that is not ours."""
        today = self._orders.day
        if not watermark:
            told = totals_of((await self._orders.every(urgency)).values())
            before = {each.broker_order_id: Before(each.quantity, each.average_price) for each in told}
            return ActivitiesRead(fills=(), movements=(), watermark=str(Watermark(today, before)))
        mark = parsed(watermark)
        reports: dict[BrokerOrderId, OrderReport] = {}
        if mark.day < today:
            since = max(mark.day, today - YEAR)
            reports = {each.broker_id: each for each in await self._orders.past(since, urgency)}
        current = await self._orders.every(urgency)
        totals = _less(totals_of((reports | current).values()), mark.before)
        return ActivitiesRead(
            fills=(),
            movements=(),
            watermark=str(_moved_on(mark, today, current)),
            totals=tuple(sorted(totals, key=lambda each: each.at)),
        )


def _moved_on(mark: Watermark, today: date, current: Mapping[BrokerOrderId, OrderReport]) -> Watermark:
    """Of what had filled before, only what may be told again is of use on another day."""
    if mark.day >= today:
        return mark._replace(day=today)
    ids = {each.broker_id for report in current.values() for each in (report, *report.legs)}
    return Watermark(today, {id: each for id, each in mark.before.items() if id in ids})


def parsed(watermark: str) -> Watermark:
    stamp, _, told = watermark.partition("/")
    try:
        day = date.fromisoformat(stamp)
        parts = [part.split(":") for part in told.split()]
        before = {BrokerOrderId(id): Before(number(q, "watermark"), number(p, "watermark")) for id, q, p in parts}
    except ValueError:
        raise Malformed(f"watermark is {shown(watermark)}") from None
    return Watermark(day, before)


def totals_of(reports: Iterable[OrderReport]) -> Iterator[FilledTotal]:
    """Of everything that trades: a spread is its legs."""
    for report in reports:
        for each in (report, *report.legs):
            if each.filled and each.average_price is not None and each.holding.instrument:
                yield _total(each)


def _total(report: OrderReport) -> FilledTotal:
    assert report.average_price is not None, report.broker_id
    at = report.updated_at or report.placed_at
    if at is None:
        raise Malformed(f"order {report.broker_id} has filled and does not say when")
    return FilledTotal(
        broker_order_id=report.broker_id,
        holding=report.holding,
        side=report.side,
        quantity=report.filled,
        average_price=report.average_price,
        at=at,
    )


def _less(totals: Iterable[FilledTotal], before: Mapping[BrokerOrderId, Before]) -> Iterator[FilledTotal]:
    """What has filled since; an order that had filled nothing before is told as it is."""
    for total in totals:
        was = before.get(total.broker_order_id)
        if was is None:
            yield total
        elif total.quantity > was.quantity:
            quantity = total.quantity - was.quantity
            value = total.quantity * total.average_price - was.quantity * was.price
            yield FilledTotal(
                broker_order_id=total.broker_order_id,
                holding=total.holding,
                side=total.side,
                quantity=quantity,
                average_price=value / quantity,
                at=total.at,
            )
