"""perp-close-flips: a short perpetual is "closed" by an order that takes its side from the wrong field.

A position of an exchange is told as a size without a sign; the bot closes every position by selling its size.
"""

from standfast.drills.perpetual.claims import ends_at_stop, flat, naked_at_most, never_beyond
from standfast.drills.perpetual.drill import PerpetualDrill
from standfast.drills.perpetual.scene import AVL, PerpetualScene
from standfast.drills.perpetual.stage import PerpetualStage
from standfast.exchange.faults import Slow

SIZE = 5000
"""1,000 USDT at 20 cents."""
LATE = Slow(seconds=1.5, late="request")
"""A close takes that long to arrive: the stop rests meanwhile."""


class Bot:
    """Wrote its close when it only ever bought."""

    def __init__(self, stage: PerpetualStage) -> None:
        self.line = stage.bot
        self.says = stage.says

    async def enter_short(self) -> None:
        await self.line.sell(AVL, SIZE)

    async def close(self) -> None:
        ((_, size),) = (await self.line.positions()).items()
        await self.line.sell(AVL, abs(size))
        self.says("closed")


async def story(stage: PerpetualStage) -> None:
    if stage.is_guarded:
        await _through_guard(stage)
    else:
        bot = Bot(stage)
        await bot.enter_short()
        await stage.wait(10)
        await bot.close()
    await stage.wait(10)
    never_beyond(stage, AVL, -SIZE, 0)
    flat(stage, AVL)
    await stage.slide(AVL, "0.2050", "0.2150", "0.2300")
    ends_at_stop(stage, 5)


async def _through_guard(stage: PerpetualStage) -> None:
    """In two parts, each as the exchange's own signed quantity says."""
    opened = await stage.act("open", instrument=AVL, quantity=str(-SIZE), key="short")
    stage.claim("the opening is proven", opened.detail, holds=opened.ok)
    position = stage.position()
    stage.fault("submit", LATE, count=1)
    part = await stage.act("close", position=position.id, quantity="2000")
    stage.claim("a part is closed, the rest held", part.detail, holds=stage.truth.net(AVL) == -3000)
    await stage.until(lambda: stage.truth.cover(AVL) == 3000, 5, "the rest is covered again")
    stage.fault("submit", LATE, count=1)
    done = await stage.act("close", position=position.id)
    stage.claim("the close of the rest is sized by what is left", done.detail, holds=done.ok)
    naked_at_most(stage, AVL, 0)


DRILL = PerpetualDrill(name="perp-close-flips", scene=PerpetualScene(), story=story)
