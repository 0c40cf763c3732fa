"""perp-timeout-after-accept: an order request times out and is written off as rejected; it was accepted, and filled."""

from standfast.drills.line import NoAnswer
from standfast.drills.perpetual.audit import orders_of_guard
from standfast.drills.perpetual.claims import covered, ends_at_stop, naked_at_most, never_beyond
from standfast.drills.perpetual.drill import PerpetualDrill
from standfast.drills.perpetual.scene import AVL, PerpetualScene
from standfast.drills.perpetual.stage import PerpetualStage
from standfast.exchange.faults import NeverAnswered, ServerError
from standfast.exchange.orders import Side
from standfast.model.journal import OrderInDoubt

QUANTITY = 50
SCENE = PerpetualScene(prices={AVL: ("19.999", "20.000")})
LOOK_UP = {"bybit": "orders", "binance": "order"}
BARE_AT_MOST = {"bybit": 2, "binance": 12}
"""Seconds. A trade at Binance names no client order id: whose it is is known with its order, found late here."""


class Bot:
    """Takes a timeout for a no."""

    def __init__(self, stage: PerpetualStage) -> None:
        self.line = stage.bot
        self.says = stage.says

    async def enter(self) -> None:
        try:
            await self.line.buy(AVL, QUANTITY)
        except NoAnswer:
            self.says("marks the order as rejected: nothing is held")


async def story(stage: PerpetualStage) -> None:
    stage.fault("submit", NeverAnswered(), count=1)
    if stage.is_guarded:
        await _through_guard(stage)
    else:
        await Bot(stage).enter()
    await stage.wait(20)
    doubts = [entry.fact for entry in await stage.entries() if isinstance(entry.fact, OrderInDoubt)]
    told = f"{len(doubts)} entries"
    stage.claim_of_guard("the order whose answer never came was in doubt, and said so", told, holds=len(doubts) == 1)
    covered(stage, AVL, "20 s after the timeout")
    never_beyond(stage, AVL, 0, QUANTITY)
    naked_at_most(stage, AVL, BARE_AT_MOST[stage.scene.at])
    await stage.slide(AVL, "19.600", "19.200", "18.980", "18.000", "16.500")
    ends_at_stop(stage, 60)


async def _through_guard(stage: PerpetualStage) -> None:
    """The first question by id fails as well: unknown stays unknown until somebody answers."""
    stage.fault(LOOK_UP[stage.scene.at], ServerError(status=503), count=2)
    opened = await stage.act("open", instrument=AVL, quantity=str(QUANTITY), key="trade-1")
    stage.claim("the opening is proven, not guessed", opened.detail, holds=opened.ok)
    entries = [order for order in orders_of_guard(stage) if order.side is Side.BUY]
    stage.claim("one entry order ever reached the exchange", f"{len(entries)}", holds=len(entries) == 1)


DRILL = PerpetualDrill(name="perp-timeout-after-accept", scene=SCENE, story=story)
