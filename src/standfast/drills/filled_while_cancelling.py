"""filled-while-cancelling: an entry is cancelled and fills while the cancel is under way.

The exchange takes some seconds over a cancel; it says "received" at once, and the bot takes that for "gone".
"""

from datetime import timedelta
from decimal import Decimal

from standfast.drills.claims import flat
from standfast.drills.drill import Drill
from standfast.drills.line import How, Line
from standfast.drills.scene import AAPL, Scene
from standfast.drills.stage import Stage
from standfast.exchange.orders import Status
from standfast.exchange.rules import Rules

SCENE = Scene(exchange=Rules(cancel_after=timedelta(seconds=8)))


class Bot:
    """Deletes the record of an order once its cancel was taken."""

    def __init__(self, stage: Stage) -> None:
        self.line: Line = stage.bot
        self.says = stage.says
        self.record: list[str] = []

    async def enter(self) -> None:
        self.order = await self.line.buy(AAPL, 100, How(limit="99.50"))
        self.record.append(self.order.id)

    async def withdraw(self) -> None:
        await self.line.cancel(self.order)
        self.record.remove(self.order.id)
        self.says("the entry is cancelled: its record is deleted")


async def story(stage: Stage) -> None:
    withdrawn = None
    if stage.is_guarded:
        await stage.ask("open", instrument=AAPL, quantity="100", limit="99.50", key="trade-1")
        await stage.until(lambda: _rests(stage, Status.NEW), 10, "the entry rests")
        position = stage.position()
        withdrawn = await stage.ask("close", position=position.id, reason="withdrawn")
    else:
        bot = Bot(stage)
        await bot.enter()
        await stage.wait(1)
        await bot.withdraw()
    await stage.until(lambda: _rests(stage, Status.PENDING_CANCEL), 5, "the cancel is under way")
    await stage.price("99.40", "99.42")
    await stage.until(lambda: stage.truth.net(AAPL), 5, "it fills all the same")
    await stage.wait(20)
    if withdrawn is not None:
        done = await stage.answer(withdrawn)
        stage.claim("the withdrawal is proven done", done.detail, holds=done.ok)
        (closed,) = stage.closed()
        told = f"opened {closed.opened} at {closed.entry_price}, closed {closed.closed} at {closed.exit_price}"
        stage.claim("what filled is a position in the books", told, holds=closed.opened == closed.closed == 100)
    await stage.slide("98.50", "97.40", "95.00", "91.00", "88.00")
    flat(stage, AAPL)
    lost = -stage.truth.result
    stage.claim("it cost the spread and no more", f"lost {lost:.2f}", holds=lost <= Decimal(20))


def _rests(stage: Stage, status: Status) -> bool:
    return any(order.status is status for order in stage.truth.working(AAPL))


DRILL = Drill(name="filled-while-cancelling", scene=SCENE, story=story)
