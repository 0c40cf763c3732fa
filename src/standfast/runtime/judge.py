"""Every answer about an order is looked at before anything is taken from it: whose it is, and what it proves broken."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import structlog

from standfast.core.breaches import Heard, breaches, misread
from standfast.core.identity import contradiction, contradicts, may_be_ours, named
from standfast.model.errors import BrokerError, Rejected
from standfast.model.evidence import OrdersRead
from standfast.model.ids import BrokerOrderId, ClientOrderId, Holding
from standfast.model.journal import Fact
from standfast.model.order import Fill, Movement, OrderReport
from standfast.runtime.ledger import Ledger

log = structlog.get_logger("standfast.reader")

TOLD_ALIKE = timedelta(minutes=10)
"""How long a movement of something that is neither held here nor listed is read again before it is believed."""
LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Judged:
    """The report under its own id, None where it is about something else; and what there is to say of it."""

    report: OrderReport | None
    facts: Sequence[Fact] = ()


class Judge:
    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._renamed: set[BrokerOrderId] = set()
        """Orders whose rows were not taken as the last list told them."""
        self._doubted: dict[str, datetime] = {}
        """Since when movements are told of what there is no sign of."""

    def judge(
        self,
        report: OrderReport,
        began: datetime,
        *,
        broker_id: BrokerOrderId | None = None,
        client_id: ClientOrderId | None = None,
    ) -> Judged:
        """One answer, asked for at `began`; by which id, where it was asked for by one."""
        ledger = self._ledger
        why = contradiction(ledger.book, report, broker_id=broker_id, client_id=client_id)
        if why:
            log.error("an answer is about something else", order=report.broker_id, why=why)
            subject = str(broker_id or client_id or report.broker_id)
            return Judged(None, tuple(misread(ledger.book, why, subject=subject, day=began)))
        report = named(ledger.book, report, client_id)
        set_at = ledger.steps.last
        heard = Heard(
            report=report,
            began=began + ledger.clock_ahead,
            clock_set_at=set_at + ledger.clock_ahead if set_at is not None else None,
        )
        return Judged(report, tuple(breaches(ledger.book, ledger.broker.contract, heard, ledger.clock_ahead)))

    async def take(
        self,
        report: OrderReport,
        began: datetime,
        *,
        broker_id: BrokerOrderId | None = None,
        client_id: ClientOrderId | None = None,
    ) -> OrderReport | None:
        """As `judge`; what there is to say is said."""
        judged = self.judge(report, began, broker_id=broker_id, client_id=client_id)
        await self._ledger.record(judged.facts)
        return judged.report

    async def own_rows(self, read: OrdersRead) -> OrdersRead:
        """The list without rows that are about something else, each under the id its order is booked under.

        A row that is left out is asked for by its id, as one that is missing is.
        """
        facts: list[Fact] = []
        orders = dict(read.orders)
        for broker_id in sorted(orders.keys() & (read.changed | self._renamed)):
            judged = self.judge(orders[broker_id], read.began)
            facts += judged.facts
            if judged.report is orders[broker_id]:
                self._renamed.discard(broker_id)
            elif judged.report is not None:
                self._renamed.add(broker_id)
                orders[broker_id] = judged.report
            else:
                self._renamed.add(broker_id)
                del orders[broker_id]
        self._renamed &= read.orders.keys()
        await self._ledger.record(facts)
        return replace(read, orders=orders, changed=read.changed | self._renamed) if self._renamed else read

    def may_be_ours(self, report: OrderReport) -> bool:
        """Whether it may be one of ours in doubt: then it is nobody else's yet."""
        is_so = may_be_ours(self._ledger.book, report)
        if is_so:
            log.warning("an order may be one of ours in doubt", order=report.broker_id, told_as=report.client_id)
        return is_so

    async def is_behind(self, fill: Fill, report: OrderReport) -> bool:
        """Whether an order told for the first time can be the one behind a fill, in an instrument that there is."""
        told = next((leg for leg in report.legs if leg.broker_id == fill.broker_order_id), report)
        if (told.holding, told.side) == (fill.holding, fill.side):
            return await self._is_there(fill)
        why = f"{report.broker_id} has filled {fill.side} {fill.holding}, told as {report.side} {report.holding}"
        await self._record_misread(why, fill)
        return False

    async def _is_there(self, fill: Fill) -> bool:
        """Two answers may agree about an instrument that the broker itself does not list."""
        why = await self._why_not_listed(fill.holding)
        if why == "not_found":
            await self._record_misread(f"a fill of {fill.holding}, which the broker does not list", fill)
        return not why

    async def _why_not_listed(self, holding: Holding) -> str:
        """Empty when the broker says that it lists the instrument; `not_found` when it says that it does not."""
        try:
            await self._ledger.broker.instrument(holding.instrument)
        except BrokerError as error:
            kind = error.kind if isinstance(error, Rejected) else ""
            if kind == "not_tradable":
                return ""  # it is listed, and no equity
            log.warning("instrument not read", instrument=holding.instrument, error=str(error))
            return kind or "not read"
        return ""

    async def _record_misread(self, why: str, fill: Fill) -> None:
        log.error("an answer is about something else", order=fill.broker_order_id, why=why)
        day = self._ledger.now()
        await self._ledger.record(tuple(misread(self._ledger.book, why, subject=fill.broker_order_id, day=day)))

    async def own_movements(self, movements: Sequence[Movement]) -> list[Movement]:
        """Without those told under a name that is neither held here nor listed.

        Booked so, a split would never be booked under its own name: each row counts once. Read again, it comes right;
        one that stays so is believed, because brokers also tell of what nobody can look up.
        """
        doubted = {m.id: self._doubted.get(m.id, self._ledger.now()) for m in movements if await self._is_doubtful(m)}
        self._doubted = doubted
        return [m for m in movements if self._ledger.now() - doubted.get(m.id, LONG_AGO) >= TOLD_ALIKE]

    async def _is_doubtful(self, movement: Movement) -> bool:
        book, at = self._ledger.book, movement.holding
        if at is None or f"{movement.id}/{movement.status}" in book.state.movements:
            return False
        if book.positions_at(at) or book.orders_on(at) or at in book.state.acknowledged:
            return False
        return bool(await self._why_not_listed(at))

    async def own_fills(self, fills: Iterable[Fill]) -> list[Fill]:
        """Without those that cannot be of the orders they name."""
        good: list[Fill] = []
        for fill in fills:
            why = contradicts(self._ledger.book, fill)
            if not why:
                good.append(fill)
                continue
            await self._record_misread(why, fill)
        return good
