"""incomplete-list: a list of positions, now and then, lacks one that is held; so does a list of orders.

The bot's reconciler cancels every stop whose position it does not find: a live one of a position that is there.
"""

from standfast.drills.claims import covered, ends_at_stop, naked_at_most, never_over_covered
from standfast.drills.drill import Drill
from standfast.drills.line import How, Line
from standfast.drills.scene import AAPL, Scene
from standfast.drills.stage import Stage
from standfast.exchange.faults import PartialList
from standfast.exchange.orders import TimeInForce
from standfast.model.journal import CancelIntended, OrderIntended, PositionSettled

MSFT = "MSFT"
SCENE = Scene(prices={AAPL: ("100.00", "100.02"), MSFT: ("400.00", "400.04")})


class Bot:
    """Two positions with resting stops, and a reconciler that believes in lists."""

    def __init__(self, line: Line) -> None:
        self.line = line

    async def enter(self, instrument: str, quantity: int, stop: str) -> None:
        await self.line.buy(instrument, quantity)
        await self.line.sell(instrument, quantity, How(stop=stop, lasts=TimeInForce.GTC))

    async def reconcile(self) -> None:
        """A stop without a position is in the way."""
        held = await self.line.positions()
        for order in await self.line.orders():
            if order.is_stop and order.instrument not in held:
                await self.line.cancel(order)


async def story(stage: Stage) -> None:
    bot = Bot(stage.bot)
    await bot.enter(AAPL, 100, "98.00")
    await bot.enter(MSFT, 40, "392.00")
    await stage.wait(20)
    await bot.reconcile()
    before = len(await stage.entries())
    stage.fault("orders", PartialList(without=(MSFT,)), seconds=20)  # for the guard: the bot is not fooled by this one
    await stage.wait(25)
    placed = [e for e in list(await stage.entries())[before:] if isinstance(e.fact, OrderIntended)]
    stage.claim_of_guard(
        "beside a stop that a list leaves out, no other is placed", f"{len(placed)} orders tried", holds=not placed
    )
    stage.fault("positions", PartialList(without=(AAPL,)), seconds=12)
    await bot.reconcile()
    await stage.wait(14)
    await bot.reconcile()
    await stage.wait(10)
    covered(stage, AAPL, "after the list was whole again")
    covered(stage, MSFT, "after the list was whole again")
    never_over_covered(stage, MSFT)
    naked_at_most(stage, AAPL, 15)
    if stage.is_guarded:
        await _guard_did_nothing(stage)
    await stage.slide("99.20", "98.60", "97.90", "95.00", "91.00", "88.00")
    ends_at_stop(stage, 230)


async def _guard_did_nothing(stage: Stage) -> None:
    facts = [entry.fact for entry in await stage.entries()]
    acts = [fact for fact in facts if isinstance(fact, CancelIntended | PositionSettled)]
    stage.claim("absence from a list made the guard cancel or settle nothing", f"{len(acts)} acts", holds=not acts)


DRILL = Drill(name="incomplete-list", scene=SCENE, story=story)
