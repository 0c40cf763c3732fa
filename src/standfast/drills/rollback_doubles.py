"""rollback-doubles: an entry fills, the list of positions is late, the bot rolls it back with the side of the entry.

One of the losses this software was founded on: a market buy of 43 filled, one look at the positions three seconds later
saw nothing, and the "roll-back" took its side from the record of the entry. 86 long, no stop, nobody watching.
"""

from standfast.drills.line import Refused
from standfast.drills.perpetual.claims import covered, ends_at_stop, naked_at_most, never_beyond
from standfast.drills.perpetual.drill import PerpetualDrill
from standfast.drills.perpetual.scene import AVL, PerpetualScene
from standfast.drills.perpetual.stage import PerpetualStage
from standfast.exchange.faults import RefusedWith, Stale
from standfast.exchange.orders import Side

LAG = 12.0
"""Seconds by which the positions are late."""
QUANTITY = 43
SCENE = PerpetualScene(prices={AVL: ("19.999", "20.000")})
NOT_NOW = {
    "bybit": RefusedWith(status=200, body={"retCode": 10001, "retMsg": "Conditional orders are closed.", "result": {}}),
    "binance": RefusedWith(status=400, body={"code": -4400, "msg": "Conditional orders are closed."}),
}
"""The exchange takes no stop."""


class Bot:
    """Verifies an entry by one look at one list."""

    def __init__(self, stage: PerpetualStage) -> None:
        self.line = stage.bot
        self.says = stage.says
        self.wait = stage.wait

    async def enter(self) -> None:
        await self.line.buy(AVL, QUANTITY)
        entered = Side.BUY
        await self.wait(3)
        if await self.line.positions():
            self.says("verified: open")
            return
        self.says("nothing is open: rolls the entry back")
        try:
            await (self.line.buy if entered is Side.BUY else self.line.sell)(AVL, QUANTITY)
        except Refused:
            return
        self.says("rolled back: nothing is open, nothing to watch")


async def story(stage: PerpetualStage) -> None:
    stage.fault("positions", Stale(age=LAG))
    if stage.is_guarded:
        await _through_guard(stage)
    else:
        await Bot(stage).enter()
        await stage.wait(60)
    never_beyond(stage, AVL, 0, QUANTITY)
    await stage.slide(AVL, "19.600", "19.200", "18.980", "17.500", "16.000", "15.000")
    naked_at_most(stage, AVL, 2, shown_after=LAG)
    ends_at_stop(stage, 50)


async def _through_guard(stage: PerpetualStage) -> None:
    """First an opening that can be protected by nobody, and is rolled back; then one that stands."""
    stage.fault("submit", NOT_NOW[stage.scene.at], count=3, skip=1)
    asked = await stage.ask("open", instrument=AVL, quantity=str(QUANTITY), key="first")
    await stage.until(lambda: stage.truth.net(AVL), 10, "the entry to fill")
    filled = stage.now
    answered = await stage.answer(asked, 60)
    is_said = not answered.ok and not stage.truth.net(AVL)
    stage.claim("without a stop the entry is rolled back, and proven flat", answered.detail, holds=is_said)
    sold = next(each.at for each in stage.truth.executions() if each.side is Side.SELL)
    took = (sold - filled).total_seconds() - LAG
    told = f"{took:.1f} s after the list showed what it filled"
    stage.claim(
        "side and size were taken from the exchange as soon as it told them", told, holds=took <= 2 + stage.slack
    )
    await stage.wait(30)
    began = stage.now
    opened = await stage.act("open", instrument=AVL, quantity=str(QUANTITY), key="second")
    took = (stage.now - began).total_seconds()
    stage.claim("the next one is proven open", opened.detail, holds=opened.ok)
    stage.claim("before the list shows it", f"{took:.1f} s", holds=took < LAG + stage.slack)
    covered(stage, AVL, "by then")
    await stage.wait(30)


DRILL = PerpetualDrill(name="rollback-doubles", scene=SCENE, story=story)
