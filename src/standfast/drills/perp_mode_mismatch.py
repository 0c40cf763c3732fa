"""perp-mode-mismatch: the bot is configured for one position a contract, the account holds two.

Its entry was mended by hand when it was refused, its stop and its close never were: each is refused for the mode, which
the bot logs.
"""

from standfast.drills.line import Refused
from standfast.drills.perpetual.audit import holding
from standfast.drills.perpetual.claims import covered, ends_at_stop, naked_at_most
from standfast.drills.perpetual.drill import PerpetualDrill
from standfast.drills.perpetual.scene import AVL, PerpetualScene
from standfast.drills.perpetual.stage import PerpetualStage

LONG = 1
QUANTITY = 50
SCENE = PerpetualScene(prices={AVL: ("19.999", "20.000")}, hedged=True)
WORDS = {"bybit": "position mode", "binance": "position side"}
"""Of the exchange, for a wrong mode."""


class Bot:
    """One-way, but for its entry."""

    def __init__(self, stage: PerpetualStage) -> None:
        self.line = stage.bot
        self.says = stage.says

    async def enter(self) -> None:
        await self.line.buy(AVL, QUANTITY, side_of=LONG)

    async def protect(self) -> None:
        await self._tried(trigger="19.000", reduces=True)

    async def close(self) -> None:
        await self._tried(reduces=True)

    async def _tried(self, **order: object) -> None:
        try:
            await self.line.sell(AVL, QUANTITY, **order)
        except Refused:
            self.says("logs an error and goes on")


async def story(stage: PerpetualStage) -> None:
    bot = Bot(stage)
    await bot.enter()
    await bot.protect()
    await stage.wait(10)
    covered(stage, AVL, "10 s after the refusal", LONG)
    if stage.is_guarded:
        await _asked_by_the_wrong_name(stage)
    await stage.slide(AVL, "19.500", "19.100")
    await bot.close()
    await stage.slide(AVL, "18.990", "18.000", "17.000", "16.000")
    naked_at_most(stage, AVL, 2, LONG)
    ends_at_stop(stage, 60)


async def _asked_by_the_wrong_name(stage: PerpetualStage) -> None:
    """Through the guard the same mistake costs nothing, and is explained."""
    refused = await stage.act("open", instrument=AVL, quantity="10", key="one-way")
    is_said = not refused.ok and WORDS[stage.scene.at] in refused.detail
    stage.claim("an opening of the wrong mode is refused with the reason", refused.detail, holds=is_said)
    names = [str(position.holding) for position in stage.positions()]
    wanted = str(holding(AVL, LONG))
    stage.claim("the books know the position by its side", ", ".join(names) or "none", holds=names == [wanted])


DRILL = PerpetualDrill(name="perp-mode-mismatch", scene=SCENE, story=story)
