"""The stage in process: the real guard against the engine, under virtual time, on one seed."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TypeVar

from standfast.core.book import Book
from standfast.drills.line import Line, NoAnswer, Refused, Seen, seen
from standfast.drills.record import Written
from standfast.drills.scene import Board, Scene
from standfast.drills.stage import Stage, Stuck
from standfast.drills.truth import Truth
from standfast.exchange.faults import EmptyList, Fault, PartialList, Stale
from standfast.exchange.orders import Order, Ticket
from standfast.exchange.queries import OrderQuery
from standfast.exchange.refusal import Refused as TheirRefusal
from standfast.model.errors import BrokerError, Rejected
from standfast.model.journal import Entry
from standfast.runtime.parent import Timing
from standfast.sim.loop import run
from standfast.sim.world import World

Result = TypeVar("Result")

SEED = 7
REAL_SECONDS = 360.0
EVERY = timedelta(seconds=5)
"""How often the bot's own record is read."""
OPEN_ORDERS = OrderQuery(limit=500, nested=True)


class EngineLine(Line):
    """The bot's line in process: the same wire as the guard's, as two programs on one machine have."""

    def __init__(self, world: World, say: Callable[[str], None]) -> None:
        super().__init__(say)
        self._wire = world.wire
        self._engine = world.engine
        self._account = str(world.rules.account)

    async def _ask(self, operation: str, instrument: str | None, deed: Callable[[Fault | None], Result]) -> Result:
        try:
            return await self._wire.ask(operation, instrument, deed)
        except Rejected as rejected:
            raise Refused(str(rejected)) from rejected
        except BrokerError as error:
            raise NoAnswer(str(error)) from error

    async def _submit(self, asked: Ticket) -> Seen:
        def place(_: Fault | None) -> Seen:
            order = self._engine.submit(self._account, asked)
            return self._shown(order, None)

        return await self._ask("submit", asked.terms.instrument, place)

    async def _cancel(self, order: Seen) -> None:
        await self._ask("cancel", order.instrument, lambda _: self._engine.cancel(self._account, order.id))

    async def _order(self, id: str) -> Seen:
        def find(fault: Fault | None) -> Seen:
            return self._shown(self._engine.order(self._account, id), fault)

        return await self._ask("order", None, find)

    async def _find(self, client_id: str) -> Seen | None:
        def find(fault: Fault | None) -> Seen | None:
            try:
                return self._shown(self._engine.order_by_client_id(self._account, client_id), fault)
            except TheirRefusal:
                return None

        return await self._ask("order", None, find)

    def _shown(self, order: Order, fault: Fault | None) -> Seen:
        if isinstance(fault, Stale):
            order = self._wire.past.order(order, self._ago(fault)) or order
        return seen(order, self._engine.legs(order))

    async def _orders(self) -> list[Seen]:
        def find(fault: Fault | None) -> list[Seen]:
            if isinstance(fault, Stale):
                rows = self._wire.past.orders(self._account, OPEN_ORDERS, self._ago(fault))
            else:
                rows = self._engine.orders(self._account, OPEN_ORDERS)
            left = self._wire.faults.thin(rows, fault, lambda row: row.instrument)
            return [seen(row, self._engine.legs(row)) for row in left]

        return await self._ask("orders", None, find)

    async def _positions(self) -> dict[str, Decimal]:
        def find(fault: Fault | None) -> dict[str, Decimal]:
            if isinstance(fault, Stale):
                rows = self._wire.past.positions(self._account, self._ago(fault))
            else:
                assert fault is None or isinstance(fault, EmptyList | PartialList) or fault.is_applied, fault
                rows = self._wire.faults.thin(self._engine.positions(self._account), fault, lambda row: row.instrument)
            return {row.instrument: row.quantity for row in rows}

        return await self._ask("positions", None, find)

    async def _quotes(self, instruments: Sequence[str]) -> dict[str, tuple[Decimal, Decimal]]:
        def find(_: Fault | None) -> dict[str, tuple[Decimal, Decimal]]:
            shown = ((name, self._engine.last_quote(name)) for name in instruments)
            return {name: (quote.bid, quote.ask) for name, quote in shown if quote is not None}

        return await self._ask("quotes", None, find)

    def _ago(self, fault: Stale) -> datetime:
        return self._engine.now - timedelta(seconds=fault.age)


class InProcess(Stage):
    """Use `play`."""

    def __init__(self, scene: Scene, *, is_guarded: bool, world: World, board: Board) -> None:
        super().__init__(scene, is_guarded=is_guarded)
        self._world, self.board = world, board
        self.engine, self.faults = world.engine, world.faults
        self.store, self.clock = world.store, world.clock
        self.truth = Truth(world.engine, self.account)
        self.bot = EngineLine(world, self.says)
        world.people.lines.listeners.append(self._hear)

    def _hear(self, line: str) -> None:
        if '"event": "status"' in line:
            self.hears(json.loads(line))

    async def wait(self, seconds: float) -> None:
        await self._world.run_for(seconds)
        self._world.wire.catch_up()

    async def leap(self, at: datetime) -> None:
        await self.wait_until(at)

    async def hours(self, at: datetime) -> None:
        await self.wait_until(at)

    async def until(self, is_so: Callable[[], object], within: float, what: str) -> None:
        try:
            await self._world.until(is_so, within, what)
        except AssertionError as error:
            raise Stuck(str(error)) from error
        self._world.wire.catch_up()

    def outage(self, seconds: float) -> None:
        self._note("fault", f"no name resolves for {seconds:g} s")
        self._world.wire.outage(seconds)

    async def crash_guard(self) -> None:
        self._world.kill_guard(restart_after=Timing().pause)
        await self.until(lambda: self._world.account is not None, 60, "the guard is here again")
        self._watch_record()

    async def start_guard(self) -> None:
        await self._world.start_guard()
        self._watch_record()

    def _watch_record(self) -> None:
        account, record = self._world.account, self.scene.record
        if account is not None and record is not None:
            tracker = Written(lambda: self.record, record, account.clock)
            account.record.watch(lambda: tracker, EVERY, told=record)

    async def stop_guard(self) -> None:
        self._world.kill_guard()

    @property
    def book(self) -> Book:
        return self._world.book

    async def entries(self) -> Sequence[Entry]:
        return await self._world.entries()


@asynccontextmanager
async def raised(scene: Scene, *, is_guarded: bool) -> AsyncIterator[InProcess]:
    """The stage, for as long as the block lasts, inside a virtual loop."""
    board = Board(scene)
    world = World(
        scene.rules,
        board,
        seed=SEED,
        cash=scene.cash,
        instruments=board.assets,
        exchange=scene.exchange_rules,
        through="engine" if scene.dialect == "alpaca" else scene.dialect,
    )
    async with world:
        stage = InProcess(scene, is_guarded=is_guarded, world=world, board=board)
        await asyncio.sleep(0.01)
        yield stage


def play(scene: Scene, told: Callable[[Stage], Awaitable[Result]], *, is_guarded: bool) -> Result:
    """Let something happen on a stage of its own."""

    async def main() -> Result:
        async with raised(scene, is_guarded=is_guarded) as stage:
            return await told(stage)

    return run(main(), start=scene.start, real_seconds=REAL_SECONDS)
