"""stop-wrong-size: half is sold by hand, and the stop is re-armed at the old quantity: refused.

Later the position grows, and the stop of the old quantity covers half of it.
"""

from standfast.drills.claims import covered, ends_at_stop, naked_at_most, never_over_covered
from standfast.drills.drill import Drill
from standfast.drills.line import How, Line, Refused, Seen
from standfast.drills.scene import AAPL, Scene
from standfast.drills.stage import Stage
from standfast.exchange.orders import TimeInForce

SCENE = Scene()


class Bot:
    """Knows the quantity it entered with, and re-arms its stop for that."""

    def __init__(self, stage: Stage) -> None:
        self.line: Line = stage.bot
        self.says = stage.says
        self.stop: Seen | None = None

    async def enter(self) -> None:
        await self.line.buy(AAPL, 100)

    async def arm(self) -> None:
        try:
            self.stop = await self.line.sell(AAPL, 100, How(stop="98.00", lasts=TimeInForce.GTC))
        except Refused:
            self.says("re-armed: the stop must be there already")


async def story(stage: Stage) -> None:
    bot = Bot(stage)
    await bot.enter()
    await stage.wait(5)
    if stage.is_guarded:
        position = stage.position()
        part = await stage.act("close", position=position.id, quantity="50")
        stage.claim("half is closed", part.detail, holds=part.ok)
    else:
        await bot.arm()
        assert bot.stop is not None
        stage.say("its owner takes the stop away and sells half by hand")
        await stage.bot.cancel(bot.stop)
        await stage.bot.sell(AAPL, 50)
    await bot.arm()
    await stage.wait(10)
    covered(stage, AAPL, "after half was sold")
    if stage.is_guarded:
        await stage.act("open", instrument=AAPL, quantity="150", key="more")
    else:
        await stage.bot.buy(AAPL, 150)
    await bot.arm()
    await stage.wait(10)
    covered(stage, AAPL, "after 150 were added")
    naked_at_most(stage, AAPL, 5)
    never_over_covered(stage, AAPL)
    await stage.slide("99.20", "98.60", "97.90", "95.00", "91.00", "88.00")
    ends_at_stop(stage, 450)


DRILL = Drill(name="stop-wrong-size", scene=SCENE, story=story)
