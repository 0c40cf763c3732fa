"""liquidated-before-stop: a position is opened and liquidated before its stop was there. In the bot's database it stays
open for ever, and weeks later somebody "closes" it: by an order that opens a short.
"""

from decimal import Decimal

from standfast.drills.line import NoAnswer
from standfast.drills.perpetual.claims import flat, never_beyond, settled
from standfast.drills.perpetual.drill import PerpetualDrill
from standfast.drills.perpetual.scene import AVL, PerpetualScene
from standfast.drills.perpetual.stage import PerpetualStage
from standfast.exchange.faults import NeverAnswered, Slow
from standfast.model.journal import AlertRaised

QUANTITY = 1000
SCENE = PerpetualScene(prices={AVL: ("19.999", "20.000")}, leverage=Decimal(50), isolated=True)
MARGIN = 400
"""Of 20,000 USDT at 50 times: all that a liquidation can take, beside fees."""
FEES = 25


class Bot:
    """Keeps its positions in a database, and asks the exchange for nothing."""

    def __init__(self, stage: PerpetualStage) -> None:
        self.line = stage.bot
        self.says = stage.says

    async def enter(self) -> None:
        await self.line.buy(AVL, QUANTITY)
        self.open = QUANTITY
        self.says("open in the database; its stop comes with the next look")

    async def close(self) -> None:
        self.says("still open in the database: takes its profit")
        await self.line.sell(AVL, self.open)
        self.open = 0


async def story(stage: PerpetualStage) -> None:
    bot, asked = Bot(stage), None
    if stage.is_guarded:
        stage.fault("submit", NeverAnswered(hold=5), count=1)
        stage.fault("submit", Slow(seconds=6, late="request"), count=1)  # its stop: it comes when there is nothing left
        asked = await stage.ask("open", instrument=AVL, quantity=str(QUANTITY), key="trade-1")
    else:
        await bot.enter()
    await stage.until(lambda: stage.truth.net(AVL), 10, "the entry to fill")
    await stage.price(AVL, "19.300")
    await stage.until(lambda: not stage.truth.net(AVL), 10, "the exchange to liquidate it")
    await stage.wait(40)
    if asked is not None:
        await _through_guard(stage, await stage.answer(asked))
    await stage.slide(AVL, "19.900", "20.600")
    if not stage.is_guarded:
        try:
            await bot.close()
        except NoAnswer:
            return
    await stage.slide(AVL, "21.200", "22.000")
    never_beyond(stage, AVL, 0, QUANTITY)
    flat(stage, AVL)
    lost, most = -stage.result, MARGIN + FEES
    stage.claim("no more than its margin was lost", f"lost {lost:.2f} of {most}", holds=lost <= most)


async def _through_guard(stage: PerpetualStage, answered: object) -> None:
    detail, is_ok = getattr(answered, "detail", ""), getattr(answered, "ok", True)
    stage.claim("who asked is told what became of it", detail, holds=not is_ok and "liquidat" in detail)
    settled(stage, "liquidation")
    (position,) = stage.closed()
    done = next(each for each in stage.truth.executions() if each.kind.value == "liquidation")
    told = f"opened {position.opened} at {position.entry_price}, out at {position.exit_price}"
    right = position.opened == QUANTITY and position.exit_price == done.price
    stage.claim("with its quantity and both prices", told, holds=right)
    alarms = [fact.text for entry in await stage.entries() if isinstance(fact := entry.fact, AlertRaised)]
    named = [text for text in alarms if "liquidation" in text]
    stage.claim("a person is told", named[0] if named else f"{len(alarms)} other alarms", holds=bool(named))
    refused = await stage.act("close", position=position.id)
    stage.claim("it cannot be closed once more", refused.detail, holds=not refused.ok)


DRILL = PerpetualDrill(name="liquidated-before-stop", scene=SCENE, story=story)
