"""timeout-after-accept: the order request times out and is written off as rejected; it was accepted, and filled."""

from standfast.drills.claims import covered, ends_at_stop, never_beyond, orders_of_guard
from standfast.drills.drill import Drill
from standfast.drills.line import Line, NoAnswer
from standfast.drills.scene import AAPL, Scene
from standfast.drills.stage import Stage
from standfast.exchange.faults import NeverAnswered, ServerError
from standfast.exchange.orders import Side
from standfast.model.journal import OrderInDoubt

SCENE = Scene()


class Bot:
    """Takes a timeout for a no."""

    def __init__(self, stage: Stage) -> None:
        self.line: Line = stage.bot
        self.says = stage.says
        self.holds = 0

    async def enter(self) -> None:
        try:
            await self.line.buy(AAPL, 100)
        except NoAnswer:
            self.says("marks the order as rejected: nothing is held")
            return
        self.holds = 100


async def story(stage: Stage) -> None:
    stage.fault("submit", NeverAnswered(), count=1)
    if stage.is_guarded:
        await _through_guard(stage)
    else:
        await Bot(stage).enter()
    await stage.wait(20)
    doubts = [entry.fact for entry in await stage.entries() if isinstance(entry.fact, OrderInDoubt)]
    told = f"{len(doubts)} entries"
    stage.claim_of_guard("the order whose answer never came was in doubt, and said so", told, holds=len(doubts) == 1)
    covered(stage, AAPL, "20 s after the timeout")
    never_beyond(stage, AAPL, 0, 100)
    await stage.slide("99.20", "98.60", "97.90", "95.00", "91.00", "88.00")
    ends_at_stop(stage, 230)


async def _through_guard(stage: Stage) -> None:
    """The first question by id fails as well: unknown stays unknown until somebody answers."""
    stage.fault("order", ServerError(status=503), count=2)
    opened = await stage.act("open", instrument=AAPL, quantity="100", key="trade-1")
    stage.claim("the opening is proven, not guessed", opened.detail, holds=opened.ok)
    entries = [order for order in orders_of_guard(stage, AAPL) if order.side is Side.BUY]
    stage.claim("one entry order ever reached the exchange", f"{len(entries)}", holds=len(entries) == 1)


DRILL = Drill(name="timeout-after-accept", scene=SCENE, story=story)
