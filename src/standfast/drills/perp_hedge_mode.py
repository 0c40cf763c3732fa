"""perp-hedge-mode: both sides of a contract are held, and the stop of the long is sent to the short side.

A well-known trap of client libraries: in hedge mode a selling stop is for the short side unless its side is named.
It may only reduce, so when its price comes it does nothing; each side goes on without a stop.
"""

from standfast.drills.perpetual.claims import covered, naked_at_most, never_beyond, never_over_covered
from standfast.drills.perpetual.drill import PerpetualDrill
from standfast.drills.perpetual.scene import AVL, PerpetualScene
from standfast.drills.perpetual.stage import PerpetualStage
from standfast.drills.perpetual.truth import HEDGES

LONG, SHORT = 1, 2
BOUGHT, SOLD = 50, 30
SCENE = PerpetualScene(prices={AVL: ("19.999", "20.000")}, hedged=True)


class Bot:
    """Names a side when it opens; for its stops it trusts in the side of the order."""

    def __init__(self, stage: PerpetualStage) -> None:
        self.line = stage.bot
        self.says = stage.says

    async def enter(self) -> None:
        await self.line.buy(AVL, BOUGHT, side_of=LONG)
        await self.line.sell(AVL, SOLD, side_of=SHORT)

    async def protect(self) -> None:
        await self.line.sell(AVL, BOUGHT, trigger="19.000", side_of=SHORT, reduces=True)
        await self.line.buy(AVL, SOLD, trigger="21.000", side_of=LONG, reduces=True)
        self.says("both sides have their stop")


async def story(stage: PerpetualStage) -> None:
    bot = Bot(stage)
    await bot.enter()
    if not stage.is_guarded:  # guarded, protecting is the guard's
        await bot.protect()
    await stage.wait(10)
    for side in (LONG, SHORT):
        covered(stage, AVL, "after 10 s", side)
    await stage.slide(AVL, "20.500", "21.010", "21.500")
    long, short = stage.truth.net(AVL, LONG), stage.truth.net(AVL, SHORT)
    told = f"{long} long, {short} short"
    stage.claim("above its stop the short is gone, the long as it was", told, holds=not short and long == BOUGHT)
    covered(stage, AVL, "and still", LONG)
    await stage.slide(AVL, "20.000", "19.100", "18.990", "17.000", "15.000", "13.000")
    for side in (LONG, SHORT):
        net, working = stage.truth.net(AVL, side), stage.truth.working(AVL, side)
        told = f"{net} held, {len(working)} orders"
        stage.claim(f"the {HEDGES[side]} side is flat in the end, with no order left", told, holds=not (net or working))
        never_over_covered(stage, AVL, side)
        naked_at_most(stage, AVL, 2, side)
    never_beyond(stage, AVL, 0, BOUGHT, LONG)
    never_beyond(stage, AVL, -SOLD, 0, SHORT)
    lost = -stage.result
    stage.claim("both losses end at their stops", f"lost {lost:.2f}, at most 85 allowed", holds=lost <= 85)


DRILL = PerpetualDrill(name="perp-hedge-mode", scene=SCENE, story=story, elsewhere=False)
