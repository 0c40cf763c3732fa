"""One account's whole world under virtual time: exchange, prices, bot, ledger, and a guard that can be killed.

Theory: the exchange and the ledger outlive the guard, as a broker and a disk would. The guard runs in a process of its
own (`loop.Process`) and reaches the world through its wire and its store alone.

Invariants
1. The exchange is at the loop's time whenever anybody looks at it.
2. Same seed, same story: the same `digest`, byte for byte.
3. A guard that fails makes the next wait of the story fail, with the guard's own error.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Iterable
from contextvars import copy_context
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from types import TracebackType
from typing import Any, TypeVar

from standfast.core.book import Book
from standfast.core.policy import Rules
from standfast.exchange.accounts import AccountSpec, Truth
from standfast.exchange.assets import Asset
from standfast.exchange.engine import Engine
from standfast.exchange.events import Event
from standfast.exchange.faults import Faults, Rule
from standfast.exchange.market import Prices
from standfast.exchange.orders import Order, Ticket
from standfast.exchange.quotes_file import FileQuote
from standfast.exchange.rules import Rules as ExchangeRules
from standfast.exchange.sessions import Sessions, USSessions
from standfast.model.ids import EntryNumber, RequestId
from standfast.model.journal import Entry
from standfast.ports import Request
from standfast.runtime.account import Account
from standfast.runtime.beginning import begin
from standfast.runtime.ledger import Ledger, load_book
from standfast.sim.adapter import EngineBroker
from standfast.sim.loop import PROCESS, Process, VirtualClock, current, run
from standfast.sim.wire import Travel, Wire
from standfast.stores.memory import MemoryStore
from standfast.stores.promises import RequestOutcome

Result = TypeVar("Result")

STEP = 0.01
"""Seconds between two looks of somebody who waits."""
FED_FOR = timedelta(days=400)
QUIET = ExchangeRules()


class World:
    """Use it as a context inside `loop.run`, or let `play` do both."""

    def __init__(  # noqa: PLR0913 - everything a world is made of, all but two with a default
        self,
        rules: Rules,
        prices: Prices,
        *,
        seed: int = 0,
        cash: Decimal = Decimal(100_000),
        instruments: Iterable[Asset] = (Asset(instrument="AAPL"),),
        exchange: ExchangeRules = QUIET,
        faults: Iterable[Rule] = (),
        travel: Travel | None = None,
        sessions: Sessions | None = None,
    ) -> None:
        """`faults`: asked from the first request on; more by `world.faults.install`. Sessions are those of US equities
        unless others are given."""
        self.rules = rules
        self._sessions: Sessions = sessions or USSessions()
        self.clock = VirtualClock()
        self.faults = Faults(faults, seed=seed)
        self.store = MemoryStore(lambda holder: holder in self._alive)
        self.tape: list[Event] = []
        self.engine = Engine(
            instruments,
            [AccountSpec(name=rules.account, key_id="key", secret="secret", cash=cash)],
            start=current().now(),
            calendar=self._sessions,
            seed=seed,
            rules=exchange,
        )
        self.wire = Wire(self.engine, rules.account, faults=self.faults, seed=seed, travel=travel or Travel())
        self.account: Account | None = None
        """The living guard's loop; None while there is none."""
        self._prices = prices
        self._alive: set[str] = set()
        self._lives = 0
        self._bot_orders = 0
        self._requests = 0
        self._process = Process("nobody")
        self._broker: EngineBroker | None = None
        self._guard: asyncio.Task[None] | None = None
        self._pump: asyncio.Task[None] | None = None
        self.engine.listeners.append(self._happened)

    async def __aenter__(self) -> "World":
        self._pump = current().create_task(self._feed(), name="market")
        await asyncio.sleep(0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill_guard()
        if self._pump is not None:
            self._pump.cancel()
        if error is None:
            self._check()

    # --- the exchange ---------------------------------------------------------------------------

    @property
    def now(self) -> datetime:
        return self.clock.now()

    @property
    def truth(self) -> Truth:
        """The exchange's own books."""
        return self.engine.truth(self.rules.account)

    def net(self, instrument: str = "AAPL") -> Decimal:
        """What the account truly holds, signed."""
        self.wire.catch_up()
        rows = self.engine.positions(self.rules.account)
        return next((row.quantity for row in rows if row.instrument == instrument), Decimal(0))

    def working(self, instrument: str = "AAPL") -> list[Order]:
        """The orders that are truly unfinished, legs included, oldest first."""
        self.wire.catch_up()
        rows = self.engine.orders(self.rules.account)
        return [row for row in reversed(rows) if row.instrument == instrument]

    async def _feed(self) -> None:
        for quote in self._prices.quotes(self.now, self.now + FED_FOR):
            while (due := self._next_edge()) < quote.at:
                await self._sleep_until(due)
                self.wire.catch_up()
            await self._sleep_until(quote.at)
            self._take(quote)

    def _next_edge(self) -> datetime:
        """When the session next opens or closes."""
        clock = self.engine.clock()
        edge = clock.next_close if clock.is_open else clock.next_open
        assert edge is not None, "a calendar knows its edges"
        return edge

    async def _sleep_until(self, at: datetime) -> None:
        if at > self.now:
            await asyncio.sleep((at - self.now) / timedelta(seconds=1))

    def _take(self, quote: FileQuote) -> None:
        self.wire.catch_up()
        if quote.bid is not None and quote.ask is not None and quote.is_two_sided:
            size = Decimal(0)
            at = self.engine.now
            self.engine.quote(
                quote.instrument, quote.bid, quote.ask, quote.bid_size or size, quote.ask_size or size, at
            )
            if (seen := self.engine.last_quote(quote.instrument)) is not None:
                self.wire.past.saw(seen)
        if self._broker is not None:
            self._broker.saw(quote)

    def _happened(self, event: Event) -> None:
        """Keep it, and see to it that what the exchange puts off because of it happens in time."""
        self.tape.append(event)
        rules = self.engine.rules
        delays = {rules.accept_after, rules.cancel_after, rules.replace_after, rules.fill_after} - {timedelta(0)}
        for delay in sorted(delays):
            self.wire.later(delay / timedelta(seconds=1), self._due)

    def _due(self) -> None:
        self.wire.catch_up()

    # --- the bot and the operator ---------------------------------------------------------------

    async def submit(self, ticket: Ticket) -> Order:
        """An order of the bot, who has a line of its own. Returns it as it is now; raises `Refused`."""
        self.wire.catch_up()
        if ticket.client_order_id is None:
            self._bot_orders += 1
            ticket = replace(ticket, client_order_id=f"bot-{self._bot_orders}")
        order = self.engine.submit(self.rules.account, ticket)
        return self.engine.order(self.rules.account, order.id)

    async def cancel(self, order: Order) -> None:
        """The bot (or its owner) cancels; raises `Refused`."""
        self.wire.catch_up()
        self.engine.cancel(self.rules.account, order.id)

    async def operate(self, verb: str, **arguments: str) -> RequestId:
        """Ask for an operator's act, and do not wait for it."""
        self._requests += 1
        id = RequestId(f"r{self._requests}")
        request = Request(id=id, account=self.rules.account, verb=verb, arguments=arguments, by="operator", at=self.now)
        await self.store.put_request(request)
        return id

    async def request(self, verb: str, *, seconds: float = 60.0, **arguments: str) -> RequestOutcome:
        """An operator's act, and what became of it; AssertionError when nothing has after that time."""
        outcome = await self.store.wait_request(await self.operate(verb, **arguments), self.clock, seconds)
        self._check()
        assert outcome is not None, await self.account_of(f"{verb} was not answered within {seconds:g} s")
        return outcome

    # --- the guard ------------------------------------------------------------------------------

    @property
    def book(self) -> Book:
        """The living guard's."""
        assert self.account is not None, "there is no guard"
        return self.account.ledger.book

    async def start_guard(self) -> None:
        """Begin another life of the guard; returns once it has said that it is here."""
        assert self.account is None, "one guard at a time"
        self._lives += 1
        holder = f"guard-{self._lives}"
        self._alive.add(holder)
        self._process = Process(holder)
        context = copy_context()
        context.run(PROCESS.set, self._process)
        self._guard = current().create_task(self._live(holder), name=holder, context=context)
        await self.until(lambda: self.account is not None, 60, "the guard is here")

    async def _live(self, holder: str) -> None:
        """What `runtime/worker.py` does for an account, without its heartbeat and its alerts."""
        self._broker = broker = EngineBroker(self.wire)
        journal = await self.store.acquire(self.rules.account, holder, self.now)
        book = await load_book(self.store, self.rules)
        ledger = Ledger(journal=journal, store=self.store, book=book, broker=broker, clock=self.clock, rules=self.rules)
        async with asyncio.TaskGroup() as group:

            def spawn(work: Awaitable[None], name: str) -> None:
                group.create_task(_as_coroutine(work), name=name)

            account = Account(ledger, spawn, lease_clock=self.clock, is_trading_day=self._is_trading_day)
            await account.start()
            await begin(account)
            for name, task in {**account.tasks, "lease": account.keep_lease}.items():
                group.create_task(_as_coroutine(task()), name=name)
            self.account = account

    def _is_trading_day(self, day: date) -> bool:
        return bool(self._sessions.calendar(day, day))

    def kill_guard(self) -> None:
        """End it as `kill -9` would: nothing of it runs again, what it has sent still arrives."""
        current().kill(self._process)
        self._alive.discard(self._process.name)
        if self._broker is not None:
            self._broker.drop()
        self.account = self._broker = self._guard = None

    # --- waiting --------------------------------------------------------------------------------

    async def run_for(self, seconds: float) -> None:
        """Let this much time pass."""
        end = self.clock.monotonic() + seconds
        while (left := end - self.clock.monotonic()) > 0:
            await asyncio.sleep(min(left, 1.0))
            self._check()

    async def until(self, is_so: Callable[[], object], within: float, what: str = "") -> float:
        """Wait until it is so; returns the seconds it took. AssertionError, with the story so far, if it is not."""
        began = self.clock.monotonic()
        while not is_so():
            self._check()
            if self.clock.monotonic() - began >= within:
                raise AssertionError(await self.account_of(f"not within {within:g} s: {what or 'what was waited for'}"))
            await asyncio.sleep(STEP)
        return self.clock.monotonic() - began

    def _check(self) -> None:
        """Raise what killed the guard or the market."""
        for task in (self._guard, self._pump):
            if task is not None and task.done() and not task.cancelled() and task.exception() is not None:
                raise AssertionError(f"{task.get_name()} has failed") from task.exception()

    # --- what was so ----------------------------------------------------------------------------

    async def entries(self) -> list[Entry]:
        """The whole journal."""
        return list(await self.store.entries(self.rules.account, EntryNumber(0)))

    async def digest(self) -> str:
        """Equal for equal runs: every event of the exchange, every entry of the journal, and when each was."""
        total = hashlib.blake2b(digest_size=16)
        for event in self.tape:
            total.update(f"{event.at} {event.kind} {event.order.id} {event.quantity} {event.price}\n".encode())
        for entry in await self.entries():
            total.update(f"{entry.at} {entry.hash}\n".encode())
        return total.hexdigest()

    async def account_of(self, headline: str, last: int = 40) -> str:
        """The headline, and what happened last at the exchange and in the journal, in their order."""
        told = [(event.at, f"exchange: {_brief(event)}") for event in self.tape[-last:]]
        told += [(entry.at, f"journal {entry.number}: {entry.fact}") for entry in (await self.entries())[-last:]]
        lines = [f"{at:%H:%M:%S.%f} {text}" for at, text in sorted(told, key=lambda row: row[0])]
        return "\n".join([f"{headline} (it is {self.now:%H:%M:%S.%f})", *lines[-last:]])


def _brief(event: Event) -> str:
    order = event.order
    prices = " ".join(str(price) for price in (order.terms.limit_price, order.terms.stop_price) if price is not None)
    text = f"{event.kind} {order.client_order_id} {order.side} {order.terms.quantity} {order.terms.type} {prices}"
    return text if event.price is None else f"{text} {event.quantity} at {event.price}"


async def _as_coroutine(work: Awaitable[None]) -> None:
    await work


def play(
    story: Callable[[World], Awaitable[Result]],
    rules: Rules,
    prices: Prices,
    *,
    start: datetime,
    real_seconds: float = 60.0,
    **wishes: Any,
) -> Result:
    """Tell one story in a world of its own; `wishes` are the world's other arguments."""

    async def main() -> Result:
        async with World(rules, prices, **wishes) as world:
            return await story(world)

    return run(main(), start=start, real_seconds=real_seconds)
