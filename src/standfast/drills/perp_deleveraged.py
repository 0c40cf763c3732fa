"""perp-deleveraged: the exchange takes a part of a winning short away (ADL); the bot closes what it had.

What is left is smaller than its record. The close buys the whole size, and the account is long.
"""

from decimal import Decimal

from standfast.drills.perpetual.claims import cover_told, flat, never_beyond
from standfast.drills.perpetual.drill import PerpetualDrill
from standfast.drills.perpetual.scene import AVL, PerpetualScene
from standfast.drills.perpetual.stage import PerpetualStage
from standfast.exchange.perpetual.contract import symbol_of
from standfast.model.journal import AlertRaised

QUANTITY, TAKEN = 100, 60
SCENE = PerpetualScene(prices={AVL: ("19.999", "20.000")})


class Bot:
    """Closes by its own record."""

    def __init__(self, stage: PerpetualStage) -> None:
        self.line = stage.bot
        self.says = stage.says

    async def enter_short(self) -> None:
        await self.line.sell(AVL, QUANTITY)

    async def close(self) -> None:
        self.says(f"takes its profit on {QUANTITY}")
        await self.line.buy(AVL, QUANTITY)
        self.says("closed")


async def story(stage: PerpetualStage) -> None:
    bot = Bot(stage)
    if stage.is_guarded:
        opened = await stage.act("open", instrument=AVL, quantity=str(-QUANTITY), key="trade-1")
        stage.claim("the opening is proven", opened.detail, holds=opened.ok)
    else:
        await bot.enter_short()
    await stage.until(lambda: stage.truth.net(AVL), 10, "the entry to fill")
    await stage.slide(AVL, "19.500", "19.000")
    symbol = symbol_of(AVL)
    price = stage.engine.prices(symbol).mark
    assert price is not None
    stage.say(f"the exchange deleverages {TAKEN} of {QUANTITY}")
    stage.engine.deleverage(stage.account, symbol, 0, Decimal(TAKEN), price)
    await stage.wait(10)
    if stage.is_guarded:
        await _through_guard(stage)
    else:
        await bot.close()
    await stage.wait(5)
    never_beyond(stage, AVL, -QUANTITY, 0)
    flat(stage, AVL)
    await stage.slide(AVL, "18.000", "16.500", "15.000")
    earned = stage.result
    stage.claim("the profit is kept", f"{earned:+.2f}, at least +95 expected", holds=earned >= 95)


async def _through_guard(stage: PerpetualStage) -> None:
    left = QUANTITY - TAKEN
    is_sized = stage.truth.cover(AVL) == left
    stage.claim("10 s later the stop is for what is left", cover_told(stage, AVL), holds=is_sized)
    alarms = [fact.text for entry in await stage.entries() if isinstance(fact := entry.fact, AlertRaised)]
    said = [text for text in alarms if "adl" in text.lower() or "deleverag" in text.lower()]
    stage.claim(
        "a person is told, with the cause", said[0] if said else f"{len(alarms)} other alarms", holds=bool(said)
    )
    done = await stage.act("close", position=stage.position().id)
    stage.claim("the close is sized by what is left", done.detail, holds=done.ok)


DRILL = PerpetualDrill(name="perp-deleveraged", scene=SCENE, story=story)
