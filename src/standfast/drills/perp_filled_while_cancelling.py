"""perp-filled-while-cancelling: an entry is cancelled and fills while the cancel is on its way.

The cancel is seconds late; the exchange answers it `too late to cancel`, and the bot takes any answer for "gone".
"""

from decimal import Decimal

from standfast.drills.line import NoAnswer, Refused
from standfast.drills.perpetual.claims import flat
from standfast.drills.perpetual.drill import PerpetualDrill
from standfast.drills.perpetual.scene import AVL, PerpetualScene
from standfast.drills.perpetual.stage import PerpetualStage
from standfast.exchange.faults import Slow

QUANTITY = 50
SCENE = PerpetualScene(prices={AVL: ("19.999", "20.000")})
LATE = 4.0


class Bot:
    """Deletes the record of an order once its cancel has been answered."""

    def __init__(self, stage: PerpetualStage) -> None:
        self.line = stage.bot
        self.says = stage.says

    async def enter(self) -> None:
        self.order = await self.line.buy(AVL, QUANTITY, price="19.900")

    async def withdraw(self) -> None:
        try:
            await self.line.withdraw(AVL, self.order)
        except (NoAnswer, Refused):
            self.says("it is gone already, then")
        self.says("the entry is cancelled: its record is deleted")


async def story(stage: PerpetualStage) -> None:
    bot, withdrawn, cancelling = Bot(stage), None, None
    stage.fault("cancel", Slow(seconds=LATE, late="request"), count=1)
    if stage.is_guarded:
        await stage.ask("open", instrument=AVL, quantity=str(QUANTITY), limit="19.900", key="trade-1")
        await stage.until(lambda: stage.truth.working(AVL), 10, "the entry rests")
        await stage.wait(1)
        withdrawn = await stage.ask("close", position=stage.position().id, reason="withdrawn")
    else:
        await bot.enter()
        await stage.wait(1)
        cancelling = stage.meanwhile(bot.withdraw())
    await stage.until(lambda: any(rule.operation == "cancel" for rule in stage.met()), 10, "the cancel to be under way")
    await stage.price(AVL, "19.880")
    await stage.until(lambda: stage.truth.net(AVL), 5, "it fills all the same")
    if cancelling is not None:
        await cancelling
    await stage.wait(20)
    if withdrawn is not None:
        done = await stage.answer(withdrawn)
        stage.claim("the withdrawal is proven done", done.detail, holds=done.ok)
        (closed,) = stage.closed()
        told = f"opened {closed.opened} at {closed.entry_price}, closed {closed.closed} at {closed.exit_price}"
        stage.claim("what filled is a position in the books", told, holds=closed.opened == closed.closed == QUANTITY)
    await stage.slide(AVL, "19.500", "18.900", "18.000", "16.500")
    flat(stage, AVL)
    lost = -stage.result
    stage.claim("it cost the spread, the fees and no more", f"lost {lost:.2f}", holds=lost <= Decimal(5))


DRILL = PerpetualDrill(name="perp-filled-while-cancelling", scene=SCENE, story=story)
