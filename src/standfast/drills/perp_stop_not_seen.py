"""perp-stop-not-seen: at Binance a stop is an algo order, and the list of open orders does not show it.

The bot's reconciler sees no stop and places one, at every look. When the price comes, all of them trade: the first
closes, the others open a short.
"""

from standfast.drills.perpetual.audit import orders_of_guard
from standfast.drills.perpetual.claims import covered, ends_at_stop, naked_at_most, never_beyond, never_over_covered
from standfast.drills.perpetual.drill import PerpetualDrill
from standfast.drills.perpetual.scene import AVL, PerpetualScene
from standfast.drills.perpetual.stage import PerpetualStage
from standfast.exchange.orders import Side

QUANTITY = 50
STOP = "19.400"
SCENE = PerpetualScene(prices={AVL: ("19.999", "20.000")}, at="binance")


class Bot:
    """Its reconciler makes sure that there is a stop."""

    def __init__(self, stage: PerpetualStage) -> None:
        self.line = stage.bot
        self.says = stage.says

    async def enter(self) -> None:
        await self.line.buy(AVL, QUANTITY)
        await self.line.sell(AVL, QUANTITY, trigger=STOP, reduces=True)

    async def reconcile(self) -> None:
        orders = await self.line.orders()
        if not any(order.side is Side.SELL for order in orders):
            self.says(f"no stop among {len(orders)} open order(s): places one")
            await self.line.sell(AVL, QUANTITY, trigger=STOP)


async def story(stage: PerpetualStage) -> None:
    bot = Bot(stage)
    await bot.enter()
    await stage.wait(10)
    covered(stage, AVL, "by the bot's own algo order")
    for bid in ("19.900", "19.800", "19.700", "19.600", "19.500", "19.400"):
        if not stage.is_guarded:  # guarded, the reconciling is the guard's
            await bot.reconcile()
        await stage.slide(AVL, bid, each=6)
    stops = {event.order.id for event in stage.truth.tape if event.order is not None and event.order.ticket.trigger}
    stage.claim("no stop was added beside the one that was there", f"{len(stops)} stop(s) ever", holds=len(stops) == 1)
    mine = orders_of_guard(stage)
    stage.claim_of_guard("none of them by the guard", f"{len(mine)} orders of the guard", holds=not mine)
    never_over_covered(stage, AVL)
    never_beyond(stage, AVL, 0, QUANTITY)
    naked_at_most(stage, AVL, 2)
    await stage.slide(AVL, "19.800", "20.800", "22.000")
    ends_at_stop(stage, 35)


DRILL = PerpetualDrill(name="perp-stop-not-seen", scene=SCENE, story=story, elsewhere=False)
