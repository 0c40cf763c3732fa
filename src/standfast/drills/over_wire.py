"""The stage over real sockets: a served exchange at the scene's pace, the real adapter, the real ledger.

The exchange is in this process, so that its books can be read directly; bot and guard reach it through a TCP relay and
in no other way. The guard is the worker that `standfast guard` runs, composed by the same code from a settings file.
"""

import asyncio
import signal
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import aiohttp

from standfast import app
from standfast.core.book import Book
from standfast.drills.gateway import Gateway
from standfast.drills.living import LivingGuard
from standfast.drills.record import IN_SETTINGS
from standfast.drills.scene import ACCOUNT, Board, Scene
from standfast.drills.stage import Stage, Stuck
from standfast.drills.tradier_line import NUMBER, TradierLine, headers
from standfast.drills.truth import Truth
from standfast.drills.wire_line import HttpLine
from standfast.exchange.accounts import AccountSpec
from standfast.exchange.dialects import tradier
from standfast.exchange.dialects.tradier.numbers import number_of
from standfast.exchange.dialects.venue import Venue
from standfast.exchange.engine import Engine
from standfast.exchange.faults import Faults, Lost
from standfast.exchange.server import Dialect, ExchangeServer
from standfast.exchange.sessions import USSessions
from standfast.model.journal import Entry
from standfast.opened import open_store
from standfast.runtime.clock import monotonic
from standfast.runtime.parent import Timing, describe

Result = TypeVar("Result")

STEP = 0.01
"""Real seconds between two looks."""
LEAST = 60.0
"""Real seconds that anything may take at least, on a busy machine."""
KEY, SECRET = "DRILLKEY01", "drill-secret-of-the-loopback"
HEADERS = {
    "alpaca": {"APCA-API-KEY-ID": KEY, "APCA-API-SECRET-KEY": SECRET, "Content-Type": "application/json"},
    "tradier": headers(SECRET),
}
KEYS = {"alpaca": KEY, "tradier": NUMBER}
LINES: dict[str, type[HttpLine]] = {"alpaca": HttpLine, "tradier": TradierLine}

SETTINGS = """\
[ledger]
url = "sqlite:///drill.db"

[[accounts]]
name = "{account}"
broker = "{broker}"
mode = "repair"
secret = "{secret}"
{known}
rest_url = "http://127.0.0.1:{port}"
stream_url = "ws://127.0.0.1:{port}"
data_url = "http://127.0.0.1:{port}"
data_stream_url = "ws://127.0.0.1:{port}"
clock = "exchange"
{tracker}
[[policies]]
name = "drill"
stop_loss = "2%"
"""
RECORD = "record.json"
KNOWN = {"alpaca": f'key_id = "{KEY}"', "tradier": f'account_id = "{NUMBER}"'}


class OverWire(Stage):
    """Use `play`."""

    def __init__(
        self, scene: Scene, *, is_guarded: bool, venue: Venue, gateway: Gateway, board: Board, config: Path
    ) -> None:
        super().__init__(scene, is_guarded=is_guarded)
        self.board = board
        self.engine, self.faults = venue.engine, venue.faults
        self.truth = Truth(venue.engine, ACCOUNT)
        self._venue = venue
        self._gateway = gateway
        self._folder = config.parent
        self._settings = app.load(config)
        self._ledger = open_store(self._settings)
        self.store = self._ledger
        self._tasks: asyncio.TaskGroup | None = None
        self._guard: LivingGuard

    async def begin(self, running: AsyncExitStack, tasks: asyncio.TaskGroup) -> None:
        """Once, when the exchange is served."""
        self._tasks = tasks
        account = self._settings.accounts[0]
        self._guard = LivingGuard(self._settings, self.scene.rules, self._ledger, tasks, lambda: app.clock_of(account))
        dialect = self.scene.dialect
        session = await running.enter_async_context(aiohttp.ClientSession(headers=HEADERS[dialect]))
        url = f"http://127.0.0.1:{self._gateway.port}"
        self.bot = LINES[dialect](session, url, self.says, max(5.0 / self.scene.speed, 1.0))
        running.push_async_callback(self._ledger.close)
        running.push_async_callback(self.stop_guard)
        self.clock = await app.clock_of(self._settings.accounts[0])

    def writes(self, record: str) -> None:
        super().writes(record)
        written = self._folder / "record.new"
        written.write_text(record, encoding="utf-8")
        written.replace(self._folder / RECORD)

    def shown_id(self, order: str) -> str:
        if self.scene.dialect == "alpaca":
            return order
        return str(number_of(self.engine.order(self.account, order)))

    # --- time -----------------------------------------------------------------------------------

    async def wait(self, seconds: float) -> None:
        await self.clock.sleep(seconds)
        self._venue.catch_up()
        self._guard.check()

    async def until(self, is_so: Callable[[], object], within: float, what: str) -> None:
        end = monotonic() + max(within / self.scene.speed, LEAST)
        self._venue.catch_up()
        while not is_so():
            self._guard.check()
            if monotonic() > end:
                raise Stuck(f"not within {within:g} s: {what}")
            await asyncio.sleep(STEP)

    async def leap(self, at: datetime) -> None:
        self._venue.jump(at)
        self.clock = await app.clock_of(self._settings.accounts[0])

    async def hours(self, at: datetime) -> None:
        await self.leave_out(at)

    def no_quotes(self, seconds: float) -> None:
        super().no_quotes(seconds)
        self.fault("quote_stream", Lost(), seconds=seconds)

    def outage(self, seconds: float) -> None:
        self._note("fault", f"the network is gone for {seconds:g} s")
        self._gateway.down()
        assert self._tasks is not None
        self._tasks.create_task(self._come_back(seconds), name="outage")

    async def _come_back(self, seconds: float) -> None:
        await self.clock.sleep(seconds)
        await self._gateway.up()

    # --- the guard ------------------------------------------------------------------------------

    async def crash_guard(self) -> None:
        await self.stop_guard()
        await asyncio.sleep(Timing().pause)  # real seconds, as the parent counts them
        await self._start(describe(-signal.SIGKILL))

    async def start_guard(self) -> None:
        await self._start("")

    async def _start(self, restarted: str) -> None:
        self._guard.start(restarted)
        await self.until(self._guard.is_here, 60, "the guard is here")

    async def stop_guard(self) -> None:
        await self._guard.stop()

    @property
    def book(self) -> Book:
        return self._guard.book

    async def entries(self) -> Sequence[Entry]:
        return await self._guard.entries() if self.is_guarded else ()


@asynccontextmanager
async def raised(scene: Scene, folder: Path, *, is_guarded: bool) -> AsyncIterator[OverWire]:
    """The stage, for as long as the block lasts."""
    board, sessions = Board(scene), USSessions()
    engine = Engine(
        board.assets,
        [AccountSpec(name=ACCOUNT, key_id=KEYS[scene.dialect], secret=SECRET, cash=scene.cash)],
        start=scene.start,
        calendar=sessions,
        rules=scene.exchange_rules,
    )
    venue = Venue(engine, [ACCOUNT], faults=Faults(), sessions=sessions, prices=board, speed=scene.speed)
    async with AsyncExitStack() as running:
        server = await running.enter_async_context(ExchangeServer(venue, dialect=_spoken(scene)))
        gateway = await running.enter_async_context(Gateway(int(server.url.rsplit(":", 1)[1])))
        config = folder / "standfast.toml"
        known = KNOWN[scene.dialect]
        tracker = ""
        if scene.record is not None:
            (folder / RECORD).write_text("[]", encoding="utf-8")
            tracker = IN_SETTINGS.format(path=folder / RECORD, symbols=scene.record.symbols[0])
        told = SETTINGS.format(
            account=ACCOUNT, broker=scene.dialect, known=known, secret=SECRET, port=gateway.port, tracker=tracker
        )
        config.write_text(told, encoding="utf-8")
        tasks = await running.enter_async_context(asyncio.TaskGroup())
        stage = OverWire(scene, is_guarded=is_guarded, venue=venue, gateway=gateway, board=board, config=config)
        await stage.begin(running, tasks)
        yield stage


def _spoken(scene: Scene) -> Dialect | None:
    """Without the broker's budget of requests: time runs faster than it counts."""
    if scene.dialect == "alpaca":
        return None
    return lambda venue: tradier.routes(venue, limits=None, lag=tradier.POSITION_LAG, price_lag=tradier.PRICE_LAG)


def play(scene: Scene, told: Callable[[Stage], Awaitable[Result]], *, is_guarded: bool) -> Result:
    """Let something happen on a stage of its own."""

    async def main() -> Result:
        with tempfile.TemporaryDirectory(prefix="standfast-drill-") as folder:
            async with raised(scene, Path(folder), is_guarded=is_guarded) as stage:
                return await told(stage)

    return asyncio.run(main())
