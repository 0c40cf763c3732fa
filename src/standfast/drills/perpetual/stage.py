"""The stage of perpetual futures: a served exchange, a bot, and on a guarded stage a guard with its ledger.

Everything between the story and the engine is the product's own: the served dialect, HTTP and WebSockets over the
loopback interface, ccxt and its streams, the adapter, the worker that `standfast guard` runs. Time alone may be leapt
over (`pace`).
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from standfast import app
from standfast.brokers.shared.transport import AiohttpTransport
from standfast.core.book import Book
from standfast.drills import leaping
from standfast.drills.living import LivingGuard
from standfast.drills.perpetual.line import KEY, SECRET, PerpetualLine
from standfast.drills.perpetual.lines import BinanceLine, BybitLine
from standfast.drills.perpetual.pace import ByLeaps, OnTheMachine, Pace
from standfast.drills.perpetual.scene import Board, PerpetualScene
from standfast.drills.perpetual.truth import PerpetualTruth
from standfast.drills.scene import ACCOUNT
from standfast.drills.telling import Stuck, Telling
from standfast.exchange import serving_perpetuals
from standfast.exchange.accounts import AccountSpec
from standfast.exchange.dialects.perpetuals import Perpetuals
from standfast.exchange.faults import Faults, Rule
from standfast.exchange.perpetual.contract import symbol_of
from standfast.exchange.perpetual.engine import PerpetualEngine
from standfast.exchange.serving import HallServer
from standfast.model.journal import Entry

Result = TypeVar("Result")

BROKERS = {"bybit": "ccxt:bybit", "binance": "ccxt:binanceusdm"}
LINES = {"bybit": BybitLine, "binance": BinanceLine}
PATIENCE = 5.0
"""Of the bot, in seconds of the loop."""
SETTINGS = """\
[ledger]
url = "sqlite:///drill.db"

[[accounts]]
name = "{account}"
broker = "{broker}"
mode = "repair"
key_id = "{key}"
secret = "{secret}"
rest_url = "{url}"
stream_url = "{stream_url}"
clock = "exchange"

[[policies]]
name = "drill"
stop_loss = "5%"
"""


class PerpetualStage(Telling):
    """Use `play`."""

    bot: PerpetualLine

    def __init__(
        self, scene: PerpetualScene, *, is_guarded: bool, venue: Perpetuals, board: Board, config: Path, pace: Pace
    ) -> None:
        super().__init__(is_guarded=is_guarded)
        self.scene = scene
        self.board = board
        self.engine, self.faults = venue.engine, venue.faults
        self.truth = PerpetualTruth(venue.engine, ACCOUNT)
        self._venue = venue
        self._pace = pace
        self._settings = app.load(config)
        self._ledger = pace.ledger(self._settings)
        self.store = self._ledger
        self._guard: LivingGuard
        self._tasks: asyncio.TaskGroup

    async def begin(self, running: AsyncExitStack, tasks: asyncio.TaskGroup, url: str) -> None:
        """Once, when the exchange is served."""
        self._tasks = tasks
        await self._follow()
        transport = AiohttpTransport()
        running.push_async_callback(transport.close)
        self.bot = LINES[self.scene.at](transport, url, self.says, lambda: self.now, patience=PATIENCE)
        self._guard = LivingGuard(
            self._settings, self.scene.rules, self._ledger, tasks, self._clock_now, lease_clock=self._pace.lease_clock
        )
        running.push_async_callback(self._close)

    async def _close(self) -> None:
        await self.stop_guard()
        closed: Any = getattr(self._ledger, "close", None)
        if closed is not None:
            await closed()

    async def _follow(self) -> None:
        self.clock = await self._pace.follow(self._settings, lambda: self._venue.catch_up())

    async def _clock_now(self) -> Any:
        return self.clock

    @property
    def slack(self) -> float:
        """See `Pace`: to be added to what may take so many seconds."""
        return self._pace.slack

    # --- the market -----------------------------------------------------------------------------

    @property
    def now(self) -> datetime:
        return self.engine.now

    @property
    def result(self) -> Decimal:
        return self.truth.result

    async def price(self, name: str, bid: str, ask: str | None = None) -> None:
        """Move the market there; returns when everybody can see it. Without an ask: as narrow as it gets."""
        contract = self.engine.contract(symbol_of(name))
        low = Decimal(bid)
        high = low + contract.tick if ask is None else Decimal(ask)
        self.shows(f"{symbol_of(name)} {low} / {high}")
        self.board.set(name, low, high)

        def is_quoted() -> bool:
            quote = self.engine.last_quote(contract.symbol)
            return quote is not None and (quote.bid, quote.ask) == (low, high)

        await self.until(is_quoted, 90, f"the quote of {name}")

    async def slide(self, name: str, *bids: str, each: float = 5.0) -> None:
        """Move the market from bid to bid, so many seconds between them."""
        for bid in bids:
            await self.price(name, bid)
            await self.wait(each)

    def meanwhile(self, deed: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Somebody does this while the story goes on; to be awaited."""
        return self._tasks.create_task(deed, name="meanwhile")

    def met(self) -> list[Rule]:
        """The faults of the story that have struck."""
        struck = {id(each.fault) for each in self.faults.struck}
        return [rule for rule in self.installed if id(rule.fault) in struck]

    # --- time -----------------------------------------------------------------------------------

    async def wait(self, seconds: float) -> None:
        await self.clock.sleep(seconds)
        self._look()

    async def until(self, is_so: Callable[[], object], within: float, what: str) -> None:
        if not await self._pace.until(is_so, within, self._look):
            raise Stuck(f"not within {within:g} s: {what}")

    async def leap(self, at: datetime) -> None:
        self._venue.jump(at)
        await self._follow()

    def _look(self) -> None:
        self._venue.catch_up()
        self._guard.check()

    # --- the guard ------------------------------------------------------------------------------

    async def start_guard(self, *, wait: bool = True) -> None:
        self._guard.start()
        if wait:
            await self.until(self._guard.is_here, 60, "the guard is here")

    async def stop_guard(self) -> None:
        await self._guard.stop()

    @property
    def book(self) -> Book:
        return self._guard.book

    async def entries(self) -> Sequence[Entry]:
        return await self._guard.entries() if self.is_guarded else ()


def _hall(scene: PerpetualScene, board: Board, seed: int) -> Perpetuals:
    spec = AccountSpec(name=ACCOUNT, key_id=KEY, secret=SECRET, cash=scene.cash)
    contracts = scene.contracts()
    engine = PerpetualEngine(contracts, [spec], start=scene.start, seed=seed, rules=scene.exchange_rules)
    for contract in contracts:
        if engine.settings(ACCOUNT, contract.symbol).leverage != scene.leverage:
            engine.set_leverage(ACCOUNT, contract.symbol, scene.leverage)
    if scene.hedged:
        engine.set_account_mode(ACCOUNT, is_hedged=True)
    if scene.isolated:
        engine.set_account_margin_mode(ACCOUNT, is_isolated=True)
    return Perpetuals(engine, faults=Faults(seed=seed), prices=board)


@asynccontextmanager
async def raised(
    scene: PerpetualScene, folder: Path, pace: Pace, *, is_guarded: bool, speed: float, seed: int
) -> AsyncIterator[PerpetualStage]:
    """The stage, for as long as the block lasts."""
    board = Board(scene)
    venue = _hall(scene, board, seed)
    venue.speed = speed
    async with AsyncExitStack() as running:
        spoken = serving_perpetuals.routes(scene.at, venue, is_limited=False)
        server = await running.enter_async_context(HallServer(venue, spoken, tick=pace.tick))
        config = folder / "standfast.toml"
        told = SETTINGS.format(
            account=ACCOUNT,
            broker=BROKERS[scene.at],
            key=KEY,
            secret=SECRET,
            url=server.url,
            stream_url=server.stream_url,
        )
        config.write_text(told, encoding="utf-8")
        tasks = await running.enter_async_context(asyncio.TaskGroup())
        stage = PerpetualStage(scene, is_guarded=is_guarded, venue=venue, board=board, config=config, pace=pace)
        await stage.begin(running, tasks, server.url)
        yield stage


def play(
    scene: PerpetualScene,
    told: Callable[[PerpetualStage], Awaitable[Result]],
    *,
    is_guarded: bool,
    wire: bool,
    seed: int = 7,
) -> Result:
    """Let something happen on a stage of its own. `wire`: in real time; else as fast as it goes."""

    async def main(pace: Pace, speed: float) -> Result:
        with tempfile.TemporaryDirectory(prefix="standfast-drill-") as folder:
            async with raised(scene, Path(folder), pace, is_guarded=is_guarded, speed=speed, seed=seed) as stage:
                return await told(stage)

    if wire:
        return asyncio.run(main(OnTheMachine(scene.speed), scene.speed))
    return leaping.run(lambda loop: main(ByLeaps(loop), 1.0))
