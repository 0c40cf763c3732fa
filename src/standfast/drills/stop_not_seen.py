"""stop-not-seen: the stop is there, as a leg that reads `held`, of type stop-limit.

The bot's reconciler looks for type `stop`. It finds none, clears the way and places one of its own, a stop-limit two
per cent below the market, which it does not recognise at the next look either. The stop walks down with the price.
"""

from decimal import ROUND_DOWN, Decimal

from standfast.drills.claims import covered, ends_at_stop, naked_at_most, never_over_covered, stops_of_guard
from standfast.drills.drill import Drill
from standfast.drills.line import How, Line
from standfast.drills.scene import AAPL, Scene
from standfast.drills.stage import Stage
from standfast.exchange.orders import STOPS, OrderType, TimeInForce
from standfast.exchange.rules import Rules

CENT = Decimal("0.01")
SCENE = Scene(exchange=Rules(stop_leg_stays_held=True))


class Bot:
    """Enters as a bracket; its reconciler makes sure that there is a stop."""

    def __init__(self, stage: Stage) -> None:
        self.line: Line = stage.bot
        self.says = stage.says

    async def enter(self) -> None:
        how = How(target_leg="130.00", stop_leg="98.00", stop_leg_limit="97.00", lasts=TimeInForce.GTC)
        await self.line.buy(AAPL, 100, how)

    async def reconcile(self, market: Decimal) -> None:
        orders = await self.line.orders()
        if any(order.type is OrderType.STOP for order in orders):
            return
        self.says(f"no stop among {len(orders)} order(s): clears the way and places one")
        for order in orders[:1]:  # the rest of a group goes with it
            await self.line.cancel(order)
        stop = (market * Decimal("0.98")).quantize(CENT, ROUND_DOWN)
        await self.line.sell(AAPL, 100, How(stop=str(stop), limit=str(stop - 1), lasts=TimeInForce.GTC))


async def story(stage: Stage) -> None:
    bot = Bot(stage)
    await bot.enter()
    await stage.wait(10)
    covered(stage, AAPL, "by the leg of its bracket alone")
    for bid in ("99.50", "99.00", "98.50", "97.90", "97.00", "95.50", "94.00", "92.50", "91.00", "89.50", "88.00"):
        if not stage.is_guarded and stage.truth.net(AAPL):  # guarded, the reconciling is the guard's
            await bot.reconcile(Decimal(bid) + Decimal("0.50"))
        await stage.slide(bid, each=6)
    stops = {event.order.id for event in stage.truth.tape if event.order.terms.type in STOPS}
    stage.claim("no stop was added beside the one that was there", f"{len(stops)} stop(s) ever", holds=len(stops) == 1)
    mine = stops_of_guard(stage, AAPL)
    stage.claim_of_guard("none of them by the guard", f"{len(mine)}", holds=not mine)
    never_over_covered(stage, AAPL)
    naked_at_most(stage, AAPL, 2)
    ends_at_stop(stage, 230)


DRILL = Drill(name="stop-not-seen", scene=SCENE, story=story)
