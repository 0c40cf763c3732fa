"""close-twice: a close has filled; the list of positions is seconds old and still shows it; the bot closes again."""

from standfast.drills.claims import ends_at_stop, flat, never_beyond, one_close
from standfast.drills.drill import Drill
from standfast.drills.line import Line
from standfast.drills.scene import AAPL, Scene
from standfast.drills.stage import Stage
from standfast.exchange.faults import NeverAnswered, Stale

OLD = 9.5
"""Seconds: as late as this broker says its reads may be."""
LASTS = 30.0
SCENE = Scene()


class Bot:
    """Closes what the list shows, until the list is empty."""

    def __init__(self, line: Line) -> None:
        self.line = line

    async def enter(self) -> None:
        await self.line.buy(AAPL, 100)

    async def close_all(self) -> bool:
        """Whether there was something to close."""
        held = await self.line.positions()
        for instrument, quantity in held.items():
            if quantity > 0:
                await self.line.sell(instrument, quantity)
        return bool(held)


async def story(stage: Stage) -> None:
    if stage.is_guarded:
        await stage.act("open", instrument=AAPL, quantity="100", key="trade-1")
        await stage.wait(LASTS)
        position = stage.position()
        stage.fault("positions", Stale(age=OLD), seconds=LASTS)
        stage.fault("submit", NeverAnswered(), count=1)
        done = await stage.act("close", position=position.id, within=90)
        stage.claim("the close is proven, though its answer was lost", done.detail, holds=done.ok)
    else:
        bot = Bot(stage.bot)
        await bot.enter()
        await stage.wait(LASTS)
        stage.fault("positions", Stale(age=OLD), seconds=LASTS)
        for _ in range(3):
            await bot.close_all()
            await stage.wait(5)
    await stage.wait(LASTS)
    one_close(stage, AAPL, "sell", 100)
    never_beyond(stage, AAPL, 0, 100)
    flat(stage, AAPL)
    await stage.slide("103.00", "107.00", "112.00")
    ends_at_stop(stage, 50)


DRILL = Drill(name="close-twice", scene=SCENE, story=story)
