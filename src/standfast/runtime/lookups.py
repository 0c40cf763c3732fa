"""Questions about one order or one holding by its id or name: what a list shows or leaves out, these say outright.

No answer is evidence of nothing. What was asked, and what was answered, is remembered only to space the questions and
to know which orders nobody has been able to read.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime

import structlog

from standfast.model.booked import BookedOrder
from standfast.model.errors import BrokerError, Malformed, Rejected
from standfast.model.evidence import SingleRead
from standfast.model.ids import BrokerOrderId, ClientOrderId, Holding
from standfast.model.journal import OrderMissing, OrderObserved
from standfast.model.order import OrderReport, Role, says_more
from standfast.runtime.judge import Judge
from standfast.runtime.ledger import Ledger
from standfast.runtime.whose import Whose

log = structlog.get_logger("standfast.reader")

KEPT = 20_000
"""Times remembered."""
AHEAD_MAX = 8
"""Strangers asked for before the list of fills has come. Where more fill at once, the list comes first."""


class Lookups:
    """Asks, books what is new, and remembers when it asked."""

    def __init__(self, ledger: Ledger, changed: Callable[[set[Holding]], None]) -> None:
        self.ledger, self.broker, self.clock = ledger, ledger.broker, ledger.clock
        self.asked: dict[str, datetime] = {}
        """When each question was last asked."""
        self.heard: dict[str, datetime] = {}
        """When the last question about an order that was answered was asked."""
        self.singles: dict[Holding, SingleRead] = {}
        self.judge = Judge(ledger)
        self.whose = Whose(ledger)
        self._changed = changed
        self._querying: set[str] = set()
        self._ahead: dict[BrokerOrderId, asyncio.Future[OrderReport | None]] = {}
        """Answers about strangers, on their way or not yet looked at."""

    def forget(self) -> None:
        """Nothing counts as asked lately: the clock was put back."""
        self.asked.clear()
        self.heard.clear()

    def note_asked(self, key: str) -> datetime:
        """A question is going out now."""
        return _note(self.asked, key, self.clock.now())

    async def ask_by_name(self, holding: Holding) -> None:
        """One holding by its own name: what a list leaves out, this does not."""
        asked_after = self.ledger.book.head
        began = self.note_asked(f"read position {holding}")
        try:
            self.whose.must_be_ours()
            net = await self.broker.position(holding)
        except BrokerError as error:
            log.warning("position not read", holding=str(holding), error=f"{type(error).__name__}: {error}")
            return
        self.singles[holding] = SingleRead(net=net, asked_after=asked_after, began=began)
        self._changed({holding})

    async def ask(
        self, *, broker_id: BrokerOrderId | None = None, client_id: ClientOrderId | None = None
    ) -> OrderReport | None:
        """One order by one of its ids. Raises BrokerError; Malformed for an answer about something else."""
        began = self.clock.now()
        self.whose.must_be_ours()
        report = await self.broker.order(broker_id=broker_id, client_id=client_id)
        if report is None:
            return None
        taken = await self.judge.take(report, began, broker_id=broker_id, client_id=client_id)
        if taken is None:
            raise Malformed(f"the answer about {broker_id or client_id} is about something else")
        return taken

    async def ask_ahead(self, broker_id: BrokerOrderId) -> None:
        """A stranger has filled, as the stream says: its order is read beside the fills instead of after them.

        Not where orders have legs: read before the last of them has filled, one tells half of what it did.
        """
        has_legs = not self.broker.contract.margined
        if has_legs or broker_id in self._ahead or len(self._ahead) >= AHEAD_MAX:
            return
        answer = self._ahead[broker_id] = asyncio.get_running_loop().create_future()
        try:
            report = await self.ask(broker_id=broker_id)
        except BrokerError as error:  # whoever asks next asks anew
            log.info("a stranger is not read ahead", order=broker_id, error=f"{type(error).__name__}: {error}")
            report = None
        answer.set_result(report)

    async def stranger(self, broker_id: BrokerOrderId) -> OrderReport | None:
        """The order behind a fill: as read ahead, once, else as asked for now. Raises as `ask` does."""
        answer = self._ahead.pop(broker_id, None)
        report = await asyncio.shield(answer) if answer is not None else None
        return report if report is not None else await self.ask(broker_id=broker_id)

    def forget_ahead(self, broker_id: BrokerOrderId) -> None:
        """Nobody has looked at the answer: it gets old."""
        self._ahead.pop(broker_id, None)

    async def query(self, *, broker_id: BrokerOrderId | None, client_id: ClientOrderId | None) -> None:
        """Ask for one order by id and book what is new about it."""
        key = str(client_id or broker_id)
        if key in self._querying:
            return
        self._querying.add(key)
        began = self.note_asked(key)
        try:
            report = await self.ask(broker_id=broker_id, client_id=None if broker_id else client_id)
        except Rejected as error:
            log.warning("order lookup refused", order=key, error=str(error))
            return
        except BrokerError as error:
            log.warning("order lookup failed", order=key, error=f"{type(error).__name__}: {error}")
            return
        finally:
            self._querying.discard(key)
        if report is not None:
            for each in (report, *report.legs):
                _note(self.heard, each.client_id, began)
        await self._book_answer(report, client_id)

    async def _book_answer(self, report: OrderReport | None, client_id: ClientOrderId | None) -> None:
        if report is None:
            if client_id is not None and client_id in self.ledger.book.state.orders:
                await self.ledger.record([OrderMissing(id=client_id)])
            return
        fact = self.observed(report)
        known = self._known(report)
        is_ours = fact.position is not None or fact.role is not Role.FOREIGN
        if is_ours and (known is None or says_more(known.report, report) or self.legs_say_more(report)):
            await self.ledger.record([fact])
        if report.replaced_by is not None:
            await self.query(broker_id=report.replaced_by, client_id=None)

    def legs_say_more(self, report: OrderReport) -> bool:
        """Whether it tells something new of one of its legs."""
        for leg in report.legs:
            known = self.ledger.book.order_by_broker(leg.broker_id)
            if known is None or says_more(known.report, leg):
                return True
        return False

    def observed(self, report: OrderReport) -> OrderObserved:
        """The fact that books a report, under whose it is."""
        known = self._known(report)
        if known is None and report.replaces is not None:
            known = self.ledger.book.order_by_broker(report.replaces)  # somebody replaced it in the broker's own screen
        if known is None:
            return OrderObserved(report=report)
        return OrderObserved(report=report, position=known.position, role=known.role)

    def _known(self, report: OrderReport) -> BookedOrder | None:
        book = self.ledger.book
        return book.order_by_broker(report.broker_id) or book.state.orders.get(report.client_id)


def _note(times: dict[str, datetime], key: str, at: datetime) -> datetime:
    times.pop(key, None)  # kept in the order of asking
    times[key] = at
    while len(times) > KEPT:
        del times[next(iter(times))]
    return at
