"""empty-list: during maintenance the broker answers `no positions`.

The bot believes it: it settles its books at cost, profit 0.00, and tidies up by cancelling the stops of what it no
longer holds.
"""

from decimal import Decimal

from standfast.drills.claims import covered, ends_at_stop, naked_at_most
from standfast.drills.drill import Drill
from standfast.drills.line import How, Line
from standfast.drills.scene import AAPL, Scene
from standfast.drills.stage import Stage
from standfast.exchange.faults import EmptyList
from standfast.exchange.orders import TimeInForce
from standfast.model.journal import PositionSettled

MSFT = "MSFT"
MAINTENANCE = 60.0
PUT_BACK = 6.0
"""Seconds: five are waited on purpose where somebody else cancels an exit, and it is told, sent and taken."""
SCENE = Scene(prices={AAPL: ("100.00", "100.02"), MSFT: ("400.00", "400.04")})


class Bot:
    """Its positions, each with a resting stop, kept in step with the broker's list."""

    def __init__(self, stage: Stage) -> None:
        self.line: Line = stage.bot
        self.says = stage.says
        self.holds: dict[str, Decimal] = {}

    async def enter(self, instrument: str, quantity: int, stop: str) -> None:
        await self.line.buy(instrument, quantity)
        await self.line.sell(instrument, quantity, How(stop=stop, lasts=TimeInForce.GTC))
        self.holds[instrument] = Decimal(quantity)

    async def reconcile(self) -> None:
        listed = await self.line.positions()
        gone = [instrument for instrument in self.holds if instrument not in listed]
        for instrument in gone:
            self.says(f"{instrument} is not listed: settled at cost, profit 0.00")
            del self.holds[instrument]
            for order in await self.line.orders():
                if order.instrument == instrument:
                    await self.line.cancel(order)


async def story(stage: Stage) -> None:
    bot = Bot(stage)
    await bot.enter(AAPL, 100, "98.00")
    await bot.enter(MSFT, 40, "392.00")
    await stage.wait(20)
    stage.fault("positions", EmptyList(), seconds=MAINTENANCE)
    for _ in range(6):
        await bot.reconcile()
        await stage.wait(9)
    settled = [entry for entry in await stage.entries() if isinstance(entry.fact, PositionSettled)]
    stage.claim_of_guard(
        "while the list is empty nothing leaves the books",
        f"{len(settled)} settled, {len(stage.positions()) if stage.is_guarded else 0} of 2 held",
        holds=not settled and stage.is_guarded and len(stage.positions()) == 2,
    )
    covered(stage, AAPL, "at the end of the maintenance")
    covered(stage, MSFT, "at the end of the maintenance")
    await stage.wait(20)
    naked_at_most(stage, AAPL, PUT_BACK)
    naked_at_most(stage, MSFT, PUT_BACK)
    await stage.slide("99.20", "98.60", "97.90", "95.00", "91.00", "88.00")
    ends_at_stop(stage, 230)


DRILL = Drill(name="empty-list", scene=SCENE, story=story)
