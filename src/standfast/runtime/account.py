"""One account: read, decide, record, hand to the sender; again whenever something may have changed.

Nothing here remembers what a procedure was about to do. `dirty` names the holdings to look at; a lost wake-up
costs at most one full pass, because everything is looked at then.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from itertools import chain

import structlog

import standfast
from standfast.core import acts
from standfast.core.decide import decide, is_silent
from standfast.core.policy import Rules
from standfast.core.sending import why_not, why_not_together
from standfast.core.situation import Situation
from standfast.core.verify import doubts
from standfast.core.watching import watching
from standfast.model.effects import (
    CancelOrder,
    Effect,
    QueryOrder,
    ReadActivities,
    ReadOrders,
    ReadPosition,
    ReadPositions,
    ReadQuotes,
    ReplaceOrder,
    SubmitOrder,
    SubmitTogether,
    WakeAt,
)
from standfast.model.errors import named
from standfast.model.ids import EntryNumber, Holding, InstrumentId, RequestId
from standfast.model.journal import Entry, GuardStarted, GuardStopped, OrderIntended, RequestDone, RequestTaken
from standfast.ports import Clock, OrderEvent, Request, StreamDown, StreamUp
from standfast.runtime.bell import Bell
from standfast.runtime.beyond import Beyond
from standfast.runtime.ends import Ends
from standfast.runtime.events import must_be_read
from standfast.runtime.instruments import Instruments
from standfast.runtime.ledger import Ledger
from standfast.runtime.preparing import prepare
from standfast.runtime.promised import look_for_fill
from standfast.runtime.quotes import Quotes
from standfast.runtime.reader import Reader
from standfast.runtime.record_watch import RecordWatch
from standfast.runtime.sender import Intent, Sender, turn
from standfast.runtime.timers import Timers
from standfast.runtime.user_rules import UserRules

log = structlog.get_logger("standfast.account")

SHOWN = 2.0  # seconds after which a loop that nothing wakes goes round all the same, to show that it lives
PASSES_MAX = 50  # looks in one cycle before the rest waits for the next: a bound on what a mistake could spin

ACCOUNT = Holding(InstrumentId(""))
"""Stands for the account as a whole among the timers."""
FAILURES_MAX = 2
"""Failures at the same entry after which an account starts halted."""
FIRST_READS = 10.0
"""Seconds a new guard waits for its first reads before it takes acts anyway: a freeze waits for no dead broker."""

LEASE_RENEWED = 4.0
"""Seconds between renewals: a third of what a lease lasts, and a little."""

READS: Mapping[type[Effect], str] = {ReadPositions: "positions", ReadOrders: "orders", ReadActivities: "activities"}

TaskOf = Callable[[], Awaitable[None]]
Spawn = Callable[[Awaitable[None], str], None]


class Account:
    """The loop of one account. `tasks` names what must run; the worker runs it."""

    def __init__(
        self,
        ledger: Ledger,
        spawn: Spawn,
        beat: Callable[[], None] = lambda: None,
        *,
        lease_clock: Clock,
        session_close: Callable[[date], datetime | None],
    ) -> None:
        """`lease_clock` is the machine's own, whatever speed the account's clock runs at: a lease is between processes.

        `session_close` plans ahead only; whether the session is open is the broker's to say.
        """
        self.ledger = ledger
        self.lease_clock = lease_clock
        self.session_close = session_close
        self.rules, self.clock, self.broker = ledger.rules, ledger.clock, ledger.broker
        self.reader = Reader(ledger, lambda holdings: self.look_at(holdings) if holdings else None)
        self.quotes = Quotes(ledger.broker, ledger.clock, self._wake_holding)
        self.sender = Sender(ledger, spawn, self._wake_holding, self._why_not)
        self.instruments = Instruments(ledger.broker, ledger.clock, lambda: len(self.sender.busy))
        self.user_rules = UserRules(ledger, self.situation, self.look_at)
        self.ends = Ends(ledger, self.situation)
        self.record = RecordWatch(ledger.clock, self.situation, self.look_at)
        self.stream_up, self.cycles = False, 0
        self.finished: dict[RequestId, tuple[bool, str]] = {}
        """Outcomes of the requests answered in this life."""
        self._spawn, self._beat = spawn, beat
        self._dirty: set[Holding] = set()
        self._everything = True
        self._wake = Bell()
        self._timers = Timers()
        self._beyond = Beyond(self._set_timer)
        self._leaps: dict[Holding, Decimal] = {}
        self.halted = False
        self._leaving, self._at_rest = False, asyncio.Event()
        self._passed: datetime | None = None
        ledger.listeners.append(self._entry)
        ledger.when_clock_is_set.append(self._clock_was_set)

    @property
    def tasks(self) -> dict[str, TaskOf]:
        """Everything that must run for as long as the account is guarded, beside `keep_lease`."""
        reads: dict[str, TaskOf] = {
            f"read {name}": partial(self.reader.run, kind) for name, kind in self.reader.kinds.items()
        }
        return {
            "cycles": self.run_cycles,
            "stream": self.follow_stream,
            "quotes": self.quotes.follow_stream,
            "quote poll": self.quotes.poll,
            "instruments": self.instruments.run,
            "requests": self.take_requests,
            "user rules": self.user_rules.run,
            "the bot's record": self.record.run,
            "ends": self.ends.run,
            **reads,
        }

    # --- starting and stopping ------------------------------------------------------------------

    async def start(self) -> None:
        """Say that we are here."""
        book = self.ledger.book
        self.halted = book.state.failures >= FAILURES_MAX and book.state.failed_at == book.state.last_act
        await self.ledger.record([GuardStarted(version=standfast.__version__, mode=self.rules.mode.value)])

    async def stop(self, reason: str) -> None:
        """Put down that we leave, keep the book if that spares the next start work, give the lease back."""
        await self.ledger.record([GuardStopped(reason=reason)])
        await self.ledger.save_last()
        await self.ledger.journal.release()

    # --- what wakes the loop --------------------------------------------------------------------

    def look_at(self, holdings: Iterable[Holding]) -> None:
        self._dirty.update(holdings)
        self._wake.ring()

    def look_at_everything(self) -> None:
        self._everything = True
        self._wake.ring()

    def _wake_holding(self, holding: Holding) -> None:
        """Its price has left its band, or an order effect is done: look at it."""
        self.look_at([holding])

    def _entry(self, entry: Entry) -> None:
        if isinstance(entry.fact, RequestDone):
            self.finished[entry.fact.request] = (entry.fact.ok, entry.fact.detail)
        self.look_at(self.ledger.book.take_moved())

    async def follow_stream(self) -> None:
        """Order events are reasons to look: read the order they name, and its fills."""
        async for event in self.broker.events():
            match event:
                case StreamUp():
                    self.stream_up = True
                    self.reader.want_everything()  # nothing is replayed: read everything anew
                case StreamDown(reason):
                    self.stream_up = False
                    log.warning("order stream is down", reason=reason)
                case OrderEvent():
                    self._on_order_event(event)

    def _on_order_event(self, event: OrderEvent) -> None:
        book = self.ledger.book
        order = book.order_by_broker(event.broker_id) or book.state.orders.get(event.client_id)
        if order is not None and must_be_read(order, event):
            top = book.state.orders.get(order.parent, order) if order.parent is not None else order
            self._spawn(
                self.reader.lookups.query(broker_id=top.broker_id or event.broker_id, client_id=top.id),
                f"query {event.broker_id}",
            )
        if "fill" in event.event:
            if order is None:
                self._spawn(self.reader.lookups.ask_ahead(event.broker_id), f"ask ahead for {event.broker_id}")
            self._spawn(look_for_fill(self.reader, event.broker_id), f"look for a fill of {event.broker_id}")
        elif order is None:
            self.reader.want("orders")

    async def take_requests(self) -> None:
        """Journal operators' acts as they come, once there is something to judge them by."""
        patience = self.clock.monotonic() + FIRST_READS
        while not self.reader.has_read_everything and self.clock.monotonic() < patience:
            await self.clock.sleep(0.05)
        while True:
            for request in await self.ledger.journal.requests():
                await self._take(request)
            await self.clock.sleep(0.25)

    async def _take(self, request: Request) -> None:
        taken = RequestTaken(request=request.id, verb=request.verb, arguments=dict(request.arguments), by=request.by)
        await prepare(taken, self.ledger.book, self.quotes, self.instruments)
        number = request.arguments.get("entry", "")
        entry = await self.ledger.entry(EntryNumber(int(number))) if number.isdigit() else None
        async with self.ledger.deciding:
            situation = self.situation()
            try:
                facts = list(acts.take(situation, taken, lambda number: entry, now=self.lease_clock.now()))
            except acts.BUGS as error:
                # Taken and answered all the same: what trips over a bug of ours must not be met again at every start.
                log.exception("an act failed", verb=taken.verb, arguments=dict(taken.arguments))
                detail = f"not done, by a bug of ours: {named(error)}"
                facts = [taken, RequestDone(request=taken.request, ok=False, detail=detail)]
            await self.ledger.record(facts)
        self.look_at_everything()

    async def keep_lease(self) -> None:
        while True:
            await self.ledger.journal.renew(self.lease_clock.now())
            await self.ledger.save()
            await self.lease_clock.sleep(LEASE_RENEWED)

    # --- the cycle ------------------------------------------------------------------------------

    async def run_cycles(self) -> None:
        await self._first_reads()
        while not self._at_rest.is_set():
            await self._wait()
            await self.run_once()

    async def rest(self) -> None:
        """Decide nothing any more: returns once no cycle is under way. What is handed over then stays as it is."""
        self._leaving = True
        if self.cycles:
            self._wake.ring()
            await self._at_rest.wait()

    async def _first_reads(self) -> None:
        """Wait for every kind of read to come or to fail, so that the first look at everything has all to judge by."""
        patience = self.clock.monotonic() + FIRST_READS
        while not self.reader.has_tried_everything and self.clock.monotonic() < patience:
            self._beat()
            await self.clock.sleep(0.02)

    async def _wait(self) -> None:
        """Until something may have changed, a timer is due, or it is time to show that we live."""
        self._ring(self.ledger.now())
        if self._wake.is_rung:
            return
        due = self._timers.next
        limit = SHOWN if due is None else min(SHOWN, max((due - self.clock.now()).total_seconds(), 0.001))
        if not await self._wake.heard(self.clock, limit):
            self._ring(self.ledger.now())

    def _clock_was_set(self) -> None:
        """Moments were named by another clock: look at everything, and name them anew."""
        self._timers, self._passed = Timers(), None
        self._beyond.since.clear()
        self.reader.clock_was_set()

    def _ring(self, now: datetime) -> None:
        for holding in self._timers.ring(now):
            if holding is not ACCOUNT:
                self._dirty.add(holding)
            self._wake.ring()
        if self._passed is None or now - self._passed >= self.rules.every.full:
            self.look_at_everything()

    async def run_once(self) -> None:
        """Look at what may have changed until nothing more is to be recorded."""
        self._wake.hush()
        self.cycles += 1
        for _ in range(PASSES_MAX):
            self._beat()  # each pass may wait for the ledger
            if self._leaving:
                self._at_rest.set()
                return
            holdings = self._take_dirty()
            news, since = self.reader.money.news, (self.reader.blind_since, self.record.unread_since)
            if not holdings and is_silent(self.ledger.book, self.ledger.clock_ahead, news, *since):
                return  # as nearly always when nothing has woken it
            self.instruments.want(h for h in holdings if self.ledger.book.guarded_at(h))
            async with self.ledger.deciding:
                self._leaps = self.quotes.leaps(holdings)
                situation = self.situation()
                self._beyond.note(situation, holdings)
                self.reader.money.news = None
                decision = decide(situation, holdings)
                await self.ledger.record(decision.facts)
            for effect in sorted(decision.effects, key=turn):
                self.hand_over(effect)
            self.quotes.watch(watching(situation, holdings))
            if not decision.facts:
                return  # what the facts changed is dirty again, and is looked at in the next pass
        log.warning("a cycle did not come to rest", passes=PASSES_MAX)
        self._wake.ring()

    def _take_dirty(self) -> set[Holding]:
        if self._everything:
            self._everything = False
            self._passed = self.clock.now()
            self._dirty.update(self.ledger.book.holdings())
            self._dirty.update(self.reader.orders_by_holding)
            if self.reader.snapshot.positions is not None:
                self._dirty.update(self.reader.snapshot.positions.rows)
        holdings, self._dirty = self._dirty, set()
        for holding in list(holdings):
            holdings.update(self.ledger.book.structures_at(holding))
        return holdings

    def ask_about_what_is_under_way(self) -> None:
        """Questions only, no decisions: what became of the orders that were on their way when the loop came to rest."""
        s = self.situation()
        asked = chain.from_iterable(doubts(s, holding) for holding in self.ledger.book.under_way())
        for query in (outcome for outcome in asked if isinstance(outcome, QueryOrder)):
            self.hand_over(query)

    def reload(self, rules: Rules) -> None:
        """Guard by other rules from the next look on."""
        self.rules = self.ledger.rules = self.reader.rules = rules
        self.look_at_everything()

    def situation(self) -> Situation:
        return Situation(
            book=self.ledger.book,
            snapshot=self.reader.snapshot,
            rules=self.rules,
            contract=self.broker.contract,
            now=self.ledger.now(),
            instruments=self.instruments.known,
            orders_by_holding=self.reader.orders_by_holding,
            sights=self.quotes.sights,
            good=self.quotes.good,
            greeks=self.quotes.greeks,
            beyond_since=self._beyond.since,
            busy=self.sender.busy | self.reader.booking,
            booking=self.reader.booking,
            asked=self.reader.lookups.asked,
            heard=self.reader.lookups.heard,
            failing=self.reader.failing,
            blind_since=self.reader.blind_since,
            blind_why=self.reader.blind_why,
            session_close=self.session_close,
            verdicts=self.user_rules.verdicts,
            record=self.record.tracked,
            clock_ahead=self.ledger.clock_ahead,
            clock_set_at=self.ledger.steps.last,
            halted=self.halted,
            stranger=self.reader.lookups.whose.stranger,
            leaps=self._leaps,
            singles=self.reader.lookups.singles,
        )

    def _why_not(self, intent: Intent) -> str:
        """What the loop leaves behind when it ends is not what its policy wants: it is not asked then."""
        if self._leaving:
            return ""
        s = self.situation()
        return why_not(s, intent) if isinstance(intent, OrderIntended) else why_not_together(s, intent)

    def hand_over(self, effect: Effect) -> None:
        """Give one effect to whoever carries it out."""
        match effect:
            case WakeAt():  # by far most of them
                self._set_timer(effect)
            case SubmitOrder() | SubmitTogether() | ReplaceOrder():
                self.sender.put(effect)
            case CancelOrder():
                self.reader.note_cancel(effect.broker_id)
                self.sender.put(effect)
            case QueryOrder():
                self._spawn(
                    self.reader.lookups.query(broker_id=effect.broker_id, client_id=effect.client_id),
                    f"query {effect.client_id or effect.broker_id}",
                )
            case ReadPositions() | ReadOrders() | ReadActivities():
                self.reader.want(READS[type(effect)], effect.urgency)
            case ReadPosition():
                self._spawn(self.reader.lookups.ask_by_name(effect.holding), f"position {effect.holding}")
            case ReadQuotes():
                self.quotes.want(effect.holding)

    def _set_timer(self, wake: WakeAt) -> None:
        if wake.at > self.clock.now():
            self._timers.set(wake.at, wake.holding or ACCOUNT)
