"""One account's whole world under virtual time: exchange, prices, bot, ledger, and a guard that can be killed.

Theory: the exchange and the ledger outlive the guard, as a broker and a disk would. The guard runs in a process of its
own (`loop.Process`) and reaches the world through its wire and its store alone.

Invariants
1. The exchange is at the loop's time whenever anybody looks at it.
2. Same seed, same story: the same `digest`, byte for byte.
3. A guard that fails makes the next wait of the story fail, with the guard's own error.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
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
from standfast.exchange.orders import ZERO, Order, Ticket
from standfast.exchange.quotes_file import FileQuote
from standfast.exchange.rules import Rules as ExchangeRules
from standfast.exchange.sessions import Sessions, USSessions
from standfast.model.ids import EntryNumber
from standfast.model.journal import Entry
from standfast.sim import tale
from standfast.sim.adapter import EngineBroker
from standfast.sim.disk import SimStore
from standfast.sim.effects import Effects
from standfast.sim.guards import Guard, Habitat, People, SimBroker
from standfast.sim.keeper import Keeper
from standfast.sim.loop import VirtualClock, current, run
from standfast.sim.nights import planned_close
from standfast.sim.story import Story
from standfast.sim.ticker import Ticker
from standfast.sim.watch import CANARIES, Violation, Watcher
from standfast.sim.wire import Travel, Wire
from standfast.stores.promises import RequestOutcome

Result = TypeVar("Result")

STEP = 0.01
"""Seconds between two looks of somebody who waits."""
FED_FOR = timedelta(days=400)
QUIET = ExchangeRules()


class World(Story):
    """Use it as a context inside `loop.run`, or let `play` do both."""

    wire: Wire
    watchers: list[Watcher]

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
        order_seed: int | None = None,
        restart_after: float | None = None,
        through: str = "engine",
    ) -> None:
        """`faults`: asked from the first request on; more by `world.faults.install`. Sessions are those of US equities
        unless others are given. `order_seed`: serve what the guards have to run in an order drawn from it.
        `through`: "engine", or "alpaca" or "tradier" for a real adapter over a simulated HTTP transport."""
        self.rules = rules
        super().__init__(seed, order_seed)
        self._sessions: Sessions = sessions or USSessions()
        self.faults = Faults(faults, seed=seed)
        self.effects = Effects(self.clock.now, lambda process: self.keeper.kill_process(process), self._tell_effect)
        self.people = People(seed=seed)
        self.store = SimStore(lambda holder: self.keeper.is_alive(holder), seed=seed)
        self.store.committed = self._committed
        self.tape, self.watchers = list[Event](), list[Watcher]()
        self.health: Callable[[str], bool] = self._is_healthy
        """Whether an instrument can be guarded now, H(t, s); a chaos that knows more puts its own here."""
        self.engine = Engine(
            instruments,
            [AccountSpec(name=rules.account, key_id=CANARIES[0], secret=CANARIES[1], cash=cash)],
            start=current().present,
            calendar=self._sessions,
            seed=seed,
            rules=exchange,
        )
        self.wire = Wire(self.engine, rules.account, faults=self.faults, seed=seed, travel=travel or Travel())
        habitat = Habitat(
            rules=lambda: self.rules,
            store=self.store,
            people=self.people,
            effects=self.effects,
            broker_for=self._broker_for,
            session_close=partial(planned_close, self._sessions),
        )
        self.keeper = Keeper(habitat, self.wire, self.fail, restart_after)
        self._through, self._prices = through, prices
        self._bot_orders = 0
        self.engine.listeners.append(self._happened)
        self.ticker = Ticker(self._look, self.wire.outside)
        self.engine.overhearers.append(lambda asked: self.ticker.hasten())

    def _broker_for(self, clock: VirtualClock) -> SimBroker:
        if self._through == "alpaca":
            from standfast.sim.http import SimAlpaca

            return SimAlpaca(self.wire, self._sessions, clock)
        if self._through == "tradier":
            from standfast.sim.tradier import SimTradier

            return SimTradier(self.wire, self._sessions, clock)
        assert self._through == "engine", self._through
        return EngineBroker(self.wire, clock)

    async def __aenter__(self) -> "World":
        self._tasks = [current().create_task(self._feed(), name="market")]
        self.ticker.begin()
        await asyncio.sleep(0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.keeper.end()
        self.ticker.end()
        for task in self._tasks:
            task.cancel()
        if error is None:
            self._check()

    # --- the exchange ---------------------------------------------------------------------------

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
        edge = self._next_edge()
        for quote in self._prices.quotes(self.now, self.now + FED_FOR):
            while edge < quote.at:
                await self._sleep_until(edge)
                self.wire.catch_up()
                edge = self._next_edge()
            await self._sleep_until(quote.at)
            self.take(quote)

    def _next_edge(self) -> datetime:
        """When the session next opens or closes."""
        clock = self.engine.clock()
        edge = clock.next_close if clock.is_open else clock.next_open
        assert edge is not None, "a calendar knows its edges"
        return edge

    async def _sleep_until(self, at: datetime) -> None:
        if at > self.now:
            await self.clock.sleep((at - self.now) / timedelta(seconds=1))

    def take(self, quote: FileQuote) -> None:
        """The market has a new quote: at the exchange, and on its way to who watches."""
        now = self.wire.catch_up()
        bid, ask = quote.bid or ZERO, quote.ask or ZERO
        if self.engine.is_market(quote.instrument, bid, ask):
            self.engine.quote(quote.instrument, bid, ask, quote.bid_size or ZERO, quote.ask_size or ZERO, now)
            if (seen := self.engine.last_quote(quote.instrument)) is not None:
                self.wire.past.saw(seen)
        for guard in self.guards.values():
            if guard.broker is not None and guard.is_alive:
                guard.broker.saw(quote)

    def _happened(self, event: Event) -> None:
        """Keep it, and see to it that what the exchange puts off because of it happens in time."""
        self.tape.append(event)
        self.ticker.hasten()
        self._tell("happened", event)
        rules = self.engine.rules
        delays = {rules.accept_after, rules.cancel_after, rules.replace_after, rules.fill_after} - {timedelta(0)}
        for delay in sorted(delays):
            self.wire.later(delay / timedelta(seconds=1), self.wire.catch_up)

    def _committed(self, entries: Sequence[Entry]) -> None:
        self._tell("committed", entries)
        self.ticker.hasten()

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

    async def request(self, verb: str, *, seconds: float = 60.0, **arguments: str) -> RequestOutcome:
        """An operator's act, and what became of it; AssertionError when nothing has after that time."""
        outcome = await self.store.wait_request(await self.operate(verb, **arguments), self.clock, seconds)
        self._check()
        assert outcome is not None, await self.account_of(f"{verb} was not answered within {seconds:g} s")
        return outcome

    # --- guards ---------------------------------------------------------------------------------

    @property
    def book(self) -> Book:
        """The living guard's."""
        account = self.account
        assert account is not None, "there is no guard"
        return account.ledger.book

    async def start_guard(self, name: str = "guard", *, wait: bool = True) -> Guard:
        """Begin another life of this guard; returns once it guards or, without `wait`, at once."""
        guard = self.keeper.start(name)
        if wait:
            await self.until(lambda: guard.is_here, 60, f"{name} is here")
        return guard

    def kill_guard(self, name: str | None = None, *, restart_after: float | None = None) -> None:
        """End it as `kill -9` would: nothing of it runs again, what it has sent still arrives. The only one, if no
        name is given; nothing, if it is dead already."""
        self.keeper.kill(name, restart_after)

    def stop_guard(self, name: str | None = None) -> None:
        """Ask it to end, as SIGTERM does; it says what it leaves, and gives the lease back."""
        self.keeper.stop(name)

    def pause_guard(self, seconds: float, name: str | None = None) -> None:
        """SIGSTOP, and SIGCONT after so many seconds: nothing of it runs meanwhile, its timers fire late, messages
        wait, and the world goes on. Returns at once."""
        self.keeper.pause(seconds, name)

    def _is_healthy(self, instrument: str) -> bool:
        """All is well, and there is a market."""
        return self.is_well and self.engine.is_tradable(instrument)

    # --- watching -------------------------------------------------------------------------------

    def _tell_effect(self, name: str) -> None:
        """As `_tell`, which looks for who hears it: nearly all that is told is this."""
        if self._trouble is not None:
            return
        try:
            for watcher in self.watchers:
                watcher.effect(name)
        except Violation as violation:
            self.fail(violation)

    def _look(self) -> bool:
        self._tell("tick", self.wire.catch_up())
        return all(watcher.is_idle for watcher in self.watchers)

    # --- waiting --------------------------------------------------------------------------------

    async def until(self, is_so: Callable[[], object], within: float, what: str = "") -> float:
        """Wait until it is so; returns the seconds it took. AssertionError, with the story so far, if it is not."""
        began = self.clock.monotonic()
        while not is_so():
            if self.clock.monotonic() - began >= within:
                raise AssertionError(await self.account_of(f"not within {within:g} s: {what or 'what was waited for'}"))
            await self.run_for(STEP)
        return self.clock.monotonic() - began

    # --- what was so ----------------------------------------------------------------------------

    async def entries(self) -> list[Entry]:
        """The whole journal."""
        return list(await self.store.entries(self.rules.account, EntryNumber(0)))

    async def digest(self) -> str:
        """Equal for equal runs: every effect, every event of the exchange, every entry, and when each was."""
        return tale.digest(self.effects, self.tape, self.entries_now())

    async def account_of(self, headline: str, last: int = 40) -> str:
        """The headline, and what happened last at the exchange and in the journal, in their order."""
        lines = tale.timeline(self.tape[-last:], self.entries_now()[-last:])
        return "\n".join([f"{headline} (it is {self.now:%H:%M:%S.%f})", *lines[-last:]])


def play(
    story: Callable[[World], Awaitable[Result]],
    rules: Rules,
    prices: Prices,
    *,
    start: datetime,
    real_seconds: float = 240.0,
    **wishes: Any,
) -> Result:
    """Tell one story in a world of its own; `wishes` are the world's other arguments."""

    async def main() -> Result:
        async with World(rules, prices, **wishes) as world:
            return await story(world)

    return run(main(), start=start, real_seconds=real_seconds)
