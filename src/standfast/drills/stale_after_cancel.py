"""stale-after-cancel: an entry still reads `open` just after its cancel.

The bot concludes that the cancel failed and the entry will fill, and places the stop in advance. There is no position:
the stop is an order to sell short.
"""

from standfast.drills.claims import flat, never_beyond, stops_of_guard
from standfast.drills.drill import Drill
from standfast.drills.line import How, Line
from standfast.drills.scene import AAPL, Scene
from standfast.drills.stage import Stage
from standfast.exchange.faults import Stale
from standfast.exchange.orders import TimeInForce

STALE = 20.0
SCENE = Scene()


class Bot:
    """Cancels, looks once, and believes what it reads."""

    def __init__(self, stage: Stage) -> None:
        self.line: Line = stage.bot
        self.says = stage.says

    async def enter(self) -> None:
        self.order = await self.line.buy(AAPL, 100, How(limit="99.50"))

    async def withdraw(self) -> None:
        await self.line.cancel(self.order)
        if (await self.line.order(self.order)).is_open:
            self.says("the entry still reads open: the cancel failed, so it will fill and needs its stop")
            await self.line.sell(AAPL, 100, How(stop="97.51", lasts=TimeInForce.GTC))


async def story(stage: Stage) -> None:
    if stage.is_guarded:
        opening = await stage.ask("open", instrument=AAPL, quantity="100", limit="99.50", key="trade-1")
        await stage.until(lambda: stage.truth.working(AAPL), 10, "the entry rests")
        await stage.wait(STALE)
        position = stage.position()
        _go_stale(stage)
        await stage.ask("close", position=position.id, reason="withdrawn")
        done = await stage.answer(opening)
        stage.claim("the opening is answered: nothing was opened", done.detail, holds=not done.ok)
    else:
        bot = Bot(stage)
        await bot.enter()
        await stage.wait(STALE)
        _go_stale(stage)
        await bot.withdraw()
    await stage.wait(STALE)
    await stage.slide("98.50", "97.40", "99.00", "103.00", "108.00")
    stops = stops_of_guard(stage, AAPL)
    stage.claim_of_guard("no stop was placed for what was never held", f"{len(stops)} stops", holds=not stops)
    never_beyond(stage, AAPL, 0, 0)
    flat(stage, AAPL)


def _go_stale(stage: Stage) -> None:
    stage.fault("order*", Stale(age=STALE / 2), seconds=STALE / 2)
    stage.fault("positions", Stale(age=STALE / 2), seconds=STALE / 2)


DRILL = Drill(name="stale-after-cancel", scene=SCENE, story=story)
