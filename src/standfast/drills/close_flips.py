"""close-flips: the close takes its side from the wrong field: a short position is "closed" by selling more."""

from standfast.drills.claims import ends_at_stop, flat, never_beyond, one_close
from standfast.drills.drill import Drill
from standfast.drills.line import Line
from standfast.drills.scene import AAPL, Scene
from standfast.drills.stage import Stage

MSFT = "MSFT"
SCENE = Scene(prices={AAPL: ("100.00", "100.02"), MSFT: ("400.00", "400.04")})


class Bot:
    """Wrote its close when it only ever bought: a close sells as much as the entry was for."""

    def __init__(self, stage: Stage) -> None:
        self.line: Line = stage.bot
        self.says = stage.says

    async def enter_short(self) -> None:
        self.entry = await self.line.sell(AAPL, 100)

    async def close(self) -> None:
        await self.line.sell(AAPL, self.entry.quantity)
        self.says("closed")


async def story(stage: Stage) -> None:
    if stage.is_guarded:
        await _through_guard(stage)
    else:
        bot = Bot(stage)
        await bot.enter_short()
        await stage.wait(10)
        await bot.close()
    await stage.wait(10)
    never_beyond(stage, AAPL, -100, 0)
    flat(stage, AAPL)
    await stage.slide("103.00", "107.00", "112.00")
    ends_at_stop(stage, 50)


async def _through_guard(stage: Stage) -> None:
    """A short closed whole, and a long closed in two parts: each close as the broker's own quantity says."""
    await stage.act("open", instrument=AAPL, quantity="-100", key="short")
    position = stage.position()
    done = await stage.act("close", position=position.id)
    stage.claim("the short is proven closed", done.detail, holds=done.ok)
    one_close(stage, AAPL, "buy", 100)
    await stage.act("open", instrument=MSFT, quantity="10", key="long")
    position = stage.position()
    part = await stage.act("close", position=position.id, quantity="4")
    stage.claim("a part of the long is closed, the rest held", part.detail, holds=stage.truth.net(MSFT) == 6)
    await stage.until(lambda: stage.truth.cover(MSFT) == 6, 5, "the rest is covered again")
    done = await stage.act("close", position=position.id)
    stage.claim("the close of the rest is sized by what is left", done.detail, holds=done.ok)
    never_beyond(stage, MSFT, 0, 10)
    flat(stage, MSFT)


DRILL = Drill(name="close-flips", scene=SCENE, story=story)
